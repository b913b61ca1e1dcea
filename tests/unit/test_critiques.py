"""CoTScore and CoTBinary on critiques that are given: what is asked, with which seeds, and what the votes come to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import pytest

from selfimprove.api.selecting import Method
from selfimprove.errors import TerminatedError
from selfimprove.seeds import derive_seed
from selfimprove_workers.engines.base import Completion, SampleRequest
from selfimprove_workers.verifiers import verifier_for
from selfimprove_workers.verifiers.base import Candidate, Critic, MethodScore, Tools
from tests.fixtures.models import make_tiny_tokenizer

TOKENIZER = make_tiny_tokenizer()


class Writer:
    """A model whose critiques are given, in the order of the requests; they come back last first."""

    name, max_model_len, eos_token_ids = "given", 4096, frozenset[int]()

    def __init__(self, *critiques: str, finish: str = "stop") -> None:
        self.tokenizer = TOKENIZER
        self.critiques, self.finish = critiques, finish
        self.requests: list[SampleRequest] = []

    def sample(self, requests: Sequence[SampleRequest], progress: Any = None) -> Iterator[tuple[int, Completion]]:
        self.requests += requests
        for at in reversed(range(len(requests))):
            yield at, Completion(TOKENIZER.encode(self.critiques[at]), 0.0, self.finish)


def sample(index: int = 0, prompt: str = "p") -> Candidate:
    messages = [{"role": "user", "content": "What is 3 + 4?"}]
    return Candidate(prompt, index, messages, "It is 7.", [1, 2], TOKENIZER.encode("It is 7."))


def scores(writer: Any, *batch: Candidate, type: Any = "CoTScore", **settings: Any) -> list[MethodScore]:
    return verifier_for(Method(type=type, **settings)).score(Tools(lambda: writer), batch or [sample()])


class TestVotes:
    def test_the_score_is_the_mean_over_the_critiques_of_a_sample(self) -> None:
        writer = Writer("Score: 9", "Score: 6", "Score: 1", "Score: 2")
        assert [each.score for each in scores(writer, sample(0), sample(1), votes=2)] == [7.5, 1.5]

    def test_a_critique_that_cannot_be_read_is_missing_and_counted(self) -> None:
        (found,) = scores(Writer("Score: 9", "It is fine.", "Score: 6"), votes=3)
        assert (found.score, found.unparsed) == (7.5, 1)

    def test_each_critique_stands_beside_the_score_with_what_was_read_from_it(self) -> None:
        (found,) = scores(Writer("Score: 9", "Fine."), votes=2)
        assert [(said.text, said.says, said.finish) for said in found.critiques] == [
            ("Score: 9", 9, "stop"),
            ("Fine.", None, "stop"),
        ]

    def test_where_none_can_be_read_there_is_no_score(self) -> None:
        (found,) = scores(Writer("Fine.", "Score: 99"), votes=2)
        assert (found.score, found.unparsed) == (None, 2)

    def test_the_tokens_of_the_critiques_are_counted(self) -> None:
        (found,) = scores(Writer("Score: 9", "Fine."), votes=2)
        assert found.tokens == len(TOKENIZER.encode("Score: 9")) + len(TOKENIZER.encode("Fine."))

    def test_the_verdicts_of_cot_binary_are_averaged_too(self) -> None:
        writer = Writer("Verdict: Correct", "Verdict: Incorrect", "Hm.", "Verdict: Correct")
        (found,) = scores(writer, type="CoTBinary", votes=4)
        assert (found.score, found.unparsed) == (pytest.approx(2 / 3), 1)

    def test_the_range_is_the_methods_own(self) -> None:
        (found,) = scores(Writer("Score: 90"), range=[0, 100])
        assert found.score == 90


class TestRequests:
    def seeds(self, *batch: Candidate, votes: int, name: str | None = None) -> list[int]:
        writer = Writer(*["Score: 5"] * (votes * len(batch)))
        scores(writer, *batch, votes=votes, name=name)
        return [request.seed for request in writer.requests]

    def test_every_critique_has_a_seed_of_its_own(self) -> None:
        batch = [sample(0), sample(1), sample(0, "q")]
        assert len(set(self.seeds(*batch, votes=3) + self.seeds(*batch, votes=3, name="other"))) == 18

    def test_a_seed_depends_on_nothing_but_the_method_the_sample_and_the_vote(self) -> None:
        alone = self.seeds(sample(1), votes=2)
        assert self.seeds(sample(0), sample(1), votes=3)[3:5] == alone
        assert alone == [derive_seed(0, "CoTScore", "p", 1, vote) for vote in range(2)]

    def test_the_samples_own_tokens_are_a_prefix_of_what_is_asked(self) -> None:
        writer = Writer("Score: 5")
        scores(writer)
        own = [1, 2, *TOKENIZER.encode("It is 7.")]
        assert list(writer.requests[0].tokens[: len(own)]) == own
        said = TOKENIZER.decode(writer.requests[0].tokens[len(own) :])
        assert "a whole number from 1 (surely wrong) to 10 (surely right)" in said
        assert said.endswith("<|im_start|>assistant\n")

    def test_another_model_reads_the_whole_conversation_as_text(self) -> None:
        writer: Any = Writer("Verdict: Correct")
        verifier = verifier_for(Method(type="CoTBinary", template="cot-binary-arithmetic-1"))
        verifier.score(Tools(lambda: writer, own=False), [sample()])
        text = TOKENIZER.decode(writer.requests[0].tokens)
        assert text.startswith(
            "<|im_start|>user\nWhat is 3 + 4?<|im_end|>\n<|im_start|>assistant\nIt is 7.<|im_end|>\n"
        )
        assert text.endswith("Question: What is 3 + 4?\nAnswer: It is 7.\nCritique:<|im_end|>\n<|im_start|>assistant\n")

    def test_critiques_are_drawn_as_the_caller_says(self) -> None:
        writer: Any = Writer("Score: 5")
        tools = Tools(lambda: writer, request=partial(SampleRequest, max_tokens=3, temperature=0.25))
        verifier_for(Method(type="CoTScore")).score(tools, [sample()])
        assert (writer.requests[0].max_tokens, writer.requests[0].temperature) == (3, 0.25)


def test_a_signal_ends_the_drawing_of_critiques() -> None:
    def told() -> None:
        raise TerminatedError("stopped by a signal")

    writer: Any = Writer("Score: 5")
    with pytest.raises(TerminatedError):
        verifier_for(Method(type="CoTScore")).score(Tools(lambda: writer, stop_if_asked=told), [sample()])


@pytest.mark.parametrize("type", ["CoTScore", "CoTBinary"])
def test_methods_that_draw_are_known_as_critics(type: Any) -> None:
    verifier = verifier_for(Method(type=type))
    assert verifier.draws
    assert isinstance(verifier, Critic)
