"""TRL trainers by loss. Settings that differ from TRL's defaults are for speed on CPU (fp32, no gradient checkpointing) or repeatability."""

from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from peft import LoraConfig
from torch.nn import Linear
from transformers import PreTrainedModel, PreTrainedTokenizerBase, Trainer, TrainerCallback

from trainer.align.data import Pair
from trainer.align.speed import score_replies_only, share_trunk
from trainer.spec import AlignParams


def _linear_names(model: PreTrainedModel) -> list[str]:
    """Names of the linear modules within layers: what PEFT's `all-linear` means, which it refuses beside a choice of layers."""
    head = model.get_output_embeddings()
    linear = {name.rpartition(".")[2] for name, part in model.named_modules() if isinstance(part, Linear) and part is not head}
    return sorted(linear)


def lora_config(params: AlignParams, model: PreTrainedModel) -> LoraConfig:
    """LoRA on the top `lora_top_layers` layers of a model (None: on all)."""
    top = params.lora_top_layers
    layers = model.config.num_hidden_layers
    asked = params.lora_target_modules
    return LoraConfig(
        task_type="CAUSAL_LM",
        r=params.lora_r,
        lora_alpha=params.lora_alpha,
        lora_dropout=params.lora_dropout,
        target_modules=_linear_names(model) if asked == "all-linear" else asked,
        layers_to_transform=None if top is None else list(range(max(0, layers - top), layers)),
    )


def _common(params: AlignParams, seed: int, output: Path) -> dict[str, Any]:
    on_gpu = torch.cuda.is_available()
    return {
        "output_dir": str(output),
        "per_device_train_batch_size": params.micro_batch_size,
        "per_device_eval_batch_size": params.micro_batch_size,
        "gradient_accumulation_steps": params.gradient_accumulation_steps,
        "max_steps": params.max_steps,
        "learning_rate": params.learning_rate,
        "warmup_steps": round(params.warmup_ratio * params.max_steps),
        "max_length": params.sequence_len,
        "save_strategy": "steps",
        "save_steps": params.save_steps,
        "save_total_limit": 3,
        "eval_strategy": "no",
        "logging_steps": 1,
        "logging_nan_inf_filter": False,
        "seed": seed,
        "data_seed": seed,
        "bf16": on_gpu,
        "use_cpu": not on_gpu,
        "gradient_checkpointing": False,
        "dataloader_pin_memory": on_gpu,
        "disable_tqdm": True,
        "report_to": [],
    }


def _dataset(pairs: list[Pair], loss: str) -> Dataset:
    if loss == "sft":
        return Dataset.from_list([{"prompt": pair.prompt, "completion": pair.chosen} for pair in pairs])
    return Dataset.from_list([{"prompt": pair.prompt, "chosen": pair.chosen, "rejected": pair.rejected} for pair in pairs])


def build_trainer(
    params: AlignParams,
    seed: int,
    output: Path,
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    train: list[Pair],
    validation: list[Pair],
    callbacks: list[TrainerCallback],
) -> Trainer:
    """The TRL trainer of a loss, with a fresh LoRA; DPO's reference is the base with the adapter switched off."""
    common = _common(params, seed, output)
    shared: dict[str, Any] = {
        "model": model,
        "processing_class": tokenizer,
        "train_dataset": _dataset(train, params.loss),
        "eval_dataset": _dataset(validation, params.loss) if validation else None,
        "peft_config": lora_config(params, model),
        "callbacks": callbacks,
    }
    if params.loss == "dpo":
        from trl import DPOConfig, DPOTrainer

        score_replies_only()
        share_trunk(model, params.lora_top_layers)
        with_sft = params.sft_weight > 0
        config = DPOConfig(
            **common,
            beta=params.dpo_beta,
            loss_type=["sigmoid", "sft"] if with_sft else ["sigmoid"],
            loss_weights=[1.0, params.sft_weight] if with_sft else [1.0],
        )
        return DPOTrainer(args=config, **shared)
    if params.loss == "simpo":
        from trl.experimental.cpo import CPOConfig, CPOTrainer

        config = CPOConfig(
            **common,
            loss_type="simpo",
            cpo_alpha=params.sft_weight,
            beta=params.dpo_beta,
            simpo_gamma=params.simpo_gamma,
        )
        return CPOTrainer(args=config, **shared)
    if params.loss == "orpo":
        from trl.experimental.orpo import ORPOConfig, ORPOTrainer

        return ORPOTrainer(args=ORPOConfig(**common, beta=params.dpo_beta), **shared)
    from trl import SFTConfig, SFTTrainer

    return SFTTrainer(args=SFTConfig(**common, packing=False), **shared)
