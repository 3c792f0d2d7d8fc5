"""The syslog PRI and every way a level is written, into the five levels of a record.

Sources: RFC 5424 section 6.2.1 (facilities, severities, PRI = facility * 8 + severity); the level
names and numbers of common logging libraries.
"""

from typing import Final

from logopsd.records import Record

FACILITIES: Final = (
    *("kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news"),
    *("uucp", "cron", "authpriv", "ftp", "ntp", "audit", "alert", "clock"),
    *("local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7"),
)
"""The facility keywords by their number."""

SEVERITIES: Final = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")
"""The severity keywords by their number, most urgent first."""

SEVERITY_LEVELS: Final = (
    *("CRITICAL", "CRITICAL", "CRITICAL", "ERROR"),
    *("WARN", "INFO", "INFO", "DEBUG"),
)
"""The level of a record by the number of its syslog severity."""

PRIORITIES: Final[dict[str, tuple[str, str, str]]] = {
    str(facility * 8 + severity): (
        FACILITIES[facility],
        SEVERITIES[severity],
        SEVERITY_LEVELS[severity],
    )
    for facility in range(len(FACILITIES))
    for severity in range(len(SEVERITIES))
}
"""The text of a PRI without leading zeros, `0` to `191` -> (facility, severity, level)."""

_SYSLOG_WORDS: Final = {
    "emergency": 0,
    "panic": 0,
    "critical": 2,
    "error": 3,
    "warn": 4,
    "information": 6,
    "informational": 6,
    **{keyword: number for number, keyword in enumerate(SEVERITIES)},
}

LEVEL_WORDS: Final[dict[str, str]] = {
    **{word: SEVERITY_LEVELS[number] for word, number in _SYSLOG_WORDS.items()},
    **dict.fromkeys(("trace", "verbose", "fine", "finer", "finest", "config"), "DEBUG"),
    **dict.fromkeys(("trc", "vrb", "dbg", "dbug", "t", "v", "d"), "DEBUG"),
    **dict.fromkeys(("inf", "log", "success", "i", "n"), "INFO"),
    **dict.fromkeys(("wrn", "w"), "WARN"),
    **dict.fromkeys(("eror", "severe", "e"), "ERROR"),
    **dict.fromkeys(("fatal", "ftl", "crt", "dpanic", "dfatal", "emer", "c", "f"), "CRITICAL"),
}
"""The words a level field may hold, folded to lower case -> the level of the record."""

# pino, bunyan: 10 trace, 20 debug, 30 info, 40 warn, 50 error, 60 fatal; own levels lie between.
_DECADE_LEVELS: Final = ("DEBUG", "DEBUG", "INFO", "WARN", "ERROR", "CRITICAL")


def priority(text: str) -> tuple[str, str, str] | None:
    """Return (facility, severity, level) of the digits of a PRI, or None where over 191."""
    return PRIORITIES.get(text) or PRIORITIES.get(text.lstrip("0") or "0")


def set_priority(record: Record, pri: str) -> None:
    """Fill facility, severity and level from the digits of a PRI.

    One over 191 names no facility, and is kept as `pri_orig`.
    """
    known = priority(pri)
    if known is None:
        record.extras = {"pri_orig": pri}
    else:
        record.facility, record.severity, record.level = known


def level_of(value: object) -> str | None:
    """Return the level that a level field's value means, or None where it means none.

    Understood are the words of LEVEL_WORDS in any case and in brackets, `facility.severity`, the
    syslog severities 0 to 7 and the numbers 10 to 69 of pino and bunyan, as number or text.
    """
    if type(value) is str:
        level = LEVEL_WORDS.get(value.lower())
        return level or _level_of_text(value)
    if type(value) is int:
        return _level_of_number(value)
    if type(value) is float and value.is_integer():
        return _level_of_number(int(value))
    return None


def severity_of(value: object) -> str | None:
    """Return the syslog severity keyword that a level field's value names, or None."""
    if type(value) is int:
        return SEVERITIES[value] if 0 <= value < len(SEVERITIES) else None
    if type(value) is str:
        word = value.strip().lower()
        if len(word) == 1 and "0" <= word <= "7":
            return SEVERITIES[int(word)]
        return word if word in SEVERITIES else None
    return None


def _level_of_text(value: str) -> str | None:
    # Longer than any word we know: no work on a sender's megabyte.
    if len(value) > 40:
        return None
    word = value.strip(" \t[]<>():").lower()
    if word.isascii() and word.isdigit():
        return _level_of_number(int(word))
    return LEVEL_WORDS.get(word) or LEVEL_WORDS.get(word.rpartition(".")[2])


def _level_of_number(number: int) -> str | None:
    if 0 <= number <= 7:
        return SEVERITY_LEVELS[number]
    if 10 <= number <= 69:
        return _DECADE_LEVELS[number // 10 - 1]
    return None
