"""PEFT LoRA folders to llama.cpp's GGUF adapters. Only safetensors are read; what does not fit the base model is refused (65).

Format: llama.cpp `convert_lora_to_gguf.py`: tensors `<name>.lora_a` (r x in) and `.lora_b` (out x r), `adapter.lora.alpha` in the header.
"""

import re
from pathlib import Path
from typing import Any, NoReturn

import gguf
import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import load_file

from trainer.errors import BAD_DATA, JobError
from trainer.files import read_json_object, replacing, sha256_file
from trainer.spec import ServedAdapter

_PICKLES = {".bin", ".pt", ".pth", ".pkl", ".ckpt"}
_KEY = re.compile(r"base_model\.model\.(?P<module>.+)\.lora_(?P<side>[AB])\.weight")
# Each of these changes what the two matrices mean; llama.cpp's adapter format has no place for them.
_UNSUPPORTED = ("use_dora", "use_rslora", "modules_to_save", "rank_pattern", "alpha_pattern", "fan_in_fan_out", "lora_bias")

Array = NDArray[np.float32]


def _refuse(adapter: ServedAdapter, what: str) -> NoReturn:
    raise JobError(BAD_DATA, f"adapter {adapter.name} ({adapter.path}) is refused: {what}")


def _config(folder: Path, adapter: ServedAdapter, base_id: str) -> dict[str, Any]:
    pickles = sorted(path.name for path in folder.iterdir() if path.suffix in _PICKLES) if folder.is_dir() else []
    if pickles:
        _refuse(adapter, f"it holds {', '.join(pickles)}; only safetensors are loaded")
    config = read_json_object(folder / "adapter_config.json")
    if config is None:
        _refuse(adapter, "adapter_config.json is missing or damaged")
    if config.get("peft_type") != "LORA":
        _refuse(adapter, f"peft_type is {config.get('peft_type')!r}, not LORA")
    if config.get("base_model_name_or_path") != base_id:
        _refuse(adapter, f"it was trained on {config.get('base_model_name_or_path')!r}, the server's base is {base_id!r}")
    used = [name for name in _UNSUPPORTED if config.get(name)]
    if used or config.get("bias", "none") != "none":
        _refuse(adapter, f"it uses {', '.join(used) or 'bias'}, which llama.cpp's adapters can't express")
    return config


def _tensors(folder: Path, adapter: ServedAdapter) -> dict[str, dict[str, Array]]:
    """Matrices by module name, `A` and `B`."""
    file = folder / "adapter_model.safetensors"
    if not file.is_file():
        _refuse(adapter, "adapter_model.safetensors is missing")
    found = sha256_file(file)
    if found != adapter.sha256:
        _refuse(adapter, f"adapter_model.safetensors has sha256 {found}, the spec says {adapter.sha256}")
    try:
        loaded = load_file(file)
    except SafetensorError as error:
        _refuse(adapter, f"adapter_model.safetensors is damaged: {error}")
    modules: dict[str, dict[str, Array]] = {}
    for key, value in loaded.items():
        match = _KEY.fullmatch(key)
        if match is None:
            _refuse(adapter, f"tensor {key} is no LoRA matrix")
        if not np.isfinite(value).all():
            _refuse(adapter, f"tensor {key} holds NaN or infinity")
        modules.setdefault(match["module"], {})[match["side"]] = value.astype(np.float32)
    if not modules:
        _refuse(adapter, "it has no tensors")
    return modules


def _permute(rows: Array, heads: int) -> Array:
    """llama.cpp's order of rotary dimensions, as its converter applies to q_proj and k_proj."""
    return rows.reshape(heads, 2, rows.shape[0] // heads // 2, *rows.shape[1:]).swapaxes(1, 2).reshape(rows.shape)


def convert(adapter: ServedAdapter, folder: Path, base: Path, base_id: str, target: Path) -> None:
    """Write `target` (GGUF) from the PEFT folder of `adapter`, checked against the base model's own shapes."""
    config = _config(folder, adapter, base_id)
    modules = _tensors(folder, adapter)
    rank = int(config["r"])
    model = read_json_object(base / "config.json") or {}
    heads = {"q_proj": int(model["num_attention_heads"]), "k_proj": int(model["num_key_value_heads"])}
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, int(model["num_hidden_layers"]))
    with replacing(target) as temporary, safe_open(base / "model.safetensors", "np") as weights:
        writer = gguf.GGUFWriter(temporary, "llama")
        writer.add_string("general.type", "adapter")
        writer.add_string("adapter.type", "lora")
        writer.add_float32("adapter.lora.alpha", float(config["lora_alpha"]))
        known = set(weights.keys())
        for module, sides in modules.items():
            name = names.get_name(f"{module}.weight", try_suffixes=(".weight",))
            if name is None or f"{module}.weight" not in known:
                _refuse(adapter, f"the base model has no module {module}")
            if set(sides) != {"A", "B"}:
                _refuse(adapter, f"module {module} lacks one of its two matrices")
            out_size, in_size = weights.get_slice(f"{module}.weight").get_shape()
            if sides["A"].shape != (rank, in_size) or sides["B"].shape != (out_size, rank):
                found = f"A {sides['A'].shape}, B {sides['B'].shape}"
                _refuse(
                    adapter, f"{module} has {found}; rank {rank} on this base needs A {(rank, in_size)}, B {(out_size, rank)}"
                )
            turned = heads.get(module.rpartition(".")[2])
            lora_b = sides["B"] if turned is None else _permute(sides["B"], turned)
            name = name if name.endswith(".weight") else f"{name}.weight"
            writer.add_tensor(f"{name}.lora_a", np.ascontiguousarray(sides["A"]))
            writer.add_tensor(f"{name}.lora_b", np.ascontiguousarray(lora_b))
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
