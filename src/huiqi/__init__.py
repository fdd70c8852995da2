"""Huiqi 徽契, a Trusted Data Space: share data without giving it away."""

__version__ = "0.1.0"
