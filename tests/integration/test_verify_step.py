"""The verify step on committed samples: which rows it writes, and how it goes on after an interruption."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import pytest

from selfimprove.errors import FailedError, TerminatedError, UserError
from selfimprove_workers import critiquing, evaluate, measure, models, resample, verify
from selfimprove_workers.chat import render
from selfimprove_workers.engines import load_engine
from selfimprove_workers.engines.base import Engine, SampleRequest
from selfimprove_workers.examining import Scored
from selfimprove_workers.models import open_engine
from selfimprove_workers.verifiers.base import MethodScore, Tools
from selfimprove_workers.verifiers.critiques import Critiques
from tests.fixtures.models import CHATML, make_tiny_model
from tests.integration.models_support import break_vllm
from tests.integration.steps_support import Rows, Workshop, stopped_at_third, workshop

SUMS = [
    {"id": "p1", "question": "What is 3 + 4?", "answer": "7"},
    {"id": "p2", "question": "And 5 + 5?", "answer": "10"},
]
LIKELIHOOD = {"type": "Likelihood"}
VOTE = {"type": "MajorityVote"}


def verification(*methods: dict[str, Any]) -> dict[str, Any]:
    return {"verification": {"methods": list(methods)}}


def answered(prompt: str, *texts: str) -> Rows:
    return [{"prompt": prompt, "sample": i, "text": text} for i, text in enumerate(texts)]


def scored(shop: Workshop, method: str) -> dict[tuple[str, int], dict[str, Any]]:
    rows = shop.rows(shop.manifest("verify").parts, "score")
    return {(row["prompt"], row["sample"]): row for row in rows if row["method"] == method}


def test_every_sample_gets_its_typed_verdict_whatever_selects(tiny_model: Path, tmp_path: Path) -> None:
    shop = workshop(tmp_path, tiny_model, SUMS, **verification(LIKELIHOOD))
    rows = [*answered("p1", "The answer is 7.", "It must be 8"), *answered("p2", "No idea.")]
    shop.commit_samples([*rows, {"prompt": "p2", "sample": 1, "text": "So it is 1", "finish": "length"}])
    summary = verify.run(shop.context("verify"))
    found = scored(shop, "GroundTruth")
    assert {key: row["verdict"] for key, row in found.items()} == {
        ("p1", 0): "Correct",
        ("p1", 1): "Wrong",
        ("p2", 0): "NoAnswer",
        ("p2", 1): "Truncated",
    }
    assert found["p1", 0]["score"] == 1.0
    assert found["p1", 0]["answer"] == "7"
    assert summary.counts == {"Correct": 1, "Wrong": 1, "NoAnswer": 1, "Truncated": 1}
    assert (summary.prompts, summary.rows, summary.tokens) == (2, 8, 0)


ASKED = {
    "Math": (["7", "x + 1", "Evelyn"], ["So it is 7.", "The answer is 7.", "It is $x + 1$.", "The answer is Evelyn."]),
    "Choice": (["A", "2", "C"], ["B", "It cools.\n\nB", "The answer is (2).", "C"]),
    "Exact": (["Paris", "no", "7"], ["It is large.\nParis", "It's Paris.", "No, it is not.", "7"]),
    "Program": (["7", "[1, 2]"], ["```python\nprint(7)\n```", "print(3 + 4)", "print([1, 2])", "I pass."]),
}


@pytest.mark.parametrize("task", ASKED)
def test_a_vote_is_the_same_whatever_the_gold_is_and_without_one(task: str, tiny_model: Path, tmp_path: Path) -> None:
    golds, texts = ASKED[task]
    votes = []
    for gold in [*golds, None]:
        known = {} if gold is None else {"answer": gold}
        prompts = [{"id": "p1", "question": "What is it?", **known}]
        shop = workshop(tmp_path / str(gold), tiny_model, prompts, dataset={"task": task}, **verification(VOTE))
        shop.commit_samples(answered("p1", *texts))
        verify.run(shop.context("verify"))
        votes.append({key: row["score"] for key, row in scored(shop, "MajorityVote").items()})
    assert votes.count(votes[0]) == len(votes)
    assert votes[0]["p1", 0] == 0.5


def test_without_answers_there_are_no_verdicts_and_the_rest_is_scored(tiny_model: Path, tmp_path: Path) -> None:
    prompts = [{"id": "p1", "question": "What is 3 + 4?"}]
    shop = workshop(tmp_path, tiny_model, prompts, **verification(VOTE, LIKELIHOOD))
    shop.commit_samples(answered("p1", "It is 7", "7", "I think 8", "who knows"))
    summary = verify.run(shop.context("verify"))
    assert scored(shop, "GroundTruth") == {}
    assert [row["score"] for row in scored(shop, "MajorityVote").values()] == [0.5, 0.5, 0.25, None]
    assert [row["score"] for row in scored(shop, "Likelihood").values()] == [-1.0] * 4
    assert summary.counts == {"noScore.MajorityVote": 1}


def test_strict_grading_makes_the_strict_verdict_the_utility_and_keeps_both(tiny_model: Path, tmp_path: Path) -> None:
    strict = workshop(tmp_path, tiny_model, SUMS, dataset={"grading": "Strict"})
    strict.commit_samples(
        [*answered("p1", "so we get 3 + 4, 7 that is, by adding", "The answer is 7."), *answered("p2")]
    )
    verify.run(strict.context("verify"))
    found = scored(strict, "GroundTruth")
    assert [row["score"] for row in found.values()] == [0.0, 1.0]
    assert [row["verdict"] for row in found.values()] == ["Correct", "Correct"]


def test_labels_are_read_after_the_samples_own_tokens_by_the_runs_own_model(tiny_model: Path, tmp_path: Path) -> None:
    shop = workshop(tmp_path, tiny_model, SUMS, **verification({"type": "MultipleChoice", "name": "mc"}))
    tokenizer = shop.models.tokenizer(tiny_model)
    prompt = render(tokenizer, [{"role": "user", "content": SUMS[0]["question"]}], {})
    texts = ["It is 7.", "It is 9."]
    rows = [
        {**row, "prompt_tokens": prompt, "tokens": tokenizer.encode(row["text"], add_special_tokens=False)}
        for row in answered("p1", *texts)
    ]
    shop.commit_samples(rows)
    verify.run(shop.context("verify"))
    found = scored(shop, "mc").values()
    assert all(0 < row["score"] < 1 and 0 < row["mass"] < 1 for row in found)
    assert len({row["score"] for row in found}) == 2
    settings = shop.manifest("verify").settings["methods"]["mc"]
    assert settings["version"].startswith("multiple-choice-1@")


def test_another_model_can_verify_in_a_pass_of_its_own(tiny_model: Path, tmp_path: Path) -> None:
    judge = {"type": "MultipleChoice", "name": "judge", "verifier": {"uri": str(tiny_model)}}
    shop = workshop(tmp_path, tiny_model, SUMS, **verification(judge, LIKELIHOOD))
    shop.commit_samples([*answered("p1", "7", "8"), *answered("p2", "10", "11")])
    verify.run(shop.context("verify"))
    rows = shop.rows(shop.manifest("verify").parts, "score")
    assert [row["method"] for row in rows] == ["GroundTruth"] * 4 + ["Likelihood"] * 4 + ["judge"] * 4
    assert all(row["score"] is not None for row in rows)


def test_an_interrupted_step_goes_on_at_the_prompt_where_it_stopped(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verify, "SAMPLES_PER_PART", 2)
    judge = {"type": "MultipleChoice", "name": "judge", "verifier": {"uri": str(tiny_model)}}
    shop = workshop(tmp_path, tiny_model, SUMS, **verification(judge, LIKELIHOOD))
    shop.commit_samples([*answered("p1", "7", "8"), *answered("p2", "10", "11")], per_part=1)
    parts = []
    for _ in range(3):
        context = shop.context("verify")
        context.stopping.set()
        with pytest.raises(TerminatedError):
            verify.run(context)
        parts.append(sorted(entry.key for entry in shop.store.list("i001/verify/")))
    verify.run(shop.context("verify"))
    assert [len(keys) for keys in parts] == [1, 2, 3]
    rows = shop.rows(shop.manifest("verify").parts, "score")
    whole = [(row["method"], row["prompt"], row["sample"]) for row in rows]
    samples = [("p1", 0), ("p1", 1), ("p2", 0), ("p2", 1)]
    assert sorted(whole) == sorted((m, p, i) for m in ("GroundTruth", "Likelihood", "judge") for p, i in samples)
    assert shop.manifest("verify").summary["counts"] == {"Correct": 2, "Wrong": 2}


def test_a_verifier_that_the_tokenizer_cannot_serve_is_refused_in_one_line(tiny_model: Path, tmp_path: Path) -> None:
    unequal = {"type": "MultipleChoice", "name": "mc", "labels": {"positive": "Correct", "negative": "Incorrect"}}
    shop = workshop(tmp_path, tiny_model, SUMS, **verification(unequal))
    shop.commit_samples(answered("p1", "7"))
    with pytest.raises(
        UserError, match=r"^spec\.verification\.methods\[mc\]\.labels: Correct/Incorrect is not one token"
    ):
        verify.run(shop.context("verify"))


def test_without_samples_there_is_nothing_to_verify(tiny_model: Path, tmp_path: Path) -> None:
    shop = workshop(tmp_path, tiny_model, SUMS)
    with pytest.raises(FailedError, match="i001/generate/00000"):
        verify.run(shop.context("verify"))


SHORT = {"generation": {"maxTokens": 12, "samplesPerPrompt": 2, "temperature": 1.0, "engine": "Transformers"}}
TERSE = "{{ low }} {{ high }}"


class Cup:
    """Any four answers to both sums, verified by a tournament."""

    ANSWERS = [*answered("p1", "7", "8", "9", "It is 7"), *answered("p2", "10", "11", "12")]
    SPEC = verification({"type": "Tournament", "name": "cup", "template": "{{ other }} A or B?"})


def test_a_tournament_ranks_the_samples_of_each_prompt(tiny_model: Path, tmp_path: Path) -> None:
    shop = workshop(tmp_path, tiny_model, SUMS, **Cup.SPEC)
    shop.commit_samples(Cup.ANSWERS)
    verify.run(shop.context("verify"))
    found = scored(shop, "cup")
    assert sorted(found["p1", i]["score"] for i in range(4)) == [0, 0, 1, 2]
    assert sorted(found["p2", i]["score"] for i in range(3)) in ([0, 0, 2], [0, 1, 2])
    assert all(0 < row["mass"] < 1 for row in found.values())
    assert shop.manifest("verify").settings["judgingSeed"] == 0


def test_a_tournament_does_not_depend_on_what_is_scored_with_it(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = workshop(tmp_path / "one", tiny_model, SUMS, **Cup.SPEC)
    together.commit_samples(Cup.ANSWERS)
    verify.run(together.context("verify"))
    monkeypatch.setattr(verify, "SAMPLES_PER_PART", 1)
    apart = workshop(tmp_path / "other", tiny_model, SUMS, **Cup.SPEC)
    apart.commit_samples(Cup.ANSWERS, per_part=1)
    verify.run(apart.context("verify"))
    ranks = [{key: row["score"] for key, row in scored(shop, "cup").items()} for shop in (together, apart)]
    assert ranks[0] == ranks[1]


def test_critiques_that_say_nothing_are_counted_and_give_no_score(tiny_model: Path, tmp_path: Path) -> None:
    judge = {"type": "CoTScore", "name": "judge", "votes": 2, "template": TERSE}
    shop = workshop(tmp_path, tiny_model, SUMS, **SHORT, **verification(judge, LIKELIHOOD))
    shop.commit_samples([*answered("p1", "7", "8"), *answered("p2", "10", "11")])
    summary = verify.run(shop.context("verify"))
    assert [row["score"] for row in scored(shop, "judge").values()] == [None] * 4
    assert 0 < summary.tokens <= 8 * 12
    counts = {"Correct": 2, "Wrong": 2, "noScore.judge": 4, "unparsed.judge": 8, "critiqueTokens": summary.tokens}
    assert summary.counts == counts
    settings = shop.manifest("verify").settings
    assert (settings["critiques"]["max_tokens"], settings["critiques"]["stop"]) == (12, [])
    assert settings["methods"]["judge"]["version"].startswith("own@")


def test_every_critique_is_kept_with_the_sample_it_is_of(tiny_model: Path, tmp_path: Path) -> None:
    judge = {"type": "CoTScore", "name": "judge", "votes": 2, "template": TERSE}
    shop = workshop(tmp_path, tiny_model, SUMS, **SHORT, **verification(judge, LIKELIHOOD))
    shop.commit_samples([*answered("p1", "7", "8"), *answered("p2", "10", "11")])
    summary = verify.run(shop.context("verify"))
    votes = shop.rows(shop.manifest("verify").tables["critique"], "vote")
    assert [(row["prompt"], row["sample"], row["method"], row["vote"]) for row in votes] == [
        (prompt, sample, "judge", vote) for prompt in ("p1", "p2") for sample in (0, 1) for vote in (0, 1)
    ]
    assert all(row["text"] and row["says"] is None for row in votes)
    assert sum(row["tokens"] for row in votes) == summary.counts["critiqueTokens"]


def test_methods_that_draw_nothing_leave_no_critiques(tiny_model: Path, tmp_path: Path) -> None:
    shop = workshop(tmp_path, tiny_model, SUMS, **verification(LIKELIHOOD))
    shop.commit_samples(answered("p1", "7", "8"))
    verify.run(shop.context("verify"))
    assert shop.manifest("verify").tables == {}


def test_a_step_killed_between_critiques_and_scores_has_both_of_every_sample_once(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process ends after the critiques of the first prompt are in storage, and before its scores are."""
    monkeypatch.setattr(critiquing, "SECONDS_A_PART", 0.0)
    shop = workshop(tmp_path, tiny_model, SUMS, **SHORT, **verification({"type": "CoTBinary", "name": "judge"}))
    shop.commit_samples([*answered("p1", "7", "8"), *answered("p2", "10", "11")])
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Scored, "counts", property(_killed_at_a_critique))
        verify.run(shop.context("verify"))
    verify.run(shop.context("verify"))
    manifest = shop.manifest("verify")
    votes = shop.rows(manifest.tables["critique"], "vote")
    judged = [row for row in shop.rows(manifest.parts, "score") if row["method"] == "judge"]
    whole = [("p1", 0), ("p1", 1), ("p2", 0), ("p2", 1)]
    assert [(row["prompt"], row["sample"]) for row in votes] == whole
    assert [(row["prompt"], row["sample"]) for row in judged] == whole


