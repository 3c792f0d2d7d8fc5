"""The pictures of the documentation, taken from a daemon that receives: `make screenshots`.

Hosts and people are made up; all else is what is there: the page in Chromium, and what
`logopsd tail` writes to a terminal.
"""

import contextlib
import fcntl
import json
import math
import os
import pty
import random
import re
import select
import struct
import subprocess
import tempfile
import termios
import threading
import time
from collections.abc import Iterator
from html import escape
from pathlib import Path

from tests.e2e.browser import browser, set_colours, set_screen
from tests.e2e.harness import DEADLINE_SECONDS, ROOT, Daemon, clean_environment, end, logopsd

DOCS = ROOT / "docs"
SECONDS = 64  # a whole sparkline
COLUMNS, ROWS = 100, 20

# Weight, severity, host, program and text; `{n}` is a number.
LINES = (
    (9, 6, "web1", "nginx", '83.11.{n}.7 - - "GET /cart/{n} HTTP/1.1" 200 {n}'),
    (9, 6, "web2", "nginx", '31.60.{n}.99 - - "GET /search?q=lamp HTTP/1.1" 200 {n}'),
    (6, 4, "web2", "nginx", "upstream timed out (110) while reading from 10.0.0.{n}"),
    (10, 6, "db1", "postgres", "checkpoint complete: wrote {n} buffers"),
    (3, 3, "db1", "postgres", "deadlock detected, process {n} waits for ShareLock"),
    (8, 5, "mail", "postfix", "4F{n}: to=<anna.nowak@example.com>, delay=0.{n}, status=sent"),
    (4, 4, "gate", "sshd", "Failed password for invalid user admin from 203.0.113.{n} port 4{n}"),
    (12, 7, "gate", "dnsmasq", "query[A] shop.example.com from 192.0.2.{n}"),
    (1, 2, "gate", "kernel", "EXT4-fs error (device sda1): inode #{n}: block is bad"),
)
ORDERS = (
    ("info", "order paid by jan.kowalski@example.com"),
    ("info", "parcel handed over"),
    ("warn", "payment is slow"),
    ("error", "payment refused for card 4111 1111 1111 1111"),
)


def line() -> bytes:
    """Return a line as one of the hosts would send it now."""
    _, severity, host, program, text = random.choices(LINES, [each[0] for each in LINES])[0]
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return f"<{8 + severity}>1 {now} {host} {program} - - - {text}".replace(
        "{n}", str(random.randint(10, 250))
    ).encode()


def send(daemon: Daemon, ended: threading.Event) -> None:
    """Send by each input, as much as people would at some hour, until told to end."""
    moment = 0
    while not ended.wait(0.25):
        moment += 1
        swing = 1 + math.sin(moment / 14) / 2 + random.random() / 3
        daemon.send_udp(*(line() for _ in range(round(4 * swing))))
        daemon.send_tcp(b"".join(line() + b"\n" for _ in range(round(6 / swing))))
        if random.random() < 0.4:
            level, text = random.choices(ORDERS, (12, 8, 2, 1))[0]
            order = {"level": level, "msg": text, "emitter": "shop", "order": 4000 + moment}
            daemon.post(json.dumps(order).encode())


@contextlib.contextmanager
def sending(daemon: Daemon) -> Iterator[None]:
    """Send beside what is done."""
    ended = threading.Event()
    sender = threading.Thread(target=send, args=(daemon, ended))
    sender.start()
    try:
        yield
    finally:
        ended.set()
        sender.join()


def take_page(daemon: Daemon) -> None:
    """Take the page, light and dark, wide and narrow."""
    with browser() as chrome:
        chrome.get(daemon.url("/", "metrics"))
        time.sleep(SECONDS)
        for scheme in ("light", "dark"):
            set_colours(chrome, scheme)
            for name, width, height in (("wide", 1100, 860), ("narrow", 390, 1400)):
                set_screen(chrome, width, height)
                time.sleep(0.5)  # it is drawn anew
                chrome.save_screenshot(str(DOCS / f"page-{scheme}-{name}.png"))


def terminal_output(daemon: Daemon, *args: str) -> str:
    """Return what a command writes to a terminal, until that is full."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("4H", ROWS, COLUMNS, 0, 0))
    env = {**clean_environment({}), "TERM": "xterm"}
    child = subprocess.Popen(logopsd(*args), cwd=daemon.directory, env=env, stdout=slave)
    os.close(slave)
    text = b""
    try:
        while text.count(b"\n") < ROWS - 1:
            assert select.select([master], [], [], DEADLINE_SECONDS)[0], text
            text += os.read(master, 65536)
    finally:
        end(child)
        os.close(master)
    return text[: text.rindex(b"\n")].decode().replace("\r", "")


NBSP = "\u00a0"
"""Blanks that drawing does not join."""

STYLES = {
    "1": "font-weight:700",
    "2": "opacity:.62",
    "31": "fill:#ff8a80",
    "32": "fill:#7bd88f",
    "33": "fill:#f0c36a",
}
"""SGR parameter -> how it is drawn."""


def drawing(command: str, text: str) -> str:
    """Return what stands on a terminal as SVG."""
    lines = [f"\x1b[32m$\x1b[0m {command}", *text.splitlines()[1 - ROWS :]]
    width, height = COLUMNS * 8.43 + 32, (len(lines) + 1) * 20 + 8
    rows = "\n".join(
        f'<text x="16" y="{28 + 20 * n}">{row(each)}</text>' for n, each in enumerate(lines)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" role="img">\n'
        f"<title>What {escape(command)} shows</title>\n"
        f'<rect width="100%" height="100%" rx="8" fill="#161c23"/>\n'
        f'<g fill="#dfe6ec" font-size="14" '
        f"font-family=\"ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace\">\n"
        f"{rows}\n</g>\n</svg>\n"
    )


def row(text: str) -> str:
    """Return one line of a terminal as SVG; its colours are all that controls it."""
    parts, style = [], ""
    for piece in re.split(r"(\x1b\[[\d;]*m)", text):
        if piece.startswith("\x1b"):
            style = ";".join(STYLES[each] for each in piece[2:-1].split(";") if each in STYLES)
        elif piece:
            shown = escape(piece).replace(" ", NBSP)
            parts.append(f'<tspan style="{style}">{shown}</tspan>' if style else shown)
    return "".join(parts)


def main() -> None:
    """Take all pictures."""
    random.seed(7)
    with tempfile.TemporaryDirectory(prefix="logopsd-") as directory:
        daemon = Daemon(Path(directory) / "srv")
        try:
            daemon.start()
            with sending(daemon):
                take_page(daemon)
                command = ("tail", "-n", "8", "--level", "info")
                text = terminal_output(daemon, *command)
                (DOCS / "tail.svg").write_text(drawing(f"logopsd {' '.join(command)}", text))
        finally:
            daemon.end()


if __name__ == "__main__":
    main()
