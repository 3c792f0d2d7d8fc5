"""What the start left for later is made when there is nothing to do."""

import asyncio
import subprocess
import sys

import pytest

from logopsd.chores import warming
from logopsd.patterns import compile_next, lazy_pattern


def test_patterns_are_compiled_a_turn_each(monkeypatch):
    """Whatever else is due goes between two of them."""
    seen = []
    left = [3]

    def one() -> bool:
        seen.append("pattern")
        left[0] -= 1
        return left[0] >= 0

    async def both() -> None:
        warm = asyncio.create_task(warming.compile_patterns())
        while not warm.done():
            await asyncio.sleep(0)
            if seen[-1:] == ["pattern"]:
                seen.append("other")

    monkeypatch.setattr(warming, "compile_next", one)
    asyncio.run(both())
    assert seen == ["pattern", "other"] * 4


def test_every_pattern_gets_its_turn():
    """Then no line waits for one."""
    lazy_pattern("a")
    asyncio.run(warming.compile_patterns())
    assert not compile_next()


def test_the_shutdown_ends_it(monkeypatch):
    """It is a task like the others, which are cancelled."""
    monkeypatch.setattr(warming, "compile_next", lambda: True)

    async def cancelled() -> bool:
        warm = asyncio.create_task(warming.compile_patterns())
        await asyncio.sleep(0)
        warm.cancel()
        await asyncio.gather(warm, return_exceptions=True)
        return warm.cancelled()

    assert asyncio.run(cancelled())


def test_the_page_is_imported_before_it_is_asked_for():
    """Of a process of its own, as others have it imported."""
    code = (
        "import asyncio, sys; from logopsd.chores import warming; "
        "assert warming.PAGE not in sys.modules; asyncio.run(warming.load_page()); "
        "assert warming.PAGE in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("failure", [OSError(24, "Too many open files"), ImportError()])
def test_an_import_for_which_there_was_no_file_is_tried_again(monkeypatch, failure):
    """A flood of connections may have taken all; it is no reason to end."""
    tried = []

    def load(name: str) -> None:
        tried.append(name)
        if len(tried) < 3:
            raise failure

    monkeypatch.setattr(warming, "import_module", load)
    monkeypatch.setattr(warming, "RETRY_SECONDS", 0)
    asyncio.run(warming.load_page())
    assert tried == [warming.PAGE] * 3


def test_what_cannot_be_imported_is_left_to_the_scrape(monkeypatch):
    """Which then says so."""
    tried = []

    def load(name: str) -> None:
        tried.append(name)
        raise ImportError

    monkeypatch.setattr(warming, "import_module", load)
    monkeypatch.setattr(warming, "RETRY_SECONDS", 0)
    asyncio.run(warming.load_page())
    assert len(tried) == warming.ATTEMPTS
