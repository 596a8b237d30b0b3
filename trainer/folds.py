"""Validation by scenario family: a family is on one side only."""

import random

import numpy as np
from numpy.typing import NDArray

from trainer.errors import BAD_DATA, JobError

DEFAULT_SHARE = 0.2


def family_folds(families: list[str], share: float, seed: int) -> list[NDArray[np.bool_]]:
    """Masks of held-out rows: families dealt, in seeded order, into about 1/share folds (share 0 means a fifth); 65 with one family."""
    names = sorted(set(families))
    if len(names) < 2:
        raise JobError(BAD_DATA, f"all rows are of one family ({names[0]}): none can be held out; add families")
    random.Random(seed).shuffle(names)
    count = min(len(names), max(2, round(1 / (share or DEFAULT_SHARE))))
    own = np.array(families)
    return [np.isin(own, names[index::count]) for index in range(count)]
