"""What the start left for later, made once the daemon is ready and has nothing better to do.

The first odd line would else wait for its pattern, and all other lines with it: 1 ms, some 4. And
the first scrape would wait 30 ms for the library that writes the page.
"""

import asyncio
from functools import partial
from importlib import import_module
from typing import Final

from logopsd.chores.aside import aside
from logopsd.patterns import compile_next

PAGE: Final = "logopsd.figures.page"

ATTEMPTS: Final = 60
"""Times that it is tried to import it; a minute, by which a flood is over or here to stay."""

RETRY_SECONDS: Final = 1.0


async def compile_patterns() -> None:
    """Compile one pattern after the other, each in a turn of the loop of its own.

    What has come meanwhile goes between. All of them take a tenth of a second.
    """
    while True:
        if not compile_next():
            return
        await asyncio.sleep(0)


async def load_page() -> None:
    """Import what writes the metrics page; in a thread, as it is a piece that cannot be divided.

    It takes file descriptors, of which a flood of connections may have left none at this moment:
    then once more a little later. What does not work for long is left to the scrape that needs it.
    """
    for _ in range(ATTEMPTS):
        try:
            await aside(partial(import_module, PAGE))
        except (OSError, ImportError):
            await asyncio.sleep(RETRY_SECONDS)
        else:
            return
