"""The generic reward model: ridge regression of a 0-1 label on a frozen encoder's features.

Feature set and penalty are those with the lowest squared error on held-out families. The declared predictors beside it
(the training mean, and length alone) show what the model adds.
"""

from typing import Any

import numpy as np

from trainer.encoder import Encoder
from trainer.errors import BAD_DATA, BAD_SPEC, JobError
from trainer.features import FEATURE_SETS, Turn, feature_matrix, turn_of
from trainer.files import sha256_file
from trainer.folds import family_folds
from trainer.job import Job, verify_weights
from trainer.linear_model import Float, LinearHead, ModelCard, save_model
from trainer.measures import evaluate
from trainer.spec import RewardParams

PENALTIES = tuple(float(10.0**power) for power in np.arange(-1, 4.6, 0.5))


class _Rows:
    """Rows of one part, as turns, labels, families and kinds."""

    def __init__(self, job: Job, name: str) -> None:
        rows = job.rows(name)
        where = [f"data/{name}.jsonl row {number}" for number in range(1, len(rows) + 1)]
        self.turns: list[Turn] = [turn_of(row, at) for row, at in zip(rows, where, strict=True)]
        self.labels: Float = np.array([_label(row, at) for row, at in zip(rows, where, strict=True)])
        self.families = [str(row["family"]) for row in rows]
        self.kinds = [str(row.get("kind", "")) for row in rows]


def _label(row: dict[str, Any], where: str) -> float:
    label = row.get("label")
    if not isinstance(label, int | float) or not 0 <= label <= 1:
        raise JobError(BAD_DATA, f"{where}: label is {label!r}, expected a number from 0 to 1")
    if not row.get("family"):
        raise JobError(BAD_DATA, f"{where}: family is missing; rows are held out by family")
    return float(label)


def fit_ridge(matrix: Float, labels: Float, penalties: tuple[float, ...]) -> list[LinearHead]:
    """One head per penalty on standardised features; one decomposition serves them all."""
    mean = matrix.mean(axis=0)
    scale = matrix.std(axis=0)
    # A feature that never varies in training gets no say in scoring.
    scale[scale < 1e-6] = np.inf
    bias = float(labels.mean())
    standard = (matrix - mean) / scale
    scale[np.isinf(scale)] = 1e30
    # Dual form: there are about as many rows as features, and an eigendecomposition is several times cheaper than an SVD.
    values, vectors = np.linalg.eigh(standard @ standard.T)
    projected = vectors.T @ (labels - bias)
    return [
        LinearHead(mean, scale, standard.T @ (vectors @ (projected / (np.maximum(values, 0) + penalty))), bias)
        for penalty in penalties
    ]


def _choose(encoder: Encoder, train: _Rows, share: float, seed: int) -> tuple[str, float, dict[str, float]]:
    """Feature set and penalty with the lowest mean squared error over held-out families; and the best error of every set."""
    folds = family_folds(train.families, share, seed)
    best: dict[str, tuple[float, float]] = {}
    for feature_set in FEATURE_SETS:
        matrix = feature_matrix(encoder, train.turns, feature_set).astype(np.float64)
        errors = np.zeros(len(PENALTIES))
        for held in folds:
            heads = fit_ridge(matrix[~held], train.labels[~held], PENALTIES)
            predicted = [np.clip(head(matrix[held]), 0, 1) for head in heads]
            errors += [((values - train.labels[held]) ** 2).sum() for values in predicted]
        position = int(errors.argmin())
        best[feature_set] = (float(errors[position]) / sum(int(held.sum()) for held in folds), PENALTIES[position])
    chosen = min(best, key=lambda name: best[name][0])
    return chosen, best[chosen][1], {name: error for name, (error, _) in best.items()}


def _length_only(train: _Rows, test: _Rows) -> Float:
    """Quadratic in the log of the number of words: what length alone would tell."""

    def columns(turns: list[Turn]) -> Float:
        words = np.log1p([len(turn.reply.split()) for turn in turns])
        return np.stack([np.ones_like(words), words, words**2], axis=1)

    weights = np.linalg.lstsq(columns(train.turns), train.labels, rcond=None)[0]
    return np.asarray(np.clip(columns(test.turns) @ weights, 0, 1))


def train_reward(job: Job, params: RewardParams) -> dict[str, Any]:
    """Train on data/train.jsonl, measure on data/test.jsonl (the anchors), overall and by kind."""
    if not params.freeze_encoder:
        raise JobError(BAD_SPEC, "params.freeze_encoder: only true is built; the encoder stays frozen")
    folder = verify_weights(params.encoder)
    train, test = _Rows(job, "train"), _Rows(job, "test")
    shared = sorted(set(train.families) & set(test.families))
    if shared:
        raise JobError(BAD_DATA, f"families stand in both train and test: {', '.join(shared[:5])}; split by family")
    encoder = Encoder(folder)
    encoder.learn(
        (text for turn in train.turns + test.turns for text in (turn.user, turn.reply)),
        lambda done, of: job.progress.line(done, of),
    )
    feature_set, penalty, validation = _choose(encoder, train, params.validation_share, job.spec.seed)
    head = fit_ridge(feature_matrix(encoder, train.turns, feature_set).astype(np.float64), train.labels, (penalty,))[0]
    predicted = np.clip(head(feature_matrix(encoder, test.turns, feature_set)), 0, 1)
    trained = {"n": len(train.turns), "families": len(set(train.families)), "penalty": penalty, "seed": job.spec.seed}
    card = ModelCard("regression", feature_set, params.encoder.id, sha256_file(folder / "model.safetensors"), None, None, trained)
    save_model(job.out, head, card)

    def measured(values: Float, chosen: list[int]) -> dict[str, Any]:
        families = [test.families[index] for index in chosen]
        return evaluate(values[chosen], test.labels[chosen], families, job.spec.seed)

    everything = list(range(len(test.turns)))
    by_kind = {kind: [index for index in everything if test.kinds[index] == kind] for kind in sorted(set(test.kinds))}
    return {
        **trained,
        "feature_set": feature_set,
        "validation_mse": validation,
        "overall": measured(predicted, everything),
        "by_kind": {kind: measured(predicted, chosen) for kind, chosen in by_kind.items()},
        "mean_predictor": measured(np.full(len(everything), train.labels.mean()), everything),
        "length_only": measured(_length_only(train, test), everything),
    }
