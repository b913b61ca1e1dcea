"""The chart's life on a real API server: install, upgrade, uninstall, and a second release beside the first."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.chart_release import OURS_ALONE, Release, cleared, definition_of, helm_of, namespaces, serves
from tests.fixtures.cluster import CRD, CRD_NAME, Cluster
from tests.unit.chart_support import CHART

pytestmark = pytest.mark.cluster

WORDS, NEW_WORDS = "Iterations to run; may be raised later.", "Iterations to run; more at any time."
"""What the definition says of a field, and what the next version says."""


@pytest.fixture(scope="module")
def bare(cluster: Cluster) -> Iterator[Cluster]:
    """The API server; at last as it was."""
    with cleared(cluster):
        yield cluster


@pytest.fixture(params=["helm", "helm3"])
def release(request: pytest.FixtureRequest, bare: Cluster) -> Iterator[Release]:
    """A release to install where nothing of the chart is."""
    helm = helm_of(bare, request.param)
    name = f"system-{secrets.token_hex(4)}"
    with cleared(bare, restore=False), namespaces(bare, name):
        found = Release(bare, helm, name)
        yield found
        found.uninstall()


@pytest.fixture
def lab(bare: Cluster) -> Iterator[str]:
    """A namespace for runs."""
    name = f"lab-{secrets.token_hex(4)}"
    with namespaces(bare, name):
        yield name


def next_version(folder: Path) -> Path:
    """A copy of the chart whose definition says something new."""
    chart = folder / "selfimprove"
    shutil.copytree(CHART, chart)
    file = chart / "files" / "selfimproverun.yaml"
    text = file.read_text()
    assert WORDS in text
    file.write_text(text.replace(WORDS, NEW_WORDS))
    return chart


def test_one_command_makes_a_cluster_ready_for_runs_and_says_what_comes_next(release: Release, lab: str) -> None:
    answer = release.install()
    assert answer.ok, answer.message
    assert serves(release.cluster, lab)
    for words in (
        f"kubectl rollout status deployment/selfimprove-operator -n {release.namespace}",
        "kubectl apply -f examples/quickstart/s3.yaml",
        "kubectl apply -f examples/arithmetic/run.yaml",
        "kubectl get sir -w",
        "s3://selfimprove/runs at http://s3:8333",
    ):
        assert words in answer.message


def test_with_a_bucket_of_its_own_the_notes_name_that_and_no_quickstart(release: Release) -> None:
    answer = release.install("defaults.storage.uri=s3://lab/runs", "cpu=true", options=("--dry-run=client",))
    notes = answer.message.partition("NOTES:")[2]
    assert "s3://lab/runs" in notes
    assert "quickstart" not in notes
    assert "nvidia.com/gpu" not in notes


def test_an_upgrade_brings_definition_and_defaults_up_to_date_and_keeps_runs(
    release: Release, lab: str, tmp_path: Path
) -> None:
    cluster = release.installed().cluster
    assert serves(cluster, lab)
    before = release.pod_template()["metadata"]["annotations"]
    answer = release.upgrade("defaults.gpu.count=2", chart=next_version(tmp_path))
    assert answer.ok, answer.message
    assert NEW_WORDS in str(definition_of(cluster)["spec"])
    assert release.pod_template()["metadata"]["annotations"] != before, "the operator begins anew"
    assert cluster.get("sir", "gsm8k", lab)
    assert release.upgrade("crds.install=false").ok
    assert cluster.get("sir", "gsm8k", lab), "the definition was left to another release, and is kept"


def test_runs_outlive_the_release_and_the_next_one_takes_them_over(release: Release, lab: str) -> None:
    cluster = release.installed().cluster
    assert serves(cluster, lab)
    answer = release.uninstall()
    assert answer.ok, answer.message
    assert cluster.get("sir", "gsm8k", lab)
    assert not cluster.kubectl("get", "deployment", "selfimprove-operator", "-n", release.namespace).ok
    again = release.install()
    assert again.ok, again.message
    assert cluster.get("sir", "gsm8k", lab)


def test_a_definition_applied_by_hand_is_adopted_when_asked(release: Release, lab: str) -> None:
    cluster = release.cluster
    assert cluster.kubectl("apply", "--server-side", "-f", str(CRD)).ok
    assert serves(cluster, lab)
    refused = release.install()
    assert not refused.ok
    assert CRD_NAME in refused.message
    release.uninstall()
    # helm 4 applies on the server's side, where fields have owners.
    conflicts = () if release.helm.endswith("3") else ("--force-conflicts",)
    adopted = release.install(options=("--take-ownership", *conflicts))
    assert adopted.ok, adopted.message
    assert definition_of(cluster)["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "Helm"
    assert cluster.get("sir", "gsm8k", lab)


def test_a_second_release_looks_after_its_own_namespace(release: Release, lab: str) -> None:
    release.installed()
    second = Release(release.cluster, release.helm, lab, "selfimprove-lab")
    assert not second.install(f"watchNamespaces={{{lab}}}").ok, "the definition is the first one's"
    second.uninstall()
    second.installed(f"watchNamespaces={{{lab}}}", *OURS_ALONE)
    assert second.may("create", "jobs.batch", lab)
    assert not second.may("create", "jobs.batch", release.namespace)
    assert second.uninstall().ok
    assert definition_of(release.cluster)
