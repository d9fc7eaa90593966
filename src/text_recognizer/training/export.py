"""Export a trained torch model as a model folder: an ONNX graph, its weights, and its language model.

The names of the graph's inputs and outputs are part of published model folders, so they must stay as they are.
"""

from pathlib import Path

import torch
from safetensors.torch import save
from torch import Tensor, nn

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
from text_recognizer.models.paragraph_reader import ParagraphReader
from text_recognizer.training.onnx_graphs import GraphInput, onnx_graph
from text_recognizer.utils.files import replace_atomically, sha256, write_json


def export(
    model: ParagraphReader, preprocess: PreprocessSection, folder: Path, decoder: BeamSearchDecoder | None = None
) -> ModelInfo:
    """Write `folder` completely or not at all. Equal weights give equal bytes.

    The model is moved to the CPU and put into eval mode. Its weights are rounded to half precision in place, because
    the folder keeps them so and the graph must compute with the same numbers. Raises ModelError if the export fails.
    """
    model = _rounded(model.cpu().eval())
    canvas = preprocess.canvas_height, preprocess.canvas_width
    with replace_atomically(folder) as draft:
        draft.mkdir()
        state = {name: _half(tensor).contiguous() for name, tensor in model.state_dict().items()}
        (draft / WEIGHTS_FILE).write_bytes(save(state))
        _write_graph(model, canvas, draft / GRAPH_FILE)
        info = ModelInfo(
            model_class=type(model).__name__,
            charset=CHARSET,
            canvas_height=canvas[0],
            canvas_width=canvas[1],
            dpi=preprocess.dpi,
            padding=preprocess.padding,
            binarise=preprocess.binarise,
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


class Graph(nn.Module):
    """Both halves of the reader in one graph: pictures to features, and lines, at least one, to log-probabilities.

    onnxruntime computes all of a graph, so it holds nothing that reading does not need.
    """

    def __init__(self, model: ParagraphReader) -> None:
        super().__init__()
        self.model = model

    def forward(self, pictures: Tensor, sequences: Tensor) -> tuple[Tensor, Tensor]:
        features, _ = self.model.encode(pictures)
        return features, self.model.read_lines(sequences)


def _half(tensor: Tensor) -> Tensor:
    return tensor.half() if tensor.is_floating_point() else tensor


def _rounded(model: ParagraphReader) -> ParagraphReader:
    with torch.no_grad():
        for tensor in model.state_dict().values():
            tensor.copy_(_half(tensor))
    return model


def _write_graph(model: ParagraphReader, canvas: tuple[int, int], path: Path) -> None:
    """Write a graph for any number of lines, and of pages of any size in whole cells, without exporter metadata."""
    cell = model.grid.cell_height, model.grid.cell_width
    pictures = torch.zeros(2, 1, *(-(-side // step) * step for side, step in zip(canvas, cell, strict=True)))
    sequences = model.encode(pictures)[0][:, :, 0].detach()
    pages, lines, rows, columns, width = map(torch.export.Dim, ("pages", "lines", "rows", "columns", "width"))
    inputs = (
        GraphInput("pictures", pictures, {0: pages, 2: cell[0] * rows, 3: cell[1] * columns}),
        GraphInput("sequences", sequences, {0: lines, 2: width}),
    )
    path.write_bytes(onnx_graph(Graph(model).eval(), inputs, ["features", "log_probabilities"]))
