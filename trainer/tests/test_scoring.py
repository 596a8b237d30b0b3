"""Reward and preference models on tiny data with the real encoder: trained, stored, and scored with again."""

import json
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from trainer.errors import BAD_DATA, JobError
from trainer.job import Job
from trainer.preference import choose_beta, train_preference
from trainer.progress import Progress
from trainer.reward import train_reward
from trainer.score import score
from trainer.spec import parse_spec
from trainer.tests.jobs import spec

TOPICS = ("the flood", "a lost dog", "the exam", "a divorce", "the new flat", "an old friend")
WARM = ("That sounds so painful, and I am glad you told me about {}.", "You must feel worn out by {}; I am here to listen.")
COLD = ("Make a list of costs for {} and send it in.", "Regarding {}: follow the standard procedure.")


def _job(folder: Path, params: dict[str, Any]) -> Job:
    folder.mkdir(exist_ok=True)
    return Job(folder, parse_spec(json.dumps(spec(params))), "cpu", Progress(folder / "progress.jsonl"), threading.Event())


def _row(topic: str, reply: str, label: float, kind: str) -> dict[str, Any]:
    messages = [{"role": "system", "content": "s"}, {"role": "user", "content": f"I need to talk about {topic}."}]
    return {
        "id": f"{topic}-{reply}",
        "context": "c",
        "family": topic,
        "kind": kind,
        "messages": messages,
        "reply": reply,
        "label": label,
    }


def _reward_rows(topics: tuple[str, ...]) -> list[dict[str, Any]]:
    rows = [_row(topic, text.format(topic), 0.9, "warm") for topic in topics for text in WARM]
    rows += [_row(topic, text.format(topic), 0.1, "cold") for topic in topics for text in COLD]
    return rows + [_row(topic, "", 0.0, "empty") for topic in topics]


@pytest.fixture(scope="module")
def encoder(models: Path) -> dict[str, Any]:
    return {"id": "sentence-transformers/all-MiniLM-L6-v2", "dir": str(models / "minilm"), "sha256": None}


@pytest.fixture(scope="module")
def reward_params(encoder: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "reward", "encoder": encoder, "freeze_encoder": True, "validation_share": 0.25}


def test_reward_preference_and_score(
    encoder: dict[str, Any], reward_params: dict[str, Any], tmp_path: Path, write_rows: Any
) -> None:
    write_rows(tmp_path / "reward", "train", _reward_rows(TOPICS[:4]))
    write_rows(tmp_path / "reward", "test", _reward_rows(TOPICS[4:]))
    job = _job(tmp_path / "reward", reward_params)
    metrics = train_reward(job, job.spec.params)  # type: ignore[arg-type]
    assert metrics["overall"]["mae"]["value"] < metrics["length_only"]["mae"]["value"] < metrics["mean_predictor"]["mae"]["value"]
    assert metrics["overall"]["n"] == 10
    assert set(metrics["by_kind"]) == {"warm", "cold", "empty"}
    low, high = metrics["overall"]["pearson"]["ci95"]
    assert low <= metrics["overall"]["pearson"]["value"] <= high

    def side(topic: str, texts: tuple[str, ...]) -> list[dict[str, str]]:
        turns = [
            ({"role": "user", "content": f"About {topic}."}, {"role": "assistant", "content": text.format(topic)})
            for text in texts
        ]
        return [message for turn in turns for message in turn]

    rows = [
        {"id": f"{topic}-{level}", "family": topic, "level": level, "chosen": side(topic, WARM), "rejected": side(topic, COLD)}
        for topic in TOPICS
        for level in ("conversation", "turn")
    ]
    write_rows(tmp_path / "preference", "train", rows)
    params = {
        "kind": "preference",
        "encoder": encoder,
        "freeze_encoder": True,
        "validation_share": 0.34,
        "max_steps": 100,
        "learning_rate": 0.01,
    }
    job = _job(tmp_path / "preference", params)
    metrics = train_preference(job, job.spec.params)  # type: ignore[arg-type]
    assert metrics["validation"]["accuracy"] == 1
    assert metrics["validation"]["by_turn"]["n"] == metrics["validation"]["by_conversation"]["n"]
    assert abs(metrics["r0"]) < 1e-6

    folder = tmp_path / "score"
    folder.mkdir()
    for name in ("reward", "preference"):
        (tmp_path / name / "out").rename(folder / name)
    rows = [_row("a late bus", text.format("a late bus"), 0, "") | {"id": str(index)} for index, text in enumerate(WARM + COLD)]
    rows.append({"id": "whole", "conversation": side("a late bus", WARM)})
    write_rows(folder, "rows", rows)
    scorers = [{"id": "guide", "path": "reward"}, {"id": "distress", "path": "preference"}]
    job = _job(folder, {"kind": "score", "encoder": encoder, "scorers": scorers})
    assert score(job, job.spec.params)["rows"] == 5  # type: ignore[arg-type]
    lines = [json.loads(line) for line in (folder / "out" / "scores.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [line["id"] for line in lines] == ["0", "1", "2", "3", "whole"]
    for name in ("guide", "distress"):
        warm, cold = [line["scores"][name] for line in lines[:2]], [line["scores"][name] for line in lines[2:4]]
        assert min(warm) > max(cold)
        assert all(0 <= line["scores"][name] <= 1 for line in lines)
    assert lines[4]["scores"]["guide"] == pytest.approx(np.mean([line["scores"]["guide"] for line in lines[:2]]), abs=2e-6)

    (folder / "reward" / "model.safetensors").write_bytes(b"changed")
    with pytest.raises(JobError, match="scorer reward"):
        score(job, job.spec.params)  # type: ignore[arg-type]


def test_a_family_on_both_sides_is_refused(reward_params: dict[str, Any], tmp_path: Path, write_rows: Any) -> None:
    for name in ("train", "test"):
        write_rows(tmp_path / "job", name, _reward_rows(TOPICS[:2]))
    job = _job(tmp_path / "job", reward_params)
    with pytest.raises(JobError, match="both train and test") as caught:
        train_reward(job, job.spec.params)  # type: ignore[arg-type]
    assert caught.value.code == BAD_DATA


def test_beta_follows_the_margins() -> None:
    generator = np.random.default_rng(0)
    margins = generator.normal(1, 2, 400)
    assert choose_beta(margins * 10) == pytest.approx(10 * choose_beta(margins), rel=0.05)
    assert choose_beta(np.full(20, 3.0)) > 0.05
