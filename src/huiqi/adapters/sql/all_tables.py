"""Which tables does a store have, all rooms together? For migrations only."""

from huiqi.adapters.sql import (
    catalog_store as catalog_store,
)
from huiqi.adapters.sql import (
    contract_store as contract_store,
)
from huiqi.adapters.sql import (
    evidence_store as evidence_store,
)
from huiqi.adapters.sql import (
    identifier_store as identifier_store,
)
from huiqi.adapters.sql import (
    settlement_store as settlement_store,
)
from huiqi.adapters.sql import (
    trust_store as trust_store,
)
from huiqi.adapters.sql import (
    usage_store as usage_store,
)
from huiqi.adapters.sql.schema import metadata as metadata
