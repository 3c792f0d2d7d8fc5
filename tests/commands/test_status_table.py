import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logopsd.commands.status_table import source_lines, status_lines

COUNTS = st.integers(0, 10**15)
FIGURES = (
    *("received", "accepted", "dropped", "suppressed", "inflight", "malformed", "truncated"),
    *("repeats", "connections", "unaccounted"),
)


def status(**more) -> dict:
    """Make the status of a daemon that is well."""
    figures = dict.fromkeys(FIGURES, 0) | {"dropped_by": {}, "malformed_by": {}}
    return {
        "url": "http://127.0.0.1:9514",
        "state": "receiving",
        "version": "1.2.3",
        "inputs": {"udp": figures | {"received": 7, "accepted": 7}},
        "kernel_drops": 0,
        "sink": {
            "stalled": 0,
            "pending_bytes": 0,
            "written_bytes": 123_456,
            "free_bytes": 5 * 2**30,
        },
        "sources": {"known": 3, "silent": 0, "evicted": 0},
        "process": {
            "started": 1000,
            "resident_bytes": 60 << 20,
            "open_files": 20,
            "max_files": 1024,
        },
        **more,
    }


def row(**more) -> dict:
    """Make a row of the table of senders."""
    return {
        "id": 1,
        "input": "udp",
        "peer": "192.0.2.7",
        "host": "web1",
        "last_seen": 990.0,
        "records": 12,
        "bytes": 3456,
        "skew_seconds": 0.25,
        "gaps": None,
        "silent": False,
        **more,
    }


def page(*rows: dict, **more) -> dict:
    """Make the table of senders."""
    head = {"now": 1000.0, "known": len(rows), "silent": 0, "evicted": 0}
    return {**head, "sources": list(rows), **more}


def text(found: dict, *, colour: bool = False) -> str:
    """Give the lines of a status."""
    return "\n".join(status_lines(found, 1000.0 + 3 * 3600 + 60, colour=colour))


def test_a_daemon_that_is_well_is_shown():
    """Who it is, what came and what became of it, and that the account closes."""
    assert text(status()).splitlines() == [
        "logopsd 1.2.3 at http://127.0.0.1:9514, up 3 h 1 min",
        "",
        "input      received    accepted   dropped suppressed in flight malformed     cut",
        "udp               7           7         0          0         0         0       0",
        "",
        "account   closes: received = accepted + dropped + suppressed + in flight",
        "sink      writing, 0 B waiting, 121 KiB written, 5.0 GiB free",
        "sources   3, 0 silent (logopsd status --sources)",
        "process   60.0 MiB of memory, 20 of 1024 files open",
    ]


def test_what_is_wrong_is_said():
    """Losses by reason, the kernel's drops, a stalled sink, a bug in the account."""
    found = status(state="the sink is stalled: ENOSPC", kernel_drops=190)
    found["sink"]["stalled"] = 1
    found["inputs"]["udp"] |= {
        "dropped": 3,
        "dropped_by": {"backpressure": 3},
        "malformed": 2,
        "malformed_by": {"resync": 2},
        "unaccounted": -3,
        "repeats": 4,
    }
    shown = text(found)

    assert "not receiving: the sink is stalled: ENOSPC" in shown
    assert "dropped   udp backpressure 3" in shown
    assert "malformed udp resync 2" in shown
    assert "kernel    190 datagrams" in shown
    assert "repeats   udp 4" in shown
    assert "does not close, a bug: udp lacks -3" in shown
    assert "sink      stalled" in shown


def test_colour_changes_nothing_but_the_colour():
    """Without the escape sequences it is the same text, in the same columns."""
    found = status(state="full")
    found["inputs"]["udp"] |= {"dropped": 3, "dropped_by": {"empty": 3}}
    coloured = text(found, colour=True)
    assert "\x1b[" in coloured
    assert "\x1b[" not in text(found)
    assert re.sub(r"\x1b\[\d+m", "", coloured) == text(found)


@given(st.dictionaries(st.sampled_from(FIGURES), COUNTS), COUNTS, st.text())
def test_a_status_fits_80_columns(figures, count, state):
    """Whatever the numbers are."""
    found = status(state=state, kernel_drops=count)
    found["inputs"]["journal"] = found["inputs"]["udp"] | figures | {"dropped_by": {"x": count}}
    found["sink"]["pending_bytes"] = count
    for line in text(found).split("\n"):
        assert len(line) <= 80, line
        assert line.isprintable()


@given(
    st.builds(
        row,
        host=st.none() | st.text(),
        peer=st.none() | st.text(),
        records=COUNTS,
        bytes=COUNTS,
        skew_seconds=st.none() | st.floats(-1e9, 1e9),
        gaps=st.none() | COUNTS,
        last_seen=st.floats(0, 1e9),
    ),
    st.integers(80, 200),
)
def test_the_table_of_senders_fits_the_terminal(made, width):
    """Whatever senders call themselves; nothing of it moves the cursor."""
    for line in source_lines(page(made), colour=False, width=width):
        assert len(line) <= width, line
        assert line.isprintable()


def test_senders_are_shown():
    """One line each, those silent marked, and a sum."""
    lines = list(
        source_lines(
            page(row(), row(id=2, silent=True, host=None, gaps=7, skew_seconds=-3700.0), evicted=4),
            colour=False,
        )
    )
    assert lines == [
        "   id heard input   peer            host           records  bytes    skew  gaps",
        "    1   10s udp     192.0.2.7       web1                12   3.4K   +0.2s     -",
        "    2  10s! udp     192.0.2.7       -                   12   3.4K    -61m     7",
        "",
        "2 senders, 0 silent, 4 left out for want of room",
    ]


def test_a_wide_terminal_shows_longer_names():
    """What is beyond 80 columns goes to the names."""
    made = row(peer="2001:db8:1234:5678:9abc:def0:1234:5678", host="a-host-of-some-length.example")
    narrow, wide = (list(source_lines(page(made), colour=False, width=w))[1] for w in (80, 130))
    assert "2001:db8:1234:~" in narrow
    assert "2001:db8:1234:5678:9abc:def0:1234:5678" in wide
    assert "a-host-of-some-length.example" in wide


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(5, "5 s"), (-3, "0 s"), (125, "2 min"), (7300, "2 h 1 min"), (200_000, "2 d 7 h")],
)
def test_times_are_short(seconds, shown):
    """How long a daemon is up, in two units at most."""
    (first, *_) = status_lines(status(), 1000.0 + seconds, colour=False)
    assert first.endswith(f"up {shown}")


def test_workers_have_a_line_where_there_are_several() -> None:
    """How many receive, and how often one had to be started again."""
    assert "workers" not in "\n".join(status_lines(status(), 2000, colour=False))
    shown = list(status_lines(status(workers={"ready": 3, "restarts": 1}), 2000, colour=False))
    assert "workers   3 at work, 1 died and started again" in shown
