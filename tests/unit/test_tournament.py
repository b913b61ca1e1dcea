"""Who wins a tournament, how far everybody comes, and what the model is asked on the way."""

from __future__ import annotations

from collections import Counter
from math import ceil, log2
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from selfimprove.api.selecting import Labels, Method
from selfimprove.errors import UserError
from selfimprove.seeds import derive_seed
from selfimprove_workers.verifiers import verifier_for
from selfimprove_workers.verifiers.base import Candidate, MethodScore, Tools
from selfimprove_workers.verifiers.bracket import Bracket
from selfimprove_workers.verifiers.tournament import Tournament
from tests.unit.test_verifiers import tokenizer_knowing

SIZES = st.integers(2, 70)


def played(entrants: list[int], strength: dict[int, float], seed: int = 0) -> dict[int, int]:
    """Rounds survived where the stronger always wins."""
    bracket = Bracket(entrants, lambda entrant, round: derive_seed(seed, entrant, round))
    while pairs := bracket.pairs():
        bracket.settle([0.5 + (strength[a] - strength[b]) / 1000 for a, b in pairs])
    return bracket.survived


class TestBracket:
    @given(SIZES, st.integers(0, 5))
    def test_the_strongest_wins_and_nobody_outlives_the_last_round(self, size: int, seed: int) -> None:
        survived = played(list(range(size)), {each: each for each in range(size)}, seed)
        rounds = ceil(log2(size))
        assert survived[size - 1] == rounds
        assert [each for each, done in survived.items() if done == rounds] == [size - 1]
        assert all(0 <= done <= rounds for done in survived.values())

    @given(st.permutations(range(9)))
    def test_the_order_in_which_samples_come_changes_nothing(self, order: list[int]) -> None:
        strength = {each: float(each * 7 % 9) for each in range(9)}
        assert played(order, strength) == played(list(range(9)), strength)

    @given(SIZES)
    def test_of_an_odd_field_one_goes_on_without_a_match(self, size: int) -> None:
        survived = Counter(played(list(range(size)), {each: each for each in range(size)}).values())
        left = size
        for round in range(ceil(log2(size))):
            assert survived[round] == left // 2
            left -= left // 2
        assert left == 1

    def test_the_bye_is_drawn_anew_in_every_round(self) -> None:
        byes = set()
        for seed in range(20):
            bracket = Bracket(range(3), lambda entrant, round, seed=seed: derive_seed(seed, entrant, round))
            byes |= set(range(3)) - {each for pair in bracket.pairs() for each in pair}
        assert byes == {0, 1, 2}

    def test_a_tie_goes_by_lot_not_by_place(self) -> None:
        won = set()
        for seed in range(20):
            bracket = Bracket([0, 1], lambda entrant, round, seed=seed: derive_seed(seed, entrant, round))
            bracket.pairs()
            bracket.settle([0.5 + 1e-9])
            won.add(bracket.survived[0])
        assert won == {0, 1}


TOKENIZER = tokenizer_knowing("A", " A", "B", " B", "a", " a", "b", " b")


class Reader:
    """A model that knows how good each letter is, and leans to what it sees first by `bias`."""

    name, eos_token_ids = "given", frozenset[int]()

    def __init__(self, bias: float = 0.0, max_model_len: int = 4096) -> None:
        self.tokenizer, self.max_model_len, self.bias = TOKENIZER, max_model_len, bias
        self.asked: list[tuple[str, str]] = []

    def label_logprobs(self, contexts: list[list[int]], labels: list[int]) -> NDArray[np.float64]:
        texts = [TOKENIZER.decode(context) for context in contexts]
        pairs = [(text.partition("<")[2][0], text.rpartition("<")[2][0]) for text in texts]
        self.asked += pairs
        chances = [1 / (1 + 10.0 ** (ord(other) - ord(one) - self.bias)) for one, other in pairs]
        positive, negative = (TOKENIZER.encode(label)[0] for label in "AB")
        found = np.full((len(contexts), len(labels)), -np.inf)
        found[:, labels.index(positive)] = np.log(np.array(chances) * 0.8)
        found[:, labels.index(negative)] = np.log((1 - np.array(chances)) * 0.8)
        return found


def sample(letter: str, index: int, prompt: str = "p", length: int = 1) -> Candidate:
    text = f"<{letter * length}>"
    tokens = TOKENIZER.encode(text)
    return Candidate(prompt, index, [{"role": "user", "content": "?"}], text, TOKENIZER.encode("Which? "), tokens)


