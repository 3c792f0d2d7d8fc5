import threading
from pathlib import Path

from logopsd.chores.free_space import FreeSpace, free_bytes


def test_the_room_is_known_from_the_start(tmp_path: Path) -> None:
    """The first answer is there once it was started, and is that of the file system."""
    space = FreeSpace(tmp_path)
    assert space.value is None
    space.start()
    space.stop()

    assert space.value is not None
    assert abs(space.value - free_bytes(tmp_path)) < 2**30


def test_it_is_asked_again_and_a_missing_answer_is_none(tmp_path: Path) -> None:
    """Each answer takes the place of the last; a directory that is gone has no room."""
    answers = iter([5, 4])
    asked = threading.Event()

    def ask(_: Path) -> int:
        answer = next(answers, None)
        if answer is None:
            asked.set()
            raise OSError
        return answer

    space = FreeSpace(tmp_path, interval=0.001, ask=ask)
    space.start()
    assert asked.wait(20)
    asked.clear()
    assert asked.wait(20)  # so the first of them was taken note of
    space.stop()

    assert space.value is None


def test_a_disk_that_hangs_holds_up_nobody(tmp_path: Path) -> None:
    """While a question is not answered the last answer stands, and stop returns."""
    hangs, go_on = threading.Event(), threading.Event()
    first = threading.Event()

    def ask(_: Path) -> int:
        if first.is_set():
            hangs.set()
            go_on.wait(20)
        first.set()
        return 7

    space = FreeSpace(tmp_path, interval=0.001, ask=ask)
    space.start()
    assert hangs.wait(20)
    space.stop()

    assert space.value == 7
    go_on.set()
