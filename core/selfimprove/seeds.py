"""Each sample's own noise stream, derived from what the sample is (design section 4).

vLLM gives child i of `n=k, seed=s` the seed s+i, so neighbouring prompt seeds share all but one stream; and its default
engine seed is a constant, so pods repeat one another. A seed by hash shares nothing, lets k grow and a shard be redone.
"""

from __future__ import annotations

from hashlib import blake2b


def derive_seed(run_seed: int, *identity: str | int) -> int:
    """A seed of 63 bits from the run's seed and what the draw is for.

    `identity` is by convention (split, iteration, step, method, prompt id, sample or vote index, guidance round).
    """
    text = "\x1f".join([str(run_seed), *map(str, identity)])
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest()) >> 1


def bootstrap_seed(run_seed: int) -> int:
    """Of all intervals of a run, whichever step or command gives them: so that one figure has one interval."""
    return derive_seed(run_seed, "bootstrap")


def bucket(identity: str, buckets: int, salt: str = "shard") -> int:
    """The bucket, 0 to `buckets` - 1, that an identity falls into, evenly and for good."""
    return int.from_bytes(blake2b(f"{salt}\x1f{identity}".encode(), digest_size=8).digest()) % buckets


def fraction(identity: str, salt: str) -> float:
    """A number in [0, 1) that stands for this identity, evenly and for good."""
    return bucket(identity, 2**53, salt) / 2**53
