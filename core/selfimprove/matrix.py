"""Generators x verifiers (Mind the Gap, Figure 3): whose samples are worth what under whose scores.

Each generator's samples are the `generate` and `verify` steps of a run of its own, which is named after what it is made
from; each cell's scores stand in one file a generator, each known by what made it (`scoring`). So whatever is there is
gone on with, and a row, a column or a prompt more costs itself alone.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from selfimprove.api.source import ModelSource
from selfimprove.artifacts import (
    PROMPTS,
    digest_of,
    fetch_files,
    files_in_place,
    load_ledger,
    read_rows,
    require_manifest,
    step_folder,
)
from selfimprove.errors import UserError
from selfimprove.filtering import GROUND_TRUTH
from selfimprove.ledger import StepId
from selfimprove.local import Event, execute_steps
from selfimprove.loop import shards_of, trains
from selfimprove.matrix_spec import Generator, MatrixSpec, Verifier, weighting_of
from selfimprove.records import PROMPT, SAMPLE, SCORE
from selfimprove.runs import RunHandle, begin, find
from selfimprove.samples_file import read_samples
from selfimprove.scoring import Places, ScoredFile, ScoringOrder, score_samples
from selfimprove.stopping import best_iteration
from selfimprove.store.disk import explained, make_folder, replace
from selfimprove.summaries import Estimate
from selfimprove.sweeps import matrix as cells_of

STEPS = (StepId(1, "generate"), StepId(1, "verify"))
Cells = Mapping[str, Mapping[str, Mapping[str, Estimate]]]
"""Generator -> verifier -> figures."""


@dataclass(frozen=True)
class Place:
    """Where the runs of a matrix lie, and what it comes to."""

    storage: str
    output: Path

    def scored(self, generator: str) -> Path:
        """A generator's samples with the scores of every verifier, as `selfimprove measure` reads them."""
        return self.output / f"{generator}.jsonl"


def fill(spec: MatrixSpec, place: Place, say: Callable[[str], None]) -> None:
    """Have all samples drawn and scored that are not yet. Raises what a run and `score_samples` raise."""
    make_folder(place.output.absolute())
    uris = {generator.name: _uri(generator, place) for generator in spec.generators}
    asked = _by_model(spec.verifiers)
    for model, verifiers in asked.items():
        if any(verifier.method.type != "MajorityVote" for verifier in verifiers):
            # A model may not be there, and its tokenizer may refuse the labels.
            score_samples(_order(spec, model, verifiers, uris, []))
    files = [_drawn(spec, generator, uris[generator.name], place, say) for generator in spec.generators]
    for model, verifiers in asked.items():
        score_samples(_order(spec, model, verifiers, uris, files))


def cells(spec: MatrixSpec, place: Place, resamples: int = 2000) -> Cells:
    """The figures of every cell."""
    samples = {generator.name: read_samples(place.scored(generator.name)) for generator in spec.generators}
    rules = {verifier.name: weighting_of(verifier) for verifier in spec.verifiers}
    return cells_of(samples, rules, seed=spec.document.seed, resamples=resamples)


def _uri(generator: Generator, place: Place) -> str:
    """Where a generator's model is: a folder, where a run has made it."""
    if generator.run is None:
        return str(generator.uri)
    run = find(generator.run)
    ledger = load_ledger(run.store)
    n = best_iteration(ledger) if generator.iteration is None else generator.iteration
    if not trains(run.spec, n):
        return run.spec.model.uri
    step = StepId(n, "distill")
    if not ledger.shards_done(step):
        raise UserError(f"generators: {generator.name}: {run.uri} has made no M_{n}; give another iteration, or none")
    manifest, sha256 = require_manifest(run.store, step_folder(step))
    folder = files_in_place(run.store, manifest)
    return str(folder or fetch_files(run.store, manifest, place.output.absolute() / "models" / sha256))


def _drawn(spec: MatrixSpec, generator: Generator, uri: str, place: Place, say: Callable[[str], None]) -> ScoredFile:
    """A generator's samples as a file to be scored, drawn where they are not yet."""
    anywhere = spec.manifest(generator, uri, storage="")  # a folder has many spellings
    document = spec.manifest(generator, uri, place.storage, digest_of(anywhere["spec"])[:8])
    manifest = place.output / f"{generator.name}.run.json"  # a run as any other: `selfimprove run` would go on with it
    _write(manifest, json.dumps(document, indent=1))
    run = begin(manifest, place.storage)

    def tell(event: Event) -> None:
        say(f"{generator.name}: {event}")

    execute_steps(run, STEPS, on_event=tell)
    say(f"{generator.name}: {_asked(run)}")
    samples = _samples(place, generator)
    _write(samples, "\n".join(json.dumps(row, ensure_ascii=False) for row in rows_of_run(run)))
    return ScoredFile(samples=str(samples), output=str(place.scored(generator.name)))


