"""What the larger commands do; the command line itself is in `logopsd.cli`."""
