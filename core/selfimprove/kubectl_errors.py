"""What kubectl complains of, as one line with the remedy and the exit code that goes with it.

A name that is wrong is the user's to mend; a cluster that does not answer or does not know us is the surroundings'.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from selfimprove.errors import SelfImproveError, SurroundingsError, UserError


class Complaint(NamedTuple):
    """One kind of complaint: how it is known, whose it is to mend, what it means, and what helps."""

    pattern: str
    error: type[SelfImproveError]
    cause: str
    remedy: str


def explain(run: str, complaint: str, namespace: str | None, list_line: str) -> SelfImproveError:
    """The error to raise for what kubectl wrote: `UserError` or `SurroundingsError`.

    `list_line`: the command that lists all runs of that cluster.
    """
    said = next((line.strip() for line in reversed(complaint.splitlines()) if line.strip()), "it said nothing")
    found = next((each for each in COMPLAINTS if re.search(each.pattern, said, re.IGNORECASE)), OTHER)
    place = f"namespace {namespace}" if namespace else "the namespace of kubectl's context"
    cause, remedy = found.cause.format(place=place), found.remedy.format(list=list_line)
    return found.error(f"{run}: {cause} ({_short(said)}); {remedy}")


def _short(text: str) -> str:
    return text if len(text) <= 300 else f"{text[:297]}..."


COMPLAINTS = (
    Complaint(
        r"\(NotFound\): \S+ \".*\" not found",
        UserError,
        "there is no such run in {place}",
        "give -n NAMESPACE for another one; `{list}` shows all runs",
    ),
    Complaint(
        r"context .*(not found|does not exist)",
        UserError,
        "there is no such context",
        "give --context one of `kubectl config get-contexts`",
    ),
    Complaint(
        r"loading config file|^error: stat |invalid configuration",
        UserError,
        "kubectl's configuration can't be read",
        "correct --kubeconfig or KUBECONFIG",
    ),
    Complaint(
        r"doesn't have a resource type|could not find the requested resource",
        SurroundingsError,
        "this cluster has no SelfImprovementRuns",
        "install the chart there, or give --context NAME of another cluster",
    ),
    Complaint(
        r"\(Forbidden\)",
        SurroundingsError,
        "the cluster does not let you read it",
        "ask for the right to get selfimprovementruns in that namespace",
    ),
    Complaint(
        r"\(Unauthorized\)|logged in|credentials|^error: EOF|exec plugin",
        SurroundingsError,
        "the cluster does not know you",
        "log in to it as for kubectl, then run the same command again",
    ),
    Complaint(
        r"was refused|unable to connect|dial tcp|timeout|timed out|no such host|deadline exceeded|x509|reset by|EOF",
        SurroundingsError,
        "no cluster answers",
        "check the network and `kubectl config current-context`, or give --context NAME",
    ),
)
"""Asked in this order, of the last line that kubectl wrote."""

OTHER = Complaint("", SurroundingsError, "kubectl can't read it", "mend that, then run the same command again")
