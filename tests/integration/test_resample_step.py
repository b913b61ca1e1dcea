"""The resample step with a real engine: who is guided, what is stored of it, what it costs, and how it resumes.

The model has random weights, so what a test needs to be right is put there by the prefix it is given, and what needs
to be neither sure nor impossible is asked of its own log-probabilities.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from selfimprove.errors import TerminatedError, UserError
from selfimprove.records import GIVEN
from selfimprove.seeds import derive_seed
from selfimprove.summaries import Summary
from selfimprove_workers import evaluate, generate, resample, tutoring
from selfimprove_workers.chat import render
from selfimprove_workers.guidance.leaks import NGRAM
from selfimprove_workers.tasks.phrases import prose_words
from tests.integration.steps_support import Rows, Workshop, but_for_rounding, stopped_at_third, workshop

SOLUTION = "Three and four.\nThe answer is 7.\nDone"
GOLD = "7"
STEERED = {"strategy": "StateReset", "schedule": "Paper", "target": 2, "maxRounds": 4}
"""Round 1 gives the first line; round 2 gives the answer away, so that whatever follows is right; then over again."""


@pytest.fixture(scope="module")
def likely(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """An absolute rule that about half of the model's own samples pass."""
    shop = workshop(tmp_path_factory.mktemp("likely"), tiny_model, prompts(8))
    generate.run(shop.context("generate"))
    rows = shop.rows(shop.manifest("generate").parts, "sample")
    threshold = median(row["logprob_sum"] / len(row["tokens"]) for row in rows)
    weighting = {"type": "Threshold", "threshold": threshold}
    return {"verification": {"methods": [{"type": "Likelihood", "weighting": weighting}]}}


def prompts(count: int, **columns: str) -> Rows:
    return [{"id": f"p{i}", "question": f"What is {i} + 4?", "answer": GOLD, **columns} for i in range(count)]


def shop_of(folder: Path, model: Path, rows: Rows, resampling: dict[str, Any], **changes: Any) -> Workshop:
    defaults = {"selection": {"acceptTruncated": True}}
    return workshop(folder, model, rows, **{**defaults, "resampling": resampling, **changes})


def test_guided_samples_are_judged_by_critiques_too_and_what_these_cost_is_counted(
    tiny_model: Path, tmp_path: Path
) -> None:
    judge = {"type": "CoTBinary", "votes": 2, "template": "Correct or Incorrect?"}
    resampling = {"strategy": "BruteForce", "maxRounds": 2, "target": 1}
    shop = shop_of(tmp_path, tiny_model, prompts(2), resampling, verification={"methods": [judge]})
    shop.commit_answers({"p0": ["8"], "p1": ["9"]})
    summary = resample.run(shop.context("resample"))
    assert summary.counts["tried"] == 4
    assert summary.counts["unparsed.CoTBinary"] == 8
    sampled = sum(len(row["tokens"]) for row in guided_rows(shop))
    assert summary.tokens == sampled + summary.counts["critiqueTokens"] > sampled


def guided_rows(shop: Workshop, shard: int = 0) -> Rows:
    return shop.rows(shop.manifest("resample", shard=shard).parts, "sample")


def decisions(shop: Workshop) -> Rows:
    return shop.rows(shop.manifest("resample").tables["decision"], "decision")


def steered(folder: Path, model: Path, **resampling: Any) -> tuple[Workshop, Summary]:
    shop = shop_of(folder, model, prompts(3, rationale=SOLUTION), {**STEERED, **resampling})
    shop.commit_answers({"p0": ["It is 7", "7", "8"], "p1": ["8", "It is 7"], "p2": ["8", "9"]})
    return shop, resample.run(shop.context("resample"))


def test_only_the_tail_is_guided_and_a_prompt_leaves_when_it_has_enough(tiny_model: Path, tmp_path: Path) -> None:
    shop, summary = steered(tmp_path, tiny_model)
    turns = [(row["round"], row["prompt"]) for row in guided_rows(shop)]
    # p0 has its two; p1 lacks one, which round 2 brings; p2 lacks two, which rounds 2 and 4 bring.
    assert sorted(turns) == [(1, "p1"), (1, "p2"), (2, "p1"), (2, "p2"), (3, "p2"), (4, "p2")]
    assert [row["reason"] for row in decisions(shop)].count("accepted") == 3
    assert summary.counts["tail"] == 2
    assert summary.counts["mastered"] == 2
    assert summary.counts["tried"] == summary.rows == 6


