"""The operator's rights: with those of the chart all goes well, without any one of its verbs something named does not.

On pretended nodes; the operator is a process that has the token of the chart's service account.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from selfimprove.ledger import StepId
from selfimprove_operator.names import job_name
from tests.cluster.chart_place import Place, watched_namespace
from tests.cluster.chart_release import Release, eventually
from tests.cluster.run_support import LiveRun
from tests.cluster.test_admission_policy import POLICY, RUNS, role, write
from tests.fixtures.cluster import Cluster
from tests.unit.test_chart_rbac import RIGHTS

pytestmark = pytest.mark.cluster

VERBS = [(resource.partition("/")[2], verb) for resource, verbs in RIGHTS.items() for verb in sorted(verbs)]
LEASE_VERBS = [("leases", verb) for verb in ("get", "create", "update")]
BLOCKED = "cannot set blockOwnerDeletion"
"""What the server says without `finalizers`, where OwnerReferencesPermissionEnforcement is on."""

UNDISCOVERED = "cannot find RESTMapping"
"""What it says, whatever the rights are, while it learns anew which kinds there are, as it does every 30 seconds and
behind a chart's installation (kubernetes, plugin/pkg/admission/gc). The operator tries it again."""


@pytest.fixture(scope="module")
def release(nodes: Cluster) -> Iterator[Release]:
    with watched_namespace(nodes) as found:
        yield found


@pytest.fixture
def place(release: Release, tmp_path: Path) -> Iterator[Place]:
    """The namespace, with nothing of an earlier test in it."""
    yield Place(release, tmp_path)
    release.cluster.kubectl("delete", "sir,jobs,leases", "--all", "-n", release.namespace)


def whole(run: LiveRun) -> None:
    """A run from its first step to its last."""
    run.apply("maxIterations=1")


def held(run: LiveRun) -> None:
    """A run in a queue is put on hold: its Job goes."""
    run.apply("execution.queueName=gpus", labels={"fake/seconds": "60s"})
    eventually(lambda: bool(run.jobs()))
    run.patch(suspend=True)


def name_taken(run: LiveRun) -> None:
    """The name of its first Job is taken by somebody else's."""
    run.apply("suspend=true")
    uid = run.cluster.get("sir", run.name, run.namespace)["metadata"]["uid"]
    name = job_name(run.name, uid, StepId(0, "evaluate"), 1)
    pod = {"restartPolicy": "Never", "containers": [{"name": "other", "image": "other"}]}
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": {"template": {"spec": pod}}}
    job["spec"]["suspend"] = True
    answer = run.cluster.apply(job, namespace=run.namespace)
    assert answer.ok, answer.message
    run.patch(suspend=False)


def changed_meanwhile(run: LiveRun) -> None:
    """It is changed again and again while its status is written."""
    run.apply("maxIterations=3")
    for number in range(40):
        run.cluster.kubectl("label", "sir", run.name, f"n={number}", "--overwrite", "-n", run.namespace)


PROVOKED: dict[tuple[str, str], Callable[[LiveRun], None]] = {("jobs", "delete"): held}
"""What makes the operator use a verb, where a run that goes well does not."""


def test_with_the_charts_rights_nothing_is_refused(place: Place) -> None:
    with place.operator() as log:
        for number, provoke in enumerate((whole, held, name_taken, changed_meanwhile)):
            provoke(place.run(f"run-{number}"))
        place.run("run-0").wait("Succeeded", 120)
        place.run("run-3").wait("Succeeded", 120)
        place.run("run-1").wait("Suspended")
        assert eventually(lambda: not place.run("run-1").items("jobs", "-l", "selfimprove.dev/run=run-1"))
        assert not refusals(log())


def refusals(log: str) -> list[str]:
    """The lines of a log that tell of a right that the operator lacks."""
    return [line for line in log.splitlines() if "forbidden" in line and UNDISCOVERED not in line]


def test_the_policy_for_tenants_lets_the_operator_write_what_it_must(place: Place) -> None:
    cluster, namespace = place.cluster, place.namespace
    assert cluster.kubectl("apply", "-f", str(POLICY)).ok
    try:
        assert cluster.apply(*role("reader", RUNS), namespace=namespace).ok
        assert eventually(lambda: "may not create pods" in write(cluster, namespace, "reader").message)
        with place.operator() as log:
            whole(place.run("gsm8k"))
            place.run("gsm8k").wait("Succeeded", 120)
            assert not refusals(log())
    finally:
        cluster.kubectl("delete", "-f", str(POLICY))


@pytest.mark.parametrize(("resource", "verb"), [*VERBS, *LEASE_VERBS])
def test_no_verb_is_there_for_nothing(place: Place, resource: str, verb: str) -> None:
    run = place.run("gsm8k")
    with place.without(resource, verb), place.operator() as log:
        PROVOKED.get((resource, verb), whole)(run)
        refusal = BLOCKED if resource.endswith("/finalizers") else f'cannot {verb} resource "{resource}"'

        def told() -> bool:
            return refusal in log() or refusal in json.dumps(run.status).replace('\\"', '"')

        assert eventually(lambda: told() or _not_enforced(run, refusal)), log()
        if not told():
            pytest.skip("the API server runs without the admission plugin OwnerReferencesPermissionEnforcement")


def _not_enforced(run: LiveRun, refusal: str) -> bool:
    """Whether a run went well without the right to make its Jobs hold it: few servers ask for that."""
    return refusal == BLOCKED and run.status.get("state") == "Succeeded"
