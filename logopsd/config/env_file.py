"""`.env`: its bytes to names and values, each with the line it stands on.

The text is decoded here, as python-dotenv knows no byte-order mark but UTF-8's; it is parsed by
python-dotenv, without interpolation, so that a `$` in a value survives.
"""

import codecs
import io
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from dotenv.parser import Binding

MAX_FILE_BYTES = 64 * 1024
"""A longer file was named by mistake; a `.env` of every setting is a tenth of it."""

MAX_LINE = 8 * 1024
"""Characters. python-dotenv takes time in the square of a run of blanks: 0.15 s for this one."""

# UTF-32 LE goes before UTF-16 LE, whose mark it begins with.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


class Entry(msgspec.Struct, frozen=True):
    """A name, the line it stands on, and its value (None where no `=` follows it)."""

    name: str
    value: str | None
    line: int


class EnvFile(msgspec.Struct, frozen=True):
    """What a file holds.

    Attributes:
        entries: in order, names that stand twice included.
        problems: what cannot be read, `line 7: ...`; free of the file's own text.
    """

    entries: list[Entry] = msgspec.field(default_factory=list)
    problems: list[str] = msgspec.field(default_factory=list)


def read_env_file(path: Path) -> EnvFile:
    """Read the file at `path`; what stands in the way is among the problems.

    Raises:
        FileNotFoundError: there is no such file; whether that matters, the caller knows.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except FileNotFoundError:
        raise
    except IsADirectoryError:
        return EnvFile(problems=["is a directory; remove it, or name a file with --env-file"])
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a path"
        return EnvFile(problems=[f"cannot be read ({reason}); mend its path or permissions"])
    return parse_env(data)


def parse_env(data: bytes) -> EnvFile:
    """Decode and parse the bytes of a file; never raises."""
    if len(data) > MAX_FILE_BYTES:
        return EnvFile(problems=[f"is longer than {MAX_FILE_BYTES} bytes; is it a .env file?"])
    text, problems = _decode(data)
    if long := _long_lines(text):
        return EnvFile(problems=[*problems, *long])
    # Here, as a daemon of the environment alone has no such file: dotenv brings tempfile and more.
    from dotenv.parser import parse_stream

    found = EnvFile(problems=problems)
    for binding in parse_stream(io.StringIO(text)):
        if binding.error:
            found.problems.append(
                f"line {_line_of(binding)}: cannot be read; write NAME=value, and close each quote"
            )
        elif binding.key is not None:
            found.entries.append(Entry(binding.key, binding.value, _line_of(binding)))
    return found


def _decode(data: bytes) -> tuple[str, list[str]]:
    """The text, and what was wrong; what cannot be decoded is replaced, to find the rest too."""
    mark, encoding = next(
        (pair for pair in _MARKS if data.startswith(pair[0])),
        (b"", "utf-8"),
    )
    body = data[len(mark) :]
    try:
        text = body.decode(encoding)
    except UnicodeDecodeError as error:
        line = _lines(body[: error.start].decode(encoding, "replace")) + 1
        problem = f"line {line}: is not {encoding.upper()} text; save the file as UTF-8"
        return body.decode(encoding, "replace"), [problem]
    if "\0" in text:
        line = _lines(text.partition("\0")[0]) + 1
        problem = f"line {line}: holds a NUL byte; save the file as UTF-8"
        # Every second character of UTF-16 without a mark is one: nothing else is worth saying.
        return "", [problem]
    return text, []


def _long_lines(text: str) -> list[str]:
    return [
        f"line {number}: is longer than {MAX_LINE} characters"
        for number, line in enumerate(text.split("\n"), start=1)
        if len(line) > MAX_LINE
    ]


def _line_of(binding: "Binding") -> int:
    """Where the name itself stands; a binding begins with the blank lines before it."""
    string = binding.original.string
    return binding.original.line + _lines(string[: len(string) - len(string.lstrip())])


def _lines(text: str) -> int:
    return text.replace("\r\n", "\n").replace("\r", "\n").count("\n")
