"""Writes the four dashboards as JSON, from here and from nowhere else.

Run it after a change and commit what it wrote; a test fails where the two differ:

    python infra/docker/grafana/generate_dashboards.py

The builders and types are Grafana's own (grafana-foundation-sdk), so that a misspelt option does
not get as far as Grafana. Queries go to the two data sources of provisioning/datasources by uid.
"""

import json
import sys
import urllib.parse
from collections.abc import Sequence
from pathlib import Path

from grafana_foundation_sdk.builders import bargauge, common, logs, loki, prometheus, stat
from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.builders import timeseries as series
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models import units
from grafana_foundation_sdk.models.common import (
    BarGaugeDisplayMode,
    BigValueColorMode,
    BigValueGraphMode,
    LegendDisplayMode,
    LegendPlacement,
    LogsSortOrder,
    StackingMode,
    TooltipDisplayMode,
    VizOrientation,
)

DIRECTORY = Path(__file__).parent / "dashboards"
PROMETHEUS = model.DataSourceRef(type_val="prometheus", uid="prometheus")
LOKI = model.DataSourceRef(type_val="loki", uid="loki")

INPUTS = ("udp", "tcp", "tls", "unix", "relp", "http", "journal")
LEVEL_COLORS = {
    "DEBUG": "blue",
    "INFO": "green",
    "WARN": "yellow",
    "ERROR": "orange",
    "CRITICAL": "red",
}
PER_SECOND = "suffix: /s"
LOUDEST = 15  # emitters shown one by one; more lines could no longer be told apart
RAW_LINES = 1000  # records the raw view asks Loki for at once
ANY = ".+"  # what "All" stands for: Loki wants a matcher that cannot match the empty string

Queries = Sequence[tuple[str, str]]
"""Expression and legend of each query of a panel."""


# --- expressions --------------------------------------------------------------------------------


def ours(metric: str, more: str = "") -> str:
    """Return the selector of a metric of the daemons that are chosen in the dashboard."""
    return f'{metric}{{job="logops_gateway", instance=~"$instance"{more}}}'


def rate(metric: str, by: str) -> str:
    """Return the PromQL of a counter's rate, summed by a label."""
    return f"sum by ({by}) (rate({ours(metric)}[$__rate_interval]))"


def share(part: str, whole: str) -> str:
    """Return the PromQL of one counter's share in another, by input."""
    return f"{rate(part, 'input')} / {rate(whole, 'input')}"


def grown(metric: str, more: str = "") -> str:
    """Return the PromQL of what a counter grew by in the time shown."""
    return f"sum(increase({ours(metric, more)}[$__range]))"


def account() -> str:
    """Return the PromQL of what the account of each input lacks; 0 when it closes.

    A daemon that cannot suppress yet has no such metric; it counts as 0.
    """
    received = f"sum by (input) ({ours('logops_received_total')})"
    parts = ("logops_accepted_total", "logops_dropped_total", "logops_inflight")
    minus = "".join(f" - sum by (input) ({ours(part)})" for part in parts)
    suppressed = f"sum by (input) ({ours('logops_suppressed_total')})"
    return f"{received}{minus} - ({suppressed} or {received} * 0)"


def quantile(part: float) -> str:
    """Return the PromQL of a quantile of the time one write of the sink takes."""
    return f"histogram_quantile({part}, {rate('logops_sink_write_seconds_bucket', 'le')})"


def counted(selector: str, by: str, over: str) -> str:
    """Return the LogQL of the number of records, summed by a label."""
    return f"sum by ({by}) (count_over_time({selector} [{over}]))"


CHOSEN = '{emitter=~"$emitter", level=~"$level", input=~"$input"}'
"""The records that the variables of a Loki dashboard choose."""

BAD = '{emitter=~"$emitter", level=~"ERROR|CRITICAL", input=~"$input"}'
"""Those of them that tell of an error."""


# --- panels -------------------------------------------------------------------------------------


def query(
    source: model.DataSourceRef, number: int, expr: str, legend: str, *, instant: bool
) -> prometheus.Dataquery | loki.Dataquery:
    """Return one query of a panel: for a graph, or (instant) for a single number."""
    ref_id = chr(ord("A") + number)
    if source is LOKI:
        asked = loki.Dataquery().datasource(LOKI).ref_id(ref_id).expr(expr).legend_format(legend)
        return asked.query_type("instant" if instant else "range")
    ask = prometheus.Dataquery().datasource(PROMETHEUS).ref_id(ref_id).expr(expr)
    ask = ask.legend_format(legend)
    return ask.instant() if instant else ask.range()


