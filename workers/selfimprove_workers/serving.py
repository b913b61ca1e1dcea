"""Orders over a pipe, so that the one-machine executor keeps a model loaded from one step to the next.

Standard output belongs to the replies alone: libraries that print are sent to standard error. The end of standard input
means that the executor is gone, killed perhaps: the part at hand is committed and the process ends.
"""

from __future__ import annotations

import os
import queue
import sys
import threading

from pydantic import ValidationError

from selfimprove.errors import UNEXPECTED
from selfimprove.orders import Failure, Order, Reply
from selfimprove_workers.desk import Desk
from selfimprove_workers.signals import Signals

ORPHAN_GRACE_SECONDS = 20.0
"""How long an orphaned worker may take to commit its part."""


def serve() -> int:
    """Answer orders until standard input ends; the exit code."""
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    signals = Signals.installed()
    orders: queue.Queue[str | None] = queue.Queue()
    threading.Thread(target=_listen, args=(orders, signals), daemon=True).start()
    desk = Desk(signals.stopping, is_beside=True)
    while (line := _next(orders, signals)) is not None:
        reply = _answer(desk, line)
        try:
            print(reply.model_dump_json(by_alias=True, exclude_none=True), file=replies, flush=True)
        except BrokenPipeError:  # the executor is gone, and with it whoever should hear of it
            os._exit(UNEXPECTED)
    return signals.exit_code


def _next(orders: queue.Queue[str | None], signals: Signals) -> str | None:
    """The next order; None when no more will come, or a signal asked to stop."""
    while not signals.stopping.is_set():
        try:
            return orders.get(timeout=0.2)
        except queue.Empty:
            continue
    return None


def _listen(orders: queue.Queue[str | None], signals: Signals) -> None:
    for line in sys.stdin:
        if line.strip():
            orders.put(line)
    orders.put(None)
    signals.stopping.set()
    threading.Event().wait(ORPHAN_GRACE_SECONDS)
    os._exit(UNEXPECTED)


def _answer(desk: Desk, line: str) -> Reply:
    try:
        order = Order.model_validate_json(line)
    except ValidationError as error:
        return Reply(failure=Failure(step="order", exit_code=UNEXPECTED, message=str(error.errors()[0]["msg"])))
    return desk.do(order)
