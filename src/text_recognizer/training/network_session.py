"""Run a network as the recognizer runs an exported graph, so that weights can be tried without exporting them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from text_recognizer.inference.recognizer import FEATURES, LOG_PROBABILITIES
from text_recognizer.models.paragraph_reader import ParagraphReader


@dataclass(frozen=True)
class SessionInput:
    """An input of the graph: its name and its shape, with the name of each dimension of any size."""

    name: str
    shape: tuple[int | str, ...]


class NetworkSession:
    """What a Recognizer uses of onnxruntime's session, computed by torch from a network in eval mode."""

    def __init__(self, network: ParagraphReader) -> None:
        self._network = network

    def get_inputs(self) -> list[SessionInput]:
        """Return the inputs of the exported graph."""
        channels = self._network.config.channels[-1]
        return [
            SessionInput("pictures", ("pages", 1, "rows", "columns")),
            SessionInput("sequences", ("lines", channels, "width")),
        ]

    @torch.no_grad()
    def run(self, outputs: Sequence[str], feeds: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        """Compute the outputs. Only the half of the network that they need is run."""
        computed: dict[str, torch.Tensor] = {}
        if FEATURES in outputs:
            pictures = torch.from_numpy(feeds["pictures"]).contiguous(memory_format=torch.channels_last)
            computed[FEATURES] = self._network.encode(pictures)[0]
        if LOG_PROBABILITIES in outputs:
            computed[LOG_PROBABILITIES] = self._network.read_lines(torch.from_numpy(feeds["sequences"]))
        return [computed[name].numpy() for name in outputs]
