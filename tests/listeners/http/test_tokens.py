"""Bearer tokens: who may send."""

import os
from pathlib import Path

import pytest

from logopsd.errors import SettingsError
from logopsd.listeners.http.messages import Request, Route
from logopsd.listeners.http.tokens import LOOK_SECONDS, MAX_FILE_BYTES, TokenFile
from tests.listeners.http.helpers import Client, Recorder, echo, get, head, post

ONE = "token-of-the-first-sender"
TWO = "c2Vjb25kIHNlbmRlcg+/._~-=="
FILE = f"# who may send\n\n{ONE}\r\n  {TWO}  \n#{ONE}x\n"


class Case:
    """A file of tokens, a clock, and a client of a port that asks for one."""

    def __init__(self, directory: Path, text: str = FILE) -> None:
        self.path = directory / "tokens"
        self.now = 0.0
        self.log = Recorder()
        self.write(text)
        self.tokens = TokenFile(self.path, self.log.logger, clock=lambda: self.now)
        self.client = Client({("POST", "/echo"): Route(echo), ("GET", "/echo"): Route(echo)})
        self.client.service.authorize = self.tokens.check

    def write(self, text: str) -> None:
        """Replace the file, as an editor does."""
        new = self.path.with_suffix(".new")
        new.write_bytes(text.encode("latin-1"))
        new.replace(self.path)

    def status(self, *headers: str) -> int:
        """POST with these headers; return the status."""
        self.client.send(post(b"x", *headers))
        return self.client.statuses[-1]


@pytest.mark.parametrize(
    "header", [f"Bearer {ONE}", f"Bearer {TWO}", f"bearer   {ONE}", f"BEARER {TWO} "]
)
def test_a_token_of_the_file_may_send(tmp_path: Path, header: str) -> None:
    """The scheme is taken in any case."""
    assert Case(tmp_path).status(f"Authorization: {header}") == 200


@pytest.mark.parametrize(
    ("headers", "challenge"),
    [
        ([], 'Bearer realm="logopsd"'),
        ([f"Authorization: Basic {ONE}"], 'Bearer realm="logopsd"'),
        ([f"Authorization: {ONE}"], 'Bearer realm="logopsd"'),
        (["Authorization: Bearer "], 'Bearer realm="logopsd", error="invalid_token"'),
        ([f"Authorization: Bearer {ONE}x"], 'Bearer realm="logopsd", error="invalid_token"'),
        ([f"Authorization: Bearer {ONE[:-1]}"], 'Bearer realm="logopsd", error="invalid_token"'),
        (["Authorization: Bearer # who may send"], 'Bearer realm="logopsd", error="invalid_token"'),
        (["Authorization: Bearer \xff"], 'Bearer realm="logopsd", error="invalid_token"'),
        (
            [f"Authorization: Bearer {ONE}", f"Authorization: Bearer {ONE}"],
            'Bearer realm="logopsd", error="invalid_token"',
        ),
    ],
)
def test_anything_else_is_401(tmp_path: Path, headers: list[str], challenge: str) -> None:
    """With the challenge of RFC 6750, the connection goes on, and nothing is quoted or logged."""
    case = Case(tmp_path)
    assert case.status(*headers) == 401
    _, answer_headers, body = case.client.answers[-1]
    assert answer_headers["WWW-Authenticate"] == challenge
    assert ONE[:-1].encode() not in body
    assert case.log.events == []
    assert case.status(f"Authorization: Bearer {ONE}") == 200


def test_reading_needs_no_token(tmp_path: Path) -> None:
    """Health and metrics are open."""
    case = Case(tmp_path)
    case.client.send(get(), head("HEAD", "/echo"))
    assert case.client.service.responses[200] == 2


def test_it_is_asked_before_the_body_is_sent(tmp_path: Path) -> None:
    """Who waits for 100 Continue is told at once."""
    case = Case(tmp_path)
    case.client.send(head("POST", "/echo", "Content-Length: 9", "Expect: 100-continue"))
    assert case.client.statuses == [401]


def test_the_file_is_read_again_when_it_changes(tmp_path: Path) -> None:
    """New tokens hold, old ones no more; that is logged without any of them."""
    case = Case(tmp_path)
    case.write("# new\nanother-token-0123456789\n")
    assert case.status(f"Authorization: Bearer {ONE}") == 200  # it was looked at a moment ago
    case.now += LOOK_SECONDS
    assert case.status(f"Authorization: Bearer {ONE}") == 401
    assert case.status("Authorization: Bearer another-token-0123456789") == 200
    assert case.log.events == [{"level": "info", "event": "tokens read again", "tokens": 1}]


@pytest.mark.parametrize("text", ["", "# none\n", "two words\n", "short\n", "\xff" * 20 + "\n"])
def test_a_change_that_cannot_be_used_changes_nothing(tmp_path: Path, text: str) -> None:
    """The old tokens hold, and it is said once."""
    case = Case(tmp_path)
    case.write(text)
    for _ in range(3):
        case.now += LOOK_SECONDS
        assert case.status(f"Authorization: Bearer {ONE}") == 200
    ((event),) = case.log.events
    assert event["event"] == "tokens kept as they were"
    assert "LOGOPS_HTTP_TOKENS_FILE" in event["problem"]
    assert "short" not in event["problem"]


def test_a_file_that_is_gone_and_comes_back(tmp_path: Path) -> None:
    """While it is away the old tokens hold."""
    case = Case(tmp_path)
    os.unlink(case.path)
    case.now += LOOK_SECONDS
    assert case.status(f"Authorization: Bearer {ONE}") == 200
    case.write(TWO)
    case.now += LOOK_SECONDS
    assert case.status(f"Authorization: Bearer {ONE}") == 401
    assert [event["level"] for event in case.log.events] == ["warning", "info"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "holds no token"),
        ("# x\n\n", "holds no token"),
        (f"{ONE}\nSECRET WITH BLANKS\n", "line 2 is no token"),
        ("SECRET\n", "line 1 is no token"),
        ("x" * (MAX_FILE_BYTES + 1), "longer than"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_at_start(
    tmp_path: Path, text: str, problem: str
) -> None:
    """The setting is named, and the mend; never what stands in the file."""
    with pytest.raises(SettingsError, match=problem) as caught:
        Case(tmp_path, text)
    assert str(caught.value).startswith("LOGOPS_HTTP_TOKENS_FILE: ")
    assert "SECRET" not in str(caught.value)


def test_no_file_is_refused_at_start(tmp_path: Path) -> None:
    """Never a silent off."""
    with pytest.raises(SettingsError, match="No such file"):
        TokenFile(tmp_path / "none", Recorder().logger)


def test_all_tokens_are_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever it is, so that the time tells nothing."""
    case = Case(tmp_path)
    compared = []
    module = "logopsd.listeners.http.tokens.hmac.compare_digest"
    monkeypatch.setattr(module, lambda a, b: compared.append(b) or a == b)
    request = Request("POST", b"/", {b"authorization": f"Bearer {ONE}".encode()})
    assert case.tokens.check(request) is None
    assert len(compared) == 2
