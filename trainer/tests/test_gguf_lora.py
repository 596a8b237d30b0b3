"""Adapters that do not fit the base model, or are no safetensors, are refused."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from trainer.errors import BAD_DATA, JobError
from trainer.files import sha256_file
from trainer.serve.gguf_lora import convert
from trainer.spec import ServedAdapter
from trainer.tests.jobs import TINY_ID

PREFIX = "base_model.model.model.layers.3.self_attn.q_proj"


def _adapter(folder: Path, rank: int = 4, **config: Any) -> ServedAdapter:
    folder.mkdir()
    stated = {"peft_type": "LORA", "base_model_name_or_path": TINY_ID, "r": 4, "lora_alpha": 8, "bias": "none", **config}
    (folder / "adapter_config.json").write_text(json.dumps(stated), encoding="utf-8")
    tensors = {
        f"{PREFIX}.lora_A.weight": np.ones((rank, 32), np.float32),
        f"{PREFIX}.lora_B.weight": np.ones((32, rank), np.float32),
    }
    save_file(tensors, folder / "adapter_model.safetensors")
    return ServedAdapter("ctx", "adapter", sha256_file(folder / "adapter_model.safetensors"))


def _pickle(folder: Path) -> None:
    (folder / "adapter_model.bin").write_bytes(b"")


def _nan(folder: Path) -> None:
    save_file({f"{PREFIX}.lora_A.weight": np.full((4, 32), np.nan, np.float32)}, folder / "adapter_model.safetensors")


@pytest.fixture
def refusal(tiny_model: Path, tmp_path: Path) -> Callable[..., str]:
    def refuse(change: Callable[[Path], None] | None = None, rehash: bool = False, **config: Any) -> str:
        folder = tmp_path / "adapter"
        adapter = _adapter(folder, **config)
        if change is not None:
            change(folder)
        if rehash:
            adapter = ServedAdapter("ctx", "adapter", sha256_file(folder / "adapter_model.safetensors"))
        with pytest.raises(JobError) as caught:
            convert(adapter, folder, tiny_model, TINY_ID, tmp_path / "x.gguf")
        assert caught.value.code == BAD_DATA
        assert not (tmp_path / "x.gguf").exists()
        return str(caught.value)

    return refuse


def test_a_fitting_adapter_is_converted(tiny_model: Path, tmp_path: Path) -> None:
    import gguf

    convert(_adapter(tmp_path / "adapter"), tmp_path / "adapter", tiny_model, TINY_ID, tmp_path / "x.gguf")
    reader = gguf.GGUFReader(tmp_path / "x.gguf")
    assert [tensor.name for tensor in reader.tensors] == ["blk.3.attn_q.weight.lora_a", "blk.3.attn_q.weight.lora_b"]
    assert reader.fields["adapter.lora.alpha"].contents() == 8


def test_another_base_is_refused(refusal: Callable[..., str]) -> None:
    assert "it was trained on 'other/model'" in refusal(base_model_name_or_path="other/model")


def test_another_rank_is_refused(refusal: Callable[..., str]) -> None:
    assert "rank 4 on this base needs" in refusal(rank=8)


def test_a_pickle_is_refused(refusal: Callable[..., str]) -> None:
    assert "only safetensors are loaded" in refusal(_pickle)


def test_changed_weights_are_refused(refusal: Callable[..., str]) -> None:
    assert "the spec says" in refusal(_nan)


def test_nan_is_refused(refusal: Callable[..., str]) -> None:
    assert "NaN" in refusal(_nan, rehash=True)


def test_what_llama_cpp_cannot_express_is_refused(refusal: Callable[..., str]) -> None:
    assert "use_dora" in refusal(use_dora=True)
