"""Export the line classifier as an ONNX graph for any number of strips of any width, with its description."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from text_recognizer.inference.line_kind import GRAPH_FILE, INFO_FILE, INPUT_HEIGHT, KINDS, WIDTH_STEP, LineKindInfo
from text_recognizer.models.line_kind_network import LineKindNetwork
from text_recognizer.training.onnx_graphs import GraphInput, onnx_graph
from text_recognizer.utils.files import replace_atomically, sha256, write_json

# A line that is lost costs more than a printed one that is read, so only clear cases are left out.
MIN_WRITTEN = 0.2
NORMALISATION = "normalise_contrast; ink 1 on paper 0"


def export_line_kind(
    network: LineKindNetwork, folder: Path, temperature: float, trained_on: Sequence[str], metrics: dict[str, Any]
) -> LineKindInfo:
    """Write the graph and its description into `folder`. Equal weights give equal bytes.

    Raises ModelError if the export fails.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with replace_atomically(folder / GRAPH_FILE) as draft:
        draft.write_bytes(_graph(network.cpu().eval()))
    info = LineKindInfo(
        labels=KINDS,
        input_height=INPUT_HEIGHT,
        normalisation=NORMALISATION,
        temperature=temperature,
        min_written=MIN_WRITTEN,
        sha256=sha256(folder / GRAPH_FILE),
        trained_on=tuple(trained_on),
        metrics=metrics,
    )
    write_json(folder / INFO_FILE, info.model_dump())
    return info


def _graph(network: LineKindNetwork) -> bytes:
    strips, widths = torch.zeros(2, 1, INPUT_HEIGHT, 16 * WIDTH_STEP), torch.tensor([100, 128])
    count, steps = torch.export.Dim("strips_count"), torch.export.Dim("steps", min=2)
    inputs = (
        GraphInput("strips", strips, {0: count, 3: WIDTH_STEP * steps}),
        GraphInput("widths", widths, {0: count}),
    )
    return onnx_graph(network, inputs, ["logits"])
