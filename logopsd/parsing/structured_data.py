"""RFC 5424 STRUCTURED-DATA, section 6.3: `[id name="value" ...][id ...]`."""

import re
from typing import Any, Final

from logopsd.parsing.normalize import add_field

# A parameter's value ends at the first quote that no backslash stands before. RFC 5424 wants `]`
# escaped as well; inside the quotes it cannot be mistaken, so a bare one is taken as it is.
# Possessive throughout: a pattern that fails, fails at once.
_VALUE: Final = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_NAME: Final = r'[^\s=\]"]++'

STRUCTURED_DATA: Final = rf"(?:\[{_NAME}(?: ++{_NAME}={_VALUE})*+ *+\])++"
"""Pattern of one or more elements, one right behind the other; holds no group. Needs DOTALL."""

# A parameter's name and value, or else an SD-ID. In text that STRUCTURED_DATA matched, one search
# finds them all in turn: what stands in quotes is taken with the name before it.
_TOKEN: Final = re.compile(
    rf'({_NAME})="([^"\\]*+(?:\\.[^"\\]*+)*+)"|\[({_NAME})',
    re.DOTALL,
)
# A backslash before any other character stands for itself (section 6.3.3).
_ESCAPE: Final = re.compile(r'\\(["\\\]])')


def parse_structured_data(text: str) -> dict[str, dict[str, Any]]:
    """Return SD-ID -> PARAM-NAME -> value for text that STRUCTURED_DATA matched.

    A parameter that is repeated, as it legally may be, becomes the list of its values; an SD-ID
    that is repeated, as it may not be, is one element with the parameters of all.
    """
    data: dict[str, dict[str, Any]] = {}
    element: dict[str, Any] = {}
    for name, value, sd_id in _TOKEN.findall(text):
        if sd_id:
            element = data.setdefault(sd_id, {})
            continue
        if "\\" in value:
            value = _ESCAPE.sub(r"\1", value)
        add_field(element, name, value)
    return data
