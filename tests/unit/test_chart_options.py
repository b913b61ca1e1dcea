"""What a cluster may have or not: monitoring, network policies, disruption budgets. Off until asked for."""

from __future__ import annotations

import json
from typing import Any

import yaml

from tests.unit.chart_support import CHART, render, with_helm

OPTIONS: dict[str, Any] = {
    "podDisruptionBudget": {"enabled": True},
    "networkPolicy": {"enabled": True},
    "metrics": {
        "serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
        "prometheusRule": {"enabled": True, "labels": {"release": "prometheus"}},
        "dashboard": {"enabled": True},
    },
}


@with_helm
def test_all_options_are_off_by_default(helm: str) -> None:
    optional = {"PodDisruptionBudget", "NetworkPolicy", "ServiceMonitor", "PrometheusRule"}
    assert render(helm).kinds & optional == set()
    assert len(render(helm).of("ConfigMap")) == 1


@with_helm
def test_every_object_is_labelled_as_the_releases(helm: str) -> None:
    for each in render(helm, OPTIONS).objects:
        if "ValidatingAdmissionPolicy" not in each["kind"]:
            assert each["metadata"]["labels"]["app.kubernetes.io/instance"] == "selfimprove", each["metadata"]["name"]


@with_helm
def test_prometheus_finds_the_service_and_keeps_the_runs_own_namespace(helm: str) -> None:
    rendered = render(helm, OPTIONS)
    monitor = rendered.one("ServiceMonitor")
    service = rendered.one("Service")
    assert monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    (endpoint,) = monitor["spec"]["endpoints"]
    assert endpoint["port"] == service["spec"]["ports"][0]["name"]
    assert endpoint["honorLabels"] is True
    assert monitor["metadata"]["labels"]["release"] == "prometheus"


@with_helm
def test_the_alerts_survive_templating_word_for_word(helm: str) -> None:
    rule = render(helm, OPTIONS).one("PrometheusRule")
    assert rule["spec"] == yaml.safe_load((CHART / "files" / "alerts.yaml").read_text())
    assert rule["metadata"]["labels"]["release"] == "prometheus"


@with_helm
def test_grafana_finds_the_dashboard(helm: str) -> None:
    found = render(helm, OPTIONS).one("ConfigMap", "selfimprove-dashboard")
    assert found["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert json.loads(found["data"]["selfimprove.json"]) == json.loads((CHART / "files" / "dashboard.json").read_text())


@with_helm
def test_its_network_is_the_metrics_port_names_and_the_api_server(helm: str) -> None:
    policy = render(helm, OPTIONS).one("NetworkPolicy")["spec"]
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    assert policy["ingress"] == [{"ports": [{"protocol": "TCP", "port": 8080}]}]
    names, api = policy["egress"]
    assert {each["port"] for each in names["ports"]} == {53}
    assert [each["port"] for each in api["ports"]] == [443, 6443]
    labels = render(helm, OPTIONS).pod["metadata"]["labels"]
    assert policy["podSelector"]["matchLabels"].items() <= labels.items()


@with_helm
def test_its_network_can_be_drawn_tighter(helm: str) -> None:
    monitoring = [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}]
    api = {"cidrs": ["10.0.0.1/32"], "ports": [6443]}
    values = {"networkPolicy": {"enabled": True, "metricsFrom": monitoring, "apiServer": api}}
    policy = render(helm, values).one("NetworkPolicy")["spec"]
    assert policy["ingress"][0]["from"] == monitoring
    assert policy["egress"][1] == {
        "ports": [{"protocol": "TCP", "port": 6443}],
        "to": [{"ipBlock": {"cidr": "10.0.0.1/32"}}],
    }


@with_helm
def test_its_one_pod_may_be_moved_off_a_node(helm: str) -> None:
    budget = render(helm, OPTIONS).one("PodDisruptionBudget")["spec"]
    assert budget["maxUnavailable"] == 1
    labels = render(helm, OPTIONS).pod["metadata"]["labels"]
    assert budget["selector"]["matchLabels"].items() <= labels.items()
