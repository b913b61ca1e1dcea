"""`selfimprove-worker`: does one order, or serves them one after another on a model that stays loaded.

    selfimprove-worker ORDER.json        the order in a file; `-` for standard input; else in SELFIMPROVE_ORDER
    selfimprove-worker serve             an order a line on standard input, a reply a line on standard output
    selfimprove-worker fetch-model       M_0 as a plain folder, for `selfimprove export`
    selfimprove-worker score-samples     scores of any samples, for `selfimprove verify` and `matrix`
    selfimprove-worker sandbox --socket PATH    runs programs that a model wrote, for the worker in the next container

A step that is committed already is answered at once. SIGTERM and SIGINT commit the part at hand and end with 143 and
130. The exit codes are those of `selfimprove.errors`.

In a pod: JOB_COMPLETION_INDEX is the shard; SELFIMPROVE_ATTEMPT, the pod's uid, makes the order's attempt its own; the
last word goes to the file TERMINATION_LOG, the summaries of what was done, or why not, and then how far it is as a line
`{"promptsDone": 12}`.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
from pathlib import Path

from pydantic import ValidationError

from selfimprove.errors import DONE, FAILED, WRONG_INPUT, UserError
from selfimprove.failing import shortened
from selfimprove.orders import Failure, Order
from selfimprove.secret_values import MaskingFormatter
from selfimprove.summaries import MAX_BYTES, Summary
from selfimprove.verdicts import UTILITY
from selfimprove_workers.cgroups import cpu_limit
from selfimprove_workers.hushing import stay_hushed
from selfimprove_workers.orphans import end_with_parent, stop_with_starter
from selfimprove_workers.signals import Signals
from selfimprove_workers.threads import keep_to_limit, visible_cores

_OF_A_UID = 12
"""Digits of a pod's uid that tell its attempt from those of other pods."""


def main(arguments: list[str] | None = None) -> None:
    """The entry point."""
    words = sys.argv[1:] if arguments is None else arguments
    command = words[0] if words else ""
    _log_to_standard_error()
    keep_to_limit(os.environ, cpu_limit(), visible_cores())  # before any library that has threads is imported
    if command in ("-h", "--help"):
        print(__doc__)
        raise SystemExit(DONE)
    if command == "serve":
        from selfimprove_workers.serving import serve

        raise SystemExit(serve())
    if command == "fetch-model":
        from selfimprove_workers.fetching import fetch_model

        raise SystemExit(fetch_model(sys.stdin.read()))
    if command == "score-samples":
        from selfimprove_workers.scoring import score_samples

        raise SystemExit(score_samples(sys.stdin.read()))
    if command == "sandbox":
        from selfimprove_workers.sandbox.client import serve as serve_sandbox

        serve_sandbox(words[1:])
    raise SystemExit(work(command))


def work(source: str) -> int:
    """Do the one order at `source`; the exit code."""
    signals = Signals.installed()  # first: as process 1 of a pod, nothing would end us before
    try:
        order = read_order(source)
    except UserError as error:
        return fail(str(error), WRONG_INPUT)
    from selfimprove_workers.desk import Desk

    reply = Desk(signals.stopping).do(order)
    for summary in reply.summaries:
        print(_json(summary), flush=True)
    if reply.failure is not None:
        return give_up(reply.failure, signals.exit_code or reply.failure.exit_code)
    leave(last_word(reply.summaries))
    return DONE


def read_order(source: str) -> Order:
    """The order in a file, on standard input (`-`), or in the environment. Raises `UserError` for one that is none."""
    text = _order_text(source)
    try:
        order = Order.model_validate_json(text)
        order = Order.model_validate({**order.model_dump(), **_of_the_pod(order)})
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"])) or "the document"
        raise UserError(f"order.{field}: {first['msg']}; give an order as the executor writes it") from error
    if order.shard >= order.shards:
        raise UserError(f"order.shard: {order.shard} is not one of {order.shards} shards; give 0 to {order.shards - 1}")
    return order


