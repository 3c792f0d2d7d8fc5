"""The kinds of value a setting may have: numbers with units, ports, sizes, durations, lists.

A parser is given the text without blanks around it and raises ValueError; the sentence that the
operator reads is made of the kind's `accepts`.
"""

import ipaddress
import re
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

from logopsd.bus.template import check_template
from logopsd.config.catalogue import Kind, RefusedValueError
from logopsd.config.key_file import load_keys
from logopsd.errors import PrivacyError
from logopsd.patterns import lazy_pattern
from logopsd.privacy.detectors.base import Keep
from logopsd.shipping.address import TargetAddress, parse_target

ANY_PORT = 0
"""The port of `any`: the system gives a free one (the meaning 0 has for bind(2))."""

MAX_PORT = 65535

_TRUE = frozenset({"true", "1", "yes", "on"})
_FALSE = frozenset({"false", "0", "no", "off"})

_UNITS = {"": 1, "b": 1}
_UNITS |= {unit + "b": 1000**power for power, unit in enumerate("kmgt", start=1)}
_UNITS |= {unit + "ib": 1024**power for power, unit in enumerate("kmgt", start=1)}

_SIZE = lazy_pattern(r"([0-9]{1,15}(?:\.[0-9]{1,3})?) ?([A-Za-z]{0,3})", re.ASCII)
_DURATION = lazy_pattern(r"([0-9]{1,9}(?:\.[0-9]{1,3})?) ?(ms|s|m|h)", re.ASCII)
_SECONDS = {"ms": Decimal("0.001"), "s": Decimal(1), "m": Decimal(60), "h": Decimal(3600)}

_HOST = lazy_pattern(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?", re.ASCII)
_FIELD = lazy_pattern(r"[^\s,]{1,128}")
_USER = lazy_pattern(r"[!-9;-~]{1,128}", re.ASCII)
_BEARER = lazy_pattern(r"[A-Za-z0-9._~+/-]{16,256}={0,2}", re.ASCII)


def meant(name: str, known: Sequence[str], prefix: str = "") -> str:
    """`did you mean X?` where one of the names known is near, else nothing."""
    import difflib  # only a mistake needs it

    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {prefix}{near[0]}?" if near else ""


def _items(text: str) -> tuple[str, ...]:
    """The items of a comma list, stripped, each once; ValueError where one is empty."""
    items = tuple(dict.fromkeys(item.strip() for item in text.split(",")))
    if "" in items:
        raise ValueError
    return items


def _matching(pattern: "re.Pattern[str]", text: str) -> str:
    if not pattern.fullmatch(text):
        raise ValueError
    return text


def _each(pattern: "re.Pattern[str]", text: str) -> tuple[str, ...]:
    items = _items(text)
    if not all(map(pattern.fullmatch, items)):
        raise ValueError
    return items


def _boolean(text: str) -> bool:
    word = text.lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise ValueError


boolean = Kind(_boolean, "true or false (also 1/0, yes/no, on/off)")


def number(low: int, high: int, unit: str, *, zero: str = "") -> Kind:
    """A whole number from `low` to `high`; `zero` says what 0 means where it lies outside."""

    def parse(text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) <= len(str(high))):
            raise ValueError
        value = int(text)
        if low <= value <= high or (zero and value == 0):
            return value
        raise ValueError

    also = f", or 0 ({zero})" if zero else ""
    return Kind(parse, f"a number of {unit} from {low} to {high}{also}")


def _or_word(kind: Kind, word: str, meaning: str) -> Kind:
    """The values of a kind, or a word that is kept as it is."""

    def parse(text: str) -> object:
        return word if text.lower() == word else kind.parse(text)

    return Kind(parse, f"{kind.accepts}, or {word} ({meaning})")


def processes(high: int) -> Kind:
    """A number of processes, or `auto`."""
    return _or_word(number(1, high, "processes"), "auto", "one a core this process may use")


def _port(text: str) -> int | None:
    if text.lower() == "any":
        return ANY_PORT
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(MAX_PORT))):
        raise ValueError
    value = int(text)
    if value > MAX_PORT:
        raise ValueError
    return value or None


port = Kind(_port, f"a port from 1 to {MAX_PORT}, 0 (off), or any (a free one, said in the log)")


def size(low: int, high: int, *, zero: str = "") -> Kind:
    """A number of bytes, with a unit or plain: `1GiB`, `500MB`, `65536`."""

    def parse(text: str) -> int:
        found = _SIZE.fullmatch(text)
        if not found or found[2].lower() not in _UNITS:
            raise ValueError
        value = int(Decimal(found[1]) * _UNITS[found[2].lower()])
        if low <= value <= high or (zero and Decimal(found[1]) == 0):
            return value
        raise ValueError

    also = f", or 0 ({zero})" if zero else ""
    return Kind(parse, f"a size from {_bytes(low)} to {_bytes(high)} (1GiB, 500MB, 65536){also}")


def _bytes(value: int) -> str:
    for unit in ("TiB", "GiB", "MiB", "KiB"):
        if value % _UNITS[unit.lower()] == 0:
            return f"{value // _UNITS[unit.lower()]}{unit}"
    return f"{value}B"


