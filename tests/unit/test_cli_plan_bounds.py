"""What `plan` says that a step may come to at most, before any like it has run."""

from __future__ import annotations

from typing import Any

import pytest

from selfimprove.api.spec import Spec
from selfimprove.cli.plan import at_most
from selfimprove.ledger import Ledger


@pytest.mark.parametrize(
    ("resampling", "samples"),
    [
        ({"strategy": "BruteForce", "maxRounds": 128}, 128),
        ({"strategy": "StateReset", "samplesPerRound": 2}, 16),
        ({"strategy": "Interactive"}, 16),
        ({"strategy": "Adaptive"}, 8),
        ({"strategy": "Adaptive", "teacher": {"uri": "/models/big"}}, 16),
        ({"strategy": "AnswerDriven", "leakProbe": True}, 10),
    ],
)
def test_guided_samples_are_counted_with_critiques_and_the_leak_probe(resampling: dict[str, Any], samples: int) -> None:
    spec = Spec.model_validate(
        {
            "model": {"uri": "/models/small"},
            "dataset": {"uri": "/data/train.jsonl", "task": "Math"},
            "maxIterations": 1,
            "generation": {"maxTokens": 100},
            "resampling": resampling,
        }
    )
    bound = at_most(spec, Ledger(), {"train": 10}, ["resample"])
    assert bound is not None
    assert (bound.samples, bound.tokens) == (10 * samples, 1000 * samples)
