"""Tests of logopsd.framing.buffer."""

from hypothesis import given
from hypothesis import strategies as st

from logopsd.framing.buffer import FrameList, PartialFrame
from logopsd.records import Frames

PIECES = st.lists(st.text("ab\r\n", max_size=5).map(str.encode))


class TestPartialFrame:
    @given(pieces=PIECES, limit=st.integers(1, 20))
    def test_it_holds_what_one_piece_would(self, pieces: list[bytes], limit: int) -> None:
        """A frame in pieces is the whole, trimmed, then cut; its length is the whole's."""
        partial = PartialFrame(limit=limit, trim=b"\r\n")
        for piece in pieces:
            partial.add(piece)

        whole = b"".join(pieces).strip(b"\r\n")
        assert partial.finish() == (whole[:limit], len(whole))

    @given(pieces=PIECES)
    def test_it_never_holds_more_than_the_limit(self, pieces: list[bytes]) -> None:
        """However much comes, the limit is held and no more."""
        partial = PartialFrame(limit=7, trim=b"\r")
        for piece in pieces:
            partial.add(piece)

            assert len(partial.held) <= 7

    def test_it_can_be_used_again(self) -> None:
        """A finished frame leaves nothing behind for the next one."""
        partial = PartialFrame(limit=3, trim=b"\r")
        partial.add(b"abcdef")
        partial.finish()
        partial.add(b"xy")

        assert partial.finish() == (b"xy", 2)

    def test_it_has_not_begun_while_only_trimmed_bytes_came(self) -> None:
        """Bytes that belong to the delimiter in front of a frame do not begin it."""
        partial = PartialFrame(limit=3, trim=b"\r")
        partial.add(b"\r\r")

        assert not partial


class TestFrameList:
    def test_an_empty_frame_is_none(self) -> None:
        """A frame of no bytes is not listed."""
        out = FrameList()
        out.add(b"", 0)

        assert out.result() == Frames([], {}, {})

    def test_cut_frames_keep_their_places_when_lists_are_joined(self) -> None:
        """The index of a cut frame follows it into a longer list, its original length with it."""
        out = FrameList()
        out.add(b"a", 1)
        out.extend(Frames([b"b", b"c"], {1: 9}))

        assert out.result() == Frames([b"a", b"b", b"c"], {2: 9}, {})

    def test_faults_are_counted_by_reason(self) -> None:
        """Each fault adds one to its reason."""
        out = FrameList()
        out.fault("resync")
        out.fault("resync")
        out.fault("incomplete")

        assert out.result().faults == {"resync": 2, "incomplete": 1}
