from collections.abc import Callable, Mapping, Sequence
from typing import Any

from logopsd.records import Batch, Record

class PayloadReader:
    def __init__(
        self,
        record: Callable[..., Record],
        shapes: Mapping[tuple[str, ...], bytes | None],
        levels: Mapping[str, str],
        iso: Mapping[str, str],
    ) -> None: ...
    def read(
        self,
        payloads: Sequence[object],
        peer: str | None,
        batch: Batch,
        format: str,
        emitter: str,
    ) -> tuple[list[Any], list[int]]: ...