def graph(
    title: str,
    text: str,
    queries: Queries,
    *,
    source: model.DataSourceRef = PROMETHEUS,
    unit: str = units.Short,
    width: int = 12,
    stacked: bool = False,
) -> series.Panel:
    """Return lines over time, one below the other in the legend with their last value."""
    legend = common.VizLegendOptions().display_mode(LegendDisplayMode.TABLE).show_legend(True)
    panel = (
        series.Panel()
        .title(title)
        .description(text)
        .datasource(source)
        .span(width)
        .height(8)
        .unit(unit)
        .min(0)
        .fill_opacity(40 if stacked else 10)
        .legend(legend.placement(LegendPlacement.RIGHT).calcs(["lastNotNull", "max"]))
        .tooltip(common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI))
    )
    if stacked:
        panel.stacking(common.StackingConfig().mode(StackingMode.NORMAL).group("A"))
    for number, (expr, label) in enumerate(queries):
        panel.with_target(query(source, number, expr, label, instant=False))
    return panel


def levels(panel: series.Panel) -> series.Panel:
    """Give each level of a graph the colour it has everywhere."""
    for level, color in LEVEL_COLORS.items():
        fixed = {"mode": "fixed", "fixedColor": color}
        panel.override_by_name(level, [model.DynamicConfigValue(id_val="color", value=fixed)])
    return panel


def figure(
    title: str,
    text: str,
    expr: str,
    *,
    source: model.DataSourceRef = PROMETHEUS,
    unit: str = units.Short,
    bad_from: float | None = None,
    bad_below: float | None = None,
    words: dict[str, str] | None = None,
) -> stat.Panel:
    """Return one number, green; red from `bad_from` on, or below `bad_below`.

    `words` stand for its values.
    """
    steps = [model.Threshold(value=None, color="green" if bad_below is None else "red")]
    if bad_from is not None:
        steps.append(model.Threshold(value=bad_from, color="red"))
    if bad_below is not None:
        steps.append(model.Threshold(value=bad_below, color="green"))
    panel = (
        stat.Panel()
        .title(title)
        .description(text)
        .datasource(source)
        .span(3)
        .height(4)
        .unit(unit)
        .color_mode(BigValueColorMode.VALUE)
        .graph_mode(BigValueGraphMode.NONE)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .thresholds(build.ThresholdsConfig().mode(model.ThresholdsMode.ABSOLUTE).steps(steps))
        .with_target(query(source, 0, expr, "", instant=True))
    )
    if words:
        results = {value: model.ValueMappingResult(text=word) for value, word in words.items()}
        panel.mappings([model.ValueMap(options=results)])
    return panel


def bars(title: str, text: str, expr: str, legend: str, unit: str = units.Short) -> bargauge.Panel:
    """Return one bar for each label's value, the longest first as the query sorts them."""
    return (
        bargauge.Panel()
        .title(title)
        .description(text)
        .datasource(LOKI)
        .span(8)
        .height(12)
        .unit(unit)
        .min(0)
        .display_mode(BarGaugeDisplayMode.BASIC)
        .orientation(VizOrientation.HORIZONTAL)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .with_target(query(LOKI, 0, expr, legend, instant=True))
    )


def lines(title: str, text: str, expr: str, *, height: int) -> logs.Panel:
    """Return the records themselves, newest first."""
    return (
        logs.Panel()
        .title(title)
        .description(text)
        .datasource(LOKI)
        .span(24)
        .height(height)
        .show_time(True)
        .wrap_log_message(True)
        .enable_log_details(True)
        .enable_infinite_scrolling(True)
        .sort_order(LogsSortOrder.DESCENDING)
        .with_target(
            loki.Dataquery()
            .datasource(LOKI)
            .ref_id("A")
            .expr(expr)
            .query_type("range")
            .max_lines(RAW_LINES)
        )
    )


# --- dashboards ---------------------------------------------------------------------------------


def everything() -> model.VariableOption:
    """Return the choice "All", which a dashboard starts with."""
    return model.VariableOption(selected=True, text="All", value="$__all")


def instances() -> build.QueryVariable:
    """Return the choice among the daemons that Prometheus knows."""
    return (
        build.QueryVariable("instance")
        .label("Daemon")
        .datasource(PROMETHEUS)
        .query('label_values(up{job="logops_gateway"}, instance)')
        .refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .multi(True)
        .include_all(True)
        .all_value(ANY)
        .current(everything())
    )


