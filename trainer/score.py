"""The score job: every row by every scorer. A whole conversation scores as its assistant turns do on average."""

import json
import math
from typing import Any

import numpy as np

from trainer.encoder import Encoder
from trainer.errors import BAD_DATA, JobError
from trainer.features import Turn, features, turn_of, turns_of
from trainer.files import replacing
from trainer.job import Job, verify_weights
from trainer.linear_model import LinearHead, ModelCard, load_model
from trainer.spec import ScoreParams

_DIGITS = 6


def _turns(row: dict[str, Any], where: str) -> list[Turn]:
    return turns_of(row["conversation"], f"{where}, conversation") if "conversation" in row else [turn_of(row, where)]


def score_turns(encoder: Encoder, turns: list[Turn], head: LinearHead, card: ModelCard) -> tuple[float, float]:
    """(score from 0 to 1, raw) of a row's turns. The regression's raw value may leave 0-1; a preference model's is its reward r."""
    matrix = np.stack([features(encoder, turn, card.feature_set) for turn in turns])
    if card.kind == "regression":
        raw = head(matrix)
        return float(np.clip(raw, 0, 1).mean()), float(raw.mean())
    reward = float(head(matrix.mean(axis=0)))
    if card.beta is None or card.r0 is None:
        raise JobError(BAD_DATA, "a preference model's model.json has no beta or r0; train it again")
    return 0.5 * (1 + math.tanh((reward - card.r0) / card.beta / 2)), reward


def score(job: Job, params: ScoreParams) -> dict[str, Any]:
    """Write out/scores.jsonl: {id, scores: {<scorer>: 0-1, "<scorer>.raw": number}} in the order of the rows."""
    folder = verify_weights(params.encoder)
    scorers = {scorer.id: load_model(job.folder / scorer.path, folder) for scorer in params.scorers}
    rows = job.rows("rows")
    turns: list[list[Turn]] = []
    for number, row in enumerate(rows, start=1):
        if not isinstance(row.get("id"), str):
            raise JobError(BAD_DATA, f"data/rows.jsonl row {number}: id is missing or no text")
        turns.append(_turns(row, f"data/rows.jsonl row {number} ({row['id']})"))
    encoder = Encoder(folder)
    # The user's turns are only encoded when a scorer reads them: that is half of the work.
    reads_user = any("match" in card.feature_set for _, card in scorers.values())
    texts = {turn.reply for row_turns in turns for turn in row_turns}
    texts |= {turn.user for row_turns in turns for turn in row_turns if reads_user}
    encoder.learn(texts, lambda done, of: job.progress.line(done, of))
    with replacing(job.out / "scores.jsonl") as temporary, temporary.open("w", encoding="utf-8") as handle:
        for row, row_turns in zip(rows, turns, strict=True):
            scores: dict[str, float] = {}
            for name, (head, card) in scorers.items():
                value, raw = score_turns(encoder, row_turns, head, card)
                scores[name] = round(value, _DIGITS)
                scores[f"{name}.raw"] = round(raw, _DIGITS)
            handle.write(json.dumps({"id": row["id"], "scores": scores}, ensure_ascii=False) + "\n")
    return {"rows": len(rows), "texts": len(texts)}
