"""YAML means here what it means to kubectl: a table of what it gives, and kubectl itself where it is installed."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from selfimprove.api.kubeyaml import documents
from selfimprove.errors import UserError

# Plain scalars and what `kubectl annotate --local -o json` (1.32) made of them.
SCALARS: list[tuple[object, str]] = [
    (1e-05, "1e-5 1E-5 .1e-4"),
    (100000, "1e5 1E5 1e+5 100_000 1e5"),
    (1, "1 +1 1.0 1. 0b1 0B1 0x1 0o1 01 +0x1 +0b1 1_ 1__"),
    (-5, "-5 -0b101 -0x5 -05 -5.0"),
    (8, "010 08 0o10 0O10 8.0"),
    (31, "0x1F 0X1f"),
    (0, "0 00 -0 -0.0 0. 0.e1 1e-400 0_0"),
    (0.5, ".5 +.5 0.5 5e-1"),
    (0.15, ".1_5 0.1_5"),
    (9.5, "09.5"),
    (9223372036854775807, "9223372036854775807"),
    (1.2345678901234569e23, "123456789012345678901234"),
    (True, "y Y yes Yes YES on On ON true True TRUE"),
    (False, "n N no No NO off Off OFF false False FALSE"),
    (None, "~ null Null NULL"),
]
TEXTS = (
    "yEs tRUE nULL Nope 2001-01-01 2001-01-01T00:00:00Z 12:30 1:2:3 190:20:30 1,000 1e 1e+ 1e999 0x 0xg 0b2 0o8 1.5.2 "
    "_1 + . .e5 ..5 .5_ inf Infinity nan 1d 0x1p4 1-1 --1 0xFFFFFFFFFFFFFFFFFF -0xFFFFFFFFFFFFFFFF "
    "s3://lab/runs x:y = <<"
)
PAIRS = [(text, value) for value, spellings in SCALARS for text in spellings.split()]
PAIRS += [(text, text) for text in TEXTS.split()]


def read(text: str) -> Any:
    (document,) = documents(text, "f.yaml")
    return document


@pytest.mark.parametrize(("text", "value"), PAIRS, ids=[text for text, _ in PAIRS])
def test_a_plain_scalar_means_what_kubectl_makes_of_it(text: str, value: object) -> None:
    found = read(f"a: {text}")["a"]
    assert (found, type(found)) == (value, type(value))


STRUCTURES: list[tuple[str, object]] = [
    ("a: 'yes'\nb: \"1\"\nc: ''", {"a": "yes", "b": "1", "c": ""}),
    ("a:\nb: #x", {"a": None, "b": None}),
    ("yes: 1\n1: 2\n1.10: 3\n0x10: 4\nn: 5", {"true": 1, "1": 2, "1.1": 3, "16": 4, "false": 5}),
    ("b: &b {x: 1, z: 2}\nc: {<<: *b, x: 3}", {"b": {"x": 1, "z": 2}, "c": {"x": 3, "z": 2}}),
    ("b: &b {x: 1}\nc: {x: 3, <<: *b}", {"b": {"x": 1}, "c": {"x": 1}}),
    ("b: &b {x: 1}\nd: &d {x: 2}\nc: {<<: [*b, *d]}", {"b": {"x": 1}, "d": {"x": 2}, "c": {"x": 1}}),
    ("a: {'<<': {x: 1}}", {"a": {"<<": {"x": 1}}}),
    ("a: &x 3\nb: *x\nc: {*x : 4}", {"a": 3, "b": 3, "c": {"3": 4}}),
    ("a: !!str yes\nb: !!int '3'\nc: !!float 1\nd: !!bool 'no'", {"a": "yes", "b": 3, "c": 1, "d": False}),
    ("a: !foo 1\nb: !!binary aGk=\nc: !!null ''", {"a": "1", "b": "hi", "c": None}),
    ("a: {x, z}\nb: [x: 1, z]\nc: [1, 2,]", {"a": {"x": None, "z": None}, "b": [{"x": 1}, "z"], "c": [1, 2]}),
    ("a: |\n  x\n  z\nb: >-\n  x\n  z\n", {"a": "x\nz\n", "b": "x z"}),
    ("a: \"\\u263a\"\nb: 'it''s'", {"a": "☺", "b": "it's"}),
    ("a: {uri: hf://a/b, b: ...}", {"a": {"uri": "hf://a/b", "b": "..."}}),
    ("a: {b:1}", {"a": {"b:1": None}}),
]


@pytest.mark.parametrize(("text", "value"), STRUCTURES, ids=[text for text, _ in STRUCTURES])
def test_a_structure_means_what_kubectl_makes_of_it(text: str, value: object) -> None:
    assert read(text) == value


REFUSED = [
    ("a: 1\na: 2", "f.yaml:2:1: a is there twice; keep one"),
    ("y: 1\nyes: 2", "f.yaml:2:1: true is there twice; keep one"),
    ("a: .nan", "f.yaml:1:4: .nan is no number that JSON can hold; give a finite one"),
    ("a: &x [*x]", "f.yaml:1:4: an anchor that contains itself; write the value out"),
    ("~: 1", "f.yaml:1:1: a key is empty; give it a name"),
    ("[a]: 1", "f.yaml:1:1: a key must be text; a map or a list stands here"),
    ("a: {<<: 3}", "f.yaml:1:9: << takes a map or a list of maps; give an alias of one"),
    ("a: !!int x", "f.yaml:1:4: 'x' is no int; mend it or leave the tag !!int out"),
    ("a: !!binary '\\'", "f.yaml:1:4: no base64 of text stands behind !!binary; give the text itself"),
    ("a: b: c", "f.yaml:1:5: not YAML: mapping values are not allowed here"),
    ("a: *x", "f.yaml:1:4: not YAML: found undefined alias 'x'"),
    ("[" * 5000, "f.yaml: nested too deep to be read; a manifest has a dozen levels"),
    ("a: \x00", 'f.yaml: not YAML: unacceptable character #x0000: special characters are not allowed in "<unicode '),
]


@pytest.mark.parametrize(("text", "line"), REFUSED, ids=[line[:40] for _, line in REFUSED])
def test_what_can_not_be_read_is_refused_with_its_place(text: str, line: str) -> None:
    with pytest.raises(UserError) as refused:
        documents(text, "f.yaml")
    assert str(refused.value).startswith(line)
    assert len(str(refused.value).splitlines()) == 1


def test_a_few_lines_of_nested_aliases_do_not_fill_the_memory() -> None:
    bomb = "a0: &a0 [x, x]\n" + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 12))
    with pytest.raises(UserError, match=r"more than 100,000 values, aliases expanded"):
        documents(bomb, "f.yaml")


def test_several_documents_are_read_and_empty_ones_left_out() -> None:
    assert documents("---\na: 1\n---\n# nothing\n---\nb: 2\n...\n", "f.yaml") == [{"a": 1}, {"b": 2}]


def kubectl(text: str) -> object:
    """`text` as kubectl reads it, under a key of some object; None where it refuses."""
    manifest = "apiVersion: v1\nkind: Any\nmetadata: {name: any}\nspec:\n" + "".join(
        f"  {line}\n" for line in text.splitlines()
    )
    command = ["kubectl", "annotate", "--local", "-f", "-", "a=b", "-o", "json"]
    done = subprocess.run(command, input=manifest, capture_output=True, text=True, check=False)
    return json.loads(done.stdout, parse_int=_go_number)["spec"] if done.returncode == 0 else None


def _go_number(text: str) -> int | float:
    """Go writes floats below 1e21 without an exponent; what 64 bits can't hold was one."""
    return int(text) if -(2**63) <= int(text) < 2**63 else float(text)


