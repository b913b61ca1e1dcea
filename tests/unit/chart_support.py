"""The chart as helm renders it: by helm 4 and helm 3, whichever are on the PATH."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
CHART = ROOT / "charts" / "selfimprove"
REGISTRY = "registry.example.com/ml"
KUBE_VERSION = "1.34.0"
HELMS = [name for name in ("helm", "helm3") if shutil.which(name)]
NO_HELM = "no helm on the PATH: go install helm.sh/helm/v4/cmd/helm@latest"
NO_PROMTOOL = "no promtool on the PATH: apt-get install -y prometheus"

with_helm = pytest.mark.parametrize(
    "helm", HELMS or [pytest.param("helm", marks=pytest.mark.skip(reason=NO_HELM))], scope="session"
)
with_promtool = pytest.mark.skipif(shutil.which("promtool") is None, reason=NO_PROMTOOL)

Object = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """What a command said."""

    ok: bool
    text: str


@dataclass(frozen=True)
class Rendered:
    """The objects of a release."""

    objects: tuple[Object, ...]

    def of(self, kind: str) -> list[Object]:
        """Those of a kind."""
        return [each for each in self.objects if each["kind"] == kind]

    def one(self, kind: str, name: str | None = None) -> Object:
        """The only one of a kind, or of a kind and name."""
        found = [each for each in self.of(kind) if name in (None, each["metadata"]["name"])]
        assert len(found) == 1, f"{len(found)} objects {kind} {name or ''}"
        return found[0]

    @property
    def kinds(self) -> set[str]:
        """Of all objects."""
        return {each["kind"] for each in self.objects}

    @property
    def pod(self) -> Object:
        """The operator's pod."""
        template: Object = self.one("Deployment")["spec"]["template"]
        return template

    @property
    def container(self) -> Object:
        """Its only container."""
        (found,) = self.pod["spec"]["containers"]
        return dict(found)

    @property
    def config(self) -> Object:
        """The operator's configuration."""
        text = self.one("ConfigMap", f"{self.one('Deployment')['metadata']['name']}")["data"]["operator.yaml"]
        return dict(yaml.safe_load(text))


def template(helm: str, *options: str, release: str = "selfimprove", namespace: str = "system") -> Answer:
    """`helm template` with these options."""
    command = [helm, "template", release, str(CHART), "-n", namespace, "--kube-version", KUBE_VERSION, *options]
    return answer_of(command)


def answer_of(command: list[str]) -> Answer:
    """What a command says, on the channel where it says it."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    return Answer(done.returncode == 0, done.stderr if done.returncode else done.stdout)


def render(
    helm: str, values: Object | None = None, *, release: str = "selfimprove", namespace: str = "system"
) -> Rendered:
    """The release with these values over the defaults; the registry is set."""
    return _render(helm, json.dumps(values or {}), release, namespace)


@cache
def _render(helm: str, values: str, release: str, namespace: str) -> Rendered:
    merged: Object = json.loads(values)
    merged["image"] = {"registry": REGISTRY} | merged.get("image", {})
    options = [f"--set-json={name}={json.dumps(value)}" for name, value in merged.items()]
    answer = template(helm, *options, release=release, namespace=namespace)
    assert answer.ok, answer.text
    return Rendered(tuple(each for each in yaml.safe_load_all(answer.text) if each))
