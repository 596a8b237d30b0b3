"""`spec.json`, checked against the schema that the TypeScript contract emits, and its typed form."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NoReturn

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from trainer.errors import BAD_SPEC, JobError

SCHEMA = Path(__file__).with_name("job-spec.schema.json")


@dataclass(frozen=True)
class Weights:
    """A local folder of safetensors weights; `id` is the public name, `sha256` that of model.safetensors or None."""

    id: str
    dir: str
    sha256: str | None


@dataclass(frozen=True)
class AlignParams:
    """Alignment training of one LoRA adapter; the fields are contract/job-spec.ts's `align`."""

    kind: Literal["align"]
    base_model: Weights
    loss: Literal["dpo", "simpo", "orpo", "sft"]
    dpo_beta: float
    sft_weight: float
    simpo_gamma: float
    lora_r: int
    lora_alpha: float
    lora_dropout: float
    lora_target_modules: str | list[str]
    lora_top_layers: int | None
    learning_rate: float
    max_steps: int
    micro_batch_size: int
    gradient_accumulation_steps: int
    warmup_ratio: float
    sequence_len: int
    save_steps: int


@dataclass(frozen=True)
class RewardParams:
    """A generic regression reward model."""

    kind: Literal["reward"]
    encoder: Weights
    freeze_encoder: bool
    validation_share: float


@dataclass(frozen=True)
class PreferenceParams:
    """A Bradley-Terry preference model of one context."""

    kind: Literal["preference"]
    encoder: Weights
    freeze_encoder: bool
    validation_share: float
    max_steps: int
    learning_rate: float


@dataclass(frozen=True)
class Scorer:
    """A trained reward or preference model; `path` is relative to the job folder."""

    id: str
    path: str


@dataclass(frozen=True)
class ScoreParams:
    """Scoring of rows by several trained models."""

    kind: Literal["score"]
    encoder: Weights
    scorers: list[Scorer]


@dataclass(frozen=True)
class ServedAdapter:
    """A PEFT folder served under `name`; `sha256` is that of adapter_model.safetensors."""

    name: str
    path: str
    sha256: str


@dataclass(frozen=True)
class ServeParams:
    """An OpenAI-compatible server of a base model and its adapters."""

    kind: Literal["serve"]
    base_model: Weights
    base_name: str
    adapters: list[ServedAdapter]
    context_len: int
    parallel: int


Params = AlignParams | RewardParams | PreferenceParams | ScoreParams | ServeParams


@dataclass(frozen=True)
class Input:
    """A file laid into the job folder; `path` is relative to it."""

    path: str
    sha256: str


@dataclass(frozen=True)
class JobSpec:
    """The parts of a job's spec that the trainer reads; `raw` is the whole."""

    name: str
    fence: int
    deadline_s: int
    seed: int
    devices: list[str]
    address: str
    inputs: list[Input]
    params: Params
    raw: dict[str, Any]


def _refuse(where: str, what: str) -> NoReturn:
    raise JobError(BAD_SPEC, f"spec.json: {where}: {what}")


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            _refuse(key, "the key stands twice; keep one")
        found[key] = value
    return found


def _no_constant(text: str) -> NoReturn:
    _refuse(text, "not a JSON number; write a finite one")


def _explain(error: ValidationError, prefix: str) -> NoReturn:
    where = ".".join([part for part in [prefix, *map(str, error.absolute_path)] if part]) or "(top level)"
    if error.validator == "additionalProperties" and isinstance(error.instance, dict):
        known = error.schema.get("properties", {})
        unknown = sorted(set(error.instance) - set(known))
        _refuse(where, f"unknown key {', '.join(map(repr, unknown))}; known keys: {', '.join(sorted(known))}")
    _refuse(where, error.message)


def _check(value: object, schema: dict[str, Any], prefix: str) -> None:
    errors = sorted(Draft202012Validator(schema).iter_errors(value), key=lambda error: len(error.absolute_path))
    # An unknown key often explains a missing one (a misspelling), so it is named first.
    unknown = [error for error in errors if error.validator == "additionalProperties"]
    if errors:
        _explain((unknown or errors)[0], prefix)


def _params_schema(params: object, branches: list[dict[str, Any]]) -> dict[str, Any]:
    """The branch that `kind` picks: checking it alone gives an error about the key that is wrong."""
    kinds = {branch["properties"]["kind"]["const"]: branch for branch in branches}
    kind = params.get("kind") if isinstance(params, dict) else None
    branch = kinds.get(kind) if isinstance(kind, str) else None
    if branch is None:
        _refuse("params.kind", f"{kind!r} is none of {', '.join(sorted(kinds))}")
    return branch


def _typed_params(raw: dict[str, Any]) -> Params:
    kind = raw["kind"]
    if kind == "align":
        return AlignParams(**{**raw, "base_model": Weights(**raw["base_model"])})
    if kind == "reward":
        return RewardParams(**{**raw, "encoder": Weights(**raw["encoder"])})
    if kind == "preference":
        return PreferenceParams(**{**raw, "encoder": Weights(**raw["encoder"])})
    if kind == "score":
        scorers = [Scorer(**scorer) for scorer in raw["scorers"]]
        return ScoreParams(kind="score", encoder=Weights(**raw["encoder"]), scorers=scorers)
    adapters = [ServedAdapter(**adapter) for adapter in raw["adapters"]]
    return ServeParams(**{**raw, "base_model": Weights(**raw["base_model"]), "adapters": adapters})


def parse_spec(text: str) -> JobSpec:
    """Check and type a spec; any fault is a JobError of code 64 that names the key."""
    try:
        raw = json.loads(text, object_pairs_hook=_no_duplicates, parse_constant=_no_constant)
    except ValueError as error:
        _refuse("(top level)", f"not JSON ({error})")
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    branches = schema["properties"]["params"]["oneOf"]
    schema["properties"]["params"] = {}
    _check(raw, schema, "")
    _check(raw["params"], _params_schema(raw["params"], branches), "params")
    return JobSpec(
        name=raw["name"],
        fence=raw["fence"],
        deadline_s=raw["deadline_s"],
        seed=raw["seed"],
        devices=raw["devices"],
        address=raw["address"],
        inputs=[Input(**item) for item in raw["inputs"]],
        params=_typed_params(raw["params"]),
        raw=raw,
    )
