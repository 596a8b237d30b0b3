"""Locks that die with the job: flock on a file that stays open, close-on-exec, for the life of this process."""

import fcntl
import json
import os
import socket
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

_HELD_RETRIES = 6
_HELD_RETRY_SECONDS = 0.05


def acquire(path: Path) -> int | None:
    """Take the exclusive lock on `path` without waiting; returns the descriptor that holds it, or None when another process has it.

    A probe holds a shared lock for a moment, so "held" is only believed after a few tries.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    for attempt in range(_HELD_RETRIES):
        if attempt:
            time.sleep(_HELD_RETRY_SECONDS)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
        return descriptor
    os.close(descriptor)
    return None


def is_held(path: Path) -> bool:
    """Whether some process holds the exclusive lock on `path`; a file that is not there is free."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def process_start_time(pid: int) -> int:
    """Field 22 of /proc/<pid>/stat: start in clock ticks after boot. With the pid it names one process for good."""
    stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    # The command name (field 2) is in parentheses and may itself hold spaces and parentheses.
    return int(stat.rpartition(")")[2].split()[19])


def identity(device: str) -> dict[str, Any]:
    """Who runs this job: the content of run.json and of the lock file."""
    pid = os.getpid()
    return {
        "pid": pid,
        "startTime": process_start_time(pid),
        "device": device,
        "host": socket.gethostname(),
        "startedAt": datetime.now(UTC).isoformat(timespec="milliseconds"),
    }


def write_identity(descriptor: int, who: dict[str, Any]) -> None:
    """Put the holder's identity into the locked file itself (a rename would change the locked inode)."""
    content = json.dumps(who).encode()
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, content, 0)
    os.fsync(descriptor)


def read_identity(path: Path) -> dict[str, Any]:
    """Identity of the holder of a lock file; empty while a new holder has not written it yet."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}