def test_tokens_are_counted_exactly_and_given_ones_are_not_sampled_ones(tiny_model: Path, tmp_path: Path) -> None:
    shop, summary = steered(tmp_path, tiny_model)
    assert summary.tokens == sum(len(row["tokens"]) - row["prefix_length"] for row in guided_rows(shop))


def test_a_guided_solution_is_prefix_and_continuation_graded_as_a_whole(tiny_model: Path, tmp_path: Path) -> None:
    shop, _ = steered(tmp_path, tiny_model)
    tokenizer = shop.models.tokenizer(tiny_model)
    for row in guided_rows(shop):
        prefix = "Three and four.\n" + "The answer is 7.\n" * (row["round"] % 2 == 0)
        given = tokenizer.encode(prefix, add_special_tokens=False)
        assert row["tokens"][: row["prefix_length"]] == given
        assert row["text"].startswith(prefix)
        assert row["text"] == tokenizer.decode(row["tokens"], skip_special_tokens=True)
        assert (row["verdict"] == "Correct") == (row["round"] % 2 == 0)


def test_how_much_of_a_text_was_given_is_noted_for_people(tiny_model: Path, tmp_path: Path) -> None:
    shop, _ = steered(tmp_path, tiny_model)
    noted = {
        (row["prompt"], row["sample"]): row["characters"]
        for row in shop.rows(shop.manifest("resample").tables["given"], GIVEN)
    }
    found = {(row["prompt"], row["sample"]): row for row in guided_rows(shop)}
    assert noted.keys() == found.keys()
    for key, row in found.items():
        assert row["text"][: noted[key]] == "Three and four.\n" + "The answer is 7.\n" * (row["round"] % 2 == 0)


def test_samples_count_on_from_the_plain_ones_and_name_strategy_and_seed(tiny_model: Path, tmp_path: Path) -> None:
    shop, _ = steered(tmp_path, tiny_model)
    ours = [row for row in guided_rows(shop) if row["prompt"] == "p2"]
    assert [row["sample"] for row in ours] == [2, 3, 4, 5]
    assert {row["strategy"] for row in ours} == {"StateReset"}
    for row in ours:
        identity = ("train", 1, "resample", "StateReset", "p2", row["sample"], row["round"])
        assert row["seed"] == derive_seed(shop.spec.seed, *identity)


def test_the_prompt_that_is_stored_is_the_plain_one_and_holds_no_word_of_the_hint(
    tiny_model: Path, tmp_path: Path
) -> None:
    rows = [{**row, "answer": "48151623"} for row in prompts(2)]
    shop = shop_of(tmp_path, tiny_model, rows, {"strategy": "AnswerDriven", "maxRounds": 2, "target": 1})
    shop.commit_answers({"p0": ["?"], "p1": ["?"]})
    resample.run(shop.context("resample"))
    tokenizer = shop.models.tokenizer(tiny_model)
    found = guided_rows(shop)
    assert len(found) == 4
    for row in found:
        question = next(each["question"] for each in rows if each["id"] == row["prompt"])
        assert row["prompt_tokens"] == render(tokenizer, [{"role": "user", "content": question}], {})
        assert "48151623" not in tokenizer.decode(row["prompt_tokens"])
        assert "48151623" not in row["text"]
        assert row["prefix_length"] == 0


