"""Measures on cases whose answers are known."""

from collections.abc import Mapping

import numpy as np
import pytest

from trainer.measures import evaluate


def _value(found: Mapping[str, object], name: str) -> object:
    entry = found[name]
    assert isinstance(entry, dict)
    return entry["value"]


def test_a_shifted_measure_has_slope_1_and_the_shift_as_intercept() -> None:
    label = np.array([0.1, 0.3, 0.5, 0.7, 0.9])
    found = evaluate(label - 0.1, label, list("aabbc"), 1)
    assert _value(found, "mae") == pytest.approx(0.1)
    assert _value(found, "spearman") == pytest.approx(1)
    assert _value(found, "calibration_slope") == pytest.approx(1)
    assert _value(found, "calibration_intercept") == pytest.approx(0.1)
    assert (found["n"], found["families"]) == (5, 3)


def test_ties_are_averaged_and_a_constant_has_no_correlation() -> None:
    label = np.array([0.0, 0.0, 1.0, 1.0])
    found = evaluate(np.full(4, 0.5), label, list("abcd"), 1)
    assert _value(found, "pearson") is None
    assert _value(found, "accuracy5") == 0
    assert _value((evaluate(label, label, list("abcd"), 1)), "spearman") == pytest.approx(1)


def test_intervals_are_seeded_and_need_two_families() -> None:
    generator = np.random.default_rng(0)
    label, predicted = generator.random(60), generator.random(60)
    families = [str(index // 6) for index in range(60)]
    assert evaluate(predicted, label, families, 5) == evaluate(predicted, label, families, 5)
    alone = evaluate(predicted, label, ["one"] * 60, 5)
    assert isinstance(alone["mae"], dict)
    assert alone["mae"]["ci95"] is None
