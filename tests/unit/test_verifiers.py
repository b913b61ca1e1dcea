"""What each verification method says of samples, and which labels a tokenizer can do."""

from __future__ import annotations

import math
from hashlib import sha256
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from selfimprove.api.asking import TEMPLATES
from selfimprove.api.selecting import Labels, Method, MethodType
from selfimprove.errors import UserError
from selfimprove_workers.tasks.base import Check, Verdict
from selfimprove_workers.templates import Template, shipped, template_of
from selfimprove_workers.verifiers import VERIFIERS, verifier_for
from selfimprove_workers.verifiers.base import Candidate, MethodScore, Tools
from selfimprove_workers.verifiers.labels import label_tokens
from tests.fixtures.models import make_spaced_tokenizer


def no_engine() -> Any:
    raise AssertionError("this method needs no model")


TOOLS = Tools(no_engine)


def sample(index: int = 0, prompt: str = "p1", **known: Any) -> Candidate:
    fields: dict[str, Any] = {"text": "", "prompt_tokens": [1], "tokens": [5, 6, 7], "messages": [], **known}
    return Candidate(prompt=prompt, sample=index, **fields)


def checked(flexible: Verdict, strict: Verdict | None = None) -> Candidate:
    return sample(check=Check(flexible, strict or flexible))


def scores(method: Method, batch: list[Candidate], tools: Tools = TOOLS) -> list[float | None]:
    return [each.score for each in verifier_for(method).score(tools, batch)]


class TestGroundTruth:
    METHOD = Method(type="GroundTruth")

    def test_only_a_correct_answer_scores_1(self) -> None:
        ends = [Verdict.CORRECT, Verdict.WRONG, Verdict.NO_ANSWER, Verdict.TIMEOUT, Verdict.TRUNCATED]
        assert scores(self.METHOD, [checked(end) for end in ends]) == [1, 0, 0, 0, 0]

    def test_a_gold_that_is_unknown_or_unparsable_gives_no_score(self) -> None:
        assert scores(self.METHOD, [sample(), checked(Verdict.GOLD_UNPARSABLE)]) == [None, None]

    def test_strict_grading_reads_the_strict_verdict(self) -> None:
        batch = [checked(Verdict.CORRECT, Verdict.NO_ANSWER)]
        assert scores(self.METHOD, batch) == [1]
        assert scores(self.METHOD, batch, Tools(no_engine, grading="Strict")) == [0]


class TestLikelihood:
    def test_the_mean_is_over_sampled_tokens_and_is_the_default(self) -> None:
        batch = [sample(logprob_sum=-6.0), sample(logprob_sum=-6.0, prefix_length=1)]
        assert scores(Method(type="Likelihood"), batch) == [-2.0, -3.0]

    def test_the_sum_is_what_was_recorded(self) -> None:
        assert scores(Method(type="Likelihood", reduction="Sum"), [sample(logprob_sum=-6.0)]) == [-6.0]

    def test_nothing_sampled_or_recorded_gives_no_score(self) -> None:
        batch = [
            sample(logprob_sum=None),
            sample(logprob_sum=0.0, tokens=[]),
            sample(logprob_sum=-1.0, prefix_length=3),
        ]
        assert scores(Method(type="Likelihood"), batch) == [None, None, None]


class TestMajorityVote:
    METHOD = Method(type="MajorityVote")

    def test_the_score_is_the_share_of_the_prompts_samples_with_the_same_answer(self) -> None:
        batch = [sample(i, answer=answer) for i, answer in enumerate(["7", "7", "8", "7"])]
        assert scores(self.METHOD, batch) == [0.75, 0.75, 0.25, 0.75]

    def test_prompts_vote_apart(self) -> None:
        batch = [sample(answer="7"), sample(prompt="p2", answer="7"), sample(1, prompt="p2", answer="8")]
        assert scores(self.METHOD, batch) == [1.0, 0.5, 0.5]

    def test_no_answer_gets_no_score_and_still_counts_as_a_vote_withheld(self) -> None:
        batch = [sample(i, answer=answer) for i, answer in enumerate([None, "7", None, None])]
        assert scores(self.METHOD, batch) == [None, 0.25, None, None]

    @given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(["1", "2", None])), max_size=12))
    def test_the_shares_of_a_prompts_distinct_answers_sum_to_at_most_1(
        self, drawn: list[tuple[str, str | None]]
    ) -> None:
        batch = [sample(i, prompt=prompt, answer=answer) for i, (prompt, answer) in enumerate(drawn)]
        found = scores(self.METHOD, batch)
        for prompt in "ab":
            shares = {c.answer: s for c, s in zip(batch, found, strict=True) if c.prompt == prompt and s is not None}
            assert sum(shares.values()) <= 1 + 1e-9


def tokenizer_knowing(*words: str) -> PreTrainedTokenizerFast:
    """A byte-level BPE trained until it has exactly these words, with their leading space, as single tokens."""
    trained = Tokenizer(models.BPE())
    trained.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    trained.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=2000, initial_alphabet=alphabet, min_frequency=2, show_progress=False)
    trained.train_from_iterator([word for word in words for _ in range(50)], trainer)
    return PreTrainedTokenizerFast(tokenizer_object=trained)


