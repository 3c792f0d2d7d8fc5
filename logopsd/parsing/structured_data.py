"""RFC 5424 STRUCTURED-DATA, section 6.3: `[id name="value" ...][id ...]`."""

import re
from typing import Any, Final

from logopsd.parsing.normalize import add_field
from logopsd.patterns import lazy_pattern, possessive

# A parameter's value ends at the first quote that no backslash stands before. RFC 5424 wants `]`
# escaped as well; inside the quotes it cannot be mistaken, so a bare one is taken as it is.
# Possessive throughout: a pattern that fails, fails at once.
_QUOTED: Final = r'[^"\\]*+' + possessive(r'(?:\\.[^"\\]*+)', "*")
_VALUE: Final = f'"{_QUOTED}"'
_NAME: Final = r'[^\s=\]"]++'

_PARAMETERS: Final = possessive(f"(?: ++{_NAME}={_VALUE})", "*")

STRUCTURED_DATA: Final = possessive(rf"(?:\[{_NAME}{_PARAMETERS} *+\])", "+")
"""Pattern of one or more elements, one right behind the other; holds no group. Needs DOTALL."""

_SD_NAME: Final = r"[!#-<>-\\^-~]++"
ONE_PARAMETER: Final = rf'\[({_SD_NAME}) ({_SD_NAME})="([^"\\]*+)"\]'
"""Pattern of by far the most usual element, with groups for SD-ID, PARAM-NAME and PARAM-VALUE:
names as RFC 5424 section 6.3.3 has them, one parameter, nothing escaped. To take it apart in the
header's pattern, and not in a search of its own, saves 0.8 us of 3 a record."""

# A parameter's name and value, or else an SD-ID. In text that STRUCTURED_DATA matched, one search
# finds them all in turn: what stands in quotes is taken with the name before it.
_TOKEN: Final = lazy_pattern(
    rf'({_NAME})="({_QUOTED})"|\[({_NAME})',
    re.DOTALL,
)
_PLAIN_PARAMETER: Final = lazy_pattern(rf'({_NAME})="([^"]*+)"')
# A backslash before any other character stands for itself (section 6.3.3).
_ESCAPE: Final = lazy_pattern(r'\\(["\\\]])')


def parse_structured_data(text: str) -> dict[str, dict[str, Any]]:
    """Return SD-ID -> PARAM-NAME -> value for text that STRUCTURED_DATA matched.

    A parameter that is repeated, as it legally may be, becomes the list of its values; an SD-ID
    that is repeated, as it may not be, is one element with the parameters of all.
    """
    if "\\" not in text and text.count("[") == 1:
        # One element without escapes, by far the most usual: a third cheaper.
        sd_id, _, parameters = text[1:-1].partition(" ")
        pairs = _PLAIN_PARAMETER.findall(parameters)
        plain: dict[str, Any] = dict(pairs)
        if len(plain) == len(pairs):
            return {sd_id: plain}
    data: dict[str, dict[str, Any]] = {}
    element: dict[str, Any] = {}
    for name, value, sd_id in _TOKEN.findall(text):
        if sd_id:
            element = data.setdefault(sd_id, {})
            continue
        if "\\" in value:
            value = _ESCAPE.sub(r"\1", value)
        if name in element:
            add_field(element, name, value)
        else:
            element[name] = value
    return data
