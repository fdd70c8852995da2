"""Controlled computing on a grant: projection, guard, engine, output check."""
