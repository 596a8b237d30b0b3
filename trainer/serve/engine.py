"""llama.cpp in this process, with every adapter loaded and none applied."""

import importlib.metadata
from pathlib import Path
from typing import Any

import xllamacpp

ENGINE = f"llama.cpp (xllamacpp {importlib.metadata.version('xllamacpp')})"

# OpenAI's defaults, in place of llama.cpp's own top_k 40, top_p 0.95 and min_p 0.05: engines must agree on what a request means.
_DEFAULTS: dict[str, Any] = {"temperature": 1.0, "top_p": 1.0, "top_k": 0, "min_p": 0.0, "cache_prompt": True}


class Engine:
    """Answers chat requests for a base model and its adapters by name."""

    def __init__(
        self, base: Path, base_name: str, adapters: dict[str, Path], *, context_len: int, parallel: int, threads: int
    ) -> None:
        params = xllamacpp.CommonParams()
        params.model.path = str(base)
        params.n_parallel = parallel
        params.n_ctx = context_len * parallel
        # Prompts cached in memory cross adapters: an evicted slot came back with another adapter's state (llama.cpp#26207).
        # The slots' own cache is safe: a slot clears itself when the adapter changes.
        params.cache_ram_mib = 0
        params.lora_init_without_apply = True
        params.lora_adapters = [xllamacpp.CommonAdapterLoraInfo(str(path), 1.0) for path in adapters.values()]
        params.hostnames = ["127.0.0.1"]
        params.port = 0
        params.ui = False
        params.verbosity = 1
        params.cpuparams.n_threads = threads
        params.cpuparams_batch.n_threads = threads
        self._server = xllamacpp.Server(params)
        scales = {name: [float(other == name) for other in adapters] for name in (base_name, *adapters)}
        self._lora = {
            name: [{"id": index, "scale": scale} for index, scale in enumerate(values)] for name, values in scales.items()
        }

    @property
    def models(self) -> list[str]:
        """Names that requests may use, the base model's first."""
        return list(self._lora)

    def chat(self, request: dict[str, Any]) -> dict[str, Any]:
        """OpenAI's chat completion for a request whose `model` is known; an error comes back as {"error": …} or {"code": …}."""
        name: str = request["model"]
        body = {**_DEFAULTS, **request, "lora": self._lora[name], "stream": False}
        if "max_completion_tokens" in body:
            body["max_tokens"] = body.pop("max_completion_tokens")
        answer: dict[str, Any] = self._server.handle_chat_completions(body)
        if "choices" in answer:
            answer["model"] = name
        return answer
