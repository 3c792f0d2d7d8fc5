"""The Makefile names what the machine lacks, with the command that mends it."""

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

MAKEFILE = Path(__file__).parents[1] / "Makefile"
NAMES = ("python3", "python3.14", "python3.13", "python3.12", "python3.11")

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")

# Stands for a Python: answers the questions that the Makefile asks of one.
FAKE = """\
#!/bin/sh
case "$*" in
*'print('*) echo {version} ;;
*'sys.exit('*) exit {too_old} ;;
*ensurepip*) exit {lacks_venv} ;;
*'-m venv'*) echo "made with $(basename "$0")"; mkdir -p .venv ;;
esac
"""

# Runs a command at a terminal of its own, presses Ctrl-C once it listens, and ends as it ends. In
# a process of its own, as forking one that has threads is not safe.
AT_A_TERMINAL = """
import os, pty, sys
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
seen = b""
while b"listening" not in seen:
    seen += os.read(terminal, 1024)
os.write(terminal, bytes([3]))
try:
    while chunk := os.read(terminal, 1024):
        seen += chunk
except OSError:  # EIO: all programs of the terminal have ended
    pass
print(seen.decode())
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""


def make(folder: Path, target: str, **pythons: str) -> "subprocess.CompletedProcess[str]":
    """Run make in a folder whose Pythons are these; the others are missing."""
    shutil.copy(MAKEFILE, folder)
    programs = folder / "bin"
    programs.mkdir()
    for name in NAMES:
        text = pythons.get(name.replace(".", "_"), "#!/bin/sh\nexit 127\n")
        (programs / name).write_text(text)
        (programs / name).chmod(stat.S_IRWXU)
    environ = {"PATH": f"{programs}:{os.environ['PATH']}", "LC_ALL": "C"}
    return subprocess.run(
        ["make", target], cwd=folder, env=environ, capture_output=True, text=True, timeout=20
    )


def fake(version: str = "3.12", *, too_old: bool = False, lacks_venv: bool = False) -> str:
    """A Python of this version."""
    return FAKE.format(version=version, too_old=int(too_old), lacks_venv=int(lacks_venv))


def test_help_is_the_default(tmp_path: Path) -> None:
    """Without a target nothing is done but the targets are listed."""
    listed = make(tmp_path, "help").stdout

    for target in ("run", "test", "lint", "types", "coverage", "bench", "clean"):
        assert f"\n  {target} " in listed


def test_missing_python_is_named(tmp_path: Path) -> None:
    """Without any Python, the package to install is told."""
    done = make(tmp_path, ".venv/.created")

    assert done.returncode == 2
    assert "needs Python 3.11 or newer; none was found" in done.stderr
    assert "sudo apt install python3 python3-venv" in done.stderr


def test_old_python_is_named_with_its_version(tmp_path: Path) -> None:
    """A Python that is too old is told with its version, and how to name another."""
    done = make(tmp_path, ".venv/.created", python3=fake("3.9", too_old=True))

    assert done.returncode == 2
    assert "python3 is Python 3.9" in done.stderr
    assert "make PYTHON=/path/to/python3.12 .venv/.created" in done.stderr


def test_newer_python_is_found_by_name(tmp_path: Path) -> None:
    """Beside an old python3, python3.13 is taken by its name."""
    done = make(
        tmp_path, ".venv/.created", python3=fake("3.9", too_old=True), python3_13=fake("3.13")
    )

    assert done.returncode == 0
    assert "made with python3.13" in done.stdout
    assert (tmp_path / ".venv" / ".created").exists()


def test_missing_venv_module_is_named(tmp_path: Path) -> None:
    """Debian's python3 without python3-venv is told with the package to install."""
    done = make(tmp_path, ".venv/.created", python3=fake(lacks_venv=True))

    assert done.returncode == 2
    assert "python3 (3.12) lacks the venv module" in done.stderr
    assert "sudo apt install python3-venv   (or python3.12-venv)" in done.stderr
    assert not (tmp_path / ".venv").exists()


def test_interrupt_ends_make_run_with_status_0(tmp_path: Path) -> None:
    """Ctrl-C reaches the daemon alone; make sees it end as asked, and says nothing."""
    programs = tmp_path / ".venv" / "bin"
    programs.mkdir(parents=True)
    daemon = programs / "python"
    daemon.write_text(
        "#!/bin/sh\ntrap 'exit 0' INT\necho listening\nwhile :; do sleep 0.05; done\n"
    )
    daemon.chmod(stat.S_IRWXU)
    shutil.copy(MAKEFILE, tmp_path)
    for name in ("setup.py", "setup.cfg", "pyproject.toml", "logopsd/__init__.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    for stamp in (".created", ".run"):
        (tmp_path / ".venv" / stamp).touch()

    done = subprocess.run(
        [sys.executable, "-c", AT_A_TERMINAL, "make", "-C", tmp_path, "run"],
        capture_output=True,
        text=True,
        timeout=20,
    )

    assert done.returncode == 0
    assert "listening" in done.stdout
    assert "Interrupt" not in done.stdout
