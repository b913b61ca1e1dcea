"""The command line about a run of a cluster, as its user types it: a real API server, kubectl and S3, real artifacts.

The run was done by the local executor and its status written as the operator writes it, so no node is needed.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from selfimprove.kubectl_errors import explain
from selfimprove.store import Store, open_store
from tests.fixtures.cluster import Cluster
from tests.fixtures.s3 import ACCESS_KEY, BUCKET, SECRET_KEY, S3Place
from tests.integration.runs_support import write_run

pytestmark = [pytest.mark.cluster, pytest.mark.s3]

INSIDE = "http://s3.storage:8333"
"""The server's address in the cluster, which has no meaning here."""
NOBODY = """
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "https://127.0.0.1:9"}}]
users: [{name: u, user: {token: x}}]
contexts: [{name: c, context: {cluster: c, user: u}}]
current-context: c
"""


@dataclass
class Lab:
    """A namespace with a run in it, and a person who has kubectl and keys for the server that its artifacts lie on."""

    cluster: Cluster
    namespace: str
    endpoint: str
    env: dict[str, str]
    name: str = "tiny"
    resource: dict[str, Any] = field(default_factory=dict)

    @property
    def storage(self) -> str:
        """Where runs of this namespace lie."""
        return f"s3://{BUCKET}/{self.namespace}"

    def type(self, *words: str | Path, **env: str) -> subprocess.CompletedProcess[str]:
        """One command line of ours, in a process of its own."""
        command = [sys.executable, "-m", "selfimprove", *map(str, words)]
        return subprocess.run(command, env=self.env | env, capture_output=True, text=True, timeout=300, check=False)

    def about(self, verb: str, *words: str | Path) -> subprocess.CompletedProcess[str]:
        """A command about the run, its server named by the address that it has here."""
        return self.type(verb, f"sir/{self.name}", "-n", self.namespace, "--endpoint", self.endpoint, *words)

    def outside(self, verb: str, *words: str | Path) -> subprocess.CompletedProcess[str]:
        """A command about the run that knows nothing of its server."""
        return self.type(verb, f"sir/{self.name}", "-n", self.namespace, *words)

    def begin(self, file: Path) -> None:
        """The run is done here, and its resource is made to say so."""
        self.resource = as_a_cluster_takes_it(file)
        done = self.type("run", file, "--storage", self.storage, "--json", AWS_ENDPOINT_URL=self.endpoint)
        assert done.returncode == 0, done.stderr
        self.apply()
        storage = {"uri": self.storage, "endpoint": INSIDE, "credentialsSecretName": "s3"}
        self.report(**json.loads(done.stdout), defaults={"storage": storage})

    def again(self, name: str) -> Lab:
        """The same run under another name, its artifacts too."""
        resource = {**self.resource, "metadata": {"name": name}}
        other = replace(self, name=name, resource=resource)
        here, there = self.store(), other.store()
        for entry in here.list():
            there.write(entry.key, here.read(entry.key))
        other.apply()
        other.report(**{**self.status, "runURI": there.uri})
        return other

    def store(self) -> Store:
        """The run's artifacts."""
        return open_store(f"{self.storage}/{self.name}", endpoint=self.endpoint, region="us-east-1")

    def apply(self) -> None:
        """Apply the manifest."""
        applied = self.cluster.apply(self.resource, namespace=self.namespace)
        assert applied.ok, applied.message

    def report(self, **status: Any) -> None:
        """Write the status as the operator does."""
        document = {name: value for name, value in self.resource.items() if name != "spec"}
        generation = self.cluster.get("sir", self.name, self.namespace)["metadata"]["generation"]
        options = ("--server-side", "--subresource=status", "--field-manager=operator", "--force-conflicts")
        full = {**document, "status": {**status, "observedGeneration": generation}}
        answer = self.cluster.apply(full, namespace=self.namespace, options=options)
        assert answer.ok, answer.message

    @property
    def status(self) -> dict[str, Any]:
        """The status as the server has it."""
        found: dict[str, Any] = self.cluster.get("sir", self.name, self.namespace)["status"]
        return found


