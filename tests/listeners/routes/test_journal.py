"""POST /upload: journals, their repeats and faults."""

import pytest

from logopsd.parsing.cursors import SeenCursors
from logopsd.records import JournalEntry
from tests.listeners.http.helpers import get, head, post, post_chunked
from tests.listeners.routes.helpers import Case

JOURNAL = "Content-Type: application/vnd.fdo.journal"
S = "0123456789abcdef0123456789abcdef"


def entry(number: int, *fields: str) -> bytes:
    """Write an entry."""
    lines = [f"__CURSOR=s={S};i={number:x};b={S};m=1;t=2;x=3", f"MESSAGE={number}", *fields]
    return "".join(line + "\n" for line in lines).encode() + b"\n"


def upload(*chunks: bytes) -> bytes:
    """Write an upload in chunks."""
    headers = [JOURNAL, "Accept: text/plain"]
    return post_chunked(*chunks, headers=headers, path="/upload")


def messages(case: Case) -> list[object]:
    """Return the messages handed down."""
    return [each.fields["MESSAGE"] for each in case.intake.items]


def test_entries_are_taken_as_they_come() -> None:
    """In order, whatever the chunks; and answered as systemd-journal-remote does, when stored."""
    stream = entry(1) + entry(2) + entry(3)
    case = Case()
    case.client.send(upload(stream[:30], stream[30:200], stream[200:]))
    assert messages(case) == ["1", "2", "3"]
    assert set(case.intake.formats) == {"journal"}
    assert case.client.answers == []
    case.intake.store()
    ((status, headers, body),) = case.client.answers
    assert (status, headers["Content-Type"], body) == (202, "text/plain", b"OK.\n")


def test_entries_are_handed_down_before_the_body_ends() -> None:
    """It may never end."""
    case = Case()
    case.client.send(head("POST", "/upload", "Transfer-Encoding: chunked", JOURNAL))
    case.client.send(b"%x\r\n%b\r\n" % (len(entry(1)), entry(1)))
    assert messages(case) == ["1"]
    case.intake.store()
    case.client.wait(10_000)  # it may rest for as long as it likes
    assert case.client.answers == []
    assert not case.client.is_ended


def test_repeats_are_left_out_and_counted() -> None:
    """An uploader that starts over sends what was stored, too."""
    case = Case()
    for stream in (entry(1) + entry(2), entry(1) + entry(2) + entry(3)):
        case.client.send(upload(stream))
        case.intake.store()
    assert messages(case) == ["1", "2", "3"]
    assert case.client.statuses == [202, 202]
    assert case.journal_metrics.repeats == 2


def test_repeats_are_answered_when_what_they_repeat_is_stored() -> None:
    """The first upload broke off, and the sink has not stored yet what it brought."""
    case = Case()
    case.client.send(upload(entry(1))[:-5])
    first = case.intake.waiting.pop()
    case.client.connection.connection_lost(None)
    again = Case(seen=case.seen)
    again.client.send(upload(entry(1)))
    assert again.client.answers == []
    first()
    again.intake.store()  # the receipts come in the order of what was handed down
    assert again.client.statuses == [202]
    assert again.intake.items == []


def test_an_upload_of_nothing_is_answered_at_once() -> None:
    """There is nothing to wait for."""
    case = Case()
    case.client.send(upload())
    assert case.client.statuses == [202]


def test_another_uploader_is_told_what_was_seen() -> None:
    """What was seen is the daemon's, not the connection's."""
    seen = SeenCursors()
    Case(seen=seen).client.send(upload(entry(1)))
    case = Case(seen=seen)
    case.client.send(upload(entry(1)))
    assert case.journal_metrics.repeats == 1


def test_entries_without_a_cursor_are_all_taken() -> None:
    """Also one whose cursor is no text, or stands there twice."""
    case = Case()
    bare = b"MESSAGE=a\n\n"
    odd = b"__CURSOR=\xff\nMESSAGE=b\n\n__CURSOR=1\n__CURSOR=2\nMESSAGE=c\n\n"
    case.client.send(upload(bare + bare + odd + odd))
    assert messages(case) == ["a", "a", "b", "c", "b", "c"]


def test_bad_entries_are_left_out_and_counted() -> None:
    """The upload is no failure: it would begin again, with the same entry."""
    case = Case()
    case.client.send(upload(entry(1) + b"no field\n\n" + entry(2)))
    case.intake.store()
    assert messages(case) == ["1", "2"]
    assert case.client.statuses == [202]
    assert case.journal_metrics.faults["entry"] == 1


def test_long_messages_are_cut_and_counted() -> None:
    """As on every input."""
    case = Case(max_message=4)
    case.client.send(upload(b"MESSAGE=too long\n\n"))
    assert case.intake.items == [JournalEntry({"MESSAGE": "too "}, message_length=8)]
    assert case.journal_metrics.truncated == 1


def test_what_failed_is_no_repeat() -> None:
    """After a failure of ours the same entries are taken when they come again."""
    case = Case()
    case.intake.fails_at_call = 1
    case.client.send(upload(entry(1)), upload(entry(1)))
    case.intake.store()
    assert case.client.statuses == [500, 202]
    assert messages(case) == ["1"]
    assert case.journal_metrics.repeats == 0


def test_a_client_that_leaves() -> None:
    """What is complete is stored; the entry under way comes again."""
    case = Case()
    case.client.send(upload(entry(1) + entry(2)[:-1])[:-5])
    case.client.connection.connection_lost(None)
    case.intake.store()
    assert messages(case) == ["1"]


def test_it_is_kept_waiting_while_the_sink_is_full() -> None:
    """It is not refused, as it would start over; its body is read when there is room."""
    case = Case()
    case.client.service.paused = True
    case.client.send(head("POST", "/upload", "Transfer-Encoding: chunked", JOURNAL))
    assert case.client.answers == []
    assert not case.client.transport.reading
    case.client.service.paused = False
    case.client.connection.refresh()
    assert case.client.transport.reading


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (post(b"", path="/upload"), 415),
        (post(b"", "Content-Type: text/plain", path="/upload"), 415),
        (post(b"", JOURNAL, "Content-Encoding: zstd", path="/upload"), 415),
        (post(b"", JOURNAL, "Content-Encoding: gzip", path="/upload"), 415),
        (get("/upload"), 405),
        (post(b"", JOURNAL, path="/upload/x"), 404),
    ],
)
def test_what_is_refused(request_: bytes, status: int) -> None:
    """And no answer asks the uploader to compress."""
    case = Case()
    case.client.send(request_)
    ((answered, headers, _),) = case.client.answers
    assert answered == status
    assert "Accept-Encoding" not in headers


def test_each_upload_is_logged_at_debug() -> None:
    """With counts, and no text."""
    case = Case()
    case.client.send(upload(entry(1) + entry(2)))
    case.intake.store()
    assert case.client.log.events == [
        {"level": "debug", "event": "ingest", "input": "journal", "accepted": 2, "repeats": 0}
    ]
