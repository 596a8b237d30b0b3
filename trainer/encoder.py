"""The frozen sentence encoder: token states of four depths, averaged over a text; each distinct text is encoded once."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoModel, AutoTokenizer

Array = NDArray[np.float32]

_LONGEST = 256
_TOKENS_A_BATCH = 1024


class Encoder:
    """Embeds texts: 4 rows of `width` numbers, from the word embeddings (row 0) through two middle layers to the last (row 3).

    The last layer says what a text is about; how it is said is clearer in the middle. Texts beyond 256 tokens are cut at the end.
    """

    def __init__(self, folder: Path) -> None:
        torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        self._tokenizer = AutoTokenizer.from_pretrained(folder)
        self._model = AutoModel.from_pretrained(folder, dtype=torch.float32).to(self._device).eval()
        self._known: dict[str, Array] = {}
        self.width = int(self._model.config.hidden_size)
        layers = int(self._model.config.num_hidden_layers)
        self._depths = (0, layers // 3, 2 * layers // 3, layers)

    def learn(self, texts: Iterable[str], progress: Callable[[int, int], None] | None = None) -> None:
        """Encode the texts not yet known, short ones together, so that little is spent on padding."""
        new = sorted({text for text in texts if text not in self._known})
        if not new:
            return
        ids: list[list[int]] = self._tokenizer(new, truncation=True, max_length=_LONGEST)["input_ids"]
        order = sorted(range(len(new)), key=lambda index: len(ids[index]), reverse=True)
        done = 0
        while done < len(order):
            longest = len(ids[order[done]])
            batch = order[done : done + max(1, _TOKENS_A_BATCH // longest)]
            for index, vector in zip(batch, self._embed([ids[index] for index in batch]), strict=True):
                self._known[new[index]] = vector
            done += len(batch)
            if progress is not None:
                progress(done, len(order))

    def _embed(self, ids: list[list[int]]) -> Array:
        padded = self._tokenizer.pad({"input_ids": ids}, return_tensors="pt").to(self._device)
        with torch.inference_mode():
            states = self._model(**padded, output_hidden_states=True).hidden_states
            mask = padded["attention_mask"].unsqueeze(-1)
            pooled = [(states[depth] * mask).sum(1) / mask.sum(1) for depth in self._depths]
            vectors: Array = torch.stack(pooled, dim=1).cpu().numpy()
        return vectors

    def __getitem__(self, text: str) -> Array:
        return self._known[text]
