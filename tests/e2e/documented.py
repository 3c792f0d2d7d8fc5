"""The blocks of docs/senders.md, as a test puts them to work."""

import re
from collections.abc import Mapping

from tests.e2e.harness import ROOT, Daemon

PAGE = ROOT / "docs" / "senders.md"
HOST = "logs.example.org"
PORTS = {"udp": 5514, "tcp": 5514, "tls": 6514, "relp": 2514, "http": 8080}
"""The ports on the page, by input."""

_BLOCK = re.compile(r"^<!-- block: (\S+) -->\n```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks() -> dict[str, str]:
    """Return all marked blocks, by name."""
    return dict(_BLOCK.findall(PAGE.read_text()))


def block(
    name: str,
    daemon: Daemon,
    input: str,
    *,
    host: str = "127.0.0.1",
    replace: Mapping[str, str] | None = None,
) -> str:
    """Return a block, aimed at a daemon.

    Args:
        name: of the block.
        daemon: running.
        input: the one to aim at.
        host: instead of the page's.
        replace: what else differs here: text on the page -> here; it must be there.
    """
    text = blocks()[name]
    for old, new in {HOST: host, str(PORTS[input]): daemon.port(input), **(replace or {})}.items():
        assert old in text, f"{old} is not in the block {name}"
        text = text.replace(old, new)
    return text
