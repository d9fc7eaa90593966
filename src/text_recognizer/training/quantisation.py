"""Quantise an exported graph to 8-bit integers.

Reading takes little more than half of the time then, and the file a quarter of the space. Convolutions are quantised
statically, with the ranges that their inputs have on some strips; the LSTM dynamically (Jacob et al. 2018). Weights
have 7 bits, because processors without VNNI add two products in 16 bits.
"""

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_dynamic, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from text_recognizer.inference.recognizer import STRIPS

STATIC, DYNAMIC = ["Conv", "MaxPool", "Relu", "Add"], ["LSTM"]


class StripReader(CalibrationDataReader):
    """Give strips, each float32 (L, 1, H, W), one after the other to the measurement of the ranges."""

    def __init__(self, batches: Sequence[np.ndarray]) -> None:
        self._feeds: Iterator[dict[str, np.ndarray]] = iter([{STRIPS: strips} for strips in batches])

    def get_next(self) -> dict[str, np.ndarray] | None:
        """Return the next inputs of the graph."""
        return next(self._feeds, None)


def quantised(graph: bytes, batches: Sequence[np.ndarray]) -> bytes:
    """Return a graph that computes with 8-bit integers. Equal arguments give equal bytes.

    The ranges are measured on `batches` of strips, each float32 (L, 1, H, W), 1 on ink.
    """
    logging.getLogger().addFilter(_no_advice)
    try:
        with TemporaryDirectory() as folder:
            given, fused, static, whole = (Path(folder) / name for name in ("given", "fused", "static", "whole"))
            given.write_bytes(graph)
            quant_pre_process(given, fused, skip_symbolic_shape=True)
            quantize_static(
                fused, static, StripReader(batches), quant_format=QuantFormat.QDQ, op_types_to_quantize=STATIC,
                nodes_to_exclude=_bias_additions(fused), per_channel=True, reduce_range=True,
                activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
            )  # fmt: skip
            quantize_dynamic(static, whole, op_types_to_quantize=DYNAMIC, reduce_range=True)
            return whole.read_bytes()
    finally:
        logging.getLogger().removeFilter(_no_advice)


def _bias_additions(path: Path) -> list[str]:
    """Return the names of the nodes that add constants: the scores of the classes are not quantised."""
    graph = onnx.load(path).graph
    constants = {tensor.name for tensor in graph.initializer}
    return [node.name for node in graph.node if node.op_type == "Add" and constants.intersection(node.input)]


def _no_advice(record: logging.LogRecord) -> bool:
    """Drop onnxruntime's advice to prepare the graph, which was prepared."""
    return record.levelno > logging.WARNING
