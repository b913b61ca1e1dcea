"""`selfimprove status`: how a run stands, for a person or for a program."""

from __future__ import annotations

import sys
from dataclasses import replace

from selfimprove.cli.output import print_json
from selfimprove.cli.where import Where
from selfimprove.cluster_run import ClusterRun
from selfimprove.report import print_report
from selfimprove.store import Store


def status(run: str, where: Where, details: bool, as_json: bool) -> None:
    """Print the status object, or the tables; of a cluster's run those of its resource.

    Its storage is asked for `details` alone, which the resource does not have.
    """
    seen = where.in_cluster(run)
    if seen is not None:
        _show_resource(seen, where.find(run).store if details else None, as_json)
        return
    from selfimprove.cli.showing import show, status_document

    handle = where.find(run)
    if as_json:
        print_json(status_document(handle, details))
    else:
        show(handle, sys.stdout, details)


def _show_resource(seen: ClusterRun, storage: Store | None, as_json: bool) -> None:
    from selfimprove.artifacts import load_ledger
    from selfimprove.cli.cluster_showing import report_of, with_manifests
    from selfimprove.cli.showing import noted_document, notes_of_run
    from selfimprove.left_out import left_out_of

    if as_json:
        print_json({**seen.document, **({} if storage is None else noted_document(storage, seen.ledger))})
        return
    report = report_of(seen)
    if storage is not None:
        notes = notes_of_run(storage, seen.ledger)
        more = notes.tables(details=True)
        report = with_manifests(report, load_ledger(storage))
        report = replace(report, left_out=left_out_of(storage), details=notes.held_out, more=more)
    print_report(report, sys.stdout)
