"""Rights: what the operator may do, verb by verb, where it may do it, and who may use the resource."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from tests.unit.chart_support import Rendered, render, with_helm

RIGHTS = {
    "selfimprove.dev/selfimprovementruns": {"list", "watch"},
    "selfimprove.dev/selfimprovementruns/status": {"patch"},
    "selfimprove.dev/selfimprovementruns/finalizers": {"update"},
    "batch/jobs": {"list", "watch", "create", "patch", "delete"},
    "/pods": {"list", "watch"},
    "/events": {"list", "watch", "create"},
}
"""All that the operator may do where runs live."""
CLUSTER_SCOPED = {
    "ClusterRole",
    "ClusterRoleBinding",
    "CustomResourceDefinition",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "PriorityClass",
    "Namespace",
}
ONLY_OURS = {"crds": {"install": False}, "tenantPolicy": {"install": False}, "userRoles": {"install": False}}
"""A second release, or one by somebody who may do nothing outside of some namespaces."""


def rights(rules: Iterable[dict[str, Any]]) -> dict[str, set[str]]:
    """Verbs by resource."""
    found: dict[str, set[str]] = {}
    for rule in rules:
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                found.setdefault(f"{group}/{resource}", set()).update(rule["verbs"])
    return found


def roles(rendered: Rendered) -> list[dict[str, Any]]:
    return [*rendered.of("ClusterRole"), *rendered.of("Role")]


@with_helm
def test_for_all_namespaces_it_has_one_cluster_role_of_exactly_these_rights(helm: str) -> None:
    rendered = render(helm)
    role = rendered.one("ClusterRole", "selfimprove-operator")
    assert rights(role["rules"]) == RIGHTS
    binding = rendered.one("ClusterRoleBinding")
    assert binding["roleRef"]["name"] == role["metadata"]["name"]
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": "selfimprove-operator", "namespace": "system"}]


@with_helm
def test_for_named_namespaces_it_has_the_same_rights_there_and_none_elsewhere(helm: str) -> None:
    rendered = render(helm, {"watchNamespaces": ["research", "teaching"]})
    found = {each["metadata"]["namespace"]: each for each in rendered.of("Role") if "-lease" not in str(each)}
    assert {name: rights(each["rules"]) for name, each in found.items()} == {"research": RIGHTS, "teaching": RIGHTS}
    assert rendered.of("ClusterRoleBinding") == []
    assert {each["metadata"]["name"] for each in rendered.of("ClusterRole")} == {
        "selfimprove-viewer",
        "selfimprove-editor",
    }
    for binding in rendered.of("RoleBinding"):
        assert binding["subjects"][0]["namespace"] == "system"
        assert binding["roleRef"]["kind"] == "Role"


@with_helm
def test_in_its_own_namespace_it_keeps_one_lease(helm: str) -> None:
    role = render(helm).one("Role")
    assert role["metadata"]["namespace"] == "system"
    assert [(rule["resources"], rule.get("resourceNames"), rule["verbs"]) for rule in role["rules"]] == [
        (["leases"], ["selfimprove-operator"], ["get", "update"]),
        (["leases"], None, ["create"]),
    ]


@with_helm
@pytest.mark.parametrize("values", [{}, {"watchNamespaces": ["research"]}], ids=str)
def test_no_role_names_secrets_or_has_a_wildcard(helm: str, values: dict[str, Any]) -> None:
    for role in roles(render(helm, values)):
        for resource, verbs in rights(role["rules"]).items():
            assert "secrets" not in resource
            assert "*" not in resource
            assert "*" not in verbs


@with_helm
def test_readers_of_a_namespace_see_runs_and_its_editors_write_them(helm: str) -> None:
    viewer = render(helm).one("ClusterRole", "selfimprove-viewer")
    editor = render(helm).one("ClusterRole", "selfimprove-editor")
    assert viewer["metadata"]["labels"]["rbac.authorization.k8s.io/aggregate-to-view"] == "true"
    assert editor["metadata"]["labels"]["rbac.authorization.k8s.io/aggregate-to-edit"] == "true"
    assert rights(viewer["rules"])["selfimprove.dev/selfimprovementruns"] == {"get", "list", "watch"}
    written = rights(editor["rules"])
    assert {"create", "update", "patch", "delete"} <= written["selfimprove.dev/selfimprovementruns"]
    assert written["selfimprove.dev/selfimprovementruns/status"] == {"get"}


@with_helm
def test_authors_must_be_allowed_to_create_pods(helm: str) -> None:
    policy = render(helm).one("ValidatingAdmissionPolicy")
    assert "resource('pods')" in policy["spec"]["validations"][0]["expression"]
    assert render(helm).one("ValidatingAdmissionPolicyBinding")["spec"]["policyName"] == policy["metadata"]["name"]


@with_helm
def test_a_second_release_for_some_namespaces_touches_nothing_of_the_cluster(helm: str) -> None:
    rendered = render(helm, ONLY_OURS | {"watchNamespaces": ["research"]}, release="second", namespace="research")
    assert rendered.kinds & CLUSTER_SCOPED == set()
    assert {each["metadata"]["namespace"] for each in rendered.objects} == {"research"}


@with_helm
def test_two_releases_in_one_namespace_share_no_object(helm: str) -> None:
    def names(release: str, watched: str) -> set[tuple[str, str, str]]:
        rendered = render(helm, ONLY_OURS | {"watchNamespaces": [watched]}, release=release)
        found = [(each["kind"], each["metadata"]) for each in rendered.objects]
        return {(kind, metadata["namespace"], metadata["name"]) for kind, metadata in found}

    assert names("first", "research") & names("second", "teaching") == set()
