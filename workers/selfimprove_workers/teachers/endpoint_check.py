"""What can be known of an endpoint before any GPU time: it is there, takes the key, has the model, and chats."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import urlsplit

import httpx

from selfimprove.errors import SurroundingsError, UserError
from selfimprove_workers.teachers.replies import (
    BAD_KEY,
    BUSY,
    MOST_BYTES,
    answered,
    is_chat,
    models_of,
    out_of_quota,
    parsed,
)

FIELD = "spec.resampling.teacher"
KEY = "OPENAI_API_KEY"
CHAT = "/chat/completions"
BEFORE_CHAT = f"give the address before {CHAT}"
MORE_QUOTA = "raise its quota, or give another teacher"
_SECONDS = 20.0
_ELSEWHERE = (404, 405, 410)


class EndpointCheck:
    """Looks at one endpoint. `line`: makes one line without the key of what a server said."""

    def __init__(self, url: str, model: str | None, headers: Mapping[str, str], line: Callable[[str], str]) -> None:
        self._url, self._model, self._headers, self._line = url, model, headers, line

    def run(self, tries: bool) -> None:
        """Ask which models it has; one that shows no such list is believed, or (`tries`) asked to chat, for one token.

        A key may be for chats alone, so that one refused for the list is asked to chat too.

        Raises `UserError` for what the spec has wrong, `SurroundingsError` for what may heal; who only is too busy to
        chat passes.
        """
        try:
            status, _, body = self._reply("GET", "/models")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self._down(self._line(str(error)) or type(error).__name__) from error
        if status in BUSY:
            raise self._down(self._answer(status, body))
        served = models_of(parsed(body)) if status == 200 else []
        if served and self._model not in served:
            raise self._not_served(self._line(_some(served)))
        if not served and (tries or status in BAD_KEY):
            self._try()

    def _try(self) -> None:
        question = {"model": self._model, "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 1}
        try:
            status, headers, body = self._reply("POST", CHAT, question)
        except httpx.HTTPError:
            return
        self._refuse_for_good(status, body)
        said = body.decode(errors="replace")
        if status == 404 and self._model and self._model in said and "model" in said.casefold():
            raise self._not_served(f"one that is: it {self._answer(status, body)}")
        if 300 <= status < 400:
            where = self._line(headers.get("location", ""))
            raise self._no_chat(f"{answered(status)}, a redirect to {where}", where)
        if status in _ELSEWHERE or (200 <= status < 300 and not is_chat(parsed(body))):
            raise self._no_chat(self._answer(status, body))

    def _reply(self, method: str, path: str, question: object = None) -> tuple[int, Mapping[str, str], bytes]:
        """Status, headers and body, as far as it comes in time: a server may drip without end."""
        body, until = bytearray(), time.monotonic() + _SECONDS
        asking = httpx.stream(
            method, f"{self._url}{path}", headers=dict(self._headers), json=question, timeout=_SECONDS
        )
        with asking as response:
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > MOST_BYTES:
                    break
                if time.monotonic() > until:
                    raise httpx.ReadTimeout("timed out")
        return response.status_code, response.headers, bytes(body)

    def _refuse_for_good(self, status: int, body: bytes) -> None:
        if status in BAD_KEY:
            raise SurroundingsError(
                f"{FIELD}.credentialsSecretName: {self._url} does not take the key ({status}); "
                f"give the right {KEY}, in the environment or in that Secret"
            )
        if out_of_quota(status, body):
            raise SurroundingsError(
                f"{FIELD}.credentialsSecretName: {self._url} gives this key no more ({self._answer(status, body)}); "
                f"{MORE_QUOTA}"
            )

    def _answer(self, status: int, body: bytes) -> str:
        return with_words(answered(status), self._line(body.decode(errors="replace")))

    def _down(self, what: str) -> SurroundingsError:
        return SurroundingsError(
            f"{FIELD}.apiURL: {self._url} can't be asked ({what}); start it, or begin a run with another "
            "address or strategy"
        )

    def _not_served(self, instead: str) -> UserError:
        return UserError(f"{FIELD}.model: {self._model} is not served at {self._url}; give {instead}")

    def _no_chat(self, what: str, leads_to: str = "") -> UserError:
        home = urlsplit(self._url)
        there = leads_to.removesuffix(CHAT) if leads_to.endswith(CHAT) else f"{home.scheme}://{home.netloc}/v1"
        most_often = "" if there == self._url else f", most often {there}"
        return UserError(f"{FIELD}.apiURL: {self._url} has no {CHAT} (it {what}); {BEFORE_CHAT}{most_often}")


def with_words(what: str, words: str) -> str:
    """What a server did, and what it said where it said anything."""
    return f"{what}: {words}" if words else what


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (f" or one of {len(names) - 5} more" if len(names) > 5 else "")