def _samples(place: Place, generator: Generator) -> Path:
    return place.output / f"{generator.name}.samples.jsonl"


def _order(
    spec: MatrixSpec,
    model: str | None,
    verifiers: Sequence[Verifier],
    uris: Mapping[str, str],
    files: list[ScoredFile],
) -> ScoringOrder:
    """Files to be scored by the verifiers that one model serves."""
    return ScoringOrder(
        model=_source(spec, model, uris),
        methods=[verifier.method.model_copy(update={"weighting": None}) for verifier in verifiers],
        files=files,
        generation=spec.generation,
        seed=spec.document.seed,
        places=Places(
            model=_model_field(spec, model, verifiers),
            methods={verifier.name: verifier.field for verifier in verifiers},
            generation=f"{spec.path}: generation",
        ),
    )


def _model_field(spec: MatrixSpec, model: str | None, verifiers: Sequence[Verifier]) -> str:
    """Where the file says which model verifies."""
    for number, generator in enumerate(spec.generators):
        if generator.name == model:
            return f"{spec.path}: generators[{number}].{'run' if generator.run else 'uri'}"
    return next((f"{verifier.field}.model" for verifier in verifiers if verifier.model), verifiers[0].field)


def _asked(run: RunHandle) -> str:
    """How many prompts samples were drawn of, and how many were set apart, as a run holds some of a file's out."""
    tables = require_manifest(run.store, PROMPTS)[0].tables
    asked, apart = (sum(part.rows for part in tables.get(name, ())) for name in ("train", "heldOut"))
    return f"samples of {asked:,} prompts; dataset.heldOut sets {apart:,} apart"


def _write(path: Path, text: str) -> None:
    with explained(str(path)):
        replace(path, lambda file: file.write(f"{text}\n".encode()))


def rows_of_run(run: RunHandle) -> Iterator[dict[str, Any]]:
    """The plain samples of a run's first iteration with their verdicts, as `selfimprove verify` reads them.

    Both of `STEPS` have been done.
    """
    asked = {row["prompt"]: row for row in _rows(run, require_manifest(run.store, PROMPTS)[0].tables["train"], PROMPT)}
    scores = (row for row in _step_rows(run, STEPS[1], SCORE) if row["method"] == GROUND_TRUTH)
    checked = {(row["prompt"], row["sample"]): row for row in scores}
    for row in _step_rows(run, STEPS[0], SAMPLE):
        prompt, found = asked[row["prompt"]], checked.get((row["prompt"], row["sample"]), {})
        level = {"level": prompt["level"]} if prompt["level"] is not None else {}
        yield {
            "prompt": row["prompt"],
            "sample": row["sample"],
            "messages": prompt["messages"],
            "question": prompt["messages"][-1]["content"],
            "response": row["text"],
            "answer": found.get("answer"),
            "utility": found.get("score"),
            **level,
        }


def _step_rows(run: RunHandle, step: StepId, schema: Any) -> Iterator[dict[str, Any]]:
    for shard in range(shards_of(run.spec, step)):
        yield from _rows(run, require_manifest(run.store, step_folder(step, shard))[0].parts, schema)


def _rows(run: RunHandle, parts: Sequence[Any], schema: Any) -> Iterator[dict[str, Any]]:
    for batch in read_rows(run.store, parts, schema):
        yield from batch.to_pylist()


def _by_model(verifiers: Sequence[Verifier]) -> dict[str | None, list[Verifier]]:
    """The verifiers that one model serves; those that ask none go with the first that asks one."""
    first = next((verifier.model for verifier in verifiers if verifier.model), None)
    found: dict[str | None, list[Verifier]] = {}
    for verifier in verifiers:
        found.setdefault(verifier.model or first, []).append(verifier)
    return found


def _source(spec: MatrixSpec, model: str | None, uris: Mapping[str, str]) -> ModelSource:
    """The model that verifies; any, where none is asked."""
    generator = next((each for each in spec.generators if each.name == model), spec.generators[0])
    if model is not None and model not in uris:
        return ModelSource(uri=model)
    return ModelSource(uri=uris[generator.name], revision=generator.revision if generator.uri else None)
