"""Rows of real shapes become prompts; rows that can't are refused in one line that says which and why."""

# ruff: noqa: E501 (expected lines stand on one line, so that they can be searched for)
from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from selfimprove.api.source import Dataset
from selfimprove.api.spec import Spec
from selfimprove.errors import UserError
from selfimprove.seeds import fraction
from selfimprove_workers.datasets import PromptRow, PromptSets, load_sets
from selfimprove_workers.datasets.answers import asks_for_percentage
from selfimprove_workers.datasets.solutions import lacking_solutions
from selfimprove_workers.tasks import Verdict, task_for

GSM8K = [
    {"question": "Natalia sold 48 clips in April and half as many in May. How many?", "answer": "48/2 = <<48/2=24>>24\n48+24 = <<48+24=72>>72\n#### 72"},
    {"question": "How much is a house?", "answer": "It is large.\n#### 1,234,000"},
    {"question": "What percentage of 50 is 30?", "answer": "30/50 = 0.6\n#### 60"},
]  # fmt: skip
ARC = [
    {"id": "Mercury_1", "question": "Which skin makes the most heat?", "choices": {"text": ["dry palms", "wet palms", "oil", "lotion"], "label": ["A", "B", "C", "D"]}, "answerKey": "A"},
    {"id": "NYSEDREGENTS_2", "question": "Which is a metal?", "choices": {"text": ["wood", "iron", "glass", "air"], "label": ["1", "2", "3", "4"]}, "answerKey": "2"},
]  # fmt: skip
MATH = [
    {"problem": r"What is $\frac12+\frac14$?", "level": "Level 1", "solution": r"We add: $\boxed{\frac{3}{4}}$."},
    {"problem": "Find the set.", "level": "Level 5", "solution": r"First \boxed{1}. So $\boxed{\left\{1, \sqrt{2}\right\}}$."},
]  # fmt: skip


def write(path: Path, rows: list[Any]) -> str:
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def load(uri: str, task: str = "Math", **dataset: Any) -> PromptSets:
    dataset.setdefault("heldOut", {"uri": uri.replace("train", "held")})
    spec = {"model": {"uri": "m"}, "dataset": {"uri": uri, "task": task, **dataset}}
    return load_sets(Spec.model_validate(spec))


def prompts(
    folder: Path, rows: list[Any], task: str = "Math", kind: str = "parquet", **dataset: Any
) -> list[PromptRow]:
    """The training prompts made of rows, in the order of the rows, with one prompt held out."""
    held = json.loads(json.dumps(rows[:1]))
    mapped = dataset.get("fields", {}).get("prompt", "prompt")
    held[0][mapped] = "another question" if isinstance(held[0].get(mapped), str) else [{"role": "user", "content": "x"}]
    uri = write(folder / f"train.{kind}", rows)
    write(folder / f"held.{kind}", held)
    drafts = load(uri, task, **dataset).drafts["train"]
    return [draft.row for draft in sorted(drafts, key=lambda draft: int(draft.where.split()[1]))]


def refusal(folder: Path, rows: list[Any], task: str = "Math", kind: str = "jsonl", **dataset: Any) -> str:
    with pytest.raises(UserError) as caught:
        prompts(folder, rows, task, kind, **dataset)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("kind", ["parquet", "jsonl"])
def test_gsm8k_gives_final_answers_and_rationales(tmp_path: Path, kind: str) -> None:
    rows = prompts(
        tmp_path, GSM8K, kind=kind,
        fields={"prompt": "question", "answer": "answer", "rationale": "answer"}, answerPattern="#### (.*)",
    )  # fmt: skip
    assert [row.answer for row in rows] == ["72", "1,234,000", "60"]
    assert rows[0].messages == [{"role": "user", "content": GSM8K[0]["question"]}]
    assert rows[0].rationale == GSM8K[0]["answer"]
    assert [row.extra for row in rows] == [None, None, {"percent": True}]


def test_gsm8k_answers_check(tmp_path: Path) -> None:
    dataset = {"fields": {"prompt": "question", "answer": "answer"}, "answerPattern": "#### (.*)"}
    task = task_for(Dataset.model_validate({"uri": "x", "task": "Math", **dataset}))
    house, share = prompts(tmp_path, GSM8K, **dataset)[1:]
    assert task.check("The answer is $1234000.", house.answer or "", house.extra).flexible is Verdict.CORRECT
    assert task.check("The answer is 60%.", share.answer or "", share.extra).flexible is Verdict.CORRECT


