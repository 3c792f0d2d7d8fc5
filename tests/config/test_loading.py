"""Settings are read whole or refused whole, with every problem, its place and its mend."""

import datetime
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logopsd.config import ANY_PORT, describe, load, read
from logopsd.errors import SettingsError
from tests.config.helpers import loaded, problems

KEY = "WmV0YS1pcy1ub3QtYS1zZWNyZXQtMzItYnl0ZXMtISE="
NAMES = [setting.name for setting in describe()]


def test_defaults_stand_where_nothing_is_set() -> None:
    """With no settings at all it runs: loopback only, masking on, encryption off."""
    settings = loaded()

    assert settings.bind == settings.metrics_bind == "127.0.0.1"
    assert (settings.udp_port, settings.tcp_port, settings.http_port) == (5514, 5514, 8080)
    assert settings.tls_port is settings.relp_port is None
    assert settings.fsync == 1.0
    assert "email" in settings.pii_detectors
    assert not settings.encrypt_pii


def test_environment_goes_before_the_file() -> None:
    """A value in the environment hides the one in .env; the others of .env hold."""
    settings = loaded("LOGOPS_UDP_PORT=1\nLOGOPS_TCP_PORT=2\n", {"LOGOPS_UDP_PORT": "3"})

    assert (settings.udp_port, settings.tcp_port) == (3, 2)


def test_each_source_is_told(tmp_path: Path) -> None:
    """Every setting says whether it comes from the environment, a line of .env or the default."""
    (tmp_path / ".env").write_text("\n# ports\n\nLOGOPS_TCP_PORT=2\n")
    effective = read({"LOGOPS_UDP_PORT": "3"}, directory=tmp_path)

    where = {name: given.where for name, given in effective.given.items()}
    assert where["udp_port"] == "environment"
    assert where["tcp_port"] == ".env line 4"
    assert where["http_port"] == "default"
    assert len(where) == len(NAMES)


def test_paths_belong_to_the_working_directory(tmp_path: Path) -> None:
    """A relative path is taken from there, wherever the file of settings lies."""
    other = tmp_path / "etc"
    other.mkdir()
    (other / "env").write_text("LOGOPS_SINK_DIR=in\n")
    settings = load({}, env_file=other / "env", directory=tmp_path)

    assert settings.sink_dir == tmp_path / "in"


def test_port_words() -> None:
    """0 turns an input off, any takes a free port, and neither is taken for the other."""
    settings = loaded("LOGOPS_UDP_PORT=0\nLOGOPS_TCP_PORT=any\nLOGOPS_HTTP_PORT=any\n")

    assert settings.udp_port is None
    assert settings.tcp_port == settings.http_port == ANY_PORT == 0


def test_dollar_sign_survives() -> None:
    """Values are not expanded, neither by $NAME nor by ${NAME}."""
    settings = loaded("LOGOPS_SINK_DIR=/tmp/$HOME/${HOME}\n")

    assert str(settings.sink_dir) == "/tmp/$HOME/${HOME}"


