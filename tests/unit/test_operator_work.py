"""The queue of runs to look at: one look at a time for each, none lost, none twice for nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from selfimprove_operator.work import RetryError, WorkQueue

Look = Callable[[str], Awaitable[None]]


def served(look: Look, act: Callable[[WorkQueue[str]], Awaitable[None]], workers: int = 4) -> list[Exception]:
    """What went wrong while `look` was served and `act` woke keys."""
    failures: list[Exception] = []

    async def main() -> None:
        queue: WorkQueue[str] = WorkQueue()
        serving = [
            asyncio.create_task(queue.serve(look, lambda _, error: failures.append(error))) for _ in range(workers)
        ]
        await act(queue)
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)

    asyncio.run(main())
    return failures


def test_a_key_that_is_woken_often_before_its_turn_is_looked_at_once() -> None:
    seen: list[str] = []

    async def look(key: str) -> None:
        seen.append(key)

    async def act(queue: WorkQueue[str]) -> None:
        for _ in range(5):
            queue.wake("a")
        await asyncio.sleep(0.05)

    served(look, act)
    assert seen == ["a"]


def test_a_key_that_is_woken_while_it_is_looked_at_is_looked_at_again_but_never_at_once() -> None:
    at_once = most = looks = 0

    async def look(key: str) -> None:
        nonlocal at_once, most, looks
        at_once, looks = at_once + 1, looks + 1
        most = max(most, at_once)
        await asyncio.sleep(0.5)
        at_once -= 1

    async def act(queue: WorkQueue[str]) -> None:
        for _ in range(3):
            queue.wake("a")
            await asyncio.sleep(0.02)
        await asyncio.sleep(1.5)

    served(look, act)
    assert (most, looks) == (1, 2)


def test_a_look_that_failed_is_repeated_and_its_error_told() -> None:
    looks = 0

    async def look(key: str) -> None:
        nonlocal looks
        looks += 1
        if looks == 1:
            raise ValueError("broken")

    async def act(queue: WorkQueue[str]) -> None:
        queue.wake("a")
        await asyncio.sleep(0.5)

    failures = served(look, act)
    assert looks == 2
    assert [str(error) for error in failures] == ["broken"]


def test_a_server_that_says_how_long_to_wait_is_heeded() -> None:
    looks = 0

    async def look(key: str) -> None:
        nonlocal looks
        looks += 1
        raise RetryError("busy", retry_after=60)

    async def act(queue: WorkQueue[str]) -> None:
        queue.wake("a")
        await asyncio.sleep(0.6)

    served(look, act)
    assert looks == 1


def test_of_two_times_to_look_again_the_sooner_counts() -> None:
    looks = 0

    async def look(key: str) -> None:
        nonlocal looks
        looks += 1

    async def act(queue: WorkQueue[str]) -> None:
        queue.wake_later("a", 60)
        queue.wake_later("a", 0.02)
        queue.wake_later("a", 30)
        await asyncio.sleep(0.2)

    served(look, act)
    assert looks == 1
