"""`logopsd status` for people: tables that fit 80 columns, in colour where that is wanted."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

WIDTH: Final = 80
"""Columns of the narrowest terminal that is served."""

_INPUT_COLUMNS: Final = (
    ("received", 12),
    ("accepted", 12),
    ("dropped", 10),
    ("suppressed", 11),
    ("inflight", 10),
    ("malformed", 10),
    ("truncated", 8),
)
"""Figure of an input, and how wide its column is; with the name they are 80 wide."""

_TITLES: Final = {"inflight": "in flight", "truncated": "cut"}
_WORRYING: Final = ("dropped", "malformed")

_RED, _YELLOW, _BOLD, _DIM = "31", "33", "1", "2"


def status_lines(status: Mapping[str, Any], now: float, *, colour: bool) -> Iterator[str]:
    """Return the status of a daemon as lines.

    Args:
        status: as status.SidePort gives it.
        now: seconds since the epoch.
        colour: whether escape sequences for colour are wanted.
    """
    paint = _Paint(colour)
    state = _printable(status["state"])
    started = status["process"].get("started")
    up = f", up {_duration(now - started)}" if started else ""
    yield _cut(f"logopsd {_printable(status['version'])} at {_printable(status['url'])}{up}", WIDTH)
    if state != "receiving":
        yield paint(_RED, _cut(f"not receiving: {state}", WIDTH))
    yield ""
    head = "".join(f"{_TITLES.get(name, name):>{width}}" for name, width in _INPUT_COLUMNS)
    yield paint(_BOLD, f"{'input':7}{head}")
    for name, figures in status["inputs"].items():
        yield f"{_printable(name):7}" + "".join(
            _cell(paint, column, figures[column], width) for column, width in _INPUT_COLUMNS
        )
    yield ""
    for name, (text, style) in _remarks(status).items():
        yield f"{paint(_DIM, f'{name:10}')}{paint(style, _cut(text, WIDTH - 10))}"


def _remarks(status: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """What stands below the table: name -> text and style."""
    inputs, sink, sources = status["inputs"], status["sink"], status["sources"]
    process = status["process"]
    remarks = {"account": _account(inputs)}
    for what in _WORRYING:
        if text := _by_reason(inputs, f"{what}_by"):
            remarks[what] = (text, _YELLOW)
    if status["kernel_drops"]:
        text = f"{status['kernel_drops']} datagrams, for want of room: raise net.core.rmem_max"
        remarks["kernel"] = (text, _YELLOW)
    repeats = [f"{name} {each['repeats']}" for name, each in inputs.items() if each["repeats"]]
    if repeats:
        remarks["repeats"] = (", ".join(repeats), "")
    does = "stalled" if sink.get("stalled") else "writing"
    written, pending = _size(sink.get("written_bytes", 0)), _size(sink.get("pending_bytes", 0))
    text = f"{does}, {pending} waiting, {written} written"
    if "free_bytes" in sink:
        text += f", {_size(sink['free_bytes'])} free"
    remarks["sink"] = (text, _RED if sink.get("stalled") else "")
    if "known" in sources:
        silent = sources.get("silent", 0)
        text = f"{sources['known']}, {silent} silent (logopsd status --sources)"
        remarks["sources"] = (text, _YELLOW if silent else "")
    if workers := status.get("workers"):
        restarts = workers.get("restarts", 0)
        text = f"{workers.get('ready', 0)} at work, {restarts} died and started again"
        remarks["workers"] = (text, _YELLOW if restarts else "")
    if "resident_bytes" in process:
        text = f"{_size(process['resident_bytes'])} of memory"
        if "open_files" in process:
            text += f", {process['open_files']} of {process.get('max_files', '?')} files open"
        remarks["process"] = (text, "")
    return remarks


def _account(inputs: Mapping[str, Mapping[str, Any]]) -> tuple[str, str]:
    open_ones = [(name, each["unaccounted"]) for name, each in inputs.items()]
    lacking = ", ".join(f"{name} lacks {count}" for name, count in open_ones if count)
    if lacking:
        return f"does not close, a bug: {lacking}", _RED
    return "closes: received = accepted + dropped + suppressed + in flight", ""


def _by_reason(inputs: Mapping[str, Mapping[str, Any]], key: str) -> str:
    return ", ".join(
        f"{name} {_printable(reason)} {count}"
        for name, figures in inputs.items()
        for reason, count in figures[key].items()
    )


def source_lines(page: Mapping[str, Any], *, colour: bool, width: int = WIDTH) -> Iterator[str]:
    """Return the table of senders as lines.

    Args:
        page: as `/sources` gives it.
        colour: whether escape sequences for colour are wanted.
        width: columns there are; what is beyond 80 goes to peers and hosts.
    """
    paint = _Paint(colour)
    wide = max(0, width - WIDTH)
    peer, host = 15 + wide // 2, 13 + wide - wide // 2
    yield paint(
        _BOLD,
        f"{'id':>5} {'heard':>5} {'input':7} {'peer':{peer}} {'host':{host}} {'records':>8} "
        f"{'bytes':>6} {'skew':>7} {'gaps':>5}",
    )
    for row in page["sources"]:
        heard = _ago(page["now"] - row["last_seen"]) + ("!" if row["silent"] else "")
        line = (
            f"{row['id']:>5} {heard:>5} {_printable(row['input']):7} "
            f"{_cut(_printable(row['peer'] or '-'), peer):{peer}} "
            f"{_cut(_printable(row['host'] or '-'), host):{host}} "
            f"{_short(row['records'], 8):>8} {_size(row['bytes'], brief=True):>6} "
            f"{_skew(row['skew_seconds']):>7} {_gaps(row['gaps']):>5}"
        )
        yield paint(_YELLOW if row["silent"] else "", line)
    yield ""
    text = f"{page['known']} senders, {page['silent']} silent"
    yield text + (f", {page['evicted']} left out for want of room" if page["evicted"] else "")


class _Paint:
    def __init__(self, colour: bool) -> None:
        self._colour = colour

    def __call__(self, style: str, text: str) -> str:
        return f"\x1b[{style}m{text}\x1b[0m" if self._colour and style and text else text


def _cell(paint: _Paint, column: str, value: int, width: int) -> str:
    text = f"{_short(value, width - 1):>{width}}"
    return paint(_YELLOW if value and column in _WORRYING else "", text)


def _short(number: int, width: int) -> str:
    """A number in so many columns; one that is too long in thousands, millions and so on."""
    text = str(number)
    for unit in ("k", "M", "G", "T"):
        if len(text) <= width:
            break
        number //= 1000
        text = f"{number}{unit}"
    return text


def _size(count: int, *, brief: bool = False) -> str:
    amount, units = float(count), ("B", "KiB", "MiB", "GiB", "TiB")
    unit = 0
    while amount >= 1000 and unit < len(units) - 1:
        amount /= 1024
        unit += 1
    digits = f"{amount:.0f}" if unit == 0 or amount >= 100 else f"{amount:.1f}"
    return f"{digits}{units[unit][0]}" if brief else f"{digits} {units[unit]}"


def _duration(seconds: float) -> str:
    seconds = max(0, int(seconds))
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if days:
        return f"{days} d {hours % 24} h"
    if hours:
        return f"{hours} h {minutes % 60} min"
    return f"{minutes} min" if minutes else f"{seconds} s"


def _ago(seconds: float) -> str:
    for limit, unit, letter in ((120, 1, "s"), (7200, 60, "m"), (172_800, 3600, "h")):
        if seconds < limit:
            return f"{max(0, int(seconds // unit))}{letter}"
    return f"{int(seconds // 86400)}d"


def _skew(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    if abs(seconds) < 100:
        return f"{seconds:+.1f}s"
    return ("+" if seconds > 0 else "-") + _ago(abs(seconds))


def _gaps(count: int | None) -> str:
    return "-" if count is None else _short(count, 5)


def _printable(text: object) -> str:
    """Text that cannot move the cursor: names of hosts are what senders wrote."""
    text = str(text)
    return text if text.isprintable() else "".join(c if c.isprintable() else "?" for c in text)


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}~"
