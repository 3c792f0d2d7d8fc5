"""Headers of proxies are read wherever they are cut, and nothing else is taken for one."""

import ipaddress
import socket
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logopsd.framing.proxy_protocol import V1_MAX, V2_SIGNATURE, ProxyHeader, read_header

V1 = b"PROXY TCP4 192.0.2.1 198.51.100.2 56324 514\r\n"


def v2(command: int, family: int, rest: bytes) -> bytes:
    """A header of version 2."""
    return V2_SIGNATURE + struct.pack("!BBH", command, family, len(rest)) + rest


def addresses(family: int, source: str, destination: str) -> bytes:
    """The addresses and ports of one."""
    packed = socket.inet_pton(family, source) + socket.inet_pton(family, destination)
    return packed + struct.pack("!HH", 56324, 514)


V2 = v2(0x21, 0x11, addresses(socket.AF_INET, "192.0.2.1", "198.51.100.2"))
V2_IPV6 = v2(0x21, 0x21, addresses(socket.AF_INET6, "2001:db8::1", "2001:db8::2"))


@pytest.mark.parametrize(
    ("data", "source"),
    [
        (V1, "192.0.2.1"),
        (b"PROXY TCP6 2001:db8::1 2001:db8::2 1 65535\r\n", "2001:db8::1"),
        (b"PROXY TCP6 ::ffff:192.0.2.1 ::1 1 2\r\n", "192.0.2.1"),
        (b"PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n", "fe80::1"),
        (b"PROXY UNKNOWN\r\n", None),
        (b"PROXY UNKNOWN ffff::1 whatever 1 2\r\n", None),
        (V2, "192.0.2.1"),
        (V2_IPV6, "2001:db8::1"),
        (v2(0x21, 0x12, V2[16:]), "192.0.2.1"),
        (v2(0x21, 0x11, V2[16:] + b"\x03\x00\x04abcd"), "192.0.2.1"),
        (v2(0x20, 0x00, b""), None),
        (v2(0x20, 0x11, b""), None),
        (v2(0x21, 0x31, bytes(216)), None),
        (v2(0x21, 0x77, b"?"), None),
    ],
)
def test_header_is_read_wherever_it_is_cut(data: bytes, source: str | None) -> None:
    """Whole, with the peer's bytes behind it, and at each length short of whole."""
    assert read_header(data) == ProxyHeader(len(data), source)
    assert read_header(data + b"<13>hello\n") == ProxyHeader(len(data), source)
    for length in range(len(data)):
        assert read_header(data[:length]) == "incomplete"


@pytest.mark.parametrize(
    "data",
    [
        b"<13>hello\n",
        b"PROXY\n",
        b"PROXY TCP4 192.0.2.1 198.51.100.2 56324\r\n",
        b"PROXY TCP4 192.0.2.1 198.51.100.2 56324 514 1\r\n",
        b"PROXY TCP4 192.0.2.1 198.51.100.2 56324 65536\r\n",
        b"PROXY TCP4 192.0.2.1 198.51.100.2 -1 514\r\n",
        b"PROXY TCP4 192.0.2 198.51.100.2 1 514\r\n",
        b"PROXY TCP4 192.0.2.1 ::1 1 514\r\n",
        b"PROXY TCP4 ::1 192.0.2.1 1 514\r\n",
        b"PROXY TCP6 192.0.2.1 198.51.100.2 1 514\r\n",
        b"PROXY TCP4 192.0.2.\xb2 198.51.100.2 1 514\r\n",
        b"PROXY UDP4 192.0.2.1 198.51.100.2 1 514\r\n",
        b"PROXY " + b"x" * V1_MAX,
        b"\r\n\r\n\x00\r\nQUIT!",
        v2(0x11, 0x11, V2[16:]),
        v2(0x22, 0x11, V2[16:]),
        v2(0x21, 0x11, b"short"),
    ],
)
def test_what_is_none_is_malformed(data: bytes) -> None:
    """A line of log, a lie about the family, ports out of range, another version."""
    assert read_header(data) == "malformed"


@given(st.binary(max_size=200), st.sampled_from([b"", b"PROXY ", b"PROXY TCP4 ", V2_SIGNATURE]))
def test_anything_may_come(data: bytes, start: bytes) -> None:
    """Never an exception; a header lies within the data, and its source is an address."""
    found = read_header(start + data)
    if isinstance(found, ProxyHeader):
        assert 0 < found.length <= len(start + data)
        if found.source is not None:
            ipaddress.ip_address(found.source)


@given(st.binary(max_size=80), st.sampled_from([b"", b"PROXY ", V1, V2, V2_SIGNATURE]))
def test_more_bytes_change_no_verdict(data: bytes, start: bytes) -> None:
    """Once something is a header or is none, it stays so, whatever follows."""
    whole = start + data
    verdicts = [read_header(whole[:length]) for length in range(len(whole) + 1)]
    decided = [verdict for verdict in verdicts if verdict != "incomplete"]

    assert len(set(decided)) <= 1
    assert verdicts[len(verdicts) - len(decided) :] == decided


@given(st.ip_addresses(), st.integers(0, 65535))
def test_both_versions_say_the_same(source: ipaddress.IPv4Address, port: int) -> None:
    """An address comes out of either as ipaddress writes it."""
    family, name = (socket.AF_INET, "TCP4") if source.version == 4 else (socket.AF_INET6, "TCP6")
    line = f"PROXY {name} {source} {source} {port} {port}\r\n".encode()
    binary = v2(
        0x21, 0x11 if source.version == 4 else 0x21, addresses(family, str(source), str(source))
    )
    first, second = read_header(line), read_header(binary)

    assert isinstance(first, ProxyHeader)
    assert isinstance(second, ProxyHeader)
    assert first.source == second.source
