"""What the doctor prints to paste is what docs/senders.md says, and the tests there run."""

import pytest

from logopsd.commands.arguments import SENDERS
from logopsd.commands.sender_configs import BLOCKS, _address, configuration, render
from logopsd.errors import LogopsError
from tests.commands.test_doctor_checks import settings
from tests.e2e.documented import HOST, blocks

PORTS = {"relp": 2514, "tls": 6514, "upload": 8080, "alloy": 8080}


@pytest.mark.parametrize("name", BLOCKS)
def test_a_block_is_that_of_the_page(name):
    """With the page's host and port in its place."""
    port = next((port for word, port in PORTS.items() if word in name), 5514)
    assert render(name, HOST, port) == blocks()[name]


def test_the_best_input_that_is_on_is_taken(tmp_path):
    """RELP before TLS before TCP before UDP; over the net in the clear is noted."""
    given = {"udp_port": 514, "tcp_port": 601, "bind": "192.0.2.7"}
    text, notes = configuration("rsyslog", settings(tmp_path, **given), None)
    assert 'target="192.0.2.7" port="601"' in text
    assert any("in the clear" in note for note in notes)
    text, _ = configuration("rsyslog", settings(tmp_path, **given, relp_port=20514), "logs")
    assert 'type="omrelp" target="logs" port="20514"' in text
    text, _ = configuration("syslog-ng", settings(tmp_path, udp_port=514), None)
    assert 'network("127.0.0.1" port(514) transport("udp"))' in text


def test_loopback_is_noted(tmp_path):
    """As nobody else can send there."""
    _, notes = configuration("journald", settings(tmp_path, http_port=8080), None)
    assert any("set LOGOPS_BIND" in note for note in notes)


@pytest.mark.parametrize("sender", SENDERS)
def test_without_an_input_the_setting_is_named(tmp_path, sender):
    """One of those that the sender speaks."""
    with pytest.raises(LogopsError, match=r"set LOGOPS_\w+_PORT"):
        configuration(sender, settings(tmp_path), None)


def test_an_address_of_all_is_our_own():
    """And brackets stand about one of IPv6 in a URL."""
    assert _address("0.0.0.0") not in ("0.0.0.0", "")
    assert _address("::") not in ("::", "")
    assert "http://[fd00::1]:8080" in render("alloy", "fd00::1", 8080)
