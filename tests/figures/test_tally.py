"""Figures of several processes as one: every sum of accounts that close does."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from logopsd.figures import tally
from logopsd.figures.account import figures_of, unaccounted
from logopsd.figures.catalogue import CATALOGUE, DROP_REASONS, HTTP_CODES
from logopsd.figures.metrics import InputMetrics, Metrics
from logopsd.figures.tally import OF_ALL, OF_INPUTS, Snapshot, buried, show, take, total
from logopsd.records import INPUTS

COUNTS = st.integers(0, 10**9)
# Made once: to make a strategy takes longer than to draw from it.
NAMES, REASONS = st.sets(st.sampled_from(INPUTS)), st.sets(st.sampled_from(DROP_REASONS))
THREE_COUNTS = st.tuples(COUNTS, COUNTS, COUNTS)
DETECTORS = st.sampled_from([("email",), ("email", "ipv4")])
CODES, ROOM, SECONDS = st.sampled_from(HTTP_CODES), st.none() | COUNTS, st.floats(0, 20)


@st.composite
def figures(draw: st.DrawFn) -> Metrics:
    """Figures of a process whose account closes."""
    metrics = Metrics(detectors=draw(DETECTORS))
    for name in draw(NAMES):
        input = metrics.input(name)
        input.accepted, input.suppressed, input.inflight = draw(THREE_COUNTS)
        for reason in draw(REASONS):
            input.drop(reason, draw(COUNTS))
        input.received = (
            input.accepted + input.suppressed + input.inflight + sum(input.dropped.values())
        )
        input.connections = draw(COUNTS)
    metrics.masked("email", draw(COUNTS))
    metrics.http_responses[draw(CODES)] += draw(COUNTS)
    metrics.sink_is_stalled = draw(st.booleans())
    metrics.sink_free_bytes = draw(ROOM)
    metrics.sink_written(draw(COUNTS), draw(SECONDS))
    metrics.sources = draw(COUNTS)
    return metrics


def lacking(metrics: Metrics) -> dict[str, int]:
    """What the account of each input lacks."""
    return {name: unaccounted(figures_of(input)) for name, input in metrics.inputs.items()}


def sent(metrics: Metrics) -> Snapshot:
    """A snapshot as it arrives at the other process."""
    return msgspec.json.decode(msgspec.json.encode(take(metrics)), type=Snapshot)


@given(st.lists(figures(), max_size=4), st.lists(figures(), max_size=2))
def test_the_account_of_the_sum_closes(living: list[Metrics], dead: list[Metrics]) -> None:
    """Also where some of them died with records in flight, which are dropped then, by name."""
    lost = sum(input.inflight for each in dead for input in each.inputs.values())
    before = sum(i.dropped["worker"] for each in living + dead for i in each.inputs.values())
    shown = Metrics()
    show(total([*map(sent, living), *(buried(sent(each)) for each in dead)]), shown)

    assert set(lacking(shown).values()) <= {0}
    assert set(shown.inputs) == {name for each in living + dead for name in each.inputs}
    assert sum(i.dropped["worker"] for i in shown.inputs.values()) == before + lost
    for name in ("received", "accepted"):
        added = sum(getattr(i, name) for each in living + dead for i in each.inputs.values())
        assert sum(getattr(i, name) for i in shown.inputs.values()) == added


@given(figures(), figures())
def test_what_counts_never_goes_back_when_a_process_dies(one: Metrics, other: Metrics) -> None:
    """Counters keep what they had; what tells of a moment loses the part of the dead."""
    before, after = Metrics(), Metrics()
    show(total([sent(one), sent(other)]), before)
    show(total([sent(one), buried(sent(other))]), after)
    for spec in CATALOGUE:
        if spec.kind == "counter":
            rows = dict(spec.read(after))
            assert all(rows[labels] >= value for labels, value in spec.read(before)), spec.name
    assert after.sources == one.sources
    assert after.sink_is_stalled == one.sink_is_stalled
    assert after.sink_free_bytes == one.sink_free_bytes
    connections = sum(input.connections for input in one.inputs.values())
    assert sum(input.connections for input in after.inputs.values()) == connections


@given(figures())
def test_one_alone_is_shown_as_it_is(metrics: Metrics) -> None:
    """What is shown of a snapshot makes the same snapshot."""
    shown = Metrics(detectors=list(metrics.pii_masked))
    show(sent(metrics), shown)
    assert take(shown) == take(metrics)


def test_of_a_disk_the_least_room_counts_and_any_stall() -> None:
    """Gauges of one thing that all of them see are not added up."""
    one, other = Metrics(), Metrics()
    one.sink_free_bytes, other.sink_free_bytes = 7, 5
    one.tls_certificate_expiry = 9.0
    other.sink_is_stalled = True
    added = total([take(one), take(other)])
    assert (added.sink_free_bytes, added.tls_certificate_expiry) == (5, 9.0)
    assert added.sink_is_stalled is True


def test_a_snapshot_holds_still() -> None:
    """What is counted behind it is not in it."""
    metrics = Metrics()
    metrics.input("udp").drop("empty")
    taken = take(metrics)
    metrics.input("udp").drop("empty")
    metrics.masked("email", 3)
    assert taken.inputs["udp"].dropped["empty"] == 1
    assert taken.pii_masked["email"] == 0


def test_every_figure_has_its_way_of_adding_up() -> None:
    """A new one that is forgotten here would be shown as nothing."""
    assert set(OF_INPUTS) == set(InputMetrics.__slots__) - {"name"}
    figures = {name for name in vars(Metrics()) if not name.startswith("_")} - {"registry"}
    figures -= {"shipping"}  # there is one shipper, however many workers
    assert set(OF_ALL) == figures
    for struct, ways in ((tally.InputFigures, OF_INPUTS), (Snapshot, OF_ALL)):
        assert set(struct.__struct_fields__) == set(ways)
