"""Rules about drawing samples."""

from __future__ import annotations

from collections.abc import Iterator

from selfimprove.api.problem import Problem
from selfimprove.api.rules.base import Found, Rule, each
from selfimprove.api.sampling import Evaluation, Generation
from selfimprove.api.selecting import OtherModel
from selfimprove.api.sound import known
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


def sampled(spec: Spec) -> Iterator[tuple[str, Generation | Evaluation]]:
    """What says how samples are drawn, with its field."""
    for field in ("generation", "evaluation"):
        if (sampling := known(spec, field)) is not None:
            yield field, sampling


def shards(spec: Spec) -> Found:
    """No more shards than prompts, as far as the number of prompts is written down."""
    limits = [spec.dataset.limit, _gym_size(spec.dataset.uri)]
    known = [limit for limit in limits if limit is not None]
    if known and (problem := too_many_shards(spec, min(known))):
        yield Problem(problem.field.removeprefix("spec."), problem.message)


def samples_differ(spec: Spec) -> Found:
    """Responses to one prompt must vary, else there is nothing to select (Mind the Gap, section 2.1)."""
    generation = spec.generation
    samples = generation.samples_per_prompt
    if samples == 1:
        return
    alike = f"makes the {samples} samples of a prompt the same, so there is nothing to select"
    if known(generation, "temperature") == 0:
        yield Problem("generation.temperature", f"0 {alike}; give more than 0")
    if known(generation, "top_k") == 1:
        yield Problem("generation.topK", f"1 {alike}; give more than 1, or -1 for all")


def variables_of_the_chat_template(spec: Spec) -> Found:
    """What is given to the template must not be taken for an argument of the function that renders it."""
    for name in spec.generation.chat_template_kwargs:
        if name in _OF_RENDERING:
            yield Problem(
                "generation.chatTemplateKwargs",
                f"{name} is set by what renders prompts, and no variable of the template's own; remove it",
            )


@each(sampled)
def top_k(field: str, sampling: Generation | Evaluation) -> Found:
    """-1 means all tokens; 0 means nothing that engines agree on."""
    if sampling.top_k == 0:
        yield Problem(f"{field}.topK", "0 keeps no token; give at least 1, or -1 for all")


def evaluation_differs(spec: Spec) -> Found:
    """Several greedy samples of one prompt are one sample paid several times."""
    evaluation = spec.evaluation
    samples = evaluation.samples_per_prompt
    how = "greedy" if evaluation.greedy else "temperature 0" if evaluation.temperature == 0 else "topK 1"
    if samples > 1 and (how != "topK 1" or (spec.generation if evaluation.top_k is None else evaluation).top_k == 1):
        yield Problem("evaluation.samplesPerPrompt", f"{samples} samples at {how} are all the same; give 1")


def room_for_the_prompt(spec: Spec) -> Found:
    """A sample must leave room for its prompt in the engine's window."""
    window = spec.generation.engine_args.max_model_len
    for field, sampling in sampled(spec):
        tokens = known(sampling, "max_tokens")
        if window is not None and tokens is not None and tokens >= window:
            yield Problem(
                f"{field}.maxTokens",
                f"{tokens} leaves no room for a prompt in generation.engineArgs.maxModelLen {window}; give less",
            )


def room_for_what_is_verified(spec: Spec) -> Found:
    """The window of a verifier of its own holds the longest sample, and what is asked about it."""
    longest = max(spec.generation.max_tokens, spec.evaluation.max_tokens or 0)
    for field, verifier in verifiers_of(spec):
        yield _room(f"{field}.engineArgs.maxModelLen", verifier, longest)


RULES: tuple[Rule, ...] = (
    shards,
    samples_differ,
    variables_of_the_chat_template,
    top_k,
    evaluation_differs,
    room_for_the_prompt,
    room_for_what_is_verified,
)


def _room(field: str, verifier: OtherModel, longest: int) -> Found:
    window = verifier.engine_args.max_model_len if verifier.engine_args else None
    if window is not None and window <= longest:
        yield Problem(field, f"{window} leaves no room for a prompt and a sample of maxTokens {longest}; give more")


def _gym_size(uri: str) -> int | None:
    place = place_of(uri)
    size = gym_options(place)[1].get("size", "") if place.scheme == "gym" else ""
    return int(size) if size.isdecimal() and int(size) else None  # 0 is another rule's to tell of