@pytest.mark.parametrize("kind", ["parquet", "jsonl"])
def test_arc_gives_labels_and_shows_the_choices(tmp_path: Path, kind: str) -> None:
    fields = {"id": "id", "prompt": "question", "answer": "answerKey", "choices": "choices"}
    rows = prompts(tmp_path, ARC, "Choice", kind, fields=fields)
    assert [(row.id, row.answer) for row in rows] == [("Mercury_1", "A"), ("NYSEDREGENTS_2", "2")]
    assert rows[0].messages[-1]["content"].splitlines()[1:] == ["A) dry palms", "B) wet palms", "C) oil", "D) lotion"]
    task = task_for(Dataset(uri="x", task="Choice"))
    assert task.check("It is iron.", "2", rows[1].extra).flexible is Verdict.CORRECT


def test_math_takes_the_gold_out_of_the_last_box(tmp_path: Path) -> None:
    fields = {"prompt": "problem", "answer": "solution", "difficulty": "level"}
    rows = prompts(tmp_path, MATH, fields=fields)
    assert [row.answer for row in rows] == [r"\frac{3}{4}", r"\left\{1, \sqrt{2}\right\}"]
    assert [row.level for row in rows] == ["Level 1", "Level 5"]


@pytest.mark.parametrize(
    ("choices", "answer", "label"),
    [
        (["red", "blue"], 1, "B"),
        (["red", "blue"], "B", "B"),
        (["red", "blue"], "blue", "B"),
        ([{"label": "x", "text": "red"}, {"label": "y", "text": "blue"}], "y", "y"),
        ({"A": "red", "B": "blue"}, "A", "A"),
        ({"text": ["red", "blue"], "label": ["1", "2"]}, "1", "1"),
    ],
)
def test_choices_come_in_many_shapes(tmp_path: Path, choices: Any, answer: Any, label: str) -> None:
    rows = prompts(
        tmp_path, [{"prompt": "Which?", "options": choices, "key": answer}], "Choice", "jsonl",
        fields={"answer": "key", "choices": "options"},
    )  # fmt: skip
    assert rows[0].answer == label


def test_dotted_paths_reach_into_structs_and_a_literal_name_wins(tmp_path: Path) -> None:
    rows = [{"a": {"b": {"q": "one"}}, "x.y": "7", "x": {"y": "8"}, "list": [{"v": "hard"}]}]
    made = prompts(
        tmp_path, rows, kind="jsonl", fields={"prompt": "a.b.q", "answer": "x.y", "difficulty": "list.0.v"},
        heldOut={"uri": write(tmp_path / "other.jsonl", [{**rows[0], "a": {"b": {"q": "two"}}}])},
    )  # fmt: skip
    assert (made[0].messages[0]["content"], made[0].answer, made[0].level) == ("one", "7", "hard")


@pytest.mark.parametrize(
    ("value", "answer"), [(72, "72"), (72.0, "72"), (0.5, "0.5"), (" 72 ", "72"), (-1e20, "-1e+20")]
)
def test_answers_may_be_numbers(tmp_path: Path, value: Any, answer: str) -> None:
    assert prompts(tmp_path, [{"prompt": "q", "answer": value}], fields={"answer": "answer"})[0].answer == answer


def test_a_chat_keeps_its_messages_and_gets_system_and_shots_before_them(tmp_path: Path) -> None:
    chat = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}]
    shots = [{"prompt": "1+1", "completion": "2"}]
    row = prompts(tmp_path, [{"prompt": chat}], system="Be brief.", fewShot=shots)[0]
    assert [message["role"] for message in row.messages] == ["system", "user", "assistant", "user", "assistant", "user"]
    assert row.messages[-3:] == chat


def test_a_row_with_a_system_message_keeps_its_own(tmp_path: Path) -> None:
    chat = [{"role": "system", "content": "own"}, {"role": "user", "content": "q"}]
    assert prompts(tmp_path, [{"prompt": chat}], system="Be brief.")[0].messages == chat


