"""The zone of stamps that carry none: by its name, or the host's own."""

import datetime
import io
import os
import struct
import zoneinfo
from pathlib import Path

from logopsd.config.catalogue import Kind

_LOCALTIME = Path("/etc/localtime")


def host_zone(variable: str | None = None, localtime: Path = _LOCALTIME) -> datetime.tzinfo:
    """The host's own zone with its summer times, found as libc finds it (tzset(3)).

    Args:
        variable: what `TZ` holds, which goes before the file; None where it is not set.
        localtime: the file of the host's zone.

    Returns:
        The zone; UTC where neither can be read, as in libc.
    """
    try:
        if variable is not None:
            return _by_variable(variable.removeprefix(":"))
        with localtime.open("rb") as file:
            return zoneinfo.ZoneInfo.from_file(file, key=_key_of(localtime))
    except (OSError, ValueError, zoneinfo.ZoneInfoNotFoundError):
        return datetime.UTC


def _by_variable(text: str) -> datetime.tzinfo:
    if not text:
        return datetime.UTC
    if text.startswith("/"):
        with Path(text).open("rb") as file:
            return zoneinfo.ZoneInfo.from_file(file, key=text)
    try:
        return zoneinfo.ZoneInfo(text)
    except (OSError, ValueError, zoneinfo.ZoneInfoNotFoundError):
        return _by_rule(text)


def _by_rule(rule: str) -> zoneinfo.ZoneInfo:
    """A zone of a POSIX rule, `CET-1CEST,M3.5.0,M10.5.0/3`.

    zoneinfo reads such rules only as the footer of a TZif file (RFC 8536 section 3.3), so one
    that holds nothing else is made around it.
    """
    header = b"TZif2" + bytes(15) + struct.pack(">6L", 0, 0, 0, 0, 1, 1)
    body = struct.pack(">lbb", 0, 0, 0) + b"\0"
    footer = b"\n" + rule.encode("ascii") + b"\n"
    return zoneinfo.ZoneInfo.from_file(io.BytesIO((header + body) * 2 + footer), key=rule)


def _key_of(localtime: Path) -> str:
    """The name of the zone from where the link points, else `local`."""
    _, found, name = str(localtime.resolve()).partition("/zoneinfo/")
    return name if found else "local"


def _zone(text: str) -> datetime.tzinfo:
    if text.lower() == "local":
        return host_zone(os.environ.get("TZ"))
    if text.upper() in ("UTC", "Z"):
        return datetime.UTC
    try:
        return zoneinfo.ZoneInfo(text)
    except (OSError, zoneinfo.ZoneInfoNotFoundError) as error:
        raise ValueError from error


zone = Kind(_zone, "a zone (Europe/Warsaw), UTC, or local (the host's own)")
