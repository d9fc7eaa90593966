"""`pack-lines` finds and reads the lines of pages with the real detector and the pretrained reader."""

from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from text_recognizer.core import config
from text_recognizer.corpora.packed_pages import PackedSplit

ROOT = Path(__file__).resolve().parents[2]
LINES = {"one": ("the table was covered", "with a white cloth"), "two": ("a garden with old trees", "near the river")}
SMALL = "preprocess: {dpi: 150, canvas_height: 192, canvas_width: 1280, line_height: 0}\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder with the parameters, and a folder of two rendered pages, one for each split."""
    (tmp_path / "recipe.yaml").write_text(SMALL)
    (tmp_path / "params.yaml").write_text(config.merge_recipe(tmp_path / "recipe.yaml", ROOT / "params.yaml"))
    monkeypatch.chdir(tmp_path)
    pages = tmp_path / "pages"
    pages.mkdir()
    for name, lines in LINES.items():
        picture = Image.new("L", (640, 260), 245)
        for row, line in enumerate(lines):
            ImageDraw.Draw(picture).text((40, 40 + 100 * row), line, font=ImageFont.load_default(44), fill=30)
        picture.save(pages / f"{name}.png")
        (pages / f"{name}.txt").write_text("\n".join(lines) + "\n")
    (pages / "validation.list").write_text("two\n")
    return tmp_path


def test_rendered_pages_are_packed_line_by_line(folder, command):
    status, out, err = command("pack-lines", "pages", "--seed", 3)

    assert status == 0, err
    assert "train: 2 lines of 1 pages on 1 canvases" in out
    for split, name in (("train", "one"), ("validation", "two")):
        packed = PackedSplit.open(folder / "data/processed", split)
        assert packed.canvases.shape == (1, 192, 1280)
        assert sorted(packed.texts[0].split("\n")) == sorted(LINES[name])
        for box in packed.pages[0].boxes:
            assert packed.canvases[0, box.y : box.bottom, box.x : box.right].min() < 100
    assert "read pages" in err


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (("nowhere",), "nowhere does not exist"),
        (("pages", "--page-share", 2), "--page-share"),
        (("pages", "--seed", -1), "--seed"),
        (("pages", "--validation", "pages/one.txt"), "not a complete zip"),
        (("pages", "--out", "pages"), "would be replaced"),
    ],
)
def test_mistakes_get_a_message(command, arguments, what):
    status, out, err = command("pack-lines", *arguments)
    assert (status, out) == (1, "")
    assert what in err
