"""The tutorials: their commands, run as they say on pages that are drawn here, and their parameters."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image
from tests.drawn import draw_words

from text_recognizer.core import config

ROOT = Path(__file__).parents[2]
READ, TRAIN = (ROOT / f"docs/tutorials/{name}.md" for name in ("read-your-pages", "train-on-your-archive"))
TEXTS = {"a": ("the cat sat", "seven letter garden"), "b": ("red ink and pen", "the dog")}
WRITTEN = {"texts": ".txt", "searchable": ".pdf", "xml": ".page.xml"}


def commands_of(tutorial):
    text = tutorial.read_text(encoding="utf-8")
    return [shlex.split(line) for line in re.findall(r"^text-recognizer (.*)$", text, re.MULTILINE)]


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
def test_the_commands_that_read_write_what_the_tutorial_says(command, folder):
    # Given the commands of the tutorial, in its order
    commands = commands_of(READ)
    assert [words[0] for words in commands] == ["read", "look", "read", "read", "read", "score"]
    # When they are run
    printed = []
    for words in commands:
        status, out, err = command(*words)
        assert status == 0, (words, err)
        printed.append(out)
    # Then the text is printed, and each file that the tutorial names is there
    assert "seven" in printed[0]
    names = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert {"photo.look.html", *(f"{place}/{page}{WRITTEN[place]}" for page in TEXTS for place in WRITTEN)} <= names
    assert re.search(r"^CER 0\.\d+", printed[-1], re.MULTILINE)


@pytest.mark.slow
def test_an_archive_with_lists_is_added_and_scored_as_the_tutorial_says(command, folder):
    # Given an archive that the lists divide, and the parameters as they are shipped
    for part, names in {"train": "a", "validation": "", "test": "b"}.items():
        (folder / f"letters/{part}.list").write_text(names, encoding="utf-8")
    (folder / "params.yaml").write_text((ROOT / "params.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    commands = [words for words in commands_of(TRAIN) if "/path/to/archive" in words and "--model" not in words]
    assert [words[0] for words in commands] == ["import", "import", "score"]
    # When the commands of the tutorial are run on it
    for words in commands:
        status, out, err = command(*("letters" if word == "/path/to/archive" else word for word in words))
        assert status == 0, (words, err)
    # Then it is one of the sources, and its test pages are scored
    added = config.load(folder / "params.yaml").data.sources[-1]
    assert (added.address, added.split) == ("letters", "lists")
    assert "on 1 pages" in out


def test_the_parameters_of_the_tutorial_fit_the_pretrained_reader(tmp_path):
    block = re.search(r"```yaml\n(.*?)```", TRAIN.read_text(encoding="utf-8"), re.DOTALL)[1]
    (tmp_path / "recipe.yaml").write_text(block, encoding="utf-8")
    (tmp_path / "params.yaml").write_text(config.merge_recipe(tmp_path / "recipe.yaml", ROOT / "params.yaml"))
    train = config.load(tmp_path / "params.yaml").train
    pretrained = yaml.safe_load((ROOT / "recipes/gpu.yaml").read_text(encoding="utf-8"))["train"]
    assert train.init_from == "models/pretrained"
    assert list(train.channels) == pretrained["channels"]
    assert (train.num_blocks, train.lstm_hidden) == (pretrained["num_blocks"], pretrained["lstm_hidden"])
