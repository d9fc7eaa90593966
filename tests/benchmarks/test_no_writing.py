"""Pictures without handwriting: they are drawn again by their seed, summed up by class, and read as nothing."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from text_recognizer.benchmarks.no_writing import InventedText, class_of, main, pictures_of_folder, rows_of
from text_recognizer.benchmarks.no_writing_pictures import draw_pictures, fonts_of, printed_page
from text_recognizer.benchmarks.sample_pages import composed_pages
from text_recognizer.core.errors import ConfigError
from text_recognizer.inference.recognizer import Recognizer

pytestmark = pytest.mark.slow

WHITE = 255


@pytest.fixture(scope="module")
def reader():
    return Recognizer.load(threads=1)


def _typeset(name):
    folder = Path(pytest.importorskip("matplotlib").get_data_path()) / "fonts" / "ttf"
    return printed_page(np.random.default_rng(5), [folder / name])[:500]


def _hatched():
    page = np.full((400, 500, 3), WHITE, np.uint8)
    for at in range(-400, 500, 9):
        cv2.line(page, (at, 0), (at + 400, 400), (40, 40, 40), 1, cv2.LINE_AA)
    return page


def _grid():
    page = np.full((400, 500, 3), WHITE, np.uint8)
    page[::25], page[:, ::25] = (150, 170, 220), (150, 170, 220)
    return page


def _noise():
    return np.random.default_rng(3).integers(0, 256, (400, 500, 3), dtype=np.uint8)


PICTURES = {
    "serif": lambda: _typeset("DejaVuSerif.ttf"),
    "italic": lambda: _typeset("STIXGeneralItalic.ttf"),
    "monospaced": lambda: _typeset("cmtt10.ttf"),
    "strokes": lambda: printed_page(np.random.default_rng(1))[:500],
    "hatching": _hatched,
    "grid": _grid,
    "noise": _noise,
    "empty": lambda: np.full((400, 500, 3), 240, np.uint8),
}


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_without_writing_gives_no_text(reader, name):
    assert reader.read(PICTURES[name]()).text == ""


def test_the_print_of_those_pictures_can_be_read_on_demand(reader):
    assert len(reader.reader.read(PICTURES["serif"](), printed=True).text) > 100


def test_written_lines_stay(reader):
    for page, lines in zip(composed_pages((1, 4)), (1, 4), strict=True):
        assert len(reader.read(page.rgb).lines) == lines


def test_drawn_pictures_repeat_and_differ():
    first, again = (list(draw_pictures(2, seed=4)) for _ in range(2))
    other = list(draw_pictures(2, seed=5))
    assert len({one.kind for one in first}) == 5
    assert all(np.array_equal(a.rgb, b.rgb) for a, b in zip(first, again, strict=True))
    assert not any(np.array_equal(a.rgb, b.rgb) for a, b in zip(first, other, strict=True))
    assert {one.rgb.dtype for one in first} == {np.dtype(np.uint8)}


def test_rows_sum_up_by_class():
    texts = [InventedText("a_1", "a", "two\nlines"), InventedText("a_2", "a", ""), InventedText("b_1", "b", "")]
    a, b, total = rows_of(texts)
    assert (a.pictures, a.with_text, a.lines, a.characters, a.names) == (2, 1, 2, 9, ("a_1",))
    assert (b.pictures, b.with_text, b.characters) == (1, 0, 0)
    assert (total.kind, total.pictures, total.with_text) == ("all", 3, 1)


def test_the_class_is_the_name_without_its_number():
    names = ("scene_07.jpg", "map-2.png", "logo.png", "12.png")
    assert [class_of(Path(name)) for name in names] == ["scene", "map", "logo", "12"]


def test_pictures_with_text_are_left_out(tmp_path):
    for name in ("a_1", "a_2", "b_1"):
        Image.new("L", (80, 80), WHITE).save(tmp_path / f"{name}.png")
    (tmp_path / "a_2.txt").write_text("written")
    (tmp_path / "b_1.txt").write_text("\n")
    assert [(one.kind, one.name) for one in pictures_of_folder(tmp_path)] == [("a", "a_1.png"), ("b", "b_1.png")]
    (tmp_path / "a_1.txt").write_text("written")
    (tmp_path / "b_1.txt").write_text("written")
    with pytest.raises(ConfigError):
        list(pictures_of_folder(tmp_path))


def test_the_command_draws_and_measures(tmp_path, capsys):
    assert main(["--draw", str(tmp_path / "drawn"), "--count", "1"]) == 0
    drawn = sorted(path.name for path in (tmp_path / "drawn").iterdir())
    assert drawn == ["chart_00.png", "clouds_00.png", "mosaic_00.png", "paper_00.png", "printed_00.png"]
    for name in drawn[1:]:
        (tmp_path / "drawn" / name).unlink()
    assert main([str(tmp_path / "drawn"), "--out", str(tmp_path / "out.json")]) == 0
    rows = json.loads((tmp_path / "out.json").read_text())["rows"]
    assert [row["kind"] for row in rows] == ["chart", "all"]
    assert "| chart | 1 |" in capsys.readouterr().out


def test_fonts_are_found_below_a_folder(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.ttf").touch()
    (tmp_path / "b.txt").touch()
    assert fonts_of(tmp_path) == [tmp_path / "deep" / "a.ttf"]
    assert fonts_of(None) == []
