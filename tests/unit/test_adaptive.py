"""Adaptive guidance: learns what wins per token, for each difficulty, and repeats itself exactly."""

from __future__ import annotations

from statistics import mean, variance

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfimprove_workers.guidance.bandit import Bandit
from selfimprove_workers.guidance.base import Attempt
from tests.unit.adaptive_support import ADAPTIVE, WORLDS, courses, play, tail

SEEDS = range(100, 106)
WORLD = WORLDS["each difficulty has its own"]
TRIES = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2), st.booleans(), st.integers(0, 500)), max_size=40)


@pytest.fixture(scope="module")
def scores() -> dict[str, dict[str, list[int]]]:
    """World -> course -> accepted samples of a budget, by seed."""
    return {
        name: {
            course: [play(courses(world, seed)[course], world, seed) for seed in SEEDS] for course in courses(world, 0)
        }
        for name, world in WORLDS.items()
    }


@pytest.mark.parametrize("name", WORLDS)
def test_it_does_not_lose_to_the_best_fixed_strategy_by_more_than_the_interval_over_seeds(
    name: str, scores: dict[str, dict[str, list[int]]]
) -> None:
    """Nobody knows beforehand which that is; the interval is that of the difference between two runs."""
    of = dict(scores[name])
    ours, best = of.pop(ADAPTIVE), max(of.values(), key=mean)
    interval = 1.96 * (variance(ours) + variance(best)) ** 0.5
    assert mean(best) - mean(ours) <= interval


def test_where_each_difficulty_has_its_own_strategy_it_beats_every_fixed_one(
    scores: dict[str, dict[str, list[int]]],
) -> None:
    of = dict(scores["each difficulty has its own"])
    ours = of.pop(ADAPTIVE)
    assert mean(ours) > 1.1 * max(map(mean, of.values()))


@pytest.mark.parametrize("name", [name for name in WORLDS if name != "nothing makes a difference"])
def test_it_beats_a_fixed_strategy_that_is_chosen_at_random(name: str, scores: dict[str, dict[str, list[int]]]) -> None:
    of = dict(scores[name])
    ours = of.pop(ADAPTIVE)
    assert mean(ours) > 1.2 * mean(map(mean, of.values()))


def test_the_same_seed_plays_the_same_game() -> None:
    assert decisions(3) == decisions(3)
    assert decisions(3) != decisions(4)


def decisions(seed: int) -> list[tuple[str, str, int]]:
    course, made = courses(WORLD, seed)[ADAPTIVE], []
    for round in (1, 2):
        for group in course.groups(tail(WORLD, 0)):
            for turn in course.turns(group, round):
                course.learn(turn, [Attempt("", turn.prompt.prompt.id.endswith("3"))], 10)
                made.append((turn.prompt.prompt.id, turn.strategy.name, turn.strength))
    return made


def test_the_groups_of_a_round_hold_every_prompt_once_and_grow_with_what_is_known() -> None:
    course, pool = courses(WORLD, 0)[ADAPTIVE], tail(WORLD, 0)
    sizes, seen = [], []
    for group in course.groups(pool):
        sizes.append(len(group))
        seen += group
        for turn in course.turns(group, 1):
            course.learn(turn, [], 0)
    assert seen == pool
    assert sizes[:4] == [16, 16, 16, 24]
    assert sizes[:-1] == sorted(sizes[:-1])


def test_the_hint_of_a_strategy_begins_at_its_weakest_and_grows_with_its_own_turns_at_the_prompt() -> None:
    given = decisions(1)
    strengths: dict[tuple[str, str], list[int]] = {}
    for prompt, strategy, strength in given:
        strengths.setdefault((prompt, strategy), []).append(strength)
    assert all(found == list(range(1, len(found) + 1)) for found in strengths.values())
    assert max(map(max, strengths.values())) == 2


def test_a_strategy_that_shows_what_a_prompt_lacks_is_not_chosen_for_it() -> None:
    course, pool = courses(WORLD, 0)[ADAPTIVE], tail(WORLD, 0)[:60]
    for prompt in pool:
        object.__setattr__(prompt.prompt, "rationale", None)
    assert {turn.strategy.name for turn in course.turns(pool, 1)} <= {"BruteForce", "AnswerDriven"}


def test_a_turn_that_could_not_be_drawn_counts_against_its_strategy() -> None:
    bandit = Bandit([10.0, 10.0])
    for _ in range(200):
        bandit.learn("hard", 0, 1, 0, 0)
    bandit.learn("hard", 1, 4, 2, 40)
    assert [bandit.choose("hard", [0, 1], seed) for seed in range(20)].count(1) >= 15


def test_equal_chances_are_decided_by_their_costs() -> None:
    bandit = Bandit([10.0, 10.0])
    for arm, tokens in ((0, 100), (1, 300)):
        bandit.learn("any", arm, 100, 50, 100 * tokens)
    assert {bandit.choose("any", [0, 1], seed) for seed in range(50)} == {0}


def test_what_wins_in_one_bucket_only_is_chosen_there() -> None:
    bandit = Bandit([10.0, 10.0])
    for bucket, won in (("easy", (80, 20)), ("hard", (5, 40))):
        for arm in (0, 1):
            bandit.learn(bucket, arm, 100, won[arm], 1000)
    assert [bandit.choose("easy", [0, 1], seed) for seed in range(50)].count(0) >= 45
    assert [bandit.choose("hard", [0, 1], seed) for seed in range(50)].count(1) >= 45


@given(TRIES, st.integers(0, 2**63), st.lists(st.integers(0, 3), min_size=1, unique=True))
def test_whatever_was_learnt_an_allowed_arm_is_chosen_and_chosen_again(
    tries: list[tuple[int, int, bool, int]], seed: int, arms: list[int]
) -> None:
    bandit = Bandit([1.0, 5.0, 100.0, 0.0])
    for arm, bucket, accepted, tokens in tries:
        bandit.learn(bucket, arm, 1, accepted, tokens)
    chosen = bandit.choose(0, arms, seed)
    assert chosen in arms
    assert bandit.choose(0, arms, seed) == chosen
