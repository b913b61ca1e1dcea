"""What a hint shows, round by round, and what it must not show."""

from __future__ import annotations

import re
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfimprove.api.selecting import Resampling, StrategyName, Teacher
from selfimprove.errors import UserError
from selfimprove_workers.guidance import check_templates, strategies_for, token_ends_of
from selfimprove_workers.guidance.answer_driven import AnswerDriven
from selfimprove_workers.guidance.base import Attempt, Guided, Reference, Strategy
from selfimprove_workers.guidance.brute_force import BruteForce
from selfimprove_workers.guidance.golds import gold_position, option_of, without_gold
from selfimprove_workers.guidance.interactive import Interactive
from selfimprove_workers.guidance.prefixes import TokenEnds, growing_prefixes
from selfimprove_workers.guidance.rationale_driven import RationaleDriven
from selfimprove_workers.guidance.solving import solves_for
from selfimprove_workers.guidance.state_reset import StateReset
from selfimprove_workers.tasks import Math, Program, Verdict

QUESTION = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "How many clips in both months?"}]
CLIPS = "In April she sold 48.\nIn May she sold half of it, 24.\nTogether that is 72.\n#### 72"


def words(text: str) -> list[int]:
    """Where each word ends: words stand in for tokens."""
    return [found.end() for found in re.finditer(r"\s*\S+", text)]


def signs(text: str) -> list[int]:
    """Where each word or sign ends, as tokenizers cut formulas."""
    return [found.end() for found in re.finditer(r"\s*(?:\w+|[^\w\s])", text)]


def guided(strategy: Strategy, round: int = 1, reference: Reference | None = None) -> Guided:
    return strategy.guide(QUESTION, reference or Reference("72", CLIPS), [], round)


def test_brute_force_shows_the_plain_prompt_and_nothing_else() -> None:
    found = guided(BruteForce())
    assert found.messages == QUESTION
    assert found.prefix == ""


def test_answer_driven_puts_the_gold_beside_the_question_in_the_last_turn_only() -> None:
    found = guided(AnswerDriven())
    assert found.messages[0] == QUESTION[0]
    assert QUESTION[1]["content"] in found.messages[1]["content"]
    assert "72" in found.messages[1]["content"]
    assert found.prefix == ""


def test_answer_driven_leaves_the_prompt_it_was_given_untouched() -> None:
    before = [dict(message) for message in QUESTION]
    guided(AnswerDriven())
    assert before == QUESTION


def test_rationale_driven_puts_the_reference_beside_the_question_in_the_last_turn_only() -> None:
    found = guided(RationaleDriven())
    assert found.messages[0] == QUESTION[0]
    assert found.messages[1]["content"].endswith(QUESTION[1]["content"])
    assert CLIPS in found.messages[1]["content"]
    assert found.prefix == ""


def test_state_reset_by_lines_grows_and_then_starts_over() -> None:
    strategy = StateReset("Lines", words)
    first, second = "In April she sold 48.\n", "In April she sold 48.\nIn May she sold half of it, 24.\n"
    assert [guided(strategy, round).prefix for round in (1, 2, 3, 4)] == [first, second, first, second]
    assert guided(strategy).messages == QUESTION


def test_state_reset_by_tokens_gives_fifths_of_the_reference() -> None:
    rationale = "one two three four five six seven eight nine ten"
    strategy = StateReset("Tokens", words)
    given_away = [guided(strategy, round, Reference("ten", rationale)).prefix for round in (1, 2, 3, 4, 5)]
    assert [len(prefix.split()) for prefix in given_away] == [2, 4, 6, 8, 2]


def test_a_prefix_is_looked_for_in_the_round_that_gives_it() -> None:
    asked: list[str] = []
    state = StateReset("Lines", words, lambda text, reference: bool(asked.append(text)))
    reference = Reference("x", "a\nb\nc\nd\n")
    turn = [{"role": "user", "content": "?"}]
    assert state.guide(turn, reference, (), 1).prefix == "a\n"
    assert asked == ["a\n"]
    assert [state.guide(turn, reference, (), round).prefix for round in (2, 3, 4)] == ["a\nb\n", "a\nb\nc\n", "a\n"]
    assert len(asked) == 3


def test_without_a_schedule_one_line_is_cut_by_tokens_and_several_by_lines() -> None:
    assert next(growing_prefixes("a b c d e f g h i j", None, None, words)) == "a b"
    assert list(growing_prefixes("a b c\nd e f\ng h i", None, None, words)) == ["a b c\n", "a b c\nd e f\n"]