@pytest.mark.parametrize(
    ("lines", "place", "says"),
    [
        ("\n\nLOGOPS_TCP_PROT=1", ".env line 3", "did you mean LOGOPS_TCP_PORT?"),
        ("logops_tcp_port=1", ".env line 1", "did you mean LOGOPS_TCP_PORT?"),
        ("LOGOP_TCP_PORT=1", ".env line 1", "did you mean LOGOPS_TCP_PORT?"),
        ("LOGOPS-TCP.PORT=1", ".env line 1", "did you mean LOGOPS_TCP_PORT?"),
        ("LOGOPS_NO_SUCH=1", ".env line 1", "`logopsd check --print` shows them all"),
        ("A=1\nLOGOPS_TCP_PORT", ".env line 2", "has no value; write LOGOPS_TCP_PORT=value"),
        ("LOGOPS_TCP_PORT=1\nLOGOPS_TCP_PORT=2", ".env line 2", "again, first on line 1"),
        ("LOGOPS_TCP_PORT=\n", ".env line 1", "it is empty; give a value, or remove it"),
        ('LOGOPS_BIND="::1\n', ".env line 1", "close each quote"),
        ("LOGOPS_TCP_PORT=65536", ".env line 1", "a port from 1 to 65535"),
        ("LOGOPS_RETENTION_DAYS=0", ".env line 1", "days from 1 to 36500, not '0'"),
        ("LOGOPS_SYSLOG_TZ=Europe/Atlantis", ".env line 1", "Europe/Warsaw"),
        ("LOGOPS_LOG_LEVEL=inf", ".env line 1", "did you mean info?"),
    ],
)
def test_line_is_refused(lines: str, place: str, says: str) -> None:
    """A line that cannot stand is named with its place, what is wrong, and the mend."""
    (problem,) = problems(lines)

    assert problem.startswith(f"{place}: ")
    assert says in problem


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (
            "LOGOPS_ARCHIVE_DIR=/x",
            "LOGOPS_ARCHIVE_DIR has no effect without LOGOPS_ARCHIVE_MODE=zip",
        ),
        ("LOGOPS_DEBUG_SAMPLE_SIZE=5", "no effect without LOGOPS_DEBUG_SAMPLE=true"),
        ("LOGOPS_ENCRYPT_FIELDS=a", "no effect without LOGOPS_ENCRYPT_PII=true"),
        ("LOGOPS_ENCRYPT_MSG=masked", "no effect without LOGOPS_ENCRYPT_PII=true"),
        ("LOGOPS_SINK_FILE=false\nLOGOPS_FSYNC=never", "without LOGOPS_SINK_FILE=true"),
        (
            "LOGOPS_SINK_FILE=no\nLOGOPS_SINK_HIGH_WATER=1GiB",
            "without LOGOPS_SINK_FILE or LOGOPS_SINK_STDOUT;",
        ),
        ("LOGOPS_SINK_FILE=no\nLOGOPS_SINK_SPLIT=level", "without LOGOPS_SINK_FILE=true"),
        ("LOGOPS_ARCHIVE_RETENTION_DAYS=90", "no effect without LOGOPS_ARCHIVE_MODE=zip"),
        (
            "LOGOPS_ARCHIVE_MODE=zip\nLOGOPS_ARCHIVE_RETENTION_DAYS=30",
            "is 30, no more than LOGOPS_RETENTION_DAYS",
        ),
        ("LOGOPS_TLS_CERT=/c.pem", "no effect without LOGOPS_TLS_PORT or LOGOPS_RELP_TLS;"),
        ("LOGOPS_TLS_PERMITTED_PEERS=a", "no effect without LOGOPS_TLS_CLIENT_CA;"),
        ("LOGOPS_HTTP_PORT=0\nLOGOPS_HTTP_MAX_BODY=1MiB", "while LOGOPS_HTTP_PORT is 0 (off)"),
        ("LOGOPS_HTTP_PORT=0\nLOGOPS_DEBUG_SAMPLE=on", "while LOGOPS_HTTP_PORT is 0 (off)"),
        ("LOGOPS_METRICS_PORT=0\nLOGOPS_METRICS_BIND=::1", "LOGOPS_METRICS_PORT is 0 (off)"),
        (
            "LOGOPS_HOUSEKEEP_AUTORUN=off\nLOGOPS_HOUSEKEEP_INTERVAL_SEC=60",
            "without LOGOPS_HOUSEKEEP_AUTORUN=true",
        ),
        ("LOGOPS_ENCRYPT_PII=true", "needs LOGOPS_SECRET_KEY; `logopsd keygen` makes a key"),
        (
            f"LOGOPS_SECRET_KEYS_OLD={KEY}",
            "no effect without LOGOPS_SECRET_KEY or LOGOPS_SECRET_KEY_FILE;",
        ),
        ("LOGOPS_PII_PSEUDONYM=true", "no effect without LOGOPS_SECRET_KEY or"),
        ("LOGOPS_PII_IP=prefix", "no effect without LOGOPS_PII_PSEUDONYM=true;"),
        (
            f"LOGOPS_SECRET_KEY={KEY}\nLOGOPS_PII_PSEUDONYM=1\nLOGOPS_PII_IP=prefix\n"
            "LOGOPS_PII_DETECTORS=email",
            "no effect without ipv4 in LOGOPS_PII_DETECTORS;",
        ),
        (
            f"LOGOPS_SECRET_KEY={KEY}\nLOGOPS_KEY_PER_DAY=true",
            "no effect without LOGOPS_ENCRYPT_PII=true;",
        ),
        ("LOGOPS_KEY_DIR=/x", "no effect without LOGOPS_SECRET_KEY or LOGOPS_SECRET_KEY_FILE;"),
        (f"LOGOPS_DEBUG_DECRYPT_TOKEN={'t' * 16}", "no effect without LOGOPS_SECRET_KEY or"),
        (
            f"LOGOPS_SECRET_KEY={KEY}\nLOGOPS_DEBUG_DECRYPT_TOKEN={'t' * 16}\n"
            "LOGOPS_METRICS_BIND=0.0.0.0",
            "LOGOPS_METRICS_BIND must be a loopback address",
        ),
        (
            "LOGOPS_RELP_TLS=true\nLOGOPS_TLS_CERT=c\nLOGOPS_TLS_KEY=k",
            "LOGOPS_RELP_PORT is 0 (off)",
        ),
        ("LOGOPS_WORKERS=2\nLOGOPS_SINK_STDOUT=true", "set LOGOPS_WORKERS=1, or remove this"),
        ("LOGOPS_WORKERS=auto\nLOGOPS_SINK_STDOUT=true", "lines of several would mix"),
        ("LOGOPS_HTTP_PORT=5514", "LOGOPS_HTTP_PORT is 5514, as is LOGOPS_TCP_PORT"),
        ("LOGOPS_METRICS_PORT=8080", "LOGOPS_METRICS_PORT is 8080, as is LOGOPS_HTTP_PORT"),
        (
            "LOGOPS_METRICS_PORT=8080\nLOGOPS_BIND=0.0.0.0",
            "LOGOPS_METRICS_PORT is 8080, as is LOGOPS_HTTP_PORT",
        ),
    ],
)
def test_combination_is_refused(lines: str, says: str) -> None:
    """An option without effect, without its partner, or on a port that is taken is refused."""
    (problem,) = problems(lines)

    assert says in problem


