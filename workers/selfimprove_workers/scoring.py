"""Samples of anybody's, scored by any model, for `selfimprove verify` and `matrix`: files in, files out.

The model reads the conversation as text, as another model than the run's own does, so that it is no matter who drew
the samples. What is scored goes to `OUTPUT.partial` as it comes; OUTPUT itself appears whole, and is taken up again.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property, partial
from pathlib import Path
from typing import IO, Any, BinaryIO, NamedTuple

from selfimprove.api.sampling import Generation
from selfimprove.api.selecting import Method
from selfimprove.artifacts import digest_of
from selfimprove.errors import DONE, SelfImproveError, TerminatedError, UserError
from selfimprove.samples_file import rows_of
from selfimprove.scoring import ScoredFile, ScoringOrder, as_option
from selfimprove.seeds import derive_seed
from selfimprove.store.disk import explained, explained_reading, make_folder, replace
from selfimprove_workers.chat import lint_verifier
from selfimprove_workers.datasets.rows import PromptRow
from selfimprove_workers.engines.base import Engine, SampleRequest
from selfimprove_workers.foreign import Row, Sample, samples_of, score_keys, whole_prompts, words_of
from selfimprove_workers.models import FoundModel, find_model, open_engine, open_tokenizer
from selfimprove_workers.progress import Progress
from selfimprove_workers.signals import Signals
from selfimprove_workers.verifiers import verifier_for
from selfimprove_workers.verifiers.base import LabelReader, Tools, Verifier

VERSION = 1
"""Part of what a score is known by; to be raised when the same words would get another score."""
SAMPLES_AT_ONCE = 128
"""Enough to fill a batch, few enough that a killed command loses little."""


class Known(NamedTuple):
    """A score that was made before."""

    score: float | None
    mass: float | None


def score_samples(document: str) -> int:
    """Score the files that the JSON document (`ScoringOrder`) names; the exit code."""
    order = ScoringOrder.model_validate_json(document)
    signals = Signals.installed()
    bench = Bench(order, signals.stopping)
    try:
        for file in order.files:
            _score(file, order.methods, bench)
    except SelfImproveError as error:
        print(f"error: {as_option(str(error))}", file=sys.stderr)
        return signals.exit_code or error.exit_code
    finally:
        bench.close()
    return DONE


def _score(file: ScoredFile, methods: Sequence[Method], bench: Bench) -> None:
    output = Path(file.output)
    samples = samples_of(rows_of(Path(file.samples)), file.samples)
    earlier = {} if output == Path(file.samples) else _earlier(output)
    _check_answers(file.samples, samples, methods)
    judges = [(method, verifier_for(method)) for method in methods]
    bench.check(samples, [verifier for _, verifier in judges])
    new: list[dict[str, Row]] = [{"scores": {}, "mass": {}, "scoredBy": {}} for _ in samples]
    with _journal(output) as journal:
        for method, verifier in judges:
            name = str(method.name)
            keys = score_keys(bench.recipe(method, verifier), samples, verifier.compares)
            known = _noted(output) | _kept(name, samples, keys, earlier)
            scores = _scores(bench, name, verifier, list(zip(samples, keys, strict=True)), known, journal)
            for row, key, score in zip(new, keys, scores, strict=True):
                row["scores"][name], row["scoredBy"][name] = score.score, key
                if score.mass is not None:
                    row["mass"][name] = score.mass
            print(f"{output}: {_account(name, scores)}", file=sys.stderr, flush=True)
    old = [earlier.get(words_of(sample.candidate), {}) for sample in samples]
    _write(output, [_row(*each) for each in zip(samples, new, old, strict=True)])
    _partial(output).unlink(missing_ok=True)


def _scores(
    bench: Bench,
    name: str,
    verifier: Verifier,
    keyed: Sequence[tuple[Sample, str]],
    known: dict[str, Known],
    journal: IO[str],
) -> list[Known]:
    """The score of every sample, in order; those that are not known are made, and noted at once."""
    open_prompts = {sample.candidate.prompt for sample, key in keyed if key not in known}
    left = [
        (sample, key)
        for sample, key in keyed
        if (sample.candidate.prompt in open_prompts if verifier.compares else key not in known)
    ]
    progress = Progress(at_work_on=name)
    progress.start(name, len(keyed), len(keyed) - len(left), "samples")
    for batch in whole_prompts(left, SAMPLES_AT_ONCE):
        bench.stop_if_asked()
        scores = verifier.score(bench.tools, [sample.candidate for sample, _ in batch])
        made = {key: Known(each.score, each.mass) for (_, key), each in zip(batch, scores, strict=True)}
        known.update(made)
        _note(journal, made)
        progress.advance(len(batch))
    progress.finish()
    return [known[key] for _, key in keyed]


class Bench:
    """The model that judges: found when it is first asked about, and loaded when there is something to score."""

    def __init__(self, order: ScoringOrder, stopping: threading.Event) -> None:
        self._order, self._stopping = order, stopping
        self._engine: Engine | None = None

    @property
    def tools(self) -> Tools:
        """What its methods may use."""
        return Tools(
            engine=self._loaded,
            own=False,
            seed=partial(derive_seed, self._order.seed),
            request=partial(SampleRequest, **_drawing(self._order.generation)),
            stop_if_asked=self.stop_if_asked,
        )

    def check(self, samples: Sequence[Sample], verifiers: Sequence[Verifier]) -> None:
        """Whether this model can be asked so, before its weights are loaded. Raises `UserError`."""
        if not any(verifier.needs_model for verifier in verifiers):
            return
        tokenizer = open_tokenizer(self._found.folder, self._order.model.chat_template)
        firsts = {c.prompt: PromptRow(c.prompt, list(c.messages), None, None, None, None) for _, c in samples}
        lint_verifier(tokenizer, list(firsts.values()), {}, "spec.model.chatTemplate")
        for verifier in verifiers:
            if isinstance(verifier, LabelReader):
                verifier.check(tokenizer)

    def recipe(self, method: Method, verifier: Verifier) -> str:
        """What the scores of a method depend on beside the samples."""
        parts: list[object] = ["score", VERSION, method.to_json() | {"verifier": None}, verifier.version]
        if verifier.needs_model:
            parts += [self._found.digest, self._order.model.chat_template]
        if verifier.draws:
            parts.append(_drawing(self._order.generation))
        if verifier.needs_model and (verifier.draws or verifier.compares):
            parts.append(self._order.seed)
        return digest_of(*parts)

    def stop_if_asked(self) -> None:
        """Raises `TerminatedError` when a signal came."""
        if self._stopping.is_set():
            raise TerminatedError("stopped by a signal; what was scored is kept")

    def close(self) -> None:
        """Give the model's memory back."""
        if self._engine is not None:
            self._engine.close()

    @cached_property
    def _found(self) -> FoundModel:
        return find_model(self._order.model, self._order.storage)

    def _loaded(self) -> Engine:
        if self._engine is None:
            self._engine = open_engine(self._found.folder, self._order.generation, self._order.model.chat_template)
        return self._engine


