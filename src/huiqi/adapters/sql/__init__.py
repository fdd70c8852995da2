"""One schema, one migration tree, statements compiled once, run by a small driver of our own."""