def test_a_gold_in_the_first_line_leaves_shares_of_what_comes_before_it() -> None:
    prefixes = list(growing_prefixes("She has half of 48, which is 24.\nSo 24 it is.", "24", "Lines", words))
    assert prefixes
    assert all("24" not in prefix for prefix in prefixes)


def test_a_reference_that_begins_with_its_gold_gives_nothing_away() -> None:
    strategy = StateReset(None, words)
    assert guided(strategy, 1, Reference("24", "24 is the answer.\nIt is.")).prefix == ""


@pytest.mark.parametrize(
    ("gold", "rationale"),
    [
        ("3", "3"),
        ("3", "#### 3"),
        ("3", "The answer is 3."),
        ("3", "So the final answer is: 3"),
        ("3", "Tom has 3 apples left.\nThat is all."),
        ("Paris", "The capital of France is Paris."),
    ],
)
@pytest.mark.parametrize("schedule", ["Lines", "Tokens", None])
def test_a_sentence_around_the_answer_has_no_beginning_to_be_shown(
    schedule: str | None, gold: str, rationale: str
) -> None:
    assert list(growing_prefixes(rationale, gold, schedule, words)) == []


@pytest.mark.parametrize(
    ("gold", "rationale", "first"),
    [
        ("3", "43 - 40 = 3.", "43"),
        ("B", "Iron is magnetic, so B.", "Iron"),
        ("8", "Each friend buys twice as many. The answer is 8.", "Each friend"),
        ("3", "The answer is 3, because 43 - 40 = 3.", "The answer"),
        ("12", "Multiply length by width\nThe area is 12", "Multiply length by width\n"),
        ("12", "- Find the common denominator\n- The answer is 12", "- Find the common denominator\n"),
        ("18", "先把两个数相加。\n再乘以二。\n所以答案是 18。", "先把两个数相加。\n"),
    ],
)
def test_a_sentence_that_says_why_has_one(gold: str, rationale: str, first: str) -> None:
    assert next(growing_prefixes(rationale, gold, None, words)) == first


def test_the_papers_schedule_may_give_the_gold_away() -> None:
    found = [guided(StateReset("Paper", words), round).prefix for round in (1, 2, 3)]
    assert "72" in found[-1]
    assert "####" not in found[-1]


def test_the_papers_schedule_gives_its_last_share_twice_before_it_starts_over() -> None:
    reference = Reference("ten", "one two three four five six seven eight nine ten")
    found = [guided(StateReset("Paper", words), round, reference).prefix for round in range(1, 7)]
    assert [len(prefix.split()) for prefix in found] == [2, 4, 6, 8, 8, 2]


def test_no_prefix_is_a_right_answer_by_itself_as_the_task_reads_it() -> None:
    """A grader takes a fraction or a power for the number that it is: whatever is said after it would be right."""
    reference = Reference("4", "0 + 8 = 8. 8 / 2 = 4. The answer is 4.")
    shown = {guided(StateReset(None, words, solves_for(Math())), round, reference).prefix for round in range(1, 5)}
    assert shown == {"0 +", "0 + 8 = 8.", "0 + 8 = 8. 8 /"}
    assert guided(StateReset("Paper", words, solves_for(Math())), 3, reference).prefix == "0 + 8 = 8. 8 / 2"


def test_a_line_that_comes_to_the_answer_is_given_no_more_than_one_that_says_it() -> None:
    strategy = StateReset("Lines", words, solves_for(Math()))
    reference = Reference("24", "In April she sold 48.\nIn May she sold half of it:\n48 / 2\nwhich is 24.")
    shown = [guided(strategy, round, reference).prefix for round in (1, 2, 3)]
    assert [prefix.count("\n") for prefix in shown] == [1, 2, 1]


