"""The names that a structured payload may have for what every record has."""

from typing import Final

from logopsd.records import Record

TIME_ALIASES: Final = ("ts", "timestamp", "time", "@timestamp", "datetime", "date")
"""The names a time may have, the first readable one wins."""

LEVEL_ALIASES: Final = (
    *("level", "severity", "lvl", "loglevel", "log_level", "levelname", "priority"),
    "log.level",  # Elastic Common Schema
)
"""The names a level may have, the first that means one wins."""

MSG_ALIASES: Final = ("msg", "message", "log", "text", "body", "event")
"""The names a message may have, the first that is not empty wins."""

OWN_FIELDS: Final = frozenset(Record.__struct_fields__) - {"extras"}
"""The names of a record's own fields."""

SCALARS: Final = frozenset((str, int, float, bool, type(None)))
"""The types of values that hold nothing further."""
