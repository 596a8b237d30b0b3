"""How well predicted scores meet labels, with bootstrap intervals over scenario families."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]
Estimate = dict[str, float | list[float] | None]

BOOTSTRAP_DRAWS = 1000
LEVELS = 5


def _ranks(values: Float) -> Float:
    """Ranks with ties averaged."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    middles: Float = ends - (counts - 1) / 2
    return middles[inverse]


def pearson(a: Float, b: Float) -> float:
    """Correlation; NaN where one side does not vary."""
    if len(a) < 3 or np.ptp(a) < 1e-12 or np.ptp(b) < 1e-12:
        return float("nan")
    return float(np.corrcoef(a, b)[0, 1])


def _slope(predicted: Float, label: Float) -> float:
    if len(label) < 3 or np.ptp(predicted) < 1e-12:
        return float("nan")
    return float(np.cov(predicted, label)[0, 1] / np.var(predicted, ddof=1))


def _level(values: Float) -> NDArray[np.int64]:
    return np.rint(np.clip(values, 0, 1) * (LEVELS - 1)).astype(np.int64)


MEASURES: dict[str, Callable[[Float, Float], float]] = {
    "mae": lambda p, y: float(np.abs(p - y).mean()),
    "mse": lambda p, y: float(((p - y) ** 2).mean()),
    "pearson": pearson,
    "spearman": lambda p, y: pearson(_ranks(p), _ranks(y)),
    "accuracy5": lambda p, y: float((_level(p) == _level(y)).mean()),
    # Label regressed on prediction: slope 1 and intercept 0 is a calibrated measure.
    "calibration_slope": _slope,
    "calibration_intercept": lambda p, y: float(y.mean() - _slope(p, y) * p.mean()),
}


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def family_draws(families: list[str], seed: int) -> list[NDArray[np.int64]]:
    """Row indices of bootstrap samples that draw whole families, seeded."""
    names, inverse = np.unique(np.array(families), return_inverse=True)
    members = [np.flatnonzero(inverse == index) for index in range(len(names))]
    generator = np.random.default_rng(seed)
    return [
        np.concatenate([members[pick] for pick in generator.integers(0, len(names), len(names))]) for _ in range(BOOTSTRAP_DRAWS)
    ]


def interval(values: list[float]) -> list[float] | None:
    """Percentile 95 % interval; None where under nine in ten samples gave a number."""
    finite = [value for value in values if np.isfinite(value)]
    if len(finite) < 0.9 * len(values):
        return None
    low, high = np.percentile(finite, [2.5, 97.5])
    return [float(low), float(high)]


def evaluate(predicted: Float, label: Float, families: list[str], seed: int) -> dict[str, Estimate | int]:
    """Each measure as {value, ci95}, with n rows and n families; null is "not estimable", and one family alone has no interval."""
    draws = family_draws(families, seed) if len(set(families)) > 1 else []
    found: dict[str, Estimate | int] = {"n": len(label), "families": len(set(families))}
    for name, measure in MEASURES.items():
        samples = [measure(predicted[draw], label[draw]) for draw in draws]
        found[name] = {"value": _finite(measure(predicted, label)), "ci95": interval(samples) if samples else None}
    return found
