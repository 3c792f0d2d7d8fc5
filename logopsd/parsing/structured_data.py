"""RFC 5424 STRUCTURED-DATA, section 6.3: `[id name="value" ...][id ...]`."""

import re
from typing import Any, Final

# A parameter's value ends at the first quote that no backslash stands before. RFC 5424 wants `]`
# escaped as well; inside the quotes it cannot be mistaken, so a bare one is taken as it is.
# Possessive throughout: a pattern that fails, fails at once.
_VALUE: Final = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_NAME: Final = r'[^\s=\]"]++'

STRUCTURED_DATA: Final = rf"(?:\[{_NAME}(?: ++{_NAME}={_VALUE})*+ *+\])++"
"""Pattern of one or more elements, one right behind the other; holds no group. Needs DOTALL."""

_ELEMENT: Final = re.compile(
    rf"\[({_NAME})((?: ++{_NAME}={_VALUE})*+) *+\]",
    re.DOTALL,
)
_PARAMETER: Final = re.compile(
    rf'({_NAME})="([^"\\]*+(?:\\.[^"\\]*+)*+)"',
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
    for sd_id, parameters in _ELEMENT.findall(text):
        element = data.setdefault(sd_id, {})
        for name, value in _PARAMETER.findall(parameters):
            if "\\" in value:
                value = _ESCAPE.sub(r"\1", value)
            known = element.get(name)
            if known is None:
                element[name] = value
            elif isinstance(known, list):
                known.append(value)
            else:
                element[name] = [known, value]
    return data
