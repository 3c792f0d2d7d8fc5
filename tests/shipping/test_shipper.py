"""What the shipper does with what the target says."""

import asyncio
import json
from pathlib import Path

import pytest

from logopsd.errors import LogopsError, RemoteError
from logopsd.figures.shipping import ShipFigures
from logopsd.shipping import cut, folder
from logopsd.shipping.cut import Cut
from logopsd.shipping.positions import PositionFile
from logopsd.shipping.shipper import Shipper
from logopsd.shipping.target import Sent
from tests.shipping.helpers import Stream, line, quiet, ship

DAY = "20261123.ndjson"


def positions(directory: Path) -> dict[str, int]:
    """How far each file is sent, as it stands on the disk."""
    data = json.loads((directory / ".ship-nats.json").read_text())
    return {name: each["offset"] for name, each in data["files"].items()}


def test_files_go_in_the_order_of_day_stem_and_number(tmp_path: Path) -> None:
    """As the sink wrote them, ten behind nine; what is none of the sink's is left alone."""
    names = ["20261123.ndjson", "20261123-9.ndjson", "20261123-10.ndjson", "20261124.ndjson"]
    for number, name in enumerate(names):
        (tmp_path / name).write_bytes(line(number))
    (tmp_path / "notes.ndjson").write_bytes(line(99))
    (tmp_path / f"{DAY}.torn").write_bytes(line(98))
    stream = Stream()

    assert ship(tmp_path, stream)
    assert stream.lines() == [line(number) for number in range(4)]
    assert positions(tmp_path) == {name: len(line(0)) for name in names}


def test_a_line_without_its_end_waits(tmp_path: Path) -> None:
    """It is sent once it is whole."""
    (tmp_path / DAY).write_bytes(line(0) + line(1)[:-5])
    stream = Stream()
    ship(tmp_path, stream)
    assert stream.lines() == [line(0)]

    (tmp_path / DAY).write_bytes(line(0) + line(1))
    ship(tmp_path, stream)
    assert stream.lines() == [line(0), line(1)]


def test_figures_say_what_was_sent_and_what_is_behind(tmp_path: Path) -> None:
    """Duplicates are those that the stream had, failures the attempts that were made again."""
    (tmp_path / DAY).write_bytes(line(0) + line(1, level="WARN"))
    figures = ShipFigures()

    assert ship(tmp_path, Stream(), ["refuse", "part"], figures=figures)

    assert (figures.records, figures.publishes, figures.failures) == (2, 2, 2)
    assert figures.duplicates == 1
    assert figures.bytes == len(line(0) + line(1, level="WARN"))
    assert figures.lag_bytes() == 0
    assert figures.connected


def test_a_file_that_was_replaced_is_sent_from_its_start(tmp_path: Path) -> None:
    """Its name is known, but the bytes before the position are others."""
    stream = Stream()
    (tmp_path / DAY).write_bytes(line(0))
    ship(tmp_path, stream)
    (tmp_path / DAY).write_bytes(line(5) + line(6))

    ship(tmp_path, stream)

    assert stream.lines() == [line(0), line(5), line(6)]


def test_a_file_that_a_crash_cut_back_is_sent_again(tmp_path: Path) -> None:
    """What was written into the gap must not be skipped."""
    stream = Stream()
    (tmp_path / DAY).write_bytes(line(0) + line(1))
    ship(tmp_path, stream)
    (tmp_path / DAY).write_bytes(line(0))
    ship(tmp_path, stream)
    (tmp_path / DAY).write_bytes(line(0) + line(2) + line(3))

    ship(tmp_path, stream)

    assert {line(2), line(3)} <= set(stream.lines())


def test_a_file_that_got_another_name_is_not_sent_twice(tmp_path: Path) -> None:
    """It is known by its inode; one that was copied, by its name and content."""
    stream = Stream()
    (tmp_path / DAY).write_bytes(line(0))
    ship(tmp_path, stream)
    (tmp_path / DAY).rename(tmp_path / "20261123-1.ndjson")
    ship(tmp_path, stream)
    data = (tmp_path / "20261123-1.ndjson").read_bytes()
    (tmp_path / "20261123-1.ndjson").unlink()
    (tmp_path / "20261123-1.ndjson").write_bytes(data)
    ship(tmp_path, stream)

    assert stream.lines() == [line(0)]
    assert list(positions(tmp_path)) == ["20261123-1.ndjson"]


def test_damaged_positions_have_all_sent_again(tmp_path: Path) -> None:
    """Twice is better than not at all; and the log says so."""
    stream = Stream()
    (tmp_path / DAY).write_bytes(line(0))
    for damage in ("{", '{"version":1,"files":{"x":{"dev":-1}},"source":"a","follows":true}', "[]"):
        (tmp_path / ".ship-nats.json").write_text(damage)
        log, kept = quiet()
        shipper = Shipper(tmp_path, stream, figures=ShipFigures(), log=log, once=True)
        asyncio.run(shipper.run())
        assert [call.args or call.kwargs for call in kept.calls]

    assert stream.lines() == [line(0)] * 3


def test_one_folder_has_one_shipper(tmp_path: Path) -> None:
    """The second is told, and the positions stay those of the first."""
    first = PositionFile(tmp_path, "nats")
    first.lock()

    with pytest.raises(LogopsError, match="another process ships"):
        ship(tmp_path, Stream())

    first.unlock()
    assert ship(tmp_path, Stream())


