"""The compose file and what it mounts: valid, pinned, without rights, and of one mind.

No container runs here; what can be checked without an engine is the schema of the compose
specification, and that the files agree with each other and with the daemon.
"""

import datetime
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from logopsd.config import load
from tests.e2e.harness import ROOT, Daemon, run
from tests.infra.helpers import DOCKER, load_yaml, need_package

COMPOSE = DOCKER / "docker-compose.yml"
DOCKERFILE = DOCKER / "logopsd" / "Dockerfile"
ALLOY = DOCKER / "alloy" / "config.alloy"
LABELS = {"level", "emitter", "input"}
SERVICES = ("alloy", "grafana", "logopsd", "loki", "prometheus", "promtail")


def service(name: str) -> dict[str, Any]:
    """Return one service of the compose file, its anchors filled in."""
    found: dict[str, Any] = load_yaml(COMPOSE)["services"][name]
    return found


def alloy_block(name: str) -> set[str]:
    """Return the keys of the `values` or `expressions` map of one stage of Alloy's pipeline."""
    block = re.search(rf"stage\.{name} \{{\s*\w+ = \{{(.*?)\}}", ALLOY.read_text(), re.DOTALL)
    assert block is not None
    return set(re.findall(r"(\w+)\s*=", block[1]))


def promtail_stages() -> dict[str, Any]:
    """Return the stages of Promtail's pipeline by name."""
    (job,) = load_yaml(DOCKER / "promtail" / "config.yml")["scrape_configs"]
    return {name: stage for each in job["pipeline_stages"] for name, stage in each.items()}


def test_the_compose_file_follows_the_specification() -> None:
    """The schema of the compose specification accepts it."""
    need_package("check_jsonschema", "check-jsonschema")
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    run([*command, COMPOSE])


def test_the_services_are_those_of_the_documentation() -> None:
    """Six, of which Promtail starts only when asked for."""
    services = load_yaml(COMPOSE)["services"]

    assert set(services) == set(SERVICES)
    assert [name for name in SERVICES if "profiles" in services[name]] == ["promtail"]


