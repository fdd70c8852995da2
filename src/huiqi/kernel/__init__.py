"""What every room stands on: ids, clock, money, bytes, facts, tables, registry, errors."""