@pytest.mark.parametrize(
    "lines",
    [
        "LOGOPS_DEBUG_SAMPLE=false\nLOGOPS_HTTP_PORT=0",
        "LOGOPS_METRICS_PORT=8080\nLOGOPS_BIND=::1",
        "LOGOPS_UDP_PORT=8080",
        "LOGOPS_TCP_PORT=any\nLOGOPS_HTTP_PORT=any\nLOGOPS_METRICS_PORT=any",
        "LOGOPS_ARCHIVE_DIR=/x\nLOGOPS_ARCHIVE_MODE=zip",
        f"LOGOPS_SECRET_KEY={KEY}",
        f"LOGOPS_SECRET_KEY={KEY}\nLOGOPS_SECRET_KEYS_OLD={KEY}\nLOGOPS_KEY_DIR=/x",
        f"LOGOPS_SECRET_KEY={KEY}\nLOGOPS_PII_PSEUDONYM=1\nLOGOPS_PII_IP=prefix",
        f"LOGOPS_SECRET_KEY={KEY}\nLOGOPS_DEBUG_DECRYPT_TOKEN={'t' * 16}",
        "LOGOPS_PII_IP=mask\nLOGOPS_SECRET_KEYS_OLD=",
        "LOGOPS_SECRET_KEY=\nLOGOPS_TLS_CERT=\nLOGOPS_PII_KEEP=",
        "PATH=/x\nOTHER",
        "LOGOPS_E2E=require",
        "LOGOPS_WORKERS=1\nLOGOPS_SINK_STDOUT=true",
        "LOGOPS_WORKERS=AUTO",
        "LOGOPS_WORKERS=64\nLOGOPS_SINK_FILE=false",
        "LOGOPS_TLS_PORT=any\nLOGOPS_TLS_CERT=c\nLOGOPS_TLS_KEY=k",
        "LOGOPS_RELP_PORT=1\nLOGOPS_RELP_TLS=1\nLOGOPS_TLS_CERT=c\nLOGOPS_TLS_KEY=k",
    ],
)
def test_combination_is_fine(lines: str) -> None:
    """What misleads nobody is taken: other addresses, other protocols, names of others."""
    assert problems(lines) == []