def one_of(name: str, label: str, values: Sequence[str]) -> build.CustomVariable:
    """Return the choice among the values of a closed set."""
    variable = build.CustomVariable(name).label(label).values(",".join(values))
    return variable.multi(True).include_all(True).all_value(ANY).current(everything())


def emitters() -> build.QueryVariable:
    """Return the choice among the emitters that Loki knows."""
    return (
        build.QueryVariable("emitter")
        .label("Emitter")
        .datasource(LOKI)
        .query({"refId": "emitters", "type": 1, "label": "emitter", "stream": ""})
        .refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(model.VariableSort.ALPHABETICAL_ASC)
        .multi(True)
        .include_all(True)
        .all_value(ANY)
        .current(everything())
    )


def page(name: str, title: str, text: str, *, since: str, refresh: str) -> build.Dashboard:
    """Return an empty dashboard with links to its three sisters."""
    sisters = (
        build.DashboardLink("logopsd")
        .type(model.DashboardLinkType.DASHBOARDS)
        .tags(["logopsd"])
        .keep_time(True)
    )
    return (
        build.Dashboard(title)
        .uid(f"logopsd-{name}")
        .description(text)
        .tags(["logopsd"])
        .timezone("browser")
        .time(since, "now")
        .refresh(refresh)
        .readonly()
        .link(sisters)
    )


def loki_page(name: str, title: str, text: str, *, since: str, refresh: str) -> build.Dashboard:
    """Return an empty dashboard in which records are chosen by their three labels."""
    return (
        page(name, title, text, since=since, refresh=refresh)
        .with_variable(emitters())
        .with_variable(one_of("level", "Level", tuple(LEVEL_COLORS)))
        .with_variable(one_of("input", "Input", INPUTS))
    )


def overview() -> build.Dashboard:
    """Return the state of the daemons, from their metrics."""
    text = "The daemons themselves: what comes in, what waits, what is lost. From Prometheus."
    dashboard = page("overview", "logopsd / Overview", text, since="now-1h", refresh="15s")
    dashboard.with_variable(instances())
    for panel in _overview_figures():
        dashboard.with_panel(panel)
    for title, panels in _overview_rows():
        dashboard.with_row(build.Row(title))
        for row_panel in panels:
            dashboard.with_panel(row_panel)
    return dashboard


def _overview_figures() -> list[stat.Panel]:
    stalled = f"max({ours('logops_sink_stalled')})"
    up = 'min(up{job="logops_gateway", instance=~"$instance"})'
    alerts = 'count(ALERTS{alertname=~"LogOps.+", alertstate="firing"}) or vector(0)'
    accepted = f"sum(rate({ours('logops_accepted_total')}[$__rate_interval]))"
    return [
        figure(
            "Up", "Prometheus reaches every daemon.", up,
            bad_below=1, words={"0": "DOWN", "1": "up"},
        ),
        figure("Alerts", "LogOps alerts firing now.", alerts, bad_from=1),
        figure("Accepted", "Records stored each second.", accepted, unit=PER_SECOND),
        figure("In flight", "Records not yet stored.", f"sum({ours('logops_inflight')})"),
        figure(
            "Dropped", "Received, not stored.", grown("logops_dropped_total"), bad_from=1
        ),
        figure(
            "Kernel drops",
            "Datagrams lost before they were read.",
            grown("logops_udp_kernel_drops_total"),
            bad_from=1,
        ),
        figure(
            "Sink", "Whether files can be written.", stalled,
            bad_from=1, words={"0": "writes", "1": "STALLED"},
        ),
        figure(
            "Open account", "Received, less all that became of it: 0.",
            f"sum({account()})", bad_from=1,
        ),
    ]  # fmt: skip


