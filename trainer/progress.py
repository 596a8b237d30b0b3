"""`progress.jsonl`: one line a step, appended and flushed, so that a watcher sees it at once."""

import json
import math
import threading
from datetime import UTC, datetime
from pathlib import Path


class Progress:
    """Appends {step, of, loss, at, note?} lines; safe from several threads."""

    def __init__(self, path: Path) -> None:
        # A killed writer may have left half a line: end it, so that the next line stands alone.
        torn = path.exists() and path.stat().st_size > 0 and not path.read_bytes().endswith(b"\n")
        self._handle = path.open("a", encoding="utf-8")
        self._lock = threading.Lock()
        self.step: float = 0
        self.of: float = 0
        if torn:
            self._handle.write("\n")

    def line(self, step: float, of: float, loss: float | None = None, note: str | None = None) -> None:
        """Append one line; a loss that is not finite is written as null."""
        self.step, self.of = step, of
        finite = loss if loss is not None and math.isfinite(loss) else None
        record: dict[str, object] = {
            "step": step,
            "of": of,
            "loss": finite,
            "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        }
        if note is not None:
            record["note"] = note
        with self._lock:
            self._handle.write(json.dumps(record, ensure_ascii=False) + "\n")
            self._handle.flush()

    def note(self, text: str) -> None:
        """Append a remark at the present step."""
        self.line(self.step, self.of, None, text)
