"""The options of `selfimprove verify`, and the value that they come to.

Nothing heavy is brought in here: help answers at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from selfimprove.cli.options import Endpoint, Region

Model = Annotated[
    str, typer.Argument(metavar="MODEL", help="Who judges: hf://, s3://, package://, a folder or a GGUF file.")
]
Methods = Annotated[
    list[str],
    typer.Option(
        "--method",
        metavar="[NAME=]TYPE",
        help="MultipleChoice, CoTScore, CoTBinary, Tournament, Likelihood or MajorityVote; its scores are scores.NAME. "
        "Repeatable.",
    ),
]
AskedWith = Annotated[
    str | None, typer.Option("--template", metavar="NAME|FILE", help="What is asked: one of ours, or a Jinja file.")
]
Labels = Annotated[
    list[str] | None,
    typer.Option(
        "--labels", metavar="[NAME=]YES/NO", help="Of MultipleChoice or Tournament; of the method NAME. Repeatable."
    ),
]
Range = Annotated[str | None, typer.Option("--range", metavar="LOW-HIGH", help="Of CoTScore; 1-10 by default.")]
Votes = Annotated[int, typer.Option("--votes", metavar="N", help="Critiques, or tournaments, of a sample.")]
Reduction = Annotated[
    str | None, typer.Option("--reduction", metavar="Mean|Sum", help="Of Likelihood; Mean by default.")
]
MinMass = Annotated[
    float | None, typer.Option("--min-mass", metavar="P", help="Below it MultipleChoice gives no score.")
]
MaxTokens = Annotated[int, typer.Option("--max-tokens", metavar="N", help="Of a critique.")]
Temperature = Annotated[float, typer.Option("--temperature", metavar="T", help="Of critiques.")]
Engine = Annotated[str, typer.Option("--engine", metavar="NAME", help="Auto, VLLM or Transformers.")]
Dtype = Annotated[
    str, typer.Option("--dtype", metavar="NAME", help="auto, bfloat16, float16 or float32: what MODEL computes in.")
]
Revision = Annotated[str | None, typer.Option("--revision", metavar="REV", help="Of an hf:// MODEL.")]
SeedOfAsking = Annotated[int, typer.Option("--seed", min=0, metavar="N", help="Of critiques and tournaments.")]


@dataclass(frozen=True)
class Asked:
    """The options, under the names that a run has for them; None where one is not given."""

    methods: Sequence[str]
    """`[NAME=]TYPE` each."""
    settings: Mapping[str, Any]
    """Of the methods that read them."""
    generation: Mapping[str, Any]
    model: Mapping[str, Any]
    storage: Mapping[str, Any]
    seed: int = 0


def asked_by_options(
    model: Model,
    method: Methods,
    template: AskedWith = None,
    labels: Labels = None,
    range: Range = None,
    votes: Votes = 1,
    reduction: Reduction = None,
    min_mass: MinMass = None,
    max_tokens: MaxTokens = 512,
    temperature: Temperature = 0.7,
    engine: Engine = "Auto",
    dtype: Dtype = "auto",
    revision: Revision = None,
    seed: SeedOfAsking = 0,
    endpoint: Endpoint = None,
    region: Region = None,
) -> Asked:
    """The model, the methods and their settings, as the command line gives them."""
    return Asked(
        methods=method,
        settings={
            "template": template,
            "labels": labels or None,
            "range": range,
            "votes": None if votes == 1 else votes,
            "reduction": reduction,
            "minMass": min_mass,
        },
        generation={
            "maxTokens": max_tokens,
            "temperature": temperature,
            "engine": engine,
            "engineArgs": {"dtype": dtype},
        },
        model={"uri": model, "revision": revision},
        storage={"endpoint": endpoint, "region": region},
        seed=seed,
    )
