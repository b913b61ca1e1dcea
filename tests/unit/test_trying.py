"""A user's template is rendered once before a run: what it must show is shown, and nothing fails."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfimprove.api.asking import template_flaw
from selfimprove.api.hinting import STUDENT, hint_flaw
from selfimprove.api.selecting import Method, Resampling
from selfimprove.api.trying import EXAMPLES, trial_flaw
from selfimprove.errors import UserError
from selfimprove_workers.guidance import check_templates
from selfimprove_workers.templates import Template, shipped

ANSWER = STUDENT["AnswerDriven"]


@pytest.mark.parametrize(
    "text",
    [
        "{{ question }} {{ answer }}",
        "{{ question | upper }} {{ answer | int }}",
        "{% if answer %}{{ answer }}{% endif %} of {{ question | truncate(8) }}",
        "{{ question.splitlines()[:-1] | join(' ') }}: {{ '{:,}'.format(answer | int) }}",
    ],
)
def test_a_template_that_shows_its_hint_has_no_flaw(text: str) -> None:
    assert hint_flaw(ANSWER, text) is None


def test_a_hint_under_a_condition_that_some_answer_fails_is_not_shown() -> None:
    flaw = hint_flaw(ANSWER, "{{ question }}{% if answer == '1' %}{{ answer }}{% endif %}")
    assert flaw == "does not show {{ answer }} when it is rendered; show it under no condition"


def test_the_methods_templates_are_rendered_too() -> None:
    hidden = "Yes or No? {% if false %}{{ other }}{% endif %}{{ positive }}{{ negative }}"
    assert "does not show {{ other }}" in str(template_flaw(Method(type="Tournament", template=hidden)))
    broken = "From {{ low }} to {{ high }}: {{ response.text }}"
    assert "can't be rendered" in str(template_flaw(Method(type="CoTScore", template=broken)))
    assert (
        template_flaw(Method(type="CoTScore", template="From {{ low }} to {{ high }}, {{ high - 1 }} is good")) is None
    )


@given(st.text("0123456789 {}", max_size=40).filter(lambda text: "{{" not in text), st.integers(0, 99))
def test_digits_of_the_text_are_never_taken_for_the_words_that_were_made_up(text: str, low: int) -> None:
    flaw = trial_flaw(f"{text} {{{{ low }}}}", ("answer", "question"), {"low": low}, ("answer", "low"))
    assert flaw == "does not show {{ answer }} when it is rendered; show it under no condition"


def test_examples_can_be_imported_and_a_text_that_imports_them_is_rendered_where_they_are() -> None:
    text = f'{{% from "{EXAMPLES[0]}" import shots %}}{{{{ question }}}} {{{{ answer }}}} {{{{ shots / 0 }}}}'
    assert hint_flaw(ANSWER, text) is None
    with pytest.raises(UserError, match=r"spec\.resampling\.template: can't be rendered"):
        check_templates(Resampling(strategy="AnswerDriven", template=text))


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_that_may_be_imported_is_shipped(name: str) -> None:
    assert shipped(name.removesuffix(".jinja")).source


def test_a_teacher_s_template_is_looked_over_by_the_worker_too() -> None:
    own = {"strategy": "Interactive", "critiqueTemplate": "{{ question }} {{ attempt }} {{ 1/0 }}"}
    with pytest.raises(UserError, match=r"^spec\.resampling\.critiqueTemplate: can't be rendered \(division by zero"):
        check_templates(Resampling.model_validate(own))


def test_whatever_a_template_raises_while_it_is_rendered_is_one_line() -> None:
    with pytest.raises(UserError, match=r"^spec\.template: can't be rendered: division by zero; it may use answer$"):
        Template("own", "{{ 1 / (answer | int) }}", "spec.template").render(answer="0")
