"""Stored lines with their originals, from files, archives and standard input."""

import io
import json
import os
import re
import zipfile
from pathlib import Path

import pytest

from logopsd.commands.decrypt import Revealed, decrypt_file
from logopsd.commands.stored import size_of
from logopsd.errors import LogopsError
from logopsd.privacy.tokens import TokenMaker, new_key

MAKER, OTHER = (TokenMaker([new_key(os.urandom)], random_bytes=os.urandom) for _ in range(2))


def stored(maker: TokenMaker, *texts: str) -> bytes:
    """Lines with tokens of these messages and of a field."""
    lines = [
        {
            "msg": "***",
            "msg_enc": maker.encrypt_one(text, 1e9),
            "who": "w",
            "who_enc": maker.encrypt_one("wendy", 1e9),
        }
        for text in texts
    ]
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def decrypted(name: str, stdin: bytes = b"", **more: object) -> tuple[list[str], Revealed]:
    """What is given out, and the figures."""
    out, done = io.BytesIO(), Revealed()
    decrypt_file(name, io.BytesIO(stdin), out, done, MAKER.decrypt, **more)  # type: ignore[arg-type]
    return out.getvalue().decode().splitlines(), done


def test_a_file_and_standard_input(tmp_path: Path) -> None:
    """The same lines by both ways, and what is no JSON as it is."""
    data = stored(MAKER, "one", "zwei ü") + b"no json\n"
    (tmp_path / "a.ndjson").write_bytes(data)
    expected = ['{"msg":"one","who":"wendy"}', '{"msg":"zwei ü","who":"wendy"}', "no json"]

    assert decrypted(str(tmp_path / "a.ndjson")) == (expected, Revealed(3, 4, 0, 1))
    assert decrypted("-", data) == (expected, Revealed(3, 4, 0, 1))


def test_how_far_it_is_can_be_told(tmp_path: Path) -> None:
    """By the bytes that are read, of as many as there are; of what cannot be read none are."""
    data = stored(MAKER, "one", "two")
    path = tmp_path / "a.ndjson"
    path.write_bytes(data)
    told: list[int] = []
    decrypted(str(path), tell=told.append)
    assert (len(told), sum(told)) == (2, len(data))
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a", data)
        archive.writestr("b", data)
    (tmp_path / "b.zip").write_bytes(b"PK")
    names = ("a.ndjson", "a.zip", "b.zip")
    assert [size_of(str(tmp_path / name)) for name in names] == [len(data), 2 * len(data), 0]
    assert size_of("-") == 0


def test_an_archive(tmp_path: Path) -> None:
    """Every file in it; one that is damaged is told of by its name."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a", stored(MAKER, "one"))
        archive.writestr("b", stored(MAKER, "two"))
    lines, _ = decrypted(str(tmp_path / "a.zip"))
    assert [json.loads(line)["msg"] for line in lines] == ["one", "two"]

    (tmp_path / "b.zip").write_bytes(b"PK")
    with pytest.raises(LogopsError, match=r"b\.zip is no zip archive"):
        decrypted(str(tmp_path / "b.zip"))


def test_some_fields_and_some_lines() -> None:
    """`fields` leaves the other tokens, `grep` looks at what was opened."""
    data = stored(MAKER, "one", "two")

    (one, _), _ = decrypted("-", data, fields={"who"})
    assert set(json.loads(one)) == {"msg", "msg_enc", "who"}
    lines, done = decrypted("-", data, grep=re.compile("tw[o]"))
    assert [json.loads(line)["msg"] for line in lines] == ["two"]
    assert (done.lines, done.revealed) == (1, 2)


def test_tokens_that_no_key_opens_are_counted_even_where_grep_hides_them() -> None:
    """Else a search would miss them in silence."""
    lines, done = decrypted("-", stored(OTHER, "one"), grep=re.compile("one"))

    assert lines == []
    assert done.unopened == 2
