"""A simulated world for guidance: how likely each strategy wins a prompt, by its difficulty, and what a try costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from selfimprove.api.selecting import Resampling
from selfimprove.seeds import fraction
from selfimprove_workers.adapting import Adaptive
from selfimprove_workers.guidance import strategies_for, token_ends_of
from selfimprove_workers.guidance.base import Attempt, Guided, Reference, Strategy
from selfimprove_workers.guidance.state_reset import StateReset
from selfimprove_workers.prompts import PromptRow
from selfimprove_workers.tail import TailPrompt
from selfimprove_workers.turns import Course, Fixed

PROMPTS, DRAWN, TARGET, BUDGET = 600, 8, 4, 200_000
ADAPTIVE = "Adaptive"
REFERENCE = "One.\nTwo.\nThree.\nFour.\nFive."
"""Of which StateReset gives one line, two, three or four."""


@dataclass(frozen=True)
class World:
    """Chance and cost of a try by strategy; chances of easy, middling and hard prompts."""

    chances: Mapping[str, tuple[float, float, float]]
    costs: Mapping[str, int]
    growth: tuple[float, ...] = (1.0, 1.0, 1.0, 1.0)
    """By how much the four strengths of StateReset multiply its chance."""


def world(growth: tuple[float, ...] = World.growth, **arms: tuple[float, float, float, int]) -> World:
    """Each strategy's three chances, then its cost."""
    return World({name: arm[:3] for name, arm in arms.items()}, {name: arm[3] for name, arm in arms.items()}, growth)


def only(name: str, chance: float, cost: int = 100, **changes: tuple[float, ...]) -> World:
    """One strategy wins, and nothing else ever does."""
    arms = dict.fromkeys(("BruteForce", "StateReset", "AnswerDriven", "RationaleDriven"), (0.0, 0.0, 0.0, cost))
    return world(**changes, **{**arms, name: (chance, chance, chance, cost)})  # type: ignore[arg-type]


WORLDS = {
    "the strongest hint wins everywhere": world(
        BruteForce=(0.2, 0.1, 0.02, 100),
        StateReset=(0.3, 0.2, 0.1, 80),
        AnswerDriven=(0.4, 0.3, 0.2, 110),
        RationaleDriven=(0.8, 0.7, 0.6, 120),
    ),
    "the weakest is best per token": world(
        BruteForce=(0.4, 0.35, 0.3, 60),
        StateReset=(0.5, 0.4, 0.35, 120),
        AnswerDriven=(0.5, 0.4, 0.3, 150),
        RationaleDriven=(0.6, 0.5, 0.4, 200),
    ),
    "each difficulty has its own": world(
        BruteForce=(0.7, 0.1, 0.0, 80),
        StateReset=(0.2, 0.6, 0.1, 80),
        AnswerDriven=(0.1, 0.2, 0.5, 90),
        RationaleDriven=(0.2, 0.2, 0.2, 120),
    ),
    "nothing makes a difference": world(
        BruteForce=(0.4, 0.3, 0.2, 100),
        StateReset=(0.4, 0.3, 0.2, 100),
        AnswerDriven=(0.4, 0.3, 0.2, 100),
        RationaleDriven=(0.4, 0.3, 0.2, 100),
    ),
    "hardly anything ever wins": world(
        BruteForce=(0.05, 0.01, 0.0, 100),
        StateReset=(0.15, 0.08, 0.03, 80),
        AnswerDriven=(0.1, 0.05, 0.02, 110),
        RationaleDriven=(0.1, 0.05, 0.02, 150),
    ),
    "everything wins": world(
        BruteForce=(0.6, 0.5, 0.4, 300),
        StateReset=(0.7, 0.6, 0.5, 270),
        AnswerDriven=(0.8, 0.7, 0.6, 330),
        RationaleDriven=(0.9, 0.8, 0.7, 360),
    ),
    "only more of the same wins": only("BruteForce", 0.3),
    "only a long beginning wins": only("StateReset", 0.6, growth=(0.0, 0.0, 0.3, 1.0)),
    "a beginning wins by its length": world(
        growth=(0.3, 0.6, 0.9, 1.2),
        BruteForce=(0.2, 0.1, 0.05, 100),
        StateReset=(0.6, 0.4, 0.3, 80),
        AnswerDriven=(0.2, 0.1, 0.1, 110),
        RationaleDriven=(0.3, 0.2, 0.2, 120),
    ),
    "only the answer wins": only("AnswerDriven", 0.4),
    "only the strongest hint wins": only("RationaleDriven", 0.4),
}


class OneReference(StateReset):
    """All prompts of a world have one reference, so that each prefix of it is found once."""

    given: ClassVar[dict[int, Guided]] = {}

    def guide(
        self, messages: Sequence[dict[str, str]], reference: Reference, attempts: Sequence[Attempt], round: int
    ) -> Guided:
        if round not in self.given:
            self.given[round] = super().guide(messages, reference, attempts, round)
        return self.given[round]


def courses(world: World, seed: int) -> dict[str, Course]:
    """Adaptive, and every strategy that it chooses from by itself; none has learnt anything yet."""
    given: dict[str, Strategy] = {"StateReset": OneReference("Lines", token_ends_of(None))}
    strategies = [given.get(each.name, each) for each in strategies_for(Resampling(strategy=ADAPTIVE), None)]
    return {ADAPTIVE: Adaptive(strategies, tail(world, seed), seed)} | {each.name: Fixed(each) for each in strategies}


def tail(world: World, seed: int) -> list[TailPrompt]:
    """As many easy as middling and hard ones, each with eight plain samples, too few of them accepted."""
    rows = [PromptRow(f"p{i}", [{"role": "user", "content": "?"}], "7", REFERENCE, None, None) for i in range(PROMPTS)]
    length = world.costs["BruteForce"]
    return [TailPrompt(row, [], [], _plain(world, row.id, seed), DRAWN, length) for row in rows]


def play(course: Course, world: World, seed: int, budget: int = BUDGET) -> int:
    """Guide until the tokens are spent or every prompt has enough: how many samples were accepted."""
    pool, won, round = tail(world, seed), 0, 0
    while pool and round < 400:
        round += 1
        for group in course.groups(pool):
            for turn in course.turns(group, round):
                cost = world.costs[turn.strategy.name]
                if cost > budget:
                    return won
                budget -= cost
                accepted = _wins(world, turn.prompt.prompt.id, turn.strategy.name, seed, round, turn.strength)
                attempts = [Attempt("", accepted, not accepted)]
                won += accepted
                turn.prompt.learn(attempts)
                course.learn(turn, attempts, cost)
        pool = [prompt for prompt in pool if prompt.accepted < TARGET]
    return won


def _plain(world: World, prompt: str, seed: int) -> int:
    return min(sum(_wins(world, prompt, "BruteForce", seed, -i) for i in range(DRAWN)), TARGET - 1)


def _wins(world: World, prompt: str, strategy: str, seed: int, draw: int, strength: int = 1) -> bool:
    """The same draw wins for every course that makes it."""
    own = 0.7 + 0.6 * fraction(prompt, "difficulty")  # prompts of one difficulty differ too
    own *= world.growth[(strength - 1) % len(world.growth)] if strategy == "StateReset" else 1.0
    chance = world.chances[strategy][int(prompt[1:]) % 3] * own
    return fraction(f"{seed} {prompt} {strategy} {draw}", "luck") < chance