def scores(batch: list[Candidate], engine: Any = None, **settings: Any) -> list[MethodScore]:
    reader = engine or Reader()
    return verifier_for(Method(type="Tournament", template="{{ other }} or A or B?", **settings)).score(
        Tools(lambda: reader), batch
    )


class TestTournament:
    def test_the_score_is_the_rounds_survived_and_the_mass_is_kept(self) -> None:
        found = scores([sample(letter, i) for i, letter in enumerate("PRQS")])
        assert [each.score for each in found].count(0) == 2
        assert found[3].score == 2
        assert found[3].mass == pytest.approx(0.8)

    def test_every_pair_is_asked_in_both_orders_each_going_on_from_its_first(self) -> None:
        reader = Reader()
        scores([sample("P", 0), sample("Q", 1)], reader)
        assert sorted(reader.asked) == [("P", "Q"), ("Q", "P")]

    @pytest.mark.parametrize("bias", [-5.0, 5.0])
    def test_leaning_to_a_place_decides_nothing(self, bias: float) -> None:
        batch = [sample(letter, i) for i, letter in enumerate("PQRSTUVW")]
        assert max(zip(scores(batch, Reader(bias)), "PQRSTUVW", strict=True))[1] == "W"

    @given(st.permutations("PQRSTUV"))
    def test_a_judge_that_never_contradicts_itself_has_one_winner(self, letters: list[str]) -> None:
        found = scores([sample(letter, i) for i, letter in enumerate(letters)])
        assert letters[int(np.argmax([each.score or 0 for each in found]))] == "V"
        assert max(each.score or 0 for each in found) == 3

    def test_neither_the_batch_nor_its_order_changes_a_score(self) -> None:
        batch = [sample(letter, i) for i, letter in enumerate("PQRST")]
        other = [sample(letter, i, "other") for i, letter in enumerate("ZYX")]
        alone = dict(zip("PQRST", scores(batch), strict=True))
        mixed = [other[0], batch[4], batch[1], other[1], batch[0], batch[3], other[2], batch[2]]
        together = {c.text[1]: each for c, each in zip(mixed, scores(mixed), strict=True) if c.prompt == "p"}
        assert together == alone

    def test_votes_are_tournaments_with_pairings_of_their_own_and_their_mean(self) -> None:
        batch = [sample(letter, i) for i, letter in enumerate("PQRSTUVW")]
        found = [each.score or 0.0 for each in scores(batch, votes=20)]
        assert found[7] == 3
        assert sum(found) == pytest.approx(4 + 2 + 1)
        assert 1 < found[6] < 3

    def test_a_prompts_only_sample_meets_nobody_and_has_no_score(self) -> None:
        assert scores([sample("P", 0), sample("Q", 0, "q"), sample("R", 1, "q")])[0] == MethodScore(None)

    def test_equal_answers_are_a_tie_that_needs_no_model(self) -> None:
        reader = Reader()
        found = scores([sample("P", 0), sample("P", 1)], reader)
        assert reader.asked == []
        assert sorted(each.score or 0 for each in found) == [0, 1]

    def test_a_sample_too_long_to_meet_one_like_it_has_no_score_whomever_it_would_meet(self) -> None:
        found = scores([sample("P", 0), sample("Z", 1, length=100), sample("Q", 2)], Reader(max_model_len=200))
        assert [each.score for each in found] == [0, None, 1]

    def test_labels_that_this_tokenizer_cannot_do_are_refused_naming_a_pair_that_works(self) -> None:
        method = Method(type="Tournament", name="cup", labels=Labels(positive="First", negative="Second"))
        with pytest.raises(
            UserError,
            match=r"^spec\.verification\.methods\[cup\]\.labels: First/Second is not one token each .*; use A/B$",
        ):
            Tournament(method).check(TOKENIZER)

    def test_an_article_is_not_the_label_a(self) -> None:
        reader = Reader()
        read: list[list[int]] = []
        inner = reader.label_logprobs
        reader.label_logprobs = lambda contexts, labels: (read.append(labels), inner(contexts, labels))[1]  # type: ignore[method-assign]
        scores([sample("P", 0), sample("Q", 1)], reader)
        assert [TOKENIZER.decode([label]) for label in read[0]] == ["A", " A", "B", " B"]
