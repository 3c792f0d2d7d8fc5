"""Access lines. Whole lines of real servers are golden pairs."""

import pytest

from tests.parsing.helpers import parse_line

HEAD = "83.11.22.33 - - [14/Mar/2026:15:00:00 +0000]"


@pytest.mark.parametrize(
    ("request_line", "fields"),
    [
        ("GET /a HTTP/1.1", {"method": "GET", "path": "/a", "protocol": "HTTP/1.1"}),
        ("GET /a", {"method": "GET", "path": "/a"}),
        ("GET /a b HTTP/1.1", {"request": "GET /a b HTTP/1.1"}),
        ('GET /\\"q HTTP/1.0', {"method": "GET", "path": '/\\"q', "protocol": "HTTP/1.0"}),
        ("-", {}),
        ("", {}),
    ],
)
def test_requests(request_line: str, fields: dict[str, str]) -> None:
    """A request is taken apart where it is one, and kept whole where not."""
    record = parse_line(f'{HEAD} "{request_line}" 200 5'.encode())
    names = ("method", "path", "protocol", "request")
    assert {name: record[name] for name in names if name in record} == fields
    assert (record["client_ip"], record["status"], record["bytes"]) == ("83.11.22.33", 200, 5)
    assert record["ts"] == "2026-03-14T15:00:00Z"


@pytest.mark.parametrize(
    "line", [f"{HEAD} GET / 200 5", f'{HEAD} "GET /" 20 5', f'{HEAD} "GET /', "83.11.22.33 - - x"]
)
def test_what_is_no_access_line_stays_plain(line: str) -> None:
    """It is kept whole, without fields."""
    record = parse_line(line.encode())
    assert record["msg"] == line
    assert "client_ip" not in record
