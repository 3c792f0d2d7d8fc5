import re
from collections.abc import Callable, Collection, Sequence

class Sieve:
    def __init__(
        self,
        triggers: list[tuple[re.Pattern[bytes], list[Callable[[str, int], object]]]],
        heads: Sequence[tuple[int, bytes, bool, Sequence[bytes]]],
        no_domain: Collection[str],
        fold: Callable[[str], bytes],
    ) -> None: ...
    def sift(self, texts: list[str]) -> tuple[dict[int, str], int, int, list[int]]: ...