BOTH_WAYS = ("Yes", " Yes", "yes", " yes", "No", " No", "no", " no")


class TestLabels:
    def test_both_labels_get_the_same_variants_in_the_same_order(self) -> None:
        tokenizer = tokenizer_knowing(*BOTH_WAYS)
        found = label_tokens(tokenizer, Labels(), "spec.labels")
        assert [tokenizer.decode([token]) for token in found.positive] == ["Yes", " Yes", "yes", " yes"]
        assert [tokenizer.decode([token]) for token in found.negative] == ["No", " No", "no", " no"]

    def test_a_tokenizer_that_sets_a_space_before_the_first_word_has_the_label_without_it_too(self) -> None:
        tokenizer = make_spaced_tokenizer(None, "Yes", "No", "yes", "no")
        found = label_tokens(tokenizer, Labels(), "spec.labels")
        assert tokenizer.convert_ids_to_tokens(list(found.positive)) == ["Yes", "▁Yes", "yes", "▁yes"]
        assert tokenizer.convert_ids_to_tokens(list(found.negative)) == ["No", "▁No", "no", "▁no"]

    def test_a_variant_that_only_one_label_has_counts_for_neither(self) -> None:
        tokenizer = tokenizer_knowing("Yes", " Yes", "No", "yes", "no")
        found = label_tokens(tokenizer, Labels(), "spec.labels")
        assert [tokenizer.decode([token]) for token in found.positive] == ["Yes", "yes"]
        assert [tokenizer.decode([token]) for token in found.negative] == ["No", "no"]

    def test_a_pair_that_shares_no_written_form_is_refused_naming_one_that_works(self) -> None:
        tokenizer = tokenizer_knowing(*BOTH_WAYS, "Correct", " Correct", "correct", " correct", " incorrect")
        labels = Labels(positive="Correct", negative="Incorrect")
        with pytest.raises(UserError) as refused:
            label_tokens(tokenizer, labels, "spec.verification.methods[mc].labels")
        assert str(refused.value) == (
            "spec.verification.methods[mc].labels: Correct/Incorrect is not one token each in the same spelling here; "
            "use Yes/No"
        )

    def test_one_word_for_both_is_refused(self) -> None:
        with pytest.raises(UserError, match="use Yes/No"):
            label_tokens(tokenizer_knowing(*BOTH_WAYS), Labels(positive="Yes", negative="yes"), "spec.labels")

    def test_where_no_word_is_one_token_letters_are_proposed(self) -> None:
        with pytest.raises(UserError, match="use A/B"):
            label_tokens(tokenizer_knowing("x"), Labels(positive="Right", negative="Wrong"), "spec.labels")

    def test_an_unknown_word_is_no_label_and_where_all_are_unknown_another_verifier_is_the_remedy(self) -> None:
        closed = Tokenizer(models.WordLevel({"[UNK]": 0, "hello": 1}, unk_token="[UNK]"))
        tokenizer = PreTrainedTokenizerFast(tokenizer_object=closed, unk_token="[UNK]")
        with pytest.raises(UserError, match="use another verifier"):
            label_tokens(tokenizer, Labels(), "spec.labels")


class Reader:
    """The last layer of a model, given: what it thinks of each next token, by the length of the context."""

    name, eos_token_ids = "given", frozenset[int]()

    def __init__(self, tokenizer: PreTrainedTokenizerFast, said: dict[str, float], max_model_len: int = 4096) -> None:
        self.tokenizer, self.max_model_len = tokenizer, max_model_len
        self._said = {tokenizer.encode(word)[0]: share for word, share in said.items()}
        self.contexts: list[list[int]] = []

    def label_logprobs(self, contexts: list[list[int]], labels: list[int]) -> NDArray[np.float64]:
        self.contexts += contexts
        with np.errstate(divide="ignore"):
            return np.log([[self._said.get(label, 0.0) for label in labels] for _ in contexts])


