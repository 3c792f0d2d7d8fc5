"""The host's own zone is found as the C library finds it."""

import datetime
from pathlib import Path

import pytest

from logopsd.config.zones import host_zone, zone

WINTER = datetime.datetime(2026, 1, 15, 12)  # noqa: DTZ001  (utcoffset takes local times)
SUMMER = datetime.datetime(2026, 7, 15, 12)  # noqa: DTZ001


def hours(of: datetime.tzinfo, at: datetime.datetime) -> float:
    """The offset in hours."""
    offset = of.utcoffset(at)
    assert offset is not None
    return offset.total_seconds() / 3600


@pytest.mark.parametrize(
    "variable", ["Europe/Warsaw", ":Europe/Warsaw", "CET-1CEST,M3.5.0,M10.5.0"]
)
def test_variable_goes_first(variable: str) -> None:
    """TZ may be a name, with or without a colon, or a rule; all with their summer time."""
    found = host_zone(variable)

    assert (hours(found, WINTER), hours(found, SUMMER)) == (1, 2)


def test_file_is_read_and_named_by_its_link(tmp_path: Path) -> None:
    """The link's end gives the zone its name; a plain file has none."""
    file = tmp_path / "zoneinfo" / "Europe" / "Warsaw"
    file.parent.mkdir(parents=True)
    file.write_bytes(Path("/usr/share/zoneinfo/Europe/Warsaw").read_bytes())
    link = tmp_path / "localtime"
    link.symlink_to(file)

    assert str(host_zone(localtime=link)) == "Europe/Warsaw"
    plain = link.rename(tmp_path / "plain")
    plain.unlink()
    plain.write_bytes(file.read_bytes())
    assert str(host_zone(localtime=plain)) == "local"
    assert hours(host_zone(str(plain)), SUMMER) == 2


@pytest.mark.parametrize("variable", ["", "No/Zone", "/no/file", "../etc/passwd", "Ł"])
def test_utc_where_nothing_can_be_read(variable: str) -> None:
    """As in the C library, a zone that cannot be read is UTC."""
    assert host_zone(variable) is datetime.UTC


def test_utc_without_a_file(tmp_path: Path) -> None:
    """A minimal container has no /etc/localtime."""
    assert host_zone(localtime=tmp_path / "none") is datetime.UTC


def test_zone_of_a_setting() -> None:
    """UTC in any case, a name, and nothing else."""
    assert zone.parse("utc") is datetime.UTC
    assert str(zone.parse("Europe/Warsaw")) == "Europe/Warsaw"
    for text in ("Europe", "Europe/Nowhere", "../x", "\0"):
        with pytest.raises(ValueError):  # noqa: PT011  (its text is a hint, often empty)
            zone.parse(text)
