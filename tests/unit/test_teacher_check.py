"""A teacher behind an address, before anything is asked of it: the address, the model and the key."""

from __future__ import annotations

import json

import pytest

from selfimprove.api.secret_names import prefix_of
from selfimprove.api.selecting import Teacher
from selfimprove.errors import SurroundingsError, UserError
from selfimprove_workers.teachers.endpoint import key_of
from tests.fixtures.chat_server import Reply, chat_server, says
from tests.unit.teacher_support import QUOTA, questions, teacher


def test_a_server_that_is_there_passes_the_check_with_or_without_a_list_of_models() -> None:
    with chat_server() as server:
        teacher(server).check()
    with chat_server(models=Reply(404)) as server:
        teacher(server).check()
        assert server.requests == []


NO_LISTS = [Reply(404), *(Reply(body=listed) for listed in ("[" * 200_000, "[1]", '{"data": 5}', "<html>"))]


@pytest.mark.parametrize("listed", [*NO_LISTS, Reply(body='{"data": [7, {}, {"id": 3}]}')])
def test_without_a_list_of_models_the_first_check_asks_for_one_token(listed: Reply) -> None:
    with chat_server(models=listed, reply=lambda question, before: says(None, 1)) as server:
        teacher(server).check(tries=True)
        (asked,) = server.requests
    assert (asked["model"], asked["max_tokens"]) == ("big", 1)


def test_a_list_that_has_the_model_is_enough() -> None:
    with chat_server() as server:
        teacher(server).check(tries=True)
        assert server.requests == []


def test_an_address_without_its_v1_is_named_with_the_remedy_before_anything_is_spent() -> None:
    with chat_server() as server:
        root = server.url.removesuffix("/v1")
        with pytest.raises(UserError) as told:
            teacher(root).check(tries=True)
    assert str(told.value) == (
        f"spec.resampling.teacher.apiURL: {root} has no /chat/completions (it answered 404); "
        f"give the address before /chat/completions, most often {root}/v1"
    )


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (Reply(404, '{"detail": "Not Found"}'), r'answered 404: {"detail": "Not Found"}'),
        (Reply(405), "answered 405"),
        (Reply(200, "<html>\nWelcome</html>"), "answered 200: <html> Welcome</html>"),
        (Reply(200, "{}"), "answered 200: {}"),
    ],
)
def test_a_server_that_does_not_chat_at_this_address_is_told_by_what_it_said(reply: Reply, said: str) -> None:
    with (
        chat_server(models=Reply(404), reply=lambda question, before: reply) as server,
        pytest.raises(UserError) as told,
    ):
        teacher(server).check(tries=True)
    assert str(told.value) == (
        f"spec.resampling.teacher.apiURL: {server.url} has no /chat/completions (it {said}); "
        "give the address before /chat/completions"
    )


def test_an_address_that_leads_elsewhere_is_told_with_where() -> None:
    moved = Reply(301, headers={"Location": "https://t/v1/chat/completions"})
    with (
        chat_server(models=moved, reply=lambda question, before: moved) as server,
        pytest.raises(UserError, match=r"\(it answered 301, a redirect to .*\); give .*, most often https://t/v1$"),
    ):
        teacher(server).check(tries=True)


def test_a_model_that_nobody_has_listed_and_the_server_does_not_know_is_named() -> None:
    unknown = Reply(404, '{"message": "The model `huge` does not exist.", "code": 404}')
    with (
        chat_server(models=Reply(404), reply=lambda question, before: unknown) as server,
        pytest.raises(UserError, match=r"^spec\.resampling\.teacher\.model: huge is not served at .*does not exist"),
    ):
        teacher(server, model="huge").check(tries=True)


@pytest.mark.parametrize("status", [400, 408, 422, 429, 500, 503])
def test_what_may_heal_or_is_about_the_question_is_no_reason_to_refuse_an_address(status: int) -> None:
    with chat_server(models=Reply(404), reply=lambda question, before: Reply(status)) as server:
        teacher(server).check(tries=True)
        assert len(server.requests) == 1


def test_a_connection_that_breaks_is_no_reason_to_refuse_an_address() -> None:
    broken = Reply(200, headers={"Content-Length": "100000"}, body="{")
    with chat_server(models=Reply(404), reply=lambda question, before: broken) as server:
        teacher(server).check(tries=True)


@pytest.mark.parametrize(
    ("reply", "remedy"), [(Reply(401), "give the right OPENAI_API_KEY"), (QUOTA, "raise its quota")]
)
def test_a_key_that_no_answer_comes_to_is_named_where_only_a_question_tells(reply: Reply, remedy: str) -> None:
    with (
        chat_server(models=Reply(404), reply=lambda question, before: reply) as server,
        pytest.raises(SurroundingsError, match=rf"^spec\.resampling\.teacher\.credentialsSecretName: .*{remedy}"),
    ):
        teacher(server).check(tries=True)