def _overview_rows() -> list[tuple[str, list[series.Panel]]]:
    every, by_input = "{{input}}", "input"
    ratio = units.PercentUnit
    return [
        (
            "Coming in",
            [
                graph("Accepted by input", "Records stored each second.",
                      [(rate("logops_accepted_total", by_input), every)], stacked=True),
                graph("Received by input", "Frames and documents read each second.",
                      [(rate("logops_received_total", by_input), every)], stacked=True),
                graph("In flight", "Records received and not yet stored.",
                      [(f"sum by (input) ({ours('logops_inflight')})", every)], width=8),
                graph("Connections", "Connections open now.",
                      [(f"sum by (input) ({ours('logops_connections')})", every)], width=8),
                graph("HTTP answers", "By status code, each second.",
                      [(rate("logops_http_responses_total", "code") + " > 0", "{{code}}")],
                      width=8),
            ],
        ),
        (
            "Lost, and malformed",
            [
                graph("Dropped by reason", "What each means: docs/observability.md.",
                      [(rate("logops_dropped_total", "reason"), "{{reason}}"),
                       (f"sum(rate({ours('logops_udp_kernel_drops_total')}[$__rate_interval]))",
                        "kernel")]),
                graph("Held back by the rate limit", "Records of peers over LOGOPS_RATE_LIMIT.",
                      [(rate("logops_suppressed_total", by_input), every)]),
                graph("Malformed by reason", "Faults in the framing; what could be read is kept.",
                      [(rate("logops_malformed_total", "reason"), "{{reason}}")], width=6),
                graph("Truncated", "Messages over LOGOPS_MAX_MESSAGE, stored cut.",
                      [(rate("logops_truncated_total", by_input), every)], width=6),
                graph("Repeats", "Records left out, as the journal had sent them before.",
                      [(rate("logops_repeats_total", by_input), every)], width=6),
                graph("Open account", "Received - accepted - dropped - suppressed - in flight.",
                      [(account(), every)], width=6),
            ],
        ),
        (
            "Missing, and masked",
            [
                graph("Without a time", "Share of the records that got the time of arrival.",
                      [(share("logops_missing_ts_total", "logops_accepted_total"), every)],
                      unit=ratio, width=6),
                graph("Without a level", "Share of the records that got INFO.",
                      [(share("logops_missing_level_total", "logops_accepted_total"), every)],
                      unit=ratio, width=6),
                graph("Masked by detector", "Spans of personal data, each second.",
                      [(rate("logops_pii_masked_total", "detector"), "{{detector}}")], width=6),
                graph("Withheld", "Values not written, as they could not be masked.",
                      [(f"sum(rate({ours('logops_pii_withheld_total')}[$__rate_interval]))",
                        "withheld")], width=6),
            ],
        ),
        (
            "Sink and process",
            [
                graph("Written", "Bytes each second.",
                      [(rate("logops_sink_written_bytes_total", "instance"), "{{instance}}")],
                      unit=units.BytesPerSecondSI, width=8),
                graph("One write takes", "With its fsync, where the policy asks for one.",
                      [(quantile(0.5), "half of them"), (quantile(0.99), "99 of 100")],
                      unit=units.Seconds, width=8),
                graph("Waiting to be written", "Bytes; at the high-water mark senders are paused.",
                      [(ours("logops_sink_pending_bytes"), "{{instance}}")],
                      unit=units.BytesIEC, width=8),
                graph("Free space", "On the file system of LOGOPS_SINK_DIR.",
                      [(ours("logops_sink_free_bytes"), "{{instance}}")],
                      unit=units.BytesIEC, width=8),
                graph("Memory", "Resident.",
                      [(ours("process_resident_memory_bytes"), "{{instance}}")],
                      unit=units.BytesIEC, width=8),
                graph("Processor", "Of one core.",
                      [(rate("process_cpu_seconds_total", "instance"), "{{instance}}")],
                      unit=ratio, width=8),
            ],
        ),
    ]  # fmt: skip


def trends() -> build.Dashboard:
    """Return how many records there are of each level, over time."""
    text = "How many records, of which level, over time. From Loki."
    dashboard = loki_page("trends", "logopsd / Trends", text, since="now-6h", refresh="1m")
    by_level, bad = counted(CHOSEN, "level", "$__auto"), counted(BAD, "emitter", "$__auto")
    share_bad = f"sum(count_over_time({BAD} [$__auto])) / sum(count_over_time({CHOSEN} [$__auto]))"
    return (
        dashboard.with_panel(
            levels(graph("Records by level", "Records in each step of the graph.",
                         [(by_level, "{{level}}")], source=LOKI, width=24, stacked=True))
        )
        .with_panel(
            graph("Errors by emitter", "ERROR and CRITICAL, of the loudest.",
                  [(f"topk({LOUDEST}, {bad})", "{{emitter}}")], source=LOKI)
        )
        .with_panel(
            graph("Share of errors", "ERROR and CRITICAL among all records.",
                  [(share_bad, "errors")], source=LOKI, unit=units.PercentUnit)
        )
        .with_panel(
            graph("Records by input", "Which way they came.",
                  [(counted(CHOSEN, "input", "$__auto"), "{{input}}")],
                  source=LOKI, stacked=True)
        )
        .with_panel(
            graph("Volume by level", "Bytes as shipped, in each step.",
                  [(f"sum by (level) (bytes_over_time({CHOSEN} [$__auto]))", "{{level}}")],
                  source=LOKI, unit=units.BytesIEC, stacked=True)
        )
    )  # fmt: skip


