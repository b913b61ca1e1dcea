"""What `select` says of the verifiers that it heeds, and how iteration 1's figures reach the later ones.

The task's own verdicts are no verifier here: they are what the others are judged against.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from selfimprove.api.spec import Spec
from selfimprove.artifacts import Manifest, Part, read_rows
from selfimprove.filtering import GROUND_TRUTH, methods_of
from selfimprove.gathering import Gathered
from selfimprove.measures import verifier_columns, verifier_figures
from selfimprove.measures.drift import ByPrompt, Figures, First
from selfimprove.store.base import Store
from selfimprove.weighting import Floats
from selfimprove_workers.context import StepContext

VERIFIER = pa.schema(
    [
        pa.field("prompt", pa.string(), False),
        pa.field("method", pa.string(), False),
        pa.field("auroc", pa.float64()),  # null without a right and a wrong sample that have a score
        pa.field("mass", pa.float64()),  # mean over the prompt's samples; null where the method reads no labels
    ]
)
"""What one method was worth on one prompt."""


def worth_of(spec: Spec, plain: Gathered) -> ByPrompt:
    """Method -> its figures by prompt, of every method that selects by a score of its own."""
    nothing = np.full(len(plain.prompt), np.nan)
    return {
        name: verifier_columns(
            plain.scores[name], plain.mass.get(name, nothing), plain.utility, plain.prompt, len(plain.ids)
        )
        for name in methods_of(spec)
        if name != GROUND_TRUTH
    }


def figures_of(context: StepContext, plain: Gathered, worth: ByPrompt, first: Manifest | None) -> Figures:
    """The figures with their intervals; `first`: iteration 1's selection, from iteration 2 on."""
    earlier = _read(context.store, first.tables.get("verifier", [])) if first else None
    return verifier_figures(plain.ids, worth, earlier, seed=context.bootstrap_seed)


def write_worth(context: StepContext, digest: str, plain: Gathered, worth: ByPrompt) -> list[Part]:
    """Write the table, all methods of a prompt together."""
    writer = context.writer(digest, VERIFIER, table="verifier", adopt=False)
    if worth and plain.ids:
        writer.write(list(_rows(plain, worth)), len(plain.ids))
    return writer.parts


def _rows(plain: Gathered, worth: ByPrompt) -> Iterator[dict[str, object]]:
    for place, prompt in enumerate(plain.ids):
        for method, columns in worth.items():
            yield {"prompt": prompt, "method": method, **{name: _known(each, place) for name, each in columns.items()}}


def _known(values: Floats, place: int) -> float | None:
    return float(values[place]) if np.isfinite(values[place]) else None


def _read(store: Store, parts: list[Part]) -> First:
    found: dict[str, dict[str, dict[str, float]]] = defaultdict(lambda: {"auroc": {}, "mass": {}})
    for batch in read_rows(store, parts, VERIFIER):
        for row in batch.to_pylist():
            for name in ("auroc", "mass"):
                if row[name] is not None:
                    found[row["method"]][name][row["prompt"]] = row[name]
    return found
