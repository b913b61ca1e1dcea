"""The CustomResourceDefinition: made from the models, bounded everywhere, small, and committed as it is made."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from selfimprove.api import Run, problems, unbuilt
from selfimprove.api.base import Model
from selfimprove.api.kubeyaml import documents
from selfimprove.api.spec import Spec
from selfimprove.api.status import Status
from selfimprove.cli import main
from selfimprove.crd import Rule, definition, rules, yaml_text
from selfimprove.crd.words import field_words
from tests.cluster.crd_support import cases, key_of, manifest

ROOT = Path(__file__).parents[2]
COMMITTED = ROOT / "crds" / "selfimproverun.yaml"
IN_THE_CHART = ROOT / "charts" / "selfimprove" / "files" / "selfimproverun.yaml"
SCHEMA = definition()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]

Node = tuple[str, dict[str, Any]]


def nodes(schema: dict[str, Any], path: str = "") -> Iterator[Node]:
    """Every node of a structural schema, with its place."""
    yield path, schema
    for name, child in schema.get("properties", {}).items():
        yield from nodes(child, f"{path}.{name}".lstrip("."))
    if "items" in schema:
        yield from nodes(schema["items"], f"{path}[]")
    if isinstance(schema.get("additionalProperties"), dict):
        yield from nodes(schema["additionalProperties"], f"{path}{{}}")


OURS = [(path, node) for path, node in nodes(SCHEMA) if path.startswith(("spec", "status"))]


def test_the_committed_definition_is_what_the_models_say() -> None:
    assert COMMITTED.read_text(encoding="utf-8") == yaml_text(definition()), (
        "selfimprove crd > crds/selfimproverun.yaml"
    )


@pytest.mark.skipif(not IN_THE_CHART.exists(), reason="the chart has no copy of the definition")
def test_the_chart_carries_the_committed_definition() -> None:
    assert IN_THE_CHART.read_text(encoding="utf-8") == COMMITTED.read_text(encoding="utf-8")


def test_the_command_prints_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["crd"]) == 0
    assert capsys.readouterr().out == yaml_text(definition())


def test_it_is_small_enough_for_an_annotation_many_times_over() -> None:
    assert len(yaml_text(definition()).encode()) < 64_000


def test_kubectl_reads_it_as_it_was_meant() -> None:
    text = yaml_text(definition())
    assert documents(text, "crd") == [yaml.safe_load(text)] == [definition()]


def test_every_node_has_one_type_or_is_kept_as_it_was_written() -> None:
    assert [
        path for path, node in OURS if "type" not in node and "x-kubernetes-preserve-unknown-fields" not in node
    ] == []
    assert [path for path, node in OURS if {"$ref", "anyOf", "title", "const"} & set(node)] == []


def test_every_text_list_and_map_of_ours_is_bounded() -> None:
    bounds = {"string": {"maxLength", "enum"}, "array": {"maxItems"}}
    assert [path for path, node in OURS if not bounds.get(node.get("type", ""), set(node)) & set(node)] == []
    assert [path for path, node in OURS if "additionalProperties" in node and "maxProperties" not in node] == []


def test_every_field_that_people_write_is_described() -> None:
    described = {path for path, node in OURS if "description" in node}
    fields = {path for path, _ in OURS if path.startswith("spec") and not path.endswith(("]", "}")) and "}" not in path}
    assert sorted(path for path in fields - described if path.count("[]") == 0) == []


@pytest.mark.parametrize("field", ["done", "ignored", "prompts", "accounted"])
def test_what_a_step_is_kept_with_for_the_operator_s_own_sake_is_described(field: str) -> None:
    step = SCHEMA["properties"]["status"]["properties"]["step"]["properties"]
    assert step[field]["description"]
    assert step["prompts"]["description"].startswith("Not progress")


def test_the_one_interval_that_is_not_of_95_percent_is_described() -> None:
    rows = SCHEMA["properties"]["status"]["properties"]["iterations"]["items"]["properties"]
    assert "99.5%" in rows["versusBest"]["description"]


def test_every_line_of_words_belongs_to_a_field() -> None:
    models = {model.__name__: model for model in descendants(Model)}
    fields = {
        f"{name}.{field.alias or key}" for name, model in models.items() for key, field in model.model_fields.items()
    }
    assert sorted(set(field_words()) - fields) == []


def descendants(model: type[Model]) -> list[type[Model]]:
    below = model.__subclasses__()
    return below + [each for child in below for each in descendants(child)]


def test_a_status_of_the_models_has_its_place_in_the_schema() -> None:
    assert set(SCHEMA["properties"]["status"]["properties"]) == {field.alias or name for name, field in aliases(Status)}
    assert set(SCHEMA["properties"]["spec"]["properties"]) == {field.alias or name for name, field in aliases(Spec)}


def aliases(model: type[Model]) -> list[tuple[str, Any]]:
    return list(model.model_fields.items())


def test_rules_are_many_and_each_says_what_to_do() -> None:
    assert len({rule.rule for rule in rules()}) >= 25
    assert [rule.name for rule in rules() if ";" not in rule.message and ":" not in rule.message] == []


CLUSTER_ONLY = {"file-in-a-volume model.uri", "file-in-a-volume dataset", "file-in-a-volume storage.uri"}
"""Rules that one machine does not have: its user's files are within its reach."""
CREATION = [rule for rule in rules() if not rule.transition]


@pytest.mark.parametrize("rule", CREATION, ids=key_of)
def test_what_a_rule_lets_through_is_right_on_one_machine_too(rule: Rule) -> None:
    assert problems(manifest(cases()[key_of(rule)].accept)) == []


@pytest.mark.parametrize("rule", [rule for rule in CREATION if rule.name not in CLUSTER_ONLY], ids=key_of)
def test_what_a_rule_refuses_is_refused_on_one_machine_too(rule: Rule) -> None:
    document = manifest(cases()[key_of(rule)].reject)
    assert problems(document) or unbuilt(Run.model_validate(document).spec)


def test_the_columns_are_one_simple_path_each() -> None:
    columns = definition()["spec"]["versions"][0]["additionalPrinterColumns"]
    assert [column["name"].upper() for column in columns if not column.get("priority")] == [
        "STATE", "ITER", "GAP", "TAIL", "BEST", "AGE"
    ]  # fmt: skip
    places = {path for path, _ in nodes(SCHEMA)} | {"metadata.creationTimestamp"}
    assert {column["jsonPath"].lstrip(".") for column in columns} <= places
