"""From a file to a run: the manifests of the design, the broken ones in `broken/*.yaml`, and `--set`."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from selfimprove.api import apply_sets, check_file, load_run, runs_in, unbuilt
from selfimprove.errors import UserError
from tests.unit.api_support import GOOD, good

HERE = Path(__file__).parent
BROKEN = sorted((HERE / "broken").glob("*.yaml"))

SHORTEST = """\
apiVersion: selfimprove.dev/v1alpha1
kind: SelfImprovementRun            # shortName sir, category ml
metadata: {name: gsm8k}
spec:
  model: {uri: "hf://Qwen/Qwen2.5-1.5B-Instruct"}
  dataset:
    uri: "hf://datasets/openai/gsm8k/main/train-*.parquet"
    fields: {prompt: question, answer: answer}
    answerPattern: "#### (.*)"
    task: Math
"""


@pytest.mark.parametrize("path", BROKEN, ids=[path.stem for path in BROKEN])
def test_a_broken_file_is_refused_with_the_lines_at_its_top(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(HERE)
    expected = re.findall(r"^#! (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    with pytest.raises(UserError) as refused:
        load_run(path.relative_to(HERE))
    assert str(refused.value).splitlines() == expected


def test_the_shortest_manifest_of_the_design_runs() -> None:
    run = load_run(SHORTEST)
    assert run.metadata.name == "gsm8k"
    assert run.spec.dataset.answer_pattern == "#### (.*)"


def test_the_long_manifest_of_the_design_is_valid() -> None:
    checkups = check_file(HERE / "data" / "long.yaml")
    assert [checkup.name for checkup in checkups] == ["everything"]
    assert all("valid but not built yet" in problem.message for problem in checkups[0].problems)


def test_a_run_stands_beside_other_objects_of_its_file(tmp_path: Path) -> None:
    file = tmp_path / "both.yaml"
    file.write_text(f"apiVersion: v1\nkind: Secret\nmetadata: {{name: s3}}\n---\n{GOOD}", encoding="utf-8")
    assert load_run(file).metadata.name == "gsm8k"


def test_every_run_of_a_file_is_checked(tmp_path: Path) -> None:
    file = tmp_path / "two.yaml"
    file.write_text(
        f"{GOOD}---\n{GOOD.replace('name: gsm8k', 'name: second').replace('Math', 'Maths')}", encoding="utf-8"
    )
    first, second = check_file(file)
    assert (first.name, first.problems) == ("gsm8k", [])
    assert second.name == "second"
    assert [problem.field for problem in second.problems] == ["spec.dataset.task"]


def test_two_runs_of_one_name_in_a_file_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "twice.yaml"
    elsewhere = GOOD.replace("name: gsm8k", "name: gsm8k, namespace: other")
    file.write_text(f"{GOOD}---\n{GOOD}---\n{elsewhere}", encoding="utf-8")
    first, second, third = check_file(file)
    assert (first.problems, third.problems) == ([], [])
    assert [str(problem) for problem in second.problems] == [
        "metadata.name: gsm8k is another run's of this file; give a name of its own"
    ]


@pytest.mark.parametrize(
    ("text", "shown"), [("just a text", "'just a text'"), ("- a\n- b", "\"['a', 'b']\""), ("3", "'3'")]
)
def test_what_is_no_map_is_answered_with_the_file_and_the_remedy(tmp_path: Path, text: str, shown: str) -> None:
    file = tmp_path / "odd.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(UserError) as refused:
        check_file(file)
    assert str(refused.value) == f"{file}: holds {shown}; give a map with apiVersion, kind, metadata and spec"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none\.yaml: no such file; give the YAML of a SelfImprovementRun$"):
        load_run(tmp_path / "none.yaml")


def test_a_folder_is_no_manifest(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r": is a folder; give the YAML file of a SelfImprovementRun$"):
        load_run(tmp_path)


def test_a_file_that_is_no_text_is_refused_with_the_place(tmp_path: Path) -> None:
    file = tmp_path / "binary.yaml"
    file.write_bytes(b"kind: \xff\xfe")
    with pytest.raises(UserError, match=r"is no UTF-8 text \(byte 6\); save it as UTF-8$"):
        load_run(file)


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    file = tmp_path / "bom.yaml"
    file.write_bytes(b"\xef\xbb\xbf" + GOOD.encode())
    assert load_run(file).metadata.name == "gsm8k"


def test_json_is_yaml() -> None:
    text = (
        '{"apiVersion": "selfimprove.dev/v1alpha1", "kind": "SelfImprovementRun", "metadata": {"name": "a"}, "spec": '
        '{"model": {"uri": "hf://a/b"}, "dataset": {"uri": "./a.jsonl", "task": "Exact"}}}'
    )
    assert load_run(text).spec.dataset.task == "Exact"


SETS = [
    ("spec.generation.temperature=0.5", ("generation", "temperature"), 0.5),
    ("generation.temperature=1", ("generation", "temperature"), 1),
    ("distillation.learningRate=1e-5", ("distillation", "learningRate"), 1e-5),
    ("dataset.answerPattern=#### (.*)", ("dataset", "answerPattern"), "#### (.*)"),
    ("dataset.answerPattern=[0-9]+", ("dataset", "answerPattern"), "[0-9]+"),
    ("dataset.answerPattern=a=b", ("dataset", "answerPattern"), "a=b"),
    ("model.uri=s3://lab/model", ("model", "uri"), "s3://lab/model"),
    ("dataset.fields.answer=", ("dataset", "fields"), {"prompt": "question", "rationale": "solution"}),
    ("dataset.fields.answer=null", ("dataset", "fields"), {"prompt": "question", "rationale": "solution"}),
    ("verification.methods[0].type=Likelihood", ("verification",), {"methods": [{"type": "Likelihood"}]}),
    ("verification.methods.0.type=Likelihood", ("verification",), {"methods": [{"type": "Likelihood"}]}),
    ("generation.stop=[a, b]", ("generation", "stop"), ["a", "b"]),
    (
        "execution.defaults.nodeSelector[example.com/gpu]=h200",
        ("execution", "defaults", "nodeSelector"),
        {"example.com/gpu": "h200"},
    ),
]


@pytest.mark.parametrize(("change", "path", "value"), SETS, ids=[change for change, _, _ in SETS])
def test_set_changes_one_field_with_a_value_typed_as_in_yaml(change: str, path: tuple[str, ...], value: object) -> None:
    here = apply_sets(good(), [change])["spec"]
    for step in path:
        here = here[step]
    assert (here, type(here)) == (value, type(value))


def test_set_leaves_the_manifest_it_was_given_alone() -> None:
    document = good()
    apply_sets(document, ["dataset.fields.answer=x", "seed=3"])
    assert document == good()


def test_a_later_set_wins_and_lists_grow_by_one() -> None:
    changed = apply_sets(good(), ["generation.stop[0]=a", "generation.stop[1]=b", "generation.stop[0]=c"])
    assert changed["spec"]["generation"]["stop"] == ["c", "b"]


WRONG_SETS = [
    ("seed", "--set seed: is no PATH=VALUE; give one, as spec.maxIterations=5"),
    ("=3", "--set =3: is no PATH=VALUE; give one, as spec.maxIterations=5"),
    ("a..b=3", "--set a..b=3: a..b is no path; give one, as spec.verification.methods[0].type"),
    ("seed.x=1", "spec.seed.x: no such field; spec.seed has none inside"),
    (
        "generation.stop.x=1",
        "spec.generation.stop.x: spec.generation.stop is a list; give the number of an entry, as [0]",
    ),
    ("generation.stop[2]=x", "spec.generation.stop[2]: there are 0 entries; give at most [0] to add one"),
    (
        "verification.methods=[{type: Likelihood}];verification.methods[3].type=x",
        "spec.verification.methods[3]: there is 1 entry; ",
    ),
    ("verification.method[0].type=x", "spec.verification.method: no such field; did you mean methods?"),
    ("status.state=Succeeded", "spec.status: no such field; there are model"),
]


@pytest.mark.parametrize(("change", "line"), WRONG_SETS, ids=[change for change, _ in WRONG_SETS])
def test_a_set_that_leads_nowhere_is_refused(change: str, line: str) -> None:
    with pytest.raises(UserError) as refused:
        apply_sets(good(), change.split(";"))
    assert str(refused.value).startswith(line)


def test_nothing_is_set_inside_what_is_no_object() -> None:
    document = good()
    document["spec"]["generation"] = "fast"
    with pytest.raises(UserError) as refused:
        apply_sets(document, ["generation.topP=1"])
    assert str(refused.value) == "spec.generation: is fast, so nothing inside it can be set; mend it first"


UNBUILT = [
    ("distillation.numNodes=2", "spec.distillation.numNodes: 2", "give 1"),
]


@pytest.mark.parametrize(("change", "value", "remedy"), UNBUILT, ids=[value for _, value, _ in UNBUILT])
def test_what_is_valid_but_not_built_yet_is_refused_in_one_line(change: str, value: str, remedy: str) -> None:
    with pytest.raises(UserError) as refused:
        load_run(GOOD, change.split(";"))
    assert str(refused.value).startswith(f"{value} is valid but not built yet; {remedy}")
    assert len(str(refused.value).splitlines()) == 1


def test_everything_else_is_built() -> None:
    assert (
        unbuilt(
            load_run(GOOD, ["storage.retention=All", "resampling.strategy=StateReset", "distillation.method=DPO"]).spec
        )
        == []
    )


def test_a_list_as_kubectl_writes_it_stands_for_its_items() -> None:
    items = [{**good(), "status": {"state": "Running"}}, {"apiVersion": "v1", "kind": "Secret"}]
    written = json.dumps({"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": ""}, "items": items})
    assert [document["kind"] for document in runs_in(written, "f")] == ["SelfImprovementRun"]
    assert load_run(written).metadata.name == "gsm8k"


def test_a_list_of_nothing_holds_nothing() -> None:
    with pytest.raises(UserError, match=r"^f: holds nothing; give apiVersion, kind, metadata and spec of one$"):
        runs_in("{apiVersion: v1, kind: List, items: []}", "f")


def test_documents_of_other_kinds_are_left_out() -> None:
    found = runs_in(f"{GOOD}---\napiVersion: v1\nkind: ConfigMap\n", "f")
    assert [document["kind"] for document in found] == ["SelfImprovementRun"]
