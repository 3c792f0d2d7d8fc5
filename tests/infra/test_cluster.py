"""infra/cluster: valid by the schemas of compose and Kubernetes, and of one mind with the daemon.

No container runs here. The balancers' files run in tests/e2e/test_balancers.py, and the servers of
the bus read theirs; Vector's follows its documentation.
"""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from logopsd.config import load
from tests.e2e.harness import ROOT, need, run
from tests.infra.helpers import DOCKER, load_all_yaml, load_yaml, need_package

CLUSTER = ROOT / "infra" / "cluster"
COMPOSE = CLUSTER / "docker-compose.yml"
KUBERNETES = CLUSTER / "kubernetes"
RECEIVERS = ("receiver1", "receiver2", "receiver3")
SERVERS = ("nats1", "nats2", "nats3")
BUS = "nats://" + ",".join(f"{name}:4222" for name in SERVERS)
SCHEMA = "1.33"
"""Version of Kubernetes by whose schemas the manifests are read."""


def services() -> dict[str, Any]:
    """Return the services of the compose file."""
    found: dict[str, Any] = load_yaml(COMPOSE)["services"]
    return found


def manifests() -> dict[tuple[str, str], dict[str, Any]]:
    """Return every manifest that is applied, by kind and name."""
    names = load_yaml(KUBERNETES / "kustomization.yaml")["resources"]
    found = [each for name in names for each in load_all_yaml(KUBERNETES / name)]
    return {(each["kind"], each["metadata"]["name"]): each for each in found}


def containers() -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Return each pod's template, and each container of it, those that run first with them."""
    templates = [
        m["spec"]["template"]["spec"]
        for m in manifests().values()
        if "template" in m.get("spec", {})
    ]
    return [
        (template, container)
        for template in templates
        for container in template.get("initContainers", []) + template["containers"]
    ]


# --- compose --------------------------------------------------------------------------------


def test_the_compose_file_follows_the_specification() -> None:
    """The schema of the compose specification accepts it."""
    need_package("check_jsonschema", "check-jsonschema")
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    run([*command, COMPOSE])


@pytest.mark.parametrize("name", services())
def test_an_image_is_pinned_and_has_few_rights(name: str) -> None:
    """A whole version, no capabilities but those said, no new privileges, nothing open."""
    one = services()[name]

    assert re.fullmatch(r"[a-z/-]+:\d+\.\d+\.\d+(-alpine)?", one["image"])
    assert one["cap_drop"] == ["ALL"]
    assert one.get("cap_add", []) in ([], ["CHOWN"])
    assert one["security_opt"] == ["no-new-privileges:true"]
    for port in one.get("ports", ()):
        assert port.startswith(("${PUBLISH_ADDRESS:-127.0.0.1}:", "127.0.0.1:"))


@pytest.mark.parametrize("name", services())
def test_what_is_mounted_and_waited_for_is_there(name: str) -> None:
    """Bind mounts are folders of ours, read-only; volumes and networks are declared."""
    whole, one = load_yaml(COMPOSE), services()[name]
    for mount in one.get("volumes", ()):
        source, _, rest = mount.partition(":")
        if source.startswith("."):
            assert (CLUSTER / source).resolve().is_dir()
            assert rest.endswith(":ro")
        else:
            assert source in whole["volumes"]
    assert set(one.get("networks", ())) <= set(whole["networks"])
    for other, how in one.get("depends_on", {}).items():
        if how["condition"] == "service_healthy":
            assert "healthcheck" in services()[other]
        else:
            assert services()[other]["restart"] in ("no", "on-failure")


def test_each_receiver_has_its_shipper_and_no_other_peer() -> None:
    """On the same volume; it is reached by the balancers alone, and reaches nothing itself."""
    for number in (1, 2, 3):
        receiver, shipper = services()[f"receiver{number}"], services()[f"shipper{number}"]
        assert receiver["volumes"] == shipper["volumes"] == [f"records{number}:/var/lib/logopsd"]
        assert receiver["user"] == shipper["user"] == "10514:10514"
        assert set(receiver["networks"]) == {"front"}
        assert "ports" not in receiver
        assert shipper["networks"] == ["bus"]
    assert load_yaml(COMPOSE)["networks"]["bus"] == {"internal": True}


def test_who_runs_an_image_of_ours_is_asked_at_its_own_port(tmp_path: Path) -> None:
    """A shipper has no side port of a daemon, which the image's own check would ask."""
    settings = load({}, directory=tmp_path)
    for number in (1, 2, 3):
        for name, port in (
            ("receiver", settings.metrics_port),
            ("shipper", settings.ship_metrics_port),
        ):
            (*_, program) = services()[f"{name}{number}"]["healthcheck"]["test"]
            assert f"http://127.0.0.1:{port}/" in program
    assert services()["stream"]["healthcheck"] == {"disable": True}


