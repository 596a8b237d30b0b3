"""Preference rows: checked, chosen for the run, and measured in tokens."""

import random
from dataclasses import dataclass
from typing import Any

from transformers import PreTrainedTokenizerBase

from trainer.errors import BAD_DATA, JobError

Message = dict[str, str]


@dataclass(frozen=True)
class Pair:
    """One assistant turn: history with its system message, the reply wanted and the one not wanted."""

    prompt: list[Message]
    chosen: list[Message]
    rejected: list[Message]


@dataclass(frozen=True)
class Lengths:
    """Token counts over the rows of a run; `tokens` is what one pass over them reads."""

    prompt_mean: float
    chosen_mean: float
    rejected_mean: float
    longest: int
    truncated_share: float
    tokens: int


def _messages(value: object, where: str) -> list[Message]:
    if not isinstance(value, list) or not value:
        raise JobError(BAD_DATA, f"{where}: expected a list of messages that is not empty")
    messages: list[Message] = []
    for item in value:
        role, content = (item.get("role"), item.get("content")) if isinstance(item, dict) else (None, None)
        if not isinstance(role, str) or not isinstance(content, str) or not content.strip():
            raise JobError(BAD_DATA, f"{where}: each message needs a role and a content that is not empty")
        messages.append({"role": role, "content": content})
    return messages


def pairs_of(rows: list[dict[str, Any]], name: str) -> list[Pair]:
    """Check rows of data/<name>.jsonl; faults are JobErrors of code 65 that name the row."""
    pairs: list[Pair] = []
    for number, row in enumerate(rows, start=1):
        where = f"data/{name}.jsonl row {number}"
        prompt = _messages(row.get("prompt"), f"{where}, prompt")
        if prompt[0]["role"] != "system":
            # The chat template would put its own system message there, and training would differ from serving.
            raise JobError(BAD_DATA, f"{where}: the prompt must begin with an explicit system message")
        chosen = _messages(row.get("chosen"), f"{where}, chosen")
        rejected = _messages(row.get("rejected"), f"{where}, rejected")
        pairs.append(Pair(prompt, chosen, rejected))
    if all(pair.chosen == pair.rejected for pair in pairs):
        raise JobError(BAD_DATA, f"data/{name}.jsonl: chosen and rejected are equal in every row; there is nothing to learn")
    return pairs


def pick(pairs: list[Pair], needed: int, seed: int) -> list[Pair]:
    """The pairs that a run of `needed` samples sees, in seeded order; all of them when it makes more than one pass."""
    order = random.Random(seed).sample(range(len(pairs)), len(pairs))
    return [pairs[index] for index in order[: min(needed, len(pairs))]]


class Measure:
    """Counts tokens under a model's chat template."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase, limit: int, with_rejected: bool) -> None:
        self._tokenizer = tokenizer
        self._limit = limit
        self._with_rejected = with_rejected

    def count(self, messages: list[Message]) -> int:
        """Tokens of a conversation."""
        text = self._tokenizer.apply_chat_template(messages, tokenize=False)
        return len(self._tokenizer(text)["input_ids"])

    def length(self, pair: Pair) -> int:
        """Tokens of the longer of a pair's two sides."""
        chosen = self.count(pair.prompt + pair.chosen)
        return max(chosen, self.count(pair.prompt + pair.rejected)) if self._with_rejected else chosen

    def fit(self, pair: Pair) -> Pair:
        """Drop the oldest exchanges, never the system message or the last user turn, until the pair is within the limit."""
        while self.length(pair) > self._limit and len(pair.prompt) > 3:
            pair = Pair([pair.prompt[0], *pair.prompt[3:]], pair.chosen, pair.rejected)
        return pair


def fit_and_measure(
    pairs: list[Pair], tokenizer: PreTrainedTokenizerBase, limit: int, with_rejected: bool
) -> tuple[list[Pair], Lengths]:
    """Shorten histories to `limit` tokens and measure the rows. What is still too long loses the end of its reply; all too long is an error (65)."""
    measure = Measure(tokenizer, limit, with_rejected)
    fitted = [measure.fit(pair) for pair in pairs]
    longest = [measure.length(pair) for pair in fitted]
    if min(longest) > limit:
        raise JobError(BAD_DATA, f"every row is longer than sequence_len {limit} (the shortest has {min(longest)}); raise it")
    prompts = [measure.count(pair.prompt) for pair in fitted]
    chosen = [measure.count(pair.prompt + pair.chosen) for pair in fitted]
    rejected = [measure.count(pair.prompt + pair.rejected) for pair in fitted]
    read = chosen + rejected if with_rejected else chosen
    n = len(fitted)
    lengths = Lengths(
        prompt_mean=sum(prompts) / n,
        chosen_mean=(sum(chosen) - sum(prompts)) / n,
        rejected_mean=(sum(rejected) - sum(prompts)) / n,
        longest=max(longest),
        truncated_share=sum(new is not old or long > limit for new, old, long in zip(fitted, pairs, longest, strict=True)) / n,
        tokens=sum(min(length, limit) for length in read),
    )
    return fitted, lengths