def duration(low: float, high: float, words: Sequence[str] = ()) -> Kind:
    """Seconds, written with a unit (`500ms`, `1s`, `2m`), or one of `words`, kept as it is."""

    def parse(text: str) -> float | str:
        if text.lower() in words:
            return text.lower()
        found = _DURATION.fullmatch(text)
        if not found:
            raise ValueError
        value = float(Decimal(found[1]) * _SECONDS[found[2]])
        if not low <= value <= high:
            raise ValueError
        return value

    span = f"a time from {low:g}s to {high:g}s (500ms, 1s, 2m)"
    return Kind(parse, f"{', '.join(words)}, or {span}" if words else span)


def choice(*words: str) -> Kind:
    """One of a few words, in any case."""

    def parse(text: str) -> str:
        if text.lower() not in words:
            raise RefusedValueError(meant(text.lower(), words))
        return text.lower()

    return Kind(parse, " or ".join((", ".join(words[:-1]), words[-1])))


def words(*known: str, none: bool) -> Kind:
    """A list of some of the words known, in the order given; `none` for none where allowed."""

    def parse(text: str) -> tuple[str, ...]:
        if none and text.lower() == "none":
            return ()
        items = _items(text.lower())
        for item in items:
            if item not in known:
                raise RefusedValueError(meant(item, known))
        return items

    return Kind(parse, f"a comma list of {', '.join(known)}{', or none' if none else ''}")


def _field_names(text: str) -> tuple[str, ...]:
    if text.lower() == "none":
        return ()
    return _each(_FIELD, text)


field_names = Kind(_field_names, "a comma list of field names, or none")


def _peers(text: str) -> tuple[str, ...]:
    from logopsd.listeners.tls_peers import PermittedPeers  # ssl loads only where it is needed

    items = _items(text)
    PermittedPeers(items)
    return items


peers = Kind(
    _peers,
    "a comma list of SHA-256 fingerprints (SHA256:AB:CD...), names (log1.example.org) and "
    "wildcards (*.example.org)",
    empty=(),
)


def _keep(text: str) -> tuple[str, ...]:
    items = _items(text)
    try:
        Keep.parse(items)
    except PrivacyError as error:
        raise ValueError from error
    return items


keep = Kind(
    _keep,
    "a comma list of networks (10.0.0.0/8, fd00::/8) and domains (example.com)",
    empty=(),
)


def _networks(text: str) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    networks = []
    for item in _items(text):
        try:
            network = ipaddress.ip_network(item, strict=False)
            address = ipaddress.ip_address(item.split("/")[0])
        except ValueError as error:
            raise ValueError from error  # its text repeats the value
        if "/" in item and network.network_address != address:
            raise RefusedValueError(f"did you mean {network}?")
        networks.append(network)
    return tuple(networks)


networks = Kind(
    _networks,
    "a comma list of networks and addresses (10.0.0.0/8, 192.0.2.7, fd00::/8)",
    empty=(),
)


def _address(text: str) -> str:
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    try:
        return str(ipaddress.ip_address(bare))
    except ValueError:
        pass
    # A name of digits and dots alone is a mistyped address, never a host.
    if not _HOST.fullmatch(bare) or bare.replace(".", "").isdigit():
        raise ValueError
    return bare


address = Kind(_address, "an address (127.0.0.1, ::1, 0.0.0.0 for all) or a host name")


def _path(text: str) -> Path:
    if not text.isprintable():
        raise ValueError
    try:
        return Path(text).expanduser()
    except RuntimeError as error:  # ~name of no user
        raise ValueError from error


path = Kind(_path, "a path, relative to the working directory")


def _fernet_key(text: str) -> str:
    from logopsd.privacy.tokens import check_key  # cryptography loads only where a key is set

    try:
        check_key(text)
    except PrivacyError as error:
        raise RefusedValueError("`logopsd keygen` makes one") from error
    return text


key_file = Kind(
    _path,
    "a path, relative to the working directory, of a file with a Fernet key a line",
    load=load_keys,
)
fernet_key = Kind(_fernet_key, "a Fernet key (32 bytes in URL-safe base64)")


def _fernet_keys(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_fernet_key(item) for item in _items(text)))


fernet_keys = Kind(
    _fernet_keys, "a comma list of Fernet keys (32 bytes in URL-safe base64)", empty=()
)


def _bearer_token(text: str) -> str:
    if not _BEARER.fullmatch(text):
        raise RefusedValueError("`openssl rand -hex 32` gives one")
    return text


# A shorter token can be guessed; the characters are those of RFC 6750 section 2.1.
bearer_token = Kind(_bearer_token, "a bearer token, 16 or more of letters, digits and -._~+/")


def _target(text: str) -> TargetAddress:
    try:
        return parse_target(text)
    except ValueError as error:
        raise RefusedValueError(f"it {error}") from None


target = Kind(
    _target,
    "nats://host:4222,host2, tls://host:4222, loki+http://host:3100 or loki+https://host",
)


def _subject(text: str) -> str:
    check_template(text)
    return text


subject = Kind(_subject, "names and {input} {level} {emitter} {host}, joined by dots")

user = Kind(
    lambda text: _matching(_USER, text), "a name of printable characters without blanks or colons"
)
