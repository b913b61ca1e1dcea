"""The commands and their options, as `--help` shows them.

Beside typer only values come in here that import nothing heavy: each command brings in its own file when it runs, so
that help answers at once.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from selfimprove import __version__
from selfimprove.cli.options import (
    FLAG,
    Bootstrap,
    File,
    Files,
    Iteration,
    Json,
    OfIteration,
    OfStep,
    Plot,
    Run,
    Samples,
    Seed,
    Sets,
    Yes,
    anywhere,
    asking,
    here,
    path_here,
)
from selfimprove.cli.verify_options import Asked, asked_by_options
from selfimprove.cli.where import Where

app = typer.Typer(
    help="Let a language model generate, verify, and learn from what it kept, iteration after iteration, and see "
    "whether it still helps.",
    epilog="RUN is a FILE, the folder or URI of a run, or sir/NAME, a run of the cluster that kubectl reaches. "
    "Exit codes: 0 done, 1 unexpected, 2 wrong input, 3 failed for good, 4 the surroundings (credentials, bucket, hub, "
    "disk, cluster), 130 and 143 interrupted, with the state kept.",
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


@app.callback(invoke_without_command=True)
def selfimprove(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", metavar=FLAG, help="Show the version.")] = False,
) -> None:
    """Show help when no command is given."""
    if version:
        print(f"selfimprove {__version__}")
    elif context.invoked_subcommand is None:
        context.get_help()


@app.command()
@asking(here)
def run(
    file: File,
    *,
    where: Where,
    sets: Sets = None,
    as_json: Json = False,
) -> int:
    """Run to the end on this machine; the same command again goes on where it was, or answers at once."""
    from selfimprove.cli.run import run as command

    return command(file, where, sets or [], as_json)


@app.command()
@asking(anywhere)
def plan(
    run: Run,
    *,
    where: Where,
    sets: Sets = None,
    as_json: Json = False,
) -> None:
    """Show the next step and the reason, the resolved defaults, and what is left; does nothing."""
    from selfimprove.cli.plan import plan as command

    command(run, where, sets or [], as_json)


@app.command()
@asking(anywhere)
def status(
    run: Run,
    details: Annotated[
        bool,
        typer.Option(
            "--details", metavar=FLAG, help="Also what training made of the gap, how diverse answers are, and the tail."
        ),
    ] = False,
    *,
    where: Where,
    as_json: Json = False,
) -> None:
    """Show how a run stands: the object that a cluster shows under .status, as tables or JSON."""
    from selfimprove.cli.status import status as command

    command(run, where, details, as_json)


@app.command()
@asking(anywhere)
def plot(
    run: Run,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="Where the pictures go; made if it is not there.")
    ] = Path(),
    *,
    where: Where,
    as_json: Json = False,
) -> None:
    """Draw what became of the tail: coverage by level, accepted counts, lengths and perplexities; needs matplotlib."""
    from selfimprove.cli.plot import plot as command

    command(run, where, output, as_json)


@app.command()
def validate(files: Files, as_json: Json = False) -> int:
    """Find every problem of every file, one line each."""
    from selfimprove.cli.validate import validate as command

    return command(files, as_json)


@app.command()
@asking(anywhere)
def export(
    run: Run,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="A new or empty folder.")],
    iteration: Iteration = None,
    *,
    where: Where,
) -> None:
    """Write the best model, or M_N, as a plain folder with a model card, which transformers and vLLM load."""
    from selfimprove.cli.export import export as command

    command(run, where, iteration, output)


@app.command()
@asking(anywhere)
def samples(
    run: Run,
    iteration: Annotated[
        int | None, typer.Option("--iteration", min=0, metavar="N", help="Of iteration N; else the last with samples.")
    ] = None,
    step: Annotated[
        str, typer.Option("--step", metavar="STEP", help="generate, verify (with critiques), resample or evaluate.")
    ] = "generate",
    prompt: Annotated[str | None, typer.Option("--prompt", metavar="ID", help="Of this prompt only.")] = None,
    tail: Annotated[
        bool, typer.Option("--tail", metavar=FLAG, help="Of prompts with too few accepted samples.")
    ] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, metavar="N", help="At most N prompts.")] = 20,
    *,
    where: Where,
    as_json: Json = False,
) -> None:
    """Read samples: prompt, text, verdict, scores, weight, and why each was kept or not."""
    from selfimprove.cli.filters import Filter
    from selfimprove.cli.samples import samples as command

    command(
        run,
        where,
        Filter(iteration, step, prompt, tail, limit),
        as_json,
    )


@app.command()
@asking(anywhere)
def prune(
    run: Run,
    dry_run: Annotated[bool, typer.Option("--dry-run", metavar=FLAG, help="Show what would go.")] = False,
    *,
    where: Where,
    as_json: Json = False,
) -> None:
    """Remove what storage.retention allows to go: checkpoints, trainer states, what lost attempts left."""
    from selfimprove.cli.remove import prune as command

    command(run, where, dry_run, as_json)


@app.command()
@asking(anywhere)
def delete(
    run: Run,
    yes: Yes = False,
    *,
    where: Where,
) -> None:
    """Delete all of a run, after asking."""
    from selfimprove.cli.remove import delete as command

    command(run, where, yes)


@app.command()
def measure(
    samples: Samples,
    score: Annotated[
        list[str] | None, typer.Option("--score", metavar="NAME", help="Of the scores only this one. Repeatable.")
    ] = None,
    weighting: Annotated[
        list[str] | None,
        typer.Option(
            "--weighting",
            metavar="SPEC",
            help="Threshold:0.8, Quantile:0.7, Softmax:0.1 or TopK:2; NAME=SPEC for one score. Repeatable.",
        ),
    ] = None,
    combine: Annotated[
        str, typer.Option("--combine", metavar="All|Mean", help="All filters together, or the mean of ranks.")
    ] = "All",
    k: Annotated[str | None, typer.Option("--k", metavar="1,2,4", help="Of pass@k; else powers of 2.")] = None,
    by: Annotated[str | None, typer.Option("--by", metavar="level", help="Each difficulty level too.")] = None,
    bootstrap: Bootstrap = 2000,
    seed: Seed = 0,
    iteration: OfIteration = None,
    step: OfStep = None,
    as_json: Json = False,
) -> None:
    """Measure any scored samples, or those of a run: gap, coverage, pass@k, what each verifier is worth."""
    from selfimprove.cli.measure import measure as command

    command(samples, iteration, step, score or [], weighting or [], combine, k, by, bootstrap, seed, as_json)


@app.command()
@asking(asked_by_options, "asked")
def verify(
    *,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="OUT", help="A .jsonl or .parquet file, which `measure` reads.")
    ],
    asked: Asked,
    samples: Annotated[
        Path,
        typer.Argument(
            metavar="SAMPLES", parser=path_here, help="Rows with question and response, .jsonl or .parquet."
        ),
    ],
) -> None:
    """Score any samples by any verification method and model; no run is needed. The same command again goes on."""
    from selfimprove.cli.verify import verify as command

    command(asked, samples, output)


@app.command()
def sweep(
    samples: Samples,
    score: Annotated[
        str | None, typer.Option("--score", metavar="NAME", help="The score to cut by, where there are several.")
    ] = None,
    weighting: Annotated[
        str,
        typer.Option(
            "--weighting", metavar="TYPE", help="Quantile, Threshold, TopK or Softmax; Quantile:0.5,0.7 for these cuts."
        ),
    ] = "Quantile",
    plot: Plot = None,
    bootstrap: Bootstrap = 2000,
    seed: Seed = 0,
    iteration: OfIteration = None,
    step: OfStep = None,
    as_json: Json = False,
) -> None:
    """Show the gap against the threshold of a score of any samples, with its interval."""
    from selfimprove.cli.sweep import sweep as command

    command(samples, iteration, step, score, weighting, plot, bootstrap, seed, as_json)


@app.command()
@asking(anywhere)
def compare(
    run: Run,
    other: Run,
    *,
    where: Where,
    bootstrap: Bootstrap = 2000,
    seed: Annotated[
        int | None, typer.Option("--seed", min=0, metavar="N", help="Of the bootstrap; else each run's own, as status.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Compare the best models of two runs on the held-out prompts they share, and show the settings that differ."""
    from selfimprove.cli.compare import compare as command

    command(run, other, where, bootstrap, seed, as_json)


