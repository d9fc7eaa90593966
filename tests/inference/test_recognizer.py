"""A model folder, whole or spoilt, and what it reads on pictures."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest

from text_recognizer import paths
from text_recognizer.errors import ModelError
from text_recognizer.files import sha256
from text_recognizer.images import place
from text_recognizer.inference import Recognizer
from text_recognizer.inference.reading import Reading
from text_recognizer.metrics import character_edits, error_rate

ROOT = Path(__file__).resolve().parents[2]
HEIGHT, WIDTH = 64, 128


@pytest.fixture(scope="module")
def recognizer(lively_model):
    return Recognizer.load(lively_model, threads=1)


@pytest.fixture
def folder(lively_model, tmp_path):
    """A copy of the model, to be spoilt."""
    return shutil.copytree(lively_model, tmp_path / "reader")


def refusal(folder):
    with pytest.raises(ModelError) as caught:
        Recognizer.load(folder)
    assert caught.value.fix
    return str(caught.value)


def change_info(folder, **values):
    path = folder / "reader.json"
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | values), encoding="utf-8")


def handwriting(height=260, width=400, ground=240, ink=20):
    """Two rows of strokes."""
    picture = np.full((height, width), ground, dtype=np.uint8)
    for top in (60, 160):
        for left in range(40, width - 40, 25):
            picture[top : top + 40, left : left + 6] = ink
            picture[top : top + 6, left : left + 18] = ink
    return picture


def test_only_the_written_part_of_a_canvas_is_read_and_it_says_the_same(pretrained, drawn, tmp_path):
    # Given the same reader, its graph as it was before, for canvases of one size
    whole = shutil.copytree(paths.PRETRAINED, tmp_path / "whole")
    graph = onnx.load(whole / "reader.onnx")
    sides = graph.graph.input[0].type.tensor_type.shape.dim[2:]
    for dimension, side in zip(sides, pretrained.info.canvas, strict=True):
        dimension.dim_value = side
    onnx.save(graph, whole / "reader.onnx")
    change_info(whole, graph_sha256=sha256(whole / "reader.onnx"))
    # When both read the page
    (expected,) = Recognizer.load(whole, threads=1).scored(drawn.canvases)
    (found,) = pretrained.scored(drawn.canvases)
    # Then one has fewer columns to read, and the lines lie and say the same
    assert found.log_probabilities.shape[1] < expected.log_probabilities.shape[1]
    np.testing.assert_allclose(found.centres, expected.centres, atol=0.05)
    assert pretrained.spelled(found).text == pretrained.spelled(expected).text


def test_a_picture_with_nothing_in_its_middle_is_read_at_a_size_that_suits_it(pretrained, drawn):
    # Given half a line of a page, and the same far below, so that filling the canvas would make them far too large
    canvas, (left, top, width, height) = drawn.canvases[0], drawn.pages[0].boxes[0]
    line = canvas[max(0, top - 8) : top + height + 8, left : left + width // 2]
    (expected,) = pretrained.read_canvases(place(line, pretrained.info.canvas, 1.0).canvas[None])
    gap = np.full((3 * len(line), line.shape[1]), 255, dtype=np.uint8)
    # When it is read as a picture
    found = pretrained.read(np.vstack([line, gap, line])).text.splitlines()
    # Then both say what they say at the size that they were drawn in
    assert len(expected.text) > 8
    assert len(found) == 2
    assert error_rate([character_edits(expected.text, text) for text in found]) < 0.2


def test_a_canvas_without_ink_is_read_as_nothing(pretrained):
    blank = np.full((2, *pretrained.info.canvas), 255, dtype=np.uint8)
    assert pretrained.read_canvases(blank) == [Reading.of([])] * 2


# --- loading


@pytest.mark.parametrize("missing", ["reader.json", "reader.onnx", "language.npz"])
def test_a_missing_file_is_named(folder, missing):
    (folder / missing).unlink()
    assert f"{folder / missing} does not exist" in refusal(folder)


def test_a_missing_folder_is_named(tmp_path):
    assert str(tmp_path / "none" / "reader.json") in refusal(tmp_path / "none")


def test_a_graph_that_was_changed_is_refused(folder):
    graph = folder / "reader.onnx"
    graph.write_bytes(graph.read_bytes() + b"\0")
    assert f"{graph} is not the file that reader.json names" in refusal(folder)


def test_a_graph_that_was_cut_short_is_refused(folder):
    graph = folder / "reader.onnx"
    graph.write_bytes(graph.read_bytes()[:1000])
    assert "digest differs" in refusal(folder)


def test_an_n_gram_that_was_changed_is_refused(folder):
    path = folder / "language.npz"
    path.write_bytes(path.read_bytes() + b"\0")
    assert f"{path} is not the file that reader.json names" in refusal(folder)


def test_a_model_for_another_charset_is_refused(folder):
    change_info(folder, charset=["a", "b"])
    assert "another charset" in refusal(folder)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"model_class": "ParagraphReader"}'],
    ids=["empty", "cut", "list", "null", "not UTF-8", "keys missing"],
)
def test_a_reader_json_that_describes_no_model_is_refused(folder, content):
    (folder / "reader.json").write_bytes(content)
    assert f"{folder / 'reader.json'} does not describe a model" in refusal(folder)


@pytest.mark.parametrize("change", [{"canvas_height": "tall"}, {"colour": "red"}], ids=["wrong type", "unknown key"])
def test_a_wrong_value_of_reader_json_is_named(folder, change):
    change_info(folder, **change)
    assert next(iter(change)) in refusal(folder)


def test_the_digest_is_that_of_reader_json_which_holds_those_of_the_other_files(recognizer, lively_model):
    assert recognizer.digest == sha256(lively_model / "reader.json")


# --- reading


def test_a_blank_page_is_read_as_nothing(recognizer):
    reading = recognizer.read(np.full((200, 300), 230, dtype=np.uint8))
    assert (reading.text, reading.lines, reading.confidence) == ("", (), 1.0)


@pytest.mark.parametrize("size", [(260, 400), (240, 3000), (1200, 200), (230, 120)])
def test_every_box_lies_inside_the_picture(recognizer, size):
    picture = handwriting(*size)
    for line in recognizer.read(picture).lines:
        x, y, width, height = line.box
        assert 0 <= x < x + width <= size[1]
        assert 0 <= y < y + height <= size[0]
        assert 0 < line.confidence <= 1


def test_the_lines_of_a_page_are_found(recognizer):
    assert recognizer.read(handwriting()).lines


def test_light_writing_on_a_dark_ground_reads_as_dark_writing_on_a_light_one(recognizer):
    picture = handwriting()
    assert recognizer.read(255 - picture) == recognizer.read(picture)


def test_a_page_is_read_the_same_in_any_company(recognizer):
    canvases = np.stack([handwriting(HEIGHT * 4, WIDTH * 4)[::4, ::4], np.full((HEIGHT, WIDTH), 255, dtype=np.uint8)])
    together = recognizer.read_canvases(np.tile(canvases, (10, 1, 1)))
    alone = [recognizer.read_canvases(canvas[None])[0] for canvas in canvases]
    for index, reading in enumerate(together):
        assert reading.text == alone[index % 2].text
        assert reading.confidence == pytest.approx(alone[index % 2].confidence, abs=1e-5)


def test_a_model_without_an_n_gram_reads_what_the_network_finds_likeliest(folder, lively_model):
    # Given the same network, once without its n-gram and once with one that has no say
    change_info(folder, language=None)
    greedy = Recognizer.load(folder).read(handwriting())
    settings = json.loads((lively_model / "reader.json").read_text(encoding="utf-8"))["language"]
    change_info(folder, language=settings | {"weight": 0.0, "bonus": -50.0})
    silent = Recognizer.load(folder).read(handwriting())
    # Then the first reads something, and the second, whose every character costs dearly, nothing
    assert greedy.text
    assert silent.text == ""


def test_canvases_of_another_size_are_refused(recognizer):
    with pytest.raises(ModelError, match=r"canvases of \(64, 128\), but got \(64, 96\)"):
        recognizer.read_canvases(np.zeros((1, 64, 96), dtype=np.uint8))


def test_no_canvases_give_no_readings(recognizer):
    assert recognizer.read_canvases(np.zeros((0, HEIGHT, WIDTH), dtype=np.uint8)) == []


def test_reading_needs_no_torch(lively_model):
    script = """
import sys
import numpy as np
from pathlib import Path
from text_recognizer.inference import Recognizer
Recognizer.load(Path(sys.argv[1])).read(np.tile(np.uint8([20, 240, 240, 240]), (100, 40)))
print([name for name in ("torch", "pytorch_lightning", "torchvision") if name in sys.modules])
"""
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, "-c", script, str(lively_model)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
