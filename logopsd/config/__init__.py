"""Settings: frozen, read from the environment and `.env`, every problem at once.

Only the composition root and the command line know of them (held by import-linter).
"""

from logopsd.config.catalogue import PREFIX, Setting
from logopsd.config.loading import ENVIRONMENT, Effective, Given, load, read
from logopsd.config.settings import Settings, describe
from logopsd.config.source import Changes, Source
from logopsd.config.values import ANY_PORT

__all__ = [
    "ANY_PORT",
    "ENVIRONMENT",
    "PREFIX",
    "Changes",
    "Effective",
    "Given",
    "Setting",
    "Settings",
    "Source",
    "describe",
    "load",
    "read",
]
