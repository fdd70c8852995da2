"""What is allowed: terms in one internal model, checked, compiled once, decided in microseconds."""