def _drawing(generation: Generation) -> dict[str, Any]:
    """How one critique is drawn."""
    return {name: getattr(generation, name) for name in ("max_tokens", "temperature", "top_p", "top_k")}


def _check_answers(place: str, samples: Sequence[Sample], methods: Sequence[Method]) -> None:
    votes = any(method.type == "MajorityVote" for method in methods)
    if votes and not any("answer" in sample.row for sample in samples):
        raise UserError(f"{place}: no row has an answer, which MajorityVote counts; give what each response answers")


def _earlier(output: Path) -> dict[str, Row]:
    """The rows that OUTPUT holds, by the words they are of.

    Raises `UserError` for a file that is not ours to replace.
    """
    if not output.exists():
        return {}
    rows = list(rows_of(output))
    if not any(isinstance(row, dict) and row.get("scoredBy") for row in rows):
        raise UserError(f"-o: {output} exists and holds no scores of verify; choose another file, or remove it")
    return {words_of(sample.candidate): sample.row for sample in samples_of(rows, str(output))}


def _kept(name: str, samples: Sequence[Sample], keys: Sequence[str], earlier: Mapping[str, Row]) -> dict[str, Known]:
    """The scores under a name that SAMPLES or OUTPUT have already, made as they would be made now.

    Raises `UserError` for one in SAMPLES that was made otherwise: nobody's figures are written over.
    """
    found = {}
    for sample, key in zip(samples, keys, strict=True):
        if _map(sample.row, "scores").get(name) is not None and _map(sample.row, "scoredBy").get(name) != key:
            raise UserError(
                f"--method: the samples have other scores named {name} already; give another name, as my-{name}=TYPE"
            )
        for row in (sample.row, earlier.get(words_of(sample.candidate), {})):
            if _map(row, "scoredBy").get(name) == key:
                found[key] = Known(_map(row, "scores").get(name), _map(row, "mass").get(name))
    return found


