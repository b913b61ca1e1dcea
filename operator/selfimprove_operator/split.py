"""Whether the pods of a run have the GPUs over which it has its models split: a pod that hasn't would start in vain."""

from __future__ import annotations

from collections.abc import Iterator
from operator import itemgetter

from kubernetes.utils.quantity import parse_quantity

from selfimprove.api.installation import Defaults, Gpu
from selfimprove.api.problem import Problem
from selfimprove.api.sampling import EngineArgs, EngineName
from selfimprove.api.spec import Spec
from selfimprove.ledger import StepId
from selfimprove.loop import steps_of
from selfimprove_operator.jobs import colocated
from selfimprove_operator.pods import LABEL_FREE, resources_of, settings_of, uses_gpu


def beyond_the_gpus(spec: Spec, defaults: Defaults) -> list[Problem]:
    """Every pod that asks for fewer GPUs than a `tensorParallelSize` of what it loads. `spec`: resolved."""
    return [problem for first in _pods(spec) if (problem := _problem(spec, defaults, first))]


def _problem(spec: Spec, defaults: Defaults, first: StepId) -> Problem | None:
    gpus = _gpus(resources_of(settings_of(spec, defaults, first.step), defaults.gpu, True), defaults.gpu)
    sizes = [found for step in (first, *colocated(spec, first)) for found in _sizes(spec, step)]
    field, size = max(sizes, key=itemgetter(1), default=("", 1))
    if gpus is None or size <= max(gpus, 1):
        return None
    return Problem(
        f"spec.execution.steps.{first.step}.resources",
        f"its pods ask for {gpus} {defaults.gpu.resource_name}, and {field} is {size}; ask for {size} in their limits "
        "(a tensorParallelSize that is not given is what the pod has)",
    )


def _pods(spec: Spec) -> Iterator[StepId]:
    """The first step of each pod of an iteration that loads a model to sample or to score with."""
    done: set[StepId] = set()
    for step in steps_of(spec, 1):
        if step in done or step.step == "distill" or not uses_gpu(spec, step):
            continue
        done |= {step, *colocated(spec, step)}
        yield step


def _gpus(resources: dict[str, dict[str, str]], gpu: Gpu) -> int | None:
    """GPUs that a pod gets; None where it asks for devices of another name, which may be any."""
    asked = {**resources.get("requests", {}), **resources.get("limits", {})}
    if gpu.resource_name not in asked and any("/" in name for name in asked):
        return None
    try:
        return int(parse_quantity(asked.get(gpu.resource_name, "0")))  # type: ignore[no-untyped-call]
    except ValueError:
        return None  # no quantity, which the dry run of the pods tells


def _sizes(spec: Spec, step: StepId) -> Iterator[tuple[str, int]]:
    """The sizes that a step's models are split to, each with its field."""
    settings: dict[str, tuple[EngineName | None, EngineArgs | None]] = {}
    methods = list(enumerate(spec.methods)) if step.step in ("verify", "evaluate") else []
    if step.step != "verify" or any(not m.verifier and m.type not in LABEL_FREE for _, m in methods):
        settings["spec.generation"] = (spec.generation.engine, spec.generation.engine_args)
    for index, method in methods:
        if method.verifier:
            field = f"spec.verification.methods[{index}].verifier"
            settings[field] = (method.verifier.engine, method.verifier.engine_args)
    for field, (engine, args) in settings.items():
        if engine != "Transformers" and args and args.tensor_parallel_size:
            yield f"{field}.engineArgs.tensorParallelSize", args.tensor_parallel_size
