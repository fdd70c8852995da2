"""Real public data for the main job; ``SOURCES.md`` says where it comes from."""
