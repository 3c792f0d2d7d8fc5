"""`nc`, the first thing anybody tries."""

from tests.e2e.harness import Daemon, need, run


def test_echo_hello_over_udp(daemon: Daemon) -> None:
    """`echo hello | nc -u -w1` leaves one plain record, its LF gone, time and level filled in."""
    run([need("nc"), "-u", "-w1", *map(str, daemon.address("udp"))], stdin=b"hello\n")

    (record,) = daemon.wait_records(1)
    assert (record["msg"], record["level"], record["format"]) == ("hello", "INFO", "plain")
    assert (record["input"], record["peer"], record["emitter"]) == ("udp", "127.0.0.1", "udp")
    assert record["ts"].endswith("Z")
    page = daemon.metrics()
    assert page.sum("logops_missing_ts_total", input="udp") == 1
    assert page.sum("logops_missing_level_total", input="udp") == 1


def test_lines_over_tcp_and_a_last_one_without_a_line_feed(daemon: Daemon) -> None:
    r"""`printf 'one\ntwo' | nc -N` leaves both lines; nc hangs up in the middle of the second."""
    run([need("nc"), "-N", *map(str, daemon.address("tcp"))], stdin=b"one\ntwo")

    assert [record["msg"] for record in daemon.wait_records(2)] == ["one", "two"]


def test_syslog_lines_over_tcp(daemon: Daemon) -> None:
    """Lines of both RFCs, with CRLF and without, mixed with text, in one connection."""
    sent = (
        b"<34>Oct 11 22:14:15 mymachine su[77]: 'su root' failed on /dev/pts/8\r\n"
        b"\n"
        b'<165>1 2003-10-11T22:14:15.003Z host app 8710 ID47 [x@32473 a="1"] It\'s time\n'
        b"2024-05-03T10:00:00Z ERROR not syslog at all\n"
    )
    run([need("nc"), "-N", *map(str, daemon.address("tcp"))], stdin=sent)

    first, second, third = daemon.wait_records(3)
    assert (first["format"], first["app"], first["procid"]) == ("rfc3164", "su", "77")
    assert (first["level"], first["facility"], first["host"]) == ("CRITICAL", "auth", "mymachine")
    assert first["msg"] == "'su root' failed on /dev/pts/8"
    assert (second["format"], second["ts"]) == ("rfc5424", "2003-10-11T22:14:15.003Z")
    assert second["sd"] == {"x@32473": {"a": "1"}}
    assert (third["format"], third["level"]) == ("plain", "ERROR")
    assert third["ts"] == "2024-05-03T10:00:00Z"


def test_one_datagram_is_one_record(daemon: Daemon) -> None:
    """Line breaks inside a datagram stay in its message (RFC 5426 section 3.1)."""
    run([need("nc"), "-u", "-w1", *map(str, daemon.address("udp"))], stdin=b"<13>a: one\ntwo\n")

    (record,) = daemon.wait_records(1)
    assert record["msg"] == "one\ntwo"
