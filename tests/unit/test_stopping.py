"""Each stop rule: what makes it fire, what does not, and the numbers it names; and which model is the best."""

from __future__ import annotations

from dataclasses import replace

import pytest

from selfimprove.ledger import Ledger, StepId, Usage
from selfimprove.stopping import RULES, best_iteration, best_reason, fired, warnings
from selfimprove.summaries import Difference, Estimate, Measures, PromptMeasures
from tests.unit.loop_support import after, commit, difference, measures, selected, spec_of, step, stop


def test_every_rule_is_named_as_the_design_names_its_end():
    assert set(RULES) == {"MaxIterations", "Converged", "Regressed", "BudgetSpent", "TailNarrowing"}


def test_max_iterations_fires_at_the_last_iteration_and_not_before():
    ledger = after(measures(0.4), measures(0.5), measures(0.6))
    assert fired(spec_of(maxIterations=2), ledger, 1) is None
    assert fired(spec_of(maxIterations=2), ledger, 2) == (
        "MaxIterations",
        "2 iterations are done, and maxIterations is 2; raise it to go on",
    )


class TestConverged:
    spec = spec_of(maxIterations=9, stopping={"minGap": 0.01, "patience": 2})

    def test_fires_when_the_held_out_gap_stays_below_for_patience_iterations(self):
        ledger = after(measures(gap=0.1), measures(gap=0.0031), measures(gap=-0.002))
        assert stop(self.spec, ledger).rule == "Converged"
        assert "below stopping.minGap 0.01 for 2 iterations in a row: 0.0031 held out in iteration 1, -0.0020" in (
            stop(self.spec, ledger).message
        )

    def test_says_how_sure_it_is(self):
        sure, unsure = (Estimate(value=0.003, low=-0.004, high=high, n=200) for high in (0.0098, 0.02))
        one, two = (Measures(held_out=PromptMeasures(gap=gap)) for gap in (sure, unsure))
        assert stop(self.spec, after(measures(gap=0.1), one, two)).message.startswith(
            "the gap was below stopping.minGap 0.01 for 2 iterations in a row: 0.0030 held out in iteration 1, 0.0030 "
            "held out in iteration 2; 95% intervals -0.0040 to +0.0098, -0.0040 to +0.0200 over 200 prompts, 1 of 2 "
            "wholly below it; lower minGap or raise stopping.patience to go on"
        )
        assert "+0.0098 over 200 prompts, all below it" in stop(self.spec, after(measures(gap=0.1), one, one)).message

    def test_says_so_when_too_few_prompts_were_measured_to_be_sure_of_anything(self):
        ledger = after(measures(gap=0.1), measures(gap=0.0031), measures(gap=-0.002))
        assert "nobody can say, since too few prompts were measured" in stop(self.spec, ledger).message

    def test_does_not_fire_when_one_of_them_is_not_below(self):
        assert fired(self.spec, after(measures(gap=0.1), measures(gap=0.003), measures(gap=0.01)), 2) is None

    def test_does_not_fire_before_patience_iterations_are_done(self):
        assert fired(self.spec, after(measures(gap=0.001), measures(gap=0.001)), 1) is None

    def test_an_early_lull_does_not_count_with_a_later_one(self):
        gaps = [0.1, 0.001, 0.05, 0.001]
        assert fired(self.spec, after(*[measures(gap=gap) for gap in gaps]), 3) is None

    def test_reads_the_training_gap_where_no_held_out_gap_was_measured(self):
        ledger = after(measures(), measures(), measures(), selections={n: selected(gap=0.002) for n in (1, 2)})
        assert "0.0020 in training in iteration 2" in stop(self.spec, ledger).message

    def test_prefers_the_held_out_gap(self):
        low = {n: selected(gap=0.002) for n in (1, 2)}
        assert fired(self.spec, after(*[measures(gap=0.2)] * 3, selections=low), 2) is None

    def test_does_not_fire_when_no_gap_is_known(self):
        assert fired(self.spec, after(measures(0.4), measures(0.4), measures(0.4)), 2) is None


class TestRegressed:
    spec = spec_of(maxIterations=9, stopping={"maxRegression": 0.02})

    def versus(self, value: float, high995: float) -> Ledger:
        versus = Difference(iteration=1, value=value, low=-0.2, high=-0.01, low995=-0.3, high995=high995, n=200)
        return after(measures(0.4), measures(0.5), measures(0.4, versus_best=versus))

    def test_fires_on_a_drop_beyond_the_limit_that_chance_does_not_explain(self):
        end = stop(self.spec, self.versus(-0.1, -0.03))
        assert (end.rule, end.best, end.succeeded) == ("Regressed", 1, True)
        assert "M_2 is 0.1000 below that of M_1" in end.message
        assert "-0.3000 to -0.0300 over 200 prompts" in end.message

    def test_does_not_fire_while_the_wider_interval_holds_zero(self):
        assert fired(self.spec, self.versus(-0.1, 0.001), 2) is None

    def test_does_not_fire_on_a_sure_drop_within_the_limit(self):
        assert fired(self.spec, self.versus(-0.02, -0.001), 2) is None

    def test_a_higher_limit_reopens_the_run(self):
        loose = spec_of(maxIterations=9, stopping={"maxRegression": 0.15})
        assert step(loose, self.versus(-0.1, -0.03)).id == StepId(3, "generate")


