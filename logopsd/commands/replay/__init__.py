"""Stored records on their way back: which of them, how fast, and where to."""