def test_tls_without_certificate_is_refused() -> None:
    """A TLS port names both partners that it lacks."""
    found = "\n".join(problems("LOGOPS_TLS_PORT=6514"))

    assert "LOGOPS_TLS_PORT needs LOGOPS_TLS_CERT" in found
    assert "LOGOPS_TLS_PORT needs LOGOPS_TLS_KEY" in found
    assert "LOGOPS_RELP_TLS needs LOGOPS_TLS_KEY" in "\n".join(
        problems("LOGOPS_RELP_TLS=true\nLOGOPS_RELP_PORT=1\nLOGOPS_TLS_CERT=c")
    )


def test_every_problem_is_told_at_once_in_the_order_of_the_file() -> None:
    """Whatever their kind, problems come together, sorted by file and line."""
    found = problems(
        "LOGOPS_FSYNC=often\nLOGOPS_NO=1\nLOGOPS_ARCHIVE_DIR=x\nLOGOPS_BIND='\n"
        + "#\n" * 8
        # Behind line 10, so that an order by text would show.
        + "LOGOPS_TCP_PORT=x\n",
        {"LOGOPS_NEITHER": "1"},
    )

    places = [problem.split(":")[0] for problem in found]
    assert places == [*(f".env line {n}" for n in (1, 2, 3, 4, 13)), "environment"]


def test_refused_value_brings_no_second_problem() -> None:
    """A rule about a value that is refused for itself stays silent."""
    (problem,) = problems("LOGOPS_DEBUG_SAMPLE=ture\nLOGOPS_DEBUG_SAMPLE_SIZE=5\n")

    assert "LOGOPS_DEBUG_SAMPLE takes true or false" in problem


def test_environment_is_examined_too() -> None:
    """Names and values of the environment are refused like those of the file."""
    found = problems(None, {"LOGOPS_TCP_PROT": "1", "LOGOPS_UDP_PORT": "x", "OTHER": "x"})

    assert found == [
        "environment: LOGOPS_TCP_PROT is not a setting; did you mean LOGOPS_TCP_PORT?",
        "environment: LOGOPS_UDP_PORT takes a port from 1 to 65535, 0 (off), or any (a free one, "
        "said in the log), not 'x'",
    ]


def test_named_file_must_exist(tmp_path: Path) -> None:
    """Without a .env the defaults stand, but a file that was named is missed."""
    assert load({}, directory=tmp_path).tcp_port == 5514
    with pytest.raises(SettingsError, match=r"no\.env: there is no such file; mend --env-file"):
        load({}, env_file=Path("no.env"), directory=tmp_path)


def test_file_that_cannot_be_read_is_a_problem(tmp_path: Path) -> None:
    """A directory in place of .env is refused, not passed over."""
    (tmp_path / ".env").mkdir()
    with pytest.raises(SettingsError, match=r"^\.env: is a directory"):
        load({}, directory=tmp_path)


