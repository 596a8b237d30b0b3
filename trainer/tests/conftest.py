"""Models laid out once, and a tiny random chat model to train in seconds."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from trainer.prepare import SOURCES, lay_out
from trainer.tests.jobs import REPOSITORY

os.environ.setdefault("OMP_NUM_THREADS", str(len(os.sched_getaffinity(0))))
os.environ.setdefault("HF_HUB_OFFLINE", "1")


@pytest.fixture(scope="session")
def models() -> Path:
    """The folder of the packaged models, made when absent."""
    folder = Path(os.environ.get("ATTUNE_MODELS", REPOSITORY / ".attune" / "models"))
    folder.mkdir(parents=True, exist_ok=True)
    for source in SOURCES:
        lay_out(source, folder)
    return folder


@pytest.fixture(scope="session")
def tiny_model(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random four-layer Llama with SmolLM2's tokenizer."""
    import torch
    from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

    folder = tmp_path_factory.mktemp("tiny")
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=49152,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=4,
        num_attention_heads=4,
        num_key_value_heads=2,
        tie_word_embeddings=True,
        bos_token_id=1,
        eos_token_id=2,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    AutoTokenizer.from_pretrained(models / "smollm2-135m").save_pretrained(folder)
    return folder


@pytest.fixture
def write_rows() -> Callable[[Path, str, list[dict[str, Any]]], None]:
    """Writes data/<name>.jsonl of a job folder."""

    def write(folder: Path, name: str, rows: list[dict[str, Any]]) -> None:
        (folder / "data").mkdir(parents=True, exist_ok=True)
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / "data" / f"{name}.jsonl").write_text(text, encoding="utf-8")

    return write
