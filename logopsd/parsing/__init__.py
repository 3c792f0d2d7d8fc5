"""Frames into records: one module a format, and `lines` that tells them apart. Pure."""
