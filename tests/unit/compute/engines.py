"""Sample data, projections and sessions for tests that run a real engine process."""

import secrets
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from huiqi.adapters.engines.duck import DuckEngine
from huiqi.adapters.projections import FileProjectionStore
from huiqi.compute.types import BuildOrder, Projection, Session, SessionTable
from huiqi.kernel.ids import ContractId, ProductId
from huiqi.kernel.work import Scope
from tests.support.seals import FolderSeals

SAMPLES = Path("src/huiqi/samples")
SCOPE = Scope(space="demo", participant="91340100MAHU1Q01XF")
CONTRACT, PRODUCT = ContractId("C1"), ProductId("P1")
FIELDS = ("origin", "month", "dep_delay", "time_hour")


def never() -> bool:
    return False


class Bench:
    """One connector's engine and store on a folder of its own."""

    def __init__(self, folder: Path, **limits: int) -> None:
        (folder / "resources").mkdir(parents=True)
        for name in ("flights", "weather"):
            shutil.copy(SAMPLES / f"{name}.parquet", folder / "resources" / f"{name}.parquet")
        self.folder = folder
        self.engine = DuckEngine(folder, **limits)
        self.store = FileProjectionStore(folder, FolderSeals(folder))

    def build(
        self,
        name: str = "flights",
        *,
        columns: tuple[str, ...] = FIELDS,
        row_filter: str = "",
        unit: str | None = None,
        location: str = "",
    ) -> Projection:
        path, key = self.store.begin(SCOPE, name)
        order = BuildOrder(
            projection=name,
            contract=CONTRACT,
            product=PRODUCT,
            data_version="v1",
            location=location or f"resources/{name}.parquet",
            columns=columns,
            row_filter=row_filter,
            unit=unit,
            key=key,
            salt=secrets.token_bytes(16),
            target=path,
        )
        built = self.engine.build(order)
        projection = Projection(
            id=name,
            contract=CONTRACT,
            product=PRODUCT,
            data_version="v1",
            columns=built.columns,
            has_unit=unit is not None,
            rows=built.rows,
            bytes=built.bytes,
            digest=built.digest,
            key_id="k",
            built_at=datetime(2026, 11, 24, tzinfo=UTC),
        )
        self.store.keep(SCOPE, projection)
        return projection

    def session(self, *names: str) -> Session:
        return Session(tables=tuple(self.table(name) for name in names or ("flights",)))

    def table(self, name: str) -> SessionTable:
        path, key = self.store.open(SCOPE, name)
        return SessionTable(name=name, projection=name, contract=CONTRACT, path=path, key=key)

    def rows(
        self,
        sql: str,
        *names: str,
        timeout_s: float = 20.0,
        should_stop: Callable[[], bool] = never,
    ) -> tuple[tuple[object, ...], ...]:
        session = self.session(*names)
        return self.engine.execute(session, sql, timeout_s=timeout_s, should_stop=should_stop).rows
