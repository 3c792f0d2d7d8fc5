"""Steps of retention that fail, or at which the process dies."""

import errno
import os
from collections.abc import Callable
from typing import Any

from logopsd.retention.files import RetentionFiles

STEPS = (
    "lock",
    "names",
    "entry",
    "make_directory",
    "open_source",
    "identity",
    "identity_at",
    "create",
    "read",
    "fsync",
    "fsync_directory",
    "rename",
    "exists",
    "remove",
)


class Killed(BaseException):
    """The process died here; no handler of ours runs on purpose."""


class FailingSteps(RetentionFiles):
    """Counts the calls, and at the given one fails, or dies before or after doing it.

    Args:
        at: the number of the call, from 0; -1 never.
        how: `error` (OSError instead of the step), `before` or `after` (Killed).
        only: count only calls of this step.
    """

    def __init__(self, at: int, how: str, only: str | None = None) -> None:
        self.at = at
        self.how = how
        self.only = only
        self.count = 0
        self.dead = False

    def __getattribute__(self, name: str) -> Any:
        """Wrap the steps."""
        step = object.__getattribute__(self, name)
        return self._wrap(name, step) if name in STEPS else step

    def _wrap(self, name: str, step: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            if self.dead:  # a dead process does not clean up
                raise Killed
            if self.only not in (None, name):
                return step(*arguments)
            number, self.count = self.count, self.count + 1
            if number != self.at:
                return step(*arguments)
            if self.how == "error":
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            self.dead = True
            if self.how == "after":
                result = step(*arguments)
                if hasattr(result, "close"):
                    result.close()
                elif name == "lock":
                    os.close(result)
            raise Killed

        return call
