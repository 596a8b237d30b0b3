"""The align job: rows and base model in, a PEFT folder `out/adapter` and its metrics out."""

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

import torch
from peft import set_peft_model_state_dict
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer, Trainer, TrainerState

from trainer.align.callbacks import JobCallback
from trainer.align.data import Lengths, fit_and_measure, pairs_of, pick
from trainer.align.trainers import build_trainer
from trainer.checkpoints import newest_valid
from trainer.errors import Preempted
from trainer.job import Job, publish_folder, verify_weights
from trainer.spec import AlignParams


def _identity(job: Job) -> str:
    """Digest of what a checkpoint depends on: parameters, seed and data, but neither fence nor deadline."""
    raw = job.spec.raw
    return hashlib.sha256(json.dumps([raw["params"], raw["seed"], raw["inputs"]], sort_keys=True).encode()).hexdigest()


def _metrics(trainer: Trainer, callback: JobCallback, lengths: Lengths, rows: int) -> dict[str, Any]:
    history = [entry for entry in trainer.state.log_history if "loss" in entry]
    losses = [float(entry["loss"]) for entry in history]
    quarter = history[-max(1, len(history) // 4) :]

    def late(name: str) -> float | None:
        values = [float(entry[name]) for entry in quarter if name in entry]
        return sum(values) / len(values) if values else None

    seconds = sorted(callback.step_seconds)
    return {
        "steps": trainer.state.global_step,
        "rows": rows,
        "loss": losses[-1],
        "loss_lowest": min(losses),
        "loss_highest": max(losses),
        # The last quarter of the steps; one step alone is one small batch.
        "late": {
            "loss": late("loss"),
            "margin": late("rewards/margins"),
            "accuracy": late("rewards/accuracies"),
            "logps_chosen": late("logps/chosen"),
            "logps_rejected": late("logps/rejected"),
        },
        "tokens_prompt_mean": lengths.prompt_mean,
        "tokens_chosen_mean": lengths.chosen_mean,
        "tokens_rejected_mean": lengths.rejected_mean,
        "tokens_longest": lengths.longest,
        "tokens_per_pass": lengths.tokens,
        "truncated_share": lengths.truncated_share,
        "step_s_median": seconds[len(seconds) // 2] if seconds else None,
        "step_s_lowest": seconds[0] if seconds else None,
        "step_s_highest": seconds[-1] if seconds else None,
    }


def _save_adapter(job: Job, params: AlignParams, trainer: Trainer) -> None:
    temporary = job.folder / f".adapter.{os.getpid()}.tmp"
    shutil.rmtree(temporary, ignore_errors=True)
    model = trainer.model
    # The public id, not this machine's path: the folder must load elsewhere as it is.
    model.peft_config["default"].base_model_name_or_path = params.base_model.id
    model.save_pretrained(temporary, save_embedding_layers=False)
    (temporary / "README.md").unlink(missing_ok=True)
    publish_folder(temporary, job.out / "adapter")


def align(job: Job, params: AlignParams) -> dict[str, Any]:
    """Train, or go on from the newest valid checkpoint; returns the metrics of result.json."""
    job.graceful = True
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    base = verify_weights(params.base_model)
    seed = job.spec.seed % 2**32
    tokenizer = AutoTokenizer.from_pretrained(base)
    needed = params.max_steps * params.micro_batch_size * params.gradient_accumulation_steps
    picked = pick(pairs_of(job.rows("train"), "train"), needed, seed)
    train, lengths = fit_and_measure(picked, tokenizer, params.sequence_len, params.loss != "sft")
    has_validation = (job.folder / "data" / "validation.jsonl").is_file()
    validation = pairs_of(job.rows("validation"), "validation") if has_validation else []
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    checkpoints = job.folder / "checkpoints"
    callback = JobCallback(job, _identity(job))
    trainer = build_trainer(params, seed, checkpoints, model, tokenizer, train, validation, [callback])
    checkpoint = newest_valid(checkpoints, _identity(job), job.progress.note)
    _announce(job, params, checkpoint)
    _train(trainer, checkpoint)
    if callback.preempted_at is not None:
        raise Preempted(f"asked to stop: checkpoint written at step {callback.preempted_at}; start the job again to go on")
    metrics = _metrics(trainer, callback, lengths, len(train))
    if validation:
        found = trainer.evaluate()
        metrics["validation"] = {key.removeprefix("eval_"): value for key, value in found.items()}
    _save_adapter(job, params, trainer)
    return metrics


def _train(trainer: Trainer, checkpoint: Path | None) -> None:
    """Train to the last step. From a checkpoint of the last step only its state is taken: the trainer would make one step more."""
    if checkpoint is not None:
        state = TrainerState.load_from_json(str(checkpoint / "trainer_state.json"))
        if state.global_step >= trainer.args.max_steps:
            set_peft_model_state_dict(trainer.model, load_file(checkpoint / "adapter_model.safetensors"))
            trainer.state = state
            return
    trainer.train(resume_from_checkpoint=None if checkpoint is None else str(checkpoint))


def _announce(job: Job, params: AlignParams, checkpoint: Path | None) -> None:
    if job.stop.is_set():
        raise Preempted("asked to stop before the first step; start the job again")
    if checkpoint is None:
        job.progress.line(0, params.max_steps, None, "training starts")
        return
    step = int(checkpoint.name.rpartition("-")[2])
    job.progress.line(step, params.max_steps, None, f"resumed from {checkpoint.name}")