def test_who_cannot_save_a_position_does_not_begin(tmp_path: Path) -> None:
    """And lets go of the folder: it may be tried again once there is room."""
    (tmp_path / DAY).write_bytes(line(0))
    (tmp_path / ".ship-nats.new").mkdir()
    stream = Stream()

    with pytest.raises(OSError, match="directory"):
        ship(tmp_path, stream)

    assert not stream.stored
    (tmp_path / ".ship-nats.new").rmdir()
    assert ship(tmp_path, stream)


def test_a_folder_that_is_not_there_names_the_setting(tmp_path: Path) -> None:
    """Nothing is made."""
    with pytest.raises(LogopsError, match="LOGOPS_SINK_DIR"):
        ship(tmp_path / "none", Stream())


def test_a_line_that_fits_into_no_message_is_counted_and_told(tmp_path: Path) -> None:
    """What stands behind it is sent."""
    (tmp_path / DAY).write_bytes(line(0, size=2000) + line(1))
    figures = ShipFigures()

    assert ship(tmp_path, (stream := Stream()), figures=figures)

    assert stream.lines() == [line(1)]
    assert figures.skipped["too_large"] == 1


def test_a_line_that_would_take_all_memory_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is read in pieces, looked through for its end, and counted."""
    monkeypatch.setattr(cut, "BLOCK_BYTES", 400)
    monkeypatch.setattr(folder, "BLOCK_BYTES", 400)
    monkeypatch.setattr(folder, "MAX_LINE_BYTES", 5000)
    (tmp_path / DAY).write_bytes(line(0) + line(1, size=9000) + line(2) + line(3, size=3000))
    figures = ShipFigures()

    assert ship(tmp_path, (stream := Stream(limit=4000)), figures=figures)

    assert stream.lines() == [line(0), line(2), line(3, size=3000)]
    assert figures.skipped["too_large"] == 1


def test_a_target_that_stays_away_ends_once_after_a_while(tmp_path: Path) -> None:
    """Nobody waits for ever for what was to be done once."""
    (tmp_path / DAY).write_bytes(line(0))
    seconds = iter(range(0, 9000, 20))

    with pytest.raises(RemoteError, match="away"):
        ship(tmp_path, Stream(), ["refuse"] * 99, clock=lambda: float(next(seconds)))


def test_at_the_end_what_is_in_flight_is_waited_for_a_little(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An acknowledgement that comes counts; one that does not keeps nobody."""
    monkeypatch.setattr("logopsd.shipping.shipper.STOP_SECONDS", 0.01)
    (tmp_path / DAY).write_bytes(line(0))

    async def live(comes: bool) -> int:
        stream = Stream()
        log, _ = quiet()
        send = stream.send

        async def slow(cut: Cut, source: str) -> Sent:
            shipper.stop()
            await asyncio.sleep(0 if comes else 3600)
            return await send(cut, source)

        stream.send = slow  # type: ignore[method-assign]
        shipper = Shipper(tmp_path, stream, figures=ShipFigures(), log=log)
        await shipper.run()
        return positions(tmp_path)[DAY]

    assert asyncio.run(live(comes=False)) == 0
    assert asyncio.run(live(comes=True)) == len(line(0))


class Refusing(Stream):
    """Refuses for good."""

    async def send(self, *_: object) -> None:  # type: ignore[override]
        """See `Target.send`."""
        raise RemoteError("no stream; make it", passing=False)


def test_once_ends_with_what_does_not_pass(tmp_path: Path) -> None:
    """Nobody waits for a stream that must be made by hand; the position is where it was."""
    (tmp_path / DAY).write_bytes(line(0))

    with pytest.raises(RemoteError, match="make it"):
        ship(tmp_path, Refusing())

    assert positions(tmp_path) == {DAY: 0}


def test_following_goes_on_with_what_comes_and_ends_when_asked(tmp_path: Path) -> None:
    """A file that is moved away in between is sent to its end; midnight makes no gap."""

    async def live() -> list[bytes]:
        stream = Stream()
        log, _ = quiet()
        looks = 0

        async def pause(_: float) -> None:
            nonlocal looks
            looks += 1
            if looks == 1:
                with (tmp_path / DAY).open("ab") as file:
                    file.write(line(1))
                (tmp_path / DAY).rename(tmp_path / "moved")
                (tmp_path / DAY).write_bytes(line(2))
            elif looks == 2:
                (tmp_path / "20261124.ndjson").write_bytes(line(3))
            elif looks == 3:
                shipper.stop()

        (tmp_path / DAY).write_bytes(line(0))
        figures = ShipFigures()
        shipper = Shipper(tmp_path, stream, figures=figures, log=log, pause=pause)
        await shipper.run()
        assert figures.oldest is None
        assert stream.closed == 1
        return stream.lines()

    assert asyncio.run(live()) == [line(number) for number in range(4)]
    assert json.loads((tmp_path / ".ship-nats.json").read_text())["follows"] is True


def test_while_the_target_is_away_the_end_is_not_waited_for(tmp_path: Path) -> None:
    """And it is told once, not at each attempt."""
    (tmp_path / DAY).write_bytes(line(0))

    async def live() -> int:
        stream = Stream()
        stream.outcomes = ["refuse"] * 9
        log, kept = quiet()
        left = iter(range(5))

        async def pause(_: float) -> None:
            if next(left, None) is None:
                shipper.stop()

        figures = ShipFigures()
        shipper = Shipper(tmp_path, stream, figures=figures, log=log, pause=pause)
        await shipper.run()
        assert figures.failures == 6
        assert figures.oldest is not None
        assert not stream.stored
        return len(kept.calls)

    assert asyncio.run(live()) == 1
    assert positions(tmp_path) == {DAY: 0}
