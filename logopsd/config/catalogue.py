"""How one setting is described: a field of `Settings` carries all that is to be known of it."""

from collections.abc import Callable
from dataclasses import field
from pathlib import Path
from typing import Any

import msgspec

PREFIX = "LOGOPS_"
"""What the names of all settings begin with."""

_KEY = "logopsd.setting"


class RefusedValueError(ValueError):
    """A value that its kind does not take; the text is a hint to add, free of the value itself."""


class Kind(msgspec.Struct, frozen=True):
    """What a setting takes.

    Attributes:
        parse: makes the value of its text, which is stripped and not empty; raises ValueError.
        accepts: ends the sentence "LOGOPS_X takes ...", with unit and range.
        empty: the value where there is no text and no default.
        load: makes the value of the path that `parse` gave, once it is absolute; raises as that.
    """

    parse: Callable[[str], object]
    accepts: str
    empty: object = None
    load: Callable[[Path], object] | None = None


class Setting(msgspec.Struct, frozen=True):
    """One setting, as the documentation and the loader see it.

    Attributes:
        name: in the environment, `LOGOPS_UDP_PORT`.
        attribute: on `Settings`, `udp_port`.
        kind: how its text is read, and what it takes.
        default: as text, as one would write it; empty where there is none.
        help: one sentence.
        group: the heading under which it is documented.
        secret: never shown.
        needs: conditions beside which alone it has an effect: `debug_sample`, `archive_mode=zip`,
            `tls_port|relp_tls` (one of them).
        reloadable: SIGHUP brings a new value into effect; else only a restart does.
    """

    name: str
    attribute: str
    kind: Kind
    default: str
    help: str
    group: str
    secret: bool
    needs: tuple[str, ...]
    reloadable: bool


def setting(
    kind: Kind,
    default: str,
    text: str,
    *,
    group: str,
    secret: bool = False,
    needs: tuple[str, ...] = (),
    reloadable: bool = False,
) -> Any:
    """Declare a field of `Settings`; the name in the environment follows from the field's own.

    The result is typed Any, as that of `dataclasses.field` is, so that the field's own annotation
    holds.
    """
    described = (kind, default, text, group, secret, needs, reloadable)
    return field(repr=not secret, metadata={_KEY: described})


def described(attribute: str, metadata: Any) -> Setting:
    """The description of a field that was declared with `setting`."""
    return Setting(PREFIX + attribute.upper(), attribute, *metadata[_KEY])
