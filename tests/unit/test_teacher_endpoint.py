"""A teacher behind an address: a real server that is busy, slow, down, strict or confused."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from selfimprove_workers.teachers.base import Answer, Question, Trouble
from tests.fixtures.chat_server import CRITIQUE, Reply, chat_server, says
from tests.unit.teacher_support import QUOTA, questions, teacher

OVERFLOW = json.dumps({"error": {"message": "This model's maximum context length is 64 tokens.", "code": 400}})


def said(status: int, message: str) -> Reply:
    return Reply(status, json.dumps({"error": {"message": message, "type": "invalid_request_error"}}))


def test_every_question_has_its_answer_in_order_however_fast_they_come() -> None:
    def reply(question: str, before: int) -> Reply:
        return says(f"on {question}", seconds=0.2 if question.endswith("0") else 0)

    with chat_server(reply=reply) as server:
        found = list(teacher(server).answers(questions(12)))
    assert found == [Answer(f"on question {i}", 7) for i in range(12)]


def test_so_many_are_on_their_way_at_a_time_and_no_more() -> None:
    with chat_server(reply=lambda question, before: says(CRITIQUE, seconds=0.05)) as server:
        list(teacher(server, parallelism=3).answers(questions(12)))
        assert server.most_at_once == 3


def test_what_is_asked_names_the_model_the_length_and_the_key() -> None:
    with chat_server() as server:
        list(teacher(server, key="sk-1").answers(questions(1)))
        asked = server.requests[0]
        assert (asked["model"], asked["max_tokens"], asked["temperature"]) == ("big", 32, 1.0)
        assert server.keys == {"Bearer sk-1"}


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_busy_server_is_asked_again_and_costs_one_answer(status: int) -> None:
    with chat_server(reply=lambda question, before: says("well", 5) if before == 2 else Reply(status)) as server:
        assert list(teacher(server).answers(questions(2))) == [Answer("well", 5)] * 2
        assert len(server.requests) == 6


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_a_server_that_says_when_to_come_back_is_not_asked_before(form: str) -> None:
    def reply(question: str, before: int) -> Reply:
        later = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
        return says("well") if before else Reply(429, headers={"Retry-After": "1" if form == "seconds" else later})

    with chat_server(reply=reply) as server:
        began = time.monotonic()
        assert list(teacher(server).answers(questions(1))) == [Answer("well", 7)]
        assert time.monotonic() - began >= 0.9


def test_a_connection_that_breaks_is_tried_again() -> None:
    broken = Reply(200, headers={"Content-Length": "100000"}, body="{")
    with chat_server(reply=lambda question, before: says("well") if before else broken) as server:
        assert list(teacher(server).answers(questions(1))) == [Answer("well", 7)]


def test_a_slow_server_is_left_at_the_deadline() -> None:
    with chat_server(reply=lambda question, before: says("late", seconds=5)) as server:
        began = time.monotonic()
        found = list(teacher(server, deadlineSeconds=1).answers(questions(2)))
        assert [answer.trouble for answer in found] == [Trouble.UNREACHABLE] * 2
        assert time.monotonic() - began < 3


def test_a_server_that_is_gone_is_given_up_after_three_deadlines(caplog: pytest.LogCaptureFixture) -> None:
    with chat_server() as server:
        url = server.url
    began = time.monotonic()
    found = list(teacher(url, deadlineSeconds=1, parallelism=4).answers(questions(40)))
    assert {answer.trouble for answer in found} == {Trouble.UNREACHABLE}
    assert len(found) == 40
    assert 2 < time.monotonic() - began < 6  # three deadlines, not ten
    (line,) = caplog.messages
    assert line.startswith(f"spec.resampling.teacher.apiURL: {url} does not answer (can't be connected to); ")
    assert "; going on without critiques" in line


def test_a_server_that_is_slower_than_the_deadline_is_told_with_the_remedy(caplog: pytest.LogCaptureFixture) -> None:
    with chat_server(reply=lambda question, before: says("late", seconds=2)) as server:
        slow = teacher(server, deadlineSeconds=1, parallelism=1)
        slow.begin_round()
        assert {answer.trouble for answer in slow.answers(questions(4))} == {Trouble.UNREACHABLE}
        slow.begin_round()
        assert {answer.trouble for answer in slow.answers(questions(2))} == {Trouble.UNREACHABLE}
    told = [line.split(server.url)[1].split(";")[0] for line in caplog.messages]
    remedy = "within deadlineSeconds 1: raise it, lower parallelism or give a faster server"
    assert told == [f" does not answer {remedy}", f" still does not answer {remedy}"]


def test_a_server_that_has_answered_and_then_grows_too_slow_no_longer_answers(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def reply(question: str, before: int) -> Reply:
        return says("well", seconds=0 if question == "question 0" else 2)

    with chat_server(reply=reply) as server:
        list(teacher(server, deadlineSeconds=1, parallelism=1).answers(questions(4)))
    (line,) = caplog.messages
    assert f"{server.url} no longer answers within deadlineSeconds 1: raise it" in line


def test_one_slow_answer_costs_one_answer() -> None:
    def reply(question: str, before: int) -> Reply:
        return says("well", seconds=3 if question == "question 3" else 0)

    with chat_server(reply=reply) as server:
        found = list(teacher(server, deadlineSeconds=1, parallelism=1).answers(questions(12)))
    assert [at for at, answer in enumerate(found) if answer.trouble] == [3]


def test_a_server_that_was_given_up_is_tried_by_one_question_in_the_next_round(
    caplog: pytest.LogCaptureFixture,
) -> None:
    up = threading.Event()
    with chat_server(reply=lambda question, before: says("well") if up.is_set() else Reply(503)) as server:
        shaky = teacher(server, deadlineSeconds=1, parallelism=2)
        shaky.begin_round()
        assert {answer.trouble for answer in shaky.answers(questions(8))} == {Trouble.UNREACHABLE}
        began, asked = time.monotonic(), {request["messages"][0]["content"] for request in server.requests}
        assert {answer.trouble for answer in shaky.answers(questions(8))} == {Trouble.UNREACHABLE}
        assert time.monotonic() - began < 0.5  # within the round nobody waits
        shaky.begin_round()
        assert len(list(shaky.answers(questions(8)))) == 8
        assert time.monotonic() - began < 2.5  # one deadline
        up.set()
        shaky.begin_round()
        assert [answer.text for answer in shaky.answers(questions(8))] == ["well"] * 8
    assert len(asked) in (6, 7)  # the other of two hands may have taken one up before the sixth had failed
    told = [line.split(server.url)[1].split(";")[0] for line in caplog.messages]
    assert told == [" answered 503 to every try", " still answered 503 to every try", " answers again"]


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (Reply(429), "answered 429 (rate limit) to every try"),
        (Reply(429, "slow\n down"), "answered 429 (rate limit) to every try: slow down"),
        (Reply(500), "answered 500 to every try"),
        (Reply(200, headers={"Content-Length": "100000"}, body="{"), "does not answer (broke the connection)"),
    ],
)
def test_a_server_that_is_given_up_is_told_by_what_it_did(
    reply: Reply, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    with chat_server(reply=lambda question, before: reply) as server:
        list(teacher(server, deadlineSeconds=1, parallelism=4).answers(questions(16)))
    (line,) = caplog.messages
    assert line.startswith(f"spec.resampling.teacher.apiURL: {server.url} {said}; going on without critiques")


@pytest.mark.parametrize(
    ("reply", "cause"),
    [
        (
            Reply(429, "slow down"),
            "answered 429 (rate limit) to every try within deadlineSeconds 1: slow down; lower parallelism or raise "
            "deadlineSeconds",
        ),
        (
            says("late", seconds=2),
            "did not answer within deadlineSeconds 1: raise it, lower parallelism or give a faster server",
        ),
        (
            Reply(200, headers={"Content-Length": "100000"}, body="{"),
            "broke the connection, until deadlineSeconds 1 were over",
        ),
    ],
)
def test_the_end_of_a_step_tells_how_many_have_no_answer_though_a_server_was_not_given_up(
    reply: Reply, cause: str, caplog: pytest.LogCaptureFixture
) -> None:
    with chat_server(reply=lambda question, before: reply if question != "question 0" else says("well")) as server:
        busy = teacher(server, deadlineSeconds=1, parallelism=4)
        list(busy.answers(questions(3)))
        assert not caplog.messages
        busy.end_step()
        told = f"{server.url}: 2 of 3 questions of this step have no answer; the last: it {cause}"
    assert caplog.messages == [f"spec.resampling.teacher.apiURL: {told}"]


def test_the_end_of_a_step_counts_those_that_a_lost_server_was_not_asked(caplog: pytest.LogCaptureFixture) -> None:
    with chat_server(reply=lambda question, before: Reply(503)) as server:
        lost = teacher(server, deadlineSeconds=1, parallelism=1)
        list(lost.answers(questions(20)))
        lost.end_step()
    assert "20 of 20 questions of this step have no answer; the last: it answered 503" in caplog.messages[-1]


@pytest.mark.parametrize("fitting", [0, 1])
def test_a_teacher_for_which_every_question_of_a_step_is_too_long_is_told(
    fitting: int, caplog: pytest.LogCaptureFixture
) -> None:
    fits = [f"question {n}" for n in range(fitting)]
    with chat_server(
        reply=lambda question, before: says("well") if question in fits else Reply(400, OVERFLOW)
    ) as server:
        short = teacher(server)
        list(short.answers(questions(3)))
        short.end_step()
    told = [line for line in caplog.messages if "every question of this step (3) is too long for it" in line]
    assert len(told) == (0 if fitting else 1)


def test_a_step_whose_questions_all_have_an_answer_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    with chat_server(reply=lambda question, before: says("well")) as server:
        fine = teacher(server)
        list(fine.answers(questions(3)))
        fine.end_step()
    assert not caplog.messages


def test_one_answer_in_between_keeps_a_shaky_server() -> None:
    def reply(question: str, before: int) -> Reply:
        return says("well") if question in ("question 1", "question 3") else Reply(503)

    with chat_server(reply=reply) as server:
        shaky = teacher(server, deadlineSeconds=1, parallelism=2)
        found = [answer for question in questions(4) for answer in shaky.answers([question])]
        assert [answer.trouble for answer in found] == [Trouble.UNREACHABLE, None, Trouble.UNREACHABLE, None]


def test_what_is_too_long_is_asked_shorter_and_else_said_to_be() -> None:
    def reply(question: str, before: int) -> Reply:
        return says(f"on {question}") if question == "short" else Reply(400, OVERFLOW)

    with chat_server(reply=reply) as server:
        asked = [Question(("a very long one", "a long one", "short"), 1), Question(("a very long one",), 2)]
        found = list(teacher(server).answers(asked))
    assert found == [Answer("on short", 7), Answer(trouble=Trouble.TOO_LONG)]


@pytest.mark.parametrize(
    ("reply", "tokens"),
    [
        (Reply(body="<html>busy</html>"), 0),
        (Reply(body="[]"), 0),
        (Reply(body="{}"), 0),
        (Reply(body='{"choices": []}'), 0),
        (says(None, 9), 9),
        (says(["parts"], 9), 9),
        (Reply(body="[" * 200_000), 0),
        (Reply(body='{"choices": [{"message": {"content": "half \\ud800"}}], "usage": {"completion_tokens": 9}}'), 9),
    ],
)
def test_an_answer_without_words_is_nonsense_and_what_it_cost_is_counted(reply: Reply, tokens: int) -> None:
    with chat_server(reply=lambda question, before: reply) as server:
        assert list(teacher(server).answers(questions(1))) == [Answer(tokens=tokens, trouble=Trouble.NONSENSE)]


@pytest.mark.parametrize("usage", ["", ', "usage": null', ', "usage": {}', ', "usage": {"completion_tokens": null}'])
def test_a_server_that_counts_nothing_is_counted_here(usage: str) -> None:
    body = f'{{"choices": [{{"message": {{"content": "three words here"}}}}]{usage}}}'
    with chat_server(reply=lambda question, before: Reply(body=body)) as server:
        assert list(teacher(server).answers(questions(1))) == [Answer("three words here", 3)]


@pytest.mark.parametrize(
    "usage", ["none", [7], 7, True, *({"completion_tokens": n} for n in (10**12, -1, True, 7.0, "7"))]
)
def test_an_answer_that_counts_what_no_model_writes_is_nonsense_and_is_counted_here(usage: object) -> None:
    document = {"choices": [{"message": {"content": "three words here"}}], "usage": usage}
    with chat_server(reply=lambda question, before: Reply(body=json.dumps(document))) as server:
        assert list(teacher(server).answers(questions(1))) == [Answer(tokens=3, trouble=Trouble.NONSENSE)]


def test_a_refusal_is_no_reason_to_ask_again_and_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    body = '{"error": "no such thing as sk-1"}'
    with chat_server(reply=lambda question, before: Reply(404, body)) as server:
        found = list(teacher(server, key="sk-1").answers(questions(3)))
        assert [answer.trouble for answer in found] == [Trouble.REFUSED] * 3
        assert len(server.requests) == 3
    assert len(caplog.messages) == 1
    assert "answered 404" in caplog.text
    assert "sk-1" not in caplog.text


def test_a_quota_that_is_used_up_is_no_reason_to_ask_again_and_is_said_in_the_server_s_words(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with chat_server(reply=lambda question, before: QUOTA) as server:
        began = time.monotonic()
        found = list(teacher(server, parallelism=1).answers(questions(3)))
        assert [answer.trouble for answer in found] == [Trouble.REFUSED] * 3
        assert len(server.requests) == 3
        assert time.monotonic() - began < 3
    (line,) = caplog.messages
    assert line.startswith(f"spec.resampling.teacher: {server.url} answered 429 to a question: ")
    assert "You exceeded your current quota" in line
    assert line.endswith("; raise its quota, or give another teacher")


def test_answers_that_are_no_chat_completions_are_said_once(caplog: pytest.LogCaptureFixture) -> None:
    with chat_server(reply=lambda question, before: Reply(body="<html>Welcome</html>")) as server:
        list(teacher(server).answers(questions(3)))
    (line,) = caplog.messages
    assert "answered 200 to a question: <html>Welcome</html>; give the address before /chat/completions" in line


NEW_LENGTH = "Unsupported parameter: 'max_tokens' is not supported. Use 'max_completion_tokens' instead."
NO_TOP_P = "Unsupported parameter: 'top_p' is not supported with this model."
NO_SEED = {"detail": [{"type": "extra_forbidden", "loc": ["body", "seed"], "msg": "Extra inputs are not permitted"}]}
KNOWN = "unknown field `seed`, expected one of `model`, `messages`, `temperature`, `top_p`, `max_completion_tokens`"
ONE_OF_TWO = "`temperature` and `top_p` cannot both be specified for this model. Please use only one."


def refusing(refusals: Mapping[str, Reply]) -> Callable[[dict[str, Any]], Reply | None]:
    """Refuses a question for the first of these parameters that it has."""
    return lambda request: next((reply for name, reply in refusals.items() if name in request), None)


@pytest.mark.parametrize(
    ("refusals", "left"),
    [
        ({"max_tokens": said(400, NEW_LENGTH)}, {"max_completion_tokens", "temperature", "top_p", "seed"}),
        (
            {"max_tokens": said(400, NEW_LENGTH), "top_p": said(400, NO_TOP_P)},
            {"max_completion_tokens", "temperature", "seed"},
        ),
        ({"seed": Reply(422, json.dumps(NO_SEED))}, {"max_tokens", "temperature", "top_p"}),
        ({"temperature": said(400, ONE_OF_TWO)}, {"max_tokens", "top_p", "seed"}),
        ({"seed": said(400, "Unrecognized request argument supplied: seed")}, {"max_tokens", "temperature", "top_p"}),
        ({"seed": said(422, KNOWN)}, {"max_tokens", "temperature", "top_p"}),
        ({"temperature": said(400, "invalid temperature: only 0.6 is allowed")}, {"max_tokens", "top_p", "seed"}),
    ],
)
def test_a_parameter_that_a_server_does_not_take_is_left_out_of_all_questions_on_their_way(
    refusals: Mapping[str, Reply], left: set[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "selfimprove_workers.teachers")
    with chat_server(reply=lambda question, before: says("well"), refuses=refusing(refusals)) as server:
        assert list(teacher(server, parallelism=8).answers(questions(24))) == [Answer("well", 7)] * 24
        assert server.requests[-1].keys() == {"model", "messages", *left}
    assert len(caplog.messages) == len(refusals)
    assert all(f"does not take {name} (it answered 4" in caplog.text for name in refusals)


def test_a_server_that_refuses_a_question_whatever_it_is_asked_with_is_asked_no_more() -> None:
    refuses = said(400, "'top_p', 'seed' and 'temperature' are parameters; use 'max_completion_tokens'")
    with chat_server(reply=lambda question, before: refuses) as server:
        assert list(teacher(server).answers(questions(1))) == [Answer(trouble=Trouble.REFUSED)]
        assert len(server.requests) == 5


def test_a_signal_ends_the_waiting_and_keeps_what_is_there() -> None:
    stop = threading.Event()
    with chat_server(reply=lambda question, before: says("x", seconds=0 if question == "question 0" else 5)) as server:
        answers = teacher(server, stop=stop).answers(questions(3))
        assert next(answers) == Answer("x", 7)
        stop.set()
        began = time.monotonic()
        assert list(answers) == []
        assert time.monotonic() - began < 2
