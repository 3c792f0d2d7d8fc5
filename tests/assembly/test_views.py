"""What the page shows of a daemon's settings and parts."""

import asyncio
from pathlib import Path

from logopsd.assembly.views import views
from logopsd.config import load
from logopsd.figures.metrics import Metrics
from logopsd.figures.sources import Sources
from logopsd.listeners.routes.live import Views


def views_of(directory: Path, **given: str) -> Views:
    """Make them from settings."""
    settings = load({f"LOGOPS_{name}": value for name, value in given.items()}, directory=directory)
    metrics = Metrics()
    metrics.housekeep_last_success = 7.0
    return views(lambda: settings, metrics, Sources(tz=settings.syslog_tz).page, lambda: None)


def test_files_and_retention_are_those_of_the_settings(tmp_path: Path) -> None:
    """Each folder there is one of, with its place and sizes."""
    ingest = tmp_path / "data/ingest"
    (ingest / "split").mkdir(parents=True)
    (ingest / "20261123.ndjson").write_bytes(b'{"msg":"one"}\n')
    (ingest / "split" / "20261123-info.ndjson").write_bytes(b"xyz\n")
    given = views_of(tmp_path, SINK_SPLIT="level", ARCHIVE_MODE="zip", RETENTION_DAYS="7")

    files = asyncio.run(_files(given))
    assert {name: each["bytes"] for name, each in files.items()} == {
        "files": 14,
        "split": 4,
        "archives": 0,
    }
    assert files["files"]["directory"] == str(ingest)
    retention = given.retention()
    assert (retention["days"], retention["mode"], retention["last_success"]) == (7, "zip", 7.0)
    assert given.sources(1.0)["known"] == 0


def test_the_newest_records_are_those_of_the_sink(tmp_path: Path) -> None:
    """Where it writes files; a dry run has none."""
    ingest = tmp_path / "data/ingest"
    ingest.mkdir(parents=True)
    (ingest / "20261123.ndjson").write_bytes(b'{"msg":"one"}\n')
    given = views_of(tmp_path)

    async def look() -> list[bytes]:
        assert given.newest is not None
        return (await given.newest(None)).lines

    assert asyncio.run(look()) == [b'{"msg":"one"}']
    dry = views_of(tmp_path, SINK_FILE="false")
    assert dry.newest is None
    assert asyncio.run(_files(dry)) == {}


async def _files(given: Views) -> dict[str, dict[str, object]]:
    return dict(await given.files())
