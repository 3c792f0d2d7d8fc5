from typing import Any

def collect_usual(
    mappings: list[Any],
    texts: list[str],
    places: list[tuple[Any, Any, int | str]],
    keys: dict[str, bool],
    kind: int,
    small: int,
    limit: int,
) -> bool: ...
