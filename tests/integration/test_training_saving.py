"""The checkpoint on disk: what transformers and vLLM load, and what was trained."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

from selfimprove.errors import FailedError, SurroundingsError
from selfimprove_workers.training.net import named_dtype
from selfimprove_workers.training.saving import save_model, stored_shapes, verify
from tests.integration.training_support import float32_net, save_llama


def trained(start: Path, by: float = 1e-5) -> torch.nn.Module:
    """The model of a folder, every weight moved a little."""
    model: torch.nn.Module = float32_net(start).model
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(by)
    return model


@pytest.mark.parametrize("tied", [True, False])
def test_what_is_saved_loads_as_what_was_trained(tmp_path: Path, tied: bool) -> None:
    start = save_llama(tmp_path / "start", tied=tied)
    model = trained(start)
    expected = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    save_model(model, start, tmp_path / "made", torch.float32, 1)
    loaded, report = AutoModelForCausalLM.from_pretrained(tmp_path / "made", output_loading_info=True)
    assert not report["missing_keys"] and not report["unexpected_keys"] and not report["mismatched_keys"]
    for name, tensor in loaded.state_dict().items():
        assert torch.equal(tensor, expected[name]), name


@pytest.mark.parametrize(("tied", "names"), [(True, {"model.embed_tokens.weight"}), (False, {"lm_head.weight"})])
def test_a_tied_head_is_stored_once_as_vllm_expects_it(tmp_path: Path, tied: bool, names: set[str]) -> None:
    start = save_llama(tmp_path / "start", tied=tied)
    save_model(trained(start), start, tmp_path / "made", torch.float32, 1)
    found = stored_shapes(tmp_path / "made")
    assert names <= set(found)
    assert ("lm_head.weight" in found) == (not tied)


def test_everything_but_the_weights_is_the_base_models_own(tmp_path: Path) -> None:
    start = save_llama(tmp_path / "start", dtype=torch.bfloat16)
    save_model(trained(start), start, tmp_path / "made", torch.float32, 1)
    for name in ("config.json", "generation_config.json", "tokenizer_config.json", "chat_template.jinja"):
        assert (tmp_path / "made" / name).read_bytes() == (start / name).read_bytes(), name


def test_a_bfloat16_checkpoint_keeps_an_update_that_bfloat16_cannot_tell_apart(tmp_path: Path) -> None:
    start = save_llama(tmp_path / "start", dtype=torch.bfloat16)
    save_model(trained(start, by=2e-5), start, tmp_path / "made", torch.bfloat16, 1)
    made, before = (load_file(folder / "model.safetensors") for folder in (tmp_path / "made", start))
    updates = torch.cat([(made[name].float() - before[name].float()).flatten() for name in before])
    assert float(updates.mean()) == pytest.approx(2e-5, rel=0.3)
    assert AutoModelForCausalLM.from_pretrained(tmp_path / "made").dtype == torch.bfloat16


def test_a_float32_checkpoint_of_a_bfloat16_model_still_loads_as_bfloat16(tmp_path: Path) -> None:
    start = save_llama(tmp_path / "start", dtype=torch.bfloat16)
    model = trained(start)
    save_model(model, start, tmp_path / "made", torch.float32, 1)
    assert AutoModelForCausalLM.from_pretrained(tmp_path / "made").dtype == torch.bfloat16
    assert named_dtype(model.config, start) == torch.bfloat16


def test_tensors_are_stored_in_the_type_that_is_asked_for(tmp_path: Path) -> None:
    start = save_llama(tmp_path / "start")
    save_model(trained(start), start, tmp_path / "made", torch.bfloat16, 1)
    with safe_open(tmp_path / "made" / "model.safetensors", "pt") as file:
        assert {file.get_tensor(name).dtype for name in file.keys()} == {torch.bfloat16}  # noqa: SIM118


def test_the_runs_own_chat_template_goes_with_the_checkpoint(tmp_path: Path) -> None:
    start = save_llama(tmp_path / "start")
    save_model(trained(start), start, tmp_path / "made", torch.float32, 1, "{{ bos_token }}")
    assert (tmp_path / "made" / "chat_template.jinja").read_text() == "{{ bos_token }}"


def test_a_big_model_is_stored_in_shards_with_their_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("selfimprove_workers.training.saving.SHARD", "30KB")
    start = save_llama(tmp_path / "start")
    save_model(trained(start), start, tmp_path / "made", torch.float32, 1)
    index = json.loads((tmp_path / "made" / "model.safetensors.index.json").read_text())
    assert len(set(index["weight_map"].values())) > 1
    assert set(stored_shapes(tmp_path / "made")) == set(index["weight_map"])
    # A sharded start must leave no trace of its own index in what is made from it.
    monkeypatch.setattr("selfimprove_workers.training.saving.SHARD", "5GB")
    save_model(trained(tmp_path / "made"), tmp_path / "made", tmp_path / "next", torch.float32, 1)
    assert not (tmp_path / "next" / "model.safetensors.index.json").exists()


@pytest.mark.parametrize("accident", ["dropped", "renamed", "reshaped"])
def test_a_checkpoint_that_lost_a_tensor_on_its_way_is_refused(tmp_path: Path, accident: str) -> None:
    start = save_llama(tmp_path / "start")
    model = trained(start)
    save_model(model, start, tmp_path / "made", torch.float32, 1)
    tensors = load_file(tmp_path / "made" / "model.safetensors")
    tensor = tensors.pop("model.norm.weight")
    if accident == "renamed":
        tensors["norm.weight"] = tensor
    if accident == "reshaped":
        tensors["model.norm.weight"] = tensor[:-1].clone()
    save_file(tensors, tmp_path / "made" / "model.safetensors", {"format": "pt"})
    with pytest.raises(FailedError, match="is not the model that was trained"):
        verify(tmp_path / "made", model, start)


def test_a_folder_that_cannot_be_written_is_told_in_one_line(tmp_path: Path) -> None:
    start = save_llama(tmp_path / "start")
    (tmp_path / "full").write_text("a file where a folder is wanted")
    with pytest.raises(SurroundingsError, match="full"):
        save_model(trained(start), start, tmp_path / "full" / "made", torch.float32, 1)
