"""Builds an sdist and wheels of it, and installs and runs each in a clean environment.

    python tests/packaging/check.py

For each of Python 3.11, 3.12 and 3.13 that is found (`python3.12` in PATH, or one of pyenv's), an
environment is made from `requirements/runtime.txt`, hashes required, and a wheel. There
`logopsd` starts, takes a datagram and a request, stores both masked, and ends as asked. A Python
that is not found is named and left out; none at all is an error, as is a wheel in which nothing is
compiled where there is a compiler. What was built stays in `dist/`.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.parse
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DIST = ROOT / "dist"
VERSIONS = ("3.11", "3.12", "3.13")
RUNTIME = ROOT / "requirements" / "runtime.txt"
PIP = ("install", "--quiet", "--disable-pip-version-check")
DEADLINE_SECONDS = 30.0
LINE = b"hello from bob@example.com"
MASKED = ["hello from b***@example.com"] * 2

# Nothing of the tree, nor of our own settings, may reach what was installed.
ENV = {n: v for n, v in os.environ.items() if not n.startswith(("LOGOPS_", "PYTHON"))}
PORTS = {f"LOGOPS_{name}_PORT": "any" for name in ("UDP", "TCP", "HTTP", "METRICS")}


def call(*command: str | Path, cwd: Path = ROOT) -> str:
    """Run a program to its end, and return what it printed; it must end well."""
    done = subprocess.run(list(command), cwd=cwd, env=ENV, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{command}: status {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def build() -> Path:
    """Build the sdist."""
    shutil.rmtree(DIST, ignore_errors=True)
    call(sys.executable, "-m", "build", "--sdist", "--outdir", DIST)
    (sdist,) = DIST.glob("*.tar.gz")
    return sdist


def build_wheel(python: Path, sdist: Path) -> Path:
    """Build the wheel of a Python from the sdist, as who gets the sdist would."""
    before = set(DIST.glob("*.whl"))
    call(python, "-m", "pip", "wheel", *PIP[1:], "--no-deps", "--wheel-dir", DIST, sdist)
    (wheel,) = set(DIST.glob("*.whl")) - before
    return wheel


def check_sdist(sdist: Path) -> None:
    """All that is under version control is in it."""
    if not (ROOT / ".git").exists():
        return
    tracked = call("git", "ls-files").splitlines()
    with tarfile.open(sdist) as archive:
        packed = {name.partition("/")[2] for name in archive.getnames()}
    # Of a file that somebody has removed and not yet committed there is nothing to pack.
    if missing := [name for name in tracked if name not in packed and (ROOT / name).exists()]:
        sys.exit(f"not in {sdist.name}: {', '.join(missing)}; see MANIFEST.in")


def find(version: str) -> str | None:
    """Return a Python of this version, or None."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    installed = sorted(pyenv.glob(f"versions/{version}.*/bin/python{version}"))
    wanted = tuple(map(int, version.split(".")))
    question = f"import sys, venv, ensurepip; sys.exit(sys.version_info[:2] != {wanted})"
    for name in (f"python{version}", *map(str, reversed(installed))):
        path = shutil.which(name)  # one of pyenv's shims may stand for no Python at all
        if path and not subprocess.run([path, "-c", question], capture_output=True).returncode:
            return path
    return None


def install(python: str, sdist: Path, directory: Path) -> Path:
    """Make an environment with a wheel of its own; return its programs' folder."""
    call(python, "-m", "venv", directory)
    bin = directory / "bin"
    wheel = build_wheel(bin / "python", sdist)
    call(bin / "python", "-m", "pip", *PIP, "--require-hashes", "--requirement", RUNTIME)
    call(bin / "python", "-m", "pip", *PIP, "--no-deps", "--no-index", wheel)
    call(bin / "python", "-m", "pip", "--disable-pip-version-check", "check")
    return bin


def smoke(bin: Path, version: str, directory: Path) -> None:
    """Ask it its version, check the settings, start it, send to it, and stop it."""
    assert call(bin / "logopsd", "--version", cwd=directory).strip() == f"logopsd {version}"
    assert call(bin / "logopsd", "check", cwd=directory).strip() == "settings ok"
    answer = "from logopsd.compiled import IS_COMPILED; print(IS_COMPILED)"
    compiled = call(bin / "python", "-c", answer, cwd=directory).strip()
    assert compiled == str(shutil.which("gcc") is not None), "apt install python3-dev"
    typed = "import logopsd, pathlib as p; print(p.Path(logopsd.__file__).with_name('py.typed'))"
    assert Path(call(bin / "python", "-c", typed, cwd=directory).strip()).exists()
    log = directory / "log"
    with log.open("wb") as output:
        daemon = subprocess.Popen(
            [bin / "logopsd"], cwd=directory, env=ENV | PORTS, stdout=output, stderr=output
        )
    try:
        events = _wait(lambda: _events(log), log)
        send(events)
        files = directory / "data" / "ingest"
        _wait(
            lambda: b"".join(f.read_bytes() for f in files.glob("*.ndjson")).count(b"\n") == 2, log
        )
        daemon.send_signal(signal.SIGTERM)
        assert daemon.wait(DEADLINE_SECONDS) == 0, log.read_text()
    finally:
        daemon.kill()
        daemon.wait()
    text = "".join(file.read_text() for file in files.glob("*.ndjson"))
    assert [json.loads(line)["msg"] for line in text.splitlines()] == MASKED, text


def send(events: list[dict[str, str]]) -> None:
    """Send the line as a datagram and as a request."""
    address = {e["input"]: urllib.parse.urlsplit(e["address"]) for e in events if "address" in e}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.sendto(LINE, (address["udp"].hostname, address["udp"].port))
    url = f"{address['http'].geturl()}/v1/logs"
    request = urllib.request.Request(url, LINE, {"Content-Type": "text/plain"})
    with urllib.request.urlopen(request, timeout=DEADLINE_SECONDS) as answer:
        assert json.load(answer)["accepted"] == 1


def _events(log: Path) -> list[dict[str, str]]:
    """Return what the daemon has said, once it is ready."""
    events = [json.loads(line) for line in log.read_text().splitlines(True) if line[-1] == "\n"]
    return events if any(event["event"] == "ready" for event in events) else []


def _wait(predicate, log: Path):  # type: ignore[no-untyped-def]
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not (answer := predicate()):
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)
    return answer


def main() -> None:
    """Build, then install and run with each Python there is."""
    began = time.monotonic()
    sdist = build()
    check_sdist(sdist)
    print(f"built {sdist.name} in {time.monotonic() - began:.0f} s", flush=True)
    run = 0
    for version in VERSIONS:
        began = time.monotonic()
        if (python := find(version)) is None:
            print(f"Python {version}: not found, left out")
            continue
        with tempfile.TemporaryDirectory() as folder:
            bin = install(python, sdist, Path(folder, "env"))
            smoke(bin, sdist.name.removesuffix(".tar.gz").split("-")[1], Path(folder))
        print(f"Python {version} ({python}): runs, {time.monotonic() - began:.0f} s", flush=True)
        run += 1
    if not run:
        sys.exit(f"none of Python {', '.join(VERSIONS)} was found")


if __name__ == "__main__":
    main()
