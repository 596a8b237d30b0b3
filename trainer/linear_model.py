"""A linear model on features, stored as `model.safetensors` and `model.json`."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from trainer.encoder import Array
from trainer.errors import BAD_DATA, JobError
from trainer.files import read_json_object, replacing, sha256_file, write_json

Float = NDArray[np.float64]


@dataclass(frozen=True)
class LinearHead:
    """Features are centred and scaled, then weighted; `bias` is added."""

    mean: Float
    scale: Float
    weights: Float
    bias: float

    def __call__(self, features: Array | Float) -> Float:
        return np.asarray((features - self.mean) / self.scale @ self.weights + self.bias, dtype=np.float64)


@dataclass(frozen=True)
class ModelCard:
    """What scoring must know. `beta` and `r0` belong to preference models: score = sigmoid((r - r0) / beta)."""

    kind: Literal["regression", "preference"]
    feature_set: str
    encoder: str
    encoder_sha256: str
    beta: float | None
    r0: float | None
    trained: dict[str, Any]


def save_model(folder: Path, head: LinearHead, card: ModelCard) -> None:
    """Write both files; the card last, so that a folder with a card is whole."""
    tensors = {"mean": head.mean, "scale": head.scale, "weights": head.weights, "bias": np.array([head.bias])}
    with replacing(folder / "model.safetensors") as temporary:
        save_file({name: np.ascontiguousarray(value, dtype=np.float64) for name, value in tensors.items()}, temporary)
    write_json(folder / "model.json", asdict(card) | {"weights_sha256": sha256_file(folder / "model.safetensors")})


def load_model(folder: Path, encoder: Path) -> tuple[LinearHead, ModelCard]:
    """Read a model and check that its files belong together and to this encoder (65 otherwise)."""
    stored = read_json_object(folder / "model.json")
    weights = folder / "model.safetensors"
    if stored is None or not weights.is_file():
        raise JobError(BAD_DATA, f"scorer {folder.name}: model.json or model.safetensors is missing or damaged; train it again")
    if stored.pop("weights_sha256", None) != sha256_file(weights):
        raise JobError(
            BAD_DATA, f"scorer {folder.name}: model.safetensors is not the file model.json was written for; train it again"
        )
    card = ModelCard(**stored)
    if card.encoder_sha256 != sha256_file(encoder / "model.safetensors"):
        raise JobError(
            BAD_DATA, f"scorer {folder.name}: it was trained on another encoder ({card.encoder}); name that one in the spec"
        )
    tensors = load_file(weights)
    return LinearHead(tensors["mean"], tensors["scale"], tensors["weights"], float(tensors["bias"][0])), card