def _killed_at_a_critique(scored: Scored) -> dict[str, int]:
    if scored.votes:
        raise KeyboardInterrupt
    return {}


def test_critiques_are_the_same_whatever_they_are_drawn_with(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: dict[str, list[tuple[str, ...]]] = {"one": [], "other": []}
    for name in heard:
        shop = workshop(tmp_path / name, tiny_model, SUMS, **SHORT, **verification({"type": "CoTScore", "votes": 2}))
        shop.commit_samples([*answered("p1", "7", "8"), *answered("p2", "10", "11")], per_part=1)
        read = Critiques.read

        def listening(self: Critiques, tools: Tools, critiques: Any, name: str = name, read: Any = read) -> MethodScore:
            heard[name].append(tuple(str(each.tokens) for each in critiques))
            found: MethodScore = read(self, tools, critiques)
            return found

        monkeypatch.setattr(Critiques, "read", listening)
        verify.run(shop.context("verify"))
        monkeypatch.setattr(Critiques, "read", read)
        monkeypatch.setattr(verify, "SAMPLES_AT_ONCE", 1)
    assert heard["one"] == heard["other"]
    assert len({critique for votes in heard["one"] for critique in votes}) == 8


def test_an_interrupted_pass_of_critiques_keeps_the_prompts_that_were_complete(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every part is cut as soon as a prompt is complete, and the signal comes right after it."""
    monkeypatch.setattr(critiquing, "SECONDS_A_PART", 0.0)
    judge = {"type": "CoTBinary", "name": "judge"}
    shop = workshop(tmp_path, tiny_model, SUMS, **SHORT, **verification(judge, LIKELIHOOD))
    shop.commit_samples([*answered("p1", "7", "8"), *answered("p2", "10", "11")])
    done = []
    for _ in range(4):
        context = shop.context("verify")
        signal = context.stopping.set
        monkeypatch.setattr(
            context.progress, "advance", lambda prompts=0, signal=signal, **_: signal() if prompts else None
        )
        with suppress(TerminatedError):
            verify.run(context)
        done.append(context.prompts_done)
    assert done == [4, 6, 8, 8]  # of scores and of critiques
    rows = shop.rows(shop.manifest("verify").parts, "score")
    assert [(row["prompt"], row["sample"]) for row in rows if row["method"] == "judge"] == [
        ("p1", 0),
        ("p1", 1),
        ("p2", 0),
        ("p2", 1),
    ]


def test_a_signal_before_a_prompt_is_complete_keeps_the_critiques_that_were_drawn(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge = {"type": "CoTBinary", "name": "judge", "votes": 2}
    shop = workshop(tmp_path, tiny_model, SUMS, **SHORT, **verification(judge))
    shop.commit_samples([*answered("p1", "7", "8"), *answered("p2", "10", "11")])
    context = shop.context("verify")
    asked = stopped_at_third(shop, context, monkeypatch)
    with pytest.raises(TerminatedError):
        verify.run(context)
    verify.run(shop.context("verify"))
    assert asked == [8, 5]
    assert {row["prompt"] for row in shop.rows(shop.manifest("verify").parts, "score")} == {"p1", "p2"}


def other_model(folder: Path, **changes: Any) -> Path:
    """A verifier that is not the run's model: other weights, and a chat template of its own."""
    make_tiny_model(folder, seed=1, **changes)
    return folder


def test_another_model_is_named_loaded_after_the_runs_own_is_closed_and_spoken_to_in_its_own_way(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[tuple[str, str]] = []
    closed: list[str] = []

    def load(folder: Path, settings: Any, tokenizer: Any, field: str) -> Engine:
        engine = load_engine(folder, settings, tokenizer, field)
        loaded.append((folder.name, tokenizer.chat_template))
        close = engine.close
        monkeypatch.setattr(engine, "close", lambda: (closed.append(folder.name), close()))
        return engine

    monkeypatch.setattr(models, "load_engine", load)
    judge = other_model(tmp_path / "judge")
    chat = CHATML.replace("user", "human")
    verifier = {"uri": str(judge), "chatTemplate": chat}
    shop = workshop(
        tmp_path / "run",
        tiny_model,
        SUMS,
        **verification({"type": "MultipleChoice", "name": "own"}, {"type": "MultipleChoice", "verifier": verifier}),
    )
    shop.commit_answers({"p1": ["7", "8"], "p2": ["10", "11"]})
    assert loaded == [(tiny_model.name, CHATML), ("judge", chat)]
    assert closed == [tiny_model.name]
    named = shop.manifest("verify").settings["verifiers"]
    assert named["MultipleChoice"]["uri"] == str(judge)
    assert len(named["MultipleChoice"]["digest"]) == 64
    own, other = scored(shop, "own"), scored(shop, "MultipleChoice")
    assert all(own[key]["score"] != other[key]["score"] for key in own)


OF_GENERATION = {"engine": "Transformers", "engineArgs": {"dtype": "float32", "maxBatchTokens": 4096}}
OF_ITS_OWN = {"dtype": "bfloat16", "maxModelLen": 300, "maxBatchTokens": 512}


def judged_by(model: Path, name: str, **engine: Any) -> dict[str, Any]:
    return {"type": "MultipleChoice", "name": name, "verifier": {"uri": str(model), **engine}}


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, int, str]]:
    """What was loaded: whose model, the format that it computes in, its longest sequence, and where that is set."""
    found: list[tuple[str, str, int, str]] = []

    def load(folder: Path, settings: Any, tokenizer: Any, field: str) -> Engine:
        engine: Any = load_engine(folder, settings, tokenizer, field)
        kind = str(engine.model.dtype).removeprefix("torch.")
        found.append((folder.name, kind, engine.max_model_len, field))
        return cast(Engine, engine)

    monkeypatch.setattr(models, "load_engine", load)
    return found


def test_a_verifier_runs_in_an_engine_of_its_own_and_without_one_as_generation_does(
    tiny_model: Path, tmp_path: Path, loaded: list[tuple[str, str, int, str]]
) -> None:
    judge = other_model(tmp_path / "judge")
    alike, apart = judged_by(judge, "alike"), judged_by(judge, "apart", engineArgs=OF_ITS_OWN)
    shop = workshop(tmp_path / "run", tiny_model, SUMS, generation=OF_GENERATION, **verification(alike, apart))
    shop.commit_answers({"p1": ["7", "8"], "p2": ["10", "11"]})
    field = "spec.verification.methods.verifier"
    assert loaded == [("judge", "float32", 512, field), ("judge", "bfloat16", 300, field)]
    gaps = [
        abs(scored(shop, "alike")[key]["score"] - scored(shop, "apart")[key]["score"]) for key in scored(shop, "alike")
    ]
    assert 0 < max(gaps) < 0.05


def test_the_runs_own_model_may_verify_in_another_engine_than_it_samples_in(
    tiny_model: Path, tmp_path: Path, loaded: list[tuple[str, str, int, str]]
) -> None:
    judge = judged_by(tiny_model, "judge", engineArgs=OF_ITS_OWN)
    shop = workshop(tmp_path / "run", tiny_model, SUMS, generation=OF_GENERATION, **verification(judge))
    evaluate.run(shop.context("evaluate", iteration=0))
    assert [(kind, longest) for _, kind, longest, _ in loaded] == [("float32", 512), ("bfloat16", 300)]


def test_guided_samples_are_judged_in_the_verifiers_own_engine(
    tiny_model: Path, tmp_path: Path, loaded: list[tuple[str, str, int, str]]
) -> None:
    judge = judged_by(other_model(tmp_path / "judge"), "judge", engineArgs=OF_ITS_OWN)
    judge |= {"weighting": {"type": "Threshold", "threshold": 0.999999}}
    shop = workshop(
        tmp_path / "run",
        tiny_model,
        SUMS,
        generation=OF_GENERATION,
        **verification(judge),
        resampling={"strategy": "BruteForce", "maxRounds": 1, "target": 1},
        selection={"acceptTruncated": True},
    )
    shop.commit_answers({"p1": ["7", "8"], "p2": ["10", "11"]})
    loaded.clear()
    resample.run(shop.context("resample"))
    assert [(name, kind) for name, kind, *_ in loaded] == [(tiny_model.name, "float32"), ("judge", "bfloat16")]


def test_a_verifier_is_never_asked_to_be_longer_than_it_was_made(
    tiny_model: Path, tmp_path: Path, loaded: list[tuple[str, str, int, str]]
) -> None:
    judge = judged_by(other_model(tmp_path / "judge"), "judge", engineArgs={"maxModelLen": 4096})
    shop = workshop(tmp_path / "run", tiny_model, SUMS, **verification(judge))
    shop.commit_answers({"p1": ["7"], "p2": ["10"]})
    assert [longest for _, _, longest, _ in loaded] == [512]


def test_manifests_say_no_more_of_a_verifiers_engine_than_of_generations(tiny_model: Path, tmp_path: Path) -> None:
    said = []
    for name, engine in {"plain": {}, "own": {"engine": "Transformers", "engineArgs": OF_ITS_OWN}}.items():
        judge = judged_by(tiny_model, "judge", **engine)
        shop = workshop(tmp_path / name, tiny_model, SUMS, **verification(judge))
        shop.commit_answers({"p1": ["7"], "p2": ["10"]})
        evaluate.run(shop.context("evaluate", iteration=0))
        measure.run(shop.context("measure", iteration=0))
        manifests = [shop.manifest("verify"), shop.manifest("evaluate", 0), shop.manifest("measure", 0)]
        said.append([found.settings for found in manifests])
    plain, own = said
    assert plain[:2] == own[:2]
    assert plain[2]["verification"] == own[2]["verification"]
    assert own[0]["methods"]["judge"]["verifier"] == {"uri": str(tiny_model)}


def test_an_engine_that_a_verifier_can_not_have_is_told_before_the_first_sample_is_drawn(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_vllm(tmp_path, monkeypatch)
    judge = judged_by(tiny_model, "judge", engine="VLLM")
    shop = workshop(tmp_path / "run", tiny_model, SUMS, **verification(judge))
    with pytest.raises(UserError) as refused:
        evaluate.run(shop.context("evaluate", iteration=0))
    assert str(refused.value) == (
        "spec.verification.methods.verifier.engine: VLLM: it can't be imported (libcudart.so.12: cannot open); "
        "mend it, or use Auto or Transformers"
    )
    assert list(shop.store.list("i000/evaluate/")) == []


def test_likelihood_by_another_model_is_what_it_finds_of_the_text(tiny_model: Path, tmp_path: Path) -> None:
    judge = other_model(tmp_path / "judge")
    shop = workshop(tmp_path / "run", tiny_model, SUMS, **verification({**LIKELIHOOD, "verifier": {"uri": str(judge)}}))
    shop.commit_samples([*answered("p1", "It is 7.", ""), *answered("p2", "10")])
    verify.run(shop.context("verify"))
    found = scored(shop, "Likelihood")
    engine = open_engine(judge, shop.spec.generation)
    context = render(engine.tokenizer, [{"role": "user", "content": SUMS[0]["question"]}], {})
    (read,) = engine.logprobs([context], [engine.tokenizer.encode("It is 7.")])
    assert found["p1", 0]["score"] == pytest.approx(read.mean())
    assert found["p1", 1]["score"] is None


def test_a_verifiers_chat_template_that_forgets_is_refused_before_anything_is_loaded(
    tiny_model: Path, tmp_path: Path
) -> None:
    forgets = "{{ messages[-1]['content'] }}"
    judge = {"type": "CoTScore", "verifier": {"uri": str(tiny_model), "chatTemplate": forgets}}
    shop = workshop(tmp_path, tiny_model, SUMS, **verification(judge))
    shop.commit_samples(answered("p1", "7", "8"))
    with pytest.raises(
        UserError,
        match=r"^spec\.verification\.methods\.verifier\.chatTemplate: the verifier's chat template leaves",
    ):
        verify.run(shop.context("verify"))


def test_what_a_tokenizer_cannot_do_is_told_before_the_first_sample_is_drawn(tiny_model: Path, tmp_path: Path) -> None:
    cup = {"type": "Tournament", "name": "cup", "labels": {"positive": "Former", "negative": "Latter"}}
    shop = workshop(tmp_path, tiny_model, SUMS, **verification(cup))
    context = shop.context("evaluate", iteration=0)
    with pytest.raises(UserError, match=r"^spec\.verification\.methods\[cup\]\.labels: .*; use A/B$"):
        evaluate.run(context)
    assert list(shop.store.list("i000/evaluate/")) == []


def test_held_out_samples_are_verified_in_the_same_way_by_the_same_models(tiny_model: Path, tmp_path: Path) -> None:
    judge = other_model(tmp_path / "judge")
    methods = [
        {"type": "CoTScore", "votes": 2, "template": TERSE},
        {"type": "Tournament", "verifier": {"uri": str(judge)}, "template": "{{ other }} A or B?"},
    ]
    shop = workshop(tmp_path / "run", tiny_model, SUMS, **SHORT, **verification(*methods))
    summary = evaluate.run(shop.context("evaluate", iteration=0))
    manifest = shop.manifest("evaluate", iteration=0)
    rows = shop.rows(manifest.tables["score"], "score")
    ranks = sorted(row["score"] for row in rows if row["method"] == "Tournament")
    assert ranks == [0, 0, 1, 2]
    assert len(shop.rows(manifest.tables["critique"], "vote")) == 8
    assert summary.counts["unparsed.CoTScore"] == 8
    assert summary.tokens > sum(len(row["tokens"]) for row in shop.rows(manifest.parts, "sample"))
    assert manifest.settings["verifiers"]["Tournament"]["uri"] == str(judge)
    measured = measure.run(shop.context("measure", iteration=0))
    assert measured.measures is not None


def test_a_guided_sample_is_judged_by_another_model_and_drawn_by_the_runs_own(tiny_model: Path, tmp_path: Path) -> None:
    judge = other_model(tmp_path / "judge")
    method = {
        "type": "MultipleChoice",
        "verifier": {"uri": str(judge)},
        "weighting": {"type": "Threshold", "threshold": 0.999999},
    }
    resampling = {"strategy": "BruteForce", "maxRounds": 2, "target": 2}
    shop = workshop(
        tmp_path / "run",
        tiny_model,
        SUMS,
        **verification(method),
        resampling=resampling,
        selection={"acceptTruncated": True},
    )
    shop.commit_answers({"p1": ["7", "8"], "p2": ["10", "11"]})
    summary = resample.run(shop.context("resample"))
    assert summary.counts["tried"] == 4
    own = open_engine(tiny_model, shop.spec.generation)
    rows = shop.rows(shop.manifest("resample").parts, "sample")
    requests = [SampleRequest(row["prompt_tokens"], row["seed"], 8, 1.0, shop.spec.generation.top_p) for row in rows]
    drawn = dict(own.sample(requests))
    assert [drawn[at].tokens for at in range(4)] == [row["tokens"] for row in rows]


@pytest.mark.model
def test_a_real_model_answers_with_the_labels_it_is_asked_for(smollm2: Path, tmp_path: Path) -> None:
    shop = workshop(tmp_path, smollm2, SUMS, **verification({"type": "MultipleChoice"}))
    shop.commit_answers({"p1": ["3 + 4 = 7", "3 + 4 = 9"], "p2": ["5 + 5 = 10"]})
    found = scored(shop, "MultipleChoice").values()
    assert all(row["mass"] > 0.3 for row in found)
    assert all(0.05 < row["score"] < 0.95 for row in found)


@pytest.mark.model
def test_a_real_verifier_says_nearly_the_same_in_an_engine_of_another_precision(smollm2: Path, tmp_path: Path) -> None:
    methods = [judged_by(smollm2, "fine"), judged_by(smollm2, "coarse", engineArgs={"dtype": "bfloat16"})]
    generation = {"engine": "Transformers", "engineArgs": {"dtype": "float32"}}
    shop = workshop(tmp_path, smollm2, SUMS, generation=generation, **verification(*methods))
    shop.commit_answers({"p1": ["3 + 4 = 7", "3 + 4 = 9"], "p2": ["5 + 5 = 10", "5 + 5 = 12"]})
    fine, coarse = scored(shop, "fine"), scored(shop, "coarse")
    gaps = [abs(fine[key]["score"] - coarse[key]["score"]) for key in fine]
    assert len(gaps) == 4
    assert 0 < max(gaps) < 0.03  # docs/verification.md: 0.017 at most, of 36


@pytest.mark.model
def test_a_real_tokenizer_with_one_spelling_of_incorrect_is_told_of_a_pair_it_has(
    smollm2: Path, tmp_path: Path
) -> None:
    unequal = {"type": "MultipleChoice", "labels": {"positive": "Correct", "negative": "Incorrect"}}
    shop = workshop(tmp_path, smollm2, SUMS, **verification(unequal))
    with pytest.raises(
        UserError, match=r"Correct/Incorrect is not one token each in the same spelling here; use Yes/No$"
    ):
        shop.commit_answers({"p1": ["3 + 4 = 7"], "p2": ["5 + 5 = 10"]})


def test_programs_are_run_side_by_side_and_judged_by_what_they_print(tiny_model: Path, tmp_path: Path) -> None:
    shop = workshop(tmp_path, tiny_model, SUMS, dataset={"task": "Program"}, **verification(VOTE))
    block = "```python\n{}\n```".format
    right, hostile = block("print(3 + 4)"), block("import os\nwhile True:\n    os.fork()")
    shop.commit_samples(
        [*answered("p1", right, block("print(8)"), hostile), *answered("p2", "I say it is 10.", block("10 / 0"))]
    )
    summary = verify.run(shop.context("verify"))
    assert {key: row["verdict"] for key, row in scored(shop, "GroundTruth").items()} == {
        ("p1", 0): "Correct",
        ("p1", 1): "Wrong",
        ("p1", 2): "Wrong",
        ("p2", 0): "NoAnswer",
        ("p2", 1): "Wrong",
    }
    assert scored(shop, "GroundTruth")["p1", 0]["answer"] == "7"
    assert summary.counts["Correct"] == 1


ANSWERS = {
    "p1": ["3 + 4 = 7. The answer is 7.", "3 + 4 = 9. The answer is 9."],
    "p2": ["5 + 5 = 10. The answer is 10."],
}


ECHOES = [
    ({"type": "CoTScore", "range": [1, 7], "template": "Write this line and nothing else (of 1 to 7):\nScore: 6"}, 6),
    ({"type": "CoTBinary", "template": "Write this line (not Incorrect) and nothing else:\nVerdict: Correct"}, 1),
]


@pytest.mark.model
@pytest.mark.parametrize(("judge", "said"), ECHOES, ids=["CoTScore", "CoTBinary"])
def test_what_a_real_model_writes_is_read(smollm2: Path, tmp_path: Path, judge: dict[str, Any], said: int) -> None:
    own = {"maxTokens": 24, "samplesPerPrompt": 2, "temperature": 0.1, "engine": "Transformers"}
    shop = workshop(tmp_path, smollm2, SUMS, generation=own, **verification({**judge, "votes": 2}))
    shop.commit_answers(ANSWERS)
    scores = [row["score"] for row in scored(shop, judge["type"]).values()]
    assert said in scores
    unparsed = shop.manifest("verify").summary["counts"].get(f"unparsed.{judge['type']}", 0)
    assert 2 * scores.count(None) <= unparsed < 6


@pytest.mark.model
def test_a_real_model_says_which_answer_it_prefers_in_both_orders(smollm2: Path, tmp_path: Path) -> None:
    shop = workshop(tmp_path, smollm2, SUMS, **verification({"type": "Tournament"}))
    shop.commit_answers({**ANSWERS, "p2": ["5 + 5 = 10.", "5 + 5 = 25.", "I say 10."]})
    found = scored(shop, "Tournament")
    assert sorted(found["p1", i]["score"] for i in range(2)) == [0, 1]
    assert max(found["p2", i]["score"] for i in range(3)) == 2
    assert all(row["mass"] > 0.3 for row in found.values())
