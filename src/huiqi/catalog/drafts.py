"""What becomes a product record once an identifier and an instant are given?"""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from huiqi.catalog.columns import chosen
from huiqi.catalog.errors import DuplicateProduct
from huiqi.catalog.types import Offer, Product, ProductRecord, ProductState, Resource
from huiqi.kernel.ids import ProductId
from huiqi.trust.types import Member

# A product in one of these states does not stand in the way of a new one.
_OVER = frozenset({ProductState.REJECTED, ProductState.WITHDRAWN})


class Draft(NamedTuple):
    """A checked offer of a resource by its provider."""

    resource: Resource
    offer: Offer
    me: Member

    def record(self, identifier: ProductId, *, version: int, at: datetime) -> ProductRecord:
        """The record that the provider will sign."""
        resource, offer, me = self
        return ProductRecord(
            id=identifier,
            name=offer.name.strip(),
            abstract=offer.abstract.strip(),
            keywords=tuple(dict.fromkeys(keyword.strip() for keyword in offer.keywords)),
            topic=offer.topic,
            table=offer.table,
            provider=me.subject,
            provider_name=me.name,
            provider_node=me.id,
            resource=resource.id,
            columns=chosen(resource.profile.columns, offer.columns),
            rows=resource.profile.rows,
            update_frequency=offer.update_frequency,
            licence=offer.licence.strip(),
            terms=offer.terms,
            version=version,
            created_at=at,
        )


def corrected_by(offer: Offer, products: Iterable[Product]) -> Product | None:
    """The rejected product that ``offer`` resubmits (same table), None when it is a new one.

    ``products`` are all of the provider's, newest first.

    Raises:
        DuplicateProduct: a product that is not over has this name or table name.
    """
    name = offer.name.strip().casefold()
    returned = None
    for product in products:
        record = product.record
        same = record.table == offer.table or record.name.casefold() == name
        if same and product.state not in _OVER:
            raise DuplicateProduct(name=record.name, id=record.id)
        if product.state is ProductState.REJECTED and record.table == offer.table:
            returned = returned or product
    return returned