@pytest.mark.parametrize("name", SERVICES)
def test_an_image_is_pinned_and_has_few_rights(name: str) -> None:
    """A whole version, no capabilities but those said, no new privileges, no open port."""
    one = service(name)

    assert re.fullmatch(r"[a-z/]+:v?\d+\.\d+\.\d+", one["image"])
    assert one["cap_drop"] == ["ALL"]
    assert one["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in one
    for port in one.get("ports", ()):
        assert port.startswith("${PUBLISH_ADDRESS:-127.0.0.1}:")


@pytest.mark.parametrize("name", SERVICES)
def test_what_is_mounted_is_there(name: str) -> None:
    """Every bind mount is a folder of ours, read-only; every volume is declared."""
    declared = load_yaml(COMPOSE)["volumes"]
    for mount in service(name).get("volumes", ()):
        source, _, rest = mount.partition(":")
        if source.startswith("./"):
            assert (DOCKER / source).is_dir()
            assert rest.endswith(":ro")
        else:
            assert source in declared


@pytest.mark.parametrize("name", ["logopsd", "prometheus", "loki", "grafana"])
def test_who_is_waited_for_says_how_it_is(name: str) -> None:
    """Each service that others depend on, or that people open, has a health check."""
    assert service(name)["healthcheck"]["test"][0] == "CMD"


def test_the_daemon_runs_without_rights_on_a_read_only_file_system() -> None:
    """The user of the image and of the compose file is the same, and not root."""
    text = DOCKERFILE.read_text()
    (user,) = re.findall(r"^USER (\S+)$", text, re.MULTILINE)

    assert user == service("logopsd")["user"] == "10514:10514"
    assert service("logopsd")["read_only"] is True
    assert set(re.findall(r"^FROM (\S+)", text, re.MULTILINE)) == {"python:3.13.16-slim-trixie"}
    assert "HEALTHCHECK" in text


def test_the_image_is_built_from_files_that_are_there() -> None:
    """What the Dockerfile copies is in the repository and let through by its .dockerignore."""
    let_through = (DOCKERFILE.parent / "Dockerfile.dockerignore").read_text().splitlines()
    copied = [
        source
        for line in re.findall(r"^COPY ((?!--from).*) \S+$", DOCKERFILE.read_text(), re.MULTILINE)
        for source in line.split()
    ]

    assert copied
    for source in copied:
        assert (ROOT / source).exists()
        assert "!" + source in let_through


def test_the_daemon_accepts_what_the_container_sets(tmp_path: Path) -> None:
    """The environment of image and compose file is a valid set of settings."""
    image = dict(re.findall(r"\b(LOGOPS_\w+)=(\S+)", DOCKERFILE.read_text()))
    composed = service("logopsd")["environment"]
    values = {name: re.sub(r"\$\{\w+:-(.*)\}", r"\1", text) for name, text in composed.items()}
    settings = load(image | values, directory=tmp_path)

    assert (settings.bind, settings.metrics_bind) == ("0.0.0.0", "0.0.0.0")
    assert settings.encrypt_pii is False


def test_the_published_ports_are_the_daemon_s_own(tmp_path: Path) -> None:
    """The defaults of the settings are what the compose file publishes and Prometheus scrapes."""
    settings = load({}, directory=tmp_path)
    inside = {port.rpartition("}:")[2].split(":")[1] for port in service("logopsd")["ports"]}
    scraped = load_yaml(DOCKER / "prometheus" / "prometheus.yml")["scrape_configs"]
    targets = {job["job_name"]: job["static_configs"][0]["targets"] for job in scraped}

    assert inside == {
        f"{settings.udp_port}/udp",
        f"{settings.tcp_port}/tcp",
        f"{settings.http_port}/tcp",
    }
    assert targets["logops_gateway"] == [f"logopsd:{settings.metrics_port}"]


def test_the_rules_are_loaded_and_can_be_loaded_again() -> None:
    """Prometheus reads the alert rules, and a POST to /-/reload is answered."""
    assert load_yaml(DOCKER / "prometheus" / "prometheus.yml")["rule_files"] == ["alert_rules.yml"]
    assert "--web.enable-lifecycle" in service("prometheus")["command"]


def test_both_shippers_set_the_three_labels_and_the_same_metadata() -> None:
    """Alloy and Promtail make the same streams, and keep no other label."""
    stages = promtail_stages()

    assert alloy_block("labels") == set(stages["labels"]) == LABELS
    assert alloy_block("structured_metadata") == set(stages["structured_metadata"])
    assert alloy_block("json") == set(stages["json"]["expressions"])
    assert set(stages["labelallow"]) == LABELS
    assert 'stage.label_keep {\n\t\tvalues = ["level", "emitter", "input"]' in ALLOY.read_text()


def test_both_shippers_read_the_files_of_the_daemon() -> None:
    """The path is that of the image's sink directory, on the volume that is mounted."""
    (directory,) = re.findall(r"LOGOPS_SINK_DIR=(\S+)", DOCKERFILE.read_text())
    (job,) = load_yaml(DOCKER / "promtail" / "config.yml")["scrape_configs"]
    path = job["static_configs"][0]["labels"]["__path__"]

    assert path == f"{directory}/*.ndjson"
    assert f'"__path__" = "{path}"' in ALLOY.read_text()
    for shipper in ("alloy", "promtail"):
        assert "records:/var/lib/logopsd:ro" in service(shipper)["volumes"]


@pytest.mark.e2e
def test_the_shippers_find_in_each_record_what_they_read(daemon: Daemon) -> None:
    """Time and labels are in every record a daemon stores, whichever way it came."""
    daemon.send_udp(b"over udp", b"<11>1 2026-11-23T10:00:00.123456+01:00 h app - - - over udp")
    daemon.send_tcp(b"<13>Nov 23 10:00:00 host app[1]: over tcp\n")
    assert daemon.post(b'[{"msg": "over http"}, {"msg": "x", "level": "error"}]')[0] == 200

    for record in daemon.wait_records(5):
        assert all(isinstance(record[label], str) and record[label] for label in LABELS)
        assert datetime.datetime.fromisoformat(record["ts"]).utcoffset() == datetime.timedelta(0)
        assert record["ts"].endswith("Z")


def test_alloy_reads_from_the_end_and_remembers_where_it_was() -> None:
    """tail_from_end, and positions on a volume."""
    assert re.search(r"^\ttail_from_end = true$", ALLOY.read_text(), re.MULTILINE)
    command = service("alloy")["command"]
    (storage,) = (each.partition("=")[2] for each in command if "--storage.path" in each)
    assert f"alloy:{storage}" in service("alloy")["volumes"]


def test_loki_keeps_records_no_longer_than_the_daemon(tmp_path: Path) -> None:
    """The retention of both is the same, and a whole message fits."""
    settings = load({}, directory=tmp_path)
    limits = load_yaml(DOCKER / "loki" / "config.yml")["limits_config"]

    assert limits["retention_period"] == f"{settings.retention_days * 24}h"
    assert limits["max_line_size"] == "2MB"
    assert settings.max_message * 6 < 2_000_000  # all of it escaped as \uXXXX
