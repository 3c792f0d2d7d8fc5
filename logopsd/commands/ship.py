"""`logopsd ship`: sends what is stored on to NATS JetStream or Loki, as a process of its own."""

import argparse
import asyncio
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from prometheus_client import start_http_server
from structlog.typing import FilteringBoundLogger

from logopsd import log as logs
from logopsd.assembly.shipping import login, shipper
from logopsd.bus.address import BusAddress
from logopsd.commands.progress import ProgressBar
from logopsd.config import Settings
from logopsd.errors import ListenError, LogopsError, SettingsError
from logopsd.figures.metrics import Metrics
from logopsd.figures.shipping import ShipFigures
from logopsd.shipping.address import TargetAddress, parse_target
from logopsd.shipping.shipper import Shipper

SUMMARY_SECONDS: Final = 60.0
"""Between two `shipped` lines of the log."""


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Ship, or make the stream; returns the exit status.

    Raises:
        LogopsError: it cannot be done; names the mend.
    """
    address = _address(args, settings)
    if args.init:
        return asyncio.run(_init(args, settings, address))
    if not settings.sink_file:
        raise SettingsError(["LOGOPS_SINK_FILE is false: there are no files to ship"])
    if args.once:
        return asyncio.run(_once(settings, address))
    log = logs.configure(settings.log_level, settings.log_format)
    logs.take_over(log)
    return asyncio.run(_follow(settings, address, log))


def _address(args: argparse.Namespace, settings: Settings) -> TargetAddress:
    if args.to is None:
        if settings.ship_to is None:
            raise SettingsError(["where to? give --to nats://host:4222, or set LOGOPS_SHIP_TO"])
        return settings.ship_to
    try:
        return parse_target(args.to)
    except ValueError as error:
        raise SettingsError([f"--to {error}"]) from None


async def _once(settings: Settings, address: TargetAddress) -> int:
    log = logs.configure("warning", settings.log_format)
    figures, bar = ShipFigures(), ProgressBar(sys.stderr, "shipping")
    work = shipper(settings, address, figures=figures, log=log, once=True, progress=bar)
    began = time.monotonic()
    try:
        with _stopped_by_signals(work):
            await work.run()
    finally:
        bar.close()
    seconds = time.monotonic() - began
    left_out = sum(figures.skipped.values())
    _say(
        f"shipped {figures.records} records ({figures.bytes} bytes) in {seconds:.1f} s; "
        f"{figures.duplicates} of {figures.publishes} messages were there already, "
        f"{left_out} records are not taken"
    )
    return 1 if left_out else 0


async def _follow(settings: Settings, address: TargetAddress, log: FilteringBoundLogger) -> int:
    metrics = Metrics(prefix="logops_ship_")
    figures = metrics.shipping = ShipFigures()
    work = shipper(settings, address, figures=figures, log=log)
    with _shown(settings, metrics, log), _stopped_by_signals(work):
        log.info("shipping", files=str(settings.sink_dir), to=str(address))
        summary = asyncio.create_task(_sum_up(figures, log))
        try:
            await work.run()
        finally:
            summary.cancel()
    log.info("stopped", records=figures.records, lag_bytes=figures.lag_bytes())
    return 0


@contextmanager
def _stopped_by_signals(work: Shipper) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    numbers = (signal.SIGTERM, signal.SIGINT)
    for number in numbers:
        loop.add_signal_handler(number, work.stop)
    try:
        yield
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)


@contextmanager
def _shown(settings: Settings, metrics: Metrics, log: FilteringBoundLogger) -> Iterator[None]:
    """Show the figures on a port of our own, where one is set."""
    if settings.ship_metrics_port is None:
        yield
        return
    host, port = settings.metrics_bind, settings.ship_metrics_port
    try:
        server, thread = start_http_server(port, host, metrics.registry)
    except OSError as error:
        raise ListenError(
            f"{host}:{port}: {error.strerror}; choose another LOGOPS_SHIP_METRICS_PORT, or 0"
        ) from None
    address = f"http://{host}:{server.server_port}/metrics"
    log.info("listening", input="metrics", address=address)
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


async def _sum_up(figures: ShipFigures, log: FilteringBoundLogger) -> None:
    """Say once a minute what was sent, if anything was, and how much is behind."""
    before = 0
    while True:
        await asyncio.sleep(SUMMARY_SECONDS)
        if figures.records > before or figures.oldest is not None:
            log.info(
                "shipped",
                records=figures.records - before,
                lag_bytes=figures.lag_bytes(),
                lag_seconds=round(figures.lag_seconds(), 1),
            )
        before = figures.records


async def _init(args: argparse.Namespace, settings: Settings, address: TargetAddress) -> int:
    if not isinstance(address, BusAddress):
        raise LogopsError("--init makes a stream of NATS; Loki needs none")
    from logopsd.bus.connection import close, connect
    from logopsd.bus.messages import Subjects
    from logopsd.bus.stream import StreamPlan, make_stream

    plan = StreamPlan(
        args.stream,
        Subjects(settings.ship_subject).pattern,
        args.replicas,
        args.max_age,
        args.max_bytes,
        args.duplicate_window,
    )
    client = await connect(address, login(settings), name="logopsd ship --init")
    try:
        made, differences = await make_stream(client, plan)
    finally:
        await close(client)
    what = f"stream {plan.name} for {plan.subject}"
    if made:
        _say(f"made {what}: {plan.replicas} replicas, files, kept {plan.max_age / 86400:g} days")
        return 0
    _say(f"{what} is there already" + ("; it differs, and was not changed:" * bool(differences)))
    for each in differences:
        _say(f"  {each}")
    return 1 if differences else 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
