"""Which verbs can a program call? Each handler decodes, calls one verb, encodes."""

from huiqi.web.api import catalog, contracts, evidence, members, sessions, settlement, use

HANDLERS = [
    *sessions.HANDLERS,
    *catalog.HANDLERS,
    *contracts.HANDLERS,
    *use.HANDLERS,
    *evidence.HANDLERS,
    *settlement.HANDLERS,
    *members.HANDLERS,
]