def test_a_template_sees_the_row_the_prompt_and_the_choices(tmp_path: Path) -> None:
    template = "{{ topic | upper }}: {{ prompt }}{% for c in choices %} {{ c.label }}={{ c.text }}{% endfor %}"
    rows = [{"prompt": "Which?", "topic": "art", "options": ["red", "blue"], "key": "A"}]
    row = prompts(tmp_path, rows, "Choice", fields={"answer": "key", "choices": "options"}, template=template)[0]
    assert row.messages[-1]["content"] == "ART: Which? A=red B=blue"


@pytest.mark.parametrize("kind", ["jsonl.gz", "ndjson.gz"])
def test_lines_may_be_compressed_and_files_many(tmp_path: Path, kind: str) -> None:
    for name, question in (("a", "one"), ("b", "two")):
        with gzip.open(tmp_path / f"train-{name}.{kind}", "wt") as file:
            file.write("\ufeff" + json.dumps({"prompt": question}) + "\n\n")
    write(tmp_path / "held.jsonl", [{"prompt": "three"}])
    sets = load(str(tmp_path / f"train-*.{kind}"), heldOut={"uri": str(tmp_path / "held.jsonl")})
    assert {draft.row.messages[0]["content"] for draft in sets.drafts["train"]} == {"one", "two"}


REFUSED = [
    ([{"q": "a"}], {}, "spec.dataset.fields.prompt: prompt is not in line 1 of train.jsonl; there is q"),
    ([{"prompt": "a", "x": "1"}], {"fields": {"answer": "gold"}}, "spec.dataset.fields.answer: gold is not in line 1 of train.jsonl; there is prompt, x"),
    ([{"prompt": "a", "x": {"y": 1}}], {"fields": {"answer": "x.z"}}, "spec.dataset.fields.answer: x.z is not in line 1 of train.jsonl; there is y"),
    ([{"prompt": "a", "x": {"y": 1}}], {"fields": {"answer": "x"}}, "spec.dataset.fields.answer: x is a struct in line 1 of train.jsonl; name one of x.y"),
    ([{"prompt": "a", "x": [1]}], {"fields": {"answer": "x"}}, "spec.dataset.fields.answer: x is a list in line 1 of train.jsonl; give a column of text or numbers"),
    ([{"prompt": "a", "answer": ""}], {"fields": {"answer": "answer"}}, "spec.dataset.fields.answer: line 1 of train.jsonl has an empty answer; fill or remove it"),
    ([{"prompt": "a", "answer": None}], {"fields": {"answer": "answer"}}, "spec.dataset.fields.answer: line 1 of train.jsonl has an empty answer; fill or remove it"),
    ([{"prompt": "a", "answer": float("nan")}], {"fields": {"answer": "answer"}}, "spec.dataset.fields.answer: line 1 of train.jsonl has an empty answer; fill or remove it"),
    ([{"prompt": "a", "answer": float("-inf")}], {"fields": {"answer": "answer"}}, "spec.dataset.fields.answer: answer is infinite in line 1 of train.jsonl; give text or a number"),
    ([{"prompt": "a", "answer": "so #### "}], {"fields": {"answer": "answer"}, "answerPattern": "####(.*)"}, "spec.dataset.fields.answer: line 1 of train.jsonl has an empty answer; fill or remove it"),
    ([{"prompt": "a", "answer": "# 1"}, {"prompt": "b", "answer": "2"}], {"fields": {"answer": "answer"}, "answerPattern": "# (.*)"}, "spec.dataset.answerPattern: # (.*) matches nothing in line 2 of train.jsonl ('2'); mend it"),
    ([{"prompt": "a", "answer": "# 1"}], {"fields": {"answer": "answer"}, "answerPattern": "\n# (.*)"}, r"spec.dataset.answerPattern: \n# (.*) matches nothing in line 1 of train.jsonl ('# 1'); mend it"),
    ([{"prompt": "a", "answer": "1"}], {"fields": {"answer": "answer"}, "answerPattern": "("}, "spec.dataset.answerPattern: ( is no regular expression (missing ), unterminated subpattern at position 0); mend it"),
    ([{"prompt": "a", "answer": "We add.\n#### 7"}], {"fields": {"answer": "answer"}}, 'spec.dataset.answerPattern: line 1 of train.jsonl has a worked solution of 14 characters as its answer; give a pattern whose group 1 is the final answer; for this one: "#### (.*)"'),
    ([{"prompt": "a", "answer": "#### 1"}, {"prompt": "b", "answer": "#### 2"}], {"fields": {"answer": "answer"}, "answerPattern": "####"}, "spec.dataset.answerPattern: #### gives '####' of line 1 of held.jsonl, which can't be read as an answer, and none of 1 can; give a pattern whose group 1 is the final answer, or another column"),
    ([{"prompt": "a", "answer": "..."}], {"fields": {"answer": "answer"}}, "spec.dataset.fields.answer: answer gives '...' of line 1 of held.jsonl, which can't be read as an answer, and none of 1 can; give a pattern whose group 1 is the final answer, or another column"),
    ([{"prompt": ""}], {}, "spec.dataset.fields.prompt: line 1 of train.jsonl is empty; remove it"),
    ([{"prompt": None}], {}, "spec.dataset.fields.prompt: line 1 of train.jsonl is empty; give text or a list of messages"),
    ([{"prompt": 7}], {}, "spec.dataset.fields.prompt: line 1 of train.jsonl is a int; give text or a list of messages"),
    ([{"prompt": [{"role": "user"}]}], {}, "spec.dataset.fields.prompt: line 1 of train.jsonl has a message without a text `content`; give role and content"),
    ([{"prompt": [{"role": "human", "content": "x"}]}], {}, "spec.dataset.fields.prompt: line 1 of train.jsonl has a role 'human'; give one of system, user, assistant, tool"),
    ([{"prompt": [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}]}], {}, "spec.dataset.fields.prompt: line 1 of train.jsonl ends with assistant; the last message must be the user's"),
    ([{"prompt": "a", "i": "1"}, {"prompt": "b", "i": "1"}], {"fields": {"id": "i"}}, "spec.dataset.fields.id: line 2 of train.jsonl has the id 1 of line 1 of train.jsonl; make ids unique"),
    ([{"prompt": "a", "i": None}], {"fields": {"id": "i"}}, "spec.dataset.fields.id: line 1 of train.jsonl has no id; fill it, or leave fields.id out"),
    ([{"prompt": "Who?"}, {"prompt": "b"}, {"prompt": " who? "}], {}, "spec.dataset.uri: line 3 of train.jsonl asks the same as line 1 of train.jsonl; remove one"),
    ([{"prompt": "a"}], {"template": "{{ prompt }} {{ nope }}"}, "spec.dataset.template: 'nope' is undefined in line 1 of train.jsonl; there is prompt"),
    ([{"prompt": "a"}], {"template": "{% if %}"}, "spec.dataset.template: is no Jinja template (Expected an expression, got 'end of statement block'); mend it"),
    ([{"prompt": "a"}], {"template": "{{ 1/0 }}"}, "spec.dataset.template: fails on line 1 of train.jsonl (division by zero); mend it"),
    ([{"prompt": "a"}], {"template": " "}, "spec.dataset.template: gives an empty prompt for line 1 of train.jsonl; mend it"),
    ([{"prompt": "a"}], {"template": "{{ prompt.__class__.__mro__ }}"}, "spec.dataset.template: fails on line 1 of train.jsonl (access to attribute '__class__' of 'str' object is unsafe.); mend it"),
]  # fmt: skip