def test_the_receivers_trust_the_balancers_for_the_sender(tmp_path: Path) -> None:
    """Their settings are valid, and name the network that both balancers are in."""
    (subnet,) = load_yaml(COMPOSE)["networks"]["front"]["ipam"]["config"]
    for name in RECEIVERS:
        values = services()[name]["environment"] | {"LOGOPS_SYSLOG_TZ": "UTC"}
        settings = load(values, directory=tmp_path)
        assert [str(each) for each in settings.proxy_from] == [subnet["subnet"]]
    addresses = {services()[name]["networks"]["front"]["ipv4_address"] for name in RECEIVERS}
    assert len(addresses) == 3
    assert all(address.startswith("172.30.10.") for address in addresses)


def test_balancers_publish_what_they_take_and_pass_it_to_every_receiver(tmp_path: Path) -> None:
    """The ports are the daemon's defaults, and that of RELP its setting."""
    haproxy = (CLUSTER / "haproxy" / "haproxy.cfg").read_text()
    nginx = (CLUSTER / "nginx" / "nginx.conf").read_text()
    environment = services()["receiver1"]["environment"] | {"LOGOPS_SYSLOG_TZ": "UTC"}
    settings = load(environment, directory=tmp_path)
    ports = {str(port) for port in (settings.tcp_port, settings.relp_port, settings.http_port)}
    published = {each.rpartition(":")[2] for each in services()["haproxy"]["ports"]}
    servers = re.findall(r"^    server (\S+) (\S+):(\d+)$", haproxy, re.MULTILINE)

    assert {f"{port}/tcp" for port in (*ports, "8404")} == published
    assert {(name, host, port) for name, host, port in servers} == {
        (name, name, port) for name in RECEIVERS for port in ports
    }
    assert f"check port {settings.metrics_port} " in haproxy
    assert services()["nginx"]["ports"][0].endswith(f":{settings.udp_port}/udp")
    targets = re.findall(r"server (receiver\d):(\d+)", nginx)
    assert targets == [(name, str(settings.udp_port)) for name in RECEIVERS]


def test_all_speak_to_the_same_three_servers_and_the_same_stream() -> None:
    """Shippers, the two that make stream and consumer, and Vector; and the servers themselves."""
    vector = load_yaml(CLUSTER / "vector" / "vector.yaml")["sources"]["stream"]
    routes = (CLUSTER / "nats" / "nats.conf").read_text()
    (consumer,) = services()["consumer"]["command"]
    stream = services()["stream"]["command"]
    urls = ",".join(f"nats://{name}:4222" for name in SERVERS)

    assert services()["shipper1"]["environment"]["LOGOPS_SHIP_TO"] == BUS
    assert services()["stream"]["environment"]["LOGOPS_SHIP_TO"] == BUS
    assert services()["consumer"]["environment"]["NATS_URL"] == vector["url"] == urls
    assert [services()[name]["environment"]["NATS_NAME"] for name in SERVERS] == list(SERVERS)
    assert re.findall(r"nats://(nats\d):6222", routes) == list(SERVERS)
    assert vector["jetstream"]["stream"] == stream[stream.index("--stream") + 1] == "LOGS"
    assert f"consumer add LOGS {vector['jetstream']['consumer']} --pull" in consumer


