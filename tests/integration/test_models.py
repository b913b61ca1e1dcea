"""Models on this machine: folders that are whole, GGUF converted once, one loaded model, and the choice of engine."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from safetensors import safe_open

from selfimprove.api.execution import Storage
from selfimprove.api.sampling import EngineArgs, Generation
from selfimprove.api.selecting import Selection
from selfimprove.api.source import ModelSource
from selfimprove.api.spec import Spec
from selfimprove.artifacts import Manifest, commit, step_folder, write_files
from selfimprove.errors import FailedError, UserError
from selfimprove.ledger import StepId
from selfimprove.loop import BASE
from selfimprove.store import open_store
from selfimprove.store.base import Store
from selfimprove_workers.engines import choice
from selfimprove_workers.engines.base import SampleRequest
from selfimprove_workers.models import ModelHouse, model_folder, open_engine, open_tokenizer
from tests.fixtures.models import CHATML, SMOLLM2, make_tiny_model
from tests.integration.models_support import break_vllm

SETTINGS = Generation(engine="Transformers", engine_args=EngineArgs(dtype="float32"))


def refusal(folder: Path) -> str:
    with pytest.raises(UserError) as caught:
        model_folder(ModelSource(uri=str(folder)), Storage())
    assert "\n" not in str(caught.value)
    return str(caught.value)


def keep(share: float) -> Callable[[Path], None]:
    def cut(folder: Path) -> None:
        path = folder / "model.safetensors"
        path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])

    return cut


def replace(name: str, text: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_text(text) and None


def remove(*names: str) -> Callable[[Path], None]:
    def drop(folder: Path) -> None:
        for name in names:
            (folder / name).unlink()

    return drop


def as_pickle(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


@pytest.fixture
def copy(tiny_model: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_model, tmp_path / "copy"))


def test_a_whole_folder_is_taken_where_it_lies(tiny_model: Path) -> None:
    assert model_folder(ModelSource(uri=str(tiny_model)), Storage()) == tiny_model


@pytest.mark.parametrize(
    ("damage", "line"),
    [
        (keep(0.9), "model.safetensors is torn: "),
        (keep(0.001), "model.safetensors is torn or no safetensors file"),
        (keep(0), "model.safetensors is torn or no safetensors file (0 bytes)"),
        (remove("config.json"), "no config.json"),
        (replace("config.json", "{"), "config.json is no JSON"),
        (replace("config.json", "[]"), "config.json is no JSON object"),
        (replace("config.json", "{}"), "config.json has no model_type"),
        (remove("model.safetensors"), "no weights (model.safetensors)"),
        (as_pickle, "weights are there as pickle only (.bin)"),
        (remove("tokenizer.json"), "no tokenizer file"),
        (
            replace("model.safetensors.index.json", json.dumps({"weight_map": {"a": "model-1-of-2.safetensors"}})),
            "weights model-1-of-2.safetensors are listed but missing",
        ),
        (replace("model.safetensors.index.json", "{}"), "model.safetensors.index.json lists no weights"),
        (
            replace("model.safetensors", "\x10" + "\0" * 7 + "not a JSON header"),
            "model.safetensors has a broken header",
        ),
    ],
)
def test_a_damaged_folder_is_one_clear_line(copy: Path, damage: Callable[[Path], None], line: str) -> None:
    damage(copy)
    found = refusal(copy)
    assert found.startswith(f"spec.model.uri: {copy}: ")
    assert line in found


def test_a_model_that_is_not_there_is_one_clear_line(tmp_path: Path) -> None:
    assert refusal(tmp_path / "nothing").startswith("spec.model.uri: ")


def test_a_broken_gguf_is_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SELFIMPROVE_CACHE", str(tmp_path / "cache"))
    (tmp_path / "model.gguf").write_bytes(b"GGUF" + b"\0" * 64)
    assert "model.gguf can't be read as a model" in refusal(tmp_path / "model.gguf")
    (tmp_path / "other.gguf").write_bytes(b"GGUF")
    assert "there are 2 GGUF files (model.gguf, other.gguf); name the one to use" in refusal(tmp_path)


def test_a_chat_template_of_the_spec_replaces_the_models_own(tiny_model: Path) -> None:
    assert open_tokenizer(tiny_model).chat_template == CHATML
    assert open_tokenizer(tiny_model, "{{ messages }}").chat_template == "{{ messages }}"


def test_of_several_templates_of_a_model_the_default_is_its_own(copy: Path) -> None:
    several = open_tokenizer(copy)
    several.chat_template = {"default": CHATML, "tool_use": "x"}
    several.save_pretrained(copy)
    assert open_tokenizer(copy).chat_template == CHATML
    (copy / "chat_template.jinja").unlink()
    with pytest.raises(
        UserError, match=r"^spec\.model\.chatTemplate: the model has several templates \(tool_use\), none"
    ):
        open_tokenizer(copy)
    assert open_tokenizer(copy, CHATML).chat_template == CHATML


@pytest.mark.parametrize(
    ("config", "line"),
    [
        (
            {"model_type": "own", "auto_map": {"AutoModelForCausalLM": "modeling.Own"}},
            "own needs code of its own, which is never run; give a model that transformers ",
        ),
        ({"model_type": "own"}, "own is no kind that is known; give a model that transformers "),
        ({"model_type": "t5"}, "t5 is no causal language model; give one"),
        ({"model_type": "mamba"}, "mamba has no attention, which keeps apart "),
    ],
    ids=["own code", "unknown", "t5", "mamba"],
)
def test_a_model_of_a_kind_that_can_not_be_used_is_one_clear_line(
    copy: Path, config: dict[str, object], line: str
) -> None:
    (copy / "config.json").write_text(json.dumps(config))
    with pytest.raises(UserError) as refused:
        open_tokenizer(copy)
    assert str(refused.value).startswith(f"spec.model.uri: {copy}: {line}")


@pytest.mark.model
def test_a_gguf_becomes_a_plain_folder_once(smollm2: Path) -> None:
    assert model_folder(ModelSource(uri=SMOLLM2), Storage()) == smollm2
    config = json.loads((smollm2 / "config.json").read_text())
    assert "quantization_config" not in config and config["dtype"] == "bfloat16"
    with safe_open(smollm2 / "model.safetensors", "pt") as weights:
        assert {weights.get_slice(name).get_dtype() for name in weights.keys()} == {"BF16"}  # noqa: SIM118


@pytest.mark.model
def test_the_converted_tokenizer_is_the_models_own(smollm2: Path) -> None:
    tokenizer = open_tokenizer(smollm2)
    assert tokenizer.eos_token == "<|im_end|>"
    assert "<|im_start|>" in tokenizer.chat_template
    for text in ("12345 + 6.78 = 12351.78", "  two\n\n\tlines", "naïve 中文 🙂"):
        assert tokenizer.decode(tokenizer.encode(text, add_special_tokens=False)) == text
    assert len(tokenizer.encode("12345", add_special_tokens=False)) == 5


CONVERT = """
    import sys
    from selfimprove.api.execution import Storage
    from selfimprove.api.source import ModelSource
    from selfimprove_workers.models import model_folder
    print(model_folder(ModelSource(uri=sys.argv[1]), Storage()))
