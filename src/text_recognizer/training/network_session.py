"""Run a network as the recognizer runs an exported graph, so that weights can be tried without exporting them."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch

from text_recognizer.inference.recognizer import STRIPS
from text_recognizer.models.line_reader import LineReader


class NetworkSession:
    """What a Recognizer uses of onnxruntime's session, computed by torch from a network in eval mode."""

    def __init__(self, network: LineReader) -> None:
        self._network = network

    @torch.no_grad()
    def run(self, _outputs: Sequence[str], feeds: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        """Return the log-probabilities of strips, the one output of the graph."""
        return [self._network(torch.from_numpy(feeds[STRIPS])).numpy()]