@pytest.mark.parametrize(("rows", "dataset", "message"), REFUSED, ids=[str(n) for n in range(len(REFUSED))])
def test_a_broken_dataset_is_refused_in_one_line(
    tmp_path: Path, rows: list[Any], dataset: dict[str, Any], message: str
) -> None:
    assert refusal(tmp_path, rows, **dataset) == message


def test_one_gold_that_cannot_be_read_is_borne(tmp_path: Path) -> None:
    rows = [{"prompt": "a", "answer": "7"}, {"prompt": "b", "answer": "..."}]
    assert [row.answer for row in prompts(tmp_path, rows, fields={"answer": "answer"})] == ["7", "..."]


def test_a_gold_that_a_parquet_file_does_not_have_is_refused_by_row(tmp_path: Path) -> None:
    rows = [{"prompt": "a", "answer": 1.0, "level": 2.0}, {"prompt": "b", "answer": 3.0, "level": float("nan")}]
    fields = {"answer": "answer", "difficulty": "level"}
    assert [row.level for row in prompts(tmp_path, rows, fields=fields)] == ["2", None]
    rows[1]["answer"] = float("nan")
    with pytest.raises(UserError, match=r"^spec\.dataset\.fields\.answer: row 2 of train\.parquet has an empty answer"):
        prompts(tmp_path, rows, fields=fields)


