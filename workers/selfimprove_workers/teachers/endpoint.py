"""A server that speaks OpenAI's chat completions teaches: many questions at once, each with its own deadline.

Servers are busy, slow, down or confused, and a run must not be: what heals is tried again with growing pauses (or as
long as the server says), what is too long is asked shorter, and what fails for good is an answer too, with its reason.
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
import threading
from collections.abc import Callable, Generator, Mapping, Sequence

import httpx

from selfimprove.api import selecting
from selfimprove.api.secret_names import prefix_of
from selfimprove.secret_values import masked, usable
from selfimprove_workers.teachers.base import Answer, Question, Trouble
from selfimprove_workers.teachers.dialect import Dialect
from selfimprove_workers.teachers.endpoint_check import (
    BEFORE_CHAT,
    CHAT,
    FIELD,
    KEY,
    MORE_QUOTA,
    EndpointCheck,
    with_words,
)
from selfimprove_workers.teachers.replies import (
    BAD_KEY,
    BUSY,
    MOST_BYTES,
    answered,
    is_chat,
    is_count,
    is_silent,
    out_of_quota,
    overflows,
    parsed,
    retry_after,
    text_of,
    within,
)

_REMEDIES = {
    **dict.fromkeys((200, 301, 302, 307, 308, 404, 405), f"{BEFORE_CHAT} as apiURL"),
    **dict.fromkeys(BAD_KEY, f"give the right {KEY}"),
}
_MOST_SAID = 300
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0
_MOST_LOST = 3
"""Deadlines in a row that nothing is heard in, after which a server is left alone until the next round."""
_LOOK_EVERY = 0.2
"""Seconds between looks at whether the step was told to stop."""

_log = logging.getLogger(__name__)


def key_of(settings: selecting.Teacher) -> str | None:
    """The endpoint's key, from the environment: of its own Secret, else the usual one; None for a server that has none.

    An empty variable is as good as none, but where a Secret is named: who names one means a key to be there.
    In a cluster the Secret named by `credentialsSecretName` is what the variable refers to: where that is empty,
    another key must not go to its server. Raises `SurroundingsError` for a key that is none.
    """
    secret = settings.credentials_secret_name
    own = os.environ.get(prefix_of(secret) + KEY) if secret else None
    value = own if own is not None else os.environ.get(KEY)
    if value is None or (not value and not secret):
        return None
    return usable(value, f"{FIELD}.credentialsSecretName", KEY)


class EndpointTeacher:
    """Asks `teacher.model` at `teacher.apiURL`. `count`: tokens of a text, for servers that do not say."""

    def __init__(
        self,
        settings: selecting.Teacher,
        key: str | None,
        max_tokens: int,
        stopping: threading.Event,
        count: Callable[[str], int],
        first_pause: float = _FIRST_PAUSE,
    ) -> None:
        self._settings, self._dialect, self._stopping, self._count = settings, Dialect(max_tokens), stopping, count
        self._url, self.at_once = str(settings.api_url).rstrip("/"), settings.parallelism
        self._key, self._warned = key, set[int | str]()
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._first_pause = first_pause
        self._lost, self._given_up, self._on_trial = 0, False, False
        self._has_answered, self._only_late = False, True
        self._failure, self._words, self._is_answering = "", "", False
        self._asked, self._unanswered, self._too_long, self._cause = 0, 0, 0, ""

    def check(self, tries: bool = False) -> None:
        """Ask the server which models it has. One that has no such list is believed, or (`tries`) tried out.

        That costs one token at most, which no budget counts. Raises what `EndpointCheck.run` does.
        """
        EndpointCheck(self._url, self._settings.model, self._headers, self._line).run(tries)

    def begin_round(self) -> None:
        """A server that was given up is tried again, by one question alone."""
        if self._given_up:
            self._given_up, self._on_trial, self._lost = False, True, self._patience - 1
            self._only_late = True

    def end_step(self) -> None:
        """Say how many questions have no answer, and why the last has none: a server need not be given up for that."""
        if self._unanswered:
            left = f"{self._unanswered:,} of {self._asked:,} questions of this step have no answer"
            _log.warning("%s.apiURL: %s: %s; the last: it %s", FIELD, self._url, left, self._cause)
        if self._too_long and self._too_long == self._asked:
            _log.warning(
                "%s.model: %s: every question of this step (%d) is too long for it, whose context holds an attempt and "
                "a critique of generation.maxTokens each; give a lower one, or a teacher with a longer context",
                FIELD,
                self._settings.model,
                self._asked,
            )

    def answers(self, questions: Sequence[Question]) -> Generator[Answer]:
        """One answer a question, `teacher.parallelism` of them on their way at a time."""
        alone = 1 if self._on_trial else 0
        yield from self._answers(questions[:alone])
        yield from self._answers(questions[alone:])

    def _answers(self, questions: Sequence[Question]) -> Generator[Answer]:
        with asyncio.Runner() as runner:
            client = runner.run(self._client())
            gate = asyncio.Semaphore(self._settings.parallelism)
            loop = runner.get_loop()
            tasks = [loop.create_task(self._in_turn(gate, client, question)) for question in questions]
            try:
                for task in tasks:
                    answer = runner.run(self._unless_stopped(task))
                    if answer is None:
                        return
                    yield answer
            finally:
                for task in tasks:
                    task.cancel()
                runner.run(client.aclose())

    async def _client(self) -> httpx.AsyncClient:
        limits = httpx.Limits(max_connections=self._settings.parallelism)
        # No timeout of its own: the deadline holds, and what it ends is told from what the server failed at.
        return httpx.AsyncClient(headers=self._headers, limits=limits, timeout=None)

    async def _unless_stopped(self, task: asyncio.Task[Answer]) -> Answer | None:
        while not task.done():
            await asyncio.wait({task}, timeout=_LOOK_EVERY)
            if self._stopping.is_set() and not task.done():
                return None
        return task.result()

    async def _in_turn(self, gate: asyncio.Semaphore, client: httpx.AsyncClient, question: Question) -> Answer:
        async with gate:
            self._asked += 1
            if self._given_up:
                self._unanswered += 1
                return Answer(trouble=Trouble.UNREACHABLE)
            answer = await self._by_the_deadline(client, question)
        self._notice(answer)
        return answer

    @property
    def _patience(self) -> int:
        """Failures in a row after which nobody waits any more: of some windows of questions on their way together."""
        return _MOST_LOST * self._settings.parallelism

    def _notice(self, answer: Answer) -> None:
        self._too_long += answer.trouble is Trouble.TOO_LONG
        if answer.trouble is not Trouble.UNREACHABLE:
            if self._on_trial:
                _log.warning("%s.apiURL: %s answers again", FIELD, self._url)
            self._lost, self._on_trial = 0, False
            self._has_answered, self._only_late = True, True
            return
        self._lost += 1
        self._unanswered += 1
        if self._lost >= self._patience and not self._given_up:
            silence = self._silence()
            self._given_up, self._on_trial = True, False
            _log.warning(
                "%s.apiURL: %s %s; going on without critiques until the next round, which tries once",
                FIELD,
                self._url,
                silence,
            )

    def _silence(self) -> str:
        """In what way a server that is given up does not answer, with the remedy where that is the deadline's.

        One that said something is told by it: who reads of silence looks for a server that is down.
        """
        if not self._only_late and self._is_answering:
            return with_words(f"{'still ' if self._on_trial else ''}{self._failure} to every try", self._words)
        does_not = "no longer answers" if self._has_answered else "does not answer"
        how = "still does not answer" if self._on_trial else does_not
        if not self._only_late:
            return f"{how} ({self._failure})"
        deadline = f"{how} within deadlineSeconds {self._settings.deadline_seconds}"
        return f"{deadline}: raise it, lower parallelism or give a faster server"

    async def _by_the_deadline(self, client: httpx.AsyncClient, question: Question) -> Answer:
        failed = asyncio.Event()
        try:
            async with asyncio.timeout(self._settings.deadline_seconds):
                return await self._ask(client, question, failed)
        except TimeoutError:
            self._only_late = self._only_late and not failed.is_set()
            self._cause = self._cause_of(failed.is_set())
            return Answer(trouble=Trouble.UNREACHABLE)

    def _cause_of(self, has_failed: bool) -> str:
        """Why one question has no answer, with the remedy."""
        deadline = f"deadlineSeconds {self._settings.deadline_seconds}"
        if not has_failed:
            return f"did not answer within {deadline}: raise it, lower parallelism or give a faster server"
        if not self._is_answering:
            return f"{self._failure}, until {deadline} were over"
        remedy = "lower parallelism or raise deadlineSeconds"
        return f"{with_words(f'{self._failure} to every try within {deadline}', self._words)}; {remedy}"

    async def _ask(self, client: httpx.AsyncClient, question: Question, failed: asyncio.Event) -> Answer:
        """`failed` is set where the server was down or busy: then it is not the deadline alone that ends the wait."""
        texts, pause, lot = list(question.texts), self._first_pause, random.Random(question.seed)
        while True:
            parameters = self._dialect.parameters(question.seed)
            try:
                status, headers, body = await self._post(client, texts[0], parameters)
                is_answering, failure = True, answered(status)
            except httpx.HTTPError as error:
                status, headers, body = 503, {}, b""
                is_answering, failure = False, _broken(error)
            if status == 200:
                return self._read(body)
            if status in BUSY and not out_of_quota(status, body):
                failed.set()
                self._is_answering, self._failure, self._words = is_answering, failure, self._said(body)
                await asyncio.sleep(retry_after(headers) or pause * lot.uniform(0.5, 1.5))
                pause = min(2 * pause, _LONGEST_PAUSE)
            elif overflows(status, body):
                texts.pop(0)
                if not texts:
                    return Answer(trouble=Trouble.TOO_LONG)
            elif refused := self._dialect.learn(parameters, status, body):
                self._tell_of(refused, status, body)
            else:
                self._warn_of(status, body)
                return Answer(trouble=Trouble.REFUSED)

    def _warn_of(self, status: int, body: bytes) -> None:
        """Say once for each status what the server said: it may say it to every question."""
        if status not in self._warned:
            self._warned.add(status)
            remedy = MORE_QUOTA if out_of_quota(status, body) else _REMEDIES.get(status)
            said = with_words(f"answered {status} to a question", self._said(body))
            _log.warning("%s: %s %s%s", FIELD, self._url, said, f"; {remedy}" if remedy else "")

    def _tell_of(self, refused: str, status: int, body: bytes) -> None:
        """Say once of a parameter that this server does not take it: questions go on without, or by its new name."""
        if refused not in self._warned:
            self._warned.add(refused)
            said = with_words(f"answered {status}", self._said(body))
            _log.info("%s: %s does not take %s (it %s); asked again without", FIELD, self._url, refused, said)

    async def _post(
        self, client: httpx.AsyncClient, text: str, parameters: Mapping[str, object]
    ) -> tuple[int, Mapping[str, str], bytes]:
        request = {"model": self._settings.model, "messages": [{"role": "user", "content": text}], **parameters}
        body = bytearray()
        async with client.stream("POST", f"{self._url}{CHAT}", json=request) as response:
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > MOST_BYTES:
                    break
        return response.status_code, response.headers, bytes(body)

    def _read(self, body: bytes) -> Answer:
        """What an answer says and cost: by its own count, else by ours."""
        document = parsed(body)
        if not is_chat(document):
            self._warn_of(200, body)
        text = text_of(within(document, "choices", 0, "message", "content"))
        used = within(document, "usage", "completion_tokens")
        told = is_count(used)
        tokens = used if told else self._count(text or "")
        if text is None or not (told or is_silent(document)):
            return Answer(tokens=tokens, trouble=Trouble.NONSENSE)
        return Answer(text, tokens)

    def _said(self, body: bytes) -> str:
        return self._line(body.decode(errors="replace"))

    def _line(self, text: str) -> str:
        """What somebody else said, as the beginning of one line without the key."""
        plain = masked(text, self._key).encode(errors="replace").decode()
        return " ".join(plain.split())[:_MOST_SAID]


def _broken(error: httpx.HTTPError) -> str:
    """What became of a question that no answer came to, in a few words."""
    if isinstance(error, httpx.TimeoutException):
        return "timed out"
    return "can't be connected to" if isinstance(error, httpx.ConnectError) else "broke the connection"
