from typing import Any

def collect_flat(
    mappings: list[Any],
    texts: list[str],
    places: list[tuple[Any, Any, int | str]],
    keys: dict[str, bool],
    kind: int,
    small: int,
) -> bool: ...
