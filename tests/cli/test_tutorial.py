"""The commands of the tutorial "Read your pages", run as it says, on pages that are drawn here."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.drawn import draw_words

TUTORIAL = Path(__file__).parents[2] / "docs/tutorials/read-your-pages.md"
TEXTS = {"a": ("the cat sat", "seven letter garden"), "b": ("red ink and pen", "the dog")}
COMMANDS = [
    shlex.split(line) for line in re.findall(r"^text-recognizer (.*)$", TUTORIAL.read_text("utf-8"), re.MULTILINE)
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the pictures that the tutorial names: photo.jpg, and letters/ with texts beside the pictures."""
    folder = tmp_path_factory.mktemp("tutorial")
    (folder / "letters").mkdir()
    for name, lines in TEXTS.items():
        drawn_page(lines).save(folder / f"letters/{name}.jpg")
        (folder / f"letters/{name}.txt").write_text("\n".join(lines), encoding="utf-8")
    drawn_page(TEXTS["a"]).save(folder / "photo.jpg")
    return folder


def drawn_page(lines):
    page = np.full((150 * len(lines) + 60, 900), 255, np.uint8)
    for row, text in enumerate(lines):
        drawn = draw_words(text, seed=row)
        page[150 * row + 60 :][: drawn.shape[0], 60:][:, : drawn.shape[1]] = drawn[:, :840]
    return Image.fromarray(page)


@pytest.mark.slow
def test_the_commands_of_the_tutorial_write_what_it_says(command, folder):
    # Given the commands of the tutorial, in its order
    assert [words[0] for words in COMMANDS] == ["read", "look", "read", "read", "read", "score"]
    # When they are run
    printed = []
    for words in COMMANDS:
        status, out, err = command(*words)
        assert status == 0, (words, err)
        printed.append(out)
    # Then the text is printed, and each file that the tutorial names is there
    assert "seven" in printed[0]
    assert "photo.look.html" in {path.name for path in folder.iterdir()}
    names = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert {f"{place}/{page}{suffix}" for page in TEXTS for place, suffix in WRITTEN.items()} <= names
    assert re.search(r"^CER 0\.\d+", printed[-1], re.MULTILINE)


WRITTEN = {"texts": ".txt", "searchable": ".pdf", "xml": ".page.xml"}
