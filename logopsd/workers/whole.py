"""What is shown and kept of all workers together: figures, account, senders, journals."""

import asyncio
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from structlog.typing import FilteringBoundLogger

import logopsd.figures.page  # noqa: F401  a scrape, days from now, might find an upgrade's
from logopsd.chores import seen_file
from logopsd.chores.tasks import SOURCES_NAMED
from logopsd.config import Settings
from logopsd.encoding import encode
from logopsd.figures import tally
from logopsd.figures.account import Account
from logopsd.figures.metrics import Metrics
from logopsd.figures.tally import Snapshot
from logopsd.parsing.cursors import SeenCursors
from logopsd.records import Record
from logopsd.workers.directories import Directories
from logopsd.workers.process import Worker
from logopsd.workers.processes import ProcessesCollector
from logopsd.workers.senders import joined

ANSWER_SECONDS: Final = 1.0
"""How long a scrape waits for a worker; one that is slower is shown as it was last."""


class Whole:
    """The sum of all workers, of those that are gone, and of what the supervisor counts itself.

    Args:
        settings: valid ones.
        workers: all of them.
        pids: the processes that there are.
        drops: gives how many datagrams the kernel dropped since it was last asked.
        restarts: gives how often a worker was started again.

    Attributes:
        own: figures of the supervisor.
        metrics: the sum, as of the last `refresh`.
    """

    def __init__(
        self,
        settings: Settings,
        workers: Sequence[Worker],
        *,
        pids: Callable[[], list[int]],
        drops: Callable[[], int],
        restarts: Callable[[], int],
    ) -> None:
        detectors = settings.pii_detectors
        self._workers = workers
        self._drops = drops
        self._restarts = restarts
        self._gone = Snapshot()
        self._silent: set[int] = set()
        self._silent_now = 0
        self.own = Metrics(detectors=detectors)
        self.metrics = Metrics(detectors=detectors, process=ProcessesCollector(pids))

    async def refresh(self, *, sources: bool = False) -> None:
        """Ask all workers, by choice for their senders too, and add up what they say."""
        await self._ask(sources=sources)
        self.add_up()

    def add_up(self) -> None:
        """Show the sum of the figures that are here."""
        self.own.udp_kernel_drops += self._drops()
        self.own.workers = sum(worker.is_ready for worker in self._workers)
        self.own.worker_restarts = self._restarts()
        living = [worker.snapshot for worker in self._workers]
        added = tally.total([self._gone, tally.take(self.own), *living])
        added.sources_silent = self._silent_now
        tally.show(added, self.metrics)

    def add_detectors(self, names: Sequence[str]) -> None:
        """Have more names under which workers may count."""
        self.own.add_detectors(names)
        self.metrics.add_detectors(names)

    def bury(self, worker: Worker) -> None:
        """Keep the figures of a process that is gone, before another takes its place."""
        self._gone = tally.total([self._gone, tally.buried(worker.snapshot)])
        worker.snapshot = Snapshot()

    def open_files(self) -> set[Path]:
        """The files that a worker may have open; from any thread."""
        return set().union(*(worker.open_files for worker in self._workers))

    def not_ready(self) -> str | None:
        """Why no records should be sent now; None where all workers take them."""
        for worker in self._workers:
            reason = worker.not_ready if worker.is_ready else "it does not run"
            if reason is not None:
                return f"worker {worker.number}: {reason}"
        return None

    async def page(self, accept: str | None) -> tuple[bytes, str]:
        """Return the page of metrics, of this moment; see Metrics.page."""
        await self.refresh()
        return self.metrics.page(accept)

    async def sources(self) -> dict[str, Any]:
        """Return the table of senders of all."""
        await self._ask(sources=True)
        return self.table(time.time())

    async def find_silent(self, log: FilteringBoundLogger) -> None:
        """Look which senders no worker hears any more, and say once of each that it fell silent."""
        table = await self.sources()
        silent = {sender["id"] for sender in table["sources"] if sender["silent"]}
        fallen = sorted(silent - self._silent)
        self._silent, self._silent_now = silent, len(silent)
        if fallen:
            log.warning(
                "senders fell silent",
                count=len(fallen),
                sources=fallen[:SOURCES_NAMED],
                hint="logopsd status --sources",
            )

    def save_journals(self, directory: Path, log: FilteringBoundLogger) -> None:
        """Keep what the workers saw of journals, for the next start; blocking."""
        seen = SeenCursors()
        for worker in self._workers:
            seen.absorb(worker.seen or {})  # nothing of one whose records are not all stored
        seen_file.save(seen, directory, log)

    def make_account(self, directories: Directories) -> Account:
        """Make the account of the day, from the sum; it is kept in these directories."""

        def write(records: list[Record]) -> None:
            if records:
                directories.write(encode(records), records[0].received[:10].replace("-", ""))

        return Account(self.metrics, write=write, directory=directories.main)

    def table(self, now: float, *, most: int | None = None) -> dict[str, Any]:
        """Return the table of senders as of when they were last asked for; see Sources.page."""
        tables = (worker.sources for worker in self._workers)
        table = joined([table for table in tables if table is not None], now)
        return {**table, "sources": table["sources"][:most]}

    async def _ask(self, *, sources: bool = False) -> None:
        await asyncio.wait(
            [worker.ask(sources=sources) for worker in self._workers], timeout=ANSWER_SECONDS
        )