@pytest.mark.parametrize(
    "lines",
    [
        "LOGOPS_SECRET_KEY=hunter2secret\nLOGOPS_ENCRYPT_PII=true",
        "LOGOPS_SECRET_KEY:hunter2secret=",
        "LOGOPS_SECRET_KEYhunter2secret=1",
        "LOGOPS_SECRET_KEY hunter2secret",
        "LOGOPS_SECRET_KEY=x\nLOGOPS_SECRET_KEY=hunter2secret",
        "LOGOPS_SECRET_KEY='hunter2secret",
        "LOGOPS_BIND=!hunter2secret-long-as-a-key-is-0123456789=",
        b"LOGOPS_SECRET_KEY=hunter2secret\xff",
    ],
)
def test_secret_never_shows_in_a_problem(lines: str | bytes) -> None:
    """However a key was put wrongly into the file, it is not repeated."""
    found = problems(lines)

    assert found
    assert "hunter2" not in "\n".join(found)


def test_secret_never_shows_in_repr() -> None:
    """The settings can be logged whole."""
    settings = loaded(f"LOGOPS_SECRET_KEY={KEY}\nLOGOPS_ENCRYPT_PII=yes\n")

    assert settings.secret_key == KEY
    assert KEY not in repr(settings)


def test_settings_are_frozen() -> None:
    """Nobody changes a setting behind the others' back."""
    with pytest.raises(AttributeError):
        loaded().udp_port = 1  # type: ignore[misc]


def test_local_zone_is_the_processes_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """`local` follows TZ, as the C library does."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")

    zone = loaded().syslog_tz

    assert zone.utcoffset(datetime.datetime(2026, 1, 1)) == datetime.timedelta(hours=9)  # noqa: DTZ001


LINES = st.lists(
    st.one_of(
        st.text(max_size=30),
        st.builds("{}={}".format, st.sampled_from([*NAMES, "LOGOPS_X"]), st.text(max_size=30)),
        st.builds(
            "{}={}".format,
            st.sampled_from(NAMES),
            st.sampled_from(["", "0", "any", "1GiB", "~nobody/x", "none", ",", "10.0.0.0/8", "[]"]),
        ),
    ),
    max_size=6,
)


@given(LINES)
def test_any_text_is_settings_or_problems(lines: list[str]) -> None:
    """Whatever stands in .env, the outcome is settings or SettingsError, nothing else."""
    for problem in problems("\n".join(lines)):
        assert problem.isascii()
        assert "\n" not in problem


@given(st.binary(max_size=200))
def test_any_bytes_are_settings_or_problems(data: bytes) -> None:
    """The same for bytes that are no text."""
    problems(data)


@given(st.dictionaries(st.sampled_from([*NAMES, "LOGOPS_\udcff", "LOGOPS_"]), st.text(max_size=9)))
def test_any_environment_is_settings_or_problems(environ: dict[str, str]) -> None:
    """The same for the environment, whose bytes may be undecodable (surrogates)."""
    problems(None, environ)


def test_what_is_set_makes_the_same_settings_again(tmp_path: Path) -> None:
    """In another process, without the file and the environment that it came from."""
    (tmp_path / ".env").write_text("LOGOPS_TCP_PORT=any\nLOGOPS_ALLOW_FROM=10.0.0.0/8, ::1\n")
    effective = read({"LOGOPS_SINK_DIR": "here", "PATH": "/bin"}, directory=tmp_path)
    sent = effective.as_environment()
    assert set(sent) == {"LOGOPS_TCP_PORT", "LOGOPS_ALLOW_FROM", "LOGOPS_SINK_DIR"}
    (tmp_path / ".env").unlink()
    again = load(sent, directory=tmp_path)
    zone = effective.settings.syslog_tz  # one that is read from a file equals itself alone
    assert replace(again, syslog_tz=zone) == effective.settings
