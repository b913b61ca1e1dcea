"""`selfimprove verify`: scores of any samples by any model's verification methods, without a run."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from selfimprove.api import resolve
from selfimprove.api.asking import TEMPLATES
from selfimprove.api.messages import not_a_choice
from selfimprove.api.problems import check
from selfimprove.api.resolve import Surroundings
from selfimprove.api.rules.methods import JUDGES, READ_BY
from selfimprove.cli.signals import terminable
from selfimprove.cli.verify_options import Asked
from selfimprove.errors import UserError
from selfimprove.samples_file import rows_of
from selfimprove.scoring import ScoredFile, ScoringOrder, as_option, dashed, score_samples
from selfimprove.worker_process import require_workers

OUTPUTS = (".jsonl", ".parquet")


def verify(asked: Asked, samples: Path, output: Path) -> None:
    """Score the file; the path of the result goes to standard output. Raises `UserError` for what can't be asked so."""
    if output.suffix.lower() not in OUTPUTS:
        raise UserError(f"-o: {output} names no file of samples; give .jsonl or .parquet")
    order = order_of(asked, samples, output)
    next(iter(rows_of(samples)), None)  # a file that can't be read is found out before a model library is imported
    require_workers()
    with terminable(f"what was scored is kept beside {output}"):
        score_samples(order)
    print(output)


def order_of(asked: Asked, samples: Path, output: Path) -> ScoringOrder:
    """What the options come to, checked by the rules of a run. Raises `UserError` naming the option."""
    methods = _methods(asked)
    spec = {
        "model": asked.model,
        "dataset": {"uri": str(samples), "task": "Exact"},  # takes a dataset's place, for the rules about methods
        "generation": asked.generation,
        "verification": {"methods": methods},
        "storage": asked.storage,
        "seed": asked.seed,
    }
    manifest = {"apiVersion": "selfimprove.dev/v1alpha1", "kind": "SelfImprovementRun", "metadata": {"name": "verify"}}
    checked = check({**manifest, "spec": spec})
    if checked.run is None:
        raise UserError("\n".join(as_option(str(problem)) for problem in checked.problems))
    resolved = resolve(checked.run.spec, surroundings=Surroundings())
    assert resolved.verification is not None  # it was given
    return ScoringOrder(
        model=resolved.model,
        methods=[method.model_copy(update={"weighting": None}) for method in resolved.verification.methods],
        files=[ScoredFile(samples=str(samples), output=str(output))],
        generation=resolved.generation,
        storage=resolved.storage,
        seed=resolved.seed,
    )


def _methods(asked: Asked) -> list[dict[str, Any]]:
    """The methods as a run's YAML has them, each with those of the settings that its type reads."""
    given = {name: value for name, value in asked.settings.items() if value is not None}
    if "template" in given:
        given["template"] = _template(given["template"])
    if "range" in given:
        given["range"] = _range(given["range"])
    found = [_method(each) for each in asked.methods]
    labels = _labels_of_each(given.pop("labels", ()), found)
    names = [method["name"] for method in found]
    for place, method in enumerate(found):
        if (twice := method["name"]) in names[:place]:
            raise UserError(f"--method: {twice} is given twice; name one of them, as other={method['type']}")
    readers = dict(READ_BY.values())
    for name in given:
        if not any(method["type"] in readers[name] for method in found):
            those = f"{' and '.join(readers[name])} {'do' if len(readers[name]) > 1 else 'does'}"
            raise UserError(f"--{dashed(name)}: no method given reads it; {those}")
    return [
        method
        | {name: value for name, value in given.items() if method["type"] in readers[name]}
        | labels.get(method["name"], {})
        | _asks(method)
        for method in found
    ]


def _method(text: str) -> dict[str, Any]:
    name, _, kind = text.rpartition("=")
    if kind == "GroundTruth":
        raise UserError("--method: GroundTruth is a task's own check, which a run does; give samples with a utility")
    if kind not in JUDGES:
        raise UserError(f"--method: {not_a_choice(kind, JUDGES)}")
    return {"type": kind, "name": name or kind}


def _asks(method: Mapping[str, Any]) -> dict[str, Any]:
    """A Likelihood has to read the words: nobody has recorded their probability."""
    return {"verifier": {"uri": "."}} if method["type"] == "Likelihood" else {}


def _template(text: str) -> str:
    """The name of one of ours as it stands, or a file's text."""
    path, ours = Path(text), [name for names in TEMPLATES.values() for name in names]
    asks_nothing = re.fullmatch(r"[^\s{}]+", text) is not None
    if asks_nothing and text not in ours and not path.exists():
        raise UserError(f"--template: {text}: there is no such file; give a Jinja file or one of {', '.join(ours)}")
    try:
        return path.read_text(encoding="utf-8") if path.is_file() else text
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"--template: {text} can't be read ({error}); give a Jinja file") from error


def _labels_of_each(given: Sequence[str], methods: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for text in given:
        pairs = _labels(text, methods)
        if twice := next((name for name in pairs if name in found), None):
            raise UserError(f"--labels: two pairs are given for {twice}; keep one")
        found |= pairs
    return found


def _labels(text: str, methods: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """By method the pair that it reads. Two types ask two questions, and no pair of words answers both."""
    readers = dict(READ_BY.values())["labels"]
    reading = {method["name"]: method["type"] for method in methods if method["type"] in readers}
    name, _, pair = text.rpartition("=")
    if name and name not in reading:
        raise UserError(f"--labels: {name} is no method that reads labels; there are {', '.join(reading) or 'none'}")
    if not reading:
        raise UserError(f"--labels: no method given reads it; {' and '.join(readers)} do")
    if not name and len(set(reading.values())) > 1:
        raise UserError(
            f"--labels: {text} would answer the questions of {' and '.join(reading)} alike; give it one of them, as "
            f"{next(iter(reading))}={text}"
        )
    positive, slash, negative = pair.partition("/")
    if not slash:
        raise UserError(f"--labels: {pair} is no pair; give two words, as Yes/No")
    return {each: {"labels": {"positive": positive, "negative": negative}} for each in ([name] if name else reading)}


def _range(text: str) -> list[int]:
    found = re.fullmatch(r"(-?[0-9]{1,9})-(-?[0-9]{1,9})", text)
    if found is None:
        raise UserError(f"--range: {text} is no range; give the lowest and the highest score, as 1-10")
    return [int(each) for each in found.groups()]
