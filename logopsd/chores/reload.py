"""SIGHUP: the settings are read again, whole or not at all, and what can change does."""

from collections.abc import Callable

from structlog.typing import FilteringBoundLogger

from logopsd.config import Settings, Source
from logopsd.errors import LogopsError, SettingsError
from logopsd.log import Threshold


class Reloader:
    """Reads the settings again.

    Args:
        source: of the settings.
        threshold: of the daemon's own log, whose level may change.
    """

    def __init__(self, source: Source, threshold: Threshold) -> None:
        self._source = source
        self._threshold = threshold

    def reload(self, reconfigure: Callable[[Settings], None], log: FilteringBoundLogger) -> str:
        """Bring what changed into effect, or keep all as it is; either is logged.

        Args:
            reconfigure: gives the parts of the daemon the settings; either succeeds, or raises
                LogopsError and leaves them as they were.
            log: the daemon's own.

        Returns:
            What there is to say of it in `systemctl status`; empty where all was taken.
        """
        try:
            changes = self._source.reread()
            reconfigure(changes.settings)
        except LogopsError as error:
            problems = error.problems if isinstance(error, SettingsError) else [str(error)]
            log.error("reload refused", problems=problems, hint="the old settings stay in effect")
            return f"reload refused, the old settings stay: {problems[0]}"
        self._source.accept(changes)
        self._threshold.set(changes.settings.log_level)
        log.info("reload", changed=dict(changes.applied))
        if changes.need_restart:
            log.warning("settings changed that need a restart", names=list(changes.need_restart))
            return f"to restart for: {', '.join(changes.need_restart)}"
        return ""