@pytest.mark.parametrize(("strategy", "hint"), [("AnswerDriven", "48151623"), ("RationaleDriven", "Four and three")])
def test_what_is_shown_does_hold_the_hint(
    strategy: str, hint: str, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [{**row, "answer": "48151623", "rationale": "Four and three: 48151623"} for row in prompts(1)]
    shop = shop_of(tmp_path, tiny_model, rows, {"strategy": strategy, "maxRounds": 1, "target": 1})
    shop.commit_answers({"p0": ["?"]})
    engine, shown = shop.models.engine(tiny_model), []
    real = engine.sample

    def seen(requests: Any, *rest: Any) -> Iterator[Any]:
        shown.extend(requests)
        return real(requests, *rest)

    monkeypatch.setattr(engine, "sample", seen)
    resample.run(shop.context("resample"))
    tokenizer = shop.models.tokenizer(tiny_model)
    assert hint in tokenizer.decode(shown[0].tokens)
    assert hint not in tokenizer.decode(guided_rows(shop)[0]["prompt_tokens"])


def test_a_copy_of_the_reference_earns_nothing(tiny_model: Path, tmp_path: Path) -> None:
    """What the model says after a prefix is made the rest of the reference: saying it again is then a copy."""
    settings = {"strategy": "StateReset", "schedule": "Lines", "target": 1, "maxRounds": 1}
    anything = {"type": "Likelihood", "weighting": {"type": "Threshold", "threshold": -50.0}}
    likely = {"verification": {"methods": [anything]}, "generation": {"maxTokens": 64}}
    unsaid = {"answer": "48151623"}
    first = shop_of(tmp_path / "first", tiny_model, prompts(8, rationale="So:\nx", **unsaid), settings, **likely)
    first.commit_answers({f"p{i}": ["?"] for i in range(8)}, logprob_sum=-1000.0)
    resample.run(first.context("resample"))
    said = {row["prompt"]: row["text"] for row in guided_rows(first)}
    wordy = {prompt: text for prompt, text in said.items() if len(prose_words(text)) > NGRAM}
    assert wordy
    copied = [{**row, "rationale": wordy.get(row["id"], "So:\nx")} for row in prompts(8, **unsaid)]
    second = shop_of(tmp_path / "second", tiny_model, copied, settings, **likely)
    second.commit_answers({f"p{i}": ["?"] for i in range(8)}, logprob_sum=-1000.0)
    summary = resample.run(second.context("resample"))
    assert {row["prompt"] for row in decisions(second) if row["reason"] == "copy"} == set(wordy)
    assert summary.counts["copy"] == len(wordy)


def test_what_was_given_with_its_answer_is_counted_apart(tiny_model: Path, tmp_path: Path) -> None:
    shop, summary = steered(tmp_path, tiny_model)
    given = [row for row in guided_rows(shop) if row["round"] % 2 == 0]
    assert summary.counts["goldGiven"] == len(given) == 3
    assert summary.counts["goldGivenAccepted"] == summary.counts["accepted"] == 3
    strict = shop_of(tmp_path / "lines", tiny_model, prompts(1, rationale=SOLUTION), {**STEERED, "schedule": "Lines"})
    strict.commit_answers({"p0": ["8"]})
    assert "goldGiven" not in resample.run(strict.context("resample")).counts


def test_without_answers_an_absolute_score_decides(tiny_model: Path, tmp_path: Path, likely: dict[str, Any]) -> None:
    rows = [{"id": f"p{i}", "question": f"Say {i}."} for i in range(6)]
    shop = shop_of(tmp_path, tiny_model, rows, {"strategy": "BruteForce", "target": 1, "maxRounds": 3}, **likely)
    shop.commit_answers({f"p{i}": ["?"] for i in range(6)}, logprob_sum=-1000.0)
    resample.run(shop.context("resample"))
    threshold = likely["verification"]["methods"][0]["weighting"]["threshold"]
    found = guided_rows(shop)
    outcomes = {(row["prompt"], row["sample"]): row["reason"] for row in decisions(shop)}
    assert {"accepted", "not accepted"} <= set(outcomes.values())
    for row in found:
        mean = row["logprob_sum"] / len(row["tokens"])
        assert (outcomes[row["prompt"], row["sample"]] == "accepted") == (mean >= threshold)
        assert row["verdict"] is None


def test_a_models_own_threshold_is_read_of_the_plain_prompt(tiny_model: Path, tmp_path: Path) -> None:
    judge = {"type": "MultipleChoice", "weighting": {"type": "Threshold", "threshold": 0.0}}
    shop = shop_of(
        tmp_path,
        tiny_model,
        prompts(2),
        {"strategy": "BruteForce", "target": 3, "maxRounds": 4},
        verification={"methods": [judge]},
    )
    shop.commit_answers({"p0": ["?"], "p1": ["?"]})
    summary = resample.run(shop.context("resample"))
    assert summary.counts["accepted"] == summary.counts["tried"] == 4


def test_a_vote_counts_the_plain_samples_too(tiny_model: Path, tmp_path: Path) -> None:
    vote = {"type": "MajorityVote", "weighting": {"type": "Threshold", "threshold": 0.55}}
    shop = shop_of(
        tmp_path,
        tiny_model,
        prompts(2, rationale="The answer is 7.\nDone"),
        {**STEERED, "target": 5, "maxRounds": 1},
        verification={"methods": [vote]},
    )
    shop.commit_answers({"p0": ["7", "7", "8", "9"], "p1": ["8", "8", "8", "9"]})
    resample.run(shop.context("resample"))
    assert {row["prompt"]: row["reason"] for row in decisions(shop)} == {"p0": "accepted", "p1": "not accepted"}


@pytest.mark.parametrize("budget", [1, 8, 23, 24, 100])
def test_the_token_budget_is_never_exceeded_and_is_used_as_far_as_it_goes(
    tiny_model: Path, tmp_path: Path, budget: int
) -> None:
    resampling = {"strategy": "BruteForce", "target": 1, "maxRounds": 2, "maxTokens": budget}
    shop = shop_of(tmp_path, tiny_model, prompts(4), resampling)
    shop.commit_answers({f"p{i}": ["?"] for i in range(4)})
    summary = resample.run(shop.context("resample"))
    assert summary.tokens <= budget
    assert summary.counts.get("tried", 0) == 8 or budget - summary.tokens < shop.spec.generation.max_tokens


def test_shards_share_the_budget_by_their_prompts(
    tiny_model: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    resampling = {"strategy": "BruteForce", "target": 1, "maxRounds": 8, "maxTokens": 64}
    generation = {"shards": 2, "maxTokens": 8, "engine": "Transformers", "temperature": 1.0}
    shop = shop_of(tmp_path, tiny_model, prompts(8), resampling, generation=generation)
    shop.commit_answers({f"p{i}": ["?"] for i in range(8)})
    spent = [resample.run(shop.context("resample", shard=shard)).tokens for shard in (0, 1)]
    counts = [len(shop.context("resample", shard=shard).prompts) for shard in (0, 1)]
    assert sum(counts) == 8
    assert all(tokens <= 8 * count for tokens, count in zip(spent, counts, strict=True))
    assert sum(spent) > 0
    told = [line for line in caplog.messages if line.startswith("spec.resampling.maxTokens: what is left of ")]
    shares = [f"what is left of {8 * count} (this shard's share of 64) pays for no further turn" for count in counts]
    assert told
    assert all(any(share in line for share in shares) for line in told)


def test_a_killed_step_goes_on_inside_its_round_and_repeats_nothing(
    tiny_model: Path, tmp_path: Path, likely: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tutoring, "SECONDS_A_PART", 0.0)
    resampling = {"strategy": "BruteForce", "target": 2, "maxRounds": 2}
    whole = shop_of(tmp_path / "whole", tiny_model, prompts(4), resampling, **likely)
    torn = shop_of(tmp_path / "torn", tiny_model, prompts(4), resampling, **likely)
    for shop in (whole, torn):
        shop.commit_answers({f"p{i}": ["?"] for i in range(4)}, logprob_sum=-1000.0)
    resample.run(whole.context("resample"))
    interruptions = 0
    with monkeypatch.context() as patched:
        write = resample.Book.write

        def write_and_be_told_to_stop(book: resample.Book, lesson: tutoring.Lesson) -> None:
            write(book, lesson)
            context.stopping.set()

        patched.setattr(resample.Book, "write", write_and_be_told_to_stop)
        for _ in range(20):
            context = torn.context("resample")
            with suppress(TerminatedError):
                resample.run(context)
                break
            interruptions += 1
    assert interruptions > 3
    assert guided_rows(torn) == but_for_rounding(guided_rows(whole))
    assert decisions(torn) == decisions(whole)
    assert torn.manifest("resample").summary["counts"] == whole.manifest("resample").summary["counts"]


def test_a_signal_before_the_first_prompt_of_a_round_is_complete_keeps_the_samples_of_others(
    tiny_model: Path, tmp_path: Path, likely: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    resampling = {"strategy": "BruteForce", "target": 4, "maxRounds": 1, "samplesPerRound": 4}
    whole = shop_of(tmp_path / "whole", tiny_model, prompts(4), resampling, **likely)
    torn = shop_of(tmp_path / "torn", tiny_model, prompts(4), resampling, **likely)
    for shop in (whole, torn):
        shop.commit_answers({f"p{i}": ["?"] for i in range(4)}, logprob_sum=-1000.0)
    resample.run(whole.context("resample"))
    context = torn.context("resample")
    asked = stopped_at_third(torn, context, monkeypatch)
    with pytest.raises(TerminatedError):
        resample.run(context)
    resample.run(torn.context("resample"))
    assert asked == [16, 13]
    assert guided_rows(torn) == but_for_rounding(guided_rows(whole))


def test_a_decision_whose_samples_were_lost_is_made_again(tiny_model: Path, tmp_path: Path) -> None:
    shop, _ = steered(tmp_path, tiny_model)
    before, manifest = guided_rows(shop), shop.manifest("resample")
    shop.store.delete([manifest.parts[-1].key, "i001/resample/00000/manifest.json"])
    resample.run(shop.context("resample"))
    assert guided_rows(shop) == before
    again = shop.manifest("resample")
    assert [part.rows for part in again.tables["decision"]] == [part.rows for part in again.parts]


def test_nothing_is_loaded_when_there_is_no_tail(tiny_model: Path, tmp_path: Path) -> None:
    shop = shop_of(tmp_path, tiny_model, prompts(1), {"strategy": "BruteForce", "target": 1})
    shop.commit_answers({"p0": ["It is 7"]})
    summary = resample.run(shop.context("resample"))
    assert (summary.rows, summary.tokens, summary.counts["tail"]) == (0, 0, 0)
    assert shop.models._loaded is None


def test_a_hint_that_does_not_fit_the_model_is_counted_and_the_others_go_on(tiny_model: Path, tmp_path: Path) -> None:
    rows = prompts(2, rationale=SOLUTION)
    rows[0]["rationale"] = "very long indeed " * 200 + "\nThe answer is 7.\nDone"
    shop = shop_of(tmp_path, tiny_model, rows, {**STEERED, "target": 1, "maxRounds": 2})
    shop.commit_answers({"p0": ["?"], "p1": ["?"]})
    summary = resample.run(shop.context("resample"))
    assert {row["prompt"] for row in guided_rows(shop)} == {"p1"}
    assert summary.counts["tooLong"] == 2


def test_prompts_without_a_reference_are_counted_and_the_others_guided(tiny_model: Path, tmp_path: Path) -> None:
    rows = prompts(2, rationale=SOLUTION)
    rows[1] = {**rows[1], "rationale": ""}
    shop = shop_of(tmp_path, tiny_model, rows, STEERED)
    shop.commit_answers({"p0": ["?"], "p1": ["?"]})
    assert resample.run(shop.context("resample")).counts["noReference"] == 1
    assert {row["prompt"] for row in guided_rows(shop)} == {"p0"}


@pytest.mark.parametrize("solution", [GOLD, f"{GOLD} it is.\nSo it goes.", f"The answer is {GOLD}."])
def test_a_solution_that_is_or_begins_with_its_answer_is_counted_and_not_sampled_plainly(
    solution: str, tiny_model: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rows = [*prompts(2, rationale=SOLUTION), {**prompts(3)[2], "rationale": solution}]
    shop = shop_of(tmp_path, tiny_model, rows, {"strategy": "StateReset", "target": 1, "maxRounds": 2})
    shop.commit_answers({f"p{i}": ["?"] for i in range(3)})
    counts = resample.run(shop.context("resample")).counts
    assert (counts["tail"], counts["noReference"], counts["noPrefix"]) == (3, 0, 1)
    assert {row["prompt"] for row in guided_rows(shop)} == {"p0", "p1"}
    assert all(row["prefix_length"] for row in guided_rows(shop))
    (line,) = [message for message in caplog.messages if message.startswith("spec.resampling.strategy")]
    assert "StateReset leaves out 1 of the 3 prompts of the tail" in line


def test_a_tail_of_which_nothing_can_be_shown_ends_no_run(tiny_model: Path, tmp_path: Path) -> None:
    rows = [*prompts(1, rationale=SOLUTION), {**prompts(2)[1], "rationale": GOLD}]
    shop = shop_of(tmp_path, tiny_model, rows, {"strategy": "StateReset", "target": 1})
    shop.commit_answers({"p0": [GOLD], "p1": ["?"]})
    summary = resample.run(shop.context("resample"))
    assert (summary.rows, summary.counts["tail"], summary.counts["noPrefix"]) == (0, 1, 1)


def test_solutions_of_which_no_part_could_ever_be_shown_are_refused_before_any_weight_is_loaded(
    tiny_model: Path, tmp_path: Path
) -> None:
    shop = shop_of(tmp_path, tiny_model, prompts(2, rationale=f"{GOLD}\nThat is it."), {"strategy": "StateReset"})
    with pytest.raises(
        UserError, match=r"^spec\.resampling\.strategy: StateReset begins .* none of the 2 training prompts"
    ):
        evaluate.run(shop.context("evaluate", 0))
    assert shop.models._loaded is None


def test_without_an_absolute_rule_nothing_could_be_accepted(tiny_model: Path, tmp_path: Path) -> None:
    relative = {"verification": {"methods": [{"type": "Likelihood"}]}}
    shop = shop_of(tmp_path, tiny_model, prompts(1), {"strategy": "BruteForce"}, **relative)
    shop.commit_answers({"p0": ["?"]})
    with pytest.raises(UserError, match=r"set spec\.resampling\.acceptThreshold"):
        resample.run(shop.context("resample"))


UNREADABLE = {"id": "bad", "question": "What is 9 + 4?", "answer": "???", "rationale": SOLUTION}


@pytest.mark.parametrize("strategy", ["BruteForce", "AnswerDriven", "RationaleDriven", "StateReset", "Interactive"])
def test_a_prompt_whose_answer_cannot_be_read_is_counted_and_never_sampled_again(
    strategy: str, tiny_model: Path, tmp_path: Path
) -> None:
    rows = [*prompts(1, rationale=SOLUTION), UNREADABLE]
    shop = shop_of(tmp_path, tiny_model, rows, {"strategy": strategy, "target": 1, "maxRounds": 2})
    shop.commit_answers({"p0": ["?"], "bad": ["13"]})
    summary = resample.run(shop.context("resample"))
    assert (summary.counts["tail"], summary.counts["unreadableGold"], summary.counts["noReference"]) == (2, 1, 0)
    assert {row["prompt"] for row in guided_rows(shop)} <= {"p0"}


def test_where_nobody_asks_for_its_answer_it_is_sampled_like_any_other(tiny_model: Path, tmp_path: Path) -> None:
    vote = {"type": "MajorityVote", "weighting": {"type": "Threshold", "threshold": 0.9}}
    shop = shop_of(
        tmp_path,
        tiny_model,
        [*prompts(1), UNREADABLE],
        {"strategy": "BruteForce", "target": 4, "maxRounds": 1},
        verification={"methods": [vote]},
    )
    shop.commit_answers({"p0": ["1", "2"], "bad": ["1", "2"]})
    counts = resample.run(shop.context("resample")).counts
    assert "unreadableGold" not in counts
    assert {row["prompt"] for row in guided_rows(shop)} == {"p0", "bad"}


def test_a_tail_of_which_no_answer_can_be_read_loads_nothing(tiny_model: Path, tmp_path: Path) -> None:
    shop = shop_of(tmp_path, tiny_model, [*prompts(1), UNREADABLE], {"strategy": "AnswerDriven", "target": 1})
    shop.commit_answers({"p0": [GOLD], "bad": ["13"]})
    summary = resample.run(shop.context("resample"))
    assert (summary.rows, summary.tokens, summary.counts["unreadableGold"]) == (0, 0, 1)
    assert shop.models._loaded is None
