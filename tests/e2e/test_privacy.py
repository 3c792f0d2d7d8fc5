"""What is on the disk: masked, and where encryption is on with a token of the original."""

import json
import subprocess
import urllib.parse

from cryptography.fernet import Fernet

from tests.e2e.conftest import MakeDaemon
from tests.e2e.harness import Daemon, clean_environment, logopsd, run

MAIL, ADDRESS = "jan.kowalski@example.com", "83.11.22.33"
TEXT = f"login of {MAIL} from {ADDRESS}"
MASKED = "login of j***@example.com from 83.11.x.x"


def assert_nowhere_in_the_clear(daemon: Daemon) -> None:
    """Neither the files nor the daemon's log nor its metrics page hold what was sent."""
    everything = [daemon.raw().decode(), daemon.log_text(), daemon.metrics().text]
    everything += [path.read_text() for path in daemon.directory.rglob("*") if path.is_file()]
    for text in everything:
        assert MAIL not in text
        assert ADDRESS not in text


def test_masking_is_on_without_any_setting(daemon: Daemon) -> None:
    """Over every input the message is masked, by default, and the page counts it."""
    daemon.send_udp(f"<13>app: {TEXT}".encode())
    daemon.send_tcp(f"<13>1 - h app - - - {TEXT}\n".encode())
    daemon.post(json.dumps({"msg": TEXT}).encode())
    daemon.post(TEXT.encode(), "text/plain")
    daemon.post(f"msg\n{TEXT}\n".encode(), "text/csv")

    assert [record["msg"] for record in daemon.wait_records(5)] == [MASKED] * 5
    assert_nowhere_in_the_clear(daemon)
    page = daemon.metrics()
    assert page.sum("logops_pii_masked_total", detector="email") == 5
    assert page.sum("logops_pii_masked_total", detector="ipv4") == 5


def test_masking_reaches_structured_data_and_any_depth(daemon: Daemon) -> None:
    """Structured data, extra fields, nested objects and lists are masked alike."""
    deep = {"a": [{"b": {"c": [f"<{MAIL}>", {"ip": ADDRESS}]}}], "peer": ADDRESS, "n": 5}
    daemon.post(json.dumps({"msg": "m", "user_email": MAIL, "client_ip": ADDRESS, **deep}).encode())
    daemon.send_udp(f'<13>1 - h app - - [x@1 mail="{MAIL}" ip="{ADDRESS}"] m'.encode())

    by_http, by_udp = daemon.wait_records(2)
    assert by_http["user_email"] == "j***@example.com"
    assert by_http["client_ip"] == by_http["peer_orig"] == "83.11.x.x"
    assert by_http["a"] == [{"b": {"c": ["<j***@example.com>", {"ip": "83.11.x.x"}]}}]
    assert by_udp["sd"] == {"x@1": {"mail": "j***@example.com", "ip": "83.11.x.x"}}
    assert "msg_enc" not in by_udp
    assert_nowhere_in_the_clear(daemon)


def test_encryption_keeps_the_original_for_who_has_the_key(make_daemon: MakeDaemon) -> None:
    """With a key of `logopsd keygen`, tokens stand beside what was masked and open to it."""
    key = run(logopsd("keygen")).stdout.decode().strip()
    daemon = make_daemon({"LOGOPS_ENCRYPT_PII": "true", "LOGOPS_SECRET_KEY": key}).start()
    daemon.send_udp(f"<13>app: {TEXT}".encode())
    daemon.wait_records(1)
    daemon.post(json.dumps({"msg": TEXT, "user_email": MAIL, "client_ip": ADDRESS}).encode())

    by_udp, by_http = daemon.wait_records(2)
    fernet = Fernet(key)
    for record in (by_udp, by_http):
        assert record["msg"] == MASKED
        assert fernet.decrypt(record["msg_enc"]).decode() == TEXT
    assert by_http["user_email"] == "j***@example.com"
    assert fernet.decrypt(by_http["user_email_enc"]).decode() == MAIL
    assert fernet.decrypt(by_http["client_ip_enc"]).decode() == ADDRESS
    assert key not in daemon.log_text()
    assert json.loads(daemon.get("/healthz")[1])["pii_encryption"] is True
    assert_nowhere_in_the_clear(daemon)


def test_encryption_without_a_key_refuses_to_start(make_daemon: MakeDaemon) -> None:
    """Status 78, and the line says how to make a key; nothing listens in the meantime."""
    daemon = make_daemon({"LOGOPS_ENCRYPT_PII": "true"})
    done = subprocess.run(
        logopsd(), env=daemon.env, cwd="/", capture_output=True, text=True, timeout=30, check=False
    )

    assert done.returncode == 78
    assert "LOGOPS_SECRET_KEY" in done.stderr
    assert "logopsd keygen" in done.stderr
    assert "listening" not in done.stderr


def test_the_debug_sample_is_masked(make_daemon: MakeDaemon) -> None:
    """LOGOPS_DEBUG_SAMPLE shows the first records in the answer, as they are stored."""
    daemon = make_daemon({"LOGOPS_DEBUG_SAMPLE": "true", "LOGOPS_DEBUG_SAMPLE_SIZE": "2"}).start()
    body = json.dumps([{"msg": TEXT, "user_email": MAIL}] * 3).encode()
    status, answer = daemon.post(body)

    assert status == 200
    assert MAIL not in json.dumps(answer)
    samples = [value for value in answer.values() if isinstance(value, list)]
    assert [record["msg"] for record in samples[0]] == [MASKED, MASKED]


def test_nothing_of_a_request_line_is_logged(make_daemon: MakeDaemon) -> None:
    """At debug, too, the daemon's own log has no byte of what was sent, nor of a query."""
    daemon = make_daemon({"LOGOPS_LOG_LEVEL": "debug"}).start()
    daemon.get("/v1/logs?user=" + urllib.parse.quote(MAIL))
    daemon.post(b'{"msg": "' + MAIL.encode() + b'"')
    daemon.post(json.dumps({"msg": TEXT}).encode())
    daemon.send_tcp(f"<9999>{TEXT}\n12 {TEXT}\n".encode())
    daemon.wait_for(
        lambda: daemon.metrics().sum("logops_accepted_total", input="tcp") >= 2, "the lines"
    )

    (event, *_) = daemon.events("ingest")
    assert (event["accepted"], event["missing_ts"], event["missing_level"]) == (1, 1, 1)
    for text in (MAIL, urllib.parse.quote(MAIL), "kowalski", ADDRESS):
        assert text not in daemon.log_text()


def test_keygen_makes_a_new_key_each_time() -> None:
    """Two keys differ, and Fernet takes them."""
    env = clean_environment({})
    keys = {
        subprocess.run(logopsd("keygen"), env=env, capture_output=True, check=True).stdout.strip()
        for _ in range(2)
    }
    assert len(keys) == 2
    for key in keys:
        Fernet(key)