REFUSED_CHOICES = [
    ({"c": ["a", "b"], "k": "z"}, "spec.dataset.fields.answer: 'z' in line 1 of train.jsonl is none of A, B; mend it"),
    ({"c": ["a", "b"], "k": 2}, "spec.dataset.fields.answer: '2' in line 1 of train.jsonl is none of A, B; mend it"),
    ({"c": ["a"], "k": "A"}, "spec.dataset.fields.choices: c in line 1 of train.jsonl has 1 choices, which must be two or more, distinct and not empty; mend it"),
    ({"c": ["a", ""], "k": "A"}, "spec.dataset.fields.choices: c in line 1 of train.jsonl has 2 choices, which must be two or more, distinct and not empty; mend it"),
    ({"c": "a or b", "k": "A"}, "spec.dataset.fields.choices: c in line 1 of train.jsonl is no list of choices; give texts, or a struct of text and label"),
    ({"c": {"text": ["a"], "label": ["A", "B"]}, "k": "A"}, "spec.dataset.fields.choices: c in line 1 of train.jsonl is no list of choices; give texts, or a struct of text and label"),
]  # fmt: skip


@pytest.mark.parametrize(("row", "message"), REFUSED_CHOICES)
def test_broken_choices_are_refused_in_one_line(tmp_path: Path, row: dict[str, Any], message: str) -> None:
    fields = {"answer": "k", "choices": "c"}
    assert refusal(tmp_path, [{"prompt": "q", **row}], "Choice", fields=fields) == message


BARE = [
    ({"choices": {"text": ["red", "blue"], "label": ["A", "B"]}}, "choices"),
    ({"Options": ["red", "blue"]}, "Options"),
    ({"question": {"choices": [{"label": "A", "text": "red"}, {"label": "B", "text": "blue"}]}}, "question.choices"),
]


@pytest.mark.parametrize("template", [None, "Answer this: {{ prompt }}"])
@pytest.mark.parametrize(("row", "path"), BARE)
def test_choices_that_no_field_maps_and_no_prompt_shows_are_refused(
    tmp_path: Path, row: dict[str, Any], path: str, template: str | None
) -> None:
    settings = {"fields": {"answer": "k"}, **({"template": template} if template else {})}
    assert refusal(tmp_path, [{"prompt": "Which?", "k": "A", **row}], "Choice", **settings) == (
        f"spec.dataset.fields.choices: line 1 of train.jsonl has 2 choices in {path}, which its prompt does not show; "
        f"map them with `choices: {path}`"
    )


@pytest.mark.parametrize("row", [{}, {"choices": None}, {"choices": "red or blue"}, {"choices": ["red", "Blue"]}])
def test_a_question_that_shows_its_choices_needs_no_field_for_them(tmp_path: Path, row: dict[str, Any]) -> None:
    rows = prompts(
        tmp_path, [{"prompt": "Which? A) red B) blue", "k": "B", **row}], "Choice", "jsonl", fields={"answer": "k"},
        heldOut={"uri": write(tmp_path / "other.jsonl", [{"prompt": "Another? A) red B) blue", "k": "A"}])},
    )  # fmt: skip
    assert rows[0].answer == "B"


def test_choices_mean_nothing_to_another_task(tmp_path: Path) -> None:
    assert prompts(tmp_path, [{"prompt": "q", "choices": ["red", "blue"]}], kind="jsonl")[0].extra is None


@pytest.mark.parametrize("gold", ["0", "5", "red"])
def test_a_label_that_no_checker_knows_is_refused_where_no_choices_are_mapped(tmp_path: Path, gold: str) -> None:
    assert refusal(tmp_path, [{"prompt": "q", "k": gold}], "Choice", fields={"answer": "k"}) == (
        f"spec.dataset.fields.answer: {gold!r} in line 1 of train.jsonl is no label from A to J or 1 to 4; "
        "map fields.choices"
    )


