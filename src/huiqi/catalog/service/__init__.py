"""The verbs of the catalogue: a connector's own, the platform's listing, and identifiers."""

from huiqi.catalog.service.connector import Catalog as Catalog
from huiqi.catalog.service.identifiers import Identifiers as Identifiers
from huiqi.catalog.service.listing import Listing as Listing
