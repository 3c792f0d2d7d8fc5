"""The tables of docs/scale.md: what the plan and the runs say, as Markdown."""

from collections.abc import Callable, Iterable, Sequence

from tests.sim.costs import DAY, FIGURES, GB, HOUR, MB, TB, US, figure
from tests.sim.flow import Fault, Flow, Result
from tests.sim.plan import COPIES, RATES, Plan, capacity_of_receiver, chosen, fits_one_cluster, plan

SEED = 1
FAULT_RATE = 1_000_000
"""Records a second of the runs with faults: a plan of some tens of everything."""

Row = Sequence[object]


def table(head: Row, rows: Iterable[Row]) -> str:
    """A table of Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def count(number: float) -> str:
    """A number of records for people: three digits, and a word."""
    for size, word in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if number >= size:
            return f"{number / size:.3g}{word}"
    return f"{number:.0f}"


def size(number: float) -> str:
    """A number of bytes."""
    for unit, word in ((1e15, "PB"), (TB, "TB"), (GB, "GB"), (MB, "MB")):
        if number >= unit:
            return f"{number / unit:.3g} {word}"
    return f"{number / 1e3:.0f} kB"


def costs() -> str:
    """Every figure that goes in."""
    rows = [
        (name, f"{each.value:g}", "measured" if each.measured else "assumed", each.why)
        for name, each in FIGURES.items()
    ]
    return table(("figure", "", "", "from"), rows)


def sizes() -> str:
    """How many of what, for each rate."""
    rows = []
    for rate in RATES:
        each = chosen(rate)
        rows.append(
            (
                count(rate),
                count(each.senders),
                each.balancers,
                each.receivers,
                each.bus,
                each.streams,
                each.servers,
                each.consumers,
                f"{size(each.bus_bytes)}/s",
                size(each.bus_bytes * DAY * COPIES),
            )
        )
    head = ("records/s", "senders", "balancers", "receiver cores", "bus", "partitions", "servers")
    return table((*head, "consumers", "into the bus", "a day in the bus, 3 copies"), rows)


def loads() -> str:
    """A minute at each rate: is it held, and how unevenly are receivers and partitions used."""
    rows = []
    for rate in RATES:
        each = chosen(rate)
        step = 0.1 if each.receivers < 200 else 0.5
        result = Flow(each, seconds=30 if each.receivers < 200 else 10, step=step, seed=SEED).run()
        lost = sum(result.lost.values())
        rows.append(
            (
                count(rate),
                each.receivers,
                f"{result.busiest:.0%}",
                count(result.most_held),
                f"{result.most_unshipped / rate:.2f} s",
                f"{result.most_lag / rate:.2f} s",
                count(lost),
            )
        )
    head = ("records/s", "receiver cores", "busiest core", "held at senders", "behind the file")
    return table((*head, "behind the bus", "lost"), rows)


def _spiked(each: Plan) -> Result:
    # Nothing is away; the fault only says from when on time is counted.
    return Flow(each, faults=[Fault("none", 10, 20)], seconds=60, seed=SEED, spike=2).run()


def _faulty(each: Plan, fault: Fault) -> Result:
    return Flow(each, faults=[fault], seconds=120, seed=SEED).run()


FAULTS: dict[str, Callable[[Plan], Result]] = {
    "none": lambda each: Flow(each, seconds=60, seed=SEED).run(),
    "a receiver dies, back after 20 s": lambda each: _faulty(each, Fault("receiver", 10, 30)),
    "a bus server dies": lambda each: _faulty(each, Fault("server", 10, 30)),
    "the bus is away for 20 s": lambda each: _faulty(each, Fault("bus", 10, 30)),
    "consumers are away for 20 s": lambda each: _faulty(each, Fault("consumer", 10, 30)),
    "twice the rate for 10 s": _spiked,
}


def faults() -> str:
    """What a fault costs at FAULT_RATE."""
    each = chosen(FAULT_RATE)
    rows = []
    for name, run in FAULTS.items():
        result = run(each)
        lost = ", ".join(f"{count(n)} {why}" for why, n in sorted(result.lost.items())) or "0"
        settled = "never" if result.settled is None else f"{result.settled:.0f} s"
        rows.append(
            (
                name,
                lost,
                count(result.most_held),
                count(result.most_unshipped),
                count(result.most_lag),
                settled,
            )
        )
    head = ("what happens", "records lost", "most held at senders")
    return table((*head, "most unshipped", "most unread in the bus", "settled after"), rows)


def outages() -> str:
    """The bus away for hours: what one receiver core's disk must hold, and how long until then."""
    each = chosen(FAULT_RATE)
    share = FAULT_RATE / (each.receivers - 1)
    inflow = FAULT_RATE * figure("stored B/record")
    capacity = each.streams * figure("stream MB/s, planned") * MB
    rows = [
        (
            f"{hours} h",
            size(share * figure("stored B/record") * hours * HOUR),
            size(inflow * hours * HOUR),
            f"{hours * inflow / (capacity - inflow):.1f} h",
        )
        for hours in (1, 8, 24, 72)
    ]
    head = ("the bus is away for", "disk of a receiver core", "of all", "until it is caught up")
    return table(head, rows)


def growth() -> str:
    """What grows with what, from one rate to the next."""
    rows = []
    for rate in RATES:
        each = chosen(rate)
        rows.append(
            (
                count(rate),
                f"{rate * figure('receive us/record') * US:.3g} cores",
                f"{rate * figure('publish us/record') * US:.3g} cores",
                f"{rate * figure('bus us/record') * US:.3g} cores",
                f"{count(each.senders / each.receivers)}",
                f"{each.receivers}",
                f"{each.streams * COPIES}",
                f"{each.receivers * each.streams}",
            )
        )
    head = ("records/s", "receive", "ship", "bus, all servers", "senders a receiver")
    return table((*head, "bus clients", "replicas to elect for", "client x partition"), rows)


def ends() -> str:
    """Where a part of this design ends."""
    one = capacity_of_receiver()
    stream = figure("stream MB/s, planned") * MB * 0.6 / figure("stored B/record")
    cluster = _last(lambda rate: fits_one_cluster(plan(rate)))
    small = figure("messages/s, 2 KiB")
    single = 1e6 / figure("receive us/record, one a request")
    rows = [
        ("one receiver core", f"{count(one)}/s", "more receivers behind a balancer"),
        ("one request a record", f"{count(single)}/s a core", "batches: 19 times as many"),
        ("one partition", f"{count(stream)}/s", "partitioned streams by hash of the host"),
        ("one message a few records", f"{count(small)} messages/s", "batches of 128 KiB and more"),
        ("one NATS cluster", f"{count(cluster)}/s", "several clusters by hash, or Kafka"),
        (
            "a bus as the archive",
            f"{size(chosen(FAULT_RATE).bus_bytes * DAY * COPIES)} a day at 1 M/s",
            "hours in the bus, days in object storage",
        ),
    ]
    return table(("part", "ends at", "what replaces it"), rows)


def _last(holds: Callable[[int], bool]) -> int:
    """The largest rate that holds, by halving, to two digits."""
    low, high = RATES[0], RATES[-1]
    while high - low > low // 100:
        middle = (low + high) // 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low


TABLES: dict[str, Callable[[], str]] = {
    "costs": costs,
    "sizes": sizes,
    "loads": loads,
    "growth": growth,
    "faults": faults,
    "outages": outages,
    "ends": ends,
}
"""Name, as docs/scale.md has it -> makes the table."""
