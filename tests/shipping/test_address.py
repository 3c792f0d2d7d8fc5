"""Where records are sent to."""

import pytest

from logopsd.shipping.address import LokiAddress, parse_target


@pytest.mark.parametrize(
    ("text", "host", "port", "tls", "shown"),
    [
        ("loki+http://loki", "loki", 3100, False, "loki+http://loki:3100"),
        ("loki+https://l.example:9/a/", "l.example", 9, True, "loki+https://l.example:9/a"),
        ("loki+http://[::1]:3100/loki/api/v1/push", "::1", 3100, False, "loki+http://[::1]:3100"),
    ],
)
def test_loki_is_found(text: str, host: str, port: int, tls: bool, shown: str) -> None:
    """A port and the path of the API may be left out."""
    address = parse_target(text)

    assert isinstance(address, LokiAddress)
    assert (address.host, address.port, address.tls) == (host, port, tls)
    assert address.path.endswith("/loki/api/v1/push")
    assert str(address) == shown


@pytest.mark.parametrize(
    "text",
    [
        "loki://x",
        "loki+http://",
        "loki+http://x:0",
        "loki+http://a?b",
        "loki+ftp://x",
        "x",
        "loki+http://x:70000",
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    """With what is taken."""
    with pytest.raises(ValueError, match="takes"):
        parse_target(text)


def test_credentials_are_refused_and_not_shown() -> None:
    """They belong into files."""
    with pytest.raises(ValueError, match="LOGOPS_SHIP_PASSWORD_FILE") as caught:
        parse_target("loki+http://u:geheim@x")

    assert "geheim" not in str(caught.value)
