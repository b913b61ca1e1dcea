"""Adaptive guidance: learns what wins per token, for each difficulty, and repeats itself exactly."""

from __future__ import annotations

from statistics import mean, variance

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfimprove_workers.adapting import strengths_of
from selfimprove_workers.guidance import token_ends_of
from selfimprove_workers.guidance.bandit import Arm, Bandit
from selfimprove_workers.guidance.base import Attempt
from selfimprove_workers.guidance.state_reset import StateReset
from tests.unit.adaptive_support import ADAPTIVE, WORLDS, World, courses, only, play, tail

SEEDS = range(100, 104)
WORLD = WORLDS["each difficulty has its own"]
NOTHING_WINS = only("BruteForce", 0.0)
ARMS = st.builds(Arm, st.integers(0, 3), st.integers(1, 2))
TRIES = st.lists(st.tuples(ARMS, st.integers(0, 2), st.booleans(), st.integers(0, 500)), max_size=40)
ONE, OTHER = Arm(0, 1), Arm(1, 1)


@pytest.fixture(scope="module")
def scores() -> dict[str, dict[str, list[int]]]:
    """World -> course -> accepted samples of a budget, by seed."""
    return {
        name: {course: [played[seed][course] for seed in SEEDS] for course in played[SEEDS[0]]}
        for name, world in WORLDS.items()
        for played in [{seed: _scores(world, seed) for seed in SEEDS}]
    }


def _scores(world: World, seed: int) -> dict[str, int]:
    return {name: play(course, world, seed) for name, course in courses(world, seed).items()}


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


@pytest.mark.parametrize(
    "name", [name for name in WORLDS if name not in ("nothing makes a difference", "everything wins")]
)
def test_it_beats_a_fixed_strategy_that_is_chosen_at_random(name: str, scores: dict[str, dict[str, list[int]]]) -> None:
    of = dict(scores[name])
    ours = of.pop(ADAPTIVE)
    assert mean(ours) > 1.2 * mean(map(mean, of.values()))


def test_the_same_seed_plays_the_same_game() -> None:
    assert decisions(3) == decisions(3)
    assert decisions(3) != decisions(4)


def decisions(seed: int, world: World = WORLD, rounds: int = 2, wins: str = "3") -> list[tuple[str, str, int]]:
    """(prompt, strategy, strength) of every turn, where the prompts that end so win whatever they are shown."""
    course, made = courses(world, seed)[ADAPTIVE], []
    for round in range(1, rounds + 1):
        for group in course.groups(tail(world, 0)):
            for turn in course.turns(group, round):
                course.learn(turn, [Attempt("", bool(wins) and turn.prompt.prompt.id.endswith(wins))], 10)
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


LADDER = [("BruteForce", 1), *(("StateReset", n) for n in (1, 2, 3, 4)), ("AnswerDriven", 1), ("RationaleDriven", 1)]
"""The weakest hint first."""


@pytest.mark.parametrize("seed", range(4))
def test_the_first_prompts_get_the_weakest_hint_and_stronger_ones_follow_when_those_below_were_tried(seed: int) -> None:
    given = [hint for _, *hint in decisions(seed, wins="")]
    assert {tuple(hint) for hint in given[:16]} <= {("BruteForce", 1), ("StateReset", 1)}
    met = [name for name, _ in dict.fromkeys((name, 0) for name, _ in given) if name != "BruteForce"]
    assert met == ["StateReset", "AnswerDriven", "RationaleDriven"]
    lengths = list(dict.fromkeys(strength for name, strength in given if name == "StateReset"))
    assert lengths == sorted(lengths)


def test_a_prompt_that_fails_goes_up_while_nothing_weaker_is_known_to_win() -> None:
    """Where nothing ever wins, what is above has failed less often than what is below."""
    course = courses(NOTHING_WINS, 0)[ADAPTIVE]
    (prompt,) = (each for each in tail(NOTHING_WINS, 0) if each.prompt.id == "p0")
    climbed = []
    for round in range(1, 12):
        (turn,) = course.turns([prompt], round)
        course.learn(turn, [Attempt("", accepted=False, wrong=True)], 100)
        climbed.append(LADDER.index((turn.strategy.name, turn.strength)))
    top = climbed.index(LADDER.index(LADDER[-1])) + 1
    assert climbed[:top] == sorted(set(climbed[:top]))
    assert climbed[top] < climbed[top - 1]  # above the strongest it begins again


