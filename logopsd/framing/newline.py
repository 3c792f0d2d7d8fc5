"""Frames that end with a delimiter: RFC 6587 section 3.4.2, non-transparent framing."""

from logopsd.framing.buffer import FrameList, PartialFrame
from logopsd.records import Frames


class NewlineFramer:
    r"""Lines that end with LF, CRLF or NUL.

    A NUL is a delimiter wherever it stands: some senders end with it alone (Python's
    SysLogHandler), some with LF NUL (Perl's Sys::Syslog), and no text holds one. CR beside a
    delimiter belongs to the delimiter.

    Args:
        max_message: the most bytes of a frame; a longer one is cut there.

    Attributes:
        partial: the line whose delimiter has not come yet.
    """

    _TRIM = b"\r"

    def __init__(self, *, max_message: int) -> None:
        self._max_message = max_message
        self.partial = PartialFrame(limit=max_message, trim=self._TRIM)

    def receive_data(self, data: bytes) -> Frames:
        """Take the next bytes of the stream.

        Args:
            data: any number of them.

        Returns:
            The frames that are complete by now.
        """
        out = FrameList()
        self.take(data, out)
        return out.result()

    def receive_eof(self) -> Frames:
        """End the stream.

        Returns:
            The last line, if it came without its delimiter.
        """
        out = FrameList()
        out.add(*self.partial.finish())
        return out.result()

    def take(self, data: bytes, out: FrameList) -> None:
        """Do as `receive_data`, with the frames appended to `out`."""
        lines = self._split(data)
        tail = lines.pop()
        if lines and self.partial:
            self.partial.add(lines[0])
            out.add(*self.partial.finish())
            del lines[0]
        if lines:
            self._add(lines, data, out)
        if tail:
            self.partial.add(tail)

    def _split(self, data: bytes) -> list[bytes]:
        """Cut at the delimiters; the last item is what has none yet."""
        if b"\0" in data:
            data = data.replace(b"\0", b"\n")
        return data.split(b"\n")

    def _add(self, lines: list[bytes], data: bytes, out: FrameList) -> None:
        """Append whole lines out of `data`, without the CRs and the empty ones."""
        if b"\r" in data:
            lines = [line.strip(self._TRIM) for line in lines]
        lines = list(filter(None, lines))
        # No line is longer than the read it came in, which mostly is within the limit.
        if len(data) > self._max_message:
            for line in lines:
                out.add(line[: self._max_message], len(line))
        else:
            out.frames += lines


class NulFramer(NewlineFramer):
    """Messages that end with NUL and may hold LF; CR and LF beside a NUL belong to it."""

    _TRIM = b"\r\n"

    def _split(self, data: bytes) -> list[bytes]:
        return data.split(b"\0")

    def _add(self, lines: list[bytes], data: bytes, out: FrameList) -> None:
        for line in lines:
            frame = line.strip(self._TRIM)
            out.add(frame[: self._max_message], len(frame))
