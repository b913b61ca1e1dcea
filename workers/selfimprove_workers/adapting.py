"""Adaptive guidance: every prompt, every round, the strategy that is expected to win most per token.

Which strategy is learnt over strategies and difficulty (`guidance.bandit`); how strong its hint is grows with the turns
that it has had at this prompt, from the weakest. A shard learns for itself, and afresh in every iteration, since each
iteration has another model.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from statistics import mean

from selfimprove.seeds import derive_seed
from selfimprove_workers.guidance.bandit import Bandit
from selfimprove_workers.guidance.base import Attempt, Strategy
from selfimprove_workers.guidance.brute_force import BruteForce
from selfimprove_workers.guidance.interactive import last_wrong
from selfimprove_workers.tail import TailPrompt, guidable
from selfimprove_workers.turns import Turn

FIRST_GROUP = 16
"""Prompts that are guided before anything is learnt; each later group is half as large as all before it together."""
MOST_ACCEPTED, MOST_FAILED = 2, 3
"""Where counts that tell difficulty stop being told apart."""

Bucket = tuple[int, int]


class Adaptive:
    """A course over several strategies, the weakest hint first, for one shard's tail."""

    def __init__(self, strategies: Sequence[Strategy], tail: Sequence[TailPrompt], seed: int) -> None:
        self.strategies: Sequence[Strategy] = list(strategies)
        cost = mean([prompt.plain_length for prompt in tail] or [1.0])
        self._bandit = Bandit([cost * (1 + strategy.needs_teacher) for strategy in strategies])
        self._seed, self._learnt = seed, 0
        self._plain = {prompt.prompt.id: min(prompt.accepted, MOST_ACCEPTED) for prompt in tail}
        self._given: Counter[tuple[str, str]] = Counter()
        self._failed: Counter[str] = Counter()
        self._learn_plain(tail)

    def groups(self, pool: list[TailPrompt]) -> Iterator[list[TailPrompt]]:
        """Groups of half of what is known: few draws are blind, and yet there are few batches."""
        at = 0
        while at < len(pool):
            size = max(FIRST_GROUP, self._learnt // 2)
            yield pool[at : at + size]
            at += size

    def turns(self, prompts: Sequence[TailPrompt], round: int) -> list[Turn]:
        """A strategy for each prompt, by what was learnt before this group."""
        return [self._turn(prompt, round) for prompt in prompts]

    def learn(self, turn: Turn, attempts: Sequence[Attempt], tokens: int) -> None:
        """What came of a turn; one that could not be drawn counts as a failure, so that it is not tried for ever."""
        prompt, arm = turn.prompt.prompt.id, self.strategies.index(turn.strategy)
        accepted = sum(attempt.accepted for attempt in attempts)
        self._bandit.learn(self._bucket(turn.prompt), arm, max(len(attempts), 1), accepted, tokens)
        self._given[prompt, turn.strategy.name] += 1
        self._failed[prompt] = 0 if accepted else self._failed[prompt] + 1
        self._learnt += 1

    def _learn_plain(self, tail: Sequence[TailPrompt]) -> None:
        """Plain samples say what one more would bring: drawn towards the whole tail's rate, since they chose the tail,
        and counted as one try a prompt, since they also chose its bucket."""
        drawn = sum(prompt.drawn for prompt in tail)
        rate = (sum(prompt.accepted for prompt in tail) + 0.5) / (drawn + 1)
        for arm, strategy in enumerate(self.strategies):
            for prompt in tail if strategy.name == BruteForce.name else ():
                won = (prompt.accepted + 2 * rate) / (prompt.drawn + 2)
                self._bandit.learn(self._bucket(prompt), arm, 1, won, prompt.plain_length)

    def _turn(self, prompt: TailPrompt, round: int) -> Turn:
        arms = [arm for arm, strategy in enumerate(self.strategies) if self._possible(strategy, prompt)]
        arm = self._bandit.choose(self._bucket(prompt), arms, derive_seed(self._seed, prompt.prompt.id, round))
        strategy = self.strategies[arm]
        return Turn(prompt, strategy, self._given[prompt.prompt.id, strategy.name] + 1)

    def _possible(self, strategy: Strategy, prompt: TailPrompt) -> bool:
        return guidable(strategy, prompt) and not (strategy.needs_teacher and last_wrong(prompt.attempts) is None)

    def _bucket(self, prompt: TailPrompt) -> Bucket:
        """How hard a prompt is: accepted plain samples, and turns that failed since one succeeded."""
        return self._plain[prompt.prompt.id], min(self._failed[prompt.prompt.id], MOST_FAILED)
