"""`selfimprove status`: how a run stands, for a person or for a program."""

from __future__ import annotations

import sys

from selfimprove.cli.output import print_json
from selfimprove.cli.where import Where
from selfimprove.cluster_run import ClusterRun
from selfimprove.report import print_report


def status(run: str, where: Where, as_json: bool) -> None:
    """Print the status object, or the tables; of a cluster's run those of its resource, without its storage."""
    seen = where.in_cluster(run)
    if seen is not None:
        _show_resource(seen, as_json)
        return
    from selfimprove.cli.showing import show, status_document

    handle = where.find(run)
    if as_json:
        print_json(status_document(handle))
    else:
        show(handle, sys.stdout)


def _show_resource(seen: ClusterRun, as_json: bool) -> None:
    from selfimprove.cli.cluster_showing import report_of

    if as_json:
        print_json(seen.document)
    else:
        print_report(report_of(seen), sys.stdout)
