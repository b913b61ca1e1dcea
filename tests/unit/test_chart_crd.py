"""The chart's copy of the definition: the committed one, word for word, kept when the release goes."""

from __future__ import annotations

from selfimprove.api.kubeyaml import documents
from tests.unit.chart_support import CHART, REGISTRY, ROOT, render, template, with_helm

COMMITTED = ROOT / "crds" / "selfimproverun.yaml"
COPY = CHART / "files" / "selfimproverun.yaml"


def test_the_copy_is_the_committed_definition() -> None:
    assert COPY.read_bytes() == COMMITTED.read_bytes(), "cp crds/selfimproverun.yaml charts/selfimprove/files/"


@with_helm
def test_rendering_changes_nothing_of_what_it_says(helm: str) -> None:
    answer = template(helm, f"--set=image.registry={REGISTRY}", "--show-only=templates/crd.yaml")
    (committed,) = documents(COMMITTED.read_text(), str(COMMITTED))
    (rendered,) = documents(answer.text, "rendered")
    assert rendered["spec"] == committed["spec"]
    assert rendered["metadata"]["name"] == committed["metadata"]["name"]


@with_helm
def test_it_outlives_the_release(helm: str) -> None:
    rendered = render(helm).one("CustomResourceDefinition")
    assert rendered["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}


@with_helm
def test_a_second_release_leaves_it_alone(helm: str) -> None:
    assert render(helm, {"crds": {"install": False}}).of("CustomResourceDefinition") == []