@pytest.mark.parametrize(
    ("gold", "rationale"),
    [
        ("(3,4)", "The lines meet at $(3, 4)$, as both equations hold there. So it is $(3,4)$."),
        (r"\frac{\sqrt{3}}{2}", r"We double the triangle, so $x = \dfrac{\sqrt 3}2$."),
        ("2, 5", "By factoring, the roots are $x = 2$ and $x = 5$."),
        ("[1,\\infty)", "It must be nonnegative on $[1, \\infty)$ by definition."),
        (
            r"\begin{pmatrix}1&2\end{pmatrix}",
            r"Adding the rows of both matrices gives $\begin{pmatrix} 1 & 2 \end{pmatrix}$.",
        ),
    ],
)
def test_no_prefix_holds_the_gold_in_another_spelling(gold: str, rationale: str) -> None:
    reference = Reference(gold, rationale)
    strategy = StateReset(None, signs, solves_for(Math()))
    shown = {guided(strategy, round, reference).prefix for round in range(1, 5)}
    whole = rationale.index("$")
    assert "" not in shown
    assert all(len(prefix) <= whole + 1 or prefix.endswith("=") for prefix in shown)


@pytest.mark.parametrize(
    ("text", "gold"),
    [
        ("They meet at $(3, 4", "(3,4)"),
        (r"Thus $x = \dfrac{\sqrt{3}}{2", r"\frac{\sqrt{3}}{2}"),
        (r"It is \(\{1, 2, 3", "1,2,3"),
        (r"So $$2\sqrt{3", r"\sqrt{12}"),
    ],
)
def test_what_lacks_only_its_closing_signs_is_right_already(text: str, gold: str) -> None:
    assert solves_for(Math())(text, Reference(gold))
    assert not solves_for(Math())(text[:-1], Reference(gold))


def test_whether_a_text_is_right_already_is_the_task_s_to_say_but_no_program_is_run_for_it() -> None:
    solves = solves_for(Math())
    assert solves("8 / 2", Reference("4"))
    assert solves("It takes 10^3", Reference("1000"))
    assert not solves("8 /", Reference("4"))
    assert not solves("8 / 2", Reference(None))
    assert solves("50%", Reference("50", extra={"percent": True}))
    assert not solves_for(Program())("print(3)", Reference("3"))
    assert not solves_for(None)("3", Reference("3"))


@pytest.mark.parametrize(
    ("text", "gold", "before"),
    [
        ("of 172 and 720 only 72 counts", "72", "of 172 and 720 only "),
        ("1.72 is not 72", "72", "1.72 is not "),
        ("72.5, then 72", "72", "72.5, then "),
        ("it makes $1,234 in all", "1234", "it makes "),
        ("18.00 dollars", "18", ""),
        ("a bad idea: (B) it is", "B", "a bad idea: ("),
        ("A plant makes sugar.\nA is right", "A", "A plant makes sugar.\n"),
        ("A describes it", "A", ""),
        ("A correctly states it", "A", ""),
        ("A alone cannot be excluded", "A", ""),
        ("A gas leak is dangerous.\n1) A virus is small", "A", "A gas leak is dangerous.\n1) A virus is small"),
        ("A DNA strand, A 5 kg object", "A", "A DNA strand, "),
        ("The answer is I not H.", "I", "The answer is "),
        ("so A because it floats", "A", "so "),
        ("I know that, so I is right", "I", "I know that, so "),
        ("Paris, the city", "paris", ""),
        ("nothing of the kind", "72", "nothing of the kind"),
        (r"so \frac{1}{2} of it", r"\frac{1}{2}", "so "),
        (r"so \frac12 of it", r"\frac{1}{2}", "so "),
        ("so 1/2 of it", "0.5", "so "),
        ("which is 0.50 of a litre", "0.5", "which is "),
        ("She pays $5,000.50 in all.", "5000.5", "She pays "),
        ("He runs 48km in all.", "48", "He runs "),
        ("That makes 48.", "48 km", "That makes "),
        ("it fell by -5 degrees", "-5", "it fell by "),
        ("1 000 000 or 2 million", "2000000", "1 000 000 or "),
        ("24/2 makes 12", "12", "24/2 makes "),
        ("1,234 is no 234", "234", "1,234 is no "),
        ("the pair (3,4)", "4", "the pair (3,"),
        ("that is forty-two of them", "42", "that is "),
        ("a dozen eggs", "12", ""),
        ("that is forty-two of them", "40", "that is forty-two of them"),
        ("they meet at $( 3 , 4 )$", "(3,4)", "they meet at $"),
        (r"so $\tfrac{\sqrt3}{2}$", r"\frac{\sqrt{3}}{2}", "so $"),
        ("so √3/2 of it", r"\frac{\sqrt{3}}{2}", "so "),
        (r"$x_1 = 4$ and $x_2 = 3$", "3, 4", "$x_1 = "),
        ("3, 4 and 5 in order, not 4, 3", "(3, 4)", "3, 4 and 5 in order, not 4, 3"),
        ("y = 3x + 2, so y=2x+3", "y = 2x + 3", "y = 3x + 2, so "),
        (r"\frac{1}{23} is not it", r"\frac{12}{3}", r"\frac{1}{23} is not it"),
        (r"5\sqrt{2} is not it", r"\sqrt{2}", r"5\sqrt{2} is not it"),
    ],
)
def test_the_gold_is_found_as_a_thing_of_its_own(text: str, gold: str, before: str) -> None:
    assert text[: gold_position(text, gold)] == before


