"""The program `logopsd`, and `python -m logopsd`."""

import signal
import sys

# Until somebody is there to catch it, Ctrl-C ends us as it ends any program, with no traceback out
# of the middle of an import. `main` takes it from here.
if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)

from logopsd.cli import main

if __name__ == "__main__":
    sys.exit(main())
