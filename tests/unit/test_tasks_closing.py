"""What a sentence adds to its number is seen by the express lane too: it leaves such a sentence to the cascade."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfimprove_workers.tasks import Math
from tests.unit.test_tasks_checks import CHECKED, FOLLOWED
from tests.unit.test_tasks_context import LAST, SAID
from tests.unit.test_tasks_emphasis import NO_ANSWER_IN_BOLD, SET_IN_BOLD
from tests.unit.test_tasks_reasons import CONCLUDED, EXPLAINED

TASK = Math()
RESPONSES = [*CHECKED, *FOLLOWED, *NO_ANSWER_IN_BOLD, *CONCLUDED]
RESPONSES += [response for response, *_ in [*SAID, *LAST, *SET_IN_BOLD, *EXPLAINED]]
PIECES = ["So", "she pays", "it is", " ", " ", "\n", ". ", ", ", "5", "16", "$64", "**", "for the",
"in each of the",
          "eggs", "because", "since", ", as", "when you add", "and", "is the sum of", "Check:", "=", "3", ": ",
          "out of",
          "remaining", "There are 2 eggs: "]  # fmt: skip


@pytest.mark.parametrize("response", RESPONSES)
@pytest.mark.parametrize("before", ["", "We add the numbers first.\n"])
def test_a_closing_sentence_is_graded_the_same_without_the_express_lane(response: str, before: str) -> None:
    for gold in ("5", "9", "16", "64"):
        assert TASK.check(before + response, gold, None) == TASK._cascade(before + response, gold, False, False)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=14).map(" ".join), st.sampled_from(["5", "16", "64"]))
def test_a_closing_sentence_of_any_make_too(text: str, gold: str) -> None:
    assert TASK.check(text, gold, None) == TASK._cascade(text, gold, False, False)