class TestBudgetSpent:
    @pytest.mark.parametrize(
        ("name", "usage"),
        [
            ("gpuSeconds", Usage(gpu_seconds=1000.4)),
            ("tokens", Usage(tokens=1000)),
            ("wallSeconds", Usage(wall_seconds=1000.0)),
        ],
    )
    def test_fires_when_a_limit_is_reached_and_names_it(self, name: str, usage: Usage):
        spec = spec_of(stopping={"budget": {name: 1000}})
        ledger = replace(after(measures(0.4), measures(0.5)), usage=usage)
        assert fired(spec, ledger, 1) == (
            "BudgetSpent",
            f"stopping.budget is spent: 1,000 of 1,000 {name}; raise it to go on",
        )

    def test_does_not_fire_below_the_limit_or_without_one(self):
        ledger = replace(after(measures(0.4), measures(0.5)), usage=Usage(gpu_seconds=999, tokens=10**12))
        assert fired(spec_of(stopping={"budget": {"gpuSeconds": 1000}}), ledger, 1) is None

    def test_an_iteration_that_has_begun_is_finished_first(self):
        spec = spec_of(maxIterations=9, stopping={"budget": {"tokens": 1000}})
        begun = commit(after(measures(0.4), measures(0.5)), StepId(2, "generate"), tokens=5000)
        assert step(spec, begun).id == StepId(2, "verify")

    def test_an_iteration_has_begun_once_it_was_worked_on_and_not_with_the_last_look_at_the_test_set(self):
        spec = spec_of(stopping={"budget": {"tokens": 1000}})
        ledger = replace(after(measures(0.4), measures(0.5)), usage=Usage(tokens=1000))
        assert step(spec, replace(ledger, worked_on=frozenset({StepId(2, "generate")}))).id == StepId(2, "generate")
        looked = replace(ledger, worked_on=frozenset({StepId(2, "evaluate", "test")}))
        assert stop(spec, looked).rule == "BudgetSpent"

    def test_tokens_spent_on_the_test_set_do_not_rename_the_end(self):
        spec = spec_of(maxIterations=1, test=True, stopping={"budget": {"tokens": 1000}})
        ledger = after(measures(0.4), measures(0.5))
        for n, name in ((0, "evaluate"), (1, "evaluate"), (1, "measure")):
            ledger = commit(ledger, StepId(n, name, "test"), tokens=5000)
        assert stop(spec, ledger).rule == "MaxIterations"

    def test_raising_the_budget_reopens_the_run(self):
        ledger = replace(after(measures(0.4), measures(0.5)), usage=Usage(tokens=1000))
        assert stop(spec_of(stopping={"budget": {"tokens": 1000}}), ledger).rule == "BudgetSpent"
        assert step(spec_of(stopping={"budget": {"tokens": 2000}}), ledger).id == StepId(2, "generate")


