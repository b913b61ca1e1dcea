"""`selfimprove samples`: what the model wrote, what was thought of it and why, and what became of it."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import indent
from typing import Any

from selfimprove.artifacts import load_ledger
from selfimprove.cli.filters import Filter
from selfimprove.cli.output import print_json
from selfimprove.cli.where import Where
from selfimprove.details import guidance_of
from selfimprove.errors import UserError
from selfimprove.guidance_counts import in_words

STEPS = ("generate", "verify", "resample", "evaluate")

Row = dict[str, Any]


def samples(run: str, where: Where, wanted: Filter, as_json: bool) -> None:
    """Print the samples that were asked for. Raises `UserError` for a step, iteration or prompt that has none."""
    if wanted.step not in STEPS:
        raise UserError(f"--step: {wanted.step} has no samples; give one of {', '.join(STEPS)}")
    if wanted.prompt and wanted.tail:
        raise UserError(f"--tail: chooses among prompts, and --prompt names {wanted.prompt}; give one of the two")
    from selfimprove.cli.reading import Reader

    handle = where.find(run)
    ledger = load_ledger(handle.store)
    reader = Reader(handle.store, handle.spec, ledger, wanted)
    prompts = reader.prompts()
    guided = guidance_of(handle.store, ledger, reader.iteration) if wanted.step == "resample" else None
    if as_json:
        counts = {"counts": guided.counts} if guided else {}
        shown = {"runURI": handle.uri, "iteration": reader.iteration, "step": wanted.step}
        print_json({**shown, **counts, "prompts": prompts})
        return
    print(f"{handle.run.metadata.name}, {wanted.step} of iteration {reader.iteration}: {_count(prompts)}")
    if guided and not prompts:
        print("\n".join(f"{kind}: {line}" for kind, line in in_words(guided.counts, guided.tokens).items()))
    for prompt in prompts:
        print()
        print("\n".join(_lines(prompt)))


def readable(text: str) -> str:
    """The text with control characters spelled out: a model may write ones that a terminal obeys."""
    return "".join(c if c in "\n\t" or c.isprintable() else repr(c)[1:-1] for c in text)


def _count(prompts: list[Row]) -> str:
    drawn = sum(len(prompt["samples"]) for prompt in prompts)
    return f"{len(prompts)} {'prompt' if len(prompts) == 1 else 'prompts'}, {drawn} samples shown"


def _lines(prompt: Row) -> Iterator[str]:
    known = [
        f"level {prompt['level']}" if prompt.get("level") else "",
        f"gold {prompt['gold']}" if "gold" in prompt else "",
    ]
    yield "  ".join([f"== {prompt['prompt']}", *filter(None, known)])
    for message in prompt.get("messages", []):
        yield indent(readable(f"{message['role']}: {message['content']}"), "   ")
    for sample in prompt["samples"]:
        yield f"-- {_judgement(sample)}"
        yield indent(readable(_text(sample)), "   ")
        for critique in sample.get("critiques", []):
            yield f"   {_said(critique)}"
            yield indent(readable(critique["text"]), "      ")


def _text(sample: Row) -> str:
    """What was written; of a sample that was begun from a prefix, with marks round what it was given."""
    text, given = sample["text"], sample.get("given", 0)
    return f"⟨given⟩{text[:given]}⟨written⟩{text[given:]}" if given else text


def _said(critique: Row) -> str:
    """Whose critique it is, and what was read from it."""
    says = "nothing that can be read" if critique["says"] is None else f"{critique['says']:g}"
    cut = ", cut by length" if critique["finish"] == "length" else ""
    return f"{critique['method']}, critique {critique['vote'] + 1}, says {says}{cut}:"


def _judgement(sample: Row) -> str:
    """One line: which sample, its verdicts, its scores, and whether it was kept."""
    facts = [f"#{sample['sample']}", _guidance(sample), _verdict(sample), _scores(sample), _decision(sample)]
    if sample["finish"] == "length":
        facts.append("cut by length")
    return ", ".join(filter(None, facts))


def _guidance(sample: Row) -> str:
    if not sample["strategy"]:
        return ""
    given = f", begun with {sample['prefix_length']} tokens given" if sample["prefix_length"] else ""
    return f"{sample['strategy']} round {sample['round']}{given}"


def _verdict(sample: Row) -> str:
    if not sample["verdict"]:
        return ""
    answer = f" ({sample['answer']})" if sample["answer"] is not None else ""
    return f"{sample['verdict']}{readable(answer)}, strict {sample['strict_verdict']}"


def _scores(sample: Row) -> str:
    """GroundTruth's score is its verdict again, and so stays out."""
    shown = {name: score for name, score in sample["scores"].items() if name != "GroundTruth"}
    return ", ".join(f"{name} {'none' if score is None else f'{score:.3f}'}" for name, score in shown.items())


def _decision(sample: Row) -> str:
    if "kept" not in sample:
        return ""
    if not sample["kept"]:
        return f"not kept: {sample['reason']}"
    why = "" if sample["reason"] == "kept" else f" ({sample['reason']})"
    return f"kept with weight {sample['weight']:.3g}{why}"
