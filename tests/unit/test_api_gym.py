"""What `validate` says of gym:// sets is what the workers that make them find, and it needs no reasoning_gym."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfimprove.api.resolve import Surroundings, resolve
from selfimprove.api.rules import broken_rules
from selfimprove.api.spec import Spec
from selfimprove.errors import UserError
from tests.unit.api_support import lines_after

SIZES, SEEDS = st.sampled_from([None, 0, 1, 9, 600]), st.sampled_from([None, 0, 5, 500, 2**31 - 1, 2**31])


def uris(task: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    def uri(name: str, size: int | None, seed: int | None) -> str:
        given = {"size": size, "seed": seed}
        query = "&".join(f"{option}={value}" for option, value in given.items() if value is not None)
        return f"gym://{name}?{query}" if query else f"gym://{name}"

    return st.builds(uri, task, SIZES, SEEDS)


KNOWN = st.sampled_from(["chain_sum", "gsm_symbolic"])
LIMITS = st.fixed_dictionaries({}, optional={"limit": st.sampled_from([1, 3, 1000])})
OWN = st.builds(lambda uri, limit: {"uri": uri, **limit}, uris(KNOWN), LIMITS)
SHARE = st.builds(lambda share, limit: {"fraction": share, **limit}, st.sampled_from([0.1, 0.5]), LIMITS)


@settings(deadline=None, max_examples=300)  # the first example imports reasoning_gym
@given(train=uris(KNOWN), held_out=st.none() | OWN | SHARE, test=st.none() | OWN)
def test_sets_are_refused_exactly_where_the_workers_refuse_them(
    train: str, held_out: dict[str, Any] | None, test: dict[str, Any] | None
) -> None:
    pytest.importorskip("reasoning_gym", reason="compares with the workers, whose libraries are not installed")
    from selfimprove_workers.datasets.gym import plan_sets

    sets = {name: value for name, value in (("heldOut", held_out), ("test", test)) if value is not None}
    spec = Spec.model_validate({"model": {"uri": "m"}, "dataset": {"uri": train, "task": "Gym", **sets}})
    dataset = resolve(spec, surroundings=Surroundings()).dataset
    assert dataset.held_out is not None
    try:
        plan_sets(dataset, dataset.held_out)
        refused = False
    except UserError:
        refused = True
    assert bool(broken_rules(spec)) == refused


def test_sets_between_others_are_fine_as_long_as_no_seeds_meet() -> None:
    test = "{uri: 'gym://chain_sum?size=5&seed=0'}"
    held_out = "{uri: 'gym://chain_sum?size=6'}"
    gym = f"{{uri: 'gym://chain_sum?size=9&seed=5', task: Gym, heldOut: {held_out}, test: {test}}}"
    assert lines_after(f"dataset={gym}") == []


def test_the_settings_of_a_task_are_read_by_a_run_and_not_here() -> None:
    gym = "{uri: 'gym://no_such_task?min_terms=two&colour=red', task: Gym}"
    assert lines_after(f"dataset={gym}") == []


def test_checking_a_gym_imports_neither_its_library_nor_numpy() -> None:
    spec = {"model": {"uri": "m"}, "dataset": {"uri": "gym://chain_sum?size=9", "task": "Gym"}}
    code = (
        "import sys; from selfimprove.api import Spec; from selfimprove.api.rules import broken_rules;"
        f"found = broken_rules(Spec.model_validate({spec}));"
        "sys.exit(bool(found or {'reasoning_gym', 'numpy'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
