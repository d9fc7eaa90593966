"""The documents name only what exists, and their commands can be run as they are written."""

import io
import re
import shlex
import zipfile
from pathlib import Path

import numpy as np
import pytest
from markdown_it import MarkdownIt
from PIL import Image

from text_recognizer.cli.entry_point import build_parser
from text_recognizer.core import config
from text_recognizer.core.geometry import Box
from text_recognizer.core.params import RENAMED, Params
from text_recognizer.corpora.iam import IamArchive
from text_recognizer.preprocess import crop_form
from text_recognizer.validation import crop_checks, line_crop_checks, suites

ROOT = Path(__file__).parents[1]
COMMANDS = (ROOT / "docs/commands.md").read_text(encoding="utf-8")
RECORDS = sorted((ROOT / "docs/adr").glob("*.md"))
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
SECTIONS = {field.alias or name: field.annotation for name, field in Params.model_fields.items()}
# Names in the documents that look like parameters: functions and attributes.
NOT_PARAMETERS = {"preprocess.pack", "preprocess.locally", "data.mapping"}
NOT_COMMANDS = {"mail"}  # `text-recognizer mail` is a notification block of Prefect


def names(document: Path) -> str:
    return str(document.relative_to(ROOT))


def anchors(document: Path) -> set[str]:
    """Return the anchors of a document's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_target_of_the_makefile_is_documented_and_no_other():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE))
    assert targets
    assert set(re.findall(r"(?:`|^)make ([a-z-]+)", COMMANDS, re.MULTILINE)) == targets


def code_lines(document: Path) -> list[str]:
    """Return the commands of ours in a document's blocks of code, without their comments and pipes."""
    blocks = MarkdownIt().parse(document.read_text(encoding="utf-8"))
    lines = [
        line.strip() for block in blocks if block.type in ("fence", "code_block") for line in block.content.split("\n")
    ]
    return [re.split(r"\s+#|\s[|>]\s|\s&&\s", line)[0] for line in lines if line.startswith("text-recognizer ")]


def test_the_documents_have_commands_to_check():
    assert sum(len(code_lines(document)) for document in DOCUMENTS) > 40


@pytest.mark.parametrize("document", DOCUMENTS, ids=names)
def test_every_command_in_a_block_of_code_is_accepted(document, capsys):
    refused = []
    for line in code_lines(document):
        try:
            build_parser().parse_args(shlex.split(line)[1:])
        except SystemExit:
            refused.append(f"{line}: {capsys.readouterr().err.splitlines()[-1]}")
    assert refused == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=names)
def test_every_command_and_option_in_a_sentence_exists(document, capsys):
    missing = []
    for command, rest in re.findall(r"`text-recognizer ([a-z][a-z-]*)([^`]*)`", document.read_text(encoding="utf-8")):
        if command in NOT_COMMANDS:
            continue
        with pytest.raises(SystemExit) as ended:
            build_parser().parse_args([command, "--help"])
        text = capsys.readouterr().out
        if ended.value.code or not set(re.findall(r"--[a-z-]+", rest)) <= set(re.findall(r"--[a-z-]+", text)):
            missing.append(f"{command}{rest}")
    assert missing == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=names)
def test_every_link_of_a_document_leads_to_a_file_and_a_heading(document):
    missing = []
    for target, anchor in re.findall(
        r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]*))?\)", document.read_text(encoding="utf-8")
    ):
        file = document.parent / target if target else document
        if not file.exists() or (anchor and anchor not in anchors(file)):
            missing.append(f"{target}#{anchor}")
    assert missing == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=names)
def test_every_source_file_that_a_document_names_exists(document):
    named = re.findall(r"`([\w/]+\.(?:py|yaml))`", document.read_text(encoding="utf-8"))
    places = (ROOT, ROOT / "src/text_recognizer", ROOT / "src/text_recognizer/validation", document.parent)
    assert [name for name in named if not any((place / name).exists() for place in places)] == []


def test_every_function_that_the_architecture_names_is_in_its_file():
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    # A file, then the functions and classes in it: `pages/strips.py`: `rectify`
    found = re.findall(r"`([\w/]+\.py)`[:,] ((?:`\w+`(?:, | and )?)+)", text)
    assert len(found) > 10
    missing = []
    for file, identifiers in found:
        path = next(place for place in (ROOT / "src/text_recognizer" / file, ROOT / file) if place.exists())
        code = path.read_text(encoding="utf-8")
        missing += [
            f"{file}: {name}"
            for name in re.findall(r"`(\w+)`", identifiers)
            if not re.search(rf"^(?:def|class) {name}\b|^{name}\b", code, re.MULTILINE)
        ]
    assert missing == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=names)
def test_every_parameter_that_a_document_names_exists(document):
    text = document.read_text(encoding="utf-8")
    named = set(re.findall(rf"`((?:{'|'.join(SECTIONS)})\.(?!py\b|npz\b|list\b)\w+)[`:]", text)) - NOT_PARAMETERS
    keys = {
        f"{section}.{field.alias or name}"
        for section, model in SECTIONS.items()
        for name, field in model.model_fields.items()
    }
    assert named <= keys


def test_the_changelog_lists_every_renamed_parameter():
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert RENAMED
    assert [name for pair in RENAMED.items() for name in pair if f"`{name}`" not in changelog] == []


def test_every_expectation_is_documented():
    params = config.load(ROOT / "params.yaml")
    some = (crop_checks.rules(params.preprocess), line_crop_checks.rules(params.preprocess))
    expectations = [rule.name for rules in (suites.rules(params), *some) for rule in rules]
    text = (ROOT / "docs/validation.md").read_text(encoding="utf-8")
    assert len(expectations) > 40
    assert [name for name in expectations if f"`{name}`" not in text] == []


@pytest.mark.parametrize("record", RECORDS, ids=names)
def test_a_decision_record_has_its_number_a_status_and_a_date(record):
    text = record.read_text(encoding="utf-8")
    assert text.startswith(f"# ADR {record.name[:4]}: ")
    assert re.search(r"^Status: (accepted|superseded)\. Date: \d{4}-\d{2}-\d{2}\.", text, re.MULTILINE)


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
    # When the pipeline's code reads and crops it
    with IamArchive(tmp_path / "mine.zip") as archive:
        splits, form = archive.splits("aachen"), archive.form("a01-000")
        _, labels = crop_form(form, archive.picture("a01-000"), config.load(ROOT / "params.yaml").preprocess)
    # Then the form is in its split, with its text and its line
    assert splits == {"train": ["a01-000"], "validation": [], "test": []}
    assert form.lines[0].box == Box(300, 700, 1500, 120)
    assert (labels.text, len(labels.boxes)) == ("A line of writing", 1)
