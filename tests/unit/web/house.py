"""Systems with real trust, evidence and policies behind the real application, on one store."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from argon2 import PasswordHasher
from litestar.testing import TestClient

from huiqi.adapters.passwords import ArgonPasswords
from huiqi.adapters.sql.driver import SqlWork
from huiqi.adapters.sql.evidence_store import SqlEvidenceStore
from huiqi.adapters.sql.identifier_store import SqlIdentifierStore
from huiqi.adapters.sql.outbox import SqlOutbox
from huiqi.adapters.sql.trust_store import SqlTrustStore
from huiqi.catalog.service import Identifiers
from huiqi.evidence.service import Evidence
from huiqi.kernel.clock import FixedClock
from huiqi.kernel.ids import ObjectType, RandomIds, SystemId, object_id
from huiqi.kernel.text import Text
from huiqi.kernel.work import Scope
from huiqi.policy.service import Policies
from huiqi.trust.service import Trust
from huiqi.trust.types import Role, SystemKind
from huiqi.web.app import build_app
from huiqi.web.system import System
from tests.support.store import open_store
from tests.unit.evidence.logs import KeySigner
from tests.unit.trust.systems import NODE, START, MemoryKeys

PASSWORD = "correct-horse-7"
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@contextmanager
def hosted(folder: Path) -> Iterator[dict[str, System]]:
    """A node with an operator and an auditor, under the prefix ``node``."""
    clock = FixedClock(START)
    database = open_store(folder, clock)
    scope = Scope("demo", NODE)
    work = SqlWork(database, scope)
    trust = Trust(
        scope=scope,
        work=work,
        clock=clock,
        ids=RandomIds(),
        store=SqlTrustStore(),
        keys=MemoryKeys(),
        passwords=ArgonPasswords(QUICK),
        directory=None,
    )
    trust.found(
        id=SystemId(object_id(ObjectType.REGIONAL_NODE, subject=NODE, area="3401", random="0" * 8)),
        kind=SystemKind.NODE,
        subject=NODE,
        name="演示节点",
        area="3401",
        address="http://127.0.0.1:8000/node",
    )
    trust.add_user(login="fang", name="方岩", password=PASSWORD, roles=[Role.OPERATOR])
    trust.add_user(login="an", name="安宁", password=PASSWORD, roles=[Role.AUDITOR])
    system = System(
        prefix="node",
        kind=SystemKind.NODE,
        title=Text("演示节点", "Demo node"),
        scope=scope,
        clock=clock,
        trust=trust,
        evidence=Evidence(
            scope=scope,
            work=work,
            clock=clock,
            store=SqlEvidenceStore(),
            signer=KeySigner(),
            origin="huiqi.test/node",
        ),
        policies=Policies(),
        outbox=SqlOutbox(database),
        identifiers=Identifiers(
            scope=scope,
            work=work,
            clock=clock,
            ids=RandomIds(),
            store=SqlIdentifierStore(),
            trust=trust,
            parent=None,
        ),
    )
    try:
        yield {"node": system}
    finally:
        database.close()


class Browser:
    """A person's browser without scripts: it keeps cookies and sends forms as pages give them."""

    def __init__(self, systems: dict[str, System]) -> None:
        self.client: TestClient = TestClient(build_app(systems), raise_server_exceptions=False)  # type: ignore[type-arg]
        self.client.headers["accept-language"] = "zh"

    def token(self, page: str) -> str:
        """The form token that a page carries."""
        found = re.search(r'name="_token" value="([^"]*)"', page)
        return found.group(1) if found else ""

    def log_in(self, login: str = "fang", password: str = PASSWORD) -> None:
        page = self.client.get("/node/login").text
        data = {"login": login, "password": password, "_token": self.token(page)}
        answer = self.client.post("/node/login", data=data, follow_redirects=False)
        assert answer.status_code == 303, answer.text
