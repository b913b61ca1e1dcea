"""Rules about drawing samples."""

from __future__ import annotations

from collections.abc import Iterator

from selfimprove.api.problem import Problem
from selfimprove.api.rules.base import Rule, rule
from selfimprove.api.sources import verifiers_of
from selfimprove.api.spec import Spec
from selfimprove.api.uris import gym_options, place_of

_OF_RENDERING = {
    "self",
    "conversation",
    "messages",
    "tools",
    "documents",
    "chat_template",
    "add_generation_prompt",
    "continue_final_message",
    "tokenize",
    "padding",
    "truncation",
    "max_length",
    "return_tensors",
    "return_dict",
    "return_assistant_tokens_mask",
    "tokenizer_kwargs",
}
"""Arguments of transformers' `apply_chat_template` itself, and what it gives to templates."""


def too_many_shards(spec: Spec, prompts: int) -> Problem | None:
    """The problem when there are more shards than prompts: some would have nothing to do. Asked again by whoever
    has counted the prompts.
    """
    shards = spec.generation.shards
    if shards <= prompts:
        return None
    return Problem("spec.generation.shards", f"{shards} is more than the {prompts} prompts; give at most {prompts}")


@rule("generation", "dataset")
def shards(spec: Spec) -> Iterator[Problem]:
    """No more shards than prompts, as far as the number of prompts is written down."""
    limits = [spec.dataset.limit, _gym_size(spec.dataset.uri)]
    known = [limit for limit in limits if limit is not None]
    if known and (problem := too_many_shards(spec, min(known))):
        yield Problem(problem.field.removeprefix("spec."), problem.message)


@rule("generation")
def samples_differ(spec: Spec) -> Iterator[Problem]:
    """Responses to one prompt must vary, else there is nothing to select (Mind the Gap, section 2.1)."""
    generation = spec.generation
    samples = generation.samples_per_prompt
    if samples == 1:
        return
    alike = f"makes the {samples} samples of a prompt the same, so there is nothing to select"
    if generation.temperature == 0:
        yield Problem("generation.temperature", f"0 {alike}; give more than 0")
    elif generation.top_k == 1:
        yield Problem("generation.topK", f"1 {alike}; give more than 1, or -1 for all")


@rule("generation")
def variables_of_the_chat_template(spec: Spec) -> Iterator[Problem]:
    """What is given to the template must not be taken for an argument of the function that renders it."""
    for name in spec.generation.chat_template_kwargs:
        if name in _OF_RENDERING:
            yield Problem(
                "generation.chatTemplateKwargs",
                f"{name} is set by what renders prompts, and no variable of the template's own; remove it",
            )


@rule("generation", "evaluation")
def top_k(spec: Spec) -> Iterator[Problem]:
    """-1 means all tokens; 0 means nothing that engines agree on."""
    for name, value in (("generation", spec.generation.top_k), ("evaluation", spec.evaluation.top_k)):
        if value == 0:
            yield Problem(f"{name}.topK", "0 keeps no token; give at least 1, or -1 for all")


@rule("evaluation", "generation")
def evaluation_differs(spec: Spec) -> Iterator[Problem]:
    """Several greedy samples of one prompt are one sample paid several times."""
    evaluation = spec.evaluation
    top = spec.generation.top_k if evaluation.top_k is None else evaluation.top_k
    samples = evaluation.samples_per_prompt
    how = "greedy" if evaluation.greedy else "temperature 0" if evaluation.temperature == 0 else "topK 1"
    if samples > 1 and (how != "topK 1" or top == 1):
        yield Problem("evaluation.samplesPerPrompt", f"{samples} samples at {how} are all the same; give 1")


@rule("generation", "evaluation")
def room_for_the_prompt(spec: Spec) -> Iterator[Problem]:
    """A sample must leave room for its prompt in the engine's window."""
    window = spec.generation.engine_args.max_model_len
    lengths = {"generation": spec.generation.max_tokens, "evaluation": spec.evaluation.max_tokens}
    for name, tokens in lengths.items():
        if window is not None and tokens is not None and tokens >= window:
            yield Problem(
                f"{name}.maxTokens",
                f"{tokens} leaves no room for a prompt in generation.engineArgs.maxModelLen {window}; give less",
            )


@rule("generation", "evaluation", "verification")
def room_for_what_is_verified(spec: Spec) -> Iterator[Problem]:
    """The window of a verifier of its own holds the longest sample, and what is asked about it."""
    longest = max(spec.generation.max_tokens, spec.evaluation.max_tokens or 0)
    for field, verifier in verifiers_of(spec):
        window = verifier.engine_args.max_model_len if verifier.engine_args else None
        if window is not None and window <= longest:
            yield Problem(
                f"{field}.engineArgs.maxModelLen",
                f"{window} leaves no room for a prompt and a sample of maxTokens {longest}; give more",
            )


RULES: tuple[Rule, ...] = (
    shards,
    samples_differ,
    variables_of_the_chat_template,
    top_k,
    evaluation_differs,
    room_for_the_prompt,
    room_for_what_is_verified,
)


def _gym_size(uri: str) -> int | None:
    place = place_of(uri)
    size = gym_options(place)[1].get("size", "") if place.scheme == "gym" else ""
    return int(size) if size.isdecimal() and int(size) else None  # 0 is another rule's to tell of
