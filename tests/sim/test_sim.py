"""The simulation keeps its own account, agrees with arithmetic, and docs/scale.md with it."""

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.depth import examples
from tests.sim.__main__ import PAGE, blocks
from tests.sim.costs import FIGURES, MB, US, figure
from tests.sim.flow import Fault, Flow
from tests.sim.plan import RATES, capacity_of_receiver, chosen, plan
from tests.sim.tables import TABLES

SMALL = plan(300_000)


@pytest.mark.parametrize("name", TABLES)
def test_the_page_shows_what_the_simulation_says(name: str) -> None:
    """Made anew by `make sim ARGS=--write`."""
    assert blocks(PAGE.read_text())[name] == TABLES[name]()


def test_every_table_is_on_the_page() -> None:
    """And no other."""
    assert list(blocks(PAGE.read_text())) == list(TABLES)


@given(
    st.sampled_from(["receiver", "server", "bus", "consumer", "none"]),
    st.floats(0, 10),
    st.floats(0, 10),
    st.floats(0.5, 4),
    st.integers(0, 1000),
)
@settings(max_examples=examples(10), deadline=None)
def test_the_account_closes(
    what: str, start: float, length: float, spike: float, seed: int
) -> None:
    """Whatever goes wrong, each record is stored, at its sender, or counted as lost."""
    fault = Fault(what, start, start + length)
    flow = Flow(SMALL, faults=[fault], seconds=12, step=0.25, seed=seed, spike=spike)
    result = flow.run()

    assert result.offered > 0
    assert result.unaccounted == pytest.approx(0, abs=1e-6 * result.offered)
    assert result.shipped <= result.stored + 1
    assert result.consumed <= result.shipped + 1
    waiting = sum(flow._unshipped) + sum(flow._lag)
    assert result.stored == pytest.approx(waiting + result.consumed)


def test_a_seed_gives_the_same_run_and_another_does_not() -> None:
    """All that is random comes from it."""

    def run(seed: int) -> float:
        return Flow(SMALL, seconds=3, seed=seed).run().offered

    assert run(1) == run(1)
    assert run(1) != run(2)


def test_what_is_told_loses_nothing() -> None:
    """Only datagrams, and what TCP had in its buffers, go with a receiver."""
    result = Flow(SMALL, faults=[Fault("receiver", 5, 10)], seconds=20).run()

    assert set(result.lost) == {"udp, receiver dead", "tcp in flight"}
    for what in ("server", "bus", "consumer"):
        assert Flow(SMALL, faults=[Fault(what, 5, 10)], seconds=20).run().lost == {}


def test_catching_up_takes_as_long_as_arithmetic_says() -> None:
    """One stream: an outage of T ends T * rate / (capacity - rate) after it."""
    rate = 200_000
    one = plan(rate)
    assert one.streams == 1
    capacity = figure("stream MB/s, planned") * MB / figure("stored B/record")
    result = Flow(one, faults=[Fault("bus", 5, 15)], seconds=60).run()

    assert result.settled == pytest.approx(10 + 10 * rate / (capacity - rate), rel=0.1)


def test_what_is_too_much_never_settles() -> None:
    """One receiver for what needs three: senders wait longer and longer."""
    one = dataclasses.replace(SMALL, receivers=1)
    result = Flow(one, faults=[Fault("none", 0, 1)], seconds=20).run()

    assert result.settled is None
    assert result.busiest == pytest.approx(1, abs=0.01)
    expected = 20 * (SMALL.rate - 1 / (figure("receive us/record") * US))
    assert result.held + result.lost["udp, buffer full"] == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize("rate", RATES)
def test_a_plan_has_room_for_one_that_dies(rate: int) -> None:
    """Of receivers; and copies are on machines of their own."""
    each = chosen(rate)

    assert (each.receivers - 1) * capacity_of_receiver() >= rate
    assert each.servers >= 3
    assert each.balancers >= 2


def test_every_figure_says_where_it_is_from() -> None:
    """And none is of no use."""
    assert all(each.value > 0 and each.why for each in FIGURES.values())