"""


def write_gguf(path: Path) -> Path:
    """A tiny Llama as a GGUF file, written by the format's own library."""
    import gguf
    import numpy as np

    words = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", *_byte_alphabet()]
    writer = gguf.GGUFWriter(path, "llama")
    for add, value in [
        (writer.add_context_length, 128),
        (writer.add_embedding_length, 32),
        (writer.add_block_count, 1),
        (writer.add_feed_forward_length, 64),
        (writer.add_head_count, 2),
        (writer.add_head_count_kv, 1),
        (writer.add_layer_norm_rms_eps, 1e-5),
        (writer.add_rope_dimension_count, 16),
        (writer.add_vocab_size, len(words)),
        (writer.add_tokenizer_model, "gpt2"),
        (writer.add_token_list, words),
        (writer.add_token_types, [3, 3, 3] + [1] * (len(words) - 3)),
        (writer.add_token_merges, ["Ġ t"]),
        (writer.add_eos_token_id, 2),
        (writer.add_bos_token_id, 1),
        (writer.add_chat_template, CHATML),
    ]:
        add(value)
    shapes = {
        "token_embd.weight": (len(words), 32),
        "output_norm.weight": (32,),
        "blk.0.attn_norm.weight": (32,),
        "blk.0.ffn_norm.weight": (32,),
        "blk.0.attn_q.weight": (32, 32),
        "blk.0.attn_k.weight": (16, 32),
        "blk.0.attn_v.weight": (16, 32),
        "blk.0.attn_output.weight": (32, 32),
        "blk.0.ffn_gate.weight": (64, 32),
        "blk.0.ffn_up.weight": (64, 32),
        "blk.0.ffn_down.weight": (32, 64),
    }
    draw = np.random.default_rng(0)
    for name, shape in shapes.items():
        writer.add_tensor(name, draw.normal(size=shape).astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _byte_alphabet() -> list[str]:
    from tokenizers.pre_tokenizers import ByteLevel

    return [*sorted(ByteLevel.alphabet()), "Ġt"]


def test_processes_that_convert_at_once_end_with_one_whole_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SELFIMPROVE_CACHE", str(tmp_path / "cache"))
    source = write_gguf(tmp_path / "tiny.gguf")

    def convert(_: int) -> str:
        command = [sys.executable, "-c", textwrap.dedent(CONVERT), str(source)]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[-1]

    with ThreadPoolExecutor() as pool:
        folders = set(pool.map(convert, range(2)))
    assert len(folders) == 1
    folder = Path(folders.pop())
    assert [p.name for p in folder.parent.iterdir() if p.is_dir()] == [folder.name]
    engine = open_engine(folder, SETTINGS)
    assert engine.eos_token_ids == {2}
    assert len(dict(engine.sample([SampleRequest([5, 6, 7], 1, 4)]))) == 1


def spec(model: Path) -> Spec:
    dataset = {"uri": "x.jsonl", "task": "Math"}
    generation = {"engine": "Transformers", "engineArgs": {"dtype": "float32"}}
    return Spec.model_validate({"model": {"uri": str(model)}, "dataset": dataset, "generation": generation})


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(str(tmp_path / "store"))


def commit_checkpoint(store: Store, model: Path, iteration: int) -> None:
    step = StepId(iteration, "distill")
    files = write_files(store, step_folder(step), "a1", model)
    manifest = {"step": "distill", "iteration": iteration, "digest": "d", "files": files, "attempt": "a1"}
    commit(store, step_folder(step), manifest_of(manifest))


def manifest_of(known: dict[str, object]) -> Manifest:
    defaults: dict[str, object] = {
        "split": "",
        "shard": 0,
        "shards": 1,
        "parts": [],
        "inputs": {},
        "settings": {},
        "tables": {},
        "summary": {},
        "version": "0",
        "created_at": "2026-01-01T00:00:00Z",
    }
    return Manifest.model_validate(defaults | known)


def test_the_house_gives_the_base_model_and_committed_checkpoints(
    tiny_model: Path, tmp_path: Path, store: Store
) -> None:
    other = make_tiny_model(tmp_path / "other", seed=5)
    commit_checkpoint(store, other, 1)
    house = ModelHouse(store, spec(tiny_model))
    assert house.folder(0) == tiny_model
    assert (house.folder(1) / "model.safetensors").read_bytes() == (other / "model.safetensors").read_bytes()
    with pytest.raises(FailedError, match="i002"):
        house.folder(2)


def test_a_run_that_trains_its_m_0_has_the_base_model_beside_it(tiny_model: Path, tmp_path: Path, store: Store) -> None:
    commit_checkpoint(store, other := make_tiny_model(tmp_path / "other", seed=5), 0)
    seeded = spec(tiny_model).model_copy(update={"selection": Selection(seed_training="References")})
    house = ModelHouse(store, seeded)
    assert house.folder(BASE) == tiny_model
    assert (house.folder(0) / "model.safetensors").read_bytes() == (other / "model.safetensors").read_bytes()
    assert house.identity(0) == {"iteration": 0}
    assert house.identity(BASE) == ModelHouse(store, spec(tiny_model)).identity(0)


def test_the_house_holds_one_loaded_model(tiny_model: Path, tmp_path: Path, store: Store) -> None:
    other = make_tiny_model(tmp_path / "other", seed=5)
    house = ModelHouse(store, spec(tiny_model))
    first = house.engine(tiny_model)
    assert house.engine(tiny_model) is first
    second = house.engine(other)
    assert second is not first
    assert not hasattr(first, "model"), "the first one's weights are still held"
    house.close()
    assert house.tokenizer(other).eos_token == "<|im_end|>"


def test_auto_takes_transformers_and_says_why_when_vllm_does_not_work(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    break_vllm(tmp_path, monkeypatch)
    with caplog.at_level("INFO", logger=choice.__name__):
        engine = open_engine(tiny_model, Generation())
    assert engine.name == "transformers"
    assert "vLLM can't be had: it can't be imported (libcudart.so.12: cannot open)" in caplog.text


def test_vllm_that_was_asked_for_and_does_not_work_is_one_clear_line(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_vllm(tmp_path, monkeypatch)
    with pytest.raises(UserError) as caught:
        open_engine(tiny_model, Generation(engine="VLLM"))
    assert str(caught.value) == (
        "spec.generation.engine: VLLM: it can't be imported (libcudart.so.12: cannot open); "
        "mend it, or use Auto or Transformers"
    )
