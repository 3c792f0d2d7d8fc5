"""Frames into records: tells the formats apart and hands each line to its parser.

The parsers are tried by the first character of a line, the most usual first. The last of them,
plain, understands everything, so that each frame becomes exactly one record.
"""

import codecs
from collections.abc import Iterable, Sequence
from datetime import tzinfo
from itertools import chain, repeat
from typing import TYPE_CHECKING, Final

from logopsd import compiled
from logopsd.parsing.cut import without_halves
from logopsd.parsing.json_line import JsonLineParser
from logopsd.parsing.messages import MessageReader, hint_of, match_message
from logopsd.parsing.normalize import Normalizer, complete
from logopsd.parsing.plain import PlainParser
from logopsd.parsing.priority import PRIORITIES
from logopsd.parsing.rfc3164 import Rfc3164Parser
from logopsd.parsing.rfc5424 import Rfc5424Parser
from logopsd.parsing.timestamps import GUESSED_YEAR_AND_ZONE, Stamps
from logopsd.records import Batch, Frames, Record

if TYPE_CHECKING:
    from logopsd.compiled.headers import HeaderReader

INVALID_UTF8: Final = "invalid-utf8"
"""What `encoding` says of a record with bytes that were not UTF-8."""

BOM: Final = "\ufeff"
_TRAILERS: Final = "\r\n\0"

_AS_LATIN1: Final = "logopsd-latin1"


class LineParser:
    """Makes a record of every frame; lives as long as the daemon and holds the caches.

    Args:
        tz: the zone of stamps that carry none.
        use_compiled: usual headers are read by what was compiled for them, where it was.
    """

    def __init__(self, *, tz: tzinfo, use_compiled: bool = True) -> None:
        self.stamps = Stamps(tz=tz)
        self._headers = _make_headers(self.stamps) if use_compiled else None
        normalizer = Normalizer(self.stamps)
        self._messages = messages = MessageReader(self.stamps, normalizer)
        self._rfc5424 = Rfc5424Parser(self.stamps, messages)
        self._rfc3164 = Rfc3164Parser(self.stamps, messages)
        self._json = JsonLineParser(normalizer)
        self._plain = PlainParser(self.stamps)

    def parse(
        self,
        frames: Frames,
        peers: str | Sequence[str] | None,
        batch: Batch,
        *,
        default_emitter: str | None = None,
    ) -> None:
        """Append one record a frame to the batch, in order; never raises.

        Args:
            frames: what a framer cut, with which of them are cut off.
            peers: the peer of all frames, or one for each.
            batch: gets the records and the counts of what they lacked.
            default_emitter: the producer of lines that name none; the input, where not given.
        """
        self.stamps.at(batch.now)
        emitter = default_emitter or batch.input
        if self._headers is None or frames.cut:
            self._parse_frames(frames, peers, batch, emitter)
            return
        try:
            records, left, hinted = self._headers.read(
                frames.frames, peers, batch.input, batch.received, emitter
            )
            for place in hinted:
                if hint := hint_of(records[place].msg):
                    self._messages.read(records[place], hint)
        except Exception:  # a bug, as below
            self._parse_frames(frames, peers, batch, emitter)
            return
        if left:
            self._parse_left(frames.frames, left, peers, batch, emitter)
            start = len(batch.records) - len(left)
            for place, record in zip(left, batch.records[start:], strict=True):
                records[place] = record
            del batch.records[start:]
        batch.records += records

    def _parse_left(
        self,
        frames: Sequence[bytes],
        left: Sequence[int],
        peers: str | Sequence[str] | None,
        batch: Batch,
        emitter: str,
    ) -> None:
        """Append the records of the frames at the places in `left`."""
        if peers is not None and not isinstance(peers, str):
            peers = [peers[place] for place in left if place < len(peers)]
        chosen = frames if len(left) == len(frames) else [frames[place] for place in left]
        self._parse_frames(Frames(list(chosen)), peers, batch, emitter)

    def _parse_frames(
        self,
        frames: Frames,
        peers: str | Sequence[str] | None,
        batch: Batch,
        emitter: str,
    ) -> None:
        """Append one record a frame, read by the patterns: the reference of what is compiled."""
        texts, invalid = decode_frames(frames.frames)
        for index in frames.cut:
            texts[index] = without_halves(texts[index])
        records = batch.records
        start = len(records)
        missing = batch.missing_ts, batch.missing_level
        try:
            self._parse_each(texts, peers, batch, emitter)
        except Exception:
            # A parser that raises is a bug; it may cost the fields of a line, but no line.
            del records[start:]
            batch.missing_ts, batch.missing_level = missing
            self._parse_warily(texts, peers, batch, emitter)
        for index in invalid:
            records[start + index].encoding = INVALID_UTF8
        for index, length in frames.cut.items():
            records[start + index].truncated = True
            records[start + index].original_length = length

    def _parse_each(
        self,
        texts: Sequence[str],
        peers: str | Sequence[str] | None,
        batch: Batch,
        emitter: str,
    ) -> None:
        records = batch.records
        # No line is understood by both, and senders mostly stay with one: try the last one first.
        usual, other = self._rfc3164.parse, self._rfc5424.parse
        parse_other = self._parse_other
        for text, peer in zip(texts, _each_peer(peers), strict=False):
            if text[:1] == "<" and text[-1] >= " ":
                record = usual(text, peer, batch, emitter)
                if record is None:
                    usual, other = other, usual
                    record = usual(text, peer, batch, emitter)
                if record is not None:
                    records.append(record)
                    continue
            records.append(parse_other(text, peer, batch, emitter))

    def _parse_warily(
        self,
        texts: Sequence[str],
        peers: str | Sequence[str] | None,
        batch: Batch,
        emitter: str,
    ) -> None:
        """Parse line by line, and keep as it stands each line on which a parser raises."""
        for text, peer in zip(texts, _each_peer(peers), strict=False):
            missing = batch.missing_ts, batch.missing_level
            try:
                self._parse_each([text], peer, batch, emitter)
            except Exception:
                batch.missing_ts, batch.missing_level = (count + 1 for count in missing)
                batch.failed += 1
                batch.records.append(
                    Record(
                        batch.received,
                        "INFO",
                        text,
                        emitter=emitter,
                        input=batch.input,
                        peer=peer,
                        received=batch.received,
                        format="plain",
                    )
                )

    def _parse_other(self, text: str, peer: str | None, batch: Batch, emitter: str) -> Record:
        """Understand any line whatever, by its first character."""
        text = text.rstrip(_TRAILERS).removeprefix(BOM)
        start = text.lstrip()
        record: Record | None
        if start.startswith("<"):
            record = (
                self._rfc5424.parse(start, peer, batch, emitter)
                or self._rfc3164.parse(start, peer, batch, emitter)
                or self._rfc3164.parse_unusual(start, peer, batch, emitter)
            )
        elif start.startswith("{"):
            record = self._json.parse(start, peer, batch, emitter)
        else:
            record = self._rfc3164.parse_without_pri(text, peer, batch, emitter)
            record = record or self._parse_bare_message(text, peer, batch, emitter)
        return record or self._plain.parse(text, peer, batch, emitter)

    def _parse_bare_message(
        self, text: str, peer: str | None, batch: Batch, emitter: str
    ) -> Record | None:
        """Understand a structured message that has no syslog header before it."""
        hint, msg = match_message(text, 0)
        if not hint:
            return None
        record = Record(
            "", "", msg, None, emitter, input=batch.input, peer=peer, received=batch.received
        )
        record.format = "plain"
        if not self._messages.read(record, hint):
            return None
        complete(record, batch)
        return record


