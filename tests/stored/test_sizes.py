"""What the files take."""

from pathlib import Path

from logopsd.stored.sizes import MAX_NAMED, archive_sizes, sizes


def test_files_are_summed_and_the_newest_named(tmp_path: Path) -> None:
    """Those of the sink alone; archives by themselves."""
    for day in range(10, 30):
        (tmp_path / f"202611{day}.ndjson").write_bytes(b"x" * day)
    (tmp_path / "notes.txt").write_bytes(b"x")
    (tmp_path / "20261101.ndjson.zip").write_bytes(b"xy")
    found = sizes(tmp_path)
    assert (found["count"], found["bytes"]) == (20, sum(range(10, 30)))
    assert found["oldest"] == "2026-11-10"
    assert len(found["newest"]) == MAX_NAMED
    assert found["newest"][0]["name"] == "20261129.ndjson"
    assert found["newest"][0]["bytes"] == 29
    assert archive_sizes(tmp_path)["bytes"] == 2


def test_a_folder_that_is_missing_has_nothing(tmp_path: Path) -> None:
    """It is made with the first record, or the first archive; a dangling link is a file as well."""
    assert sizes(tmp_path / "missing") == {"count": 0, "bytes": 0, "oldest": None, "newest": []}
    (tmp_path / "20261123.ndjson").symlink_to("nowhere")
    assert sizes(tmp_path)["count"] == 1
