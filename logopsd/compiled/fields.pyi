from collections.abc import Callable, Sequence
from typing import Any

from logopsd.figures.shares import Share
from logopsd.records import Record

class RecordFields:
    def __init__(self, record: type[Record]) -> None: ...
    def distinct(self, records: list[Record], name: str, known: set[str | None]) -> list[str]: ...
    def shares(self, records: list[Record], sizes: Sequence[int] | None) -> list[Share]: ...
    def set_aside(
        self,
        records: list[Record],
        own: frozenset[str],
        rename: Callable[[dict[str, Any]], dict[str, Any]],
        mark: object,
    ) -> tuple[list[object], list[Any]]: ...
    def put_back(self, held: list[Any]) -> None: ...

def without_seams(data: bytes, seam: bytes, mark: int, count: int) -> bytes: ...
