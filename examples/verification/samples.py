"""Samples of an imagined generator, scored by three imagined verifiers: something to try the command line on.

    python examples/verification/samples.py samples.jsonl
    selfimprove measure samples.jsonl --weighting Quantile:0.7 --by level
    selfimprove sweep samples.jsonl --score mc --weighting Quantile --plot sweep.png

Nothing here was measured of a language model. Of each prompt 16 answers are drawn, right with a chance that falls with
its level. `mc` and `cot` (1 to 10) know right from wrong a little, each by itself; `tournament` counts rounds won in
single elimination, pairs judged by a noisy comparison; `coin` knows nothing.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

PROMPTS, SAMPLES, ROUNDS = 300, 16, 4


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("path", type=Path, nargs="?", default=Path("samples.jsonl"))
    parser.add_argument("--prompts", type=int, default=PROMPTS)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    random = np.random.default_rng(options.seed)
    with options.path.open("w", encoding="utf-8") as file:
        for number in range(options.prompts):
            for row in prompt(random, number):
                file.write(json.dumps(row) + "\n")
    print(f"{options.path}: {options.prompts} prompts x {SAMPLES} samples")


def prompt(random: np.random.Generator, number: int) -> list[dict[str, object]]:
    """The rows of one prompt."""
    level = 1 + number % 4
    right = random.random(SAMPLES) < random.beta(5 - level, level)
    easy = random.normal()  # what a verifier takes for merit and is the prompt's own
    mc = 1 / (1 + np.exp(-(0.8 * right + easy + random.normal(size=SAMPLES))))
    cot = np.clip(np.round(5 + 1.2 * right + 2 * random.normal(size=SAMPLES)), 1, 10)
    rounds = tournament(random, right)
    return [
        {
            "prompt": f"p{number:04d}",
            "sample": i,
            "utility": int(right[i]),
            "level": level,
            "scores": {
                "mc": round(float(mc[i]), 4),
                "cot": int(cot[i]) if random.random() > 0.03 else None,
                "tournament": rounds[i],
                "coin": round(random.random(), 4),
            },
        }
        for i in range(SAMPLES)
    ]


def tournament(random: np.random.Generator, right: np.ndarray) -> list[int]:
    """Rounds that each sample survived; a right answer beats a wrong one two times in three."""
    survived = [0] * len(right)
    left = list(random.permutation(len(right)))
    for _ in range(ROUNDS):
        winners = []
        for one, other in zip(left[::2], left[1::2], strict=True):
            ahead = 0.5 + (int(right[one]) - int(right[other])) / 6
            winners.append(one if random.random() < ahead else other)
        left = winners
        for winner in left:
            survived[winner] += 1
    return survived


if __name__ == "__main__":
    main()
