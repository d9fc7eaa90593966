"""A model folder, whole or damaged, and what it reads on pictures."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from text_recognizer.core.errors import ModelError
from text_recognizer.core.metrics import character_edits, error_rate
from text_recognizer.inference import Recognizer
from text_recognizer.inference.recognizer import MAX_BATCH, _batches, to_rgb
from text_recognizer.inference.transcription import Calibration
from text_recognizer.pages.strips import STRIP_DPI
from text_recognizer.utils.files import sha256

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def recognizer(responsive_model):
    return Recognizer.load(responsive_model, threads=1)


@pytest.fixture
def folder(responsive_model, tmp_path):
    """A copy of the model that a test may damage."""
    return shutil.copytree(responsive_model, tmp_path / "reader")


def refusal(folder):
    """Load a model that must be refused, and return the error."""
    with pytest.raises(ModelError) as caught:
        Recognizer.load(folder)
    assert caught.value.fix
    return caught.value.what


def change_info(folder, **values):
    path = folder / "reader.json"
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | values), encoding="utf-8")


def strokes(height=260, width=400, paper=240, ink=20):
    """A picture of two rows of strokes."""
    picture = np.full((height, width), paper, dtype=np.uint8)
    for top in (60, 160):
        for left in range(40, width - 40, 25):
            picture[top : top + 40, left : left + 6] = ink
            picture[top : top + 6, left : left + 18] = ink
    return picture


# --- loading


@pytest.mark.parametrize("missing", ["reader.json", "reader.onnx", "language.npz"])
def test_a_missing_file_is_named(folder, missing):
    (folder / missing).unlink()
    assert str(folder / missing) in refusal(folder)


def test_a_missing_folder_is_named(tmp_path):
    assert str(tmp_path / "none" / "reader.json") in refusal(tmp_path / "none")


@pytest.mark.parametrize("name", ["reader.onnx", "language.npz"])
@pytest.mark.parametrize("damage", [lambda content: content + b"\0", lambda content: content[:1000]], ids=["+", "-"])
def test_a_file_with_another_digest_than_reader_json_states_is_named(folder, name, damage):
    path = folder / name
    path.write_bytes(damage(path.read_bytes()))
    assert str(path) in refusal(folder)


def test_a_model_for_another_charset_is_refused(folder):
    change_info(folder, charset=["a", "b"])
    assert "charset" in refusal(folder)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"model_class": "LineReader"}'],
    ids=["empty", "cut", "list", "null", "not UTF-8", "keys missing"],
)
def test_a_reader_json_that_describes_no_model_is_named(folder, content):
    (folder / "reader.json").write_bytes(content)
    assert str(folder / "reader.json") in refusal(folder)


@pytest.mark.parametrize("change", [{"canvas_height": "tall"}, {"colour": "red"}], ids=["wrong type", "unknown key"])
def test_a_wrong_value_of_reader_json_is_named(folder, change):
    change_info(folder, **change)
    assert next(iter(change)) in refusal(folder)


@pytest.mark.parametrize(
    ("change", "present"),
    [({"power": 0.5}, "exponent"), ({"language": {"weight": 0.3}}, "language.lm_weight")],
    ids=["calibration", "language model"],
)
def test_a_key_of_an_earlier_version_is_refused_with_its_present_name(folder, change, present):
    change_info(folder, **change)
    assert present in refusal(folder)


def test_the_digest_is_that_of_reader_json(recognizer, responsive_model):
    assert recognizer.digest == sha256(responsive_model / "reader.json")


# --- reading


def test_a_blank_picture_has_an_empty_transcription(recognizer):
    found = recognizer.read(np.full((200, 300), 230, dtype=np.uint8))
    assert (found.text, found.lines, found.confidence) == ("", (), 1.0)


@pytest.mark.parametrize("quarters", range(4))
@pytest.mark.slow
def test_a_turned_page_is_read_and_every_box_lies_inside_the_picture(pretrained, drawn, quarters):
    # Given the upper lines of a page, cut through letters at three edges
    picture = np.rot90(drawn.canvases[0][20:365, 60:700], quarters)
    # When it lies on a side or on its head
    found = pretrained.read(np.ascontiguousarray(picture))
    # Then the turn that makes it upright is found
    assert found.geometry.turn == 90 * quarters
    assert len(found.lines) >= 3
    height, width = picture.shape
    for line in found.lines:
        for box in (line.box, *line.word_boxes):
            assert 0 <= box.x < box.right <= width
            assert 0 <= box.y < box.bottom <= height
        assert 0 < line.confidence <= 1


@pytest.mark.slow
def test_light_writing_on_dark_paper_is_read_as_dark_writing_on_light_paper(pretrained, drawn):
    picture = np.pad(drawn.canvases[0][:365], 60, constant_values=255)
    dark, light = pretrained.read(picture), pretrained.read(255 - picture)
    assert len(dark.lines) == len(light.lines) >= 3
    assert error_rate([character_edits(dark.text, light.text)]) < 0.1


def test_strips_are_batched_with_others_of_similar_width():
    widths = [100, 1000, 110, 90, 1200, *[500] * (MAX_BATCH + 1)]
    batches = _batches(widths)
    assert sorted(index for batch in batches for index in batch) == list(range(len(widths)))
    assert [[widths[index] for index in batch] for batch in batches] == [
        [90, 100, 110],
        [500] * MAX_BATCH,
        [500],
        [1000, 1200],
    ]


def test_strips_are_scored_in_their_order_and_length(recognizer):
    strips = [np.full((96, width), 255, dtype=np.uint8) for width in (300, 80, 640, 90)]
    strips[2][40:56, 100:400:20] = 0
    scores = recognizer.score_strips(strips)
    shrunk = [round(strip.shape[1] * recognizer.info.dpi / STRIP_DPI) for strip in strips]
    assert [len(score) for score in scores] == [width // recognizer.info.grid.cell_width for width in shrunk]
    np.testing.assert_allclose(scores[2], recognizer.score_strips(strips[2:3])[0], atol=1e-5)


def test_a_model_without_a_language_model_takes_the_best_path_of_the_network(folder, responsive_model):
    # Given the same network, without its language model and with one whose insertion bonus forbids every character
    change_info(folder, language=None)
    scores = Recognizer.load(folder).score_strips([strokes()[40:136, :]])
    (greedy,) = Recognizer.load(folder).decode_lines(scores)
    settings = json.loads((responsive_model / "reader.json").read_text(encoding="utf-8"))["language"]
    change_info(folder, language=settings | {"lm_weight": 0.0, "insertion_bonus": -50.0})
    (silent,) = Recognizer.load(folder).decode_lines(scores)
    # Then the first reads something, and the second nothing
    assert greedy.path.tolist() == scores[0].argmax(axis=1).tolist()
    assert greedy.characters()
    assert silent.characters() == []


def test_another_calibration_changes_the_confidences_of_a_page_and_nothing_else(pretrained, drawn):
    traced = pretrained.reader.trace(to_rgb(drawn.canvases[0][20:365, 60:700]))
    own, other = traced.transcription, traced.calibrated(Calibration(5.0, 1.0))
    assert traced.calibrated(pretrained.info.calibration) == own
    assert [line.text for line in other.lines] == [line.text for line in own.lines]
    assert other.confidence < own.confidence
    assert all(ours.characters != theirs.characters for ours, theirs in zip(own.lines, other.lines, strict=True))
    assert other.geometry == own.geometry


def test_reading_needs_no_torch(responsive_model):
    script = """
import sys
import numpy as np
from pathlib import Path
from text_recognizer.inference import Recognizer
Recognizer.load(Path(sys.argv[1])).read(np.tile(np.uint8([20, 240, 240, 240]), (100, 40)))
print([name for name in ("torch", "pytorch_lightning", "torchvision") if name in sys.modules])
"""
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, "-c", script, str(responsive_model)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
