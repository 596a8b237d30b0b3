"""Several engines of one model behind one door.

On processors an engine of one thread each decodes as fast as one engine of all threads that spins while its threads wait for each other, and
keeps its speed beside other work: nothing waits for a descheduled thread (`trainer/README.md`, Serving).
"""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from hashlib import sha256
from typing import Any, Protocol

from trainer.errors import FAILED, JobError

# Conversations whose engine is remembered.
_REMEMBERED = 4096
# More copies of the weights than this cost more memory than they gain.
_MOST_ENGINES = 4


class Chats(Protocol):
    """What the pool needs of an engine."""

    @property
    def models(self) -> list[str]: ...

    def chat(self, request: dict[str, Any]) -> dict[str, Any]: ...


def engines_for(threads: int, parallel: int, on_gpu: bool) -> list[tuple[int, int]]:
    """Threads and slots of each engine; all have the same number of threads, so that their sums round alike."""
    most = 1 if on_gpu else max(1, min(threads, parallel, _MOST_ENGINES))
    count = next((n for n in range(most, 1, -1) if threads % n == 0), most)
    return [(threads // count, parallel // count + (i < parallel % count)) for i in range(count)]


def check_alike(engines: Sequence[Chats]) -> None:
    """Every engine says the same under every name: a canary asks one of them, and so speaks for all. Also their first real answers."""
    for name in engines[0].models:
        said = {_greedy(engine, name) for engine in engines}
        if len(said) > 1:
            raise JobError(FAILED, f"{name}: engines of one server answer differently: {sorted(said)}")


def _greedy(engine: Chats, name: str) -> str:
    messages = [{"role": "user", "content": "I had a hard day and nobody asked how I was."}]
    answer = engine.chat({"model": name, "messages": messages, "max_tokens": 12, "temperature": 0, "seed": 0})
    if "choices" not in answer:
        raise JobError(FAILED, f"{name}: the server can't answer: {answer}")
    return str(answer["choices"][0]["message"]["content"])


class Pool:
    """Sends every turn of a conversation to the engine that holds its prompt; a new conversation to the least busy one."""

    def __init__(self, engines: Sequence[Chats]) -> None:
        self._engines = engines
        self._open = [0] * len(engines)
        self._home: OrderedDict[bytes, int] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def models(self) -> list[str]:
        """Names that requests may use."""
        return self._engines[0].models

    def chat(self, request: dict[str, Any]) -> dict[str, Any]:
        """The engine's answer."""
        index = self._enter(request)
        try:
            return self._engines[index].chat(request)
        finally:
            with self._lock:
                self._open[index] -= 1

    def _enter(self, request: dict[str, Any]) -> int:
        key = _conversation(request)
        with self._lock:
            index = self._home.pop(key, None)
            if index is None:
                index = self._open.index(min(self._open))
            self._home[key] = index
            if len(self._home) > _REMEMBERED:
                self._home.popitem(last=False)
            self._open[index] += 1
            return index


def _conversation(request: dict[str, Any]) -> bytes:
    """A conversation goes by its model and its messages up to the first that a user wrote."""
    digest = sha256(str(request.get("model")).encode())
    for message in request["messages"]:
        role, content = (message.get("role"), message.get("content")) if isinstance(message, dict) else (None, message)
        digest.update(f"\n{role}\n{content}".encode(errors="replace"))
        if role == "user":
            break
    return digest.digest()
