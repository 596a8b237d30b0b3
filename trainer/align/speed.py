"""Two savings on CPU that leave every number as it is: no logits for prompt positions, and one pass through the frozen layers for policy and reference."""

from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel


def score_replies_only() -> None:
    """Let TRL's fused LM head project only positions with a label.

    TRL does so on GPUs alone, to keep shapes static elsewhere; here nothing is compiled, and the head costs as much as eight layers.
    """
    import trl.trainer.utils as utils

    utils._use_triton = lambda _device: True


class SharedTrunk:
    """Remembers the output of the layers below the first trained one for the last input.

    DPO runs the base model twice over each batch, with the adapter and without. Below the lowest LoRA both runs are the same, so the
    second one takes the first one's hidden states. Nothing is trained there, so no gradient is needed either.
    """

    def __init__(self, layers: nn.ModuleList, first_trained: int) -> None:
        self._input: Tensor | None = None
        self._output: Tensor | None = None
        self._known = False
        self._last = first_trained - 1
        for index in range(first_trained):
            layers[index].forward = self._wrap(index, layers[index].forward)

    def _wrap(self, index: int, forward: Any) -> Any:
        def wrapped(hidden: Tensor, *args: Any, **kwargs: Any) -> Tensor:
            if index == 0:
                before = self._input
                self._known = before is not None and before.shape == hidden.shape and torch.equal(before, hidden)
                if not self._known:
                    self._input = hidden.detach()
            if self._known:
                return self._output if index == self._last and self._output is not None else hidden
            with torch.no_grad():
                result: Tensor = forward(hidden, *args, **kwargs)
            if index == self._last:
                self._output = result
            return result

        return wrapped


def share_trunk(model: PreTrainedModel, top_layers: int | None) -> None:
    """Install a SharedTrunk under the top `top_layers` layers of a decoder whose layers stand in `model.model.layers`."""
    layers = getattr(getattr(model, "model", None), "layers", None)
    if top_layers is None or not isinstance(layers, nn.ModuleList) or top_layers >= len(layers):
        return
    SharedTrunk(layers, len(layers) - top_layers)
