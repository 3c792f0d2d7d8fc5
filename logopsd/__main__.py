"""`python -m logopsd` is the console script `logopsd`."""

import sys

from logopsd.cli import main

if __name__ == "__main__":
    sys.exit(main())
