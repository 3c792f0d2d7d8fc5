"""The life of a token: made by the daemon, opened, moved under a new key, and forgotten."""

import datetime
import http.client
import json
import signal
import socket
import subprocess
from pathlib import Path

from tests.e2e.conftest import MakeDaemon
from tests.e2e.harness import DEADLINE_SECONDS, Daemon, logopsd, run

MAIL, ADDRESS = "jan.kowalski@example.com", "83.11.22.33"
TEXT = f"login of {MAIL} from {ADDRESS}"
TOKEN = "a-token-of-many-characters"


def keygen() -> str:
    """A new key."""
    return run(logopsd("keygen")).stdout.decode().strip()


def command(daemon: Daemon, *args: str, **settings: str) -> "subprocess.CompletedProcess[str]":
    """Run a command of logopsd in the daemon's folder, with its settings."""
    return subprocess.run(
        logopsd(*args),
        cwd=daemon.directory,
        env=daemon.env | settings,
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
        check=False,
    )


def originals(daemon: Daemon, path: Path, **settings: str) -> list[str]:
    """The messages of a file, opened."""
    done = command(daemon, "decrypt", str(path), **settings)
    assert done.returncode == 0, done.stderr
    return [json.loads(line)["msg"] for line in done.stdout.splitlines()]


def test_decrypt_and_rekey(make_daemon: MakeDaemon) -> None:
    """A file goes from the old key to the new one; the daemon's file of today is refused."""
    old, new = keygen(), keygen()
    daemon = make_daemon({"LOGOPS_ENCRYPT_PII": "true", "LOGOPS_SECRET_KEY": old}).start()
    daemon.post(json.dumps({"msg": TEXT, "user_email": MAIL}).encode())
    daemon.wait_records(1)
    (today,) = daemon.sink.glob("*.ndjson")
    rotated = {"LOGOPS_SECRET_KEY": new, "LOGOPS_SECRET_KEYS_OLD": old}

    refused = command(daemon, "rekey", str(today), **rotated)
    assert refused.returncode == 1
    assert f"process {daemon.pid}" in refused.stdout
    assert daemon.stop() == 0
    assert command(daemon, "decrypt", str(today), LOGOPS_SECRET_KEY=new).returncode == 3
    done = command(daemon, "rekey", str(today), **rotated)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (
        0,
        "moved 2 tokens and 0 keys of days, kept 0 that no key opens",
    )
    opened = command(daemon, "decrypt", "--grep", "kowalski", str(today), LOGOPS_SECRET_KEY=new)
    assert opened.returncode == 0
    record = json.loads(opened.stdout)
    assert (record["msg"], record["user_email"]) == (TEXT, MAIL)
    assert "revealed=2 unopened=0" in opened.stderr
    for secret in (MAIL, "kowalski", old, new):
        assert secret not in opened.stderr
    no_key = {"LOGOPS_SECRET_KEY": "", "LOGOPS_ENCRYPT_PII": "false"}
    assert command(daemon, "decrypt", str(today), **no_key).returncode == 1


def test_a_day_can_be_forgotten(make_daemon: MakeDaemon) -> None:
    """Rotating the primary key wraps the day's key anew; deleting that makes the tokens noise."""
    old, new = keygen(), keygen()
    settings = {
        "LOGOPS_ENCRYPT_PII": "true",
        "LOGOPS_KEY_PER_DAY": "true",
        "LOGOPS_SECRET_KEY": old,
    }
    daemon = make_daemon(settings).start()
    keys = daemon.directory / "data" / "keys"
    assert [path.name for path in keys.iterdir()], "the key is there before any token"
    daemon.post(json.dumps({"msg": TEXT}).encode())
    daemon.wait_records(1)
    (today,) = daemon.sink.glob("*.ndjson")
    assert originals(daemon, today) == [TEXT]

    daemon.stop()
    rotated = {"LOGOPS_SECRET_KEY": new, "LOGOPS_SECRET_KEYS_OLD": old}
    done = command(daemon, "rekey", **rotated)
    assert done.stdout.splitlines() == [
        "moved 0 tokens and 1 keys of days, kept 0 that no key opens"
    ]
    assert originals(daemon, today, LOGOPS_SECRET_KEY=new) == [TEXT]
    (key,) = keys.iterdir()
    key.unlink()
    assert command(daemon, "decrypt", str(today), **rotated).returncode == 3


