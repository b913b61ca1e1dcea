"""A teacher behind the address of a real server."""

from __future__ import annotations

import threading

from selfimprove.api.selecting import Teacher
from selfimprove_workers.teachers.base import Question
from selfimprove_workers.teachers.endpoint import EndpointTeacher
from tests.fixtures.chat_server import ChatServer, Reply

QUOTA = Reply(429, '{"error": {"message": "You exceeded your current quota", "code": "insufficient_quota"}}')


def teacher(
    server: ChatServer | str, key: str | None = None, stop: threading.Event | None = None, **settings: object
) -> EndpointTeacher:
    url = server if isinstance(server, str) else server.url
    spec = Teacher.model_validate({"apiURL": url, "model": "big", "deadlineSeconds": 10, **settings})
    stopping = stop or threading.Event()
    return EndpointTeacher(spec, key, 32, stopping, lambda text: len(text.split()), first_pause=0.01)


def questions(count: int) -> list[Question]:
    return [Question((f"question {i}",), seed=i) for i in range(count)]
