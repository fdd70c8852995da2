"""How does a wrong price stop terms from being published or signed?

The policy room knows no price plans and settlement is a later room, so the two meet here.
"""

from collections.abc import Mapping, Sequence

import msgspec

from huiqi.kernel.errors import HuiqiError
from huiqi.kernel.ids import SystemId
from huiqi.kernel.text import Text
from huiqi.policy.service import Policies
from huiqi.policy.types import EnforceabilityReport, Finding, Terms
from huiqi.settlement.service import check_price


class PricedPolicies(Policies):
    """Policies that also refuse terms whose price could not be settled."""

    def check(
        self,
        terms: Terms,
        *,
        columns: Sequence[str] | None = None,
        ceiling: Terms | None = None,
        types: Mapping[str, str] | None = None,
    ) -> tuple[Finding, ...]:
        """Everything wrong or doubtful in ``terms``, their price included."""
        found = super().check(terms, columns=columns, ceiling=ceiling, types=types)
        return (*found, *_price_findings(terms))

    def report(
        self,
        terms: Terms,
        *,
        columns: Sequence[str] | None = None,
        node: SystemId | None = None,
        types: Mapping[str, str] | None = None,
    ) -> EnforceabilityReport:
        """How surely each term holds; not signable when the price could not be settled."""
        report = super().report(terms, columns=columns, node=node, types=types)
        wrong = _price_findings(terms)
        if not wrong:
            return report
        findings = (*report.findings, *wrong)
        return msgspec.structs.replace(report, findings=findings, signable=False)


def _price_findings(terms: Terms) -> tuple[Finding, ...]:
    try:
        check_price(terms.price)
    except HuiqiError as error:
        text = Text(error.text("zh"), error.text("en"))
        return (Finding(severity="error", code=error.code, where="price", text=text),)
    return ()
