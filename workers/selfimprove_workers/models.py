"""Where a run's models are on this machine, and the one that is loaded.

The base model comes from wherever `spec.model` says, M_n from the n-th committed checkpoint (M_0 is the base model,
unless the run trains it); both are plain Hugging Face folders by the time anyone loads them, looked over before
(`model_files`), since a torn file is found much later otherwise, as an error nobody can read. A process holds one
loaded model at a time.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from selfimprove.api.execution import Storage
from selfimprove.api.sampling import Generation
from selfimprove.api.selecting import OtherModel
from selfimprove.api.source import ModelSource
from selfimprove.api.spec import Spec
from selfimprove.artifacts import fetch_files, files_in_place, read_manifest, require_manifest, step_folder
from selfimprove.errors import UserError
from selfimprove.ledger import StepId
from selfimprove.loop import steps_of, trains
from selfimprove.store.base import Store
from selfimprove_workers.architectures import require_language_model
from selfimprove_workers.engines import check_engine, load_engine
from selfimprove_workers.engines.base import SETTINGS, Engine
from selfimprove_workers.gguf_models import convert
from selfimprove_workers.model_files import check_model
from selfimprove_workers.signals import ending_at_once
from selfimprove_workers.sources import Fetched, fetch
from selfimprove_workers.sources.cache import cache_root, cached_folder

VERIFIER = "spec.verification.methods.verifier"
"""How messages call another model that verifies."""

CONVERSION = "1"
"""Part of a converted model's key in the cache; to be raised when `gguf_models.convert` gives something else."""


@dataclass(frozen=True)
class FoundModel:
    """A model on this machine, and what exactly it is."""

    folder: Path
    revision: str | None
    """The commit that a hub's revision was resolved to."""
    digest: str
    """Of the files' contents."""


def model_folder(source: ModelSource, storage: Storage, field: str = "spec.model") -> Path:
    """`find_model`'s folder."""
    return find_model(source, storage, field).folder


def find_model(source: ModelSource, storage: Storage, field: str = "spec.model") -> FoundModel:
    """M_0 as a plain Hugging Face folder: config, safetensors, tokenizer.

    A GGUF file is converted once, into the cache. `field` is how messages call the source. Raises `UserError` when
    there is no whole model at the source, `SurroundingsError` for the network, credentials or the disk.
    """
    fetched = fetch(source, kind="model", storage=storage, field=field)
    ggufs = [path for path in fetched.paths if path.suffix == ".gguf"]
    folder = _converted(fetched, ggufs, f"{field}.uri") if _is_gguf(fetched, ggufs) else fetched.root
    check_model(folder, f"{field}.uri: {source.uri}")
    return FoundModel(folder, fetched.revision, fetched.digest)


def _is_gguf(fetched: Fetched, ggufs: list[Path]) -> bool:
    # A folder may hold both; its safetensors are the original.
    return bool(ggufs) and not any(path.suffix == ".safetensors" for path in fetched.paths)


def _converted(fetched: Fetched, ggufs: list[Path], field: str) -> Path:
    if len(ggufs) != 1:
        names = ", ".join(path.name for path in ggufs)
        raise UserError(f"{field}: there are {len(ggufs)} GGUF files ({names}); name the one to use")
    key = f"{ggufs[0].stem[:80]}-{fetched.digest[:16]}-v{CONVERSION}"
    return cached_folder("converted", key, lambda target: convert(ggufs[0], target, field))


def open_tokenizer(folder: Path, chat_template: str | None = None, field: str = "spec.model") -> Any:
    """The tokenizer of a model folder; `chat_template` (`spec.model.chatTemplate`) replaces its own.

    Of several templates that it has by name it is the `default` one. Raises `UserError` when its files can't be read,
    or the model is of a kind that can't be used.
    """
    from transformers import AutoTokenizer
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()  # one bar a step is enough: ours
    require_language_model(folder, f"{field}.uri: {folder}")
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError, KeyError) as error:
        raise UserError(f"{field}.uri: {folder}: its tokenizer can't be read ({_line(error)})") from error
    tokenizer.chat_template = chat_template if chat_template is not None else _template(tokenizer, field)
    return tokenizer