@pytest.fixture(scope="module")
def lab(
    crd_cluster: Cluster, s3_server: str, tiny_model: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Lab]:
    """A run that is over."""
    namespace = f"test-{secrets.token_hex(4)}"
    assert crd_cluster.kubectl("create", "namespace", namespace).ok
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    keys = {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY, "AWS_MAX_ATTEMPTS": "1"}
    found = Lab(crd_cluster, namespace, s3_server, {**kept, **crd_cluster.env, **keys, "OMP_NUM_THREADS": "1"})
    found.begin(write_run(tmp_path_factory.mktemp("lab"), tiny_model))
    yield found
    crd_cluster.kubectl("delete", "namespace", namespace, "--wait=false")


def test_status_is_the_object_of_the_server_and_its_tables_need_no_storage(lab: Lab) -> None:
    document = lab.outside("status", "--json")
    assert (document.returncode, document.stderr) == (0, "")
    assert json.loads(document.stdout) == lab.status
    tables = lab.outside("status")
    assert tables.stdout.startswith("tiny: succeeded after iteration 1\n")
    assert "Stopped   MaxIterations: " in tables.stdout


def test_plan_shows_the_end_and_the_defaults_of_the_installation(lab: Lab) -> None:
    plan = json.loads(lab.outside("plan", "--json").stdout)
    assert (plan["next"], plan["stop"]["rule"]) == (None, "MaxIterations")
    assert plan["stop"]["message"] == lab.status["stop"]["message"]
    assert plan["resolved"]["spec.storage.endpoint"] == INSIDE


def test_the_checkpoint_comes_down_and_loads(lab: Lab, tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    done = lab.about("export", "--iteration", "1", "--output", tmp_path / "best")
    assert done.returncode == 0, done.stderr
    model = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "best")
    assert model.config.num_hidden_layers == 2
    assert f"run: `{lab.storage}/tiny`" in (tmp_path / "best" / "README.md").read_text()


def test_samples_are_read_and_what_may_go_is_shown(lab: Lab) -> None:
    read = lab.about("samples", "--step", "evaluate", "--limit", "1", "--json")
    assert read.returncode == 0, read.stderr
    assert len(json.loads(read.stdout)["prompts"]) == 1
    going = lab.about("prune", "--dry-run", "--json")
    assert (going.returncode, json.loads(going.stdout)["dryRun"]) == (0, True)


def test_the_uri_of_the_run_will_do_as_well_where_its_record_is(lab: Lab) -> None:
    by_uri = lab.type("status", lab.status["runURI"], "--endpoint", lab.endpoint, "--json")
    assert by_uri.returncode == 0, by_uri.stderr
    assert json.loads(by_uri.stdout)["stop"] == lab.status["stop"]


def test_an_address_of_the_cluster_that_is_out_of_reach_names_the_option(lab: Lab) -> None:
    done = lab.outside("samples")
    assert (done.returncode, done.stderr.count("\n")) == (4, 1)
    assert INSIDE in done.stderr
    assert "give it by --endpoint URL" in done.stderr


def test_a_run_at_work_keeps_its_artifacts_and_one_that_is_over_loses_them_after_a_yes(lab: Lab, s3: S3Place) -> None:
    other = lab.again("other")
    over = other.status
    going_on = {name: value for name, value in over.items() if name != "stop"}
    other.report(**{**going_on, "state": "Running", "message": "i001-measure is running"})
    refused = other.about("delete", "--yes")
    assert (refused.returncode, refused.stderr.count("\n")) == (4, 1)
    assert f"end it first: kubectl delete sir/other --namespace={lab.namespace}, then selfimprove" in refused.stderr
    assert other.about("prune").returncode == 4
    assert other.about("samples").returncode == 0
    other.report(**over)
    assert other.about("delete").returncode == 2  # nobody is there to be asked
    done = other.about("delete", "--yes")
    assert done.returncode == 0, done.stderr
    gone = other.about("samples")
    assert (gone.returncode, "it was deleted, or moved" in gone.stderr) == (4, True)
    assert other.status == over


