"""Models and datasets of the Hugging Face Hub: `hf://OWNER/NAME[@REV][/PATH]` and `hf://datasets/OWNER/NAME[@REV]/PATH`.

The revision is resolved to a commit before a byte is read. Without the hub, what its own cache holds is used.
"""

from __future__ import annotations

import glob
import hashlib
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

from huggingface_hub import HfApi, snapshot_download
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from selfimprove.errors import SelfImproveError, SurroundingsError, UserError
from selfimprove.secret_values import usable
from selfimprove_workers.sources.cache import cache_root, write_whole
from selfimprove_workers.sources.request import Found, Request, below, choose, root_of

FORMS = {"model": "hf://OWNER/NAME[@REV][/PATH]", "dataset": "hf://datasets/OWNER/NAME[@REV]/PATH"}
TOKEN = "set HF_TOKEN, or tokenSecretName"


TRANSPORT: type[Exception] = HfHubHTTPError.__bases__[0]
"""What every failure of the HTTP client behind the hub library is; which client that is differs by version."""


@dataclass(frozen=True)
class Place:
    """A hub URI taken apart."""

    repo_id: str
    repo_type: str
    revision: str
    path: str


class Known(NamedTuple):
    """What the hub said of a revision: its commit, and the files it has."""

    commit: str
    names: list[str]


def read_hub(request: Request) -> Found:
    """Files of one commit of a repository, in the hub library's own cache (`$HF_HOME`) or ours if that is named."""
    place = _place(request)
    with _clear_errors(request, place):
        try:
            return _download(request, place)
        except (OSError, TRANSPORT, OfflineModeIsEnabled) as error:
            if isinstance(error, HfHubHTTPError) and error.response.status_code < 500:
                raise
            return _already_here(request, place, error)


def _place(request: Request) -> Place:
    pattern = r"(?P<kind>datasets/)?(?P<repo>[^/@]+/[^/@]+)(?:@(?P<rev>[^/]+))?(?:/(?P<path>.*))?"
    match = re.fullmatch(pattern, request.rest)
    kind = "dataset" if match and match["kind"] else "model"
    if not match or kind != request.kind:
        raise UserError(
            f"{request.field}.uri: {request.uri} is no {request.kind} of the hub; write {FORMS[request.kind]}"
        )
    written = unquote(match["rev"]) if match["rev"] else None
    if written and request.revision and written != request.revision:
        raise UserError(
            f"{request.field}.revision: {request.revision} is not the @{written} of the uri; give one of them"
        )
    return Place(match["repo"], kind, written or request.revision or "main", match["path"] or "")


def _download(request: Request, place: Place) -> Found:
    info = HfApi(endpoint=_endpoint(request), token=_token(request)).repo_info(
        place.repo_id, repo_type=place.repo_type, revision=place.revision, timeout=30
    )
    known = Known(str(info.sha), sorted(sibling.rfilename for sibling in getattr(info, "siblings", None) or []))
    names = choose(request, place.path, known.names)
    folder = _snapshot(request, place, known.commit, names, offline=False)
    with suppress(OSError):
        write_whole(_note(place), json.dumps(known).encode())
    return _found(folder, place, names)


def _already_here(request: Request, place: Place, cause: Exception) -> Found:
    """What an earlier download left, ours or another tool's, when the hub can't be asked."""
    try:
        known = _known(place)
        if known is not None:
            names = choose(request, place.path, known.names)
            return _found(_snapshot(request, place, known.commit, names, offline=True), place, names)
        folder = _snapshot(request, place, place.revision, None, offline=True)
    except LocalEntryNotFoundError:
        hub = _endpoint(request) or "https://huggingface.co"
        raise SurroundingsError(
            f"{request.field}.uri: {request.uri}: the hub at {hub} can't be reached and the cache does not have it; "
            "check the network, set HF_ENDPOINT to a mirror, or begin a run with the file:// path of a copy"
        ) from cause
    listing = [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*")) if path.is_file()]
    return _found(folder, place, choose(request, place.path, listing))


def _snapshot(request: Request, place: Place, revision: str, names: list[str] | None, *, offline: bool) -> Path:
    path = snapshot_download(
        place.repo_id,
        repo_type=place.repo_type,
        revision=revision,
        endpoint=_endpoint(request),
        token=_token(request),
        cache_dir=_cache_dir(),
        allow_patterns=[glob.escape(name) for name in names] if names is not None else None,
        local_files_only=offline,
    )
    return Path(path)


def _note(place: Place) -> Path:
    """Where it is noted what a revision was when the hub last said so."""
    key = hashlib.sha256(json.dumps([place.repo_type, place.repo_id, place.revision]).encode()).hexdigest()
    return cache_root() / "hub-revisions" / f"{key}.json"


def _known(place: Place) -> Known | None:
    try:
        return Known(*json.loads(_note(place).read_text()))
    except (OSError, ValueError, TypeError):
        return None


def _found(folder: Path, place: Place, names: list[str]) -> Found:
    root = root_of(place.path, names)
    return Found(folder / root, [below(root, name) for name in names], folder.name)


def _endpoint(request: Request) -> str | None:
    return request.endpoint or os.environ.get("HF_ENDPOINT") or None


def _token(request: Request) -> str | None:
    """None leaves it to the hub library: HF_TOKEN, or who is logged in. It tells nobody that HF_TOKEN is no token."""
    if usual := os.environ.get("HF_TOKEN", "").strip():
        usable(usual, f"{request.field}.tokenSecretName", "HF_TOKEN")
    return request.credentials.get("HF_TOKEN")


def _cache_dir() -> Path | None:
    """The hub's own cache where the user keeps one, else a folder of ours."""
    named = any(os.environ.get(name) for name in ("HF_HOME", "HF_HUB_CACHE"))
    return None if named or not os.environ.get("SELFIMPROVE_CACHE") else cache_root() / "hub"


@contextmanager
def _clear_errors(request: Request, place: Place) -> Iterator[None]:
    """Every refusal of the hub as one line that names the source and the remedy."""
    where, what = f"{request.field}.uri: {request.uri}", f"{place.repo_type} {place.repo_id}"
    try:
        yield
    except SelfImproveError:
        raise
    except GatedRepoError as error:
        raise SurroundingsError(f"{where}: {what} is gated; accept its terms on the hub and {TOKEN}") from error
    except RepositoryNotFoundError as error:
        raise UserError(f"{where}: the hub has no {what}; mend the name or, if it is private, {TOKEN}") from error
    except RevisionNotFoundError as error:
        raise UserError(f"{where}: {what} has no revision {place.revision}; give a branch, tag or commit") from error
    except HFValidationError as error:
        raise UserError(f"{where}: {str(error).splitlines()[0]}; write {FORMS[request.kind]}") from error
    except HfHubHTTPError as error:
        code = error.response.status_code
        remedy = TOKEN if code in (401, 403) else "wait until it answers again"
        raise SurroundingsError(f"{where}: the hub answered {code}; {remedy}") from error