def by_emitter() -> build.Dashboard:
    """Return who sends how much, and who tells of errors."""
    text = "Who sends, how much, and how bad it is. From Loki."
    dashboard = loki_page("emitters", "logopsd / Emitters", text, since="now-6h", refresh="1m")
    records = counted(CHOSEN, "emitter", "$__range")
    volume = f"sum by (emitter) (bytes_over_time({CHOSEN} [$__range]))"
    top = f"topk({LOUDEST}, {{}})"
    return (
        dashboard.with_panel(
            graph("Records of the loudest", f"The {LOUDEST} emitters with most records.",
                  [(top.format(counted(CHOSEN, "emitter", "$__auto")), "{{emitter}}")],
                  source=LOKI, width=24, stacked=True)
        )
        .with_panel(
            bars("Records", "In the time shown.", top.format(records), "{{emitter}}")
        )
        .with_panel(
            bars("Errors", "ERROR and CRITICAL in the time shown.",
                 top.format(counted(BAD, "emitter", "$__range")), "{{emitter}}")
        )
        .with_panel(
            bars("Volume", "Bytes as shipped, in the time shown.",
                 top.format(volume), "{{emitter}}", units.BytesIEC)
        )
        .with_panel(
            figure("Emitters", "Different ones in the time shown.",
                   f"count({records})", source=LOKI)
        )
    )  # fmt: skip


def raw() -> build.Dashboard:
    """Return the records themselves."""
    text = "The records, newest first, and the way to their live tail. From Loki."
    dashboard = loki_page("raw", "logopsd / Raw logs", text, since="now-15m", refresh="5s")
    found = CHOSEN + " |~ `(?i)${search:regex}`"
    told = ' | json msg="msg" | line_format "{{.emitter}}: {{.msg}}"'
    by_level = counted(found, "level", "$__auto")
    explore = build.DashboardLink("Live tail").type(model.DashboardLinkType.LINK).icon("bolt")
    explore.tooltip("Opens Explore; press Live there").url(live_tail()).target_blank(True)
    return (
        dashboard.with_variable(build.TextBoxVariable("search").label("Contains"))
        .link(explore)
        .with_panel(
            levels(graph("Found", "Records in each step of the graph.",
                         [(by_level, "{{level}}")], source=LOKI, width=24, stacked=True))
        )
        .with_panel(
            lines("Records", "A click shows all fields. Refreshes every 5 s; Live tail streams.",
                  found + told, height=24)
        )
    )  # fmt: skip


def live_tail() -> str:
    """Return the address of Explore with all records, where the button Live streams them."""
    asked = {"refId": "A", "expr": f'{{emitter=~"{ANY}"}}', "datasource": LOKI.to_json()}
    pane = {"datasource": LOKI.uid, "queries": [asked], "range": {"from": "now-15m", "to": "now"}}
    panes = json.dumps({"a": pane}, separators=(",", ":"))
    return "/explore?" + urllib.parse.urlencode({"schemaVersion": 1, "panes": panes, "orgId": 1})


DASHBOARDS = {"overview": overview, "trends": trends, "emitters": by_emitter, "raw": raw}
"""File name, without its ending, and what makes the dashboard in it."""


def rendered(name: str) -> str:
    """Return a dashboard as the text of its file."""
    made = DASHBOARDS[name]().build()
    for number, panel in enumerate(made.panels or [], start=1):
        panel.id_val = number
    return json.dumps(made, cls=JSONEncoder, indent=2, sort_keys=True) + "\n"


def main() -> int:
    """Write every dashboard into DIRECTORY."""
    DIRECTORY.mkdir(exist_ok=True)
    for name in DASHBOARDS:
        (DIRECTORY / f"{name}.json").write_text(rendered(name))
    return 0


if __name__ == "__main__":
    sys.exit(main())
