"""The documents name what exists, and the README all of it."""

import io
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from text_recognizer import cli, config
from text_recognizer.data.iam import IamArchive
from text_recognizer.preprocess import crop_form

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def test_the_make_targets_of_the_readme_are_those_of_the_makefile():
    named = set(re.findall(r"(?:`|^)make ([a-z-]+)", README, re.MULTILINE))
    assert named == set(re.findall(r"^([a-z-]+):.*## ", MAKEFILE, re.MULTILINE))


def test_the_commands_of_the_readme_are_those_of_the_command_line(capsys):
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    offered = set(re.findall(r"^    ([a-z]+)\b", capsys.readouterr().out, re.MULTILINE))
    assert set(re.findall(r"`text-recognizer ([a-z]+)", README)) == offered


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_into_the_project_leads_somewhere(document):
    targets = re.findall(r"\]\((?!https?:)([^)#]+)[^)]*\)", document.read_text(encoding="utf-8"))
    assert [target for target in targets if not (document.parent / target).exists()] == []


def test_the_smallest_form_of_the_documentation_can_be_cropped(tmp_path):
    # Given an archive with that XML, a blank page and one list
    text = (ROOT / "docs/your-own-pages.md").read_text(encoding="utf-8")
    xml = re.search(r"```xml\n(.*?)```", text, re.DOTALL).group(1)
    page = io.BytesIO()
    Image.fromarray(np.full((885, 620), 255, dtype=np.uint8)).save(page, "PNG")
    with zipfile.ZipFile(tmp_path / "mine.zip", "w") as archive:
        archive.writestr("xml/a01-000.xml", xml)
        archive.writestr("forms/a01-000.png", page.getvalue())
        for part in ("train", "validation", "test"):
            archive.writestr(f"aachen/{part}.txt", "a01-000\n" if part == "train" else "")
    # When it is read as the pipeline reads it
    with IamArchive(tmp_path / "mine.zip") as archive:
        splits = archive.splits("aachen")
        _, labels = crop_form(
            archive.form("a01-000"), archive.picture("a01-000"), config.load(ROOT / "params.yaml").preprocess
        )
    # Then the form is in its split, with its text and its line
    assert splits == {"train": ["a01-000"], "validation": [], "test": []}
    assert (labels.text, len(labels.boxes)) == ("A line of writing", 1)


def test_the_parameters_of_the_documentation_exist():
    text = (ROOT / "docs/your-own-pages.md").read_text(encoding="utf-8")
    params = config.load(ROOT / "params.yaml").model_dump(by_alias=True)
    named = re.findall(r"`(data|preprocess|train|validate|gate)\.(\w+)`", text)
    assert named
    assert [name for section, name in named if name not in params[section]] == []
