"""What reward and preference models see of a reply. A feature set is a name, stored with the model, so that scoring rebuilds it exactly."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from trainer.encoder import Array, Encoder
from trainer.errors import BAD_DATA, JobError

# Parts a set may have. `reply`: the reply's sentence embedding. `middle`: its two middle layers; `layers`: all four depths. `match`: the
# product with the embedding of the user turn it answers, so what it takes up of that turn. `text`: the signs counted in text_signs;
# length is not among them, so that it can't carry a score.
FEATURE_SETS = ("reply+text", "middle+text", "layers+text", "middle+match+text")

_WORD = re.compile(r"[a-z']+")
_SENTENCE = re.compile(r"[.!?]+")
_STOP = frozenset(
    "a an and are as at be but by for from have i in is it me my of on or so that the this to was we with you your".split()
)


@dataclass(frozen=True)
class Turn:
    """A reply and the user turn it answers."""

    user: str
    reply: str


def _contents(messages: object, where: str) -> list[tuple[str, str]]:
    if not isinstance(messages, list):
        raise JobError(BAD_DATA, f"{where}: expected a list of messages")
    found: list[tuple[str, str]] = []
    for message in messages:
        role, content = (message.get("role"), message.get("content")) if isinstance(message, dict) else (None, None)
        if not isinstance(role, str) or not isinstance(content, str):
            raise JobError(BAD_DATA, f"{where}: each message needs a role and a content")
        found.append((role, content))
    return found


def turns_of(messages: object, where: str) -> list[Turn]:
    """Every assistant turn of a conversation with the user turn before it."""
    turns: list[Turn] = []
    user = ""
    for role, content in _contents(messages, where):
        if role == "user":
            user = content
        elif role == "assistant":
            turns.append(Turn(user, content))
    if not turns:
        raise JobError(BAD_DATA, f"{where}: there is no assistant turn")
    return turns


def turn_of(row: dict[str, Any], where: str) -> Turn:
    """The turn of a row {messages, reply} whose history ends with the user."""
    messages = _contents(row.get("messages"), f"{where}, messages")
    reply = row.get("reply")
    if not isinstance(reply, str) or not messages or messages[-1][0] != "user":
        raise JobError(BAD_DATA, f"{where}: needs a reply (text) and messages that end with a user turn")
    return Turn(messages[-1][1], reply)


def text_signs(turn: Turn) -> Array:
    """Eight shares and flags, none of which grows with length: empty, questions and exclamations a sentence, you- and I-words,
    share of words taken from the user's turn, variety of words, list marks."""
    words = _WORD.findall(turn.reply.lower())
    asked = set(_WORD.findall(turn.user.lower())) - _STOP
    content = [word for word in words if word not in _STOP]
    sentences = max(1, len([part for part in _SENTENCE.split(turn.reply) if part.strip()]))
    count = max(1, len(words))
    return np.array(
        [
            float(not words),
            min(1.0, turn.reply.count("?") / sentences),
            min(1.0, turn.reply.count("!") / sentences),
            sum(word in {"you", "your", "you're", "yours"} for word in words) / count,
            sum(word in {"i", "i'm", "my", "me", "i'd", "i've"} for word in words) / count,
            sum(word in asked for word in content) / max(1, len(content)),
            len(set(content)) / max(1, len(content)),
            float(bool(re.search(r"(?m)^\s*(?:[-*•]|\d+[.)])\s", turn.reply))),
        ],
        dtype=np.float32,
    )


def learn(encoder: Encoder, turns: Iterable[Turn]) -> None:
    """Encode all texts of the turns, so that features() only looks up."""
    encoder.learn(text for turn in turns for text in (turn.user, turn.reply))


def _unit(vector: Array) -> Array:
    length = float(np.linalg.norm(vector))
    return vector / np.float32(length or 1.0)


def features(encoder: Encoder, turn: Turn, feature_set: str) -> Array:
    """Feature vector of a turn; the texts that the set reads must have been learnt (`match` reads the user's turn)."""
    states = encoder[turn.reply]
    parts: dict[str, Callable[[], Array]] = {
        "reply": lambda: _unit(states[-1]),
        "middle": lambda: states[1:3].ravel(),
        "layers": states.ravel,
        "match": lambda: _unit(states[-1]) * _unit(encoder[turn.user][-1]),
        "text": lambda: text_signs(turn),
    }
    return np.concatenate([parts[name]() for name in feature_set.split("+")])


def feature_matrix(encoder: Encoder, turns: list[Turn], feature_set: str) -> Array:
    """Rows of features() for many turns."""
    learn(encoder, turns)
    return np.stack([features(encoder, turn, feature_set) for turn in turns])