@given(
    st.lists(st.sampled_from(["x", "2", r"\sqrt{3}", r"\frac{1}{2}", "+", "(", ")", ",", "^"]), min_size=1),
    st.sampled_from([" ", "  ", r"\,", "{}", r"\left "]),
)
def test_no_way_to_set_a_formula_hides_it(gold: list[str], between: str) -> None:
    text = f"so ${between.join(gold)}$".replace(r"\frac{1}{2}", r"\dfrac 1{2}")
    assert gold_position(text, " ".join(gold)) < len(text)


def test_the_text_of_the_option_that_the_gold_names_gives_it_away_too() -> None:
    prefixes = list(growing_prefixes("Add them up.\nThat makes 48.\nSo it is B.", "B", "Lines", words, option="48"))
    assert prefixes == ["Add them up.\n"]
    assert gold_position("That makes 48, so B", "B", "48") == len("That makes ")


@pytest.mark.parametrize(
    ("answer", "question", "extra", "option"),
    [
        ("B", "Compute 48.\nA) 3\nB) 48\nC) 9", None, "48"),
        ("B", "(A) red\n(B) deep blue", None, "deep blue"),
        ("B", "Which?", {"choices": [{"label": "A", "text": "x"}, {"label": "B", "text": "y"}]}, "y"),
        ("2", "Steps:\n1. add\n2. divide", None, None),
        ("B", "Which vitamin is it?", None, None),
        (None, "B) 48", None, None),
    ],
)
def test_the_option_of_a_label_is_what_the_task_knows_or_the_question_lists(
    answer: str | None, question: str, extra: dict[str, Any] | None, option: str | None
) -> None:
    assert option_of(answer, question, extra) == option


def test_state_reset_gives_no_option_s_text_away() -> None:
    reference = Reference("B", "Add them up.\nThat makes 48.\nSo it is B.", option="48")
    assert {guided(StateReset("Lines", words), round, reference).prefix for round in (1, 2)} == {"Add them up.\n"}


@pytest.mark.parametrize(
    ("text", "gold", "left"),
    [
        ("So $1,234.50 it is", "1234.5", "So $  it is"),
        ("24/2 = 12", "12", "24/2 =  "),
        ("72 and 72.0", "72", "  and  "),
        ("nothing", "72", "nothing"),
    ],
)
def test_a_text_without_its_gold_keeps_the_rest(text: str, gold: str, left: str) -> None:
    assert without_gold(text, gold) == left


def letters(text: str) -> list[int]:
    """Tokens of one character, which may cut a number in two."""
    return list(range(1, len(text) + 1))


@given(
    st.text("ab 12.\n", max_size=60),
    st.integers(0, 99),
    st.sampled_from(["Lines", "Tokens", None]),
    st.sampled_from([words, letters]),
)
def test_no_prefix_contains_the_gold_and_each_is_longer_than_the_one_before(
    text: str, gold: int, schedule: str | None, token_ends: TokenEnds
) -> None:
    prefixes = list(growing_prefixes(text, str(gold), schedule, token_ends))
    assert all(text.startswith(prefix) and prefix.strip() for prefix in prefixes)
    assert [len(prefix) for prefix in prefixes] == sorted({len(prefix) for prefix in prefixes})
    assert all(gold_position(prefix, str(gold)) == len(prefix) for prefix in prefixes)


@given(
    st.lists(st.sampled_from(["4", "-", "1", "+", "=", "3", ".", "so", "\n", "12", "/", "^", "half"]), max_size=30),
    st.sampled_from(["3", "12", "4"]),
    st.sampled_from([words, letters]),
)
def test_no_prefix_is_accepted_whatever_is_said_after_it(said: list[str], gold: str, token_ends: TokenEnds) -> None:
    math = Math()
    reference = Reference(gold, " ".join(said))
    strategy = StateReset(None, token_ends, solves_for(math))
    for prefix in {guided(strategy, round, reference).prefix for round in range(1, 5)} - {""}:
        for more in ("", " the"):
            assert math.check(prefix + more, gold, None).flexible is not Verdict.CORRECT


