"""The chat templates that people really have: none is refused wrongly, and none changes what a model said."""

from __future__ import annotations

import logging
from typing import Any

import pytest

pytest.importorskip("transformers", reason="the workers' libraries are not installed")

from selfimprove.api.spec import Spec
from selfimprove.errors import UserError
from selfimprove_workers.chat import end_of_turn, lint, render, render_continuation
from selfimprove_workers.prompts import PromptRow
from tests.fixtures.models import CHATML, make_tiny_tokenizer

LLAMA_3 = (
    "{% for message in messages %}"
    "{% set content = '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n'"
    "+ message['content'] | trim + '<|eot_id|>' %}"
    "{% if loop.index0 == 0 %}{% set content = bos_token + content %}{% endif %}{{ content }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}"
)
LLAMA_3_FIRST_RELEASE = LLAMA_3.replace("{% if add_generation_prompt %}", "{% if true %}")
LLAMA_2 = (
    "{% for message in messages %}"
    "{% if message['role'] == 'user' %}{{ bos_token + '[INST] ' + message['content'].strip() + ' [/INST]' }}"
    "{% else %}{{ ' ' + message['content'].strip() + ' ' + eos_token }}{% endif %}"
    "{% endfor %}"
)
GEMMA_2 = (
    "{{ bos_token }}"
    "{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
    "{% for message in messages %}"
    "{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('must alternate') }}{% endif %}"
    "{% set role = 'model' if message['role'] == 'assistant' else message['role'] %}"
    "{{ '<start_of_turn>' + role + '\n' + message['content'] | trim + '<end_of_turn>\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<start_of_turn>model\n' }}{% endif %}"
)
QWEN_2_5 = (
    "{%- if messages[0]['role'] == 'system' %}"
    "{{- '<|im_start|>system\n' + messages[0]['content'] + '<|im_end|>\n' }}"
    "{%- else %}{{- '<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n' }}{%- endif %}"
    "{%- for message in messages %}"
    "{%- if (message.role == 'user') or (message.role == 'system' and not loop.first)"
    " or (message.role == 'assistant' and not message.tool_calls) %}"
    "{{- '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>' + '\n' }}{%- endif %}"
    "{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\n' }}{%- endif %}"
)
SMOLLM2 = (
    "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}"
    "{{ '<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n' }}"
    "{% endif %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
QWEN_3_WITHOUT_THINKING = CHATML.replace(
    "message['content']", "(message['content'].split('</think>')[-1].lstrip('\n'))"
).replace("assistant\n'", "assistant\n<think>\n\n</think>\n\n'")

MISTRAL = (
    "{{ bos_token }}{% for message in messages %}"
    "{% if message['role'] == 'user' %}{{ '[INST] ' + message['content'] + '[/INST]' }}"
    "{% else %}{{ ' ' + message['content'] + eos_token }}{% endif %}"
    "{% endfor %}"
)
GLM_4_5 = (
    "{% for message in messages %}"
    "{% if message['role'] == 'assistant' %}{{ '<|assistant|>\n' + ('' if '<think>' in message['content'] else"
    " '<think></think>\n') + message['content'] + '<|im_end|>' }}"
    "{% else %}{{ '<|' + message['role'] + '|>\n' + message['content'] }}{% endif %}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)
DEEPSEEK_R1 = (
    "{{ bos_token }}{% for message in messages %}"
    "{% if message['role'] == 'user' %}{{ '<｜User｜>' + message['content'] }}"
    "{% else %}{{ '<｜Assistant｜>' + message['content'] + eos_token }}{% endif %}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<｜Assistant｜><think>\n' }}{% endif %}"
)
GPT_OSS = (
    "{% for message in messages %}{{ '<|start|>' + message['role'] }}"
    "{% if message['role'] == 'assistant' %}{{ '<|channel|>final' }}{% endif %}"
    "{{ '<|message|>' + message['content'] + '<|im_end|>' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|start|>assistant' }}{% endif %}"
)

TEMPLATES = {
    "ChatML": (CHATML, "<|im_end|>"),
    "DeepSeek R1": (DEEPSEEK_R1, "</s>"),
    "GLM 4.5": (GLM_4_5, "<|im_end|>"),
    "gpt-oss": (GPT_OSS, "<|im_end|>"),
    "Gemma 2": (GEMMA_2, "<end_of_turn>"),
    "Llama 2": (LLAMA_2, "</s>"),
    "Llama 3": (LLAMA_3, "<|eot_id|>"),
    "Llama 3, first release": (LLAMA_3_FIRST_RELEASE, "<|eot_id|>"),
    "Mistral": (MISTRAL, "</s>"),
    "Qwen 2.5": (QWEN_2_5, "<|im_end|>"),
    "Qwen 3 without thinking": (QWEN_3_WITHOUT_THINKING, "<|im_end|>"),
    "SmolLM2": (SMOLLM2, "<|im_end|>"),
}
"""Name -> the template, its tools and dates left out, and the token that ends a turn of its model."""

SPECIAL = ["<s>", "</s>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>", "<start_of_turn>", "<end_of_turn>"]
SPEC = Spec.model_validate({"model": {"uri": "m"}, "dataset": {"uri": "x.jsonl", "task": "Math"}})
TRIMS_WHAT_IS_OVER = CHATML.replace(
    "message['content']", "(message['content'] if loop.last else message['content'].strip())"
)


def tokenizer_of(template: str, eos: str = "<|im_end|>") -> Any:
    tokenizer = make_tiny_tokenizer(template)
    tokenizer.add_special_tokens({"additional_special_tokens": SPECIAL, "bos_token": "<s>", "eos_token": eos})
    return tokenizer


def prompt(text: str) -> PromptRow:
    return PromptRow(text, [{"role": "user", "content": text}], None, None, None, None)


@pytest.fixture(params=TEMPLATES.values(), ids=TEMPLATES.keys())
def tokenizer(request: pytest.FixtureRequest) -> Any:
    """A tokenizer with one of the templates."""
    return tokenizer_of(*request.param)


@pytest.mark.parametrize("text", ["What is 2 + 3?", " \nWhat is 2 + 3?\n\n"])
def test_a_real_template_passes_whatever_white_space_surrounds_the_prompt(tokenizer: Any, text: str) -> None:
    lint(tokenizer, [prompt("How much is 7?"), prompt(text)], SPEC, 2048)


def test_the_end_of_a_turn_is_found_in_a_real_template(tokenizer: Any) -> None:
    assert end_of_turn(tokenizer) == tokenizer.eos_token_id


@pytest.mark.parametrize("said", ["5", "\n\n5", " 5 \n", "  "])
def test_a_continuation_goes_on_from_the_sampled_tokens_also_where_the_template_would_trim(
    tokenizer: Any, said: str
) -> None:
    begun = render(tokenizer, prompt("What is 2 + 3?").messages, {})
    sampled = [*tokenizer.encode(said, add_special_tokens=False), tokenizer.eos_token_id]
    longer = render_continuation(tokenizer, begun, sampled, "Is it correct?", {})
    assert longer[: len(begun) + len(sampled)] == [*begun, *sampled]
    assert tokenizer.eos_token_id not in longer[len(begun) + len(sampled) :][:1]


def test_a_template_that_trims_the_prompt_only_once_it_is_answered_is_refused_for_prompts_that_this_changes() -> None:
    tokenizer = tokenizer_of(TRIMS_WHAT_IS_OVER)
    lint(tokenizer, [prompt("What is 2 + 3?")], SPEC, 2048)
    with pytest.raises(UserError, match="rewrites earlier messages when the conversation goes on"):
        lint(tokenizer, [prompt("What is 2 + 3?"), prompt("What is 3 + 4?\n")], SPEC, 2048)


def test_a_template_that_changes_more_of_an_answer_than_its_edges_is_refused() -> None:
    tokenizer = tokenizer_of(CHATML.replace("message['content']", "' '.join(message['content'].split())"))
    with pytest.raises(UserError, match="rewrites earlier messages when the conversation goes on"):
        lint(tokenizer, [prompt("What is 2 + 3?")], SPEC, 2048)


@pytest.mark.parametrize(("name", "trims"), [("Llama 3", True), ("Gemma 2", True), ("Qwen 2.5", False)])
def test_that_a_template_trims_answers_is_said_but_costs_nothing(
    name: str, trims: bool, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "selfimprove_workers"):
        lint(tokenizer_of(*TEMPLATES[name]), [prompt("What is 2 + 3?")], SPEC, 2048)
    assert ("trims answers" in caplog.text) == trims