class TestTailNarrowing:
    fell = Estimate(value=-0.2, low=-0.3, high=-0.1, n=40)

    def test_warns_with_its_numbers_and_lets_the_run_go_on(self):
        spec, ledger = spec_of(), after(measures(0.4), measures(0.5), measures(0.6, tail_change=self.fell))
        (notice,) = warnings(spec, ledger)
        assert (notice.type, notice.reason) == ("TailNarrowing", "CoverageFell")
        assert notice.message == (
            "coverage of the held-out tail (40 prompts) fell by 0.2000 from iteration 1 to 2 "
            "(95% interval of the change -0.3000 to -0.1000)"
        )
        assert step(spec, ledger).id == StepId(3, "generate")

    def test_stops_the_run_when_asked_to(self):
        ledger = after(measures(0.4), measures(0.5), measures(0.6, tail_change=self.fell))
        assert stop(spec_of(stopping={"onTailNarrowing": "Stop"}), ledger).rule == "TailNarrowing"

    def test_does_not_warn_while_the_interval_holds_zero(self):
        unsure = Estimate(value=-0.2, low=-0.4, high=0.0, n=40)
        assert warnings(spec_of(), after(measures(0.4), measures(0.5), measures(0.6, tail_change=unsure))) == []

    def test_never_speaks_of_iteration_1_which_is_what_it_compares_with(self):
        assert warnings(spec_of(), after(measures(0.4), measures(0.5, tail_change=self.fell))) == []

    def test_a_tail_that_came_back_is_no_longer_warned_of(self):
        ledger = after(measures(0.4), measures(0.5), measures(0.6, tail_change=self.fell), measures(0.6))
        assert warnings(spec_of(), ledger) == []

    def test_warns_of_hard_levels_that_vanish_from_the_training_set_and_stops_when_asked_to(self):
        shrank = selected().model_copy(update={"hard_share_change": self.fell})
        ledger = after(measures(0.4), measures(0.5), measures(0.6), selections={2: shrank})
        (notice,) = warnings(spec_of(), ledger)
        assert (notice.type, notice.reason) == ("TailNarrowing", "HardShareFell")
        assert notice.message == (
            "the share of the hardest levels in the plain training examples fell by 0.2000 up to iteration 2 "
            "(95% interval of the change -0.3000 to -0.1000)"
        )
        end = stop(spec_of(stopping={"onTailNarrowing": "Stop"}), ledger)
        assert (end.rule, end.succeeded) == ("TailNarrowing", True)

    def test_of_both_kinds_the_tail_that_nobody_trains_on_is_named_first(self):
        shrank = selected().model_copy(update={"hard_share_change": self.fell})
        found = [measures(0.4), measures(0.5), measures(0.6, tail_change=self.fell)]
        (notice,) = warnings(spec_of(), after(*found, selections={2: shrank}))
        assert notice.reason == "CoverageFell"
        assert notice.message.startswith("coverage of the held-out tail")
        assert "; the share of the hardest levels" in notice.message

    def test_hard_levels_that_may_be_fewer_by_chance_are_not_warned_of(self):
        unsure = Estimate(value=-0.2, low=-0.4, high=0.0, n=40)
        shrank = selected().model_copy(update={"hard_share_change": unsure})
        assert warnings(spec_of(), after(measures(0.4), measures(0.5), measures(0.6), selections={2: shrank})) == []

    def test_answers_that_nobody_could_read_are_warned_of(self):
        ledger = commit(Ledger(), StepId(0, "evaluate"), counts={"GoldUnparsable": 80, "tokens": 5})
        (notice,) = warnings(spec_of(), commit(ledger, StepId(0, "measure"), measures=measures()))
        assert (notice.type, notice.reason) == ("NotMeasured", "AnswersUnread")
        assert notice.message.startswith("accuracy, gap and coverage were not measured: i000-evaluate could read none")

    def test_a_single_held_out_prompt_is_warned_of_since_it_gives_no_interval(self):
        alone = Estimate(value=1.0, n=1)
        held_out = PromptMeasures(accuracy=alone, prompts=1, samples=4)
        (notice,) = warnings(spec_of(), after(Measures(held_out=held_out)))
        assert (notice.type, notice.reason) == ("NotMeasured", "OnePrompt")
        assert notice.message.startswith("the figures of M_0 are of one held-out prompt: they have no interval")

    def test_there_is_nothing_to_warn_of_before_anything_is_measured(self):
        assert warnings(spec_of(), Ledger()) == []


def test_what_was_learned_of_the_model_is_named_before_what_the_user_allowed():
    versus = difference(-0.1, -0.2, -0.05, iteration=1)
    ledger = after(measures(0.4), measures(0.5), measures(0.4, versus_best=versus))
    assert stop(spec_of(maxIterations=2, stopping={"budget": {"tokens": 1}}), ledger).rule == "Regressed"


class TestBest:
    def test_is_the_highest_held_out_accuracy(self):
        ledger = after(measures(0.4), measures(0.6), measures(0.5))
        assert best_iteration(ledger) == 1
        assert best_reason(ledger) == "M_1 has the highest held-out accuracy: 0.6000, M_0's 0.4000"

    def test_is_the_earlier_of_equals(self):
        assert best_iteration(after(measures(0.4), measures(0.6), measures(0.6))) == 1

    def test_may_be_the_base_model_and_says_so(self):
        ledger = after(measures(0.4), measures(0.4), measures(0.3))
        assert best_iteration(ledger) == 0
        assert best_reason(ledger) == "no iteration beat M_0, whose held-out accuracy is 0.4000"

    def test_is_the_last_checkpoint_without_held_out_answers_and_says_so(self):
        ledger = after(measures(), measures(), measures())
        assert best_iteration(ledger) == 2
        assert best_reason(ledger).startswith("M_2 is the last checkpoint: without held-out answers")

    def test_is_the_base_model_until_something_is_measured(self):
        assert best_iteration(Ledger()) == 0
        assert best_reason(Ledger()) == "M_0 stands until something is measured"

    def test_can_be_asked_for_among_the_earlier_iterations_only(self):
        ledger = after(measures(0.4), measures(0.5), measures(0.9))
        assert best_iteration(ledger, before=2) == 1

    def test_a_look_at_the_test_set_does_not_change_it(self):
        ledger = after(measures(0.4), measures(0.5), measures(0.45))
        assert best_iteration(commit(ledger, StepId(2, "measure", "test"), measures=measures(0.99))) == 1
