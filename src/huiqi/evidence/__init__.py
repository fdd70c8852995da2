"""What happened: a transparency log per participant that nobody can rewrite."""