def test_retention_forgets_the_day_with_its_files(make_daemon: MakeDaemon) -> None:
    """The key of a day goes with its last file, and that of a day still kept stays."""
    daemon = make_daemon(
        {
            "LOGOPS_ENCRYPT_PII": "true",
            "LOGOPS_KEY_PER_DAY": "true",
            "LOGOPS_SECRET_KEY": keygen(),
            "LOGOPS_RETENTION_DAYS": "5",
        }
    )
    daemon.sink.mkdir(parents=True)
    keys = daemon.directory / "data" / "keys"
    keys.mkdir()
    now = datetime.datetime.now(datetime.UTC)
    old, kept = ((now - datetime.timedelta(days=n)).strftime("%Y%m%d") for n in (9, 2))
    for day in (old, kept):
        (daemon.sink / f"{day}.ndjson").write_text("{}\n")
        (keys / f"{day}.key").write_text("x")
    daemon.start()
    daemon.wait_for(lambda: daemon.events("housekeep"), "the first round")

    assert not (keys / f"{old}.key").exists()
    assert (keys / f"{kept}.key").exists()
    assert daemon.events("housekeep")[0]["deleted"] == [f"{old}.ndjson", f"{old}.key"]


def test_pseudonyms_group_what_is_masked(make_daemon: MakeDaemon) -> None:
    """Equal values have equal ones, over a restart too; addresses of a network share digits."""
    settings = {
        "LOGOPS_SECRET_KEY": keygen(),
        "LOGOPS_PII_PSEUDONYM": "true",
        "LOGOPS_PII_IP": "prefix",
    }
    daemon = make_daemon(settings).start()
    daemon.post(json.dumps([{"msg": MAIL}, {"msg": ADDRESS}, {"msg": "83.11.22.44"}]).encode())
    mail, one, two = (record["msg"] for record in daemon.wait_records(3))
    daemon.stop()
    daemon.start().post(json.dumps({"msg": f"<{MAIL}>"}).encode())

    assert mail.startswith("j***@example.com<e")
    assert mail in daemon.wait_records(4)[3]["msg"]
    assert one[:20] == two[:20]
    assert one != two


def test_the_side_port_opens_tokens_for_who_has_the_bearer_token(make_daemon: MakeDaemon) -> None:
    """Where one is set, and by a reload too; each use is logged, without a byte of it."""
    daemon = make_daemon({"LOGOPS_ENCRYPT_PII": "true", "LOGOPS_SECRET_KEY": keygen()}).start()
    daemon.post(json.dumps({"msg": TEXT}).encode())
    daemon.wait_records(1)

    def ask(token: str) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(*daemon.address("metrics"), timeout=5)
        headers = {"Authorization": f"Bearer {token}"}
        try:
            connection.request("POST", "/debug/decrypt", daemon.raw(), headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    assert ask(TOKEN)[0] == 404
    (daemon.directory / ".env").write_text(f"LOGOPS_DEBUG_DECRYPT_TOKEN={TOKEN}\n")
    daemon.signal(signal.SIGHUP)
    daemon.wait_for(lambda: daemon.events("reload"), "the reload")
    assert ask("another-token-of-many")[0] == 401
    status, body = ask(TOKEN)
    assert (status, json.loads(body)["msg"]) == (200, TEXT)
    assert daemon.events("decrypt")[0]["revealed"] == 1
    for secret in (MAIL, ADDRESS, TOKEN):
        assert secret not in daemon.log_text()


def test_a_new_primary_key_without_the_old_one_is_refused(make_daemon: MakeDaemon) -> None:
    """While the day's key is wrapped by that; at start, and by a reload, which changes nothing."""
    old = keygen()
    settings = "LOGOPS_ENCRYPT_PII=true\nLOGOPS_KEY_PER_DAY=true\nLOGOPS_SECRET_KEY={}\n"
    daemon = make_daemon()
    daemon.directory.mkdir()
    env = daemon.directory / ".env"
    env.write_text(settings.format(old))
    daemon.start()
    daemon.allowed.add("reload refused")
    env.write_text(settings.format(keygen()))
    daemon.signal(signal.SIGHUP)
    daemon.wait_for(lambda: daemon.events("reload refused"), "the refusal")
    assert "LOGOPS_SECRET_KEYS_OLD" in daemon.log_text()
    with socket.create_connection(daemon.address("tcp")) as sock:
        sock.sendall(f"{TEXT}\n".encode())
        daemon.wait_records(1)
    (today,) = daemon.sink.glob("*.ndjson")
    assert originals(daemon, today, LOGOPS_SECRET_KEY=old) == [TEXT]
    daemon.stop()

    refused = command(daemon, "serve")
    assert refused.returncode == 1
    assert "LOGOPS_SECRET_KEYS_OLD" in refused.stderr
