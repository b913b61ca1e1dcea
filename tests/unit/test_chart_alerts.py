"""Alerts and the dashboard: Prometheus understands every query, and each asks for what the operator tells."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from selfimprove_operator.metrics import Metrics, Runs
from tests.unit.chart_support import CHART, answer_of, with_promtool

ALERTS = CHART / "files" / "alerts.yaml"
DASHBOARD = CHART / "files" / "dashboard.json"
CASES = Path(__file__).parent / "data" / "chart_alerts.yaml"
SUFFIXES = {"counter": "_total", "histogram": "_bucket"}
METRICS = {
    family.name + SUFFIXES.get(family.type, "") for family in (*Metrics().registry.collect(), *Runs({}).collect())
}
"""All that the operator tells, as Prometheus stores it."""


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load(ALERTS.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    return [each for each in json.loads(DASHBOARD.read_text())["panels"] if each["type"] != "row"]


def queries() -> Iterator[str]:
    """The dashboard's queries with its variables filled in."""
    for panel in panels():
        for target in panel["targets"]:
            yield target["expr"].replace("$namespace", ".*").replace("$run", ".*")


def names(text: str) -> set[str]:
    return set(re.findall(r"\bselfimprove_\w+", text))


@with_promtool
def test_prometheus_takes_the_rules() -> None:
    answer = answer_of(["promtool", "check", "rules", "--lint-fatal", str(ALERTS)])
    assert answer.ok, answer.text


@with_promtool
def test_alerts_fire_when_they_should_and_only_then() -> None:
    answer = answer_of(["promtool", "test", "rules", str(CASES)])
    assert answer.ok, answer.text


@with_promtool
def test_prometheus_understands_every_query_of_the_dashboard(tmp_path: Path) -> None:
    recorded = [{"record": f"panel:{number}", "expr": query} for number, query in enumerate(queries())]
    file = tmp_path / "queries.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": recorded}]}))
    answer = answer_of(["promtool", "check", "rules", str(file)])
    assert answer.ok, answer.text


def test_every_alert_is_tried() -> None:
    assert {rule["alert"] for rule in rules()} == set(re.findall(r"\bSelfImprove\w+", CASES.read_text()))


def test_every_alert_says_how_bad_it_is_what_it_means_and_what_to_do() -> None:
    for rule in rules():
        assert rule["labels"]["severity"] in ("info", "warning", "critical"), rule["alert"]
        assert set(rule["annotations"]) == {"summary", "description"}, rule["alert"]


def test_alerts_and_dashboard_ask_for_what_the_operator_tells() -> None:
    asked = names(" ".join(queries())) | names(" ".join(rule["expr"] for rule in rules()))
    assert asked <= METRICS


def test_the_dashboard_shows_all_that_the_operator_tells() -> None:
    assert names(" ".join(queries())) == METRICS


def test_panels_stand_beside_each_other_and_not_on_each_other() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        at = panel["gridPos"]
        cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert not cells & taken, panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= cells


def test_every_panel_reads_the_chosen_prometheus() -> None:
    for panel in panels():
        sources = [panel["datasource"], *(target["datasource"] for target in panel["targets"])]
        assert {each["uid"] for each in sources} == {"${datasource}"}, panel["title"]
