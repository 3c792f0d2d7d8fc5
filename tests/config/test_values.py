"""Each kind of value takes what it says, with its unit and range, and nothing near it."""

from pathlib import Path

import pytest

from logopsd.config import values
from logopsd.config.catalogue import Kind

SIZE = values.size(1024, 1024**3, zero="off")
TIME = values.duration(0.01, 3600, ("always", "never"))
COUNT = values.number(1, 100, "records", zero="none")
LIST = values.words("host", "peer", none=True)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (values.boolean, "TRUE", True),
        (values.boolean, "1", True),
        (values.boolean, "yes", True),
        (values.boolean, "on", True),
        (values.boolean, "False", False),
        (values.boolean, "0", False),
        (values.boolean, "no", False),
        (values.boolean, "off", False),
        (values.port, "1", 1),
        (values.port, "65535", 65535),
        (values.port, "0", None),
        (values.port, "ANY", values.ANY_PORT),
        (COUNT, "0", 0),
        (COUNT, "100", 100),
        (SIZE, "1024", 1024),
        (SIZE, "1GiB", 1024**3),
        (SIZE, "1.5 kib", 1536),
        (SIZE, "500MB", 500_000_000),
        (SIZE, "2000b", 2000),
        (SIZE, "0", 0),
        (TIME, "500ms", 0.5),
        (TIME, "1s", 1.0),
        (TIME, "2m", 120.0),
        (TIME, "1h", 3600.0),
        (TIME, "Always", "always"),
        (LIST, "Peer, host ,peer", ("peer", "host")),
        (LIST, "none", ()),
        (values.field_names, "a.b,c", ("a.b", "c")),
        (values.field_names, "none", ()),
        (values.address, "0.0.0.0", "0.0.0.0"),
        (values.address, "[::1]", "::1"),
        (values.address, "fe80::1%eth0", "fe80::1%eth0"),
        (values.address, "localhost", "localhost"),
        (values.path, "/a b", Path("/a b")),
        (values.keep, "10.0.0.0/8, Example.COM,::1", ("10.0.0.0/8", "Example.COM", "::1")),
    ],
)
def test_value_is_taken(kind: Kind, text: str, value: object) -> None:
    """The text becomes the value."""
    assert kind.parse(text) == value


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (values.boolean, "ja"),
        (values.port, "-1"),
        (values.port, "65536"),
        (values.port, "٣"),
        (values.port, "1" * 5000),
        (COUNT, "101"),
        (COUNT, "1.5"),
        (COUNT, "+1"),
        (SIZE, "1023"),
        (SIZE, "2GiB"),
        (SIZE, "1G"),
        (SIZE, "1e6"),
        (SIZE, "GiB"),
        (values.size(1024, 2048), "0"),
        (TIME, "1"),
        (TIME, "0s"),
        (TIME, "61m"),
        (TIME, "sometimes"),
        (LIST, "host,"),
        (LIST, "hots"),
        (values.choice("a", "b"), "c"),
        (values.field_names, "a b"),
        (values.peers, "a,,b"),
        (values.peers, "SHA256:AB:CD"),
        (values.peers, "SHA1:" + ":".join(["AB"] * 20)),
        (values.peers, "*"),
        (values.peers, "log*.example.org"),
        (values.address, "256.0.0.1"),
        (values.address, "10.1"),
        (values.address, "a_b"),
        (values.address, "*"),
        (values.path, "a\nb"),
        (values.path, "~no-such-user-here/x"),
        (values.keep, "10.0.0"),
        (values.keep, "me@example.com"),
        (values.fernet_key, "short"),
    ],
)
def test_value_is_refused(kind: Kind, text: str) -> None:
    """Everything else raises ValueError and no other exception."""
    with pytest.raises(ValueError):  # noqa: PT011  (its text is a hint, often empty)
        kind.parse(text)


def test_what_is_accepted_names_unit_and_range() -> None:
    """The sentence an operator reads has the limits in it."""
    assert COUNT.accepts == "a number of records from 1 to 100, or 0 (none)"
    assert SIZE.accepts == "a size from 1KiB to 1GiB (1GiB, 500MB, 65536), or 0 (off)"
    assert values.size(480, 2048).accepts.startswith("a size from 480B to 2KiB")
    assert TIME.accepts == "always, never, or a time from 0.01s to 3600s (500ms, 1s, 2m)"
    assert values.choice("a", "b", "c").accepts == "a, b or c"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("10.0.0.0/8", ["10.0.0.0/8"]),
        ("192.0.2.7, fd00::/8,::1", ["192.0.2.7/32", "fd00::/8", "::1/128"]),
        ("0.0.0.0/0", ["0.0.0.0/0"]),
    ],
)
def test_networks(text: str, found: list[str]) -> None:
    """Networks and single addresses, of either version."""
    assert [str(network) for network in values.networks.parse(text)] == found  # type: ignore[attr-defined]


@pytest.mark.parametrize("text", ["10.0.0.0/33", "example.com", "10.0.0.1,", "10.0.0.0/8;", "/8"])
def test_what_is_no_network(text: str) -> None:
    """Names, empty items and impossible masks are refused."""
    with pytest.raises(ValueError, match=r"^$"):  # the value is not repeated
        values.networks.parse(text)


def test_an_address_with_a_mask_is_asked_about() -> None:
    """10.0.0.1/8 may have been meant as either; the network is proposed."""
    with pytest.raises(ValueError, match=r"did you mean 10\.0\.0\.0/8\?"):
        values.networks.parse("10.0.0.1/8")
