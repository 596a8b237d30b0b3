"""Preference rows that can't be trained on are refused by name; long histories lose their oldest exchanges."""

from pathlib import Path
from typing import Any

import pytest

from trainer.align.data import Pair, fit_and_measure, pairs_of, pick
from trainer.errors import BAD_DATA, JobError
from trainer.tests.jobs import pairs


def _refusal(rows: list[dict[str, Any]]) -> str:
    with pytest.raises(JobError) as caught:
        pairs_of(rows, "train")
    assert caught.value.code == BAD_DATA
    return str(caught.value)


def test_faulty_rows_are_named() -> None:
    good = pairs(2)
    assert "row 2, chosen" in _refusal([good[0], {**good[1], "chosen": []}])
    assert "explicit system message" in _refusal([{**good[0], "prompt": good[0]["prompt"][1:]}])
    assert "row 1, rejected" in _refusal([{**good[0], "rejected": [{"role": "assistant", "content": " "}]}])
    assert "equal in every row" in _refusal([{**row, "rejected": row["chosen"]} for row in good])


def test_picking_is_seeded_and_without_repeats() -> None:
    all_pairs = pairs_of(pairs(20), "train")
    picked = pick(all_pairs, 8, 3)
    assert picked == pick(all_pairs, 8, 3)
    assert picked != pick(all_pairs, 8, 4)
    assert len({str(pair) for pair in picked}) == 8


def test_long_histories_are_shortened_and_counted(models: Path) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(models / "smollm2-135m")
    short = pairs_of(pairs(1), "train")[0]
    exchange = [{"role": "user", "content": "word " * 60}, {"role": "assistant", "content": "word " * 60}]
    long = Pair([short.prompt[0], *exchange, *exchange, short.prompt[1]], short.chosen, short.rejected)
    fitted, lengths = fit_and_measure([short, long], tokenizer, 220, True)
    assert fitted[0] == short
    assert fitted[1].prompt == [short.prompt[0], *exchange, short.prompt[1]]
    assert lengths.truncated_share == 0.5
    assert lengths.longest <= 220
    with pytest.raises(JobError, match="longer than sequence_len 8"):
        fit_and_measure([short], tokenizer, 8, True)
