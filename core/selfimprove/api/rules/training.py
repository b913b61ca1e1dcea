"""Rules about what the next checkpoint is made of."""

from __future__ import annotations

from selfimprove.api.defaults import cuts_of
from selfimprove.api.problem import Problem
from selfimprove.api.rules.base import Found, Rule
from selfimprove.api.rules.methods import common_weighting
from selfimprove.api.selecting import Weighting
from selfimprove.api.spec import Spec


def pairs(spec: Spec) -> Found:
    """DPO learns from a better and a worse sample of one prompt."""
    if spec.distillation.method == "DPO" and spec.generation.samples_per_prompt < 2:
        yield Problem("generation.samplesPerPrompt", "1 gives method DPO no pair of samples to compare; give 2 or more")


def something_to_reject(spec: Spec) -> Found:
    """A weighting that keeps every sample leaves DPO none to prefer another to."""
    weightings = {"verification.weighting": common_weighting(spec)}
    if spec.verification is None or spec.verification.combine == "All":
        cuts = cuts_of(spec.dataset, spec.verification)
        weightings = {f"verification.methods[{at}].weighting": cut for at, (_, cut) in enumerate(cuts)}
    keeping = {field: each.type for field, each in weightings.items() if each is not None and _keeps_all(each)}
    if spec.distillation.method == "DPO" and len(keeping) == len(weightings):
        for field, kind in keeping.items():
            yield Problem(
                f"{field}.type",
                f"{kind} keeps every sample, and method DPO prefers a kept one to one that is not; "
                "give Threshold, TopK, or Quantile above 0",
            )


def nll_weight(spec: Spec) -> Found:
    """The likelihood term is DPO's; SFT has nothing else."""
    if spec.distillation.method == "SFT" and spec.distillation.nll_weight != 0:
        yield Problem(
            "distillation.nllWeight",
            f"{spec.distillation.nll_weight:g} is read by method DPO only, not by SFT; remove it",
        )


def samples_fit(spec: Spec) -> Found:
    """What was sampled must be trainable whole: a sample that is cut has no end."""
    length, tokens = spec.distillation.max_length, spec.generation.max_tokens
    if length < tokens:
        yield Problem(
            "distillation.maxLength",
            f"{length} is less than generation.maxTokens {tokens}: the longest samples could not be trained on; give "
            "more, for prompt and sample",
        )


def lora_modules(spec: Spec) -> Found:
    """Module names are names, each once."""
    modules = spec.distillation.lora.target_modules if spec.distillation.lora else []
    for index, name in enumerate(modules):
        if not name.strip():
            yield Problem(f"distillation.lora.targetModules[{index}]", "empty text names no module; remove it")
        elif name in modules[:index]:
            yield Problem(f"distillation.lora.targetModules[{index}]", f"{name} is there twice; keep one")


def references(spec: Spec) -> Found:
    """Reference solutions can only be trained on where there are some."""
    if spec.selection.seed_training == "References" and spec.dataset.fields.rationale is None:
        yield Problem(
            "selection.seedTraining", "References trains on reference solutions; give dataset.fields.rationale"
        )


RULES: tuple[Rule, ...] = (pairs, something_to_reject, nll_weight, samples_fit, lora_modules, references)


def _keeps_all(weighting: Weighting) -> bool:
    return weighting.type == "Softmax" or (weighting.type == "Quantile" and weighting.quantile == 0)
