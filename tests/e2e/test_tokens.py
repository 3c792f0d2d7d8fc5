"""`curl` with bearer tokens, against the running daemon."""

from pathlib import Path

from tests.e2e.conftest import MakeDaemon
from tests.e2e.harness import Daemon
from tests.e2e.test_curl import curl, json_header

TOKEN = "0123456789abcdef0123456789abcdef"


def test_tokens(make_daemon: MakeDaemon, tmp_path: Path) -> None:
    """A POST needs one; health and metrics do not; none is ever logged."""
    file = tmp_path / "tokens"
    file.write_text(f"# shop\n{TOKEN}\n")
    daemon = make_daemon({"LOGOPS_HTTP_TOKENS_FILE": str(file), "LOGOPS_LOG_LEVEL": "debug"})
    daemon.start()
    text = json_header("text/plain")
    wrong = ["-H", "Authorization: Bearer wrong-wrong-wrong-wrong"]
    right = ["-H", f"Authorization: Bearer {TOKEN}"]

    assert curl(daemon, *text, stdin=b"a")[0] == 401
    assert curl(daemon, *text, *wrong, stdin=b"a")[0] == 401
    for path in ("/upload", "/loki/api/v1/push"):
        assert curl(daemon, *text, path=path, stdin=b"a")[0] == 401
    assert curl(daemon, *text, *right, stdin=b"b")[0] == 200
    assert daemon.get("/healthz")[0] == 200
    assert daemon.metrics().sum("logops_http_responses_total", code="401") == 4
    assert [record["msg"] for record in daemon.records()] == ["b"]
    assert TOKEN not in daemon.log_text()
    assert "wrong" not in daemon.log_text()


def test_without_the_file_it_does_not_start(tmp_path: Path) -> None:
    """An open port is not what was asked for."""
    daemon = Daemon(tmp_path / "d", {"LOGOPS_HTTP_TOKENS_FILE": str(tmp_path / "none")})
    daemon.spawn()
    assert daemon.wait_exit() == 78
    assert "LOGOPS_HTTP_TOKENS_FILE" in daemon.log_text()
