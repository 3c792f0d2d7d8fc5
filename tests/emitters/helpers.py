"""Tiny receivers on free ports, and a way to run an emitter as its user would."""

import contextlib
import http.server
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
EMITTERS = ("emit_json", "emit_minimal", "emit_syslog", "emit_csv", "emit_noise")
DEADLINE_SECONDS = 30  # far beyond what any of these takes; reached only where something hangs


class Request(NamedTuple):
    """What one POST brought."""

    path: str
    content_type: str
    body: bytes


class HttpReceiver:
    """What a test sees of the HTTP server: where it is, and what it was sent."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.requests: list[Request] = []


@contextlib.contextmanager
def http_receiver(status: int = 200, answer: bytes = b'{"accepted": 1}') -> Iterator[HttpReceiver]:
    """Answer each POST with `status` and `answer`, and keep what it brought."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            receiver.requests.append(
                Request(self.path, self.headers["Content-Type"], self.rfile.read(length))
            )
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Keep the test's output clean."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver = HttpReceiver(f"http://127.0.0.1:{server.server_port}/v1/logs")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def run(name: str, *args: str, as_module: bool = False) -> subprocess.CompletedProcess[str]:
    """Run an emitter to its end, as a file or as a module."""
    return subprocess.run(
        command(name, *args, as_module=as_module),
        cwd=ROOT if as_module else "/",
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
        check=False,
    )


def command(name: str, *args: str, as_module: bool = False) -> list[str]:
    """Return the command line that runs an emitter."""
    what = ["-m", f"emitters.{name}"] if as_module else [str(ROOT / "emitters" / f"{name}.py")]
    return [sys.executable, *what, *args]
