"""When is a contract's projection made, and when is it destroyed?"""

import secrets

from huiqi.compute.errors import ProjectionMissing
from huiqi.compute.service.room import Room
from huiqi.compute.shaping import Shape, deletion_of, shape_of
from huiqi.compute.types import BuildOrder, Projection, SessionTable
from huiqi.contracts.types import ContractStatus
from huiqi.kernel.clock import iso
from huiqi.kernel.digests import sm3_hex
from huiqi.kernel.errors import HuiqiError
from huiqi.kernel.facts import Fact
from huiqi.usage.types import Grant

SALT_BYTES = 16
KEY_ID_LENGTH = 16
# Engine names of tables: nothing of the provider's or the consumer's naming is in them.
TABLE_PREFIX = "p_"


class Projecting(Room):
    """Projections: made at first use, destroyed when their contract is over."""

    def sweep(self) -> int:
        """Destroy the projections of contracts that are no longer in force; how many.

        1. Kill the engine processes that have it loaded, running queries included.
        2. Overwrite and unlink its file, destroy its key.
        3. Record ProjectionDestroyed with the deletion record.
        4. Forget it. After a crash anywhere the next sweep starts over.

        Raises:
            HuiqiError, OSError: one of them could not be destroyed now; the others were.
        """
        over = [(p, why) for p in self._projections.all(self._scope) if (why := self._over(p))]
        failures: list[HuiqiError | OSError] = []
        for projection, why in over:
            try:
                self._destroy(projection, why)
            except (HuiqiError, OSError) as error:
                # Those behind it must go all the same; it is tried again on the next beat.
                failures.append(error)
        if failures:
            raise failures[0]
        return len(over)

    def close(self) -> None:
        """End the engine processes; nothing runs afterwards."""
        self._engine.close()

    def _over(self, projection: Projection) -> str:
        """Why a projection must go; empty while it may stay."""
        contract = self._known(projection.contract)
        if contract is None:
            return "contract unknown"
        if contract.status is not ContractStatus.PERFORMING:
            return f"contract ended: {contract.end_reason or contract.status.value}"
        if contract.ends_at is None or contract.ends_at <= self._clock.now():
            return "contract term over"
        return ""

    def _destroy(self, projection: Projection, why: str) -> None:
        # Step 1
        self._engine.drop(projection.id)
        with self._building[projection.id]:
            # Step 2
            self._projections.destroy(self._scope, projection.id)
            # A use that began before step 1 may have loaded it again meanwhile.
            self._engine.drop(projection.id)
            # Step 3
            at = self._clock.now()
            fact = Fact(
                kind="ProjectionDestroyed",
                subject=projection.contract,
                actor=self._trust.me().id,
                at=at,
                details={
                    "projection": projection.id,
                    "keyId": projection.key_id,
                    "fileDigest": projection.digest,
                    "why": why,
                },
                document=deletion_of(projection, at=iso(at), why=why),
            )
            self._work.run(lambda tx: tx.record(fact))
            # Step 4
            self._projections.forget(self._scope, projection.id)

    def _projected(self, grant: Grant) -> tuple[Projection, SessionTable]:
        """The projection that a grant works on, built now if this is its first use.

        Raises:
            RowFilterUnreadable: the contract's row filter cannot be applied.
            SourceUnreadable, EngineFailed: it could not be built.
        """
        record = self._catalog.product(grant.product).record
        profile = self._catalog.resource(record.resource).profile
        shape = shape_of(
            grant.bounds,
            contract=grant.contract,
            offered=record.columns,
            source=profile.columns,
            data_version=profile.digest,
        )
        with self._building[shape.id]:
            projection = self._projections.find(self._scope, shape.id)
            if projection is None:
                projection = self._built(grant, shape, profile.digest)
            path, key = self._projections.open(self._scope, shape.id)
        self._replaced(projection)
        table = SessionTable(
            name=TABLE_PREFIX + shape.id,
            projection=shape.id,
            contract=grant.contract,
            path=path,
            key=key,
        )
        return projection, table

    def _built(self, grant: Grant, shape: Shape, data_version: str) -> Projection:
        if not shape.columns:
            raise ProjectionMissing(id=shape.id)
        path, key = self._projections.begin(self._scope, shape.id)
        order = BuildOrder(
            projection=shape.id,
            contract=grant.contract,
            product=grant.product,
            data_version=data_version,
            location=self._catalog.source_of(grant.product).location,
            columns=tuple(column.name for column in shape.columns),
            row_filter=shape.row_filter,
            unit=shape.unit,
            key=key,
            salt=secrets.token_bytes(SALT_BYTES),
            target=path,
        )
        try:
            built = self._engine.build(order)
        except HuiqiError:
            # No sweep knows of it: what was begun must not outlive the contract.
            self._projections.destroy(self._scope, shape.id)
            raise
        projection = Projection(
            id=shape.id,
            contract=grant.contract,
            product=grant.product,
            data_version=data_version,
            columns=built.columns[: len(shape.columns)],
            has_unit=shape.unit is not None,
            rows=built.rows,
            bytes=built.bytes,
            digest=built.digest,
            key_id=sm3_hex(key)[:KEY_ID_LENGTH],
            built_at=self._clock.now(),
        )
        self._projections.keep(self._scope, projection)
        self._note_built(projection)
        return projection

    def _note_built(self, projection: Projection) -> None:
        fact = Fact(
            kind="ProjectionBuilt",
            subject=projection.contract,
            actor=self._trust.me().id,
            at=projection.built_at,
            details={
                "projection": projection.id,
                "dataVersion": projection.data_version,
                "columns": [column.name for column in projection.columns],
                "rows": projection.rows,
                "keyId": projection.key_id,
                "fileDigest": projection.digest,
            },
        )
        self._work.run(lambda tx: tx.record(fact))

    def _replaced(self, current: Projection) -> None:
        """Destroy what the same contract had of earlier data."""
        for old in self._projections.all(self._scope):
            if old.contract == current.contract and old.data_version != current.data_version:
                self._destroy(old, "data replaced")
