"""What kubectl complains of, as it says it, and what a person is told instead: one line, the remedy, the exit code."""

from __future__ import annotations

from pathlib import Path

import pytest

from selfimprove.errors import SurroundingsError, UserError
from selfimprove.kubectl import Kubectl
from tests.unit.cli_support import selfimprove
from tests.unit.cluster_support import FakeKubectl

Capture = pytest.CaptureFixture[str]
NOISE = (
    'E1125 08:47:04.772885    7769 memcache.go:265] "Unhandled Error" err="couldn\'t get current server API group '
    'list: Get \\"http://localhost:8080/api?timeout=5s\\": dial tcp 127.0.0.1:8080: connect: connection refused"\n'
)
RUN = 'selfimprovementruns.selfimprove.dev "demo"'


@pytest.fixture
def kubectl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeKubectl:
    return FakeKubectl(tmp_path / "bin", monkeypatch)


@pytest.mark.parametrize(
    ("says", "code", "told"),
    [
        (f"Error from server (NotFound): {RUN} not found", 2, "there is no such run in namespace research"),
        ('error: context "lab" does not exist', 2, "there is no such context"),
        ("Error in configuration: context was not found for specified context: lab", 2, "there is no such context"),
        ("error: stat /no/such: no such file or directory", 2, "kubectl's configuration can't be read"),
        ('error: error loading config file "/tmp/x": json parse error', 2, "kubectl's configuration can't be read"),
        (
            'error: the server doesn\'t have a resource type "selfimprovementruns"',
            4,
            "this cluster has no SelfImprovementRuns",
        ),
        (f'Error from server (Forbidden): {RUN} is forbidden: User "eve" cannot get it', 4, "does not let you read it"),
        ("error: You must be logged in to the server (Unauthorized)", 4, "the cluster does not know you"),
        (
            "Unable to connect to the server: getting credentials: exec: executable aws not found",
            4,
            "does not know you",
        ),
        ("error: EOF", 4, "the cluster does not know you"),
        (
            f"{NOISE}The connection to the server localhost:8080 was refused - did you specify the right host or port?",
            4,
            "no cluster answers",
        ),
        ("Unable to connect to the server: dial tcp: lookup k8s on 10.0.0.2:53: no such host", 4, "no cluster answers"),
        ("Unable to connect to the server: net/http: TLS handshake timeout", 4, "no cluster answers"),
        ("Error from server (InternalError): etcd is on fire", 4, "kubectl can't read it"),
        ("", 4, "kubectl can't read it (it said nothing)"),
    ],
)
def test_a_complaint_is_one_line_with_its_remedy(
    says: str, code: int, told: str, kubectl: FakeKubectl, capfd: Capture
) -> None:
    kubectl.complains(says)
    outcome = selfimprove(capfd, "status", "sir/demo", "-n", "research")
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (code, "", 1)
    assert outcome.err.startswith("error: sir/demo: ")
    assert told in outcome.err
    assert outcome.err.rindex("; ") > outcome.err.index(told)
    assert (says.splitlines() or [""])[-1] in outcome.err


def test_without_kubectl_the_uri_is_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SurroundingsError, match="kubectl, which is not on the PATH; install it, or give the URI"):
        Kubectl().get("sir/demo")


def test_a_kubectl_that_can_not_be_started(
    kubectl: FakeKubectl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    (tmp_path / "bin" / "kubectl").write_bytes(b"\x7fELF nonsense")
    with pytest.raises(SurroundingsError, match=r"kubectl can't be started \(Exec format error\)"):
        Kubectl().get("sir/demo")


def test_an_answer_that_is_no_json(kubectl: FakeKubectl, tmp_path: Path) -> None:
    (tmp_path / "bin" / "said").write_text("Flag --x has been deprecated")
    with pytest.raises(SurroundingsError, match="kubectl answered with no JSON"):
        Kubectl().get("sir/demo")


def test_which_namespace_was_looked_in_is_said(kubectl: FakeKubectl) -> None:
    kubectl.complains(f"Error from server (NotFound): {RUN} not found")
    listing = "kubectl get sir --all-namespaces '--context=a b'"
    with pytest.raises(UserError, match="no such run in the namespace of kubectl's context") as caught:
        Kubectl(context="a b").get("sir/demo")
    assert str(caught.value).endswith(f"give -n NAMESPACE for another one; `{listing}` shows all runs")


def test_a_command_to_type_is_safe_for_a_shell() -> None:
    assert Kubectl(context="a b").line("delete", "sir/x") == "kubectl delete sir/x '--context=a b'"