@app.command()
def matrix(
    spec: Annotated[
        Path, typer.Argument(metavar="SPEC", help="YAML: generators, verifiers, dataset, samplesPerPrompt, weighting.")
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="DIR", help="For matrix.json, matrix.png and the samples."),
    ] = None,
    storage: Annotated[
        str, typer.Option("--storage", metavar="DIR", help="Where the generators' runs lie.")
    ] = "./runs",
    bootstrap: Bootstrap = 2000,
    as_json: Json = False,
) -> None:
    """Show what every generator's samples gain under every verifier's scores (generators x verifiers); goes on."""
    from selfimprove.cli.matrix import matrix as command

    command(spec, output, storage, bootstrap, as_json)


@app.command()
def scaling(
    table: Annotated[
        Path,
        typer.Argument(
            metavar="TABLE",
            help="Models, .csv or .jsonl: model, family, relativeGap, and flops or parameters and tokens.",
        ),
    ],
    plot: Plot = None,
    as_json: Json = False,
) -> None:
    """Fit the relative gap against pre-training FLOPs (6ND, or as given), a line in their logarithm for each family."""
    from selfimprove.cli.scaling import scaling as command

    command(table, plot, as_json)


@app.command()
def crd() -> None:
    """Print the CustomResourceDefinition of the SelfImprovementRun, made from the models, as YAML."""
    from selfimprove.cli.crd import crd as command

    command()
