"""Everything out: stores, HTTP, data sources, engines, keys. Only ``bootstrap`` knows this room."""