class TestMultipleChoice:
    TOKENIZER = tokenizer_knowing(*BOTH_WAYS)

    def read(self, said: dict[str, float], max_model_len: int = 4096, **settings: Any) -> tuple[MethodScore, Reader]:
        engine: Any = Reader(self.TOKENIZER, said, max_model_len)
        verifier = verifier_for(Method(type="MultipleChoice", **settings))
        return verifier.score(Tools(lambda: engine), [sample()])[0], engine

    def test_all_variants_of_a_label_count_together_and_their_mass_is_kept(self) -> None:
        found, _ = self.read({"Yes": 0.2, " yes": 0.1, "No": 0.1})
        assert found.score == pytest.approx(0.75)
        assert found.mass == pytest.approx(0.4)

    def test_too_little_mass_on_the_labels_makes_the_score_missing_and_keeps_the_mass(self) -> None:
        found, _ = self.read({"Yes": 0.02, "No": 0.01}, min_mass=0.1)
        assert found.score is None
        assert found.mass == pytest.approx(0.03)

    def test_no_mass_at_all_gives_no_score(self) -> None:
        assert self.read({"other": 1.0})[0] == MethodScore(None, 0.0)

    def test_the_samples_own_tokens_are_a_prefix_of_what_is_read(self) -> None:
        _, engine = self.read({"Yes": 0.5, "No": 0.5})
        assert engine.contexts[0][:4] == [1, 5, 6, 7]

    def test_the_users_template_is_what_is_asked(self) -> None:
        _, engine = self.read({"Yes": 0.5, "No": 0.5}, template="{{ positive }}?! Or {{ negative }}?!")
        assert "Yes?! Or No?!" in self.TOKENIZER.decode(engine.contexts[0])

    def test_a_context_that_does_not_fit_the_model_gets_no_score(self) -> None:
        found, engine = self.read({"Yes": 0.5, "No": 0.5}, max_model_len=8)
        assert found == MethodScore(None, None)
        assert engine.contexts == []

    @given(st.floats(0, 0.5), st.floats(0, 0.5))
    def test_the_score_is_a_share_and_never_a_number_that_is_none(self, yes: float, no: float) -> None:
        found, _ = self.read({"Yes": yes, "No": no})
        assert found.score is None or (0 <= found.score <= 1 and not math.isnan(found.score))


class TestTemplates:
    def test_a_template_is_known_by_its_name_and_what_it_says(self) -> None:
        own = template_of(Method(type="MultipleChoice", template="Is it? Yes or No?"), "spec.template")
        assert own.version.startswith("own@")
        assert own.version != Template("own", "Is it not? Yes or No?", "").version
        assert shipped("multiple-choice-1").version.startswith("multiple-choice-1@")

    @pytest.mark.parametrize("kind", TEMPLATES)
    def test_ours_are_chosen_by_name_and_the_first_is_the_default(self, kind: MethodType) -> None:
        first, *others = TEMPLATES[kind]
        assert template_of(Method(type=kind), "spec.template").name == first
        assert [template_of(Method(type=kind, template=name), "spec.template").name for name in others] == others

    def test_worked_examples_are_part_of_what_a_template_is(self) -> None:
        imports = '{% from "shots-arithmetic-1.jinja" import shots %}{{ shots | length }} Yes No'
        own = template_of(Method(type="MultipleChoice", template=imports), "spec.template")
        assert own.render() == "4 Yes No"
        assert own.version != Template("own", imports.replace("arithmetic", "choice"), "").version
        alone = sha256(imports.encode()).hexdigest()[:16]
        assert alone not in own.version

    def test_a_template_imports_nothing_but_ours(self) -> None:
        imports = '{% include "/etc/passwd" %} Yes No'
        with pytest.raises(UserError, match=r"^spec\.template: imports /etc/passwd; only shots-arithmetic-1\.jinja "):
            template_of(Method(type="MultipleChoice", template=imports), "spec.template")

    @pytest.mark.parametrize("name", [name for names in TEMPLATES.values() for name in names])
    def test_every_one_of_ours_can_be_rendered_and_says_what_its_method_reads(self, name: str) -> None:
        values = {"positive": "RIGHT", "negative": "WRONG", "low": 0, "high": 50}
        text = shipped(name).render(question="WHY?", response="BECAUSE", other="SINCE", **values)
        assert ("0" in text and "50" in text) if name.startswith("cot-score") else ("RIGHT" in text and "WRONG" in text)
        if any(kind in name for kind in ("-arithmetic-", "-choice-1")) and name != "multiple-choice-1":
            assert text.index("Question: ") < text.index("Question: WHY?\nAnswer: BECAUSE\n")
            assert text.count("Question: ") == 5

    def test_a_text_that_leaves_out_what_is_read_is_refused_by_the_worker_too(self) -> None:
        with pytest.raises(
            UserError, match=r"^spec\.template: does not say \{\{ high \}\}; write it, or give one of ours"
        ):
            template_of(Method(type="CoTScore", range=[1, 7], template="From 1 to 5?"), "spec.template")

    def test_a_hole_without_a_value_names_the_field_and_what_may_be_used(self) -> None:
        with pytest.raises(
            UserError, match=r"^spec\.template: can't be rendered: 'gold' is undefined; it may use no, yes"
        ):
            Template("own", "{{ gold }}", "spec.template").render(yes=1, no=2)

    def test_a_broken_template_names_the_field(self) -> None:
        with pytest.raises(UserError, match=r"^spec\.template: not a valid Jinja template: .*; mend it$"):
            Template("own", "{% if %}", "spec.template").render()

    def test_a_template_cannot_reach_into_the_process(self) -> None:
        with pytest.raises(UserError, match="unsafe"):
            Template("own", "{{ ''.__class__.__mro__ }}", "spec.template").render()


@pytest.mark.parametrize("kind", get_args(MethodType))
def test_every_method_of_the_resource_is_built(kind: MethodType) -> None:
    assert type(verifier_for(Method(type=kind))) is VERIFIERS[kind]
