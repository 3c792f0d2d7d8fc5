"""Work that may block, in a thread that nobody waits for at the end of the process.

The threads of `asyncio.to_thread` are joined before the process ends: on a disk that hangs, one of
them would hold up the end for as long as the disk likes.
"""

import asyncio
import threading
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


async def aside(work: Callable[[], T]) -> T:
    """Have a callable run in a thread of its own, and return what it returns or raise what it does.

    Who is cancelled meanwhile waits no longer; the work goes on, and ends with the process.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if done.cancelled():
            return
        if error is None:
            done.set_result(result)  # type: ignore[arg-type]  # None only where it is the result
        else:
            done.set_exception(error)

    def run() -> None:
        try:
            result, error = work(), None
        except BaseException as caught:
            result, error = None, caught
        try:
            loop.call_soon_threadsafe(settle, result, error)
        except RuntimeError:  # the loop is closed: nobody waits any more
            pass

    threading.Thread(target=run, name="aside", daemon=True).start()
    return await done


class Aside:
    """The same for work of one kind, one at a time: a disk that hangs holds one thread, not many.

    Who is cancelled leaves its work to end, and the next one waits for that.
    """

    def __init__(self) -> None:
        self._running: asyncio.Task[Any] | None = None

    async def run(self, work: Callable[[], T]) -> T:
        """Have a callable run when the one before has ended; else as `aside`."""
        while self._running is not None:
            await asyncio.wait([self._running])
        self._running = task = asyncio.create_task(aside(work))
        task.add_done_callback(self._ended)
        return await asyncio.shield(task)

    def _ended(self, task: "asyncio.Task[Any]") -> None:
        self._running = None
        if not task.cancelled():
            task.exception()  # perhaps nobody waits to hear of it
