"""How does a page request become a verb and a page object? One file per console task."""

from huiqi.web.console import (
    catalogue,
    contracts,
    evidence,
    home,
    members,
    people,
    review,
    settlement,
    use,
)

ABOVE = people.ABOVE
HANDLERS = [
    *people.HANDLERS,
    *home.HANDLERS,
    *catalogue.HANDLERS,
    *review.HANDLERS,
    *contracts.HANDLERS,
    *use.HANDLERS,
    *evidence.HANDLERS,
    *settlement.HANDLERS,
    *members.HANDLERS,
]
