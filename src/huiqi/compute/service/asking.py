"""How does a consumer have a query answered under its contracts?"""

from collections.abc import Mapping, Sequence

from huiqi.compute.errors import QueryRefused
from huiqi.compute.guard import LONGEST_QUERY, MOST_TABLES
from huiqi.compute.service.room import Room
from huiqi.compute.types import UseRequest
from huiqi.contracts.types import Contract
from huiqi.kernel.canonical import canonical_bytes
from huiqi.kernel.clock import iso
from huiqi.kernel.ids import ContractId, SystemId
from huiqi.policy.types import RuleKind, Terms
from huiqi.usage.types import SignedOrder, UseOrder, UseOutcome

EXECUTOR = "hq:executor"


class Asking(Room):
    """The verb of the side that asks."""

    def ask(
        self,
        *,
        tables: Mapping[str, str],
        purpose: str,
        sql: str,
        use_id: str | None = None,
    ) -> UseOutcome:
        """The answer to ``sql``, where each table name stands for one of my contracts.

        1. Choose the executor: the provider of the first table whose connector all other
           contracts accept as executor.
        2. Sign the order and keep it, before anything is sent.
        3. Send it; the executor decides, computes and answers.
        4. Check the receipts, countersign them, keep them.

        Repeating a ``use_id`` returns the first outcome instead of a second use.

        Raises:
            EngineBusy: too many questions are under way; nothing was sent.
            QueryRefused: no table at all, too many, or an endless text; nothing was sent.
            UnknownContract: a contract is not in these books.
            ForgedReceipt: the answer must not be used.
            UnavailableError: the executor does not answer; repeat with the same use id.
        """
        if not 0 < len(tables) <= MOST_TABLES:
            text = f"一次须用 1 到 {MOST_TABLES} 张表"
            raise QueryRefused("tables", text, f"a query joins 1 to {MOST_TABLES} tables")
        if max(len(sql), len(purpose), *map(len, tables)) > LONGEST_QUERY:
            text = f"查询须为 1 到 {LONGEST_QUERY} 个字符"
            raise QueryRefused("length", text, f"a query has 1 to {LONGEST_QUERY} characters")
        with self._asked.taken():
            return self._ask(tables, purpose, sql, use_id or self._ids.uuid())

    def _ask(self, tables: Mapping[str, str], purpose: str, sql: str, use_id: str) -> UseOutcome:
        # Step 1
        contracts = {name: self._contracts.contract(one) for name, one in tables.items()}
        executor = chosen_executor(tuple(contracts.values()))
        me = self._trust.me()
        # Step 2
        order = UseOrder(
            use_id=use_id,
            consumer=me.subject,
            consumer_node=me.id,
            executor=executor,
            tables={name: ContractId(one) for name, one in tables.items()},
            purpose=purpose,
            sql=sql,
            at=iso(self._clock.now()),
        )
        body = canonical_bytes(order)
        suite = next(iter(contracts.values())).suite
        lenders = {
            name: contract.provider.node
            for name, contract in contracts.items()
            if contract.provider.node != executor
        }
        signed = SignedOrder(body, self._trust.sign(body, suite))
        self._usage.ordered(signed)
        # Step 3
        request = UseRequest(body=body, signature=signed.signature, lenders=lenders)
        outcome = self._peers.query(self._trust.member(executor), request)
        # Step 4
        return self._usage.keep(signed, outcome)


def chosen_executor(contracts: Sequence[Contract]) -> SystemId:
    """The connector that should execute a use of ``contracts``, in the order of its tables.

    When no connector is accepted by all contracts, the first provider's is asked: it refuses
    with the reasons.
    """
    for candidate in contracts:
        node = candidate.provider.node
        others = [one for one in contracts if one.provider.node != node]
        if all(node in executors_of(one.terms) for one in others):
            return node
    return contracts[0].provider.node


def executors_of(terms: Terms) -> frozenset[str]:
    """The connectors that ``terms`` accept as executors beside the provider's own."""
    found: set[str] = set()
    for rule in terms.policy.rules:
        if rule.kind is not RuleKind.PERMISSION:
            continue
        for constraint in rule.constraints:
            if constraint.operand == EXECUTOR:
                value = constraint.value
                found |= set(value) if isinstance(value, list) else {str(value)}
    return frozenset(found)