def test_what_failed_once_is_taken_again_where_it_is_known_to_win_more_per_token() -> None:
    bandit = Bandit([10.0, 10.0])
    bandit.learn("any", ONE, 100, 50, 1000)
    bandit.learn("any", OTHER, 100, 20, 1000)
    assert {bandit.choose("any", [ONE, OTHER], seed, failed=[ONE]) for seed in range(20)} == {ONE}
    assert {bandit.choose("any", [OTHER, ONE], seed, failed=[OTHER]) for seed in range(20)} == {ONE}


def test_a_hint_that_cannot_grow_has_one_strength_and_one_of_four_lines_to_give_has_four() -> None:
    course, prompt = courses(WORLD, 0)[ADAPTIVE], tail(WORLD, 0)[0]
    found = {strategy.name: strengths_of(strategy, prompt) for strategy in course.strategies}
    assert found == {"BruteForce": 1, "StateReset": 4, "AnswerDriven": 1, "RationaleDriven": 1}


def test_a_reference_of_which_nothing_can_be_given_is_no_beginning_to_choose() -> None:
    course, pool = courses(WORLD, 0)[ADAPTIVE], tail(WORLD, 0)[:60]
    reset = StateReset(None, token_ends_of(None))
    for prompt in pool:
        object.__setattr__(prompt.prompt, "rationale", "7 it is.")
    assert {strengths_of(reset, prompt) for prompt in pool} == {0}
    course.strategies = [reset if each.name == "StateReset" else each for each in course.strategies]
    assert {turn.strategy.name for turn in course.turns(pool, 1)} <= {"BruteForce", "AnswerDriven"}


def test_a_strategy_that_shows_what_a_prompt_lacks_is_not_chosen_for_it() -> None:
    course, pool = courses(WORLD, 0)[ADAPTIVE], tail(WORLD, 0)[:60]
    for prompt in pool:
        object.__setattr__(prompt.prompt, "rationale", None)
    assert {turn.strategy.name for turn in course.turns(pool, 1)} <= {"BruteForce", "AnswerDriven"}


def test_a_turn_that_could_not_be_drawn_counts_against_its_strategy() -> None:
    bandit = Bandit([10.0, 10.0])
    for _ in range(200):
        bandit.learn("hard", ONE, 1, 0, 0)
    bandit.learn("hard", OTHER, 4, 2, 40)
    assert [bandit.choose("hard", [ONE, OTHER], seed) for seed in range(20)].count(OTHER) >= 15


def test_equal_chances_are_decided_by_their_costs() -> None:
    bandit = Bandit([10.0, 10.0])
    for arm, tokens in ((ONE, 100), (OTHER, 300)):
        bandit.learn("any", arm, 100, 50, 100 * tokens)
    assert {bandit.choose("any", [ONE, OTHER], seed) for seed in range(50)} == {ONE}


def test_what_wins_in_one_bucket_only_is_chosen_there() -> None:
    bandit = Bandit([10.0, 10.0])
    for bucket, won in (("easy", (80, 20)), ("hard", (5, 40))):
        for arm in (ONE, OTHER):
            bandit.learn(bucket, arm, 100, won[arm.strategy], 1000)
    assert [bandit.choose("easy", [ONE, OTHER], seed) for seed in range(50)].count(ONE) >= 45
    assert [bandit.choose("hard", [ONE, OTHER], seed) for seed in range(50)].count(OTHER) >= 45


@given(TRIES, st.integers(0, 2**63), st.lists(ARMS, min_size=1, unique=True), st.sets(ARMS))
def test_whatever_was_learnt_an_allowed_arm_is_chosen_and_chosen_again(
    tries: list[tuple[Arm, int, bool, int]], seed: int, arms: list[Arm], failed: set[Arm]
) -> None:
    bandit = Bandit([1.0, 5.0, 100.0, 0.0])
    for arm, bucket, accepted, tokens in tries:
        bandit.learn(bucket, arm, 1, accepted, tokens)
    chosen = bandit.choose(0, arms, seed, failed)
    assert chosen in arms
    assert bandit.choose(0, arms, seed, failed) == chosen
