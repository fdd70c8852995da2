"""The one migration tree of every store."""

from pathlib import Path

FOLDER = Path(__file__).parent
# The newest revision; a test compares it with the tree.
HEAD = "0001"
