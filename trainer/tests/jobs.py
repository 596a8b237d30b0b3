"""Job folders and job processes for tests."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from trainer.files import sha256_file

REPOSITORY = Path(__file__).resolve().parents[2]
TINY_ID = "test/tiny"


def spec(params: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A whole spec around the parameters of a kind."""
    return {
        "version": 1,
        "name": "test-job",
        "owner": {"cluster": "c", "namespace": "default", "workflowId": "exp/test"},
        "fence": 1,
        "deadline_s": 300,
        "seed": 11,
        "devices": ["cpu"],
        "address": "127.0.0.1",
        "inputs": [],
        "params": params,
        **changes,
    }


def align_params(base: Path, **changes: Any) -> dict[str, Any]:
    """Parameters of an align job on the tiny model."""
    return {
        "kind": "align",
        "base_model": {"id": TINY_ID, "dir": str(base), "sha256": None},
        "loss": "dpo",
        "dpo_beta": 0.1,
        "sft_weight": 0.3,
        "simpo_gamma": 0.5,
        "lora_r": 4,
        "lora_alpha": 8,
        "lora_dropout": 0,
        "lora_target_modules": "all-linear",
        "lora_top_layers": 2,
        "learning_rate": 0.002,
        "max_steps": 2,
        "micro_batch_size": 2,
        "gradient_accumulation_steps": 1,
        "warmup_ratio": 0.1,
        "sequence_len": 256,
        "save_steps": 50,
        **changes,
    }


def pairs(count: int) -> list[dict[str, Any]]:
    """Preference rows that differ from one another."""
    return [
        {
            "prompt": [
                {"role": "system", "content": "You are a helpful assistant."},
                {"role": "user", "content": f"My train number {index} was late and I missed the visit."},
            ],
            "chosen": [{"role": "assistant", "content": f"That must have hurt; visit {index} mattered to you."}],
            "rejected": [{"role": "assistant", "content": f"Trains are late. Take number {index + 1} next time."}],
        }
        for index in range(count)
    ]


def lay(folder: Path, content: dict[str, Any]) -> Path:
    """Write spec.json with the digests of everything in data/."""
    folder.mkdir(parents=True, exist_ok=True)
    data = sorted((folder / "data").glob("*")) if (folder / "data").is_dir() else []
    inputs = [{"path": f"data/{path.name}", "sha256": sha256_file(path)} for path in data]
    (folder / "spec.json").write_text(json.dumps({**content, "inputs": inputs}), encoding="utf-8")
    return folder


def start(folder: Path, device: str = "cpu") -> subprocess.Popen[str]:
    """Start a job as its launcher would; locks stand beside the folder."""
    command = [sys.executable, "-m", "trainer.entry", "run", "--folder", str(folder), "--device", device]
    command += ["--job-lock", str(lock_of(folder)), "--device-locks", str(folder.parent / "devices")]
    return subprocess.Popen(
        command,
        cwd=REPOSITORY,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "OMP_NUM_THREADS": "2"},
    )


def run(folder: Path, device: str = "cpu") -> tuple[int, str]:
    """Run a job to its end: exit code and stderr."""
    process = start(folder, device)
    _, errors = process.communicate(timeout=120)
    return process.returncode, errors


def lock_of(folder: Path) -> Path:
    """The job's lock file."""
    return folder.with_suffix(".lock")


def progress(folder: Path) -> list[dict[str, Any]]:
    """Lines of progress.jsonl so far."""
    path = folder / "progress.jsonl"
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.endswith("}")]


def wait_for(condition: Callable[[], bool], what: str, seconds: float = 60) -> None:
    """Poll until a condition holds; fails with `what` after the time."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"timed out waiting for {what}"
        time.sleep(0.02)
