"""`logopsd status`: reads the running daemon's metrics page, over HTTP as anybody would.

It asks the side port and nothing else: it needs no rights beside those to reach it, works for a
daemon on another machine, and shows what Prometheus would see at this moment.
"""

import http.client
import json
import socket
import urllib.parse
from collections.abc import Iterator
from typing import Any, Final

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from logopsd.errors import LogopsError
from logopsd.figures.account import unaccounted

TIMEOUT_SECONDS: Final = 5.0
"""A daemon that is well answers within milliseconds; one in a busy moment within a second."""

MAX_ANSWER_BYTES: Final = 64 * 1024 * 1024
"""A full table of sources has some 4 MiB; what is more is no daemon of ours."""

_PER_INPUT: Final = {
    "logops_received_total": "received",
    "logops_accepted_total": "accepted",
    "logops_suppressed_total": "suppressed",
    "logops_inflight": "inflight",
    "logops_truncated_total": "truncated",
    "logops_repeats_total": "repeats",
    "logops_missing_ts_total": "missing_ts",
    "logops_missing_level_total": "missing_level",
    "logops_connections": "connections",
}
_BY_REASON: Final = {"logops_dropped_total": "dropped", "logops_malformed_total": "malformed"}
_ALONE: Final = {
    "logops_udp_kernel_drops_total": ("kernel_drops",),
    "logops_sink_stalled": ("sink", "stalled"),
    "logops_sink_pending_bytes": ("sink", "pending_bytes"),
    "logops_sink_written_bytes_total": ("sink", "written_bytes"),
    "logops_sink_free_bytes": ("sink", "free_bytes"),
    "logops_sources": ("sources", "known"),
    "logops_sources_silent": ("sources", "silent"),
    "logops_sources_evicted_total": ("sources", "evicted"),
    "logops_workers": ("workers", "ready"),
    "logops_worker_restarts_total": ("workers", "restarts"),
    "process_resident_memory_bytes": ("process", "resident_bytes"),
    "process_open_fds": ("process", "open_files"),
    "process_max_fds": ("process", "max_files"),
    "process_start_time_seconds": ("process", "started"),
}

Status = dict[str, Any]


class SidePort:
    """The side port of a daemon.

    Args:
        url: `http://127.0.0.1:9514`, also with a path, which is left away.

    Raises:
        ValueError: it is no URL of HTTP.
    """

    def __init__(self, url: str) -> None:
        parts = urllib.parse.urlsplit(url if "://" in url else f"http://{url}")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("it must look like http://127.0.0.1:9514")
        kind = http.client.HTTPSConnection
        self._kind = http.client.HTTPConnection if parts.scheme == "http" else kind
        self._host, self._port = parts.hostname, parts.port  # port: ValueError beyond 65535
        self.url = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"

    def status(self) -> Status:
        """Ask the daemon how it fares; see `parse` for what is returned, with `state` and `url`.

        Raises:
            LogopsError: it cannot be reached, or is no logopsd; names the mend.
        """
        status = parse(self._get("/metrics").decode("utf-8", "replace"))
        if not status["version"]:
            raise LogopsError(f"{self.url} is not the side port of a logopsd; name it with --url")
        return {"url": self.url, "state": self._state(), **status}

    def sources(self) -> dict[str, Any]:
        """Ask for the table of senders.

        Raises:
            LogopsError: as above.
        """
        answer = self._json(self._get("/sources"))
        if not isinstance(answer.get("sources"), list):
            raise LogopsError(f"{self.url}/sources is no table of senders; is the daemon older?")
        return answer

    def _state(self) -> str:
        """What `/readyz` says: `receiving`, or why not."""
        reason = self._json(self._get("/readyz", ready=False)).get("reason")
        return str(reason) if reason else "receiving"

    def _json(self, body: bytes) -> dict[str, Any]:
        try:
            answer = json.loads(body)
        except ValueError:
            answer = None
        return answer if isinstance(answer, dict) else {}

    def _get(self, path: str, *, ready: bool = True) -> bytes:
        """Return the body of an answer; one of 503 too, where `ready` is not asked for."""
        connection = self._kind(self._host, self._port, timeout=TIMEOUT_SECONDS)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            body = answer.read(MAX_ANSWER_BYTES)
        except TimeoutError:
            mend = f"no answer in {TIMEOUT_SECONDS:g} s; is it a logopsd, and does it hang?"
            raise LogopsError(f"{self.url}{path}: {mend}") from None
        except (OSError, http.client.HTTPException) as error:
            raise LogopsError(f"{self.url}{path}: {_mend(error)}") from error
        finally:
            connection.close()
        if answer.status != http.HTTPStatus.OK and ready:
            mend = f"answered {answer.status}; name the side port of a logopsd with --url"
            raise LogopsError(f"{self.url}{path}: {mend}")
        return body


def _mend(error: Exception) -> str:
    if isinstance(error, ConnectionRefusedError):
        return (
            "nobody listens there: start the daemon (systemctl start logopsd), or name its side "
            "port with --url"
        )
    if isinstance(error, socket.gaierror):
        return "no such host; name another with --url"
    if isinstance(error, OSError):
        return f"{error.strerror or type(error).__name__}; name another with --url"
    return "this is no HTTP; name the side port of a logopsd with --url"


def parse(page: str) -> Status:
    """Read a metrics page.

    Returns:
        `version`; `inputs`, by name, each with its figures, `dropped_by` and `malformed_by`
        reason, and `unaccounted`, 0 where its account closes; `kernel_drops`; `sink`, `sources`,
        `process`, and `workers`, which is empty where there is but one.
    """
    status: Status = {
        "version": "",
        "inputs": {},
        "kernel_drops": 0,
        "sink": {},
        "sources": {},
        "workers": {},
        "process": {},
    }
    for sample in _samples(page):
        _take(status, sample)
    for figures in status["inputs"].values():
        figures["unaccounted"] = unaccounted(figures)
    return status


def _take(status: Status, sample: Sample) -> None:
    """Put one sample in its place, if it has one."""
    if sample.name == "logops_build_info":
        status["version"] = sample.labels.get("version", "")
    elif place := _ALONE.get(sample.name):
        target = status
        for name in place[:-1]:
            target = target[name]
        target[place[-1]] = int(sample.value)
    elif "input" in sample.labels:
        figures = status["inputs"].setdefault(sample.labels["input"], _no_figures())
        if single := _PER_INPUT.get(sample.name):
            figures[single] = int(sample.value)
        elif (total := _BY_REASON.get(sample.name)) and sample.value:
            figures[total] += int(sample.value)
            figures[f"{total}_by"][sample.labels.get("reason", "")] = int(sample.value)


def _no_figures() -> dict[str, Any]:
    figures: dict[str, Any] = dict.fromkeys(_PER_INPUT.values(), 0)
    return figures | {"dropped": 0, "dropped_by": {}, "malformed": 0, "malformed_by": {}}


def _samples(page: str) -> Iterator[Sample]:
    try:
        for family in text_string_to_metric_families(page):
            yield from family.samples
    except (ValueError, KeyError, IndexError):  # some other page than one of metrics
        return
