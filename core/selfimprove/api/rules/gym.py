"""Rules about gym:// sets, as far as they can be told without reasoning_gym: whether a task is known, a run finds out.

Item i of a set with seed s is made from s + i, so a set is a range of seeds, and two ranges that meet share questions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import unquote_plus

from selfimprove.api.problem import Problem
from selfimprove.api.resolve import HELD_OUT
from selfimprove.api.rules.base import Found, Rule
from selfimprove.api.sound import known
from selfimprove.api.source import Dataset
from selfimprove.api.sources import datasets_of
from selfimprove.api.spec import Spec
from selfimprove.api.uris import gym_options, place_of, same_data

DEFAULT_SIZE = 500
MAX_SEED = 2**31 - 1

_LIMITS = {"size": (1, 10**15 - 1), "seed": (0, MAX_SEED)}


class Seeds(NamedTuple):
    """The seeds of one set: from `start` up to, but without, `end`."""

    field: str
    uri: str
    task: str
    start: int
    end: int


def gym_names(spec: Spec) -> Found:
    """The names of all tasks are in lower case."""
    for field, uri in _gyms(spec.dataset):
        name = gym_options(place_of(uri))[0]
        if name != name.lower():
            yield Problem(f"{field}.uri", f"{name} is no name of a task; give {name.lower()}")


def gym_options_are_settings(spec: Spec) -> Found:
    """Options are NAME=VALUE, each once."""
    for field, uri in _gyms(spec.dataset):
        seen: set[str] = set()
        for option in filter(None, place_of(uri).rest.partition("?")[2].split("&")):
            name, equals, _ = option.partition("=")
            name = unquote_plus(name)
            if not equals or not re.fullmatch(r"[a-z_][a-z0-9_]*", name):
                yield Problem(f"{field}.uri", f"{option} is no setting; write NAME=VALUE, as size=1000")
            elif name in seen:
                yield Problem(f"{field}.uri", f"{name} is there twice; keep one")
            seen.add(name)


def gym_options_are_numbers(spec: Spec) -> Found:
    """Size and seed of a gym:// set are whole numbers."""
    for field, uri in _gyms(spec.dataset):
        options = gym_options(place_of(uri))[1]
        for option, (lowest, highest) in _LIMITS.items():
            value = options.get(option)
            if value is None or _number(option, value) is not None:
                continue
            if re.fullmatch(r"[0-9]+", value) and int(value) > highest:
                yield Problem(f"{field}.uri", f"{option}={value} is above {highest}; give less")
            else:
                yield Problem(f"{field}.uri", f"{option}={value} is no whole number of at least {lowest}; mend it")


def gym_seeds_apart(spec: Spec) -> Found:
    """No two sets share a seed, also not by their sizes; those that name the same one are told of as the same data."""
    sets = _seeds_of(spec.dataset)
    for number, one in enumerate(sets):
        if one.uri and one.start > MAX_SEED:
            reason = f"{one.uri} would begin at seed {one.start}, where the sets before it end, above {MAX_SEED}"
            yield Problem(f"{one.field}.uri", f"{reason}; give those lower seeds")
        other = next((other for other in sets[:number] if _meet(one, other)), None)
        if other is not None and not same_data(one.uri, other.uri):
            free = max(each.end for each in sets if each is not one)
            yield Problem(
                f"{one.field}.uri",
                f"{one.uri} uses seeds {one.start} to {one.end - 1}, and {other.field} {other.start} to "
                f"{other.end - 1}: they would share questions; give seed={free} or none",
            )


RULES: tuple[Rule, ...] = (gym_names, gym_options_are_settings, gym_options_are_numbers, gym_seeds_apart)


def set_sizes(dataset: Dataset) -> dict[str, int]:
    """How many items each set of a gym:// dataset has, by its split; none where that can't be read, or it is no gym's.

    What is trained on is told without `dataset.limit`, which counts only what is left of the items.
    """
    splits = {"dataset": "train", "dataset.heldOut": "heldOut", "dataset.test": "test"}
    return {splits[each.field]: each.end - each.start for each in _seeds_of(dataset)}


def _gyms(dataset: Dataset) -> Iterator[tuple[str, str]]:
    """The gym:// sets of a dataset with their fields."""
    for field, source in datasets_of(dataset):
        uri = known(source, "uri")
        if uri is not None and place_of(uri).scheme == "gym":
            yield field, uri


def _meet(one: Seeds, other: Seeds) -> bool:
    return one.task == other.task and one.start < other.end and other.start < one.end


def _seeds_of(dataset: Dataset) -> list[Seeds]:
    """The seeds of every set, as the workers share them out; none where a number can't be read or a set is no gym's."""
    train = _seeds("dataset", dataset.uri, 0, None)
    held_out = dataset.held_out or HELD_OUT
    if train is None:
        return []
    if held_out.uri is not None:
        held = _seeds("dataset.heldOut", held_out.uri, train.end, held_out.limit)
    else:
        size = max(1, round((train.end - train.start) * (held_out.fraction or 0.1)))
        held = Seeds("dataset.heldOut", "", train.task, train.end, train.end + min(size, held_out.limit or size))
    if held is None or dataset.test is None:
        return [train, held] if held else []
    test = _seeds("dataset.test", dataset.test.uri, held.end, dataset.test.limit)
    return [train, held, test] if test else []


def _seeds(field: str, uri: str, start: int, limit: int | None) -> Seeds | None:
    place = place_of(uri)
    if place.scheme != "gym":
        return None
    task, options = gym_options(place)
    size = _number("size", options.get("size", str(DEFAULT_SIZE)))
    first = _number("seed", options["seed"]) if "seed" in options else start
    if size is None or first is None:
        return None
    return Seeds(field, uri, task, first, first + min(size, limit or size))


def _number(option: str, text: str) -> int | None:
    """The value of size or seed; None where it is none."""
    lowest, highest = _LIMITS[option]
    return int(text) if re.fullmatch(r"[0-9]{1,15}", text) and lowest <= int(text) <= highest else None
