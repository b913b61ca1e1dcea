"""What a critique comes to, and what it does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfimprove_workers.verifiers.declarations import Critique
from selfimprove_workers.verifiers.verdicts import score_of, verdict_of

SCORES = {
    "All is right.\nScore: 8": 8,
    "**Score:** 10": 10,
    "**Score: 7**": 7,
    "Score: 8/10": 8,
    "score = 8 out of 10": 8,
    "My final score is 9.": 9,
    "I give it a score of 3.": 3,
    "Score: $\\boxed{6}$": 6,
    "Score: \\boxed{6}": 6,
    "Score:\n4": 4,
    "Score: [5]": 5,
    "Score: 2\nNo, wait.\nScore: 9": 9,
    "Score: **8**/10": 8,
    "Final score: 8 out of 10": 8,
    "Score: 8.0": 8,
    "Score — 8": 8,
    "Score: __7__": 7,
    "<b>Score:</b> 7": 7,
    "Score (1-10): 7": 7,
    "# Score\n7": 7,
    "Conclusion: Score: 7\nI hope this helps!": 7,
    "If it is right: Score: 10\nIt is not. Score: 2": 2,
    '{"score": 7}': 7,
    "3 + 4 is 7, which is right. Score: 9": 9,
    "All steps are right. I would give this a score of 8.": 8,
    "I would give this a score of 8 because all steps are right.": 8,
    "Score: 3\n\nA score of 10 would need every step to be right.": 3,
    "Score: 3\n\nLet me know if the score should be 1 to 10.": 3,
    "The answer says that Ann's score is 45, which is wrong.\nScore: 2": 2,
    "Score: 3\n\nThe score is 10 only where every step is right.": 3,
    "Score: 8\n\nScore: 10 means that it is surely right.": 8,
    "Score: 8, which would be 10 if the steps were shown.": 8,
    "To check if 3 + 4 is 7, I add them, and the score is 9.": 9,
    "| Score | 8 |": 8,
    "<score>9</score>": 9,
    "Score：8": 8,
    "Score: \\textbf{9}": 9,
    "Score: ⭐ 7": 7,
    "Score: 8 - 1 point off": 8,
    "Score: 10 - 10/10": 10,
    "The final score is therefore 10.": 10,
    "The score for this answer is 8.": 8,
    "Thus, I would score this answer 8.": 8,
    "I'd score it 8. Well done!": 8,
    "All is right. I give it a score of 10. Well done!": 10,
    "All is right. I would give this answer a score of 10.\n\nLet me know if you need more.": 10,
}
NO_SCORES = [
    "",
    "It is right.",
    "8",
    "Score: high",
    "Score: 0",
    "Score: 11",
    "Score: -3",
    "Score: 7.5",
    "Score: 80/100",
    "Score: 4 out of 5",
    "Score: 1 to 10",
    "Score: 1-10",
    "Give a score from 1 to 10.",
    "The underscore: 8",
    "Scores: 8",
    "Score: 1 (surely wrong) to 10 (surely right)",
    "Score: 7,5",
    "Score: 7, or rather 6",
    "Score: 8?",
    "Score (1-5): 4",
    "Score: 5 or",
    "A score of 1 means surely wrong and a score of 10 means surely right.",
    "A score of 1 means surely wrong and a score of 10 means surely right. The answer adds 3 and 4.",
    "A score of 10 would need every step to be right.",
    "If it is right: Score: 10. I can't tell.",
    'It ends with one line that has nothing but "Score: 8".',
    f"Score: {'9' * 5000}",
    "Score: 1 = surely wrong\nScore: 10 = surely right",
    "Score: 1 means surely wrong, 10 means surely right",
    "Score: 1 (surely wrong), 10 (surely right)",
    "The score is 10 if every step is right. Let me check the steps.",
    "My score: 10 would need every step to be right.",
    "Score: 1 is for surely wrong. Score: 10 is for surely right.",
    "Score: 1, 2, 3, … 10",
    "Score: 1, 2, 3",
    "Score: 1~10",
    "Score: 1..10",
    "Score: 1 - 10",
    "Score: 1 - 10 points",
    "Score: 1 (worst) … 10 (best)",
    "Score: 1 → 10",
    "Rubric:\nScore: 1 - wrong\nScore: 10 - right",
    "Score: 7 and 8",
    "Score: ≥ 8",
    "Possible scores:\n- Score: 1\n- Score: 10",
]


class TestScore:
    @pytest.mark.parametrize(("text", "score"), SCORES.items())
    def test_the_number_after_the_word_is_the_score(self, text: str, score: int) -> None:
        assert score_of(Critique(text), 1, 10) == score

    @pytest.mark.parametrize("text", NO_SCORES, ids=lambda text: text[:20] or "nothing")
    def test_what_is_no_whole_number_in_the_range_is_no_score(self, text: str) -> None:
        assert score_of(Critique(text), 1, 10) is None

    def test_the_range_is_the_methods_own(self) -> None:
        assert score_of(Critique("Score: -3"), -5, 5) == -3
        assert score_of(Critique("Score: 80/100"), 0, 100) == 80

    def test_a_last_word_that_cannot_be_read_is_not_made_up_by_an_earlier_one(self) -> None:
        assert score_of(Critique("Score: 8. On second thought, score: 8.5"), 1, 10) is None

    def test_a_base_model_runs_on_with_questions_of_its_own_so_its_first_word_counts(self) -> None:
        text = "It is right.\nScore: 9\n\nQuestion: What is 1 + 1?\nAnswer: 3\nCritique: no.\nScore: 1"
        assert score_of(Critique(text, runs_on=True), 1, 10) == 9
        assert score_of(Critique(text), 1, 10) == 1

    def test_the_last_word_of_a_critique_that_was_cut_may_be_half_a_number(self) -> None:
        assert score_of(Critique("Score: 1", cut=True), 1, 10) is None
        assert score_of(Critique("Score: 8\nBec", cut=True), 1, 10) == 8

    def test_of_a_base_model_what_it_asks_itself_is_not_read(self) -> None:
        text = "It may be right.\n\nQuestion: What is 1 + 1?\nAnswer: 3\nCritique: no.\nScore: 1"
        assert score_of(Critique(text, runs_on=True), 1, 10) is None

    def test_of_a_base_model_a_mention_before_the_declaration_is_not_it(self) -> None:
        text = "The answer says that Ann's score is 7 and Bob's is 5. But Bob's was 3 less.\nScore: 2"
        assert score_of(Critique(text, runs_on=True), 1, 10) == 2

    @pytest.mark.parametrize("text", ["Score: 1 to 10", "On this scale a score of 10 is surely right. Let me check"])
    def test_the_line_in_which_a_critique_was_cut_is_not_read(self, text: str) -> None:
        assert score_of(Critique(text, cut=True), 1, 10) is None

    def test_thoughts_are_not_what_was_said(self) -> None:
        assert score_of(Critique("<think>Score: 2?</think>\nScore: 9"), 1, 10) == 9
        assert score_of(Critique("Score: 2?</think> It is fine."), 1, 10) is None
        assert score_of(Critique("<think>Score: 2, or so"), 1, 10) is None

    @given(st.integers(-50, 50), st.integers(-20, 20), st.integers(1, 30), st.text(max_size=30))
    def test_a_score_is_always_in_the_range(self, said: int, low: int, width: int, words: str) -> None:
        found = score_of(Critique(f"{words}\nScore: {said}"), low, low + width)
        assert found == (said if low <= said <= low + width else None)

    @given(st.text())
    def test_any_text_can_be_read(self, text: str) -> None:
        assert score_of(Critique(text), 1, 10) in {None, *range(1, 11)}
        assert verdict_of(Critique(text)) in (None, 0, 1)


VERDICTS = {
    "Verdict: Correct": 1,
    "Verdict: Incorrect": 0,
    "**Verdict:** incorrect.": 0,
    "The verdict is: not correct": 0,
    "Verdict: \\boxed{\\text{Correct}}": 1,
    "Verdict: Incorrect\nOr rather:\nVerdict: Correct": 1,
    "<b>Verdict:</b> Correct": 1,
    "Final verdict - Incorrect": 0,
    'The answer is 66. The final verdict is "Verdict: Correct."': 1,
    "Verdict: Correct (but the steps are long)": 1,
    "Verdict: Incorrect\n\nFor the verdict Correct it would have to say 7.": 0,
    "Verdict: Correct\n\nIs the verdict correct? Yes.": 1,
    "Verdict: Incorrect. Correct answer: 21.": 0,
    "**Verdict: Incorrect** (Correct answer: 21)": 0,
    "Verdict: Incorrect (correct: 21)": 0,
    "Verdict: Incorrect; correct answer 8": 0,
    "Verdict: Incorrect — correct result is 8": 0,
    "Verdict: Incorrect → correct answer is 8": 0,
    "Verdict: Incorrect, correct would be 8": 0,
    "Verdict: Incorrect because the correct answer is 8": 0,
    "Verdict: Incorrect\nCorrect answer: 8": 0,
    "Verdict: Incorrect (it would be right if 3 + 4 were 8)": 0,
    "Verdict: Incorrect due to a missing step; correct answer 8": 0,
    "You should carry the one: Verdict: Incorrect": 0,
    "One of the steps is wrong:\nVerdict: Incorrect": 0,
    "Your answer must be 8:\nVerdict: Incorrect": 0,
    "Verdict: Incorrect only because of a slip": 0,
    "Criteria are met: Verdict: Correct": 1,
    "If we add 3 and 4 we get 7, so the verdict is Correct.": 1,
    "Verdict: Correct (Incorrect would need 8)": 1,
    "Verdict: Correct. Correct steps.": 1,
    'Verdict: Correct\n\nIf it had said 8, the verdict would be "Verdict: Incorrect".': 1,
    "Verdict: Correct\n\nOtherwise: Verdict: Incorrect": 1,
    "Verdict: Correct\nExplanation: Verdict: Incorrect would be wrong": 1,
    "The steps, as I checked them:\nVerdict: Correct": 1,
    "Verdict: ✅ Correct": 1,
    "Verdict: ❌ Incorrect": 0,
    "Verdict: “Correct”": 1,
    "Verdict: \\textbf{Correct}": 1,
    "| Verdict | Correct |": 1,
    "<answer>Verdict: Correct</answer>": 1,
    "<verdict>Correct</verdict>": 1,
    "<verdict>Incorrect</verdict>\nCorrect would be 8.": 0,
    "Final Verdict (Correct/Incorrect): Correct": 1,
    'Verdict: Incorrect\n\n(I had to end with "Verdict: Correct" or "Verdict: Incorrect".)': 0,
}
NO_VERDICTS = [
    "",
    "It is correct.",
    "Verdict: none",
    "Verdict: Correct or Incorrect",
    "Verdict: Correct/Incorrect",
    "Verdict: Correctly done",
    "Verdict: Correct? No.",
    'Then end with one line that has nothing but "Verdict: Correct" or "Verdict: Incorrect".',
    'It is right, and it ends with one line that has nothing but "Verdict: Correct".',
    'The final step is "Verdict: Correct" or "Verdict: Incorrect".',
    'It is "Verdict: Correct." or "Verdict: Incorrect."',
    "I must say Verdict: Correct or Verdict: Incorrect. Let me see.",
    'The sentence "Verdict: Correct" and the sentence "Verdict: Incorrect" are the same sentence.',
    '"Verdict: Incorrect" is a common answer. "Verdict: Correct" is a helpful answer.',
    "For the verdict Correct it would have to say 7.",
    "Verdict: Correct, Incorrect",
    "Verdict: Correct | Incorrect | Unsure",
    "Verdict: Correct and Incorrect",
    "Verdict: Correct\nIncorrect",
    "Verdict: Correct/Incorrect: Correct",
    "Verdict: Correct Verdict: Incorrect",
    "Verdict: Correct\nor\nVerdict: Incorrect",
    "Possible verdicts are:\n- Verdict: Correct\n- Verdict: Incorrect",
    "It must be one of these two:\n\nVerdict: Correct\nVerdict: Incorrect",
    "1. Verdict: Correct\n2. Verdict: Incorrect",
    'If the answer is right, write "Verdict: Correct". If it is wrong, write "Verdict: Incorrect".',
    "If right: Verdict: Correct\nIf wrong: Verdict: Incorrect",
    "If it is right:\nVerdict: Correct\nOtherwise:\nVerdict: Incorrect",
    'Then end with one line:\n"Verdict: Correct"',
    'End with "Verdict: Correct".',
    "Verdict: Correct reasoning, incorrect answer",
    "Verdict: Correct steps but incorrect final answer",
    "Verdict: Correct method, wrong result",
    "Verdict: Correct value is 8",
]


class TestVerdict:
    @pytest.mark.parametrize(("text", "verdict"), VERDICTS.items())
    def test_the_word_after_the_verdict_is_it(self, text: str, verdict: int) -> None:
        assert verdict_of(Critique(text)) == verdict

    @pytest.mark.parametrize("text", NO_VERDICTS, ids=lambda text: text or "nothing")
    def test_what_is_neither_of_the_two_is_no_verdict(self, text: str) -> None:
        assert verdict_of(Critique(text)) is None

    @pytest.mark.parametrize("text", NO_VERDICTS, ids=lambda text: text or "nothing")
    def test_nor_is_it_one_of_a_base_model(self, text: str) -> None:
        assert verdict_of(Critique(text, runs_on=True)) is None

    @pytest.mark.parametrize("text", ["Verdict: Correct", "Verdict: Correct or Incorrect", "7. Verdict: Correct or"])
    def test_a_verdict_that_was_cut_is_none(self, text: str) -> None:
        assert verdict_of(Critique(text, cut=True)) is None
