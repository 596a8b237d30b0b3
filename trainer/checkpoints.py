"""Checkpoints that are whole or not used: a manifest with the sha256 of every file is written last."""

import re
from collections.abc import Callable
from pathlib import Path

from trainer.files import fsync_path, read_json_object, sha256_file, write_json

MANIFEST = "manifest.json"


def seal(checkpoint: Path, identity: str) -> None:
    """Sync a checkpoint's files and write its manifest; from here on it counts. `identity` is the digest of what it was trained from."""
    files: dict[str, str] = {}
    for path in sorted(path for path in checkpoint.rglob("*") if path.is_file() and path.name != MANIFEST):
        fsync_path(path)
        files[str(path.relative_to(checkpoint))] = sha256_file(path)
    write_json(checkpoint / MANIFEST, {"identity": identity, "files": files})


def fault(checkpoint: Path, identity: str) -> str | None:
    """Why a checkpoint can't be used, or None when it can."""
    manifest = read_json_object(checkpoint / MANIFEST)
    if manifest is None:
        return "it has no manifest (the job died while writing it)"
    if manifest.get("identity") != identity:
        return "it was trained from another spec or other data"
    for name, digest in manifest["files"].items():
        path = checkpoint / name
        if not path.is_file():
            return f"{name} is missing"
        if sha256_file(path) != digest:
            return f"{name} is damaged (its sha256 differs from the manifest)"
    return None


def newest_valid(folder: Path, identity: str, note: Callable[[str], None]) -> Path | None:
    """The newest usable checkpoint-<step>; each one passed over is noted with the reason."""
    found = {
        int(match.group(1)): path
        for path in (folder.iterdir() if folder.is_dir() else [])
        if (match := re.fullmatch(r"checkpoint-(\d+)", path.name))
    }
    for step in sorted(found, reverse=True):
        reason = fault(found[step], identity)
        if reason is None:
            return found[step]
        note(f"checkpoint-{step} skipped: {reason}")
    if found:
        note("no usable checkpoint: training starts from step 0")
    return None
