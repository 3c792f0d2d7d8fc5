"""Where the servers of a bus are."""

import pytest

from logopsd.bus.address import BusAddress, parse_address


@pytest.mark.parametrize(
    ("text", "servers", "tls"),
    [
        ("nats://localhost", ("localhost:4222",), False),
        ("nats://a:1,b:2,a:1", ("a:1", "b:2"), False),
        ("nats://a:1,nats://b", ("a:1", "b:4222"), False),
        ("tls://nats-0.nats.svc:4222/", ("nats-0.nats.svc:4222",), True),
        ("nats://[::1]:4333,[fe80::1]", ("[::1]:4333", "[fe80::1]:4222"), False),
    ],
)
def test_servers_are_read_and_have_a_port(text: str, servers: tuple[str, ...], tls: bool) -> None:
    """A port may be left out, IPv6 stands in brackets, and a server named twice is one."""
    assert parse_address(text) == BusAddress(servers, tls)


@pytest.mark.parametrize(
    "text",
    [
        *("", "localhost", "http://a", "nats://", "nats://a,", "nats://a:0", "nats://a:65536"),
        *("nats://a/b", "nats://a?x", "nats://::1", "nats://a b", "nats://-a"),
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    """Whatever else stands there is not guessed at."""
    with pytest.raises(ValueError, match="takes"):
        parse_address(text)


def test_credentials_in_an_address_are_refused_and_not_shown() -> None:
    """A process list shows the command line; the mend is named, the secret is not repeated."""
    with pytest.raises(ValueError, match="LOGOPS_SHIP_PASSWORD_FILE") as caught:
        parse_address("nats://me:geheim@host")

    assert "geheim" not in str(caught.value)


def test_an_address_is_written_as_it_is_read() -> None:
    """What a log shows can be pasted."""
    address = parse_address("tls://a:1,b")

    assert str(address) == "tls://a:1,b:4222"
    assert parse_address(str(address)) == address
    assert address.urls == ["tls://a:1", "tls://b:4222"]
