"""`python -m trainer.entry run|probe`: the one process that holds a job's locks.

A probe must answer in a moment, so nothing heavy is imported before it is known that a job runs.
"""

import argparse
import json
import os
import re
import signal
import sys
import threading
import time
import traceback
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from trainer import locks
from trainer.errors import BAD_DATA, BAD_SPEC, DONE, FAILED, HELD, PREEMPTED, JobError

if TYPE_CHECKING:
    from trainer.job import Job

_DEADLINE_GRACE_SECONDS = 20


def _say(record: dict[str, Any]) -> None:
    print(json.dumps(record), file=sys.stderr, flush=True)


def probe(job_lock: Path) -> int:
    """Print who holds the job's lock; exit code 76 when held, 0 when free."""
    held = locks.is_held(job_lock)
    who = locks.read_identity(job_lock) if held else {}
    found = {"held": held, "pid": who.get("pid"), "startTime": who.get("startTime")} if held else {"held": held}
    print(json.dumps(found))
    return HELD if held else DONE


def _set_environment(folder: Path, device: str) -> None:
    """Quiet, offline, and every cache inside the job folder. Thread count: OMP_NUM_THREADS, or all cores this process may use."""
    defaults = {
        # A thread that spins for a descheduled one takes the core it waits for: beside other work that costs 5 to 10 times.
        "OMP_WAIT_POLICY": "passive",
        "HF_HUB_OFFLINE": "1",
        "HF_HOME": str(folder / "cache"),
        "TQDM_DISABLE": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "TRL_EXPERIMENTAL_SILENCE": "1",
        "TRANSFORMERS_VERBOSITY": "error",
        "OMP_NUM_THREADS": str(len(os.sched_getaffinity(0))),
    }
    for key, value in defaults.items():
        os.environ.setdefault(key, value)
    index = re.fullmatch(r"(?:cuda|gpu)[:-]?(\d+)", device)
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", index.group(1) if index else "")


def _start_deadline(job: "Job") -> None:
    """End the process at its deadline even when no one else is alive."""
    seconds = job.spec.deadline_s

    def end() -> None:
        text = f"deadline of {seconds} s reached; the job ended itself"
        job.progress.note(text)
        _say({"error": text, "exit": FAILED})
        os._exit(FAILED)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    # Native code can keep Python's threads from running; the kernel's own alarm then ends the process.
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(min(seconds + _DEADLINE_GRACE_SECONDS, 2**31 - 1))


def _on_terminate(job: "Job") -> None:
    def handle(_signal: int, _frame: FrameType | None) -> None:
        job.stop.set()
        if not job.graceful:
            # Nothing half-written has a final name, so the process can end where it stands.
            os.write(2, b'{"error": "SIGTERM: ended before there was anything to save", "exit": 75}\n')
            os._exit(PREEMPTED)

    signal.signal(signal.SIGTERM, handle)


def _work(job: "Job") -> dict[str, Any]:
    """Run the kind of job that the spec names; returns its metrics."""
    from trainer import spec

    params = job.spec.params
    if isinstance(params, spec.AlignParams):
        from trainer.align.run import align

        return align(job, params)
    if isinstance(params, spec.RewardParams):
        from trainer.reward import train_reward

        return train_reward(job, params)
    if isinstance(params, spec.PreferenceParams):
        from trainer.preference import train_preference

        return train_preference(job, params)
    if isinstance(params, spec.ScoreParams):
        from trainer.score import score

        return score(job, params)
    from trainer.serve.run import serve

    return serve(job, params)


def _run_locked(folder: Path, device: str) -> int:
    from trainer.files import write_json
    from trainer.job import Job, finished, verify_inputs, write_result
    from trainer.progress import Progress
    from trainer.spec import ServeParams, parse_spec

    try:
        text = (folder / "spec.json").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise JobError(BAD_SPEC, f"spec.json: not readable ({error}); lay it into {folder}") from None
    job = Job(folder=folder, spec=parse_spec(text), device=device, progress=Progress(folder / "progress.jsonl"))
    _start_deadline(job)
    _on_terminate(job)
    # A server is asked for to serve, however often it has served before.
    if not isinstance(job.spec.params, ServeParams) and finished(folder, job.spec):
        return DONE
    try:
        verify_inputs(folder, job.spec)
        write_json(folder / "spec.resolved.json", job.spec.raw)
        started = time.monotonic()
        metrics = _work(job)
        write_result(job, {**metrics, "wall_s": round(time.monotonic() - started, 3)})
    except JobError as error:
        job.progress.note(str(error))
        raise
    except Exception as error:
        job.progress.note(f"{type(error).__name__}: {error}")
        raise
    return DONE


def run(folder: Path, job_lock: Path, device: str, device_locks: Path) -> int:
    """Lock job and device, then work; returns the exit code."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,99}", device):
        raise JobError(BAD_SPEC, f"device {device!r} is no plain name")
    job_descriptor = locks.acquire(job_lock)
    if job_descriptor is None:
        _say({"held": "job"})
        return HELD
    if locks.acquire(device_locks / f"{device}.lock") is None:
        _say({"held": "device"})
        return HELD
    from trainer.files import write_json

    if not folder.is_dir():
        raise JobError(BAD_SPEC, f"no job folder at {folder}")
    who = locks.identity(device)
    locks.write_identity(job_descriptor, who)
    write_json(folder / "run.json", who)
    _set_environment(folder, device)
    return _run_locked(folder, device)


def main(arguments: list[str] | None = None) -> int:
    """Parse, run, and turn every failure into an exit code and one JSON line on stderr."""
    parser = argparse.ArgumentParser(prog="python -m trainer.entry")
    commands = parser.add_subparsers(dest="command", required=True)
    run_parser = commands.add_parser("run", help="run the job in a folder")
    run_parser.add_argument("--folder", type=Path, required=True)
    run_parser.add_argument("--job-lock", type=Path, required=True)
    run_parser.add_argument("--device", required=True)
    run_parser.add_argument("--device-locks", type=Path, required=True)
    probe_parser = commands.add_parser("probe", help="say whether a job's lock is held")
    probe_parser.add_argument("--job-lock", type=Path, required=True)
    options = parser.parse_args(arguments)
    if options.command == "probe":
        return probe(options.job_lock)
    try:
        return run(options.folder, options.job_lock, options.device, options.device_locks)
    except JobError as error:
        _say({"error": str(error), "exit": error.code})
        return error.code
    except UnicodeDecodeError as error:
        _say({"error": f"data is not UTF-8: {error}", "exit": BAD_DATA})
        return BAD_DATA
    except Exception as error:
        traceback.print_exc()
        _say({"error": f"{type(error).__name__}: {error}", "exit": FAILED})
        return FAILED


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # Tearing down the interpreter with native threads in it can take seconds or hang; everything is on disk by now.
    os._exit(code)
