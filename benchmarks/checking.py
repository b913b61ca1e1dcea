"""How fast easy Math answers are checked, against math-verify on the same responses.

Most answers of a run are easy: a whole number, declared at the end. They must cost nothing beside the sampling, so that
nobody has a reason to check less. Prints checks a second on one core, and the ratio of the two.
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
}


def pairs(forms: Sequence[str], count: int) -> list[Pair]:
    """Golds and responses, half of them right, no two alike."""
    draw = random.Random(0)
    made = []
    for number in range(count):
        gold = draw.randint(0, 10**7)
        answer = gold if number % 2 else gold + draw.randint(1, 9)
        spelled = f"{answer:,}" if number % 3 == 0 else str(answer)
        made.append((str(gold), WORK.format(draw.randint(2, 99)) + forms[number % len(forms)].format(spelled)))
    return made


def ours(pair: Pair) -> bool:
    return TASK.check(pair[1], pair[0], None).flexible is Verdict.CORRECT


def theirs(pair: Pair) -> bool:
    return bool(verify(parse(f"${pair[0]}$"), parse(pair[1])))


def rate(check: Callable[[Pair], bool], made: Sequence[Pair]) -> float:
    """Checks a second. Every verdict is compared with the truth, which is known here."""
    began = time.perf_counter()
    verdicts = [check(pair) for pair in made]
    seconds = time.perf_counter() - began
    right = sum(verdict == bool(number % 2) for number, verdict in enumerate(verdicts))
    print(f"    {check.__name__:7s} {len(made) / seconds:10,.0f} checks/s   verdicts right: {right / len(made):.4f}")
    return len(made) / seconds


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--count", type=int, default=100_000, help="responses for our checker")
    arguments.add_argument("--slow", type=int, default=1_000, help="responses for math-verify")
    chosen = arguments.parse_args()
    for name, forms in FORMS.items():
        print(f"whole numbers, {name}")
        made = pairs(forms, chosen.count)
        ratio = rate(ours, made) / rate(theirs, made[: chosen.slow])
        print(f"    ratio   {ratio:10,.0f}")


TASK = Math()

if __name__ == "__main__":
    main()
