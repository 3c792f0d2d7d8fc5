"""What the process ends with; documented in docs/services/logopsd.md and logopsd(8)."""

from typing import Final

OK: Final = 0
FAILURE: Final = 1
USAGE: Final = 2  # argparse's own
UNOPENED: Final = 3  # a token that no key at hand opens
CONFIG: Final = 78  # EX_CONFIG of sysexits(3)
INTERRUPTED: Final = 130  # 128 + SIGINT, as shells report it
