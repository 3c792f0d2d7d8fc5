"""A small strict double of Loki's push API, built from its documented rules; it is no Loki.

Rules: https://grafana.com/docs/loki/latest/reference/loki-http-api/#ingest-logs and the limits of
`limits_config` (reject_old_samples, reject_old_samples_max_age, creation_grace_period,
max_line_size, max_structured_metadata_size, max_structured_metadata_entries_count,
out-of-order writes within an hour). Refused entries of a push are told by a 400, and the others of
the same push are kept; of equal entries of a stream one is kept.
"""

import gzip
import http.server
import json
import re
import threading
import time
from datetime import UTC, datetime
from typing import Any

MAX_AGE = 7 * 86400
GRACE = 600
BEHIND = 3600
MAX_LINE = 256 * 1024
MAX_METADATA = 64 * 1000
MAX_NAMES = 128

Stored = dict[tuple[tuple[str, str], ...], list[tuple[int, str, dict[str, str]]]]


class LokiDouble:
    """One server on loopback.

    Attributes:
        streams: labels -> entries, in the order they were taken.
        requests: headers of each push.
        answers: (status, headers) that the next requests get, whatever they hold; 0 hangs up.
        pushes: how many requests were looked at.
        authorization: what the header must be; empty for anything.
        now: seconds since the epoch.
    """

    def __init__(self) -> None:
        self.streams: Stored = {}
        self.requests: list[dict[str, str]] = []
        self.answers: list[tuple[int, dict[str, str]]] = []
        self.pushes = 0
        self.authorization = ""
        self.now = time.time()
        double = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                data = self.rfile.read(int(self.headers["Content-Length"]))
                status, headers, text = double.answer(self.path, dict(self.headers), data)
                if not status:
                    self.close_connection = True
                    return
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                body = text.encode()
                if status != 204:
                    self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if status != 204:
                    self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    @property
    def address(self) -> str:
        """For the shipper."""
        return f"loki+http://127.0.0.1:{self._server.server_port}"

    def entries(self) -> list[tuple[int, str, dict[str, str]]]:
        """All that is kept."""
        return [entry for entries in self.streams.values() for entry in entries]

    def __enter__(self) -> "LokiDouble":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(
        self, path: str, headers: dict[str, str], data: bytes
    ) -> tuple[int, dict[str, str], str]:
        """What a request gets."""
        self.requests.append(headers)
        if self.answers:
            status, more = self.answers.pop(0)
            return status, more, "as told"
        if path != "/loki/api/v1/push":
            return 404, {}, "404 page not found"
        if self.authorization and headers.get("Authorization") != self.authorization:
            return 401, {}, "no credentials"
        self.pushes += 1
        try:
            assert headers["Content-Type"] == "application/json"
            assert headers["Content-Encoding"] == "gzip"
            pushed = json.loads(gzip.decompress(data))
            assert list(pushed) == ["streams"]
            streams = [_checked(each) for each in pushed["streams"]]
        except (AssertionError, ValueError, KeyError, TypeError) as error:
            return 400, {}, f"loghttp.PushRequest: {error!r}"
        refused = [text for labels, values in streams for text in self._take(labels, values)]
        return (400, {}, refused[-1]) if refused else (204, {}, "")

    def _take(self, labels: tuple[tuple[str, str], ...], values: list[Any]) -> list[str]:
        stream = self.streams.setdefault(labels, [])
        newest = max((at for at, _, _ in stream), default=0)
        refused = []
        for at, line, metadata in values:
            if problem := self._problem(at, line, metadata, newest):
                refused.append(f"entry for stream '{labels}' has {problem}")
            elif (at, line, metadata) not in stream:
                stream.append((at, line, metadata))
                newest = max(newest, at)
        return refused

    def _problem(self, at: int, line: str, metadata: dict[str, str], newest: int) -> str:
        oldest = int((self.now - MAX_AGE) * 1e9)
        if at < oldest:
            return (
                f"timestamp too old: {_text(at)}, oldest acceptable timestamp is: {_text(oldest)}"
            )
        if at > (self.now + GRACE) * 1e9:
            return f"timestamp too new: {_text(at)}"
        if at < newest - BEHIND * 1e9:
            acceptable = _text(int(newest - BEHIND * 1e9))
            return f"entry too far behind, oldest acceptable timestamp is: {acceptable}"
        if len(line.encode()) > MAX_LINE:
            return f"Max entry size '{MAX_LINE}' bytes exceeded (max_line_size)"
        size = sum(len(name) + len(value.encode()) for name, value in metadata.items())
        if size > MAX_METADATA or len(metadata) > MAX_NAMES:
            return "structured metadata too large"
        return ""


def _checked(stream: Any) -> tuple[tuple[tuple[str, str], ...], list[Any]]:
    assert set(stream) == {"stream", "values"}, "unknown field"
    labels = stream["stream"]
    assert labels, "error at least one label pair is required per stream"
    for name, value in labels.items():
        assert re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name), "invalid label"
        assert isinstance(value, str)
        assert len(value.encode()) <= 2048, "label value too long"
    values = []
    for at, line, metadata in stream["values"]:
        assert re.fullmatch(r"[0-9]{1,19}", at), "timestamp"
        assert isinstance(line, str)
        assert all(isinstance(each, str) for pair in metadata.items() for each in pair)
        values.append((int(at), line, metadata))
    times = [at for at, _, _ in values]
    assert times == sorted(times), "the double asks for order in each stream of a push"
    return tuple(sorted(labels.items())), values


def _text(at: int) -> str:
    return datetime.fromtimestamp(at / 1e9, UTC).isoformat().replace("+00:00", "Z")
