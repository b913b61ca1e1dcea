"""Whatever is committed in whatever order, whatever fails and restarts: the loop ends, skips and repeats nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from selfimprove.api.spec import Spec
from selfimprove.ledger import Ledger, StepId, ledger_of
from selfimprove.loop import Step, Stop, next_step
from selfimprove.summaries import Estimate, Summary
from tests.unit.loop_support import difference, measures, selected, spec_of, summary_of

RULES = {"MaxIterations", "Converged", "Regressed", "BudgetSpent", "TailNarrowing", "NothingToLearn", "Failed"}
MAP = {"generate", "verify", "resample", "evaluate"}

share = st.floats(0, 1)
change = st.floats(-0.2, 0.2)


@st.composite
def specs(draw: st.DrawFn) -> Spec:
    return spec_of(
        test=draw(st.booleans()),
        shards=draw(st.integers(1, 4)),
        strategy=draw(st.sampled_from(["None", "BruteForce", "StateReset"])),
        selection={"seedTraining": draw(st.sampled_from(["None", "References"]))},
        maxIterations=draw(st.integers(1, 4)),
        stopping={
            "minGap": draw(st.sampled_from([0.0, 0.01, 0.5])),
            "patience": draw(st.integers(1, 3)),
            "onTailNarrowing": draw(st.sampled_from(["Continue", "Stop"])),
            "budget": {"tokens": draw(st.sampled_from([1, 100, 10_000]))} if draw(st.booleans()) else {},
        },
        execution={"backoffLimit": draw(st.integers(0, 3))},
    )


def canonical(spec: Spec, iterations: int) -> list[StepId]:
    """The order that design section 2 gives, written down a second time."""
    seeded = spec.selection.seed_training == "References"
    order = [StepId(0, "distill")] if seeded else []
    order += [StepId(0, "evaluate"), StepId(0, "measure")]
    for n in range(1, iterations + 1):
        order += [StepId(n, "generate"), StepId(n, "verify")]
        order += [StepId(n, "resample")] if spec.resampling.strategy != "None" else []
        order += [StepId(n, "select"), StepId(n, "distill"), StepId(n, "evaluate"), StepId(n, "measure")]
    return order


def shards(spec: Spec, step: StepId) -> set[int]:
    return set(range(spec.generation.shards if step.step in MAP else 1))


@dataclass
class Executor:
    """Does what it is told, in an order and with accidents that hypothesis picks."""

    spec: Spec
    data: st.DataObject
    ledger: Ledger = field(default_factory=Ledger)
    done: list[Summary] = field(default_factory=list)

    def commit(self, step: StepId, shard: int) -> None:
        assert shard not in self.ledger.shards_done(step), f"{step.name} shard {shard} is done again"
        self.done.append(summary_of(step, shard, tokens=7, **self.outcome(step)))
        self.ledger = self.ledger.with_commit(self.done[-1])

    def outcome(self, step: StepId) -> dict[str, Any]:
        draw = self.data.draw
        if step.step == "select":
            found = selected(draw(st.sampled_from([0, 10, 10, 10])), draw(st.none() | change))
            low, value, high = sorted(draw(st.tuples(change, change, change)))
            hard = Estimate(value=value, low=low, high=high) if draw(st.booleans()) else None
            return {"selected": found.model_copy(update={"hard_share_change": hard})}
        if step.step != "measure":
            return {}
        low, value, high = sorted(draw(st.tuples(change, change, change)))
        tail = Estimate(value=value, low=low, high=high, n=9) if draw(st.booleans()) else None
        versus = difference(value, low, high) if draw(st.booleans()) else None
        found = measures(draw(st.none() | share), draw(st.none() | change), versus, versus, tail)
        return {"measures": found}

    def work(self, step: Step) -> None:
        """Some of the missing shards, one of them perhaps well ahead of the others as a colocated pod may be."""
        some = self.data.draw(st.lists(st.sampled_from(step.missing), min_size=1, unique=True))
        for shard in some:
            self.commit(step.id, shard)
        if step.id.step == "generate" and self.data.draw(st.booleans()):
            ahead = StepId(step.id.iteration, "verify")
            if some[0] not in self.ledger.shards_done(ahead):
                self.commit(ahead, some[0])

    def accident(self, step: Step) -> None:
        match self.data.draw(st.sampled_from(["none", "none", "none", "failure", "restart", "fatal"])):
            case "failure":
                self.ledger = self.ledger.with_failure(step.id, "it broke")
            case "fatal":
                if self.data.draw(st.integers(0, 9)) == 0:
                    self.ledger = self.ledger.with_fatal(step.id, "it is wrong")
            case "restart":
                self.ledger = ledger_of(self.data.draw(st.permutations(self.done)))


def check_step(spec: Spec, ledger: Ledger, step: Step) -> None:
    """It is not done, it says just what is missing, and all before it is done."""
    done = ledger.shards_done(step.id)
    assert set(step.missing) == shards(spec, step.id) - done != set()
    assert step.shards == len(shards(spec, step.id))
    assert step.reason
    if step.id.split:
        return
    for earlier in canonical(spec, spec.max_iterations):
        if earlier == step.id:
            return
        assert ledger.shards_done(earlier) >= shards(spec, earlier), f"{earlier.name} is skipped for {step.id.name}"
    raise AssertionError(f"{step.id.name} is no step of this run")


def check_stop(spec: Spec, ledger: Ledger, stop: Stop) -> None:
    assert stop.rule in RULES
    assert stop.message
    assert stop.best in {0, *ledger.measured_iterations()}
    assert stop.succeeded or stop.rule in {"Failed", "NothingToLearn"}
    if spec.dataset.test and stop.succeeded:
        assert ledger.shards_done(StepId(stop.best, "measure", "test"))


@settings(max_examples=150, deadline=None)
@given(spec=specs(), data=st.data())
def test_every_run_ends_skips_nothing_and_names_the_rule_that_ended_it(spec: Spec, data: st.DataObject):
    executor = Executor(spec, data)
    most = 12 * (spec.max_iterations + 2) * spec.generation.shards
    for _ in range(most):
        answer = next_step(spec, executor.ledger)
        if isinstance(answer, Stop):
            check_stop(spec, executor.ledger, answer)
            return
        check_step(spec, executor.ledger, answer)
        executor.work(answer)
        executor.accident(answer)
    raise AssertionError(f"no end after {most} rounds")


@settings(max_examples=150, deadline=None)
@given(spec=specs(), data=st.data())
def test_with_any_set_of_shards_committed_the_first_gap_is_next(spec: Spec, data: st.DataObject):
    endless = spec.model_copy(update={"max_iterations": 1000})
    order = canonical(spec, 4)
    all_shards = [(step, shard) for step in order for shard in sorted(shards(spec, step))]
    lost = data.draw(st.sets(st.sampled_from(all_shards), min_size=1))
    committed = [summary_of(step, shard) for step, shard in all_shards if (step, shard) not in lost]
    first = min((step for step, _ in lost), key=order.index)
    answer = next_step(endless, ledger_of(data.draw(st.permutations(committed))))
    assert isinstance(answer, Step)
    assert answer.id == first
    assert answer.missing == tuple(sorted(shard for step, shard in lost if step == first))


def at_work(spec: Spec, data: st.DataObject, most: int) -> Executor:
    """An executor that has done so many steps of a run at most."""
    executor = Executor(spec, data)
    for _ in range(data.draw(st.integers(0, most))):
        answer = next_step(spec, executor.ledger)
        if isinstance(answer, Stop):
            break
        executor.work(answer)
    return executor


@given(spec=specs(), data=st.data())
def test_the_decision_is_the_same_in_whatever_order_things_were_committed(spec: Spec, data: st.DataObject):
    executor = at_work(spec, data, 20)
    shuffled = ledger_of(data.draw(st.permutations(executor.done)))
    assert next_step(spec, shuffled) == next_step(spec, executor.ledger)


@given(spec=specs(), data=st.data())
def test_no_edit_of_a_stop_rule_takes_back_an_iteration_that_was_measured(spec: Spec, data: st.DataObject):
    executor = at_work(spec, data, 40)
    other = data.draw(specs())
    edited = spec.model_copy(update={"stopping": other.stopping, "max_iterations": other.max_iterations})
    answer = next_step(edited, executor.ledger)
    iteration = answer.iteration if isinstance(answer, Stop) else answer.id.iteration
    split = isinstance(answer, Step) and answer.id.split
    assert split or iteration >= max(executor.ledger.measured_iterations(), default=0)


@given(spec=specs(), data=st.data())
def test_committing_again_what_is_committed_changes_nothing(spec: Spec, data: st.DataObject):
    executor = Executor(spec, data)
    for _ in range(data.draw(st.integers(1, 12))):
        if isinstance(answer := next_step(spec, executor.ledger), Step):
            executor.work(answer)
    again = executor.ledger
    for summary in executor.done:
        again = again.with_commit(summary)
    assert again == executor.ledger
