"""What do all verbs of the room share?"""

from functools import partial

import msgspec

from huiqi.contracts.service import Contracts
from huiqi.contracts.types import AgreementBody, Contract
from huiqi.kernel.clock import Clock
from huiqi.kernel.digests import sm3_hex
from huiqi.kernel.errors import IntegrityError
from huiqi.kernel.ids import ContractId, IdSource
from huiqi.kernel.work import Scope, Tx, Work
from huiqi.policy.service import Policies
from huiqi.policy.types import Reason
from huiqi.trust.service import Trust
from huiqi.usage.errors import UseIdTaken, WrongParty
from huiqi.usage.metering import Rules
from huiqi.usage.orders import read_order, same_request
from huiqi.usage.ports import KeptReceipt, UsageStore, Use
from huiqi.usage.receipts import read_body
from huiqi.usage.refusals import not_in_force, suspended
from huiqi.usage.types import Receipt, Side, SignedOrder, UseOrder

# How old the word of the platform about a consumer may be when its use begins or goes on, in
# seconds. A suspension is then felt within this time, one renewal and one question.
STANDING_AGE_S = 2.0
# How long the beginning and the end of a use wait for that word before the record kept here stands;
# a renewal waits for nothing, because its lease is short: it reads what the one before asked for.
WAIT_S, NO_WAIT_S = 1.0, 0.0
# What Trust.standing_now answers for a system in good standing.
ACTIVE = "active"


class Room:
    """The parts of the room, and the steps that several verbs take."""

    # How long a grant lives without being renewed, and how often it is renewed, in seconds.
    # Revocation stops use in under two seconds (DESIGN, promise 5), also when the provider that
    # revoked is silent: the engine looks every 50 ms and is killed at once. One missed renewal is
    # survived, the fourth is the end.
    lease_s: float = 1.8
    renew_every_s: float = 0.5

    def __init__(  # noqa: PLR0913 - the parts of a room, named, once
        self,
        *,
        scope: Scope,
        work: Work,
        clock: Clock,
        ids: IdSource,
        store: UsageStore,
        policies: Policies,
        trust: Trust,
        contracts: Contracts,
    ) -> None:
        self._scope = scope
        self._work = work
        self._clock = clock
        self._ids = ids
        self._store = store
        self._policies = policies
        self._trust = trust
        self._contracts = contracts

    def _signed_by_consumer(self, signed: SignedOrder) -> UseOrder:
        order = read_order(signed)
        consumer = self._trust.member(order.consumer_node)
        if consumer.subject != order.consumer:
            raise WrongParty(who=order.consumer[:40], contract="")
        self._trust.verify(consumer, signed.body, signed.signature)
        return order

    def _rules(self, contract: Contract) -> Rules:
        if contract.agreement is None:
            raise IntegrityError(what=f"agreement of {contract.id}")
        agreed = msgspec.json.decode(contract.agreement.body, type=AgreementBody)
        key = f"{contract.id}:{contract.agreement.sm3}"
        compiled = self._policies.compiled(key, agreed.terms)
        return Rules(
            units={u: self._policies.window_seconds(u) for u in self._policies.units(compiled)},
            decide=partial(self._policies.decide, compiled),
            bounds=partial(self._policies.bounds, compiled),
        )

    def _obstacle(self, contract: Contract, *, wait_s: float) -> Reason | None:
        reason = not_in_force(contract, self._clock.now())
        if reason is not None:
            return reason
        standing = self._trust.standing_now(
            contract.consumer.node, older_than_s=STANDING_AGE_S, wait_s=wait_s
        )
        return None if standing == ACTIVE else suspended(standing)

    def _check_same(self, tx: Tx, order: UseOrder) -> None:
        for known in self._store.orders(self._scope, tx, order.use_id):
            if not same_request(read_order(known), order):
                raise UseIdTaken(use_id=order.use_id[:40])

    def _keep_order(self, tx: Tx, order: UseOrder, signed: SignedOrder) -> bool:
        """Keep an order; False when these very bytes are kept already."""
        self._check_same(tx, order)
        return self._store.put_order(self._scope, tx, order.use_id, signed)

    def _provided(self, tx: Tx, use_id: str, contract: ContractId) -> Use | None:
        return self._store.use(self._scope, tx, Side.PROVIDER, (use_id, contract))

    def _receipt_signed(self, receipt_id: str) -> Receipt:
        """The receipt of an ended use; its intended signature is made now if it is missing."""
        kept = self._work.read(
            lambda tx: self._store.receipt(self._scope, tx, receipt_id, Side.PROVIDER)
        )
        if kept is None:
            raise IntegrityError(what=f"receipt {receipt_id}")
        if (receipt := kept.receipt()) is not None:
            return receipt
        signature = self._trust.sign(kept.body, read_body(kept.body).suite)
        signed = msgspec.structs.replace(kept, provider_signature=signature)

        def unit(tx: Tx) -> KeptReceipt:
            # Somebody else may have signed meanwhile; the first signature stands.
            again = self._store.receipt(self._scope, tx, receipt_id, Side.PROVIDER)
            if again is not None and again.provider_signature is not None:
                return again
            self._store.put_receipt(self._scope, tx, signed)
            return signed

        made = self._work.run(unit).receipt()
        if made is None:
            raise IntegrityError(what=f"receipt {receipt_id}")
        return made


def fact_details(use: Use) -> dict[str, str | int | list[str]]:
    """What the log says about a use in plain sight: ids, digests and codes, never SQL or rows."""
    details: dict[str, str | int | list[str]] = {
        "useId": use.use_id,
        "orderDigest": use.order_digest,
        "executor": use.executor,
        "state": use.state.value,
        "decision": use.decision,
        "reasons": [reason.code for reason in use.reasons],
        "rows": use.rows,
    }
    if use.receipt_id:
        details["receiptId"] = use.receipt_id
    if use.grant is not None:
        details["grant"] = use.grant.id
    return details


def order_digest(signed: SignedOrder) -> str:
    """SM3 hex of the signed bytes: how receipts refer to an order."""
    return sm3_hex(signed.body)
