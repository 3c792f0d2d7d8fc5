"""POST /debug/decrypt: for local peers that bring the token, and logged."""

import json
import os

import pytest

from logopsd.listeners.http.messages import Request, Response, Route
from logopsd.listeners.routes.decrypt import MAX_BODY_BYTES, decrypt_routes
from logopsd.privacy.tokens import TokenMaker, new_key
from tests.listeners.helpers import FakeLog, as_log

TOKEN = "a-token-of-many-characters"
MAKER = TokenMaker([new_key(os.urandom)], random_bytes=os.urandom)


def ask(body: bytes, *, peer: str | None = "127.0.0.1", **headers: str) -> tuple[Response, FakeLog]:
    """Send a request, and give the answer and the log."""
    log = FakeLog()
    routes = decrypt_routes(token=TOKEN, opener=lambda: MAKER.decrypt, log=as_log(log))
    route = routes["POST", "/debug/decrypt"]
    assert isinstance(route, Route)
    assert route.check is not None
    given = {"authorization": f"Bearer {TOKEN}", "content-length": str(len(body))} | headers
    raw = {name.encode(): value.encode() for name, value in given.items() if value}
    request = Request("POST", b"/debug/decrypt", raw, peer=peer, body=body)
    answers: list[Response] = []
    refusal = route.check(request)
    if refusal is not None:
        return refusal, log
    route.handler(request, answers.append)
    return answers[0], log


def test_tokens_are_opened_and_that_is_logged() -> None:
    """The log has how many, and nothing of them; no cache keeps the answer."""
    lines = [{"msg": "***", "msg_enc": MAKER.encrypt_one("hunter2", 1e9)}, {"x_enc": "no"}]
    answer, log = ask("\n".join(map(json.dumps, lines)).encode(), peer="::1")

    assert answer.status == 200
    assert answer.body == b'{"msg":"hunter2"}\n{"x_enc": "no"}\n'
    assert ("Cache-Control", "no-store") in answer.headers
    values = log.values("decrypt")
    assert (values["peer"], values["revealed"], values["unopened"]) == ("::1", 1, 1)
    assert "hunter2" not in repr(values)


@pytest.mark.parametrize(
    ("status", "peer", "headers"),
    [
        (403, "192.0.2.1", {}),
        (403, None, {}),
        (403, "unix", {}),
        (401, "127.0.0.1", {"authorization": ""}),
        (401, "127.0.0.1", {"authorization": "Bearer another"}),
        (401, "127.0.0.1", {"authorization": f"Basic {TOKEN}"}),
        (411, "127.0.0.1", {"content-length": ""}),
        (413, "127.0.0.1", {"content-length": str(MAX_BODY_BYTES + 1)}),
    ],
)
def test_others_are_refused(status: int, peer: str | None, headers: dict[str, str]) -> None:
    """Peers from elsewhere, without the token, or with too much."""
    answer, _ = ask(b"{}", peer=peer, **headers)
    assert answer.status == status
