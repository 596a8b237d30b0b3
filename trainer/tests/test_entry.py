"""Exit codes of a job process, without training anything."""

import json
from pathlib import Path
from typing import Any

from trainer.files import read_json_object, sha256_file, write_json
from trainer.tests.jobs import align_params, lay, pairs, run, spec


def _laid(tmp_path: Path, write_rows: Any, params: dict[str, Any]) -> Path:
    folder = tmp_path / "job"
    write_rows(folder, "train", pairs(2))
    return lay(folder, spec(params))


def test_an_unknown_key_is_64_and_named(tmp_path: Path, write_rows: Any) -> None:
    folder = _laid(tmp_path, write_rows, {**align_params(Path("x")), "lora_rr": 1})
    code, errors = run(folder)
    assert code == 64
    assert "'lora_rr'" in json.loads(errors.splitlines()[-1])["error"]
    assert not (folder / "result.json").exists()


def test_a_changed_input_is_65_and_named(tmp_path: Path, write_rows: Any) -> None:
    folder = _laid(tmp_path, write_rows, align_params(Path("x")))
    (folder / "data" / "train.jsonl").write_text("{}\n", encoding="utf-8")
    code, errors = run(folder)
    assert code == 65
    assert "data/train.jsonl" in errors
    assert "data/train.jsonl" in (folder / "progress.jsonl").read_text(encoding="utf-8")


def test_a_missing_model_is_65_with_the_remedy(tmp_path: Path, write_rows: Any) -> None:
    code, errors = run(_laid(tmp_path, write_rows, align_params(tmp_path / "absent")))
    assert code == 65
    assert "trainer.prepare" in errors


def test_a_finished_job_ends_at_once_and_only_for_its_fence(tmp_path: Path, write_rows: Any) -> None:
    folder = _laid(tmp_path, write_rows, align_params(tmp_path / "absent"))
    (folder / "out").mkdir()
    (folder / "out" / "x").write_text("whole", encoding="utf-8")
    output = {"path": "out/x", "sha256": sha256_file(folder / "out" / "x"), "bytes": 5}
    result = {"name": "test-job", "fence": 1, "outputs": [output], "metrics": {}, "versions": {}}
    write_json(folder / "result.json", result)
    assert run(folder)[0] == 0
    who = read_json_object(folder / "run.json")
    assert who is not None
    assert who["device"] == "cpu"
    (folder / "out" / "x").write_text("damaged", encoding="utf-8")
    assert run(folder)[0] == 65
    (folder / "out" / "x").write_text("whole", encoding="utf-8")
    write_json(folder / "result.json", {**result, "fence": 2})
    assert run(folder)[0] == 65


def test_a_job_ends_itself_at_its_deadline(tmp_path: Path, write_rows: Any) -> None:
    folder = tmp_path / "job"
    write_rows(folder, "train", pairs(2))
    lay(folder, spec(align_params(tmp_path / "absent"), deadline_s=1))
    code, errors = run(folder)
    assert code == 70
    assert "deadline of 1 s reached" in errors
    assert "deadline of 1 s reached" in (folder / "progress.jsonl").read_text(encoding="utf-8")
