"""How many of what a rate needs: arithmetic on the costs, a row for each rate."""

import math
from dataclasses import dataclass

from tests.sim.costs import MB, US, figure

RATES = (10_000, 100_000, 1_000_000, 10_000_000, 100_000_000)
"""Records a second."""

COPIES = 3


@dataclass(frozen=True, slots=True)
class Plan:
    """What there is.

    Attributes:
        rate: records a second.
        senders: hosts that send them.
        receivers: processes, a core each; one more than is needed, as one may die.
        balancers: machines, one more than is needed.
        streams: partitions, by hash of the host.
        servers: of the bus.
        consumers: of a store behind it.
        compressed: whether batches travel compressed, as with Kafka.
    """

    rate: int
    senders: int
    receivers: int
    balancers: int
    streams: int
    servers: int
    consumers: int
    compressed: bool = False

    @property
    def bus_bytes(self) -> float:
        """Bytes a second that go into the bus, a copy."""
        packed = figure("compression") if self.compressed else 1.0
        return self.rate * figure("stored B/record") / packed

    @property
    def bus(self) -> str:
        """What it is, in a word."""
        if self.rate < 2 * capacity_of_receiver():
            return "none needed for speed"
        if self.compressed:
            return "Kafka, compressed"
        return "one stream" if self.streams == 1 else "partitioned streams"


def capacity_of_receiver() -> float:
    """Records a second that one core takes, as planned."""
    return figure("share of a core planned") / (figure("receive us/record") * US)


def streams_for(byte_rate: float) -> int:
    """Partitions for so many bytes a second."""
    return max(1, math.ceil(byte_rate / (figure("stream MB/s, planned") * MB * 0.6)))


def servers_for(byte_rate: float) -> int:
    """Servers by whichever is full first; each byte comes in thrice, and once more goes out.

    Three at least, as three copies are on three machines.
    """
    share = figure("share of a core planned")
    disk = COPIES * byte_rate / (figure("server disk MB/s") * MB * share)
    nic = COPIES * byte_rate / (figure("server NIC MB/s") * MB * share)
    return max(COPIES, math.ceil(max(disk, nic)))


def plan(rate: int, *, compressed: bool = False) -> Plan:
    """What a rate needs."""
    byte_rate = rate * figure("stored B/record")
    packed = byte_rate / (figure("compression") if compressed else 1.0)
    wire = rate * figure("wire B/record")
    return Plan(
        rate=rate,
        senders=max(1, round(rate / figure("records/s of a sender"))),
        receivers=math.ceil(rate / capacity_of_receiver()) + 1,
        balancers=math.ceil(wire / (figure("balancer MB/s") * MB * 0.6)) + 1,
        streams=streams_for(packed),
        servers=servers_for(packed),
        consumers=max(1, math.ceil(byte_rate / (figure("consumer MB/s") * MB * 0.6))),
        compressed=compressed,
    )


def fits_one_cluster(of: Plan) -> bool:
    """Whether one NATS cluster is enough."""
    return of.servers <= figure("servers of one NATS cluster")


def chosen(rate: int) -> Plan:
    """What docs/scale.md proposes for a rate: JetStream while one cluster is enough."""
    plain = plan(rate)
    return plain if fits_one_cluster(plain) else plan(rate, compressed=True)
