"""What a subject is made of, as far as the settings have to know it. Pure."""

import re
from typing import Final

from logopsd.patterns import lazy_pattern

_TEMPLATE: Final = lazy_pattern(
    r"(?:[A-Za-z0-9_-]|\{(?:input|level|emitter|host)\})+"
    r"(?:\.(?:[A-Za-z0-9_-]|\{(?:input|level|emitter|host)\})+)*",
    re.ASCII,
)


def check_template(text: str) -> None:
    """See that a text can be the template of `Subjects`.

    Raises:
        ValueError: it cannot.
    """
    if not _TEMPLATE.fullmatch(text):
        raise ValueError("takes names and {input} {level} {emitter} {host}, joined by dots")
