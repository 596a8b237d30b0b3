"""The serve job: convert the adapters, start the engine, announce it in ready.json, answer until told to stop."""

import os
import threading
from pathlib import Path
from typing import Any

from trainer.errors import BAD_DATA, JobError
from trainer.files import sha256_file, write_json
from trainer.job import Job, verify_weights
from trainer.serve.engine import ENGINE, Engine
from trainer.serve.front import Front
from trainer.serve.gguf_lora import convert
from trainer.serve.pool import Pool, check_alike, engines_for
from trainer.spec import ServeParams

_HEARTBEAT_SECONDS = 2.0


def serve(job: Job, params: ServeParams) -> dict[str, Any]:
    """Serve until SIGTERM; returns the counts for result.json."""
    job.graceful = True
    ready = job.folder / "ready.json"
    ready.unlink(missing_ok=True)
    base = verify_weights(params.base_model)
    gguf_file = base / "base.gguf"
    if not gguf_file.is_file():
        raise JobError(BAD_DATA, f"{params.base_model.id}: no base.gguf in {base}; run python -m trainer.prepare")
    names = [params.base_name, *(adapter.name for adapter in params.adapters)]
    if len(set(names)) != len(names):
        raise JobError(BAD_DATA, f"two models have one name: {', '.join(names)}")
    adapters: dict[str, Path] = {}
    for adapter in params.adapters:
        target = job.folder / "gguf" / f"{len(adapters)}.gguf"
        convert(adapter, job.folder / adapter.path, base, params.base_model.id, target)
        adapters[adapter.name] = target
    shares = engines_for(int(os.environ["OMP_NUM_THREADS"]), params.parallel, on_gpu=os.environ["CUDA_VISIBLE_DEVICES"] != "")
    engines = [
        Engine(gguf_file, params.base_name, adapters, context_len=params.context_len, parallel=slots, threads=threads)
        for threads, slots in shares
    ]
    pool = Pool(engines)
    front = Front(pool, job.spec.address)
    threading.Thread(target=front.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
    # One real answer before anyone is told: a model that loads may still not run.
    check_alike(engines)
    write_json(
        ready,
        {
            "endpoint": front.endpoint,
            "port": front.port,
            "models": pool.models,
            "weights": {params.base_name: sha256_file(gguf_file)} | {a.name: a.sha256 for a in params.adapters},
            "engine": ENGINE,
        },
    )
    job.progress.line(0, 0, None, f"serving {len(names)} models at {front.address}:{front.port}")
    while not job.stop.wait(_HEARTBEAT_SECONDS):
        job.progress.line(front.served, 0)
    ready.unlink(missing_ok=True)
    return {"requests": front.served, "completion_tokens": front.completion_tokens}