def _template(tokenizer: Any, field: str) -> str | None:
    found = tokenizer.chat_template
    if not isinstance(found, dict):
        template: str | None = found
        return template
    if "default" not in found:
        raise UserError(
            f"{field}.chatTemplate: the model has several templates ({', '.join(sorted(found))}), none of which is the "
            "default; give the text of one"
        )
    return str(found["default"])


def open_engine(folder: Path, settings: Generation, chat_template: str | None = None) -> Engine:
    """Load a model. `engine: Auto` takes vLLM when it is installed and works, else transformers.

    Raises `UserError` when `engine: VLLM` is asked for and can't be had.
    """
    return load_engine(folder, settings, open_tokenizer(folder, chat_template))


class ModelHouse:
    """The models of one run in one process: their folders, their tokenizers, and the one that is loaded."""

    def __init__(self, store: Store, spec: Spec):
        self._store, self._spec = store, spec
        self._folders: dict[int, Path] = {}
        self._base_model: FoundModel | None = None
        self._verifiers: dict[str, FoundModel] = {}
        self._tokenizers: dict[_Voice, Any] = {}
        self._loaded: _Loaded | None = None

    def folder(self, iteration: int) -> Path:
        """M_n as a folder: the base model from `spec.model`, M_n from the committed checkpoint; checked once a process.

        Raises `FailedError` when iteration n has no checkpoint, `SurroundingsError` when it is damaged.
        """
        if iteration not in self._folders:
            with ending_at_once():
                self._folders[iteration] = (
                    self._checkpoint(iteration) if self.trains(iteration) else self._base().folder
                )
        return self._folders[iteration]

    def trains(self, iteration: int) -> bool:
        """Whether M_n is a checkpoint of the run, and so the output of a step."""
        return trains(self._spec, iteration)

    def identity(self, iteration: int) -> dict[str, str | int | None]:
        """What M_n is, for a manifest: the base model by its files' digest, M_n by its number, since its manifest is an
        input.
        """
        if self.trains(iteration):
            return {"iteration": iteration}
        base = self._base()
        return {"uri": self._spec.model.uri, "revision": base.revision, "digest": base.digest}

    @property
    def gpus(self) -> int:
        """GPUs that this process holds, for what it costs."""
        torch = sys.modules.get("torch")
        return torch.cuda.device_count() if torch is not None and self._loaded and torch.cuda.is_available() else 0

    def _base(self) -> FoundModel:
        if self._base_model is None:
            source = self._pinned(self._spec.model)
            with ending_at_once():
                self._base_model = find_model(source, self._spec.storage)
        return self._base_model

    def _verifier(self, source: OtherModel, field: str = VERIFIER) -> FoundModel:
        key = source.model_dump_json(exclude={"engine", "engine_args"})
        if key not in self._verifiers:
            with ending_at_once():
                self._verifiers[key] = find_model(self._pinned(source), self._spec.storage, field)
        return self._verifiers[key]

    def _pinned(self, source: ModelSource) -> ModelSource:
        """At the commit that the run's first step resolved its revision to: a branch that moves changes no run."""
        hub = source.uri.startswith("hf://")
        revision = _pinned_revision(self._store, self._spec, source) if hub else None
        return source.model_copy(update={"revision": revision}) if revision else source

    def _checkpoint(self, iteration: int) -> Path:
        manifest, sha256 = require_manifest(self._store, step_folder(StepId(iteration, "distill")))
        folder = files_in_place(self._store, manifest)
        if folder is None:
            folder = fetch_files(self._store, manifest, cache_root() / "checkpoints" / sha256)
        check_model(folder, f"i{iteration:03d}-distill: {folder}")
        return folder

    def tokenizer(self, folder: Path) -> Any:
        """The tokenizer of a model of the run, without its weights."""
        return self._tokenizer(_Voice(folder, self._spec.model.chat_template), "spec.model")

    def verifier_tokenizer(self, source: OtherModel) -> Any:
        """The tokenizer of another model that verifies, with that source's own chat template."""
        return self._tokenizer(_Voice(self._verifier(source).folder, source.chat_template), VERIFIER)

    def verifier_identity(self, source: OtherModel, field: str = VERIFIER) -> dict[str, str | None]:
        """What another model that verifies (or teaches) is, for a manifest."""
        found = self._verifier(source, field)
        return {"uri": source.uri, "revision": found.revision, "digest": found.digest}

    def _tokenizer(self, voice: _Voice, field: str) -> Any:
        if voice not in self._tokenizers:
            with ending_at_once():
                self._tokenizers[voice] = open_tokenizer(voice.folder, voice.chat_template, field)
        return self._tokenizers[voice]

    def length(self, folder: Path) -> int | None:
        """Tokens that a model was made for, as its config.json says, without loading it; None where it doesn't say."""
        config = json.loads((folder / "config.json").read_text())
        found = config.get("text_config", config).get("max_position_embeddings")
        return int(found) if found else None

    def engine(self, folder: Path) -> Engine:
        """A model of the run, loaded; another one that was loaded is closed first."""
        voice = _Voice(folder, self._spec.model.chat_template)
        return self._engine(voice, self._spec.generation, self._tokenizer(voice, "spec.model"), SETTINGS)

    def verifier_engine(self, source: OtherModel, field: str = VERIFIER) -> Engine:
        """Another model that verifies (or teaches), loaded; the one that was loaded is closed first, the same model
        in another engine among it.

        Its engine is the source's own, or else generation's; it is never asked to be longer than it was made.
        """
        voice = _Voice(self._verifier(source, field).folder, source.chat_template)
        settings = self._within(voice.folder, self._settings(source))
        return self._engine(voice, settings, self._tokenizer(voice, field), _place_of_settings(source, field))

    def check_verifier_engine(self, source: OtherModel) -> None:
        """Raises `UserError` for an engine that can't be had here, before anything is loaded."""
        check_engine(self._settings(source).engine, _place_of_settings(source, VERIFIER))

    def _settings(self, source: OtherModel) -> Generation:
        own = {"engine": source.engine, "engine_args": source.engine_args}
        given = {name: value for name, value in own.items() if value is not None}
        return self._spec.generation.model_copy(update=given)

    def _engine(self, voice: _Voice, settings: Generation, tokenizer: Any, field: str) -> Engine:
        if self._loaded is None or (self._loaded.voice, self._loaded.settings) != (voice, settings):
            self.close()
            with ending_at_once():
                self._loaded = _Loaded(voice, settings, load_engine(voice.folder, settings, tokenizer, field))
        return self._loaded.engine

    def take_reads(self) -> dict[str, int]:
        """`promptTokens` that the loaded model was given to read since this was last asked, and how many of them were
        `cachedTokens`, which cost nothing; empty where it read nothing or has no prefix cache.
        """
        reads = self._loaded.engine.take_reads() if self._loaded else None
        return {"promptTokens": reads.tokens, "cachedTokens": reads.cached} if reads and reads.tokens else {}

    def _within(self, folder: Path, settings: Generation) -> Generation:
        made_for, wanted = self.length(folder), settings.engine_args.max_model_len
        if wanted is None or made_for is None or wanted <= made_for:
            return settings
        args = settings.engine_args.model_copy(update={"max_model_len": made_for})
        return settings.model_copy(update={"engine_args": args})

    def close(self) -> None:
        """Give the loaded model's memory back."""
        if self._loaded is not None:
            self._loaded.engine.close()
            self._loaded = None


class _Voice(NamedTuple):
    """A model and how it is spoken to."""

    folder: Path
    chat_template: str | None


class _Loaded(NamedTuple):
    """What is loaded, and how."""

    voice: _Voice
    settings: Generation
    engine: Engine


def _place_of_settings(source: OtherModel, field: str) -> str:
    """Where messages say that the settings of its engine stand."""
    return SETTINGS if source.engine is None and source.engine_args is None else field


def _pinned_revision(store: Store, spec: Spec, source: ModelSource) -> str | None:
    """The commit of a model that the run's first steps read, as their manifests name it."""
    manifests = (read_manifest(store, step_folder(step)) for step in steps_of(spec, 0))
    settings = [found[0].settings for found in manifests if found]
    models = [model for each in settings for model in (each.get("model", {}), *each.get("verifiers", {}).values())]
    revisions = (model.get("revision") for model in models if model.get("uri") == source.uri)
    return next((str(revision) for revision in revisions if revision), None)


def _line(error: BaseException) -> str:
    text = str(error).strip()
    return text.splitlines()[0][:200] if text else type(error).__name__
