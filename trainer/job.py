"""A running job: its folder, its spec, its progress and the request to stop; and `result.json`, written last."""

import importlib.metadata
import json
import os
import platform
import shutil
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trainer.errors import BAD_DATA, JobError
from trainer.files import fsync_path, read_json_object, sha256_file, write_json
from trainer.progress import Progress
from trainer.spec import JobSpec, Weights

VERSIONED = ("torch", "transformers", "peft", "trl", "numpy", "safetensors", "gguf", "xllamacpp")


@dataclass
class Job:
    """What a kind of job gets to work with. Once `graceful` is set, SIGTERM only sets `stop` and the kind ends itself."""

    folder: Path
    spec: JobSpec
    device: str
    progress: Progress
    stop: threading.Event = field(default_factory=threading.Event)
    graceful: bool = False

    @property
    def out(self) -> Path:
        """Folder of the outputs; everything in it has its final name only when whole."""
        return self.folder / "out"

    def rows(self, name: str) -> list[dict[str, Any]]:
        """Rows of data/<name>.jsonl; a line that is no JSON object is named (65)."""
        path = self.folder / "data" / f"{name}.jsonl"
        rows: list[dict[str, Any]] = []
        try:
            lines = path.read_bytes().split(b"\n")
        except FileNotFoundError:
            raise JobError(BAD_DATA, f"data/{name}.jsonl is missing from the job folder") from None
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except ValueError as error:
                raise JobError(BAD_DATA, f"data/{name}.jsonl line {number} is not JSON: {error}") from None
            if not isinstance(row, dict):
                raise JobError(BAD_DATA, f"data/{name}.jsonl line {number} is not an object")
            rows.append(row)
        if not rows:
            raise JobError(BAD_DATA, f"data/{name}.jsonl has no rows; the stage before kept nothing")
        return rows


def verify_inputs(folder: Path, spec: JobSpec) -> None:
    """Every input is present and has its digest (65 names the first that is not)."""
    for item in spec.inputs:
        path = folder / item.path
        if not path.is_file():
            raise JobError(BAD_DATA, f"input {item.path} is missing from the job folder; lay it in again")
        found = sha256_file(path)
        if found != item.sha256:
            raise JobError(BAD_DATA, f"input {item.path} has sha256 {found}, the spec says {item.sha256}; lay it in again")


def verify_weights(weights: Weights) -> Path:
    """The folder of a model whose safetensors file has the digest of the spec (65 otherwise)."""
    folder = Path(weights.dir)
    file = folder / "model.safetensors"
    if not file.is_file():
        raise JobError(BAD_DATA, f"{weights.id}: no model.safetensors in {weights.dir}; run python -m trainer.prepare")
    if weights.sha256 is not None and sha256_file(file) != weights.sha256:
        raise JobError(BAD_DATA, f"{weights.id}: {file} is not the file the spec names by sha256; run python -m trainer.prepare")
    return folder


def versions() -> dict[str, str]:
    """Versions of what can change a result."""
    found = {"python": platform.python_version()}
    for name in VERSIONED:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _outputs(out: Path, folder: Path) -> list[dict[str, Any]]:
    files = sorted(path for path in out.rglob("*") if path.is_file()) if out.is_dir() else []
    return [{"path": str(path.relative_to(folder)), "sha256": sha256_file(path), "bytes": path.stat().st_size} for path in files]


def finished(folder: Path, spec: JobSpec) -> bool:
    """Whether result.json stands for this job and fence and all its outputs are there unchanged."""
    result = read_json_object(folder / "result.json")
    if result is None or result.get("name") != spec.name or result.get("fence") != spec.fence:
        return False
    for output in result.get("outputs", []):
        path = folder / output["path"]
        if not path.is_file() or sha256_file(path) != output["sha256"]:
            return False
    return True


def publish_folder(temporary: Path, final: Path) -> None:
    """Sync a folder's files and give it its final name, replacing what an earlier try left there."""
    for path in temporary.rglob("*"):
        fsync_path(path)
    fsync_path(temporary)
    final.parent.mkdir(parents=True, exist_ok=True)
    if final.exists():
        discarded = final.with_name(f".{final.name}.{os.getpid()}.old")
        final.rename(discarded)
        temporary.rename(final)
        shutil.rmtree(discarded)
    else:
        temporary.rename(final)
    fsync_path(final.parent)


def write_result(job: Job, metrics: dict[str, Any]) -> None:
    """The job's last act."""
    write_json(
        job.folder / "result.json",
        {
            "name": job.spec.name,
            "fence": job.spec.fence,
            "outputs": _outputs(job.out, job.folder),
            "metrics": metrics,
            "versions": versions(),
        },
    )
