"""Which engine a conversation goes to."""

import threading
from typing import Any

import pytest

from trainer.serve.pool import Pool, engines_for


class Recorder:
    """An engine that notes what it was asked, and answers when it may."""

    def __init__(self) -> None:
        self.models = ["base"]
        self.asked: list[str] = []
        self.may_answer = threading.Event()
        self.may_answer.set()

    def chat(self, request: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(request["messages"][-1]["content"])
        assert self.may_answer.wait(5)
        return {"choices": []}


def _ask(pool: Pool, *said: str) -> None:
    roles = ["system", *(["user", "assistant"] * len(said))]
    messages = [{"role": role, "content": text} for role, text in zip(roles, ["Be kind.", *said], strict=False)]
    pool.chat({"model": "base", "messages": messages})


def test_turns_of_a_conversation_stay_and_new_conversations_spread() -> None:
    first, second = Recorder(), Recorder()
    pool = Pool([first, second])
    first.may_answer.clear()
    busy = threading.Thread(target=_ask, args=(pool, "one"))
    busy.start()
    while not first.asked:
        pass
    _ask(pool, "two")
    first.may_answer.set()
    busy.join()
    _ask(pool, "one", "reply", "one again")
    _ask(pool, "two", "reply", "two again")
    assert first.asked == ["one", "one again"]
    assert second.asked == ["two", "two again"]


@pytest.mark.parametrize(
    ("threads", "parallel", "on_gpu", "expected"),
    [
        (2, 8, False, [(1, 4), (1, 4)]),
        (8, 8, False, [(2, 2)] * 4),
        (3, 8, False, [(1, 3), (1, 3), (1, 2)]),
        (6, 8, False, [(2, 3), (2, 3), (2, 2)]),
        (5, 8, False, [(1, 2)] * 4),
        (16, 1, False, [(16, 1)]),
        (1, 8, False, [(1, 8)]),
        (8, 8, True, [(8, 8)]),
    ],
)
def test_engines_share_threads_and_slots(threads: int, parallel: int, on_gpu: bool, expected: list[tuple[int, int]]) -> None:
    assert engines_for(threads, parallel, on_gpu) == expected
