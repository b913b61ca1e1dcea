"""Rendering conversations to tokens, going on with them, and the linter's one-line refusals."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfimprove.api.spec import Spec
from selfimprove.errors import UserError
from selfimprove_workers.chat import end_of_turn, following, lint, render, render_continuation
from selfimprove_workers.prompts import PromptRow
from tests.fixtures.models import CHATML, make_spaced_tokenizer, make_tiny_tokenizer

BOS_TOKEN = "<|endoftext|>"
TOKENIZER = make_tiny_tokenizer()
WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="<|>"), min_size=1, max_size=40)


def user(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


def spec(template: str | None = None, **generation: Any) -> Spec:
    dataset = {"uri": "x.jsonl", "task": "Math", "template": template}
    return Spec.model_validate({"model": {"uri": "m"}, "dataset": dataset, "generation": generation})


def prompt(text: str = "What is 2 + 3?", name: str = "p1", system: str | None = None) -> PromptRow:
    before = [{"role": "system", "content": system}] if system else []
    return PromptRow(name, [*before, *user(text)], None, None, None, None)


def refusal(template: str | None, row: PromptRow | None = None, settings: Spec | None = None, length: int = 512) -> str:
    with pytest.raises(UserError) as caught:
        lint(make_tiny_tokenizer(template), [row or prompt()], settings or spec(), length)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_prompt_ends_where_the_assistant_begins() -> None:
    text = TOKENIZER.decode(render(TOKENIZER, user("Hi 12"), {}))
    assert text == "<|im_start|>user\nHi 12<|im_end|>\n<|im_start|>assistant\n"


def test_template_kwargs_reach_the_template() -> None:
    tokenizer = make_tiny_tokenizer(CHATML + "{% if not enable_thinking %}{{ '<think></think>' }}{% endif %}")
    assert tokenizer.decode(render(tokenizer, user("Hi"), {"enable_thinking": False})).endswith("<think></think>")
    assert not tokenizer.decode(render(tokenizer, user("Hi"), {"enable_thinking": True})).endswith("</think>")


def test_without_a_template_contents_are_plain_text_with_the_tokenizers_own_bos() -> None:
    from tokenizers.processors import TemplateProcessing

    plain = make_tiny_tokenizer(None)
    messages = [{"role": "system", "content": "Be brief."}, *user("Q: 2 + 3\nA:")]
    assert plain.decode(render(plain, messages, {})) == "Be brief.\n\nQ: 2 + 3\nA:"
    plain.bos_token = BOS_TOKEN
    plain.backend_tokenizer.post_processor = TemplateProcessing(
        single=f"{BOS_TOKEN} $A", special_tokens=[(BOS_TOKEN, plain.bos_token_id)]
    )
    ids = render(plain, messages, {})
    assert ids.count(plain.bos_token_id) == 1 and ids[0] == plain.bos_token_id


@given(question=WORDS, said=WORDS, followup=WORDS)
def test_a_continuation_keeps_the_sampled_tokens_as_its_prefix(question: str, said: str, followup: str) -> None:
    begun = render(TOKENIZER, user(question), {})
    sampled = [*TOKENIZER.encode(said), TOKENIZER.eos_token_id]
    longer = render_continuation(TOKENIZER, begun, sampled, followup, {})
    assert longer[: len(begun) + len(sampled)] == [*begun, *sampled]
    dialogue = [*user(question), {"role": "assistant", "content": said}, *user(followup)]
    assert TOKENIZER.decode(longer) == TOKENIZER.decode(render(TOKENIZER, dialogue, {}))


def test_a_sample_that_was_cut_gets_the_end_of_its_turn_in_a_continuation() -> None:
    begun, cut = render(TOKENIZER, user("Hi"), {}), TOKENIZER.encode("I was about to")
    longer = render_continuation(TOKENIZER, begun, cut, "And?", {})
    assert longer[len(begun) + len(cut)] == TOKENIZER.eos_token_id


def test_an_odd_end_token_is_not_followed_by_text() -> None:
    plain = make_tiny_tokenizer(None)
    said = [*plain.encode("It is 5"), plain.eos_token_id]
    longer = render_continuation(plain, plain.encode("2 + 3?"), said, "Sure?", {})
    assert plain.decode(longer) == "2 + 3?It is 5\n\nSure?"


class TestATokenizerThatSetsASpaceBeforeTheFirstWord:
    """As SentencePiece does: `Yes` alone is `▁Yes`, another token than the `Yes` that a model says on a new line."""

    ZEPHYR = "{% for m in messages %}<|{{ m.role }}|>\n{{ m.content }}</s>\n{% endfor %}{{ '<|assistant|>\n' }}"
    INST = "{% for m in messages %}[INST] {{ m.content }} [/INST]{% endfor %}"

    def begun(self, template: str | None, said: str) -> tuple[Any, list[str]]:
        tokenizer = make_spaced_tokenizer(template, "Yes")
        after = following(tokenizer, render(tokenizer, user("Is it?"), {}), said)
        return tokenizer, tokenizer.convert_ids_to_tokens(after)

    def test_what_follows_a_line_break_has_no_space_of_its_own(self) -> None:
        assert self.begun(self.ZEPHYR, "Yes")[1] == ["Yes"]
        assert self.begun(self.ZEPHYR, " Yes")[1] == ["▁Yes"]

    def test_what_follows_anything_else_has_one_as_in_the_templates_of_such_models(self) -> None:
        assert self.begun(self.INST, "Yes")[1] == ["▁Yes"]

    def test_a_conversation_goes_on_as_if_it_had_been_written_in_one_piece(self) -> None:
        tokenizer = make_spaced_tokenizer(self.ZEPHYR, "Yes")
        begun, said = render(tokenizer, user("Is it?"), {}), "Yes."
        dialogue = [*user("Is it?"), {"role": "assistant", "content": said}, *user("Sure?")]
        longer = render_continuation(tokenizer, begun, following(tokenizer, begun, said), "Sure?", {})
        assert longer == render(tokenizer, dialogue, {})

    def test_a_text_without_turns_goes_on_as_if_it_had_been_written_in_one_piece(self) -> None:
        tokenizer = make_spaced_tokenizer(None, "Yes")
        begun = tokenizer.encode("Is it?\n")
        longer = render_continuation(tokenizer, begun, following(tokenizer, begun, "Yes."), "Sure?", {})
        assert longer == tokenizer.encode("Is it?\nYes.\n\nSure?")


@given(before=WORDS, text=WORDS)
def test_a_tokenizer_without_such_a_space_reads_a_text_as_it_does_alone(before: str, text: str) -> None:
    begun = render(TOKENIZER, user(before), {})
    after = following(TOKENIZER, begun, text)
    assert TOKENIZER.decode([*begun, *after]) == TOKENIZER.decode(begun) + text


def test_the_end_of_a_turn_is_read_out_of_the_template() -> None:
    assert end_of_turn(TOKENIZER) == TOKENIZER.convert_tokens_to_ids("<|im_end|>")
    assert end_of_turn(make_tiny_tokenizer(None)) == TOKENIZER.eos_token_id
    assert end_of_turn(make_tiny_tokenizer(CHATML.replace("<|im_end|>", ""))) is None


@pytest.mark.parametrize("system", [None, "Be brief."])
def test_a_sound_template_passes(system: str | None) -> None:
    lint(TOKENIZER, [prompt(system=system)], spec(), 2048)
    lint(TOKENIZER, [], spec(), 2048)


def test_a_base_model_needs_a_dataset_template() -> None:
    assert refusal(None) == (
        "spec.model.chatTemplate: the model is a base model without a chat template; "
        "set spec.dataset.template to the text it should continue, or spec.model.chatTemplate"
    )
    lint(make_tiny_tokenizer(None), [prompt()], spec(template="Q: {{ prompt }}\nA:", max_tokens=8), 512)


def test_a_doubled_bos_is_refused() -> None:
    tokenizer = make_tiny_tokenizer("{{ bos_token + bos_token }}" + CHATML)
    tokenizer.bos_token = BOS_TOKEN
    message = r"prompt p1 begins with BOS \(<\|endoftext\|>\) twice; remove one from the template"
    with pytest.raises(UserError, match=message):
        lint(tokenizer, [prompt()], spec(), None)
    tokenizer.chat_template = "{{ bos_token }}" + CHATML
    lint(tokenizer, [prompt()], spec(), None)


@pytest.mark.parametrize("between", [" ", "\n", " \n\n "])
def test_white_space_does_not_hide_a_doubled_bos(between: str) -> None:
    tokenizer = make_tiny_tokenizer(BOS_TOKEN + between + BOS_TOKEN + CHATML)
    tokenizer.bos_token = BOS_TOKEN
    with pytest.raises(UserError, match="begins with BOS"):
        lint(tokenizer, [prompt()], spec(), None)


def test_a_bos_that_only_some_prompts_double_is_found_and_told_of_by_the_prompts_id() -> None:
    doubles = "{% if messages[0]['role'] == 'system' %}{{ bos_token }}{% endif %}{{ bos_token }}" + CHATML
    tokenizer = make_tiny_tokenizer(doubles)
    tokenizer.bos_token = BOS_TOKEN
    with pytest.raises(UserError, match=r"^spec.model.chatTemplate: prompt p2 begins with BOS"):
        lint(tokenizer, [prompt(), prompt(name="p2", system="Be brief.")], spec(), None)


def test_a_text_to_continue_that_writes_the_bos_which_the_tokenizer_adds_is_refused() -> None:
    from tokenizers.processors import TemplateProcessing

    plain = make_tiny_tokenizer(None)
    plain.bos_token = BOS_TOKEN
    plain.backend_tokenizer.post_processor = TemplateProcessing(
        single=f"{BOS_TOKEN} $A", special_tokens=[(BOS_TOKEN, plain.bos_token_id)]
    )
    with pytest.raises(UserError, match=r"^spec.dataset.template: prompt p1 begins with BOS .* twice; remove one"):
        lint(plain, [prompt(f"{BOS_TOKEN}Q: 2 + 3")], spec(template="t"), None)
    lint(plain, [prompt("Q: 2 + 3")], spec(template="t"), None)


def test_a_turn_without_an_end_token_is_refused() -> None:
    assert "no end token follows an assistant's message" in refusal(CHATML.replace("<|im_end|>", ""))


def test_a_template_that_drops_earlier_messages_is_refused() -> None:
    last_only = CHATML.replace("{% for message in messages %}", "{% for message in messages[-1:] %}")
    assert "rewrites earlier messages" in refusal(last_only)


def test_a_template_that_moves_the_system_prompt_is_refused_for_prompts_that_have_one() -> None:
    mover = (
        "{% for m in messages if m['role'] != 'system' %}{{ '<|im_start|>' + m['role'] + '\n' }}"
        "{% if loop.last and messages[0]['role'] == 'system' %}{{ messages[0]['content'] + '\n' }}{% endif %}"
        "{{ m['content'] + '<|im_end|>\n' }}{% endfor %}"
        "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
    )
    assert "rewrites earlier messages" in refusal(mover, prompt(system="Be brief."))
    lint(make_tiny_tokenizer(mover), [prompt()], spec(), None)


STRIPS_THOUGHTS = CHATML.replace(
    "message['content']", "(message['content'].split('</think>')[-1] if not loop.last else message['content'])"
)


def test_a_template_that_strips_thoughts_is_refused_unless_thinking_is_off() -> None:
    assert "drops <think> blocks from earlier turns" in refusal(STRIPS_THOUGHTS)
    closed = STRIPS_THOUGHTS.replace("assistant\n'", "assistant\n<think>\n\n</think>\n\n'")
    lint(make_tiny_tokenizer(closed), [prompt()], spec(), None)


def test_a_template_that_refuses_the_messages_is_quoted() -> None:
    strict = "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system role') }}{% endif %}" + CHATML
    line = refusal(strict, prompt(system="Be brief."))
    assert line == (
        "spec.model.chatTemplate: the chat template refuses prompt p1 (no system role); "
        "leave the prompt out, change it or spec.dataset.system, or give another chatTemplate"
    )


@pytest.mark.parametrize("length", [None, 1024])
def test_a_prompt_that_is_refused_is_named_wherever_among_the_prompts_it_is(length: int | None) -> None:
    """By its roles, which one probe of each sequence of them would find, or by its words, which none would."""
    no_role = "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system role') }}{% endif %}" + CHATML
    no_word = "{% if 'nope' in messages[0]['content'] %}{{ raise_exception('a bad\nword') }}{% endif %}" + CHATML
    sound = [prompt(name=f"p{number}") for number in range(6)]
    for template, odd, reason in [
        (no_role, prompt(name="p7", system="Be brief."), "no system role"),
        (no_word, prompt("nope", name="p7"), "a bad"),
    ]:
        with pytest.raises(UserError) as caught:
            lint(make_tiny_tokenizer(template), [*sound, odd, *sound], spec(), length)
        line = str(caught.value)
        assert line.startswith(f"spec.model.chatTemplate: the chat template refuses prompt p7 ({reason}); ")
        assert "\n" not in line


def test_a_template_that_refuses_a_conversation_that_goes_on_says_after_which_prompt() -> None:
    short = "{% if messages | length > 1 %}{{ raise_exception('one message only') }}{% endif %}" + CHATML
    assert "refuses an answer and another question after prompt p1 (one message only); " in refusal(short)


def test_a_template_that_wants_a_system_message_where_turns_are_taken_apart_is_refused_in_one_line() -> None:
    strict = "{% if messages[0]['role'] != 'system' %}{{ raise_exception('give a system') }}{% endif %}" + CHATML
    line = refusal(strict, prompt(system="Be brief."))
    assert "refuses a user's message and an assistant's (give a system); " in line


def test_only_one_prompt_of_each_sequence_of_roles_is_looked_at_closely(monkeypatch: pytest.MonkeyPatch) -> None:
    """A set of ten thousand prompts costs ten thousand renderings, and not five times as many."""
    rows = [prompt(name=f"p{number}", system="Be brief." if number % 2 else None) for number in range(40)]
    rendered: list[int] = []
    tokenizer = make_tiny_tokenizer()
    apply = tokenizer.apply_chat_template
    monkeypatch.setattr(tokenizer, "apply_chat_template", lambda *a, **k: rendered.append(1) or apply(*a, **k))
    lint(tokenizer, rows, spec(), 2048)
    assert len(rendered) <= 40 + 2 * 4 + 1


def test_a_template_that_rewrites_all_messages_alike_is_told_of_as_one_that_rewrites() -> None:
    for change in ("message['content'] | upper", "message['content'] | replace('answer', 'reply')"):
        line = refusal(CHATML.replace("message['content']", f"({change})"))
        assert line.startswith("spec.model.chatTemplate: the chat template rewrites earlier messages")


def test_a_template_without_a_generation_prompt_is_refused_where_an_assistants_turn_has_a_header() -> None:
    line = refusal(CHATML.partition("{% if add_generation_prompt %}")[0])
    assert line.startswith(
        "spec.model.chatTemplate: the chat template begins an assistant's turn with '<|im_start|>assistant', and with "
        "add_generation_prompt ends a prompt with ''"
    )
    assert "ends a prompt with '<|im_start|>user'" in refusal(CHATML.replace("assistant\n'", "user\n'"))


def test_a_prompt_that_leaves_no_room_for_the_answer_is_named() -> None:
    line = refusal(CHATML, prompt("7 + " * 60, name="long-one"), spec(max_tokens=100), length=200)
    assert line.startswith("spec.generation.maxTokens: prompt long-one has ")
    assert "and 100 more do not fit into the model's 200" in line
    assert "leaves no room for a prompt" in refusal(CHATML, settings=spec(max_tokens=512), length=512)
