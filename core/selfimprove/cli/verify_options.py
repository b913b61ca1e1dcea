"""The options of `selfimprove verify`, and the value that they come to.

Nothing heavy is brought in here: help answers at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from selfimprove.cli.options import Endpoint, Region


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
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="Who judges: hf://, s3://, package://, a folder or a GGUF file.")
    ],
    method: Annotated[
        list[str],
        typer.Option(
            "--method",
            metavar="[NAME=]TYPE",
            help="MultipleChoice, CoTScore, CoTBinary, Tournament, Likelihood or MajorityVote; its scores are "
            "scores.NAME. Repeatable.",
        ),
    ],
    template: Annotated[
        str | None, typer.Option("--template", metavar="NAME|FILE", help="What is asked: one of ours, or a Jinja file.")
    ] = None,
    labels: Annotated[
        list[str] | None,
        typer.Option(
            "--labels",
            metavar="[NAME=]YES/NO",
            help="Of MultipleChoice or Tournament; of the method NAME. Repeatable.",
        ),
    ] = None,
    range: Annotated[
        str | None, typer.Option("--range", metavar="LOW-HIGH", help="Of CoTScore; 1-10 by default.")
    ] = None,
    votes: Annotated[int, typer.Option("--votes", metavar="N", help="Critiques, or tournaments, of a sample.")] = 1,
    reduction: Annotated[
        str | None, typer.Option("--reduction", metavar="Mean|Sum", help="Of Likelihood; Mean by default.")
    ] = None,
    min_mass: Annotated[
        float | None, typer.Option("--min-mass", metavar="P", help="Below it MultipleChoice gives no score.")
    ] = None,
    max_tokens: Annotated[int, typer.Option("--max-tokens", metavar="N", help="Of a critique.")] = 512,
    temperature: Annotated[float, typer.Option("--temperature", metavar="T", help="Of critiques.")] = 0.7,
    engine: Annotated[str, typer.Option("--engine", metavar="NAME", help="Auto, VLLM or Transformers.")] = "Auto",
    dtype: Annotated[
        str, typer.Option("--dtype", metavar="NAME", help="auto, bfloat16, float16 or float32: what MODEL computes in.")
    ] = "auto",
    revision: Annotated[str | None, typer.Option("--revision", metavar="REV", help="Of an hf:// MODEL.")] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, metavar="N", help="Of critiques and tournaments.")] = 0,
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
