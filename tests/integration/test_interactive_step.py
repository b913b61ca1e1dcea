"""The resample step with a teacher: a real server in this process, the student's own model, or another one."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from selfimprove.errors import SurroundingsError, TerminatedError, UserError
from selfimprove.summaries import Summary
from selfimprove_workers import consulting, evaluate, resample, tutoring
from selfimprove_workers.chat import render
from selfimprove_workers.consulting import CRITIQUE
from selfimprove_workers.teachers.endpoint import EndpointTeacher
from tests.fixtures.chat_server import ChatServer, Reply, chat_server, says
from tests.integration.steps_support import Rows, Workshop, but_for_rounding, workshop

GOLD = "48151623"
SAID = "You added too early; look at the second step once more."
WRONG = {f"p{i}": ["So it is 9", f"Say {i} times 3"] for i in range(4)}


def taught(folder: Path, model: Path, teacher: dict[str, Any] | None, **resampling: Any) -> Workshop:
    rows = [{"id": f"p{i}", "question": f"What is {i} + 4?", "answer": GOLD} for i in range(4)]
    settings = {"strategy": "Interactive", "target": 1, "maxRounds": 2, **resampling}
    shop = workshop(folder, model, rows, resampling=settings | ({"teacher": teacher} if teacher else {}))
    shop.commit_answers(WRONG)
    return shop


def asking(server: ChatServer) -> dict[str, Any]:
    return {"apiURL": server.url, "model": "big", "deadlineSeconds": 1, "parallelism": 4}


def guided_rows(shop: Workshop) -> Rows:
    return shop.rows(shop.manifest("resample").parts, "sample")


def critiques(shop: Workshop) -> Rows:
    return shop.rows(shop.manifest("resample").tables["critique"], CRITIQUE)


def done(shop: Workshop) -> Summary:
    return resample.run(shop.context("resample"))


def test_the_student_reads_the_critique_and_the_stored_prompt_stays_plain(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with chat_server(reply=lambda question, before: says(SAID, 11)) as server:
        shop = taught(tmp_path, tiny_model, asking(server), maxRounds=1)
        engine, shown = shop.models.engine(tiny_model), []
        real = engine.sample

        def seen(requests: Any, *rest: Any) -> Iterator[Any]:
            shown.extend(requests)
            return real(requests, *rest)

        monkeypatch.setattr(engine, "sample", seen)
        summary = done(shop)
    tokenizer = shop.models.tokenizer(tiny_model)
    assert len(shown) == 4
    for row, request in zip(guided_rows(shop), shown, strict=True):
        number = row["prompt"].removeprefix("p")
        conversation = tokenizer.decode(request.tokens)
        assert SAID in conversation
        assert f"Say {number} times 3" in conversation
        assert GOLD not in conversation
        plain = [{"role": "user", "content": f"What is {number} + 4?"}]
        assert row["prompt_tokens"] == render(tokenizer, plain, {})
        assert row["strategy"] == "Interactive"
    asked = sorted(request["messages"][0]["content"] for request in server.requests)
    assert all(f"Say {i} times 3" in question and GOLD in question for i, question in enumerate(asked))
    assert (summary.counts["critique.given"], summary.counts["teacherTokens"]) == (4, 4 * 11)
    assert summary.tokens == 4 * 11 + sum(len(row["tokens"]) for row in guided_rows(shop))


@pytest.mark.parametrize("telling", [f"It should be {GOLD}, see?", f"The answer is {GOLD}.0 of course."])
def test_a_critique_that_states_the_answer_is_refused_counted_and_never_shown(
    telling: str, tiny_model: Path, tmp_path: Path
) -> None:
    with chat_server(reply=lambda question, before: says(SAID if "What is 1" in question else telling)) as server:
        shop = taught(tmp_path, tiny_model, asking(server), maxRounds=1)
        summary = done(shop)
    assert {row["prompt"] for row in guided_rows(shop)} == {"p1"}
    assert summary.counts["critique.states the answer"] == summary.counts["untaught"] == 3
    assert {row["outcome"] for row in critiques(shop)} == {"given", "states the answer"}


def test_a_teacher_that_talks_nonsense_is_asked_again_in_the_next_round(tiny_model: Path, tmp_path: Path) -> None:
    with chat_server(reply=lambda question, before: says(SAID if before else "?!")) as server:
        shop = taught(tmp_path, tiny_model, asking(server))
        summary = done(shop)
    assert (summary.counts["critique.nonsense"], summary.counts["critique.given"]) == (4, 4)
    assert {row["round"] for row in guided_rows(shop)} == {2}


def test_a_prompt_without_a_wrong_attempt_is_left_alone(tiny_model: Path, tmp_path: Path) -> None:
    with chat_server() as server:
        shop = taught(tmp_path, tiny_model, asking(server), target=8, maxRounds=1)
    shutil.rmtree(tmp_path / "run" / "i001")
    shop.commit_answers({**WRONG, "p0": [GOLD, f"It is {GOLD}"]})
    with chat_server() as server:
        again = shop.with_spec(resampling={"teacher": asking(server)})
        assert done(again).counts["critique.no wrong attempt"] == 1
        assert len(server.requests) == 3
    assert {row["prompt"] for row in guided_rows(again)} == {"p1", "p2", "p3"}


def test_an_attempt_that_was_cut_after_the_right_answer_is_not_shown_as_wrong(tiny_model: Path, tmp_path: Path) -> None:
    cut = {"p0": [f"It is {GOLD}."], "p1": ["So it is 9", f"It is {GOLD}."], "p2": ["So it is"], "p3": ["Say 3"]}
    with chat_server(reply=lambda question, before: says(SAID)) as server:
        shop = taught(tmp_path, tiny_model, asking(server), maxRounds=1)
        shutil.rmtree(tmp_path / "run" / "i001")
        shop.commit_answers(cut, finish="length")
        counts = done(shop).counts
        shown = [request["messages"][0]["content"] for request in server.requests]
    assert (counts["tail"], counts["critique.no wrong attempt"], counts["critique.given"]) == (4, 1, 3)
    assert not any(f"It is {GOLD}" in question for question in shown)
    assert any("So it is 9" in question for question in shown)


def test_an_attempt_that_a_judge_refuses_though_it_is_right_is_not_shown_as_wrong(
    tiny_model: Path, tmp_path: Path
) -> None:
    strict = {"type": "Likelihood", "weighting": {"type": "Threshold", "threshold": 0.0}}
    with chat_server() as server:
        shop = taught(tmp_path, tiny_model, asking(server), maxRounds=1).with_spec(verification={"methods": [strict]})
        shutil.rmtree(tmp_path / "run" / "i001")
        shop.commit_answers({f"p{i}": [f"It is {GOLD}."] for i in range(4)})
        counts = done(shop).counts
        assert (counts["tail"], counts["critique.no wrong attempt"], server.requests) == (4, 4, [])


def test_a_server_that_is_down_is_found_before_any_model_is_loaded(tiny_model: Path, tmp_path: Path) -> None:
    with chat_server() as server:
        shop = taught(tmp_path, tiny_model, asking(server))
    for step, run in (("resample", resample.run), ("evaluate", evaluate.run)):
        context = shop.context(step, 1 if step == "resample" else 0)  # type: ignore[arg-type]
        with pytest.raises(SurroundingsError, match=r"^spec\.resampling\.teacher\.apiURL: .* can't be asked"):
            run(context)
    assert shop.models._loaded is None


def test_an_address_that_is_wrong_is_found_before_any_model_is_loaded(tiny_model: Path, tmp_path: Path) -> None:
    with chat_server() as server:
        teacher = {**asking(server), "apiURL": server.url.removesuffix("/v1")}
        shop = taught(tmp_path, tiny_model, teacher)
        with pytest.raises(UserError, match=r"^spec\.resampling\.teacher\.apiURL: .*, most often .*/v1$"):
            evaluate.run(shop.context("evaluate", 0))
    assert shop.models._loaded is None


def test_a_server_that_goes_down_leaves_a_run_with_what_it_has(tiny_model: Path, tmp_path: Path) -> None:
    with chat_server(reply=lambda question, before: says(SAID) if "What is 0" in question else Reply(503)) as server:
        shop = taught(tmp_path, tiny_model, asking(server))
        summary = done(shop)
    assert {row["prompt"] for row in guided_rows(shop)} == {"p0"}
    assert summary.counts["critique.unreachable"] == summary.counts["untaught"] == 6


def test_a_step_whose_teacher_was_too_busy_ends_with_why(
    tiny_model: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with chat_server(reply=lambda question, before: Reply(429, "slow down")) as server:
        summary = done(taught(tmp_path, tiny_model, asking(server)))
    assert summary.counts["critique.unreachable"] == 8
    (why,) = [line for line in caplog.messages if "questions of this step" in line]
    assert "8 of 8 questions of this step have no answer; the last: it answered 429 (rate limit) to every try" in why
    assert why.endswith("within deadlineSeconds 1: slow down; lower parallelism or raise deadlineSeconds")


def test_a_server_that_was_given_up_teaches_again_from_the_round_on_in_which_it_answers(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds = 0
    begin = EndpointTeacher.begin_round

    def counted(teacher: EndpointTeacher) -> None:
        nonlocal rounds
        rounds += 1
        begin(teacher)

    monkeypatch.setattr(EndpointTeacher, "begin_round", counted)
    with chat_server(reply=lambda question, before: says(SAID) if rounds > 1 else Reply(503)) as server:
        shop = taught(tmp_path, tiny_model, {**asking(server), "parallelism": 1}, maxTokens=2000)
        summary = done(shop)
    assert rounds == 2
    assert (summary.counts["critique.unreachable"], summary.counts["critique.given"]) == (4, 4)
    assert {row["round"] for row in guided_rows(shop)} == {2}


def test_an_attempt_too_long_for_the_teacher_is_shown_shorter(tiny_model: Path, tmp_path: Path) -> None:
    def reply(question: str, before: int) -> Reply:
        return says(SAID) if "[...]" in question else Reply(400, '{"error": "maximum context length is 10"}')

    with chat_server(reply=reply) as server:
        summary = done(taught(tmp_path, tiny_model, asking(server), maxRounds=1))
    assert summary.counts["critique.given"] == 4


def test_without_a_teacher_the_runs_own_model_teaches(tiny_model: Path, tmp_path: Path) -> None:
    shop = taught(tmp_path, tiny_model, None, maxRounds=3)
    summary = done(shop)
    assert len(critiques(shop)) == 12
    assert summary.tokens == sum(row["tokens"] for row in critiques(shop)) + sum(
        len(row["tokens"]) for row in guided_rows(shop)
    )
    again = taught(tmp_path / "again", tiny_model, None, maxRounds=3)
    done(again)
    assert (critiques(again), guided_rows(again)) == (critiques(shop), guided_rows(shop))


def test_another_model_may_teach_and_gives_the_student_its_place_back(tiny_model: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(tiny_model, tmp_path / "other"))
    shop = taught(tmp_path / "run", tiny_model, {"uri": str(other)})
    assert done(shop).counts["tail"] == 4
    assert len(critiques(shop)) == 8
    assert shop.models._loaded is not None
    assert shop.models._loaded[0].folder in (tiny_model, other)


@pytest.mark.parametrize("budget", [7, 16, 33, 60, 200])
def test_the_teachers_tokens_are_in_the_budget(budget: int, tiny_model: Path, tmp_path: Path) -> None:
    shop = taught(tmp_path, tiny_model, None, maxTokens=budget)
    assert done(shop).tokens <= budget


@pytest.mark.parametrize("parallelism", [1, 3])
@pytest.mark.parametrize("budget", [16, 60, 200, 2500])
def test_a_teacher_that_writes_more_than_it_may_exceeds_the_budget_by_what_is_on_its_way_and_no_more(
    budget: int, parallelism: int, tiny_model: Path, tmp_path: Path
) -> None:
    with chat_server(reply=lambda question, before: says(SAID, 1000)) as server:
        teacher = {**asking(server), "parallelism": parallelism}
        shop = taught(tmp_path, tiny_model, teacher, maxTokens=budget, maxRounds=4, target=8)
        summary = done(shop)
        asked = len(server.requests)
    drawn = sum(len(row["tokens"]) for row in guided_rows(shop))
    assert summary.tokens == asked * 1000 + drawn
    assert 0 < asked <= max(parallelism, budget // 1000)
    assert summary.tokens <= max(budget, parallelism * 1000)


NONSENSE = {
    "a text for a number": json.dumps({**json.loads(says(SAID).body), "usage": "none"}),
    "more than any model": says(SAID, 10**12).body,
    "half a character": says("You added \ud800 the wrong way.").body,
    "nested": "[" * 200_000,
}


@pytest.mark.parametrize("kind", NONSENSE)
def test_nonsense_of_any_shape_ends_no_step(kind: str, tiny_model: Path, tmp_path: Path) -> None:
    with chat_server(reply=lambda question, before: Reply(body=NONSENSE[kind])) as server:
        summary = done(taught(tmp_path, tiny_model, asking(server), maxRounds=1))
    assert summary.counts["critique.nonsense"] == summary.counts["untaught"] == 4


def test_a_killed_step_asks_and_samples_nothing_twice(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tutoring, "SECONDS_A_PART", 0.0)
    monkeypatch.setattr(consulting, "SECONDS_A_PART", 0.0)
    with chat_server(reply=lambda question, before: says(SAID)) as server:
        whole = taught(tmp_path / "whole", tiny_model, asking(server))
        done(whole)
        asked = len(server.requests)
        torn = taught(tmp_path / "torn", tiny_model, asking(server))
        interruptions = 0
        with monkeypatch.context() as patched:
            write, keep = resample.Book.write, consulting.Consultant._keep

            def write_and_stop(book: resample.Book, lesson: tutoring.Lesson) -> None:
                write(book, lesson)
                context.stopping.set()

            def keep_and_stop(consultant: consulting.Consultant, rows: Rows) -> None:
                keep(consultant, rows)
                context.stopping.set()

            patched.setattr(resample.Book, "write", write_and_stop)
            patched.setattr(consulting.Consultant, "_keep", keep_and_stop)
            for _ in range(40):
                context = torn.context("resample")
                with suppress(TerminatedError):
                    resample.run(context)
                    break
                interruptions += 1
        assert len(server.requests) == 2 * asked == 16
    assert interruptions > 4
    assert guided_rows(torn) == but_for_rounding(guided_rows(whole))
    assert torn.manifest("resample").summary["counts"] == whole.manifest("resample").summary["counts"]
