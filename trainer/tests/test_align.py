"""Real training of a tiny model: preemption, resumption and damaged checkpoints end in the same adapter as an unbroken run."""

import json
import math
import shutil
import signal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from trainer.errors import FAILED, JobError
from trainer.files import read_json_object, sha256_file
from trainer.tests.jobs import TINY_ID, align_params, lay, pairs, progress, run, spec, start, wait_for

STEPS = 24


@pytest.fixture(scope="module")
def unbroken(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished align job."""
    folder = tmp_path_factory.mktemp("unbroken") / "job"
    (folder / "data").mkdir(parents=True)
    text = "".join(json.dumps(row) + "\n" for row in pairs(40))
    (folder / "data" / "train.jsonl").write_text(text, encoding="utf-8")
    (folder / "data" / "validation.jsonl").write_text(text, encoding="utf-8")
    lay(folder, spec(align_params(tiny_model, max_steps=STEPS, save_steps=10)))
    assert run(folder)[0] == 0
    return folder


def _fresh(source: Path, target: Path) -> Path:
    folder = target / "job"
    shutil.copytree(source / "data", folder / "data")
    shutil.copy(source / "spec.json", folder / "spec.json")
    return folder


def _adapter(folder: Path) -> str:
    return sha256_file(folder / "out" / "adapter" / "adapter_model.safetensors")


def test_a_finished_job_has_an_adapter_and_its_measures(unbroken: Path) -> None:
    result = read_json_object(unbroken / "result.json")
    assert result is not None
    assert [output["path"] for output in result["outputs"]] == [
        "out/adapter/adapter_config.json",
        "out/adapter/adapter_model.safetensors",
    ]
    metrics = result["metrics"]
    assert metrics["steps"] == STEPS
    assert metrics["late"]["margin"] > 0
    assert metrics["validation"]["loss"] < metrics["loss_highest"]
    config = read_json_object(unbroken / "out" / "adapter" / "adapter_config.json")
    assert config is not None
    assert config["base_model_name_or_path"] == TINY_ID
    assert config["layers_to_transform"] == [2, 3]
    assert read_json_object(unbroken / "spec.resolved.json") == read_json_object(unbroken / "spec.json")
    assert [line["step"] for line in progress(unbroken)] == list(range(STEPS + 1))


def test_sigterm_writes_a_checkpoint_and_a_rerun_ends_in_the_same_adapter(unbroken: Path, tmp_path: Path) -> None:
    folder = _fresh(unbroken, tmp_path)
    process = start(folder)
    wait_for(lambda: any(line["step"] >= 3 for line in progress(folder)), "step 3")
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 75
    reached = progress(folder)[-1]["step"]
    assert 3 <= reached < STEPS
    assert (folder / "checkpoints" / f"checkpoint-{reached}" / "manifest.json").is_file()
    assert not (folder / "out").exists()
    assert run(folder)[0] == 0
    assert f"resumed from checkpoint-{reached}" in [line.get("note") for line in progress(folder)]
    steps = [line["step"] for line in progress(folder)]
    assert steps == sorted(steps)
    assert _adapter(folder) == _adapter(unbroken)


def test_a_damaged_checkpoint_is_passed_over(unbroken: Path, tmp_path: Path) -> None:
    folder = _fresh(unbroken, tmp_path)
    shutil.copytree(unbroken / "checkpoints", folder / "checkpoints")
    optimizer = folder / "checkpoints" / f"checkpoint-{STEPS}" / "optimizer.pt"
    optimizer.write_bytes(optimizer.read_bytes()[:-100])
    assert run(folder)[0] == 0
    notes = [line.get("note", "") for line in progress(folder)]
    assert any(f"checkpoint-{STEPS} skipped: optimizer.pt is damaged" in note for note in notes)
    assert "resumed from checkpoint-20" in notes
    assert _adapter(folder) == _adapter(unbroken)


def test_only_the_save_is_done_again_when_it_alone_failed(unbroken: Path, tmp_path: Path) -> None:
    folder = _fresh(unbroken, tmp_path)
    shutil.copytree(unbroken / "checkpoints", folder / "checkpoints")
    assert run(folder)[0] == 0
    assert [line["step"] for line in progress(folder)] == [STEPS]
    assert _adapter(folder) == _adapter(unbroken)


@pytest.mark.parametrize("loss", ["simpo", "orpo", "sft"])
def test_other_losses_train(loss: str, tiny_model: Path, tmp_path: Path, write_rows: Any) -> None:
    folder = tmp_path / "job"
    write_rows(folder, "train", pairs(4))
    lay(folder, spec(align_params(tiny_model, loss=loss)))
    code, errors = run(folder)
    assert code == 0, errors
    result = read_json_object(folder / "result.json")
    assert result is not None
    assert math.isfinite(result["metrics"]["loss"])


def test_a_loss_that_is_not_finite_ends_the_job(tmp_path: Path) -> None:
    from trainer.align.callbacks import JobCallback

    lines: list[tuple[object, ...]] = []
    job: Any = SimpleNamespace(progress=SimpleNamespace(line=lambda *line: lines.append(line)))
    arguments: Any = SimpleNamespace(learning_rate=0.1)
    control: Any = SimpleNamespace()
    state: Any = SimpleNamespace(global_step=3, max_steps=9)
    with pytest.raises(JobError, match="loss is nan at step 3: training diverged, no adapter") as caught:
        JobCallback(job, "x").on_log(arguments, state, control, {"loss": float("nan")})
    assert caught.value.code == FAILED
    assert len(lines) == 1