def test_words_stand_in_for_tokens_where_a_tokenizer_keeps_no_offsets() -> None:
    class Slow:
        is_fast = False

    assert token_ends_of(Slow())("one  two\nthree") == [3, 8, 14]


def test_every_strategy_of_the_spec_is_found_and_adaptive_has_them_all_from_the_weakest() -> None:
    named = [name for name in get_args(StrategyName) if name not in ("None", "Adaptive")]
    for name in named:
        assert [each.name for each in strategies_for(Resampling(strategy=name), None)] == [name]
    teacher = Teacher.model_validate({"uri": "/models/big"})
    offered = strategies_for(Resampling(strategy="Adaptive", teacher=teacher), None)
    assert {each.name for each in offered} == set(named)
    assert offered[0].name == "BruteForce"


ASKED = [{"role": "user", "content": "What is 3 + 4?"}]
OWN = {
    "AnswerDriven": "Note: {{ answer }}!\n{{ question }}",
    "RationaleDriven": "Seen: {{ rationale }}!\n{{ question }}",
    "Interactive": "Heard: {{ critique }}!",
}


@pytest.mark.parametrize("name", OWN)
def test_a_template_of_a_user_s_own_is_what_the_student_reads_and_its_digest_is_the_version(name: str) -> None:
    own, other = ({"strategy": name, "template": text} for text in (OWN[name], f"{OWN[name]} "))
    (strategy,) = strategies_for(Resampling.model_validate(own), None)
    reference = Reference("7", "3 + 4 = 7", critique="Look again")
    said = strategy.guide(ASKED, reference, [Attempt("8", accepted=False, wrong=True)], 1).messages[-1]["content"]
    assert said.startswith({"A": "Note: 7!", "R": "Seen: 3 + 4 = 7!", "I": "Heard: Look again!"}[name[0]])
    versions = [strategies_for(Resampling.model_validate(each), None)[0].version for each in (own, other)]
    assert "own@" in versions[0] and versions[0] != versions[1]


@pytest.mark.parametrize("name", OWN)
def test_under_adaptive_it_is_for_the_strategy_whose_hint_it_gives_and_the_others_show_ours(name: str) -> None:
    settings = {"strategy": "Adaptive", "teacher": {"uri": "hf://lab/teacher"}}
    ours, own = (
        {each.name: each.version for each in strategies_for(Resampling.model_validate({**settings, **more}), None)}
        for more in ({}, {"template": OWN[name]})
    )
    assert {each for each in ours if ours[each] != own[each]} == {name}
    assert "own@" in own[name]


def test_under_adaptive_a_template_that_is_nobody_s_is_refused_by_the_worker_too() -> None:
    with pytest.raises(
        UserError, match=r"suits no strategy that Adaptive chooses from: AnswerDriven: .*RationaleDriven: "
    ):
        check_templates(Resampling(strategy="Adaptive", template="Solve {{ question }}"))


def test_a_teacher_is_asked_by_a_template_of_a_user_s_own() -> None:
    own = {"strategy": "Interactive", "critiqueTemplate": "Q {{ question }} A {{ attempt }}"}
    (strategy,) = strategies_for(Resampling.model_validate(own), None)
    assert isinstance(strategy, Interactive)
    attempts = [Attempt("8", accepted=False, wrong=True)]
    assert strategy.ask(ASKED, Reference("7"), attempts)[0] == f"Q {ASKED[-1]['content']} A 8"


def test_ours_by_name_is_ours() -> None:
    named = Resampling(strategy="AnswerDriven", template="answer-driven-1")
    assert (
        strategies_for(named, None)[0].version == strategies_for(Resampling(strategy="AnswerDriven"), None)[0].version
    )


def test_a_template_without_the_hint_is_refused_by_the_worker_too() -> None:
    with pytest.raises(UserError, match="does not say"):
        strategies_for(Resampling(strategy="AnswerDriven", template="Solve {{ question }}"), None)


def test_adaptive_asks_no_teacher_that_nobody_named() -> None:
    assert all(not each.needs_teacher for each in strategies_for(Resampling(strategy="Adaptive"), None))


def test_none_is_no_strategy() -> None:
    with pytest.raises(ValueError, match="guides nobody"):
        strategies_for(Resampling(), None)