def _make_headers(stamps: Stamps) -> "HeaderReader[Record] | None":
    if compiled.HeaderReader is None:
        return None
    priorities = [PRIORITIES[str(number)] for number in range(len(PRIORITIES))]
    return compiled.HeaderReader(Record, priorities, stamps.bsd, stamps.iso, GUESSED_YEAR_AND_ZONE)


def decode_frames(frames: Sequence[bytes]) -> tuple[list[str], list[int]]:
    """Return the frames as text, and the places of those that are not UTF-8.

    A byte that is not UTF-8 becomes the Latin-1 character of its value; the valid parts of the
    frame are kept.
    """
    try:
        return list(map(bytes.decode, frames)), []
    except UnicodeDecodeError:
        pass
    texts = []
    invalid = []
    for index, frame in enumerate(frames):
        try:
            texts.append(frame.decode())
        except UnicodeDecodeError:
            texts.append(frame.decode(errors=_AS_LATIN1))
            invalid.append(index)
    return texts, invalid


def _decode_latin1(error: UnicodeError) -> tuple[str, int]:
    """Hand an invalid byte out as Latin-1: such text stays readable, and every byte is known."""
    assert isinstance(error, UnicodeDecodeError)
    return error.object[error.start : error.end].decode("latin-1"), error.end


codecs.register_error(_AS_LATIN1, _decode_latin1)


def _each_peer(peers: str | Sequence[str] | None) -> Iterable[str | None]:
    if peers is None or isinstance(peers, str):
        return repeat(peers)
    # A frame without a peer is still a frame.
    return chain(peers, repeat(None))