def test_a_nats_server_takes_its_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """By its own check."""
    beside = Path(sys.executable).with_name("nats-server")
    program = str(beside) if beside.exists() else need("nats-server")
    monkeypatch.setenv("NATS_NAME", "nats1")
    done = subprocess.run(
        [program, "-t", "-c", CLUSTER / "nats" / "nats.conf"], capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_vector_makes_the_streams_that_alloy_makes() -> None:
    """The same labels and metadata, so that dashboards find both; and acknowledges end to end."""
    sink = load_yaml(CLUSTER / "vector" / "vector.yaml")["sinks"]["loki"]
    alloy = (DOCKER / "alloy" / "config.alloy").read_text()
    metadata = re.search(r"stage\.structured_metadata \{\s*\w+ = \{(.*?)\}", alloy, re.DOTALL)
    assert metadata is not None

    assert set(sink["labels"]) == {"level", "emitter", "input"}
    assert set(sink["structured_metadata"]) == set(re.findall(r"(\w+)\s*=", metadata[1]))
    assert sink["acknowledgements"] == {"enabled": True}
    assert sink["buffer"]["when_full"] == "block"


def test_the_shippers_image_is_the_daemon_s_with_nats_py() -> None:
    """Of the same Python, as it is put beside the daemon's own packages."""
    shipper = (CLUSTER / "shipper" / "Dockerfile").read_text()
    daemon = (DOCKER / "logopsd" / "Dockerfile").read_text()

    assert re.findall(r"FROM (python:\S+)", shipper)[0] in daemon
    assert f"FROM {services()['receiver1']['image']}\n" in shipper
    assert "nats-py[nkeys]" in shipper


# --- Kubernetes -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", manifests(), ids="/".join)
def test_a_manifest_follows_the_schema(name: tuple[str, str]) -> None:
    """Of its kind, and no field that the schema does not know; all in one namespace."""
    validate = need_package("kubernetes_validate", "kubernetes-validate").validate
    manifest = manifests()[name]

    validate(manifest, SCHEMA, strict=True)
    assert manifest["metadata"].get("namespace", "logopsd") == "logopsd"


def test_pods_have_few_rights() -> None:
    """No token, no root but to make the directory, no capability, nothing to write to."""
    for template, container in containers():
        rights = container["securityContext"]
        assert template["automountServiceAccountToken"] is False
        assert template["securityContext"]["runAsNonRoot"] is True
        assert rights["allowPrivilegeEscalation"] is False
        assert rights["readOnlyRootFilesystem"] is True
        assert rights["capabilities"]["drop"] == ["ALL"]
        assert ("add" in rights["capabilities"]) is (container["name"] == "directory")


def test_images_are_those_of_the_compose_file() -> None:
    """The same versions in both."""
    composed = {one["image"] for one in services().values()}

    assert {container["image"] for _, container in containers()} <= composed
    tag = load_yaml(KUBERNETES / "nats-values.yaml")["container"]["image"]["tag"]
    assert f"nats:{tag}" in composed


def test_receivers_take_their_settings_and_are_asked_how_they_are(tmp_path: Path) -> None:
    """The settings are valid; ports and probes are the daemon's."""
    found = manifests()
    settings = load(found["ConfigMap", "receiver"]["data"], directory=tmp_path)
    pod = found["DaemonSet", "receiver"]["spec"]["template"]["spec"]
    receiver, shipper = pod["containers"]
    ports = {each["name"]: each["containerPort"] for each in receiver["ports"]}

    assert ports == {
        "syslog-udp": settings.udp_port,
        "syslog-tcp": settings.tcp_port,
        "relp": settings.relp_port,
        "http": settings.http_port,
        "metrics": settings.metrics_port,
    }
    assert receiver["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "metrics"}
    assert receiver["livenessProbe"]["httpGet"] == {"path": "/healthz", "port": "metrics"}
    assert receiver["volumeMounts"] == shipper["volumeMounts"]
    assert pod["terminationGracePeriodSeconds"] >= 20


def test_services_lead_to_the_receivers_ports_and_keep_the_sender_s_address() -> None:
    """Named ports of the pod; traffic stays on the node that it came to."""
    found = manifests()
    pod = found["DaemonSet", "receiver"]["spec"]["template"]
    named = {each["name"] for each in pod["spec"]["containers"][0]["ports"]}
    for name in ("logs", "logs-outside"):
        spec = found["Service", name]["spec"]
        assert spec["selector"].items() <= pod["metadata"]["labels"].items()
        assert {each["targetPort"] for each in spec["ports"]} == named - {"metrics"}
    assert found["Service", "logs"]["spec"]["internalTrafficPolicy"] == "Local"
    assert found["Service", "logs-outside"]["spec"]["externalTrafficPolicy"] == "Local"


def test_nothing_is_reached_but_what_is_named() -> None:
    """Every pod has a policy; each port that one lets out, the other side lets in."""
    policies = {n: m["spec"] for (kind, n), m in manifests().items() if kind == "NetworkPolicy"}
    label = "app.kubernetes.io/name"
    pods = {
        m["spec"]["template"]["metadata"]["labels"][label]
        for m in manifests().values()
        if "template" in m.get("spec", {})
    }

    assert policies["nothing"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    assert set(policies) == {"nothing", "nats", *pods}
    (bus, *_) = policies["nats"]["ingress"]
    assert set(bus["from"][0]["podSelector"]["matchExpressions"][0]["values"]) == pods
    for name in pods:
        first = policies[name]["egress"][0]
        assert first["to"][0]["podSelector"]["matchLabels"] == {label: "nats"}
        assert first["ports"] == bus["ports"] == [{"port": 4222}]


def test_vector_has_the_same_configuration_but_for_the_addresses() -> None:
    """The file of the compose file, with the names that a cluster gives."""
    composed = (CLUSTER / "vector" / "vector.yaml").read_text()
    urls = ",".join(f"nats://{name}:4222" for name in SERVERS)
    expected = composed.replace(urls, "nats://nats.logopsd.svc.cluster.local:4222").replace(
        "http://loki:3100", "http://loki.loki.svc.cluster.local:3100"
    )

    assert (KUBERNETES / "vector-config.yaml").read_text() == expected
    (made,) = load_yaml(KUBERNETES / "kustomization.yaml")["configMapGenerator"]
    assert made == {"name": "vector", "files": ["vector.yaml=vector-config.yaml"]}


def test_the_stream_is_made_the_same_way() -> None:
    """The commands are those of the compose file."""
    pod = manifests()["Job", "stream"]["spec"]["template"]["spec"]

    assert pod["initContainers"][0]["args"] == services()["stream"]["command"]
    assert pod["containers"][0]["args"] == services()["consumer"]["command"]


def test_three_copies_are_on_three_nodes() -> None:
    """The values of the chart, as far as they can be read here."""
    values = load_yaml(KUBERNETES / "nats-values.yaml")
    spread = values["podTemplate"]["topologySpreadConstraints"]["kubernetes.io/hostname"]

    assert values["config"]["cluster"] == {"enabled": True, "replicas": 3}
    assert values["config"]["jetstream"]["fileStore"]["pvc"]["enabled"] is True
    assert spread == {"maxSkew": 1, "whenUnsatisfiable": "DoNotSchedule"}
