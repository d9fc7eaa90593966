"""Export a network as an ONNX graph whose bytes depend on its weights alone."""

import logging
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from text_recognizer.core.errors import ModelError

Dimensions = dict[int, Any]  # the dimensions of an input that may vary, as `torch.export.Dim`


@dataclass(frozen=True)
class GraphInput:
    """An input of a graph: its name, an example, and its dimensions of any size."""

    name: str
    example: Tensor
    dimensions: Dimensions


def onnx_graph(network: nn.Module, inputs: Sequence[GraphInput], outputs: Sequence[str]) -> bytes:
    """Return the graph of a network, without the exporter's metadata. Equal weights give equal bytes.

    Raises ModelError if the export fails.
    """
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            network,
            tuple(one.example for one in inputs),
            dynamo=True,
            external_data=False,
            dynamic_shapes=tuple(one.dimensions for one in inputs),
            input_names=[one.name for one in inputs],
            output_names=list(outputs),
            verbose=False,
        )
    if program is None:
        raise ModelError("the model could not be exported to ONNX", "report which versions of torch and onnx you use")
    proto = program.model_proto
    del proto.metadata_props[:]
    for part in [*proto.graph.node, *proto.graph.value_info, *proto.graph.initializer, proto.graph]:
        del part.metadata_props[:]
        part.doc_string = ""
    graph: bytes = proto.SerializeToString(deterministic=True)
    return graph