FILES = [
    ("train.jsonl", b'{"prompt": "a"}\n{"prompt": \n', "line 2 of train.jsonl is not JSON"),
    ("train.jsonl", b"[1, 2\n]\n", "line 1 of train.jsonl is not JSON"),
    ("train.jsonl", b'["a"]\n', "line 1 of train.jsonl is a list, not an object"),
    ("train.jsonl", b'{"prompt": "\xff"}\n', "can't be read as JSON lines"),
    ("train.jsonl", b"", "has no rows; give data"),
    ("train.jsonl.gz", b"no gzip", "can't be read as JSON lines"),
    ("train.parquet", b"PAR1 not really", "can't be read as Parquet"),
    ("train.csv", b"a,b\n", "train.csv is no dataset file; give .parquet or .jsonl"),
]


@pytest.mark.parametrize(("name", "data", "part"), FILES)
def test_an_unreadable_file_is_refused_by_name(tmp_path: Path, name: str, data: bytes, part: str) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(UserError) as caught:
        load(str(tmp_path / name), heldOut={"fraction": 0.5})
    assert str(caught.value).startswith("spec.dataset.uri: ")
    assert part in str(caught.value)
    assert "\n" not in str(caught.value)


def many(count: int, start: int = 0) -> list[dict[str, str]]:
    return [{"prompt": f"What is {n} and {n}?", "answer": str(2 * n)} for n in range(start, start + count)]


def ids(sets: PromptSets, name: str) -> list[str]:
    return [draft.row.id for draft in sets.drafts[name]]


def test_half_a_character_is_refused_by_line_and_a_whole_one_is_not(tmp_path: Path) -> None:
    (tmp_path / "held.jsonl").write_text(json.dumps({"question": "How many?", "answer": "1"}) + "\n")
    sound = {"question": "How many \U0001f600?", "answer": "2"}
    (tmp_path / "train.jsonl").write_text(json.dumps(sound) + "\n")
    fields = {"prompt": "question", "answer": "answer"}
    assert len(load(str(tmp_path / "train.jsonl"), fields=fields).drafts["train"]) == 1
    with (tmp_path / "train.jsonl").open("a") as file:
        file.write('{"question": "a\\ud800 0", "answer": "0"}\n')
    with pytest.raises(UserError) as error:
        load(str(tmp_path / "train.jsonl"), fields=fields)
    assert (
        str(error.value)
        == r"spec.dataset.uri: line 2 of train.jsonl holds \ud800 alone, half of a character; mend or remove it"
    )


def test_a_fraction_is_held_out_by_hash_and_stays_held_out_when_the_data_grows(tmp_path: Path) -> None:
    small = load(write(tmp_path / "small.jsonl", many(200)), heldOut={"fraction": 0.1})
    large = load(write(tmp_path / "large.jsonl", many(400)), heldOut={"fraction": 0.1})
    assert set(ids(small, "heldOut")) <= set(ids(large, "heldOut"))
    assert not set(ids(large, "heldOut")) & set(ids(large, "train"))
    assert len(ids(large, "heldOut")) + len(ids(large, "train")) == 400
    assert 20 <= len(ids(large, "heldOut")) <= 60


def test_limits_are_the_first_by_hash(tmp_path: Path) -> None:
    uri = write(tmp_path / "train.jsonl", many(200))
    whole = load(uri, heldOut={"fraction": 0.1})
    part = load(uri, heldOut={"fraction": 0.1, "limit": 5}, limit=20)
    assert ids(part, "train") == ids(whole, "train")[:20]
    assert ids(part, "heldOut") == ids(whole, "heldOut")[:5]
    assert ids(whole, "train") == sorted(ids(whole, "train"), key=lambda one: fraction(one, "order"))


def test_a_question_in_two_sets_is_refused_with_both_named(tmp_path: Path) -> None:
    train, held = write(tmp_path / "train.jsonl", many(5)), write(tmp_path / "h.jsonl", many(5, start=4))
    with pytest.raises(UserError) as caught:
        load(train, heldOut={"uri": held})
    expected = "spec.dataset.heldOut.uri: line 1 of h.jsonl asks the same as line 5 of train.jsonl of spec.dataset; "
    assert str(caught.value) == expected + "remove it from one of them"
    with pytest.raises(UserError, match=r"^spec\.dataset\.test\.uri: line 2 of t\.jsonl asks the same as line 3"):
        load(train, heldOut={"uri": write(tmp_path / "h2.jsonl", many(3, start=50))}, test={"uri": write(tmp_path / "t.jsonl", [many(1, 90)[0], many(1, 52)[0]])})  # fmt: skip