def last_word(summaries: list[Summary]) -> str:
    """What a pod ends with: its summary, or those of several steps as one JSON list.

    Where the list would be cut, the latest steps stay: what they say of earlier ones is in storage.
    """
    documents = [_fitting(summary) for summary in summaries]
    while len(documents) > 1 and len(f"[{','.join(documents)}]".encode()) > MAX_BYTES:
        documents.pop(0)
    return documents[0] if len(summaries) == 1 else f"[{','.join(documents)}]"


def _fitting(summary: Summary) -> str:
    """A summary as JSON, without the counts that only its manifest has room for: of a thousand levels, say."""
    document = _json(summary)
    if len(document.encode()) <= MAX_BYTES:
        return document
    verdicts = {name: count for name, count in summary.counts.items() if name in UTILITY}
    return _json(summary.model_copy(update={"counts": verdicts}))


def give_up(failure: Failure, exit_code: int) -> int:
    """Say why a step did not end well and, where it will be tried again, how far it is all the same."""
    again = exit_code not in (WRONG_INPUT, FAILED)
    progress = json.dumps({"promptsDone": failure.prompts_done}) if again else ""
    return fail(f"{failure.step}: {failure.message}", exit_code, progress)


def fail(message: str, exit_code: int, more: str = "") -> int:
    """Say why, where a person looks and where the operator does; gives the exit code back.

    `more`: a last line, for the operator alone.
    """
    print(f"error: {message}", file=sys.stderr, flush=True)
    rest = f"\n{more}" if more else ""
    leave(shortened(f"error: {message}", MAX_BYTES - len(rest)) + rest)
    return exit_code


def leave(text: str) -> None:
    """Put the last word into the file that TERMINATION_LOG names. Work that is committed outlives a log that is not."""
    path = os.environ.get("TERMINATION_LOG")
    if not path:
        return
    try:
        Path(path).write_text(text)
    except OSError as error:
        print(f"TERMINATION_LOG: {path} can't be written ({error.strerror})", file=sys.stderr, flush=True)


def _of_the_pod(order: Order) -> dict[str, str]:
    """What every pod of a Job has of its own: its index, and an attempt that no other pod writes to."""
    own: dict[str, str] = {}
    if index := os.environ.get("JOB_COMPLETION_INDEX"):
        own["shard"] = index
    if uid := os.environ.get("SELFIMPROVE_ATTEMPT"):
        own["attempt"] = f"{order.attempt}-{re.sub('[^A-Za-z0-9]', '', uid)[:_OF_A_UID]}"
    return own


def _json(summary: Summary) -> str:
    return summary.model_dump_json(by_alias=True, exclude_none=True)


def _log_to_standard_error() -> None:
    """Our own lines from INFO up (which engine, on what, why not another), the libraries' from WARNING up.

    Ours are made from DEBUG up, for the step's log.
    """
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    logging.captureWarnings(True)
    for handler in logging.getLogger().handlers:
        handler.setLevel(logging.INFO)
        handler.setFormatter(MaskingFormatter("%(message)s"))
    for ours in ("selfimprove", "selfimprove_workers"):
        logging.getLogger(ours).setLevel(logging.DEBUG)


def _order_text(source: str) -> str:
    if source == "-":
        return sys.stdin.read()
    if source:
        try:
            return Path(source).read_text()
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(f"order: {source} can't be read ({error}); give a file, - or SELFIMPROVE_ORDER") from error
    if text := os.environ.get("SELFIMPROVE_ORDER"):
        return text
    raise UserError("order: there is none; give a file, - for standard input, or SELFIMPROVE_ORDER")


# vLLM's own processes begin by importing this: they would outlive us, and warn while they import vLLM.
end_with_parent()
stay_hushed()

if __name__ == "__main__":
    stop_with_starter()
    main()
