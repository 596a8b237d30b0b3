"""The preference model of one context: Bradley-Terry on a frozen encoder's features.

r(conversation) is linear in the mean features of its assistant turns; loss is -log sigmoid(r_chosen - r_rejected).
score = sigmoid((r - r0) / beta), with r0 the mean over training chosen and rejected, and beta (sharpness; smaller is sharper)
the minimum of the loss on held-out families, then frozen. This beta is no DPO beta.
"""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from trainer.encoder import Encoder
from trainer.errors import BAD_DATA, BAD_SPEC, JobError
from trainer.features import FEATURE_SETS, Turn, features, learn, turns_of
from trainer.files import sha256_file
from trainer.folds import family_folds
from trainer.job import Job, verify_weights
from trainer.linear_model import Float, LinearHead, ModelCard, save_model
from trainer.spec import PreferenceParams

PENALTIES = (1e-3, 1e-2, 1e-1)
BETAS = np.geomspace(0.02, 50, 400)


class _Pair:
    """A row: assistant turns of both sides. A row of level `turn` is judged by its last turn alone, the rest being shared history."""

    def __init__(self, row: dict[str, Any], where: str) -> None:
        self.level: Literal["conversation", "turn"] = row.get("level", "conversation")
        if self.level not in ("conversation", "turn"):
            raise JobError(BAD_DATA, f"{where}: level is {self.level!r}, expected conversation or turn")
        if not row.get("family"):
            raise JobError(BAD_DATA, f"{where}: family is missing; rows are held out by family")
        self.family = str(row["family"])
        self.chosen = self._side(row, "chosen", where)
        self.rejected = self._side(row, "rejected", where)

    def _side(self, row: dict[str, Any], name: str, where: str) -> list[Turn]:
        turns = turns_of(row.get(name), f"{where}, {name}")
        return turns[-1:] if self.level == "turn" else turns


def _sigmoid(values: Float) -> Float:
    return np.asarray(0.5 * (1 + np.tanh(values / 2)))


def _nll(margins: Float) -> float:
    return float(np.logaddexp(0, -margins).mean())


def _matrix(encoder: Encoder, sides: list[list[Turn]], feature_set: str) -> Float:
    rows = [np.mean([features(encoder, turn, feature_set) for turn in turns], axis=0) for turns in sides]
    return np.stack(rows).astype(np.float64)


def fit_bradley_terry(chosen: Float, rejected: Float, penalty: float, steps: int, rate: float) -> LinearHead:
    """Adam on all pairs at once, from zero weights: no randomness. Features are scaled by their spread over both sides."""
    both = np.concatenate([chosen, rejected])
    scale = both.std(axis=0)
    scale[scale < 1e-6] = 1e30
    difference = (chosen - rejected) / scale
    weights, first, second = (np.zeros(difference.shape[1]) for _ in range(3))
    for step in range(1, steps + 1):
        pull = _sigmoid(-(difference @ weights))
        gradient = -(difference.T @ pull) / len(difference) + penalty * weights
        first = 0.9 * first + 0.1 * gradient
        second = 0.999 * second + 0.001 * gradient**2
        weights = weights - rate * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.999**step)) + 1e-8)
    return LinearHead(both.mean(axis=0), scale, weights, 0.0)


def choose_beta(margins: Float) -> float:
    """The temperature with the lowest loss on held-out margins.

    Targets are Platt's (n+1)/(n+2) instead of 1: with perfectly ordered pairs the plain loss would ask for a temperature of 0.
    """
    sure = (len(margins) + 1) / (len(margins) + 2)
    losses = [sure * _nll(margins / beta) + (1 - sure) * _nll(-margins / beta) for beta in BETAS]
    return float(BETAS[int(np.argmin(losses))])


def _measured(chosen: Float, rejected: Float, beta: float) -> dict[str, float | int]:
    margins = chosen - rejected
    accuracy = float((margins > 0).mean() + (margins == 0).mean() / 2)
    return {"n": len(margins), "accuracy": accuracy, "nll": _nll(margins / beta)}


def train_preference(job: Job, params: PreferenceParams) -> dict[str, Any]:
    """Train on data/train.jsonl less the held-out families; feature set, penalty and beta come from those."""
    if not params.freeze_encoder:
        raise JobError(BAD_SPEC, "params.freeze_encoder: only true is built; the encoder stays frozen")
    folder = verify_weights(params.encoder)
    pairs = [_Pair(row, f"data/train.jsonl row {number}") for number, row in enumerate(job.rows("train"), start=1)]
    encoder = Encoder(folder)
    learn(encoder, (turn for pair in pairs for turn in pair.chosen + pair.rejected))
    held: NDArray[np.bool_] = family_folds([pair.family for pair in pairs], params.validation_share, job.spec.seed)[0]
    best: tuple[float, str, float, LinearHead, Float, Float] | None = None
    for done, feature_set in enumerate(FEATURE_SETS, start=1):
        chosen = _matrix(encoder, [pair.chosen for pair in pairs], feature_set)
        rejected = _matrix(encoder, [pair.rejected for pair in pairs], feature_set)
        for penalty in PENALTIES:
            head = fit_bradley_terry(chosen[~held], rejected[~held], penalty, params.max_steps, params.learning_rate)
            loss = _nll(head(chosen[held]) - head(rejected[held]))
            if best is None or loss < best[0]:
                best = (loss, feature_set, penalty, head, head(chosen), head(rejected))
        job.progress.line(done, len(FEATURE_SETS), best[0] if best else None)
    assert best is not None, "there is always a feature set"
    _, feature_set, penalty, head, reward_chosen, reward_rejected = best
    r0 = float(np.concatenate([reward_chosen[~held], reward_rejected[~held]]).mean())
    beta = choose_beta(reward_chosen[held] - reward_rejected[held])
    trained = {"n": int((~held).sum()), "penalty": penalty, "seed": job.spec.seed}
    card = ModelCard("preference", feature_set, params.encoder.id, sha256_file(folder / "model.safetensors"), beta, r0, trained)
    save_model(job.out, head, card)

    levels = np.array([pair.level for pair in pairs])

    def separation(at: float) -> float:
        scores = [_sigmoid((values[held] - r0) / at).mean() for values in (reward_chosen, reward_rejected)]
        return float(scores[0] - scores[1])

    return {
        "beta": beta,
        "beta_at_bound": beta in (float(BETAS[0]), float(BETAS[-1])),
        "r0": r0,
        "feature_set": feature_set,
        "trained": trained,
        # On families that the weights never saw; feature set, penalty and beta were chosen on the same ones.
        "validation": _measured(reward_chosen[held], reward_rejected[held], beta)
        | {
            f"by_{level}": _measured(reward_chosen[held & (levels == level)], reward_rejected[held & (levels == level)], beta)
            for level in sorted(set(levels[held]))
        },
        "separation_by_beta": [
            {"beta": beta * factor, "separation": separation(beta * factor)} for factor in (0.25, 0.5, 1.0, 2.0, 4.0)
        ],
    }
