"""VerifierDrift: what it warns of, before distillation is paid for; and a cluster says the same from its status."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfimprove.api.resolve import Surroundings, resolve
from selfimprove.api.spec import Metadata, Run, Spec
from selfimprove.api.status import Condition, Status
from selfimprove.ledger import Ledger, StepId
from selfimprove.loop import next_step
from selfimprove.measures import verifier_columns, verifier_figures, worst_figures
from selfimprove.status import status_of
from selfimprove.status_ledger import ledger_of_status
from selfimprove.stopping import warnings
from selfimprove.summaries import Estimate, Selected
from selfimprove.verifier_drift import drift
from tests.unit.loop_support import after, commit, measures, selected, spec_of, step

NOW = datetime(2026, 11, 25, tzinfo=UTC)
SPEC = resolve(spec_of(maxIterations=9), surroundings=Surroundings())


def estimate(value: float, low: float, high: float) -> Estimate:
    return Estimate(value=value, low=low, high=high, n=100)


GOOD = {"judge.auroc": estimate(0.8, 0.75, 0.85)}
DROPPED = {"judge.auroc": estimate(0.65, 0.6, 0.7), "judge.aurocChange": estimate(-0.15, -0.2, -0.1)}
MASS = {"judge.auroc": estimate(0.8, 0.75, 0.85), "mc.massChange": estimate(-0.3, -0.35, -0.25)}
AT_CHANCE = {"judge.auroc": estimate(0.52, 0.48, 0.56)}


def with_verifier(found: dict[str, Estimate] | None) -> Selected:
    return selected().model_copy(update={"verifier": found})


def at_distill(found: dict[str, Estimate] | None, n: int = 2) -> Ledger:
    """Iteration n is selected, and nothing more."""
    ledger = after(*[measures(0.5)] * n, spec=SPEC, selections={m: with_verifier(GOOD) for m in range(1, n)})
    for name in ("generate", "verify"):
        ledger = commit(ledger, StepId(n, name))
    return commit(ledger, StepId(n, "select"), selected=with_verifier(found))


def shown(ledger: Ledger, spec: Spec = SPEC) -> Status:
    run = Run(api_version="selfimprove.dev/v1alpha1", kind="SelfImprovementRun", metadata=Metadata(name="a"), spec=spec)
    return status_of(run, spec, ledger, next_step(spec, ledger), run_uri="s3://lab/a", now=NOW)


def condition(status: Status) -> Condition:
    return next(each for each in status.conditions if each.type == "VerifierDrift")


class TestRule:
    def test_warns_of_a_drop_beyond_the_limit_and_the_interval(self):
        reason, message = drift(SPEC, at_distill(DROPPED)) or ("", "")
        assert reason == "Dropped"
        assert message.startswith(
            "AUROC of judge on the training prompts fell by 0.1500 from iteration 1 to 2, more than "
            "stopping.maxVerifierDrop 0.05 (95% interval of the change -0.2000 to -0.1000)"
        )

    def test_warns_when_a_model_no_longer_answers_with_the_labels(self):
        reason, message = drift(SPEC, at_distill(MASS)) or ("", "")
        assert reason == "Dropped"
        assert message.startswith("mean label mass of mc on the training prompts fell by 0.3000")

    @pytest.mark.parametrize(
        "change",
        [estimate(-0.05, -0.08, -0.02), estimate(-0.2, -0.5, 0.0), estimate(0.2, 0.1, 0.3), Estimate(value=-0.3)],
        ids=["within the limit", "within the interval", "a gain", "one prompt"],
    )
    def test_says_nothing_of_other_changes(self, change: Estimate):
        assert drift(SPEC, at_distill({**GOOD, "judge.aurocChange": change})) is None

    def test_warns_when_a_verifier_can_not_be_told_from_chance(self):
        reason, message = drift(SPEC, at_distill(AT_CHANCE)) or ("", "")
        assert reason == "AtChance"
        assert message.startswith("AUROC of judge on the training prompts of iteration 2 is 0.5200 (95% interval 0.48")

    def test_says_of_one_that_prefers_wrong_samples_that_it_is_worse_than_chance(self):
        reason, message = drift(SPEC, at_distill({"judge.auroc": estimate(0.3, 0.2, 0.4)})) or ("", "")
        assert reason == "AtChance"
        assert "0.2000 to 0.4000), which is worse than chance, 0.5: it prefers wrong samples" in message

    def test_does_so_in_the_first_iteration_too(self):
        assert (drift(SPEC, at_distill(AT_CHANCE, n=1)) or ("",))[0] == "AtChance"

    def test_reads_figures_as_they_are_shown(self):
        barely = {"judge.auroc": estimate(0.6, 0.50004, 0.7)}
        assert (drift(SPEC, at_distill(barely)) or ("",))[0] == "AtChance"

    def test_a_higher_limit_ends_the_warning(self):
        loose = SPEC.model_copy(update={"stopping": SPEC.stopping.model_copy(update={"max_verifier_drop": 0.2})})
        assert drift(loose, at_distill(DROPPED)) is None

    def test_without_answers_and_labels_there_is_nothing_to_judge(self):
        assert drift(SPEC, at_distill(None, n=1)) is None


class TestTold:
    def test_before_the_distillation_is_paid_for_and_it_ends_nothing(self):
        ledger = at_distill(DROPPED)
        decision = step(SPEC, ledger)
        assert decision.id == StepId(2, "distill")
        assert "; VerifierDrift, Dropped: AUROC of judge" in decision.reason
        assert [notice.type for notice in warnings(SPEC, ledger)] == ["VerifierDrift"]

    def test_as_a_condition_that_is_always_there(self):
        before, good, bad = (condition(shown(ledger)) for ledger in (after(), at_distill(GOOD), at_distill(DROPPED)))
        assert [(c.status, c.reason) for c in (before, good, bad)] == [
            ("False", "NotMeasured"),
            ("False", "NotSeen"),
            ("True", "Dropped"),
        ]
        assert "stopping.maxVerifierDrop 0.05" in bad.message

    @pytest.mark.parametrize("found", [None, GOOD, DROPPED, MASS, AT_CHANCE])
    def test_by_a_cluster_in_the_same_words_from_what_its_status_keeps(self, found: dict[str, Estimate] | None):
        once = shown(at_distill(found))
        again = shown(ledger_of_status(SPEC, Status.model_validate(once.to_json())))
        assert condition(again) == condition(once)
        assert again.iterations[-1].verifier == once.iterations[-1].verifier


class TestFigures:
    prompt = np.repeat(np.arange(40), 8)
    utility = np.tile([1.0, 1, 1, 1, 0, 0, 0, 0], 40)
    ids = [f"p{i}" for i in range(40)]
    nothing = np.full(320, np.nan)

    def columns(self, knows: float, mass: float = 0.9) -> dict[str, np.ndarray]:
        noise = np.random.default_rng(int(100 * knows)).uniform(size=320)
        score = np.where(noise < knows, self.utility, noise)
        return verifier_columns(score, np.full(320, mass), self.utility, self.prompt, 40)

    def first(self, columns: dict[str, np.ndarray]) -> dict[str, dict[str, dict[str, float]]]:
        return {"mc": {name: dict(zip(self.ids, map(float, each), strict=True)) for name, each in columns.items()}}

    def test_a_verifier_that_forgets_drops_and_one_that_does_not_does_not(self):
        good, bad = self.columns(0.9), self.columns(0.1, mass=0.4)
        worse = verifier_figures(self.ids, {"mc": bad}, self.first(good), seed=1)["mc"]
        assert worse["aurocChange"].value == pytest.approx(np.mean(bad["auroc"] - good["auroc"]))
        assert worse["aurocChange"].high is not None
        assert worse["aurocChange"].high < 0
        assert worse["massChange"].value == pytest.approx(-0.5)
        same = verifier_figures(self.ids, {"mc": good}, self.first(good), seed=1)["mc"]
        assert same["aurocChange"].value == same["massChange"].value == 0

    def test_prompts_meet_by_their_ids(self):
        good = self.columns(0.9)
        turned = {name: each[::-1] for name, each in good.items()}
        found = verifier_figures(self.ids[::-1], {"mc": turned}, self.first(good), seed=1)["mc"]
        assert found["aurocChange"].value == 0

    def test_a_method_that_reads_no_labels_has_no_mass(self):
        columns = verifier_columns(self.utility, self.nothing, self.utility, self.prompt, 40)
        found = verifier_figures(self.ids, {"vote": columns}, None, seed=1)
        assert set(found["vote"]) == {"auroc"}

    @given(st.lists(st.tuples(st.floats(-1, 1), st.floats(0, 0.5)), min_size=1, max_size=5))
    def test_the_worst_of_a_change_is_the_largest_drop_that_is_sure(self, changes: list[tuple[float, float]]):
        figures = {f"m{i}": {"aurocChange": estimate(v, v - half, v + half)} for i, (v, half) in enumerate(changes)}
        (worst,) = worst_figures(figures).values()
        sure = [v for v, half in changes if v + half < 0]
        assert worst.value == min(sure or [v for v, _ in changes])

    def test_the_worst_auroc_is_the_one_that_may_be_lowest(self):
        figures = {"a": {"auroc": estimate(0.6, 0.55, 0.65)}, "b": {"auroc": estimate(0.7, 0.4, 0.9)}}
        assert list(worst_figures(figures)) == ["b.auroc"]

    def test_one_that_is_surely_worse_than_chance_is_worse_than_one_of_which_little_is_known(self):
        figures = {"few": {"auroc": estimate(0.62, 0.08, 0.98)}, "wrong": {"auroc": estimate(0.2, 0.1, 0.35)}}
        assert list(worst_figures(figures)) == ["wrong.auroc"]
