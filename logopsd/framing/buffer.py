"""What the framers share: the frame under way, held in bounded memory, and the result."""

from logopsd.records import Frames


class PartialFrame:
    """A frame whose end has not arrived yet; holds at most `limit` bytes of it.

    Each byte is looked at once, however slowly the frame comes. What is beyond the limit is
    counted and let go. Bytes of `trim` at either end belong to the delimiters around the frame,
    and neither to its content nor to its length.

    Args:
        limit: the most bytes to hold.
        trim: the bytes that are no content at the ends of a frame.
    """

    def __init__(self, *, limit: int, trim: bytes) -> None:
        self._limit = limit
        self._trim = trim
        self._held = bytearray()
        self._seen = 0
        self._length = 0

    def __len__(self) -> int:
        """How many bytes of the frame have come."""
        return self._seen

    @property
    def held(self) -> bytes:
        """What is held of the frame so far."""
        return bytes(self._held)

    def add(self, piece: bytes) -> None:
        """Append the next bytes of the frame."""
        if not self._seen:
            piece = piece.lstrip(self._trim)
        room = self._limit - len(self._held)
        if room > 0:
            self._held += piece if len(piece) <= room else piece[:room]
        content = piece.rstrip(self._trim)
        if content:
            self._length = self._seen + len(content)
        self._seen += len(piece)

    def finish(self) -> tuple[bytes, int]:
        """Take the frame, and start on the next.

        Returns:
            The frame, of `limit` bytes at most, and how long it was in bytes.
        """
        frame = bytes(self._held[: self._length])
        length = self._length
        self._held.clear()
        self._seen = self._length = 0
        return frame, length


class FrameList:
    """Collects what one call of a framer found; `frames` may be appended to directly.

    Attributes:
        frames: the frames so far.
        cut: as in Frames.
    """

    def __init__(self) -> None:
        self.frames: list[bytes] = []
        self.cut: dict[int, int] = {}
        self._faults: dict[str, int] = {}

    def add(self, frame: bytes, length: int) -> None:
        """Append a frame that was `length` bytes long; an empty one is none."""
        if frame:
            if length > len(frame):
                self.cut[len(self.frames)] = length
            self.frames.append(frame)

    def extend(self, more: Frames) -> None:
        """Append what another framer found."""
        before = len(self.frames)
        for index, length in more.cut.items():
            self.cut[before + index] = length
        self.frames += more.frames

    def fault(self, reason: str) -> None:
        """Count a fault, by one of FAULTS."""
        self._faults[reason] = self._faults.get(reason, 0) + 1

    def result(self) -> Frames:
        """All of it, as it crosses to the next stage."""
        return Frames(self.frames, self.cut, self._faults)
