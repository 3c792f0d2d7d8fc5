"""logopsd: a log receiver that masks personal data before anything touches the disk."""

__version__ = "0.1.0"
