"""Adaptive guidance: every prompt, every round, the strategy and strength that are expected to win most per token.

Which ones is learnt over both and difficulty (`guidance.bandit`), up a ladder from the weakest hint. A strategy is open
to the shard once the one below it was tried, a strength of a hint that grows once the one below was. A prompt that
failed goes up: the lot is cast among the stronger ones, and what it failed at, or anything weaker, is taken again only
where what is known of both promises more of it per token; above the strongest it begins again. To go up after every
failure would lose a quarter and more where the weakest hint is best or hardly anything wins (docs/guidance.md). A shard
learns for itself, and afresh in every iteration, since each iteration has another model.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from statistics import mean

from selfimprove.seeds import derive_seed
from selfimprove_workers.guidance.bandit import Arm, Bandit
from selfimprove_workers.guidance.base import Attempt, Strategy
from selfimprove_workers.guidance.brute_force import BruteForce
from selfimprove_workers.guidance.interactive import last_wrong
from selfimprove_workers.guidance.lacking import has_prefix
from selfimprove_workers.tail import TailPrompt, guidable
from selfimprove_workers.turns import Turn

VERSION = "adaptive-2"
"""Of how it chooses, which the rows of a step depend on."""
FIRST_GROUP = 16
"""Prompts that are guided before anything is learnt; each later group is half as large as all before it together."""
MOST_ACCEPTED, MOST_FAILED = 2, 3
"""Where counts that tell difficulty stop being told apart."""
MOST_STRENGTHS = 4
"""Of a hint that grows in more steps, the first, the last and some between."""

Bucket = tuple[int, int]
PLAIN = Arm(0, 0)
"""Below every arm: what `generate` tried at all prompts."""


class Adaptive:
    """A course over several strategies, the weakest hint first, for one shard's tail."""

    def __init__(self, strategies: Sequence[Strategy], tail: Sequence[TailPrompt], seed: int) -> None:
        self.strategies: Sequence[Strategy] = list(strategies)
        cost = mean([prompt.plain_length for prompt in tail] or [1.0])
        self._bandit = Bandit([cost * (1 + strategy.needs_teacher) for strategy in strategies])
        self._seed, self._learnt = seed, 0
        self._plain = {prompt.prompt.id: min(prompt.accepted, MOST_ACCEPTED) for prompt in tail}
        self._failed: Counter[str] = Counter()
        self._failed_at: dict[str, Arm] = {}
        """The strongest arm that failed at a prompt since one succeeded."""
        self._strengths: dict[tuple[str, str], list[int]] = {}
        self._learn_plain(tail)

    def groups(self, pool: list[TailPrompt]) -> Iterator[list[TailPrompt]]:
        """Groups of half of what is known: few draws are blind, and yet there are few batches."""
        at = 0
        while at < len(pool):
            size = max(FIRST_GROUP, self._learnt // 2)
            yield pool[at : at + size]
            at += size

    def turns(self, prompts: Sequence[TailPrompt], round: int) -> list[Turn]:
        """A strategy and its strength for each prompt, by what was learnt before this group."""
        return [self._turn(prompt, round) for prompt in prompts]

    def learn(self, turn: Turn, attempts: Sequence[Attempt], tokens: int) -> None:
        """What came of a turn; one that could not be drawn counts as a failure, so that it is not tried for ever."""
        prompt, arm = turn.prompt.prompt.id, self._arm_of(turn)
        accepted = sum(attempt.accepted for attempt in attempts)
        self._bandit.learn(self._bucket(turn.prompt), arm, max(len(attempts), 1), accepted, tokens)
        if accepted:
            self._failed[prompt], self._failed_at[prompt] = 0, PLAIN
        else:
            self._failed[prompt] += 1
            self._failed_at[prompt] = max(self._failed_at.get(prompt, PLAIN), arm)
        self._learnt += 1

    def _learn_plain(self, tail: Sequence[TailPrompt]) -> None:
        """Plain samples say what one more would bring: drawn towards the whole tail's rate, since they chose the tail,
        and counted as one try a prompt, since they also chose its bucket."""
        drawn = sum(prompt.drawn for prompt in tail)
        rate = (sum(prompt.accepted for prompt in tail) + 0.5) / (drawn + 1)
        for number, strategy in enumerate(self.strategies):
            for prompt in tail if strategy.name == BruteForce.name else ():
                won = (prompt.accepted + 2 * rate) / (prompt.drawn + 2)
                self._bandit.learn(self._bucket(prompt), Arm(number, 1), 1, won, prompt.plain_length)

    def _turn(self, prompt: TailPrompt, round: int) -> Turn:
        failed_at = self._failed_at.get(prompt.prompt.id, PLAIN)
        arms = self._open(prompt, failed_at)
        seed = derive_seed(self._seed, prompt.prompt.id, round)
        arm = self._bandit.choose(self._bucket(prompt), arms, seed, [arm for arm in arms if arm <= failed_at])
        strategy = self.strategies[arm.strategy]
        return Turn(prompt, strategy, self._rounds(strategy, prompt)[arm.strength - 1])

    def _open(self, prompt: TailPrompt, failed_at: Arm) -> list[Arm]:
        """The arms up to one step above what was tried, by anybody or at this prompt; at least the weakest."""
        found: list[Arm] = []
        reached = True
        for number, strategy in enumerate(self.strategies):
            rounds = self._rounds(strategy, prompt) if reached and self._possible(strategy, prompt) else []
            if not rounds:
                continue
            ladder = [Arm(number, at + 1) for at in range(len(rounds))]
            climbed = [arm for arm in ladder if self._bandit.tried(arm) or arm <= failed_at]
            found += ladder[: len(climbed) + 1]
            reached = bool(climbed)
        return found

    def _arm_of(self, turn: Turn) -> Arm:
        rounds = self._rounds(turn.strategy, turn.prompt)
        return Arm(self.strategies.index(turn.strategy), rounds.index(turn.strength) + 1)

    def _rounds(self, strategy: Strategy, prompt: TailPrompt) -> list[int]:
        """The rounds that a strategy is told for each strength it has at a prompt, the weakest first."""
        key = strategy.name, prompt.prompt.id
        if key not in self._strengths:
            most = strengths_of(strategy, prompt)
            steps = min(most, MOST_STRENGTHS)
            self._strengths[key] = [1 + at * (most - 1) // max(steps - 1, 1) for at in range(steps)]
        return self._strengths[key]

    def _possible(self, strategy: Strategy, prompt: TailPrompt) -> bool:
        return guidable(strategy, prompt) and not (strategy.needs_teacher and last_wrong(prompt.attempts) is None)

    def _bucket(self, prompt: TailPrompt) -> Bucket:
        """How hard a prompt is: accepted plain samples, and turns that failed since one succeeded."""
        return self._plain[prompt.prompt.id], min(self._failed[prompt.prompt.id], MOST_FAILED)


def strengths_of(strategy: Strategy, prompt: TailPrompt) -> int:
    """In how many rounds a strategy's hint grows at a prompt before it begins again: 1 where it can't grow, and 0 where
    nothing of a reference can be shown, so that it would be a plain sample under another name."""

    def hint(round: int) -> object:
        return strategy.guide(prompt.prompt.messages, prompt.reference, prompt.attempts, round)

    first, rounds = hint(1), 1
    if not has_prefix(strategy, prompt.prompt):
        return 0
    while hint(rounds + 1) != first:
        rounds += 1
    return rounds
