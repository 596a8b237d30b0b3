"""One process wins a lock, and the lock dies with it."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from trainer import locks
from trainer.tests.jobs import REPOSITORY, run

HOLDER = """
import sys, time
from pathlib import Path
from trainer import locks
descriptor = locks.acquire(Path(sys.argv[1]))
if descriptor is None:
    sys.exit(76)
locks.write_identity(descriptor, locks.identity("cpu"))
print("held", flush=True)
time.sleep(60)
"""


def _hold(lock: Path) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", HOLDER, str(lock)], cwd=REPOSITORY, text=True, stdout=subprocess.PIPE)


def _probe(lock: Path) -> tuple[int, dict[str, object]]:
    command = [sys.executable, "-m", "trainer.entry", "probe", "--job-lock", str(lock)]
    done = subprocess.run(command, cwd=REPOSITORY, text=True, capture_output=True, check=False)
    return done.returncode, json.loads(done.stdout)


def test_one_of_two_wins_and_kill_frees(tmp_path: Path) -> None:
    lock = tmp_path / "job.lock"
    assert _probe(lock) == (0, {"held": False})
    first = _hold(lock)
    assert first.stdout is not None
    assert first.stdout.readline() == "held\n"
    second = _hold(lock)
    assert second.wait(10) == 76
    start_time = locks.process_start_time(first.pid)
    assert _probe(lock) == (76, {"held": True, "pid": first.pid, "startTime": start_time})
    os.kill(first.pid, signal.SIGKILL)
    first.wait(10)
    assert _probe(lock) == (0, {"held": False})
    descriptor = locks.acquire(lock)
    assert descriptor is not None
    os.close(descriptor)


def test_many_probes_do_not_look_like_a_holder(tmp_path: Path) -> None:
    lock = tmp_path / "job.lock"
    lock.touch()
    for _ in range(50):
        assert not locks.is_held(lock)
        descriptor = locks.acquire(lock)
        assert descriptor is not None
        os.close(descriptor)


def test_a_child_does_not_inherit_the_lock(tmp_path: Path) -> None:
    descriptor = locks.acquire(tmp_path / "job.lock")
    assert descriptor is not None
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(30)"])
    os.close(descriptor)
    assert not locks.is_held(tmp_path / "job.lock")
    child.kill()
    child.wait(10)


def test_a_held_job_or_device_ends_with_76(tmp_path: Path) -> None:
    folder = tmp_path / "job"
    folder.mkdir()
    job = locks.acquire(tmp_path / "job.lock")
    assert job is not None
    code, errors = run(folder)
    assert (code, json.loads(errors)) == (76, {"held": "job"})
    os.close(job)
    device = locks.acquire(tmp_path / "devices" / "cpu.lock")
    assert device is not None
    code, errors = run(folder)
    assert (code, json.loads(errors)) == (76, {"held": "device"})
    os.close(device)


def test_a_probe_answers_quickly(tmp_path: Path) -> None:
    started = time.monotonic()
    _probe(tmp_path / "job.lock")
    assert time.monotonic() - started < 1.0