needs_kubectl = pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")


@needs_kubectl
def test_kubectl_agrees_with_the_table_of_scalars() -> None:
    assert kubectl("\n".join(f"k{i}: {text}" for i, (text, _) in enumerate(PAIRS))) == {
        f"k{i}": value for i, (_, value) in enumerate(PAIRS)
    }


@needs_kubectl
@pytest.mark.parametrize(("text", "value"), STRUCTURES, ids=[text for text, _ in STRUCTURES])
def test_kubectl_agrees_with_the_table_of_structures(text: str, value: object) -> None:
    assert kubectl(text) == value


@needs_kubectl
@settings(max_examples=5, deadline=None)
@given(st.lists(st.text("0123456789_.+-eExXoObBaAfFyYnN", min_size=1, max_size=7), min_size=150, max_size=150))
@example(["0777777777777777777777777", "1e19", "0xFFFFFFFFFFFFFFFF", "-9223372036854775809", "0_7", ".5e1_0"])
def test_kubectl_agrees_on_anything_that_looks_like_a_number(texts: list[str]) -> None:
    plain = [text for text in texts if not text.startswith("-") or text[1:2].isalnum() or text[1:2] == "."]
    finite = [text for text in plain if text.lower().lstrip("+-") not in (".inf", ".nan") and set(text) != {"."}]
    listing = "a:\n" + "".join(f"- {text}\n" for text in finite)
    expected, found = kubectl(listing), read(listing)
    assert expected is not None
    assert found == expected
