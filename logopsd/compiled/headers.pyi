from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

T = TypeVar("T")

class HeaderReader(Generic[T]):
    def __init__(
        self,
        record: Callable[..., T],
        priorities: list[tuple[str, str, str]],
        bsd: Mapping[str, str],
        iso: Mapping[str, str],
        guessed: list[str],
    ) -> None: ...
    def read(
        self,
        frames: list[bytes],
        peers: str | Sequence[str] | None,
        input: str,
        received: str,
        emitter: str,
    ) -> tuple[list[Any], list[int], list[int]]: ...