def _row(sample: Sample, new: Mapping[str, Row], old: Row) -> Row:
    """The row as it goes out: what came in, under its ids, with the new scores beside those that it or OUTPUT had."""
    merged = {field: {**_map(old, field), **_map(sample.row, field), **found} for field, found in new.items()}
    return {**sample.row, "prompt": sample.candidate.prompt, "sample": sample.candidate.sample, **merged}


def _map(row: Row, field: str) -> dict[str, Any]:
    found = row.get(field)
    return dict(found) if isinstance(found, dict) else {}


def _account(name: str, scored: Sequence[Known]) -> str:
    """One line about a method, for a person."""
    none = sum(each.score is None for each in scored)
    masses = [each.mass for each in scored if each.mass is not None]
    mass = f", label mass {sum(masses) / len(masses):.3f} on average" if masses else ""
    return f"{name}: {len(scored):,} samples, {none:,} without a score{mass}"


def _partial(output: Path) -> Path:
    return output.with_name(f"{output.name}.partial")


@contextmanager
def _journal(output: Path) -> Iterator[IO[str]]:
    """The file beside OUTPUT that scores are noted in as they come."""
    make_folder(output.absolute().parent)
    with explained(str(_partial(output))):
        file = _partial(output).open("a", encoding="utf-8")
    with file:
        yield file


def _note(journal: IO[str], made: Mapping[str, Known]) -> None:
    with explained(journal.name):
        for key, known in made.items():
            journal.write(json.dumps({"key": key, **known._asdict()}) + "\n")
        journal.flush()


def _noted(output: Path) -> dict[str, Known]:
    """What an attempt that did not end has noted; its last line may be torn."""
    path, found = _partial(output), dict[str, Known]()
    with suppress(FileNotFoundError), explained_reading(str(path)):
        for line in path.read_text(encoding="utf-8").splitlines():
            with suppress(ValueError, KeyError, TypeError):
                note = json.loads(line)
                found[note["key"]] = Known(note["score"], note["mass"])
    return found


def _write(output: Path, rows: list[Row]) -> None:
    """The whole file at once, as JSON lines or Parquet. Raises `UserError` for rows that Parquet has no form for."""
    with explained(str(output)):
        replace(output, partial(_fill_parquet if output.suffix.lower() == ".parquet" else _fill_lines, rows=rows))


def _fill_lines(file: BinaryIO, rows: list[Row]) -> None:
    for row in rows:
        file.write(json.dumps(row, ensure_ascii=False, default=str).encode() + b"\n")


def _fill_parquet(file: BinaryIO, rows: list[Row]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = dict.fromkeys(name for row in rows for name in row)
    try:
        columns = {
            name: pa.array([row.get(name) or None if name == "mass" else row.get(name) for row in rows])
            for name in names
        }
    except pa.ArrowException as error:
        raise UserError(f"-o: the rows can't be Parquet ({str(error).splitlines()[0]}); give a .jsonl file") from error
    pq.write_table(pa.table(columns), file)


def _as_value(value: object) -> object:
    return None if value == {} else value  # a struct needs a field
