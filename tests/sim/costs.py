"""What the simulation is fed with: each figure, and whether it was measured or is assumed."""

from dataclasses import dataclass

US = 1e-6
KB, MB, GB, TB = 1e3, 1e6, 1e9, 1e12
SECOND, MINUTE, HOUR, DAY = 1.0, 60.0, 3600.0, 86400.0


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure.

    Attributes:
        value: in the unit of its name.
        measured: on the machine of docs/performance.md, two shared cores; else it is assumed.
        why: where it comes from.
    """

    value: float
    measured: bool
    why: str


FIGURES = {
    "receive us/record": Figure(4.1, True, "RFC 5424 over TCP, all detectors, performance.md"),
    "receive us/record, one a request": Figure(59.0, True, "HTTP, performance.md"),
    "wire B/record": Figure(204.0, True, "RFC 5424, octet-counted, tests/bench/payloads.py"),
    "stored B/record": Figure(421.0, True, "the same as NDJSON in the file"),
    "publish us/record": Figure(0.6, True, "nats-py, messages of 128 KiB"),
    "bus us/record": Figure(5.3, True, "three nats-servers together, R3, 12.6 ns a byte"),
    "stream MB/s": Figure(71.0, True, "R3, messages of 128 KiB, servers and client on two cores"),
    "stream MB/s, one copy": Figure(320.0, True, "R1, the same"),
    "messages/s, 2 KiB": Figure(8200.0, True, "R3, the same: small messages cost"),
    "receive buffer MB": Figure(8.4, True, "SO_RCVBUF as granted, of each UDP socket"),
    "fsync s": Figure(1.0, True, "LOGOPS_FSYNC, the default"),
    "share of a core planned": Figure(0.6, False, "room for bursts and for who takes over"),
    "stream MB/s, planned": Figure(150.0, False, "servers on machines of their own, 10 Gbit/s"),
    "server NIC MB/s": Figure(1250.0, False, "10 Gbit/s each way"),
    "server disk MB/s": Figure(1000.0, False, "NVMe, written for hours"),
    "balancer MB/s": Figure(1250.0, False, "10 Gbit/s; it copies and does not read"),
    "consumer MB/s": Figure(40.0, False, "one writer into a store such as Loki"),
    "check s": Figure(3.0, False, "a dead receiver is found: three checks, a second apart"),
    "tcp in flight s": Figure(0.05, False, "in buffers of sender, balancer and receiver"),
    "election s": Figure(4.0, False, "a stream has a new leader"),
    "compression": Figure(5.0, False, "zstd of batches; zlib -1 gave 10 to 14 on bench lines"),
    "records/s of a sender": Figure(10.0, False, "a host that logs as most do"),
    "servers of one NATS cluster": Figure(15.0, False, "beyond, one of several is simpler"),
}


def figure(name: str) -> float:
    """The value of a figure."""
    return FIGURES[name].value
