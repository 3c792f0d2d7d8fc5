"""The Content-Type of a request, and the character sets a body may have."""

from functools import lru_cache

from logopsd.listeners.http.messages import Request

UTF_8 = ("", "utf-8", "utf8", "us-ascii", "ascii")
CHARSETS = ("iso-8859-1", "latin1", "iso-8859-15", "windows-1252", "utf-16", "utf-16le", "utf-16be")
"""Character sets that are turned into UTF-8; a closed set, as Python knows codecs that are none."""


def content_type_of(request: Request) -> tuple[str, str]:
    """Return the content type and the charset, both in lower case; empty where not given."""
    return _parsed_type(request.headers.get(b"content-type", b""))


@lru_cache(maxsize=64)  # a sender says the same with every request
def _parsed_type(header: bytes) -> tuple[str, str]:
    content_type, *parameters = header.decode("latin-1").lower().split(";")
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "charset":
            return content_type.strip(), value.strip().strip('"')
    return content_type.strip(), ""
