"""The PROXY protocol, versions 1 and 2: who a proxy speaks for, said before the first byte.

Source: "The PROXY protocol", HAProxy Technologies, sections 2.1 (version 1, a line of text) and
2.2 (version 2, binary).
"""

import ipaddress
import struct
from typing import Final, Literal

import msgspec

V1_PREFIX: Final = b"PROXY "
V1_MAX: Final = 107
"""The longest line of version 1, with its CR LF, bytes (section 2.1)."""

V2_SIGNATURE: Final = b"\r\n\r\n\x00\r\nQUIT\n"
V2_HEAD: Final = 16
"""Signature, version and command, family and protocol, length of the rest, bytes (section 2.2)."""

_V2_PROXY: Final = 0x21
_V2_LOCAL: Final = 0x20
_V2_IPV4: Final = (0x11, 0x12)
_V2_IPV6: Final = (0x21, 0x22)
_V2_ADDRESSES: Final = {0x11: 12, 0x12: 12, 0x21: 36, 0x22: 36, 0x31: 216, 0x32: 216, 0x00: 0}
"""Family and protocol -> how long the addresses are; type-length-values may stand behind them."""


class ProxyHeader(msgspec.Struct, frozen=True):
    """A whole header.

    Attributes:
        length: how many bytes it has; the peer's own begin behind them.
        source: the IP address of the peer; None where the proxy speaks for itself (a health
            check), or does not know it.
    """

    length: int
    source: str | None


def read_header(data: bytes) -> ProxyHeader | Literal["incomplete", "malformed"]:
    """Read the header at the beginning of a connection.

    Args:
        data: everything that came so far.

    Returns:
        The header; `incomplete` where more must come to tell, at most 65551 bytes in all;
        `malformed` where it is none. Never raises.
    """
    if data.startswith(V2_SIGNATURE):
        return _version_2(data)
    if data.startswith(V1_PREFIX):
        return _version_1(data)
    if V2_SIGNATURE.startswith(data) or V1_PREFIX.startswith(data):
        return "incomplete"
    return "malformed"


def _version_1(data: bytes) -> ProxyHeader | Literal["incomplete", "malformed"]:
    end = data.find(b"\r\n", 0, V1_MAX)
    if end < 0:
        return "incomplete" if len(data) < V1_MAX else "malformed"
    words = data[:end].split(b" ")
    length = end + 2
    if words[1] == b"UNKNOWN":  # whatever stands behind it is to be ignored
        return ProxyHeader(length, None)
    if len(words) != 6 or not _is_port(words[4]) or not _is_port(words[5]):
        return "malformed"
    version = {b"TCP4": 4, b"TCP6": 6}.get(words[1])
    source, destination = _address(words[2]), _address(words[3])
    if source is None or destination is None:
        return "malformed"
    if source.version != version or destination.version != version:
        return "malformed"
    return ProxyHeader(length, _text(source))


def _version_2(data: bytes) -> ProxyHeader | Literal["incomplete", "malformed"]:
    if len(data) < V2_HEAD:
        return "incomplete"
    command, family, size = struct.unpack_from("!BBH", data, len(V2_SIGNATURE))
    if command not in (_V2_PROXY, _V2_LOCAL):
        return "malformed"
    if command == _V2_PROXY and size < _V2_ADDRESSES.get(family, 0):
        return "malformed"
    length = V2_HEAD + size
    if len(data) < length:
        return "incomplete"
    if command == _V2_PROXY and family in _V2_IPV4:
        return ProxyHeader(length, _text(ipaddress.IPv4Address(data[V2_HEAD : V2_HEAD + 4])))
    if command == _V2_PROXY and family in _V2_IPV6:
        return ProxyHeader(length, _text(ipaddress.IPv6Address(data[V2_HEAD : V2_HEAD + 16])))
    # LOCAL, a Unix socket, or a family of some later day: there is no address to take.
    return ProxyHeader(length, None)


def _is_port(word: bytes) -> bool:
    return word.isdigit() and len(word) <= 5 and int(word) <= 65535


def _address(word: bytes) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(word.decode("ascii"))
    except ValueError:  # UnicodeDecodeError is one too
        return None


def _text(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    """As the address of a socket's own peer is written: IPv4 inside IPv6 as IPv4, no zone."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(address).partition("%")[0]
    return str(address)
