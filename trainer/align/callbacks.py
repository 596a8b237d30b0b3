"""What the trainer tells and does at each step: progress, the guard against NaN, stopping with a checkpoint, sealing checkpoints."""

import math
import time
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from trainer.checkpoints import seal
from trainer.errors import FAILED, JobError
from trainer.job import Job


class JobCallback(TrainerCallback):
    """Ties a Hugging Face trainer to a job folder. `step_seconds` are the wall times of the steps of this process."""

    def __init__(self, job: Job, identity: str) -> None:
        self._job = job
        self._identity = identity
        self._step_started = 0.0
        self.step_seconds: list[float] = []
        self.preempted_at: int | None = None

    def on_step_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        self._step_started = time.monotonic()

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        self.step_seconds.append(time.monotonic() - self._step_started)
        if self._job.stop.is_set() and state.global_step < state.max_steps:
            self.preempted_at = state.global_step
            control.should_save = True
            control.should_training_stop = True

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        loss = (logs or {}).get("loss")
        if loss is None:
            return
        self._job.progress.line(state.global_step, state.max_steps, float(loss))
        for name in ("loss", "grad_norm"):
            value = float((logs or {}).get(name, 0.0))
            if not math.isfinite(value):
                raise JobError(
                    FAILED,
                    f"{name} is {value} at step {state.global_step}: training diverged, no adapter was written; "
                    f"lower learning_rate (now {args.learning_rate:g}) or look at the longest rows",
                )

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        seal(Path(args.output_dir) / f"checkpoint-{state.global_step}", self._identity)