def test_a_fraction_that_holds_nobody_out_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"^spec\.dataset\.heldOut\.fraction: 1e-06 of 5 prompts leaves 0 held out"):
        load(write(tmp_path / "train.jsonl", many(5)), heldOut={"fraction": 0.000001})


def test_more_shards_than_prompts_are_refused(tmp_path: Path) -> None:
    spec = {
        "model": {"uri": "m"},
        "dataset": {"uri": write(tmp_path / "a.jsonl", many(8)), "task": "Math", "heldOut": {"fraction": 0.5}},
        "generation": {"shards": 9},
    }
    with pytest.raises(
        UserError, match=r"^spec\.generation\.shards: 9 is more than the \d training prompts; lower it$"
    ):
        load_sets(Spec.model_validate(spec))


SOLVED = {"fields": {"rationale": "why"}}
NEEDY: list[dict[str, Any]] = [
    {"resampling": {"strategy": "StateReset"}},
    {"resampling": {"strategy": "RationaleDriven"}},
    {"selection": {"seedTraining": "References"}},
]


def with_solutions(folder: Path, solutions: list[str | None], **sections: Any) -> Spec:
    rows = [{**row, "why": why} for row, why in zip(many(len(solutions)), solutions, strict=True)]
    held = write(folder / "held.jsonl", [{**many(1, 90)[0], "why": "x"}])
    dataset = {"uri": write(folder / "train.jsonl", rows), "task": "Math", "heldOut": {"uri": held}, **SOLVED}
    return Spec.model_validate({"model": {"uri": "m"}, "dataset": dataset, **sections})


@pytest.mark.parametrize("needy", NEEDY)
@pytest.mark.parametrize("nothing", [None, " \n"])
def test_a_mapped_column_that_holds_no_solution_is_refused_where_one_is_needed(
    needy: dict[str, Any], nothing: str | None, tmp_path: Path
) -> None:
    with pytest.raises(
        UserError,
        match=r"^spec\.dataset\.fields\.rationale: why holds nothing for any of the 3 training prompts, and spec\..* "
        "needs it; map the column of the solutions",
    ):
        load_sets(with_solutions(tmp_path, [nothing] * 3, **needy))


@pytest.mark.parametrize("strategy", ["None", "BruteForce", "Adaptive"])
def test_where_none_is_needed_it_may_hold_nothing(strategy: str, tmp_path: Path) -> None:
    assert load_sets(with_solutions(tmp_path, [None] * 3, resampling={"strategy": strategy}))


@pytest.mark.parametrize("needy", [*NEEDY, {"resampling": {"strategy": "Adaptive"}}])
def test_some_solutions_that_are_missing_are_counted(needy: dict[str, Any], tmp_path: Path) -> None:
    spec = with_solutions(tmp_path, ["so", None, " ", "so"], **needy)
    (line,) = lacking_solutions(spec, [draft.row for draft in load_sets(spec).drafts["train"]])
    assert line.startswith("spec.dataset.fields.rationale: why holds nothing for 2 of the 4 training prompts; spec.")


def test_solutions_that_nobody_needs_or_nobody_lacks_are_not_spoken_of(tmp_path: Path) -> None:
    for strategy, solutions in (("BruteForce", ["so", None]), ("StateReset", ["so", "so"])):
        spec = with_solutions(tmp_path, solutions, resampling={"strategy": strategy})
        assert lacking_solutions(spec, [draft.row for draft in load_sets(spec).drafts["train"]]) == []


def test_an_id_by_content_is_the_same_wherever_the_row_stands(tmp_path: Path) -> None:
    forth = prompts(tmp_path, many(3), kind="jsonl")
    back = prompts(tmp_path, many(3)[::-1], kind="jsonl")
    assert [row.id for row in forth] == [row.id for row in back][::-1]


@pytest.mark.parametrize(
    ("question", "asked"),
    [
        ("What percent of 50 is 30?", True),
        ("By what percentage did it rise?", True),
        ("Express the answer as a percent.", True),
        ("How many percent more is it?", True),
        ("A 20% discount applies. How many dollars does she pay?", False),
        ("She saved 20 percent. How much does she pay?", False),
        ("How many clips?", False),
    ],
)
def test_a_question_that_asks_for_a_percentage_is_known(question: str, asked: bool) -> None:
    assert asks_for_percentage(question) is asked
