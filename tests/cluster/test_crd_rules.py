"""Every CEL rule on a real API server: what it lets through, and what it refuses in its own words."""

from __future__ import annotations

import pytest

from selfimprove.crd import Rule, rules
from tests.cluster.crd_support import Case, cases, key_of, manifest, report
from tests.fixtures.cluster import Answer, Cluster

pytestmark = pytest.mark.cluster

CASES = cases()
CREATION = [rule for rule in rules() if not rule.transition]
TRANSITION = [rule for rule in rules() if rule.transition]


def test_every_rule_has_a_case_and_every_case_a_rule() -> None:
    keys = [key_of(rule) for rule in rules()]
    assert sorted(keys) == sorted(CASES)
    assert len(keys) >= 25


@pytest.mark.parametrize("rule", CREATION, ids=key_of)
def test_a_rule_accepts_what_keeps_it(crd_cluster: Cluster, rule: Rule) -> None:
    answer = crd_cluster.apply(manifest(CASES[key_of(rule)].accept), dry_run=True)
    assert answer.ok, answer.message


@pytest.mark.parametrize("rule", CREATION, ids=key_of)
def test_a_rule_refuses_what_breaks_it(crd_cluster: Cluster, rule: Rule) -> None:
    answer = crd_cluster.apply(manifest(CASES[key_of(rule)].reject), dry_run=True)
    assert not answer.ok
    assert rule.message in answer.message


@pytest.mark.parametrize("rule", TRANSITION, ids=key_of)
def test_a_run_may_change_in_what_is_not_fixed(crd_cluster: Cluster, namespace: str, rule: Rule) -> None:
    case = CASES[key_of(rule)]
    answer = changed(crd_cluster, namespace, case, case.accept)
    assert answer.ok, answer.message


@pytest.mark.parametrize("rule", TRANSITION, ids=key_of)
def test_a_run_can_not_change_in_what_is_fixed(crd_cluster: Cluster, namespace: str, rule: Rule) -> None:
    case = CASES[key_of(rule)]
    answer = changed(crd_cluster, namespace, case, case.reject)
    assert not answer.ok
    assert rule.message in answer.message


def changed(cluster: Cluster, namespace: str, case: Case, sets: list[str]) -> Answer:
    """What the server says to a change of a run that is there."""
    created = cluster.apply(manifest(case.before), namespace=namespace)
    assert created.ok, created.message
    if case.status is not None:
        reported = report(cluster, namespace, case.status)
        assert reported.ok, reported.message
    return cluster.apply(manifest([*case.before, *sets]), namespace=namespace, dry_run=True)