def test_a_server_that_is_down_is_named_before_anything_is_asked() -> None:
    with chat_server() as server:
        url = server.url
    with pytest.raises(SurroundingsError, match=rf"^spec\.resampling\.teacher\.apiURL: {url} can't be asked \(.+\);"):
        teacher(url).check()
    for status, said in ((503, r"answered 503"), (429, r"answered 429 \(rate limit\)")):
        with (
            chat_server(models=Reply(status)) as server,
            pytest.raises(SurroundingsError, match=rf"can't be asked \({said}\)"),
        ):
            teacher(server).check()


def test_a_key_that_is_not_taken_names_its_secret() -> None:
    with (
        chat_server(reply=lambda *_: Reply(401), models=Reply(401)) as server,
        pytest.raises(SurroundingsError, match=r"^spec\.resampling\.teacher\.credentialsSecretName: .*OPENAI_API_KEY"),
    ):
        teacher(server, key="wrong").check()


def test_a_key_for_chats_alone_need_not_list_the_models() -> None:
    with chat_server(models=Reply(403)) as server:
        teacher(server).check()


def test_a_model_that_is_not_served_is_named_with_those_that_are() -> None:
    with (
        chat_server() as server,
        pytest.raises(UserError, match=r"^spec\.resampling\.teacher\.model: huge is not served at .*; give big$"),
    ):
        teacher(server, model="huge").check()


def test_a_list_of_models_that_tells_the_key_is_shown_without_it() -> None:
    listed = Reply(body=json.dumps({"data": [{"id": "big\n for sk-1"}]}))
    with chat_server(models=listed) as server, pytest.raises(UserError, match=r"; give big for \*\*\*$"):
        teacher(server, key="sk-1", model="huge").check()


def test_a_refusal_that_tells_the_key_where_it_is_cut_shows_no_part_of_it(caplog: pytest.LogCaptureFixture) -> None:
    with chat_server(reply=lambda question, before: Reply(404, "x" * 295 + "s3cr3t-key")) as server:
        list(teacher(server, key="s3cr3t-key").answers(questions(1)))
    assert "answered 404" in caplog.text
    assert "s3c" not in caplog.text


def test_white_space_round_the_key_is_no_part_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Teacher.model_validate({"apiURL": "http://t/v1", "model": "big"})
    monkeypatch.setenv("OPENAI_API_KEY", " s3cr3t-key\r\n")
    key = key_of(settings)
    with chat_server() as server:
        teacher(server, key=key).check()
        assert server.keys == {"Bearer s3cr3t-key"}


@pytest.mark.parametrize("value", [" \n", "geh\u00fcim-key", "s3cr3t\nkey", "s3cr3t\x7fkey"])
@pytest.mark.parametrize("secret", [None, "tutor"])
def test_a_key_that_is_none_is_named_and_never_quoted(
    value: str, secret: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Teacher.model_validate({"apiURL": "http://t/v1", "model": "big", "credentialsSecretName": secret})
    monkeypatch.setenv((prefix_of(secret) if secret else "") + "OPENAI_API_KEY", value)
    with pytest.raises(
        SurroundingsError, match=r"^spec\.resampling\.teacher\.credentialsSecretName: .*OPENAI_API_KEY.*; give"
    ) as told:
        key_of(settings)
    assert not any(part in str(told.value) for part in ("s3cr3t", "geh", "\n"))


def test_where_the_secret_s_own_key_is_empty_no_other_goes_to_its_server(monkeypatch: pytest.MonkeyPatch) -> None:
    named = Teacher.model_validate({"apiURL": "http://t/v1", "model": "big", "credentialsSecretName": "tutor"})
    monkeypatch.setenv("OPENAI_API_KEY", "usual")
    monkeypatch.setenv(prefix_of("tutor") + "OPENAI_API_KEY", "")
    with pytest.raises(SurroundingsError, match="is empty"):
        key_of(named)


def test_an_empty_key_is_none_but_where_a_secret_is_said_to_hold_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "")
    assert key_of(Teacher.model_validate({"apiURL": "http://t/v1", "model": "big"})) is None
    named = Teacher.model_validate({"apiURL": "http://t/v1", "model": "big", "credentialsSecretName": "tutor"})
    with pytest.raises(
        SurroundingsError, match=r"^spec\.resampling\.teacher\.credentialsSecretName: .* OPENAI_API_KEY is empty; give"
    ):
        key_of(named)


def test_the_key_is_that_of_the_named_secret_else_the_usual_one(monkeypatch: pytest.MonkeyPatch) -> None:
    named = Teacher.model_validate({"apiURL": "http://t/v1", "model": "big", "credentialsSecretName": "tutor"})
    plain = Teacher.model_validate({"apiURL": "http://t/v1", "model": "big"})
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    assert key_of(named) is key_of(plain) is None
    monkeypatch.setenv("OPENAI_API_KEY", "usual")
    assert key_of(named) == key_of(plain) == "usual"
    monkeypatch.setenv(prefix_of("tutor") + "OPENAI_API_KEY", "own")
    assert (key_of(named), key_of(plain)) == ("own", "usual")
