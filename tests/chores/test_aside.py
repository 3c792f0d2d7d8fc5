import asyncio
import threading

import pytest

from logopsd.chores.aside import Aside, aside


def test_the_result_comes_back() -> None:
    """What the work returns is returned, and it ran in another thread."""

    async def ask() -> tuple[int, bool]:
        return await aside(lambda: (5, threading.current_thread() is threading.main_thread()))

    assert asyncio.run(ask()) == (5, False)


def test_an_error_comes_back() -> None:
    """What the work raises is raised to who waits for it."""

    def fail() -> None:
        raise OSError("no")

    with pytest.raises(OSError, match="no"):
        asyncio.run(aside(fail))


def test_who_is_cancelled_waits_no_longer() -> None:
    """The end of the loop does not wait for work that hangs, nor mind its late end."""
    hangs, ended = threading.Event(), threading.Event()

    def work() -> None:
        hangs.wait(20)
        ended.set()

    async def ask() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await aside(work)

    asyncio.run(ask())
    hangs.set()
    assert ended.wait(20)


def test_a_late_end_while_the_loop_still_runs_is_nothing() -> None:
    """The result of cancelled work is thrown away."""
    go_on, ended = threading.Event(), threading.Event()

    async def ask() -> None:
        loop = asyncio.get_running_loop()
        task = asyncio.ensure_future(aside(lambda: go_on.wait(20)))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        errors: list[object] = []
        loop.set_exception_handler(lambda _, context: errors.append(context))
        go_on.set()
        after = loop.create_future()
        threading.Timer(0.05, lambda: loop.call_soon_threadsafe(after.set_result, None)).start()
        await after
        assert errors == []
        ended.set()

    asyncio.run(ask())
    assert ended.is_set()


def test_work_of_one_kind_takes_one_thread() -> None:
    """Who is cancelled leaves it to end, and the next waits for that."""
    go_on = threading.Event()
    done: list[str] = []

    def hang() -> None:
        go_on.wait(20)
        done.append("first")
        raise OSError("nobody hears of it")

    async def ask() -> None:
        errors: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: errors.append(context))
        one = Aside()
        before = set(threading.enumerate())
        for _ in range(3):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.01):
                    await one.run(hang)
        assert len(set(threading.enumerate()) - before) == 1
        asyncio.get_running_loop().call_later(0.01, go_on.set)
        await one.run(lambda: done.append("second"))
        assert errors == []

    asyncio.run(ask())
    assert done == ["first", "second"]
