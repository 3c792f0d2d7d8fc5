"""Shared by the tests of the privacy stage."""

import os
from typing import Any

from logopsd.privacy.tokens import TokenMaker, new_key
from logopsd.records import Batch, Record

KEY = new_key(os.urandom)
NOW = 1_790_000_000.0


def maker(*keys: str) -> TokenMaker:
    """Make tokens under these keys, or under KEY."""
    return TokenMaker(keys or [KEY], random_bytes=os.urandom)


def record(msg: str = "", **fields: Any) -> Record:
    """Make a record as a parser would."""
    return Record(ts="2026-11-23T12:00:00Z", level="INFO", msg=msg, input="http", **fields)


def batch(*records: Record) -> Batch:
    """Make a batch of these records."""
    return Batch(input="http", now=NOW, received="2026-11-23T12:00:00.000Z", records=list(records))
