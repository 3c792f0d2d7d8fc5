"""Work that may block, in a thread that nobody waits for at the end of the process.

The threads of `asyncio.to_thread` are joined before the process ends: on a disk that hangs, one of
them would hold up the end for as long as the disk likes.
"""

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar

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
