"""A real Prometheus scrapes the side port, and the account closes at any scrape."""

import json
import re
import socket
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

from tests.e2e.harness import DEADLINE_SECONDS, ROOT, Daemon, Page, need, process, run, wait_for

CONFIG = """
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
  - job_name: logops_gateway
    static_configs: [{{targets: ["{target}"]}}]
"""


@contextmanager
def prometheus(directory: Path, target: str) -> Iterator[str]:
    """Run a Prometheus of our own that scrapes `target`; yield the URL of its API."""
    program = need("prometheus")
    directory.mkdir()
    config, log = directory / "prometheus.yml", directory / "prometheus.log"
    config.write_text(CONFIG.format(target=target))
    command = [program, f"--config.file={config}", f"--storage.tsdb.path={directory / 'tsdb'}"]
    with process([*command, "--web.listen-address=127.0.0.1:0"], log):
        listening = re.compile(r'msg="Listening on" address=(\S+)')
        found = wait_for(
            lambda: listening.search(log.read_text()), "Prometheus to listen", hint=log.read_text
        )
        assert found is not None
        yield f"http://{found[1]}/api/v1"


def query(api: str, expression: str) -> dict[str, float]:
    """Ask Prometheus; return the value of each input, and nothing while it still starts."""
    url = f"{api}/query?" + urllib.parse.urlencode({"query": expression})
    try:
        with urllib.request.urlopen(url, timeout=DEADLINE_SECONDS) as answer:
            result: list[dict[str, Any]] = json.load(answer)["data"]["result"]
    except urllib.error.HTTPError as error:
        with error:
            if error.code != HTTPStatus.SERVICE_UNAVAILABLE:  # it listens before it is ready
                raise
        return {}
    return {each["metric"].get("input", ""): float(each["value"][1]) for each in result}


def test_prometheus_scrapes_and_answers(daemon: Daemon, tmp_path: Path) -> None:
    """What was sent over each input is what Prometheus says was accepted."""
    host, port = daemon.address("metrics")
    with prometheus(tmp_path / "prometheus", f"{host}:{port}") as api:
        daemon.send_udp(b"one", b"two", b"three")
        daemon.send_tcp(b"four\nfive\n")
        assert daemon.post(b'{"msg": "six"}')[0] == 200
        expected = {"udp": 3.0, "tcp": 2.0, "http": 1.0}
        daemon.wait_for(
            lambda: query(api, "logops_accepted_total").items() >= expected.items(),
            f"Prometheus to say {expected}",
        )
        assert query(api, 'up{job="logops_gateway"}') == {"": 1.0}
        assert set(query(api, "logops_build_info")) == {""}


def test_promtool_finds_nothing_to_say(daemon: Daemon) -> None:
    """`promtool check metrics` accepts the page: names, help, types."""
    daemon.send_udp(b"one")
    done = run([need("promtool"), "check", "metrics"], stdin=daemon.metrics().text.encode())

    assert (done.stdout, done.stderr) == (b"", b"")


def test_the_configuration_we_ship_is_valid() -> None:
    """`promtool check config` accepts infra/docker/prometheus/prometheus.yml, job and all."""
    config = ROOT / "infra" / "docker" / "prometheus" / "prometheus.yml"
    run([need("promtool"), "check", "config", config])

    assert "job_name: logops_gateway" in config.read_text()


def test_the_account_closes_at_every_scrape_under_load(daemon: Daemon) -> None:
    """What was received has one fate each, for each input, while all of them are busy."""
    rounds, lines = 40, b"".join(b"<13>app: load %d of many\n" % i for i in range(500))
    body = json.dumps([{"msg": f"load {i}"} for i in range(500)]).encode()

    def over_tcp() -> None:
        with socket.create_connection(daemon.address("tcp")) as sock:
            for _ in range(rounds):
                sock.sendall(lines)

    def over_http() -> None:
        for _ in range(rounds):
            assert daemon.post(body)[0] == 200

    def over_udp() -> None:
        for _ in range(rounds):
            daemon.send_udp(*[b"<13>app: load"] * 100)

    senders = [threading.Thread(target=each) for each in (over_tcp, over_http, over_udp)]
    for sender in senders:
        sender.start()
    pages = []
    while any(sender.is_alive() for sender in senders):
        pages.append(daemon.metrics())
    for sender in senders:
        sender.join()

    daemon.wait_for(lambda: settled(daemon.metrics(), rounds), "all that was sent to be stored")
    pages.append(daemon.metrics())
    assert len(pages) > 5
    for page in pages:
        assert page.inputs() >= {"udp", "tcp", "http"}
        open_accounts = {name: page.unaccounted(name) for name in page.inputs()}
        assert set(open_accounts.values()) == {0}, open_accounts
    assert pages[-1].sum("logops_accepted_total", input="http") == rounds * 500
    assert len(daemon.records()) == pages[-1].sum("logops_accepted_total")


def settled(page: Page, rounds: int) -> bool:
    """Tell whether TCP is stored whole, and each datagram is stored or counted as lost."""
    lost = page.sum("logops_udp_kernel_drops_total")
    lost += page.sum("logops_dropped_total", input="udp")
    return (
        page.sum("logops_accepted_total", input="tcp") == rounds * 500
        and page.sum("logops_accepted_total", input="udp") + lost == rounds * 100
    )
