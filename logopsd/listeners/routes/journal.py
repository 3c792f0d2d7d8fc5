"""POST /upload: journals as systemd-journal-upload sends them.

One request lasts until the uploader has sent all there is, and it notes its place only when that
was answered with success: so nothing is refused for a bad entry, and what comes once more after
a failure is recognised by its cursor.
"""

from structlog.typing import FilteringBoundLogger

from logopsd.figures.metrics import InputMetrics
from logopsd.framing.journal_export import Entries, JournalExportFramer
from logopsd.listeners.http.messages import (
    Request,
    Respond,
    Response,
    Routes,
    StreamRoute,
    error_response,
)
from logopsd.listeners.routes.content_types import content_type_of
from logopsd.listeners.routes.intake import TakeDocuments
from logopsd.parsing.cursors import SeenCursors
from logopsd.parsing.journal import CURSOR, FORMAT
from logopsd.records import JournalEntry

PATH = "/upload"
CONTENT_TYPE = "application/vnd.fdo.journal"

_TAKEN = Response(202, b"OK.\n", content_type="text/plain")


class JournalRoute:
    """Takes uploads.

    Args:
        take_documents: takes entries; bound to the input `journal`.
        metrics: the figures of that input; counts here repeats, and what was malformed.
        log: told of each request at debug.
        max_message: the most bytes of a message.
        seen: which entries were taken before.
    """

    def __init__(
        self,
        *,
        take_documents: TakeDocuments,
        metrics: InputMetrics,
        log: FilteringBoundLogger,
        max_message: int,
        seen: SeenCursors,
    ) -> None:
        self.take_documents = take_documents
        self.metrics = metrics
        self.log = log
        self.max_message = max_message
        self.seen = seen

    def routes(self) -> Routes:
        """Return the one route."""
        # A body that is compressed would have to be told from one that is not, and what it
        # inflates to be bounded; an uploader that was not asked to compress does not.
        upload = StreamRoute(self.begin, check=refuse_type, patient=True, codings=())
        return {("POST", PATH): upload}

    def begin(self, request: Request, respond: Respond) -> "JournalUpload":
        """Return who takes the body of a request."""
        return JournalUpload(self, request, respond)


class JournalUpload:
    """The body of one request, as it comes."""

    def __init__(self, route: JournalRoute, request: Request, respond: Respond) -> None:
        self._route = route
        self._peer = request.peer
        self._respond = respond
        self._framer = JournalExportFramer(max_message=route.max_message)
        self._accepted = 0
        self._repeats = 0
        self._unstored = 0
        self._is_read = False

    @property
    def held_bytes(self) -> int:
        """The entry under way."""
        return self._framer.held_bytes

    def data(self, data: bytes) -> None:
        """Take the entries that are complete by now."""
        self._take(self._framer.receive_data(data))

    def end(self) -> None:
        """Answer when all is stored."""
        self._take(self._framer.receive_eof())
        if self._repeats:
            # They were taken, but may not be stored yet: what goes down now is stored behind them.
            self._hand_down([])
        self._is_read = True
        self._answer_if_stored()

    def abort(self) -> None:
        """Forget the entry under way: it will come again."""

    def _take(self, found: Entries) -> None:
        metrics, seen = self._route.metrics, self._route.seen
        for reason, count in found.faults.items():
            metrics.fault(reason, count)
        fresh = [entry for entry in found.entries if cursor_of(entry) not in seen]
        repeats = len(found.entries) - len(fresh)
        metrics.repeats += repeats
        self._repeats += repeats
        if not fresh:
            return
        metrics.truncated += sum(1 for entry in fresh if entry.message_length)
        self._hand_down(fresh)
        # Not before they were taken: what failed must not pass for a repeat when it comes again.
        for entry in fresh:
            seen.add(cursor_of(entry))

    def _hand_down(self, entries: list[JournalEntry]) -> None:
        self._unstored += 1
        batch = self._route.take_documents(
            entries, self._peer, format=FORMAT, on_stored=self._stored, on_failed=_never
        )
        self._accepted += len(batch.records)

    def _stored(self) -> None:
        self._unstored -= 1
        self._answer_if_stored()

    def _answer_if_stored(self) -> None:
        if self._unstored == 0 and self._is_read:
            self._route.log.debug(
                "ingest", input="journal", accepted=self._accepted, repeats=self._repeats
            )
            self._respond(_TAKEN)


def _never(_: Exception) -> None:
    """Entries do not wait for others, so that what fails is raised."""


def cursor_of(entry: JournalEntry) -> str:
    """Return the cursor of an entry; empty where it has none."""
    cursor = entry.fields.get(CURSOR, "")
    return cursor if isinstance(cursor, str) else ""


def refuse_type(request: Request) -> Response | None:
    """Refuse, by the head alone, what is no journal."""
    if content_type_of(request)[0] == CONTENT_TYPE:
        return None
    return error_response(
        415,
        f"the Content-Type must be {CONTENT_TYPE}, as systemd-journal-upload sends it",
        headers=(("Accept", CONTENT_TYPE),),
    )
