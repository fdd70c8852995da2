"""Where a provider's data comes from, one capability per file."""