def test_suspending_by_the_line_to_type_lets_prune_go_on(lab: Lab, s3: S3Place) -> None:
    held = lab.again("held")
    going_on = {name: value for name, value in held.status.items() if name != "stop"}
    held.report(**{**going_on, "state": "Running"})
    line = held.about("prune").stderr.partition("hold it first: ")[2]
    typed = subprocess.run(["sh", "-c", line], env=held.env, capture_output=True, text=True, check=False)
    assert typed.returncode == 0, typed.stderr
    assert "has not looked at its last change yet" in held.about("prune").stderr
    held.report(**{**going_on, "state": "Suspended"})
    assert held.about("prune").returncode == 0


def test_a_run_that_the_operator_has_not_seen(lab: Lab) -> None:
    new = replace(lab, name="new", resource={**lab.resource, "metadata": {"name": "new"}})
    new.apply()
    done = new.outside("status")
    assert (done.returncode, done.stderr.count("\n")) == (4, 1)
    assert "has no status yet" in done.stderr


def test_a_run_that_is_not_there_is_the_users_to_mend(lab: Lab) -> None:
    for place in (["-n", lab.namespace], ["-n", "no-such-namespace"]):
        done = lab.type("plan", "sir/nobody", *place)
        assert (done.returncode, done.stderr.count("\n")) == (2, 1)
        assert f"sir/nobody: there is no such run in namespace {place[1]} (" in done.stderr


def test_a_context_that_is_not_there_is_the_users_to_mend(lab: Lab) -> None:
    done = lab.outside("status", "--context", "moon")
    assert (done.returncode, "there is no such context" in done.stderr) == (2, True)


def test_who_may_not_read_the_run_and_whom_the_cluster_does_not_know(lab: Lab, tmp_path: Path) -> None:
    assert lab.cluster.kubectl("create", "serviceaccount", "eve", "-n", lab.namespace).ok
    token = lab.cluster.kubectl("create", "token", "eve", "-n", lab.namespace).message
    for secret, word in ((token, "the cluster does not let you read it"), ("x", "the cluster does not know you")):
        done = lab.outside("status", "--kubeconfig", logged_in(lab.cluster, secret, tmp_path / word))
        assert (done.returncode, done.stderr.count("\n")) == (4, 1)
        assert word in done.stderr


def test_a_cluster_that_does_not_answer(lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "config").write_text(NOBODY)
    done = lab.outside("status", "--kubeconfig", tmp_path / "config")
    assert (done.returncode, done.stderr.count("\n")) == (4, 1)
    assert "no cluster answers" in done.stderr


def test_a_cluster_without_the_definition_says_so_in_words_that_are_known(lab: Lab) -> None:
    complaint = lab.cluster.kubectl("get", "nothings.selfimprove.dev", "x", "-n", lab.namespace).message
    assert "this cluster has no SelfImprovementRuns" in str(explain("sir/x", complaint, None, ""))


def as_a_cluster_takes_it(file: Path) -> dict[str, Any]:
    """A manifest with its plain paths as URIs below a volume that pods would mount, in its file too."""
    document: dict[str, Any] = yaml.safe_load(file.read_text())
    spec = document["spec"]
    sources = (spec["model"], spec["dataset"], spec["dataset"]["heldOut"])
    mounted = os.path.commonpath([source["uri"] for source in sources])
    volume = {"name": "data", "mountPath": mounted, "persistentVolumeClaim": {"claimName": "data"}}
    spec["execution"] = {"volumes": [volume]}
    for source in sources:
        source["uri"] = Path(source["uri"]).as_uri()
    file.write_text(yaml.safe_dump(document))
    return document


def logged_in(cluster: Cluster, token: str, path: Path) -> Path:
    """A kubeconfig of somebody else for the same cluster."""
    shown = cluster.kubectl("config", "view", "--raw", "--minify", "-o", "json").message
    config = json.loads(shown)
    config["users"] = [{"name": user["name"], "user": {"token": token}} for user in config["users"]]
    path.write_text(json.dumps(config))
    return path
