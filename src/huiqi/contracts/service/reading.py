"""What do the parties want to know of a contract before they decide?"""

from msgspec.structs import replace

from huiqi.contracts.agreements import body_of
from huiqi.contracts.service.books import Books
from huiqi.contracts.types import AgreementBody, PartyRole
from huiqi.policy.types import Difference, EnforceabilityReport, Terms


class Reading(Books):
    """Answers about the terms on the table; nothing changes."""

    def report(self, id: str) -> EnforceabilityReport:  # noqa: A002 - the name in the interface
        """How surely each term on the table holds; for the provider also what exceeds its listing.

        Terms beyond the listing are warnings: only the provider may grant them, and it may.

        Raises:
            UnknownContract: it is not in these books.
        """
        contract = self.contract(id)
        terms, columns, types = contract.terms, contract.columns, contract.types
        report = self._policies.report(
            terms, columns=columns, node=contract.provider.node, types=types
        )
        if contract.mine is not PartyRole.PROVIDER or contract.listed is None:
            return report
        plain = self._policies.check(terms, columns=columns, types=types)
        all_found = self._policies.check(
            terms, columns=columns, ceiling=contract.listed, types=types
        )
        wider = [each for each in all_found if each not in plain]
        warnings = tuple(replace(each, severity="warning") for each in wider)
        return replace(report, findings=(*report.findings, *warnings))

    def differences(self, id: str) -> tuple[Difference, ...]:  # noqa: A002 - the name in the interface
        """What the newest proposal changes in the one before it, or in the listing.

        Raises:
            UnknownContract: it is not in these books.
        """
        contract = self.contract(id)
        if len(contract.proposals) > 1:
            before: Terms | None = contract.proposals[-2].terms
        else:
            before = contract.listed
        return () if before is None else self._policies.differences(before, contract.terms)

    def body(self, id: str) -> AgreementBody:  # noqa: A002 - the name in the interface
        """The agreement as it follows from the proposals; both parties derive the same bytes.

        Raises:
            UnknownContract: it is not in these books.
            NotAgreed: nothing has been accepted yet.
        """
        return body_of(self.contract(id))
