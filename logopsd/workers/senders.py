"""The tables of senders of all workers as one. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

_Sender = dict[str, Any]

_KEY: Final = ("input", "peer", "host")


def joined(pages: Iterable[Mapping[str, Any]], now: float) -> dict[str, Any]:
    """Return one page of several (see figures.sources), who was heard last first.

    A sender may be known to several workers, as each of its connections goes to one of them. It is
    silent where it is so for all of them.

    Args:
        pages: of the workers.
        now: seconds since the epoch.
    """
    table: dict[tuple[Any, ...], _Sender] = {}
    evicted = 0
    for page in pages:
        evicted += page["evicted"]
        for sender in page["sources"]:
            key = tuple(sender[name] for name in _KEY)
            known = table.get(key)
            table[key] = dict(sender) if known is None else _both(known, sender)
    senders = sorted(table.values(), key=lambda sender: sender["last_seen"], reverse=True)
    return {
        "now": round(now, 3),
        "known": len(senders),
        "silent": sum(sender["silent"] for sender in senders),
        "evicted": evicted,
        "sources": senders,
    }


def _both(one: _Sender, other: Mapping[str, Any]) -> _Sender:
    """One sender of two; its clock is what was seen of it last."""
    latest = max(one, other, key=lambda sender: sender["last_seen"])
    gaps = [sender["gaps"] for sender in (one, other) if sender["gaps"] is not None]
    return {
        **latest,
        "id": min(one["id"], other["id"]),
        "first_seen": min(one["first_seen"], other["first_seen"]),
        "records": one["records"] + other["records"],
        "bytes": one["bytes"] + other["bytes"],
        "gaps": sum(gaps) if gaps else None,
        "silent": one["silent"] and other["silent"],
    }
