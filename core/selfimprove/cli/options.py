"""Options that several commands take; those that say where a run is come to a command as one value."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from selfimprove.cli.where import Where
from selfimprove.kubectl import Kubectl

Result = TypeVar("Result")

FLAG = ""
"""What an option is shown to take that takes nothing."""


def path_here(word: str) -> Path:
    """A path that a person names. Raises `UserError` for a place elsewhere, as it was given: a `Path` loses a slash."""
    from selfimprove.api.uris import file_of

    return file_of(word)


File = Annotated[str, typer.Argument(metavar="FILE", help="YAML of one SelfImprovementRun, as a cluster takes it.")]
Files = Annotated[list[str], typer.Argument(metavar="FILE", help="YAML of SelfImprovementRuns.")]
Run = Annotated[
    str, typer.Argument(metavar="RUN", help="A FILE, the folder or URI of a run, or sir/NAME of a cluster.")
]
Storage = Annotated[
    str | None, typer.Option("--storage", metavar="URI", help="Where runs lie; else spec.storage.uri, else ./runs.")
]
Endpoint = Annotated[
    str | None,
    typer.Option("--endpoint", metavar="URL", help="The S3 server to ask from here; else the run's own, or AWS's."),
]
Region = Annotated[
    str | None, typer.Option("--region", metavar="NAME", help="Its region; else the run's own, or AWS_REGION.")
]
_CLUSTER = "A cluster's run, sir/NAME (as kubectl has them)"
Namespace = Annotated[
    str | None,
    typer.Option("--namespace", "-n", metavar="NAME", help="Where it is.", rich_help_panel=_CLUSTER),
]
Context = Annotated[
    str | None, typer.Option("--context", metavar="NAME", help="Which cluster.", rich_help_panel=_CLUSTER)
]
Kubeconfig = Annotated[
    str | None, typer.Option("--kubeconfig", metavar="FILE", help="Clusters and logins.", rich_help_panel=_CLUSTER)
]
Sets = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="PATH=VALUE", help="Change a field of FILE, as spec.maxIterations=5. Repeatable."),
]
Json = Annotated[
    bool, typer.Option("--json", metavar=FLAG, help="One JSON document on standard output, and nothing else there.")
]
Iteration = Annotated[int | None, typer.Option("--iteration", min=0, metavar="N", help="n of the model M_n.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", metavar=FLAG, help="Do not ask.")]
Samples = Annotated[
    Path,
    typer.Argument(metavar="SAMPLES", parser=path_here, help="Rows of samples, .jsonl or .parquet; or a run's folder."),
]
OfIteration = Annotated[
    int | None, typer.Option("--iteration", min=0, metavar="N", help="Of a run: iteration N; else the last.")
]
OfStep = Annotated[
    str | None,
    typer.Option("--step", metavar="STEP", help="Of a run: verify (training prompts) or evaluate (held out)."),
]
Bootstrap = Annotated[int, typer.Option("--bootstrap", min=100, metavar="N", help="Resamples.")]
Seed = Annotated[int, typer.Option("--seed", min=0, metavar="N", help="Of the bootstrap.")]
Plot = Annotated[
    Path | None, typer.Option("--plot", metavar="FILE.png", help="Draw it too (also .svg, .pdf); needs matplotlib.")
]


def here(storage: Storage = None, endpoint: Endpoint = None, region: Region = None) -> Where:
    """Where a run of this machine is."""
    return Where(storage, endpoint, region)


def anywhere(
    storage: Storage = None,
    endpoint: Endpoint = None,
    region: Region = None,
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> Where:
    """Where a run is, of this machine or of a cluster."""
    return Where(storage, endpoint, region, Kubectl(namespace, context, kubeconfig))


def asking(value: Callable[..., object], of: str = "where") -> Callable[[Callable[..., Result]], Callable[..., Result]]:
    """Gives a command the options of `value` in place of its parameter `of`, which gets what they come to."""
    found = inspect.signature(value, eval_str=True).parameters
    options = {name: option.replace(kind=inspect.Parameter.KEYWORD_ONLY) for name, option in found.items()}

    def given(command: Callable[..., Result]) -> Callable[..., Result]:
        parameters: list[inspect.Parameter] = []
        for name, parameter in inspect.signature(command, eval_str=True).parameters.items():
            parameters += options.values() if name == of else [parameter]

        @wraps(command)
        def with_options(**values: Any) -> Result:
            return command(**{of: value(**{name: values.pop(name) for name in options})}, **values)

        with_options.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        with_options.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        return with_options

    return given
