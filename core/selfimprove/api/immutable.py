"""What a run's owner may still change once it has begun (design section 3)."""

from __future__ import annotations

from collections.abc import Iterator

from selfimprove.api.flat import leaves
from selfimprove.api.problem import Problem
from selfimprove.api.schema import Path, dotted
from selfimprove.api.spec import Spec

_MUTABLE_SECTIONS = frozenset(("suspend", "maxIterations", "stopping", "execution"))
_MUTABLE_NAMES = frozenset(("credentialsSecretName", "tokenSecretName", "endpoint", "apiURL"))
"""Names of secrets and addresses of servers: they may move while the data stay the same."""
_SECTIONS_WITH_SERVERS = frozenset(("model", "dataset", "storage"))
"""Where the definition lets them move; it compares other sections whole."""


def changed(old: Spec, new: Spec) -> list[str]:
    """The dotted names of the fields that differ, but for names of secrets and addresses of servers.

    Both should be resolved in the same surroundings, so that writing a default down counts as no change.
    """
    return [dotted(path) for path in _differing(old, new)]


def changed_immutable(old: Spec, new: Spec) -> str | None:
    """The dotted name of the first immutable field that differs, or None; see `changed`."""
    return next((dotted(path) for path in _differing(old, new) if path[1] not in _MUTABLE_SECTIONS), None)


def is_fixed(field: str) -> bool:
    """Whether a field, as a problem names it, is one that no apply changes: by the rules of the definition."""
    root, *names = (name.partition("[")[0] for name in field.split("."))
    if root != "spec" or not names or names[0] in _MUTABLE_SECTIONS:
        return False
    return names[0] not in _SECTIONS_WITH_SERVERS or names[-1] not in _MUTABLE_NAMES


def below_reached(spec: Spec, iteration: int) -> Problem | None:
    """The problem when `maxIterations` is below the iteration that the run has reached already."""
    if spec.max_iterations >= iteration:
        return None
    message = (
        f"{spec.max_iterations} is below iteration {iteration}, which the run has reached; give at least {iteration}"
    )
    return Problem("spec.maxIterations", message)


_ABSENT = object()


def _differing(old: Spec, new: Spec) -> Iterator[Path]:
    before, after = _content(old), _content(new)
    paths = list(dict.fromkeys([*before, *after]))
    return (path for path in paths if before.get(path, _ABSENT) != after.get(path, _ABSENT))


def _content(spec: Spec) -> dict[Path, object]:
    """What is asked for, whatever it is reached by."""
    return {path: value for path, value in leaves(spec.to_json(), ("spec",)) if path[-1] not in _MUTABLE_NAMES}
