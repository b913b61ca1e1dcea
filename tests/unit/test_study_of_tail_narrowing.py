"""What the study in examples/tail-narrowing goes by: worked solutions that are right, arithmetic that is true."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

STUDY = Path(__file__).parents[2] / "examples" / "tail-narrowing"


def script(name: str) -> ModuleType:
    """A script of the study: examples are no package."""
    path = STUDY / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


is_sound = script("sound").is_sound
worked = script("sums").worked


@pytest.mark.parametrize(
    "text",
    [
        "14 + 3 = 17. 17 - 6 = 11. The answer is 11.",
        "1 - 8 = -7. -7 + 3 = -4.",
        "2 + 3 × 4 = 14",
        "She pays $1,000 + $2 = $1,002.",
        "5 / 2 = 2.5",
        "5 - -3 = 8",
    ],
)
def test_true_arithmetic_is_sound(text: str) -> None:
    assert is_sound(text)


@pytest.mark.parametrize(
    "text",
    [
        "51 + 70 = 161. The answer is indeed 64.",
        "3 + 4 = 7. 7 - 2 = 6.",
        "The answer is 25.",
        "1 / 0 = 0",
        "2 + 2 = 4.5",
        "",
    ],
)
def test_a_false_equation_or_none_at_all_is_not(text: str) -> None:
    assert not is_sound(text)


@given(st.lists(st.integers(0, 99), min_size=2, max_size=4), st.data())
def test_a_worked_solution_ends_in_the_value_of_the_sum_by_true_steps(terms: list[int], data: st.DataObject) -> None:
    signs = data.draw(st.lists(st.sampled_from("+-"), min_size=len(terms) - 1, max_size=len(terms) - 1))
    words = [str(terms[0])]
    for sign, term in zip(signs, terms[1:], strict=True):
        words += [sign, str(term)]
    total, steps = worked(" ".join(words))
    assert total == terms[0] + sum(term if sign == "+" else -term for sign, term in zip(signs, terms[1:], strict=True))
    assert len(steps) == len(terms) - 1
    assert is_sound(" ".join(steps))


def study(folder: Path, *arguments: str, manifest: str | None = None) -> subprocess.CompletedProcess[str]:
    """The study's own command, from a copy of it; with another manifest of its second task."""
    shutil.copytree(STUDY, folder / "study", ignore=shutil.ignore_patterns("results"))
    if manifest is not None:
        (folder / "study" / "gsm-symbolic.yaml").write_text(manifest)
    command = [sys.executable, "study/study.py", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_tables_of_nothing_are_a_line_and_no_traceback(tmp_path: Path) -> None:
    found = study(tmp_path, "--so-far")
    assert (found.returncode, found.stdout) == (1, "")
    assert found.stderr.splitlines() == [
        f"{task}: None, which all is compared with, has selected nothing yet; no tables are written"
        for task in ("chain-sum", "gsm-symbolic")
    ]


def test_an_arm_that_fails_is_told_and_what_needs_it_is_left_out(tmp_path: Path) -> None:
    found = study(tmp_path, "gsm-symbolic", manifest="spec: {}\n")
    lines = [line for line in found.stderr.splitlines() if line.startswith("gsm-symbolic")]
    assert found.returncode == 1
    assert "Traceback" not in found.stderr
    assert lines[0] == "gsm-symbolic-none: ended with exit code 2, its last line says why; the others go on"
    assert lines[1] == "gsm-symbolic-bruteforce: left out, since gsm-symbolic-none has not done i000/evaluate"
    assert len(lines) == 8  # one an arm, and that there are no tables
