"""Another run's committed steps, taken over as they are (`spec.resumeFrom`): a fork, or going on after a re-apply.

Manifests name their objects relative to their store, and their readers go by the sha256 of their bytes. So a step is
adopted by having its objects, and then its manifest, byte for byte under the same keys here: nothing of what was
computed changes, and the run that it came from may be deleted afterwards. Of models only those are taken that the run
still needs.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from selfimprove.api import Surroundings, changed_immutable, resolve
from selfimprove.api.flat import flat
from selfimprove.api.spec import ResumeFrom, Spec
from selfimprove.artifacts import PROMPTS, Manifest, load_ledger, manifest_key, read_manifest, step_folder
from selfimprove.artifacts.damage import damaged
from selfimprove.errors import FailedError, SurroundingsError, UserError
from selfimprove.ledger import Ledger, StepId
from selfimprove.loop import adopts, shards_of, steps_of
from selfimprove.retention import kept_models
from selfimprove.run_record import Record, read_record
from selfimprove.stopping import best_iteration
from selfimprove.store import Store, open_store
from selfimprove.store.copying import copy_objects

FIELD = "spec.resumeFrom"


def adopt(target: Store, spec: Spec, ledger: Ledger) -> bool:
    """Take over all that `spec.resumeFrom` names and `ledger` lacks; False when there was nothing to do.

    Raises `UserError` when the other run can't be gone on from, naming the field, `SurroundingsError` as stores do.
    """
    missing = list(_missing(spec, ledger))
    if not missing:
        return False
    origin = _origin(target, spec)
    for step, shard in missing:
        origin.give(step, shard)
    return True


def require_adoptable(target: Store, spec: Spec, ledger: Ledger) -> None:
    """Raises what `adopt` would raise before it takes anything over."""
    if next(_missing(spec, ledger), None):
        _origin(target, spec)


def adopt_step(target: Store, spec: Spec, step: StepId, shard: int) -> None:
    """Take over one shard of one step, where `spec.resumeFrom` names it. Raises what `adopt` raises."""
    if adopts(spec, step):
        _origin(target, spec).give(step, shard)


def _missing(spec: Spec, ledger: Ledger) -> Iterator[tuple[StepId, int]]:
    """The adopted steps that are not here yet, in the loop's order: whatever is here has its inputs."""
    for iteration in range(spec.resume_from.iteration + 1 if spec.resume_from else 0):
        for step in steps_of(spec, iteration):
            done = ledger.shards_done(step)
            yield from ((step, shard) for shard in range(shards_of(spec, step)) if shard not in done)


def _origin(target: Store, spec: Spec) -> Origin:
    """The run to adopt from, found fit for it."""
    assert spec.resume_from is not None
    storage = spec.storage
    source = open_store(spec.resume_from.uri, endpoint=storage.endpoint, region=storage.region)
    if source.uri == target.uri:
        raise UserError(f"{FIELD}.uri: {source.uri} is this run itself; give another one, or remove resumeFrom")
    record = read_record(source)
    if record is None:
        raise UserError(f"{FIELD}.uri: no run was begun at {source.uri}; give the folder or URI of a run")
    _require_same_settings(record, spec, source.uri)
    origin = Origin(source, target, spec, spec.resume_from)
    origin.require_whole()
    return origin


class Origin:
    """A run that another one goes on from."""

    def __init__(self, source: Store, target: Store, spec: Spec, resume: ResumeFrom) -> None:
        self._source, self._target, self._spec, self._resume = source, target, spec, resume

    @cached_property
    def _ledger(self) -> Ledger:
        """All that it has committed."""
        return load_ledger(self._source)

    def give(self, step: StepId, shard: int) -> None:
        """Have one shard of a step, and the prompts that it stands on, in the target too."""
        self._give(PROMPTS)
        self._give(step_folder(step, shard))

    def require_whole(self) -> None:
        """Raises `UserError` unless all steps are committed, and the models there that the run needs to go on."""
        last = self._resume.iteration
        if missing := next(_missing(self._spec, self._ledger), None):
            raise UserError(
                f"{FIELD}.iteration: {last} is not whole at {self._source.uri}: {missing[0].name} is not committed; "
                + (f"give at most {missing[0].iteration - 1}" if missing[0].iteration else "let it get further first")
            )
        for n in self._needed(last) - self._models:
            whole = [n for n in self._ledger.measured_iterations() if self._needed(n) <= self._models]
            gone = "whose files are missing" if n in kept_models(self._ledger) else "which was pruned"
            raise UserError(
                f"{FIELD}.iteration: {last} needs M_{n}, {gone} from {self._source.uri}; "
                f"give one of {', '.join(map(str, whole))}"
            )

    def _needed(self, iteration: int) -> set[int]:
        """n of the models without which nobody goes on from an iteration: its own, M_0, and the best so far."""
        return {0, best_iteration(self._ledger, before=iteration + 1), iteration}

    @cached_property
    def _models(self) -> set[int]:
        """n of the models that are there; M_0 always is, unless the run has trained it."""
        trained = sorted(step.iteration for step in self._ledger.committed if step.step == "distill")
        folders = {n: step_folder(StepId(n, "distill")) for n in trained}
        there = {entry.key for folder in folders.values() for entry in self._source.list(f"{folder}/attempt-")}
        files = {n: {file.key for file in self._manifest(folder).files} for n, folder in folders.items()}
        return {0} - files.keys() | {n for n, keys in files.items() if keys <= there}

    def _give(self, folder: str) -> None:
        if read_manifest(self._target, folder) is not None:
            return
        manifest = self._manifest(folder)
        keys = list(self._keys(manifest))
        if any(not key.startswith(f"{folder}/attempt-") for key in keys):
            raise SurroundingsError(f"{self._source.uri}/{manifest_key(folder)}: names objects of another step")
        try:
            copy_objects(self._source, self._target, keys)
        except FileNotFoundError as error:
            raise damaged(self._source, str(error), "it is there", "no such object") from None
        self._commit(manifest_key(folder))

    def _commit(self, key: str) -> None:
        data = self._source.read(key)
        if not self._target.create(key, data) and self._target.read(key) != data:
            raise FailedError(f"{self._target.uri}/{key}: is not {FIELD}'s; delete the run and begin again")

    def _keys(self, manifest: Manifest) -> Iterator[str]:
        """What is taken of a step: all but a model that neither the run nor its retention wants."""
        drops = manifest.step == "distill" and manifest.iteration not in self._wanted
        dropped = {file.key for file in manifest.files} if drops else set()
        yield from (key for key in manifest.objects() if key not in dropped)
        if curve := manifest.settings.get("curve"):
            yield curve

    @property
    def _wanted(self) -> set[int]:
        return self._models if self._spec.storage.retention == "All" else self._needed(self._resume.iteration)

    def _manifest(self, folder: str) -> Manifest:
        found = read_manifest(self._source, folder)
        if found is None:
            raise UserError(f"{FIELD}.uri: {self._source.uri}/{manifest_key(folder)} is missing; give another run")
        return found[0]


def _require_same_settings(record: Record, spec: Spec, uri: str) -> None:
    """Raises `UserError` naming the first field that may not change during a run and differs between the two."""
    before = resolve(record.run.spec, surroundings=Surroundings())
    before = before.model_copy(update={"storage": spec.storage, "resume_from": spec.resume_from})
    if field := changed_immutable(before, spec):
        old, new = (flat(each).get(field, "not set") for each in (before, spec))
        raise UserError(
            f"{field}: {new} differs from {old}, by which {uri} made what {FIELD} adopts; "
            "change it back, or remove resumeFrom"
        )
