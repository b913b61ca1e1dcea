"""What a user gets wrong, and the exact line that says so: the tables are in `broken/*.txt`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from selfimprove.api import Run, Spec, apply_sets, load_run, problems
from selfimprove.api.flat import leaves
from selfimprove.api.kubeyaml import documents
from selfimprove.api.rules import RULES
from selfimprove.api.rules.base import heard
from selfimprove.api.schema import dotted
from selfimprove.errors import UserError
from tests.unit.api_support import GOOD, good, lines_after

BROKEN = Path(__file__).parent / "broken"

Row = tuple[list[str], list[str]]


def rows_of(path: Path) -> Iterator[Row]:
    """The blocks of a file of broken settings: `--set` values, and the lines expected for them."""
    for block in path.read_text(encoding="utf-8").split("\n\n")[1:]:
        lines = block.splitlines()
        sets = [line.removeprefix("--set ") for line in lines if line.startswith("--set ")]
        yield sets, lines[len(sets) :]


TABLE = [(path.stem, *row) for path in sorted(BROKEN.glob("*.txt")) for row in rows_of(path)]


def test_there_are_more_broken_specs_than_a_user_will_think_of() -> None:
    assert len(TABLE) > 90


@pytest.mark.parametrize(
    ("sets", "lines"),
    [row[1:] for row in TABLE],
    ids=[f"{stem}-{lines[0].partition(':')[0]}" for stem, _, lines in TABLE],
)
def test_a_broken_manifest_is_answered_with_its_exact_lines(sets: list[str], lines: list[str]) -> None:
    assert lines_after(*sets) == lines


def test_a_text_that_is_too_long_is_answered_with_its_length() -> None:
    assert lines_after(f"dataset.system={'x' * 65537}") == [
        "spec.dataset.system: 65,537 characters are more than 65,536; give text"
    ]


def test_the_good_manifest_has_no_problem() -> None:
    assert lines_after() == []


@pytest.mark.parametrize(
    "bucket", ["lab", "my.lab-2", "Old_Lab", "arn:aws:s3:eu-central-1:123456789012:accesspoint:lab"]
)
def test_every_name_that_a_bucket_ever_had_may_stand_in_a_uri(bucket: str) -> None:
    assert lines_after(f"storage.uri=s3://{bucket}/runs", f"dataset.uri=s3://{bucket}/[a-c] d*.jsonl") == []


@pytest.mark.parametrize("name", ["a.jsonl", "a.PARQUET", "*.ndjson.gz", "a.json", "v1.2", "sums.csv/", ""])
def test_a_name_that_may_be_a_dataset_or_a_folder_of_them_is_left_to_the_reader(name: str) -> None:
    assert lines_after(f"dataset.uri=s3://lab.db/{name}", f"dataset.test.uri=/data/{name}") == []


@pytest.mark.parametrize("server", ["http://host", "https://host:65535/path", "http://[::1]:9000", "http://10.0.0.1:1"])
def test_a_server_is_named_by_host_or_address_with_or_without_a_port(server: str) -> None:
    assert lines_after(f"storage.endpoint={server}") == []


UNKNOWN: list[tuple[str, str]] = [
    ("generation.temprature", "no such field; did you mean temperature?"),
    ("generation.samples_per_prompt", "no such field; did you mean samplesPerPrompt?"),
    ("generation.TopP", "no such field; did you mean topP?"),
    ("distillation.lr", "no such field; did you mean learningRate?"),
    (
        "generation.nope",  # half of its letters are those of topP
        "no such field; there are samplesPerPrompt, temperature, topP, topK, maxTokens, stop, shards, engine, "
        "engineArgs, chatTemplateKwargs",
    ),
    ("temperature", "no such field; did you mean spec.generation.temperature or spec.evaluation.temperature?"),
    (
        "model.name",
        "no such field; there are uri, revision, endpoint, credentialsSecretName, tokenSecretName, chatTemplate",
    ),
    ("learningRate", "no such field; did you mean spec.distillation.learningRate?"),
]


@pytest.mark.parametrize(("path", "message"), UNKNOWN, ids=[path for path, _ in UNKNOWN])
def test_an_unknown_field_is_answered_alike_in_a_file_and_by_set(path: str, message: str) -> None:
    line = f"spec.{path}: {message}"
    *parents, name = path.split(".")
    document = good()
    section = document["spec"]
    for parent in parents:
        section = section.setdefault(parent, {})
    section[name] = 1
    with pytest.raises(UserError) as refused:
        apply_sets(good(), [f"{path}=1"])

    assert [str(problem) for problem in problems(document)] == [line]
    assert str(refused.value) == line


def test_a_volume_of_the_node_is_refused_with_what_to_give_instead() -> None:
    assert lines_after("execution.volumes=[{name: d, mountPath: /d, hostPath: {path: /}, emptyDir: {}}]") == [
        "spec.execution.volumes[0].hostPath: no such field: a run must not reach into its node; give "
        "persistentVolumeClaim, emptyDir, csi or ephemeral"
    ]


def test_an_unknown_step_is_answered_with_the_steps_there_are() -> None:
    assert lines_after("execution.steps={train: {}}") == [
        "spec.execution.steps.train: train is not among the choices; give generate, verify, resample, select, "
        "distill, evaluate or measure"
    ]


def test_every_problem_of_a_file_is_found_at_once_also_those_between_fields() -> None:
    assert lines_after(
        "generation.temperature=-1",
        "generation.topP=2",
        "verification.methods=[{type: GroundTruth, weighting: {type: Quantile, quantile: 0.5}}]",
        "distillation.nllWeight=1",
        "stopping.patience=0",
    ) == [
        "spec.generation.temperature: -1 is below 0; give a number from 0 to 2",
        "spec.generation.topP: 2 is above 1; give a number above 0, at most 1",
        "spec.stopping.patience: 0 is below 1; give a whole number from 1 to 8",
        "spec.verification.methods[0].weighting.type: Quantile can't rank GroundTruth scores, which are 0 or 1; "
        "give {type: Threshold, threshold: 1}",
        "spec.distillation.nllWeight: 1 is read by method DPO only, not by SFT; remove it",
    ]


def test_rules_keep_silent_about_sections_that_are_broken_themselves() -> None:
    assert lines_after(
        "dataset.task=Maths", "verification.methods=[{type: GroundTruth}]", "dataset.fields.answer="
    ) == ["spec.dataset.task: Maths is none of Math, Choice, Exact, Program or Gym; did you mean Math?"]


def test_a_wrong_field_hides_no_problem_of_the_others_in_its_section() -> None:
    assert lines_after(
        "storage={uri: 'ftp://x', retention: Some}",
        "dataset={uri: data.csv, task: Math, template: '{{ foo', answerPattern: (, limit: 0}",
        "verification.methods=[{type: CoTScore, votes: 100, weighting: {type: Quantile}}]",
    ) == [
        "spec.dataset.limit: 0 is below 1; give a whole number of at least 1",
        "spec.verification.methods[0].votes: 100 is above 64; give a whole number from 1 to 64",
        "spec.storage.retention: Some is not among the choices; give BestAndLast or All",
        "spec.dataset.uri: data.csv is no dataset file; give .parquet or .jsonl "
        '(pandas.read_csv("A").to_parquet("B") makes one)',
        "spec.storage.uri: ftp://x has a scheme that is not read here; give s3://, file:// or a path",
        "spec.dataset.answerPattern: ( is no regular expression (missing ), unterminated subpattern at position 0); "
        "mend it",
        "spec.dataset.answerPattern: ( reads the answer, which is not mapped; give dataset.fields.answer",
        "spec.dataset.template: line 1 is no Jinja (unexpected end of template, expected 'end of print statement'.); "
        "mend it",
        "spec.verification.methods[0].weighting.quantile: missing; a Quantile weighting needs it",
    ]


def test_a_template_that_shows_nothing_of_a_row_is_told_before_the_data_is_blamed() -> None:
    assert lines_after("dataset={uri: a.jsonl, task: Math, fields: {answer: a}, template: Hello}") == [
        "spec.dataset.template: names no column, so that every prompt would be the same; write {{ prompt }} in it, say"
    ]


def test_what_a_misspelled_field_may_have_meant_is_not_called_missing() -> None:
    assert lines_after("dataset={uri: a.jsonl, task: Math, feilds: {answer: a}, answerPattern: '#### (.*)'}") == [
        "spec.dataset.feilds: no such field; did you mean fields?"
    ]


def test_rules_about_the_rest_are_asked_when_a_required_section_is_missing() -> None:
    assert lines_after("model=", "execution.cache={}") == [
        "spec.model: missing; give an object with uri",
        "spec.execution.cache: has neither persistentVolumeClaimName nor sizeLimit; give one, or remove it",
    ]


@pytest.mark.parametrize("text", ["\n#### (.*)", "a\n(.*)", " (.*) "])
def test_a_line_break_that_is_meant_may_stand_in_a_pattern(text: str) -> None:
    assert lines_after(f"dataset.answerPattern={json.dumps(text)}") == []


def test_columns_may_end_in_a_space_and_stops_be_a_line_break() -> None:
    assert lines_after('dataset.fields.answer="Answer "', 'generation.stop=["\\n"]') == []


@given(st.text("a \n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029", min_size=1), st.text("a \n\r\u2029", max_size=3))
def test_no_value_breaks_the_line_of_its_problem(value: str, name: str) -> None:
    document = good()
    document["spec"] |= {name: value, "dataset": {"uri": value, "task": value, "fields": value, "template": value}}
    assert [str(problem) for problem in problems(document) if len(str(problem).splitlines()) != 1] == []


def test_half_a_character_is_answered_by_its_field_and_both_halves_are_one() -> None:
    assert lines_after(r'dataset.system="x \ud83e y"', r'generation.stop=["\ud83d\ude00", "\ude00"]') == [
        r"spec.dataset.system: \ud83e is half a character; give its other half too",
        r"spec.generation.stop[1]: \ude00 is half a character; give its other half too",
    ]


def test_a_name_with_half_a_character_in_it_is_shown_without_it() -> None:
    (line, _) = map(str, problems({**good(), "a\ud83e": 1}))
    assert line == r"[a?]: \ud83e is half a character; give its other half too"


def test_a_null_counts_as_absent_as_an_api_server_drops_it() -> None:
    assert problems({**good(), "status": None}) == []
    assert problems(apply_sets(good(), ["generation={temperature: null, topP: null}"])) == []


@pytest.mark.parametrize("document", [None, [], "text", 3])
def test_what_is_no_map_is_no_manifest(document: object) -> None:
    assert [str(problem) for problem in problems(document)] == [
        "a manifest is a map with apiVersion, kind, metadata and spec"
    ]


def test_a_refused_manifest_raises_all_its_lines() -> None:
    with pytest.raises(UserError) as refused:
        load_run(GOOD, ["generation.topP=2", "maxIterations=0"])
    assert str(refused.value).splitlines() == [
        "spec.maxIterations: 0 is below 1; give a whole number from 1 to 1000",
        "spec.generation.topP: 2 is above 1; give a number above 0, at most 1",
    ]


def test_gym_sets_that_name_no_seed_get_seeds_of_their_own() -> None:
    gym = "{uri: 'gym://chain_sum?size=10', task: Gym, heldOut: {uri: 'gym://chain_sum?size=10'}}"
    assert lines_after(f"dataset={gym}") == []


def test_no_rule_is_without_a_broken_spec_that_it_answers() -> None:
    specs = [spec for _, sets, _ in TABLE if (spec := well_formed(apply_sets(good(), sets)))]
    assert [rule.__name__ for rule in RULES if not any(any(heard(rule(spec), whole=True)) for spec in specs)] == []


def well_formed(document: object) -> Spec | None:
    try:
        return Run.model_validate(document).spec
    except ValidationError:
        return None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc[]. ", max_size=4), inner, max_size=3),
    max_leaves=5,
)
(LONG,) = documents((BROKEN.parent / "data" / "long.yaml").read_text(encoding="utf-8"), "long.yaml")
PATHS = [path for path, _ in leaves(LONG)]


@given(st.lists(st.tuples(st.sampled_from(PATHS), st.integers(1, 5), JSON), min_size=1, max_size=4))
def test_whatever_stands_anywhere_is_answered_in_single_lines(changes: list[tuple[Any, int, Any]]) -> None:
    document = deepcopy(LONG)
    for path, depth, value in changes:
        here: Any = document
        for step in path[: min(depth, len(path)) - 1]:
            here = here[step] if isinstance(here, dict) and step in here else {}
        if isinstance(here, dict):
            here[path[min(depth, len(path)) - 1]] = value
    for problem in problems(document):
        assert problem.message
        assert len(str(problem).splitlines()) == 1


@given(st.lists(st.tuples(st.sampled_from(PATHS), st.integers(2, 6)), min_size=1, max_size=4))
def test_of_a_good_manifest_nothing_but_what_was_spoilt_is_called_wrong(changes: list[tuple[Any, int]]) -> None:
    document, spoilt = deepcopy(LONG), []
    for path, depth in changes:
        here: Any = document
        for step in (place := path[:depth])[:-1]:
            here = here[step] if isinstance(here, dict) and step in here else {}
        if isinstance(here, dict):
            here[place[-1]] = [[{"spoilt": True}]]
            spoilt.append(dotted(place))
    for problem in problems(document):
        assert any(problem.field == place or problem.field.startswith((f"{place}.", f"{place}[")) for place in spoilt)
