"""Who is who: participants, systems, keys, signatures, people and their sessions."""
