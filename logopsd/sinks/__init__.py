"""NDJSON bytes into files, and the receipt back to whoever waits for it."""
