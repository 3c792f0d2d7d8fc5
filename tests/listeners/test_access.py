"""Who may send, and how many connections there may be."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logopsd.listeners import access
from logopsd.listeners.access import Access, Rules


def networks(*texts: str) -> tuple[access.Network, ...]:
    """Networks as the settings have them."""
    return tuple(map(ipaddress.ip_network, texts))


def test_without_a_list_everyone_may_send() -> None:
    """Nothing is looked up, not even what is no address."""
    assert Access().allows("198.51.100.1")
    assert Access().allows("?")
    assert not Access().restricted


@pytest.mark.parametrize(
    ("peer", "allowed"),
    [
        ("192.0.2.1", True),
        ("192.0.3.1", False),
        ("2001:db8::5", True),
        ("2001:db9::5", False),
        ("unix", True),
        ("?", False),
    ],
)
def test_a_list_names_who_may_send(peer: str, allowed: bool) -> None:
    """The same the second time, when the verdict is remembered; Unix sockets are no network's."""
    made = Access(Rules(allow_from=networks("192.0.2.0/24", "2001:db8::/32")))

    assert made.restricted
    assert made.allows(peer) is allowed
    assert made.allows(peer) is allowed


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A flood of addresses does not fill the memory, and verdicts stay right."""
    monkeypatch.setattr(access, "MAX_REMEMBERED", 8)
    made = Access(Rules(allow_from=networks("10.0.0.0/25")))

    for _ in range(2):
        assert [made.allows(f"10.0.0.{n}") for n in range(256)] == [True] * 128 + [False] * 128
        assert len(made._allowed) <= 8


def test_other_rules_are_taken_at_once() -> None:
    """A verdict that was remembered does not outlive the rules; connections do."""
    made = Access(Rules(allow_from=networks("10.0.0.0/8")))
    assert made.enter("10.1.1.1") is None
    made.replace(Rules(allow_from=networks("192.0.2.0/24")))

    assert not made.allows("10.1.1.1")
    assert made.connections == 1
    made.leave("10.1.1.1")
    assert made.connections == 0


def test_limits_of_connections() -> None:
    """In all and for each peer, with Unix sockets counted but none of a peer's."""
    made = Access(Rules(max_connections=4, max_connections_per_peer=2))

    assert [made.enter("a"), made.enter("a"), made.enter("a")] == [None, None, "peer_limit"]
    assert [made.enter("unix"), made.enter("unix")] == [None, None]
    assert made.enter("b") == "limit"
    made.leave("a")
    assert made.enter("b") is None


def test_proxies_are_let_in_to_say_for_whom_they_speak() -> None:
    """They need not be in the list of senders, and many may come from one address."""
    rules = Rules(
        allow_from=networks("192.0.2.0/24"),
        proxy_from=networks("10.0.0.0/8"),
        max_connections_per_peer=1,
    )
    made = Access(rules)

    assert made.is_proxy("10.0.0.1")
    assert not made.is_proxy("192.0.2.1")
    assert not made.is_proxy("unix")
    assert [made.enter("10.0.0.1", proxy=True) for _ in range(3)] == [None] * 3
    assert made.enter("10.0.0.1") == "address"
    assert not Access().is_proxy("10.0.0.1")


@given(
    st.lists(st.tuples(st.booleans(), st.sampled_from(["a", "b", "c", "unix"])), max_size=60),
    st.integers(0, 5),
    st.integers(0, 3),
)
def test_counts_are_those_of_who_is_there(
    steps: list[tuple[bool, str]], limit: int, peer_limit: int
) -> None:
    """Whatever comes and goes, no limit is passed, and in the end nothing is left over."""
    made = Access(Rules(max_connections=limit, max_connections_per_peer=peer_limit))
    there: list[str] = []
    for comes, peer in steps:
        if comes:
            if made.enter(peer) is None:
                there.append(peer)
        elif peer in there:
            there.remove(peer)
            made.leave(peer)
        assert made.connections == len(there)
        assert not limit or len(there) <= limit
        assert not peer_limit or all(there.count(each) <= peer_limit for each in "abc")
    for peer in there:
        made.leave(peer)
    assert (made.connections, made._by_peer) == (0, {})
