"""A checkpoint that is not whole is passed over, and that is said."""

from pathlib import Path

from trainer.checkpoints import newest_valid, seal


def _make(folder: Path, step: int, identity: str = "same") -> Path:
    checkpoint = folder / f"checkpoint-{step}"
    checkpoint.mkdir(parents=True)
    (checkpoint / "weights").write_bytes(b"w" * 1000)
    (checkpoint / "state").write_bytes(b"s" * 10)
    seal(checkpoint, identity)
    return checkpoint


def test_the_newest_whole_one_is_used(tmp_path: Path) -> None:
    notes: list[str] = []
    _make(tmp_path, 9)
    newest = _make(tmp_path, 10)
    assert newest_valid(tmp_path, "same", notes.append) == newest
    assert notes == []


def test_damage_of_every_kind_is_noted_and_the_one_before_is_used(tmp_path: Path) -> None:
    good = _make(tmp_path, 1)
    flipped = _make(tmp_path, 2)
    (flipped / "weights").write_bytes(b"w" * 999 + b"x")
    (_make(tmp_path, 3) / "state").unlink()
    (_make(tmp_path, 4) / "manifest.json").write_text('{"identity"', encoding="utf-8")
    _make(tmp_path, 5, identity="another")
    notes: list[str] = []
    assert newest_valid(tmp_path, "same", notes.append) == good
    assert [note.split(":")[0] for note in notes] == [f"checkpoint-{step} skipped" for step in (5, 4, 3, 2)]
    assert "another spec" in notes[0]
    assert "weights is damaged" in notes[3]


def test_none_whole_means_a_new_start_said_aloud(tmp_path: Path) -> None:
    (tmp_path / "checkpoint-3").mkdir()
    notes: list[str] = []
    assert newest_valid(tmp_path, "same", notes.append) is None
    assert notes[-1] == "no usable checkpoint: training starts from step 0"
    assert newest_valid(tmp_path / "absent", "same", notes.append) is None
