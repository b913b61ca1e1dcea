"""Samples of anybody's, scored by any model, for `selfimprove verify` and `matrix`: files in, files out.

The model reads the conversation as text, as another model than the run's own does, so that it is no matter who drew
the samples. What is scored goes to `OUTPUT.partial` as it comes; OUTPUT itself appears whole, and is taken up again.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property, partial
from itertools import zip_longest
from pathlib import Path
from typing import Any

from selfimprove.api.sampling import Generation
from selfimprove.api.selecting import Method
from selfimprove.artifacts import digest_of
from selfimprove.errors import DONE, SelfImproveError, TerminatedError, UserError
from selfimprove.samples_file import rows_of
from selfimprove.scoring import ScoredFile, ScoringOrder, as_asked
from selfimprove.seeds import derive_seed
from selfimprove_workers.chat import lint_verifier
from selfimprove_workers.datasets.rows import PromptRow
from selfimprove_workers.engines.base import Engine, SampleRequest
from selfimprove_workers.foreign import MARKS, Given, Messages, Row, read_row, words_of
from selfimprove_workers.misfits import misfits_named
from selfimprove_workers.models import FoundModel, find_model, open_engine, open_tokenizer
from selfimprove_workers.progress import Progress
from selfimprove_workers.row_files import write_rows
from selfimprove_workers.signals import Signals, ending_at_once
from selfimprove_workers.verifiers import verifier_for
from selfimprove_workers.verifiers.base import LabelReader, MethodScore, Tools, Verifier
from selfimprove_workers.workfile import Account, Known, Marked, WorkFile, marks_of, work_file

VERSION = 1
"""Part of what a score is known by; to be raised when the same words would get another score."""
LABELS = "read in float32, as they follow a prompt"
"""The same of methods that read labels: older scores of theirs were read more coarsely, or as other tokens."""
CRITIQUES = "only what is declared"
"""The same of methods that draw critiques: older scores of theirs also count a mention, and miss a corrected answer."""
SAMPLES_AT_ONCE = 128
"""Enough to fill a batch, few enough that a killed command loses little."""


def score_samples(document: str) -> int:
    """Score the files that the JSON document (`ScoringOrder`) names, or look whether it can be; the exit code."""
    order = ScoringOrder.model_validate_json(document)
    signals = Signals.installed()
    bench = Bench(order, signals.stopping)
    try:
        with misfits_named():
            if not order.files:
                bench.check([], [verifier_for(method) for method in order.methods])
            for file in order.files:
                _score(file, order.methods, bench)
    except SelfImproveError as error:
        print(f"error: {as_asked(str(error), order.places)}", file=sys.stderr)
        return signals.exit_code or error.exit_code
    finally:
        bench.close()
    return DONE


def _score(file: ScoredFile, methods: Sequence[Method], bench: Bench) -> None:
    output, judges = Path(file.output), [(str(method.name), verifier_for(method), method) for method in methods]
    with work_file(_partial(output)) as work:
        answered = _take_in(work, Path(file.samples))
        if not answered and any(method.type == "MajorityVote" for method in methods):
            raise UserError(
                f"{file.samples}: no row has an answer, which MajorityVote counts; give what each response answers"
            )
        if output != Path(file.samples):
            work.remember(_earlier(output))
        bench.check(work.chats(), [verifier for _, verifier, _ in judges])
        for name, verifier, method in judges:
            _have_scored(bench, work, name, verifier, bench.recipe(method, verifier))
            print(f"{output}: {_said(name, work.account(name))}", file=sys.stderr, flush=True)
        write_rows(output, partial(_rows, work, file.samples, [name for name, _, _ in judges]))
    _partial(output).unlink(missing_ok=True)


def _take_in(work: WorkFile, path: Path) -> bool:
    """All rows of SAMPLES; whether any has an answer."""
    answered = False

    def rows() -> Iterator[Given]:
        nonlocal answered
        for number, row in enumerate(rows_of(path), 1):
            given = read_row(row, number, str(path))
            answered = answered or "answer" in given.row
            yield given

    work.take_in(rows(), str(path))
    return answered


def _have_scored(bench: Bench, work: WorkFile, name: str, verifier: Verifier, recipe: str) -> None:
    """Make the scores that are not known, and note each batch at once."""
    done, progress = work.plan(name, recipe, verifier.compares), Progress(at_work_on=name)
    progress.start(name, work.samples, done, "samples")
    for batch in work.open(name, verifier.compares, SAMPLES_AT_ONCE):
        bench.stop_if_asked()
        scores = verifier.score(bench.tools, [candidate for _, candidate in batch])
        work.note({key: _noted(each) for (key, _), each in zip(batch, scores, strict=True)})
        progress.advance(len(batch))
    progress.finish()


def _noted(made: MethodScore) -> Known:
    return Known(made.score, made.mass, [{"text": said.text, "says": said.says} for said in made.critiques])


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

    def check(self, chats: Iterable[tuple[str, Messages]], verifiers: Sequence[Verifier]) -> None:
        """Whether this model can be asked so, before its weights are loaded. `chats`: prompt ids and what is asked.

        Raises `UserError`.
        """
        if not any(verifier.needs_model for verifier in verifiers):
            return
        tokenizer = open_tokenizer(self._found.folder, self._order.model.chat_template)
        prompts = (PromptRow(id, messages, None, None, None, None) for id, messages in chats)
        lint_verifier(tokenizer, prompts, {}, "spec.model.chatTemplate")
        for verifier in verifiers:
            if isinstance(verifier, LabelReader):
                verifier.check(tokenizer)

    def recipe(self, method: Method, verifier: Verifier) -> str:
        """What the scores of a method depend on beside the samples."""
        parts: list[object] = ["score", VERSION, method.to_json() | {"verifier": None}, verifier.version]
        if verifier.needs_model:
            parts += [self._found.digest, self._order.model.chat_template]
            dtype = self._order.generation.engine_args.dtype
            parts += [] if dtype == "auto" else [{"dtype": dtype}]
        if isinstance(verifier, LabelReader):
            parts.append({"labels": LABELS})
        if verifier.draws:
            parts += [_drawing(self._order.generation), {"critiques": CRITIQUES}]
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
        with ending_at_once():
            return find_model(self._order.model, self._order.storage)

    def _loaded(self) -> Engine:
        if self._engine is None:
            folder = self._found.folder
            with ending_at_once():
                self._engine = open_engine(folder, self._order.generation, self._order.model.chat_template)
        return self._engine


def _drawing(generation: Generation) -> dict[str, Any]:
    """How one critique is drawn."""
    return {name: getattr(generation, name) for name in ("max_tokens", "temperature", "top_p", "top_k")}


def _earlier(output: Path) -> Iterator[Given]:
    """The rows that OUTPUT holds. Raises `UserError` for a file that is not ours to replace."""
    if not output.exists():
        return
    ours = False
    for number, row in enumerate(rows_of(output), 1):
        ours = ours or (isinstance(row, dict) and bool(row.get("scoredBy")))
        yield read_row(row, number, str(output))
    if not ours:
        raise UserError(f"-o: {output} exists and holds no scores of verify; choose another file, or remove it")


def _rows(work: WorkFile, samples: str, methods: Sequence[str]) -> Iterator[Row]:
    """The rows as they go out, in the order in which they came: what came in, under its ids, with the new scores
    beside those that it or OUTPUT had. Raises `UserError` where SAMPLES is no longer what was scored.
    """
    read = (read_row(row, number, samples) for number, row in enumerate(rows_of(Path(samples)), 1))
    for given, marked in zip_longest(read, work.marked(methods)):
        if given is None or marked is None or _words(given, marked) != marked.words:
            raise UserError(f"{samples}: was changed while it was scored; give the same command again")
        yield _row(given, marked)


def _words(given: Given, marked: Marked) -> str:
    return words_of(marked.prompt, marked.sample, given.messages, given.text)


def _row(given: Given, marked: Marked) -> Row:
    made, own = _marks(marked), marks_of(given.row)
    new = {name: {method: mark[name] for method, mark in made.items() if name in mark} for name in MARKS}
    merged = {name: {**marked.earlier.get(name, {}), **own[name], **found} for name, found in new.items()}
    shown = {name: found for name, found in merged.items() if found or name != "critiques"}
    return {**given.row, "prompt": marked.prompt, "sample": marked.sample, **shown}


def _marks(marked: Marked) -> dict[str, dict[str, Any]]:
    """Method -> what a row holds of it."""
    return {method: _mark(key, known) for method, (key, known) in marked.scores.items()}


def _mark(key: str, known: Known) -> dict[str, Any]:
    mark: dict[str, Any] = {"scores": known.score, "scoredBy": key}
    if known.mass is not None:
        mark["mass"] = known.mass
    return mark | ({"critiques": known.critiques} if known.critiques else {})


def _said(name: str, account: Account) -> str:
    """One line about a method, for a person."""
    mass = f", label mass {account.mass:.3f} on average" if account.mass is not None else ""
    critiques = f"; {account.critiques:,} critiques, {account.unread:,} could not be read" if account.critiques else ""
    return f"{name}: {account.samples:,} samples, {account.without:,} without a score{mass}{critiques}"


def _partial(output: Path) -> Path:
    return output.with_name(f"{output.name}.partial")
