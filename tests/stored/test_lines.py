"""Lines as they are read back."""

from logopsd.stored.lines import beside, read, received


def test_a_line_is_its_fields() -> None:
    """What is no JSON object is a message, whatever it is."""
    assert read(b'{"msg":"a","n":1}') == {"msg": "a", "n": 1}
    assert read(b"[1]") == {"msg": "[1]"}
    assert read(b"\xff{") == {"msg": "�{"}
    assert read(b"[" * 100_000)["msg"].startswith("[[")


def test_what_a_payload_brought_is_told_apart() -> None:
    """From the daemon's own fields, and from tokens."""
    record = {"msg": "a", "received": "now", "order": 7, "who": "me", "who_enc": "gAAAA"}
    assert list(beside(record)) == [("order", "7"), ("who", "me")]
    assert (received(record), received({})) == ("now", "")
