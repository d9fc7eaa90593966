"""Export a trained torch model as a model folder: an ONNX graph, its weights, and its language model."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save
from torch import Tensor

from text_recognizer.core.charset import CHARSET
from text_recognizer.core.params import PreprocessSection
from text_recognizer.inference.beam_search import BeamSearchDecoder
from text_recognizer.inference.model_info import (
    GRAPH_FILE,
    INFO_FILE,
    LANGUAGE_FILE,
    WEIGHTS_FILE,
    LanguageInfo,
    ModelInfo,
)
from text_recognizer.inference.recognizer import LOG_PROBABILITIES, STRIPS
from text_recognizer.models.line_reader import LineReader
from text_recognizer.pages.strips import strip_height
from text_recognizer.training.onnx_graphs import GraphInput, onnx_graph
from text_recognizer.training.quantisation import quantised
from text_recognizer.utils.files import replace_atomically, sha256, write_json


def export(
    model: LineReader,
    preprocess: PreprocessSection,
    folder: Path,
    decoder: BeamSearchDecoder | None = None,
    examples: Sequence[np.ndarray] = (),
) -> ModelInfo:
    """Write `folder` completely or not at all. Equal arguments give equal bytes.

    The graph is quantised with the ranges that it has on `examples`, strips (L, 1, H, W) with 1 on ink; without any, it
    computes in float32.

    The model is moved to the CPU and put into eval mode. Its weights are rounded to half precision in place, because
    the folder keeps them so and the graph must compute with the same numbers. Raises ModelError if the export fails.
    """
    model = _rounded(model.cpu().eval())
    with replace_atomically(folder) as draft:
        draft.mkdir()
        state = {name: _half(tensor).contiguous() for name, tensor in model.state_dict().items()}
        (draft / WEIGHTS_FILE).write_bytes(save(state))
        graph = _graph(model, strip_height(preprocess.dpi))
        (draft / GRAPH_FILE).write_bytes(quantised(graph, examples) if examples else graph)
        info = ModelInfo(
            model_class=type(model).__name__,
            charset=CHARSET,
            canvas_height=preprocess.canvas_height,
            canvas_width=preprocess.canvas_width,
            dpi=preprocess.dpi,
            padding=preprocess.padding,
            binarise=preprocess.binarise,
            precision="int8" if examples else "float32",
            cell_height=model.grid.cell_height,
            cell_width=model.grid.cell_width,
            weights_sha256=sha256(draft / WEIGHTS_FILE),
            graph_sha256=sha256(draft / GRAPH_FILE),
            language=_write_language(decoder, draft / LANGUAGE_FILE) if decoder else None,
        )
        write_json(draft / INFO_FILE, info.model_dump())
    return info


def _write_language(decoder: BeamSearchDecoder, path: Path) -> LanguageInfo:
    decoder.ngram.save(path)
    return LanguageInfo(
        lm_weight=decoder.lm_weight,
        insertion_bonus=decoder.insertion_bonus,
        beam_width=decoder.beam_width,
        sha256=sha256(path),
        min_lm_share=decoder.min_lm_share,
    )


def _half(tensor: Tensor) -> Tensor:
    return tensor.half() if tensor.is_floating_point() else tensor


def _rounded(model: LineReader) -> LineReader:
    with torch.no_grad():
        for tensor in model.state_dict().values():
            tensor.copy_(_half(tensor))
    return model


def _graph(model: LineReader, height: int) -> bytes:
    """Return the graph for any number of strips of that height, of any width in whole cells."""
    cell = model.grid.cell_width
    strips = torch.zeros(2, 1, height, 16 * cell)
    lines, columns = map(torch.export.Dim, ("lines", "columns"))
    given = GraphInput(STRIPS, strips, {0: lines, 3: cell * columns})
    return onnx_graph(model, [given], [LOG_PROBABILITIES])
