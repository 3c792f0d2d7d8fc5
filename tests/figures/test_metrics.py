"""The figures and the page."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

import logopsd
from logopsd.figures.catalogue import DROP_REASONS, HTTP_CODES, WRITE_SECONDS
from logopsd.figures.metrics import InputMetrics, Metrics
from logopsd.framing import FAULTS
from logopsd.records import INPUTS


def samples(metrics: Metrics) -> dict[str, float]:
    """Read the page as a scraper does: `name{label="value"}` -> number."""
    page, _ = metrics.page(None)
    return {
        sample.name + "".join(f"{{{k}={v}}}" for k, v in sorted(sample.labels.items())): value
        for family in parse_text(page.decode())
        for sample in family.samples
        for value in (sample.value,)
    }


def test_all_children_of_an_input_stand_at_zero_from_the_start() -> None:
    """A scrape before the first record shows every reason, so that rates have a beginning."""
    metrics = Metrics()
    metrics.input("tcp")
    page = samples(metrics)
    for reason in DROP_REASONS:
        assert page[f"logops_dropped_total{{input=tcp}}{{reason={reason}}}"] == 0
    for reason in FAULTS:
        assert page[f"logops_malformed_total{{input=tcp}}{{reason={reason}}}"] == 0
    for code in HTTP_CODES:
        assert page[f"logops_http_responses_total{{code={code}}}"] == 0
    assert page["logops_received_total{input=tcp}"] == 0
    assert page["logops_pii_masked_total{detector=email}"] == 0


def test_an_input_that_is_off_is_not_shown() -> None:
    """Only the inputs asked for have figures."""
    metrics = Metrics()
    metrics.input("udp")
    assert not [name for name in samples(metrics) if "input=tcp" in name]


def test_an_input_has_one_set_of_figures() -> None:
    """Asking twice gives the same object."""
    metrics = Metrics()
    assert metrics.input("http") is metrics.input("http")


def test_what_is_counted_is_shown() -> None:
    """Each figure of an input comes out under its own name."""
    metrics = Metrics()
    figures = metrics.input("http")
    figures.received += 10
    figures.accepted += 5
    figures.inflight += 2
    figures.missing_ts += 4
    figures.missing_level += 3
    figures.truncated += 1
    figures.connections += 6
    figures.drop("shutdown", 2)
    figures.drop("empty")
    figures.fault(FAULTS[0], 7)
    page = samples(metrics)
    assert page["logops_received_total{input=http}"] == 10
    assert page["logops_accepted_total{input=http}"] == 5
    assert page["logops_inflight{input=http}"] == 2
    assert page["logops_missing_ts_total{input=http}"] == 4
    assert page["logops_missing_level_total{input=http}"] == 3
    assert page["logops_truncated_total{input=http}"] == 1
    assert page["logops_connections{input=http}"] == 6
    assert page["logops_dropped_total{input=http}{reason=shutdown}"] == 2
    assert page["logops_dropped_total{input=http}{reason=empty}"] == 1
    assert page[f"logops_malformed_total{{input=http}}{{reason={FAULTS[0]}}}"] == 7


def test_what_belongs_to_no_input_is_shown() -> None:
    """Privacy, the sink, the kernel and HTTP have their figures."""
    metrics = Metrics(detectors=("email", "card"))
    metrics.masked("card", 3)
    metrics.withheld(2)
    metrics.kernel_dropped(190)
    metrics.kernel_dropped(4)
    metrics.sink_pending_bytes = 1234
    metrics.sink_stalled(True)
    metrics.http_responses[503] += 4
    page = samples(metrics)
    assert page["logops_pii_masked_total{detector=card}"] == 3
    assert page["logops_pii_withheld_total"] == 2
    assert page["logops_udp_kernel_drops_total"] == 194
    assert page["logops_sink_pending_bytes"] == 1234
    assert page["logops_sink_stalled"] == 1
    assert page["logops_http_responses_total{code=503}"] == 4
    metrics.sink_stalled(False)
    assert samples(metrics)["logops_sink_stalled"] == 0


def test_writes_fall_into_their_buckets() -> None:
    """A write counts in each bucket whose bound it does not exceed, and the sums add up."""
    metrics = Metrics()
    for seconds in (0.0001, 0.0002, 0.7, 60.0):
        metrics.sink_written(100, seconds)
    page = samples(metrics)
    assert page["logops_sink_written_bytes_total"] == 400
    assert page["logops_sink_write_seconds_bucket{le=0.0001}"] == 1
    assert page["logops_sink_write_seconds_bucket{le=0.0005}"] == 2
    assert page["logops_sink_write_seconds_bucket{le=1.0}"] == 3
    assert page["logops_sink_write_seconds_bucket{le=10.0}"] == 3
    assert page["logops_sink_write_seconds_bucket{le=+Inf}"] == 4
    assert page["logops_sink_write_seconds_count"] == 4
    assert page["logops_sink_write_seconds_sum"] == pytest.approx(60.7003)
    assert list(WRITE_SECONDS) == sorted(WRITE_SECONDS)


@pytest.mark.parametrize(
    "count",
    [
        lambda m: m.input("carrier-pigeon"),
        lambda m: m.input("udp").drop("a reason of a peer"),
        lambda m: m.input("udp").fault("a reason of a peer"),
        lambda m: m.masked("a detector nobody named", 1),
    ],
)
def test_a_value_from_outside_its_set_is_refused(count: object) -> None:
    """Nothing a peer says can become a label."""
    assert callable(count)
    with pytest.raises(KeyError):
        count(Metrics())


def test_an_input_has_no_figure_that_is_not_declared() -> None:
    """A misspelt figure is an error, not a new attribute."""
    with pytest.raises(AttributeError):
        InputMetrics("udp").recieved = 1  # type: ignore[attr-defined]


def test_the_build_is_told() -> None:
    """A scrape says which version is running."""
    page, _ = Metrics().page(None)
    assert f'version="{logopsd.__version__}"'.encode() in page
    assert b"logops_build_info{" in page


def test_the_process_is_shown() -> None:
    """Memory, CPU time and descriptors of the process are on the page."""
    page = samples(Metrics())
    assert page["process_resident_memory_bytes"] > 0
    assert "process_cpu_seconds_total" in page
    assert page["process_open_fds"] > 0


def test_hooks_run_before_each_scrape() -> None:
    """Figures that are read, not counted, are brought up to date."""
    metrics = Metrics()

    def read_the_sockets() -> None:
        metrics.udp_kernel_drops += 5

    metrics.before_scrape(read_the_sockets)
    assert samples(metrics)["logops_udp_kernel_drops_total"] == 5
    assert samples(metrics)["logops_udp_kernel_drops_total"] == 10


def test_plain_text_by_default() -> None:
    """A scraper that asks for nothing gets the format every version reads."""
    page, content_type = Metrics().page(None)
    assert content_type.startswith("text/plain; version=0.0.4")
    assert list(parse_text(page.decode()))


def test_openmetrics_where_asked_for() -> None:
    """A scraper that asks for OpenMetrics gets it, and its strict parser reads it."""
    metrics = Metrics()
    for name in INPUTS:
        metrics.input(name)
    page, content_type = metrics.page("application/openmetrics-text;version=1.0.0;q=0.9")
    assert content_type.startswith("application/openmetrics-text; version=1.0.0")
    assert page.endswith(b"# EOF\n")
    assert list(parse_openmetrics(page.decode()))


@given(st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=60))
def test_any_accept_header_gets_a_page(accept: str) -> None:
    """No header can make the page fail."""
    assert b"logops_build_info" in Metrics().page(accept)[0]


@pytest.mark.parametrize("version", ["x", "1.x", "", "..", "1.0.0.0.0", "99"])
@pytest.mark.parametrize("kind", ["text/plain", "application/openmetrics-text"])
def test_any_version_gets_a_page(kind: str, version: str) -> None:
    """A version that is none falls back to plain text."""
    assert b"logops_build_info" in Metrics().page(f"{kind};version={version}")[0]


def test_a_registry_may_be_handed_in() -> None:
    """The figures are shown by the registry they were given."""
    registry = CollectorRegistry()
    assert Metrics(registry).registry is registry
    assert "logops_accepted" in {family.name for family in registry.collect()}


def test_two_daemons_in_one_process_share_nothing() -> None:
    """No figure is global."""
    one, other = Metrics(), Metrics()
    one.input("udp").received += 1
    assert samples(other).get("logops_received_total{input=udp}") is None
