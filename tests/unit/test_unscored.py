"""Samples without a score: told where they are made, and named as the cause where nothing is left to learn from."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfimprove.api.resolve import Surroundings, resolve
from selfimprove.api.spec import Spec
from selfimprove.ledger import Ledger, StepId
from selfimprove.local import Event
from selfimprove.loop import Step, next_step
from selfimprove.status_ledger import ledger_of_status, to_ranges
from selfimprove.status_left import left_of_status
from selfimprove.unscored import unscored
from tests.unit.loop_support import after, commit, measures, selected, spec_of, stop, summary_of
from tests.unit.test_status_ledger import shown

VERIFY = StepId(1, "verify")
COT = {"type": "CoTScore"}


def judged_by(*methods: dict[str, Any], **fields: Any) -> Spec:
    return resolve(spec_of(verification={"methods": list(methods)}, **fields), surroundings=Surroundings())


def kept_nothing(spec: Spec, rows: int, **counts: int) -> Ledger:
    ledger = commit(after(measures(0.4), spec=spec), StepId(1, "generate"))
    ledger = commit(ledger, VERIFY, rows=rows, counts={name.replace("_", "."): n for name, n in counts.items()})
    return commit(ledger, StepId(1, "select"), selected=selected(examples=0))


def test_critiques_that_could_not_be_read_are_the_cause_and_not_the_weighting() -> None:
    ledger = kept_nothing(judged_by(COT), 24, Wrong=12, noScore_CoTScore=12, unparsed_CoTScore=12)
    assert stop(judged_by(COT), ledger).message == (
        "i001-verify scored too few samples: 12 of 12 without a score by CoTScore (12 critiques could not be read), "
        "and such are never kept; begin a run with another verification.methods[0].verifier or template, "
        "more generation.maxTokens, which critiques have too, or without CoTScore"
    )


def test_they_are_the_cause_of_finding_no_pair_too() -> None:
    spec = judged_by(COT, distillation={"method": "DPO"})
    ledger = kept_nothing(spec, 24, Wrong=12, noScore_CoTScore=12, unparsed_CoTScore=12)
    assert stop(spec, ledger).message.startswith(
        "i001-verify scored too few samples: 12 of 12 without a score by CoTScore"
    )


@pytest.mark.parametrize(
    ("method", "remedy"),
    [
        ({"type": "CoTBinary", "name": "judge"}, "another verification.methods[1].verifier or template"),
        ({"type": "MultipleChoice", "minMass": 0.9}, "less verification.methods[1].minMass than 0.9, other"),
        ({"type": "MultipleChoice"}, "other verification.methods[1].labels"),
        ({"type": "Tournament"}, "a verification.methods[1].verifier whose context has room for two samples"),
        ({"type": "Likelihood"}, "a verification.methods[1].verifier with a longer context"),
        ({"type": "MajorityVote"}, "a dataset.template or dataset.system that says how to answer"),
    ],
)
def test_each_method_has_a_remedy_of_its_own(method: dict[str, Any], remedy: str) -> None:
    spec = judged_by({"type": "GroundTruth"}, method)
    name = method.get("name", method["type"])
    message = stop(spec, kept_nothing(spec, 16, Correct=8, **{f"noScore_{name}": 8})).message
    assert message.startswith(
        f"i001-verify scored too few samples: 8 of 8 without a score by {name}, and such are never kept; "
    )
    assert f"begin a run with {remedy}" in message and message.endswith(f", or without {name}")


def test_of_several_methods_the_worst_is_named() -> None:
    spec = judged_by({"type": "MultipleChoice", "minMass": 0.1}, COT)
    ledger = kept_nothing(spec, 36, Wrong=12, noScore_MultipleChoice=6, noScore_CoTScore=12)
    assert "samples: 12 of 12 without a score by CoTScore, and" in stop(spec, ledger).message


def test_where_something_was_scored_its_weighting_is_named_beside_what_was_not() -> None:
    for method, found in (("SFT", "kept no sample of"), ("DPO", "found no pair in")):
        spec = judged_by(COT, distillation={"method": method})
        message = stop(spec, kept_nothing(spec, 24, Wrong=12, noScore_CoTScore=8)).message
        assert message.startswith(f"i001-select {found} 20 prompts (")
        assert "8 of 12 without a score by CoTScore)" in message


def test_where_no_answer_is_right_the_checks_own_filter_is_empty_whatever_was_scored() -> None:
    spec = judged_by({"type": "GroundTruth"}, COT)
    message = stop(spec, kept_nothing(spec, 24, Wrong=12, noScore_CoTScore=12)).message
    assert message.startswith("i001-select kept no sample of 20 prompts (")
    assert "12 of 12 without a score by CoTScore)" in message


def test_a_method_that_scored_most_samples_is_not_the_cause() -> None:
    ledger = kept_nothing(judged_by(COT), 24, Wrong=12, noScore_CoTScore=5)
    assert stop(judged_by(COT), ledger).message.startswith("i001-select kept no sample of 20 prompts")


def test_what_the_check_can_not_tell_is_no_missing_score() -> None:
    spec = judged_by({"type": "GroundTruth"})
    ledger = kept_nothing(spec, 80, NoAnswer=30, GoldUnparsable=50, noScore_GroundTruth=50)
    assert stop(spec, ledger).message.startswith("i001-select kept no sample")


def test_without_answers_samples_are_told_from_the_rows_of_the_methods() -> None:
    spec = judged_by(COT, {"type": "Likelihood"})
    (found,) = unscored(spec, [summary_of(VERIFY, rows=24, counts={"noScore.CoTScore": 12})])
    assert (found.missing, found.samples) == (12, 12)


@pytest.mark.parametrize(("step", "rows"), [("verify", 24), ("evaluate", 12)])
def test_the_line_about_the_step_tells_of_samples_without_a_score(step: Any, rows: int) -> None:
    counts = {"Wrong": 12, "noScore.CoTScore": 12, "unparsed.CoTScore": 12}
    id = StepId(1, step)
    summary = summary_of(id, rows=rows, prompts=6, tokens=300, counts=counts)
    assert str(Event("Ended", "", id, summary, unscored(judged_by(COT), [summary]))) == (
        f"i001-{step}: done, {rows} rows of 6 prompts, 300 tokens, 0.0 s; "
        "12 of 12 without a score by CoTScore (12 critiques could not be read)"
    )


def test_the_line_is_short_where_every_sample_has_a_score() -> None:
    summary = summary_of(VERIFY, rows=24, prompts=6, counts={"Wrong": 12, "unparsed.CoTScore": 3})
    assert unscored(judged_by(COT), [summary]) == []


def test_a_cluster_names_the_cause_too_and_counts_no_sample_twice() -> None:
    spec = judged_by(COT)
    ledger = kept_nothing(spec, 24, Wrong=12, noScore_CoTScore=12, unparsed_CoTScore=12)
    status = shown(spec, ledger)
    assert status.verdicts == {"Wrong": 12, "samples": 12, "noScore.CoTScore": 12, "unparsed.CoTScore": 12}
    assert stop(spec, ledger_of_status(spec, status)).message == stop(spec, ledger).message
    plain = status.model_copy(update={"verdicts": {"Wrong": 12}})
    assert left_of_status(spec, status) == left_of_status(spec, plain)


def test_a_status_says_nothing_of_methods_that_scored_most() -> None:
    spec = judged_by(COT)
    assert shown(spec, kept_nothing(spec, 24, Wrong=12, noScore_CoTScore=5)).verdicts == {"Wrong": 12}


EIGHT = [
    *({"type": "CoTScore", "name": f"score-{n}"} for n in range(4)),
    *({"type": "CoTBinary", "name": f"judge-{n}"} for n in range(4)),
]


def test_a_status_has_room_for_what_it_remembers_of_eight_methods() -> None:
    spec = judged_by(*EIGHT)
    verdicts = dict.fromkeys(("Correct", "Wrong", "NoAnswer", "Timeout", "Truncated", "GoldUnparsable"), 2)
    missing = {f"{kind}_{method['name']}": 12 for method in EIGHT for kind in ("noScore", "unparsed")}
    assert len(shown(spec, kept_nothing(spec, 12 * 9, **verdicts, **missing)).verdicts) <= 16


@given(missing=st.lists(st.integers(0, 12), min_size=3, max_size=3), graded=st.booleans())
@settings(deadline=None, max_examples=50)
def test_shard_by_shard_a_cluster_comes_to_the_same_message(missing: list[int], graded: bool) -> None:
    spec = judged_by(COT, {"type": "Likelihood"}, generation={"shards": 3})
    full = kept = commit(after(measures(0.4), spec=spec), StepId(1, "generate"), 3)
    for shard, lacking in enumerate(missing):
        verdicts = {"Wrong": 12} if graded else {}
        counts = {**verdicts, "noScore.CoTScore": lacking, "unparsed.CoTScore": lacking}
        summary = summary_of(VERIFY, shard, rows=24 + sum(verdicts.values()), counts=counts)
        full, kept = full.with_commit(summary), again(spec, kept.with_commit(summary))
    chosen = summary_of(StepId(1, "select"), selected=selected(examples=0))
    assert isinstance(next_step(spec, full), Step)
    end, theirs = stop(spec, full.with_commit(chosen)), stop(spec, kept.with_commit(chosen))
    assert theirs.message == end.message
    assert ("without a score by CoTScore" in end.message) == (sum(missing) >= 18)


def again(spec: Spec, ledger: Ledger) -> Ledger:
    """What a cluster's operator knows of it the next time: the shards that are done stand with the step at hand."""
    status, done = shown(spec, ledger), ledger.shards_done(VERIFY)
    if status.step and status.step.name == VERIFY.name:
        at_hand = status.step.model_copy(update={"done": to_ranges(done)})
        status = status.model_copy(update={"step": at_hand})
    return ledger_of_status(spec, status)
