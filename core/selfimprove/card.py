"""The card of an exported model: where it comes from, how it was made, and what was measured, on which prompts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from selfimprove import __version__
from selfimprove.api.spec import Spec
from selfimprove.ledger import Ledger
from selfimprove.loop import trains
from selfimprove.numerals import counted
from selfimprove.report import NOTHING, percent, points
from selfimprove.stopping import best_iteration
from selfimprove.summaries import Estimate, Measures, PromptMeasures

if TYPE_CHECKING:
    from selfimprove.runs import RunHandle

_HUB = "hf://"


def model_card(run: RunHandle, ledger: Ledger, n: int) -> str:
    """The card of M_n as Markdown with the metadata that the Hugging Face hub reads."""
    sections = [_front_matter(run.spec), _origin(run, ledger, n), _measured(ledger, n), _settings(run.spec)]
    return "\n\n".join("\n".join(section) for section in sections) + "\n"


def _front_matter(spec: Spec) -> list[str]:
    base = spec.model.uri
    named = [f"base_model: {base.removeprefix(_HUB).partition('@')[0]}"] if base.startswith(_HUB) else []
    return ["---", "library_name: transformers", "pipeline_tag: text-generation", *named, "tags: [selfimprove]", "---"]


def _origin(run: RunHandle, ledger: Ledger, n: int) -> list[str]:
    name, spec = run.run.metadata.name, run.spec
    revision = f" at revision `{spec.model.revision}`" if spec.model.revision else ""
    unimproved = f"The base model {'trained on reference solutions' if trains(spec, 0) else 'itself, unchanged'}"
    what = f"What {counted(n, 'iteration')} of self-improvement made" if n else unimproved
    lines = [f"# {name}, M_{n}", "", f"{what}. Written by `selfimprove export`, version {__version__}.", ""]
    lines += [f"- base model: `{spec.model.uri}`{revision}", f"- trained on prompts of: `{spec.dataset.uri}`"]
    lines += [f"- run: `{run.uri}`, {_choice(ledger, n)}"]
    return lines


def _choice(ledger: Ledger, n: int) -> str:
    best = best_iteration(ledger)
    return "the best model of its run" if n == best else f"not the best model of its run, which is M_{best}"


def _measured(ledger: Ledger, n: int) -> list[str]:
    """Two honest headings: the prompts that chose the model flatter it, `dataset.test` does not."""
    found = [
        ("on held-out prompts, which also chose the best model of the run", ledger.measures(n)),
        ("on dataset.test, used once, for the best model", ledger.measures(n, "test")),
    ]
    lines = ["## Measured"]
    for where, measures in found:
        if measures is not None:
            lines += ["", *_table(where, measures, ledger.measures(0) if "held-out" in where else None)]
    return lines if len(lines) > 1 else [*lines, "", "Nothing was measured of this model."]


def _table(where: str, measures: Measures, baseline: Measures | None) -> list[str]:
    of, base = measures.held_out, baseline.held_out if baseline else None
    rows = [
        ("accuracy, flexible grading", percent(of.accuracy), percent(base.accuracy if base else None)),
        ("accuracy, strict grading", percent(of.strict_accuracy), percent(base.strict_accuracy if base else None)),
        *((f"pass@{k}", percent(_at(of, k)), percent(_at(base, k))) for k in _ks(of)),
        ("gain on M_0 paired by prompt, flexible", points(measures.versus_baseline), NOTHING),
        ("gain on M_0 paired by prompt, strict", points(measures.strict_versus_baseline), NOTHING),
    ]
    basis = f"{counted(of.prompts, 'prompt')}, {counted(of.samples, 'sample')}"
    intro = f"Measured {where}: {basis}; percent (gains: points) with 95% intervals, bootstrapped over prompts."
    return [intro, "", "| measure | this model | M_0 |", "|---|---|---|", *_rows(rows)]


def _ks(measures: PromptMeasures) -> list[str]:
    return sorted(measures.pass_at_k or {}, key=int)


def _at(measures: PromptMeasures | None, k: str) -> Estimate | None:
    return (measures.pass_at_k or {}).get(k) if measures else None


def _rows(rows: Iterable[tuple[str, str, str]]) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in rows]


def _settings(spec: Spec) -> list[str]:
    """The resolved spec, without what says where it ran: enough to begin the same run again."""
    import yaml

    settings = spec.to_json()
    for of_the_place in ("execution", "storage", "suspend"):
        settings.pop(of_the_place, None)
    text = yaml.safe_dump({"spec": settings}, sort_keys=False, allow_unicode=True, width=100).rstrip()
    return ["## Settings", "", "```yaml", text, "```"]
