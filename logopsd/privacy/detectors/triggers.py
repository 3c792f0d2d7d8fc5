"""Where a detector wants to be asked: a pattern over folded text, and the heads it may begin with.

A head is a short shape that stands wherever its trigger matches. The compiled sieve, which knows
nothing of regular expressions, looks for heads, and asks the trigger where one stands: the more a
head tells, the more rarely it does.
"""

import re
from typing import Final, Literal, NamedTuple

import msgspec

from logopsd.patterns import lazy_pattern

LONGEST_HEAD: Final = 24
"""Characters that a head may tell of; more tell nothing new."""

Usual = Literal["", "mail", "ipv4"]
"""The finds that the sieve makes itself, where nothing unusual is around them."""

_BEFORE = lazy_pattern(rb"\(\?<([!=])(\[(?:\\.|[^\]\\])*\]|[^\[\\])\)", re.DOTALL)
_ITEM = lazy_pattern(
    rb"(\[(?:\\.|[^\]\\])*\]|\\[^a-zA-Z0-9]|[^\[\](){}.?*+|^$\\])(?:\{([0-9]{1,2})\})?", re.DOTALL
)
_MEMBER = lazy_pattern(rb"\\?(.)(?:-([^\]]))?", re.DOTALL)


class Head(NamedTuple):
    """A head taken apart.

    Attributes:
        around: what the character before it is one of, or is not; empty for anything.
        negative: it is none of them, and the head may begin the text.
        shape: for each character of it, what it is one of.
    """

    around: bytes
    negative: bool
    shape: tuple[bytes, ...]


class Trigger(msgspec.Struct, frozen=True, eq=False):
    """Where it matches the folded text, its detector is asked.

    Args:
        pattern: begins with a literal, escaped or not: `re` finds that by a fast search (0.06 us
            for 160 characters), but crawls at 20 ns a character where a pattern begins with a
            class.
        heads: in the syntax of `re`, of which they have literals, classes, `{n}` behind one of
            these, and one look behind at the start; the pattern itself, where that has no more.
        usual: what the sieve finds itself there.

    Attributes:
        first: the byte that all matches begin with. One that a batch does not hold at all is told
            in 2 ns a text, where the search of a pattern takes 50.

    Raises:
        ValueError: a head has more than that, or begins with another literal.
    """

    pattern: re.Pattern[bytes]
    heads: tuple[Head, ...]
    usual: Usual = ""
    first: bytes = b""

    def __post_init__(self) -> None:
        """Note with what all matches begin."""
        first, *others = {head.shape[0] for head in self.heads}
        if others or len(first) != 1:
            raise ValueError(f"{self.pattern.pattern!r} does not begin with one literal")
        msgspec.structs.force_setattr(self, "first", first)


def trigger(pattern: bytes, *heads: bytes, usual: Usual = "") -> Trigger:
    """Compile a trigger; see there."""
    return Trigger(lazy_pattern(pattern), tuple(map(parse_head, heads or (pattern,))), usual=usual)


def triggers(*patterns: bytes | Trigger) -> tuple[Trigger, ...]:
    """Compile the triggers of a detector."""
    return tuple(
        pattern if isinstance(pattern, Trigger) else trigger(pattern) for pattern in patterns
    )


def parse_head(text: bytes) -> Head:
    """Take a head apart; what is beyond LONGEST_HEAD is left off.

    Raises:
        ValueError: it is none.
    """
    before = _BEFORE.match(text)
    around = b"" if before is None else _members(before[2])
    shape: list[bytes] = []
    place = 0 if before is None else before.end()
    while place < len(text):
        item = _ITEM.match(text, place)
        if item is None:
            raise ValueError(f"{text!r} is no head from its place {place} on; name its heads")
        shape += [_members(item[1])] * int(item[2] or 1)
        place = item.end()
    if not shape:
        raise ValueError("an empty head stands everywhere")
    return Head(around, before is not None and before[1] == b"!", tuple(shape[:LONGEST_HEAD]))


def _members(item: bytes) -> bytes:
    """Say what characters a literal or a class stands for."""
    if item[:1] != b"[":
        return item[-1:]
    members = bytearray()
    for first, last in _MEMBER.findall(item[1:-1]):
        members += bytes(range(first[0], (last or first)[0] + 1))
    return bytes(members)
