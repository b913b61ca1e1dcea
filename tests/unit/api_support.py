"""A good manifest, and what is wrong with it after a few `--set`."""

from __future__ import annotations

from typing import Any

from selfimprove.api import apply_sets, problems
from selfimprove.api.kubeyaml import documents

GOOD = """\
apiVersion: selfimprove.dev/v1alpha1
kind: SelfImprovementRun
metadata: {name: gsm8k}
spec:
  model: {uri: "hf://Qwen/Qwen2.5-1.5B-Instruct"}
  dataset:
    uri: "s3://lab/arithmetic/train.parquet"
    fields: {prompt: question, answer: answer, rationale: solution}
    task: Math
"""


def good() -> dict[str, Any]:
    """The good manifest as JSON values."""
    document: dict[str, Any] = documents(GOOD, "good")[0]
    return document


def lines_after(*sets: str) -> list[str]:
    """Every problem of the good manifest after `--set` of these, as lines."""
    return [str(problem) for problem in problems(apply_sets(good(), sets))]
