"""`python -m logopsd.workers` is one worker; logopsd itself starts it, and nobody else can."""

import sys

from logopsd.workers.worker import main

if __name__ == "__main__":
    sys.exit(main())
