"""A real server with two adapters: names, determinism, no state that crosses adapters, a quick end."""

import json
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

from trainer.errors import BAD_SPEC, JobError
from trainer.files import read_json_object, sha256_file
from trainer.serve.front import Front
from trainer.tests.jobs import lay, progress, spec, start, wait_for

BASE_ID = "HuggingFaceTB/SmolLM2-135M-Instruct"
# Of this machine, and not the usual one.
ADDRESS = "127.0.0.2"


def _random_adapter(base: Path, folder: Path, seed: int) -> str:
    """A PEFT folder whose adapter visibly changes the base model; returns the digest of its weights."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(seed)
    config = LoraConfig(r=4, lora_alpha=8, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM", init_lora_weights=False)
    model = get_peft_model(AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32), config)
    model.peft_config["default"].base_model_name_or_path = BASE_ID
    model.save_pretrained(folder, save_embedding_layers=False)
    return sha256_file(folder / "adapter_model.safetensors")


class Silent:
    """An engine that is never asked."""

    models: ClassVar[list[str]] = []

    def chat(self, request: dict[str, Any]) -> dict[str, Any]:
        raise AssertionError(request)


class Server:
    """A serve job and a client for it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process: subprocess.Popen[str] = start(folder)
        wait_for(lambda: (folder / "ready.json").exists() or self.process.poll() is not None, "ready.json")
        self.ready = read_json_object(folder / "ready.json") or {}

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(self.ready["endpoint"] + path, timeout=30) as answer:
            return json.load(answer)

    def post(self, body: dict[str, Any]) -> tuple[int, Any]:
        request = urllib.request.Request(self.ready["endpoint"] + "/chat/completions", json.dumps(body).encode())
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def say(self, model: str, text: str, **options: Any) -> str:
        messages = [{"role": "system", "content": "You are a helpful assistant."}, {"role": "user", "content": text}]
        body = {"model": model, "messages": messages, "max_tokens": 10, "temperature": 0, "seed": 1, **options}
        status, answer = self.post(body)
        assert status == 200, answer
        return str(answer["choices"][0]["message"]["content"])


@pytest.fixture(scope="module")
def server(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("serve") / "job"
    base = models / "smollm2-135m"
    adapters = [
        {"name": name, "path": f"adapters/{name}", "sha256": _random_adapter(base, folder / "adapters" / name, seed)}
        for seed, name in enumerate(("distress-00000001", "writing-00000002"))
    ]
    params = {
        "kind": "serve",
        "base_model": {"id": BASE_ID, "dir": str(base), "sha256": None},
        "base_name": "smollm2-135m",
        "adapters": adapters,
        "context_len": 512,
        "parallel": 2,
    }
    running = Server(lay(folder, spec(params, address=ADDRESS)))
    yield running
    running.process.kill()
    running.process.communicate()


def test_it_answers_at_the_spec_s_address_and_at_no_other(server: Server) -> None:
    assert server.ready["endpoint"] == f"http://{ADDRESS}:{server.ready['port']}/v1"
    with pytest.raises(urllib.error.URLError, match="refused"):
        urllib.request.urlopen(f"http://127.0.0.1:{server.ready['port']}/v1/models", timeout=5)


def test_an_address_of_another_machine_is_refused_with_what_to_set() -> None:
    with pytest.raises(JobError, match=r"nothing can listen at 192\.0\.2\.1 .*ATTUNE_NODE_ADDRESS") as caught:
        Front(Silent(), "192.0.2.1")
    assert caught.value.code == BAD_SPEC


def test_models_are_named(server: Server) -> None:
    names = ["smollm2-135m", "distress-00000001", "writing-00000002"]
    assert [model["id"] for model in server.get("/models")["data"]] == names
    assert server.ready["models"] == names
    assert set(server.ready["weights"]) == set(names)


def test_an_unknown_model_is_404_in_openai_s_shape(server: Server) -> None:
    status, answer = server.post({"model": "gpt-9", "messages": [{"role": "user", "content": "x"}]})
    assert (status, answer["error"]["code"]) == (404, "model_not_found")
    status, answer = server.post({"model": "smollm2-135m", "messages": "x"})
    assert (status, answer["error"]["param"]) == (400, "messages")


def test_adapters_change_the_answer_and_seeds_repeat_it(server: Server) -> None:
    question = "How are you today?"
    answers = {name: server.say(name, question) for name in server.ready["models"]}
    assert len(set(answers.values())) == 3
    warm = [server.say("smollm2-135m", question, temperature=1.0, seed=seed) for seed in (5, 5, 6)]
    assert warm[0] == warm[1]
    assert warm[0] != warm[2]


def test_no_state_crosses_adapters(server: Server) -> None:
    """More conversations than slots, in turn by every model: each answer equals the first one, given cold."""
    texts = [f"Tell me about the number {number}." for number in range(3)]
    names = server.ready["models"]
    cold = {(name, text): server.say(name, text, cache_prompt=False) for name in names for text in texts}
    for text in texts:
        for name in names:
            assert server.say(name, text) == cold[name, text]


def test_sigterm_ends_it_quickly_with_0(server: Server) -> None:
    wait_for(lambda: progress(server.folder)[-1]["step"] > 0, "a heartbeat with requests")
    started = time.monotonic()
    server.process.send_signal(signal.SIGTERM)
    server.process.communicate(timeout=20)
    assert server.process.returncode == 0
    assert time.monotonic() - started < 5
    assert not (server.folder / "ready.json").exists()
    result = read_json_object(server.folder / "result.json")
    assert result is not None
    assert result["metrics"]["requests"] > 0
