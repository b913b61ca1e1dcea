"""How fast easy Math answers are checked, against math-verify on the same responses.

Most answers of a run are easy: a whole number, declared at the end or in a sentence. They must cost nothing beside the
sampling, so that nobody has a reason to check less. Prints checks a second on one core, the best of some rounds (the
others say how busy the machine was), and the ratio of the two.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable, Sequence

from math_verify import parse, verify

from selfimprove_workers.tasks import Math, Verdict

Pair = tuple[str, str]

WORK = (
    "In April she sold {0} clips to her friends, and in May she sold half as many. Half of {0} is what we need first. "
    "We add the two months and find the total that was asked for.\n"
)
FORMS = {
    "declared": ["The answer is {}.", "#### {}", "\\boxed{{{}}}", "Answer: {}", "The answer is: {}"],
    "in a sentence": ["So she sold {} clips.", "That makes {} altogether.", "Therefore the total is {}."],
    "in one sentence": ["Adding both months she sold {} clips.", "Then both of them make {} together."],
    "declared in one sentence": ["Adding 3 and 4 to that gives {0}, so the answer is {0}."],
    "declared with a unit": ["The answer is {} clips.", "#### {} clips"],
    "of money": ["So she earned ${}.", "Therefore the total is ${} altogether."],
}
WITHOUT_WORK = ("in one sentence", "declared in one sentence")
"""The responses that are one line."""


def pairs(forms: Sequence[str], count: int, work: str = WORK) -> list[Pair]:
    """Golds and responses, half of them right, no two alike."""
    draw = random.Random(0)
    made = []
    for number in range(count):
        gold = draw.randint(0, 10**7)
        answer = gold if number % 2 else gold + draw.randint(1, 9)
        spelled = f"{answer:,}" if number % 3 == 0 else str(answer)
        made.append((str(gold), work.format(draw.randint(2, 99)) + forms[number % len(forms)].format(spelled)))
    return made


def ours(pair: Pair) -> bool:
    return TASK.check(pair[1], pair[0], None).flexible is Verdict.CORRECT


def theirs(pair: Pair) -> bool:
    return bool(verify(parse(f"${pair[0]}$"), parse(pair[1])))


def rate(check: Callable[[Pair], bool], rounds: Sequence[Sequence[Pair]]) -> float:
    """Checks a second, in the best round. Every verdict is compared with the truth, which is known here."""
    rates, right, total = [], 0, 0
    for made in rounds:
        began = time.perf_counter()
        verdicts = [check(pair) for pair in made]
        rates.append(len(made) / (time.perf_counter() - began))
        right += sum(verdict == bool(number % 2) for number, verdict in enumerate(verdicts))
        total += len(made)
    print(
        f"    {check.__name__:7s} {max(rates):10,.0f} checks/s (the slowest round: {min(rates):,.0f})"
        f"   verdicts right: {right / total:.4f}"
    )
    return max(rates)


def in_rounds(made: Sequence[Pair], count: int) -> list[Sequence[Pair]]:
    """The pairs in rounds, each with pairs of its own, so that nothing is remembered from one round to the next."""
    size = len(made) // count // 2 * 2
    return [made[number * size : (number + 1) * size] for number in range(count)]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--count", type=int, default=100_000, help="responses for our checker")
    arguments.add_argument("--slow", type=int, default=1_000, help="responses for math-verify")
    arguments.add_argument("--rounds", type=int, default=5, help="rounds that they are checked in")
    chosen = arguments.parse_args()
    for name, forms in FORMS.items():
        print(f"whole numbers, {name}")
        made = pairs(forms, chosen.count, "" if name in WITHOUT_WORK else WORK)
        ratio = rate(ours, in_rounds(made, chosen.rounds)) / rate(theirs, in_rounds(made[: chosen.slow], chosen.rounds))
        print(f"    ratio   {ratio:10,.0f}")


TASK = Math()

if __name__ == "__main__":
    main()
