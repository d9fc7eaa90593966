"""The outcome of a validation as a whole: what it counts, that it repeats, and that it is quiet."""

import json
from pathlib import Path

import pytest
import torch

from text_recognizer import config
from text_recognizer.data.iam import IamArchive
from text_recognizer.models import ParagraphReader
from text_recognizer.text import MAPPING
from text_recognizer.validation import validate

ROOT = Path(__file__).resolve().parents[2]
IAM = ROOT.parent / "shared/data/iam-subset/iamdb.zip"


def test_a_good_archive_passes_and_is_counted(corpus, check):
    outcome = check(corpus)

    assert outcome.passed
    assert outcome.summary["counts"] == {"forms": 7, "lines": 14, "writers": 4, "excluded": 0}
    assert outcome.summary["splits"] == {
        "train": {"forms": 3, "lines": 6, "writers": 2},
        "validation": {"forms": 2, "lines": 4, "writers": 1},
        "test": {"forms": 2, "lines": 4, "writers": 1},
    }


def test_the_same_archive_gives_the_same_summary_and_pages(corpus, check, site):
    corpus.files["xml/a01-001.xml"] = b"<form"

    first, pages = check(corpus).summary, {path.name: path.read_bytes() for path in site.rglob("*") if path.is_file()}
    second, again = check(corpus).summary, {path.name: path.read_bytes() for path in site.rglob("*") if path.is_file()}

    assert json.dumps(first) == json.dumps(second)
    assert pages == again


def test_every_row_says_what_it_checks_and_what_to_do(corpus, check):
    rows = check(corpus).summary["expectations"]

    assert len({row["name"] for row in rows}) == len(rows)
    assert all(row["fails_when"] and row["fix"] and row["rows"] > 0 for row in rows)


def test_the_terminal_shows_one_bar_and_nothing_of_the_library(corpus, check, capfd):
    check(corpus)

    printed = capfd.readouterr()
    assert printed.out == ""
    assert {line.split(":")[0] for line in printed.err.replace("\r", "\n").splitlines() if line} == {"validate"}


@pytest.mark.parametrize(("dpi", "width"), [(60, 144), (120, 288), (150, 288), (150, 144)])
def test_columns_are_counted_as_the_reader_makes_them(corpus, check, params, small_form, dpi, width):
    # Given a line that just fits a canvas, or just does not, by the columns that the reader itself has for it
    columns = ParagraphReader(len(MAPPING), (1, 1, 1, 1), 0.0, dpi=dpi).encode(torch.zeros(1, 1, 16, width))[1].shape[2]
    for length, fits in ((columns, True), (columns + 1, False)):
        text = ("ab" * columns)[:length]
        corpus.put(small_form("a01-000", "000", texts=[text], boxes=[(20, 100, 1160, 100)]))
        crops = params.preprocess.model_copy(update={"dpi": dpi, "canvas_width": width})
        rows = check(corpus, params.model_copy(update={"preprocess": crops})).summary["expectations"]
        (row,) = [row for row in rows if row["name"] == "line_fits_canvas"]
        assert (row["failed"] == 0) == fits


@pytest.mark.skipif(not IAM.exists(), reason=f"the real IAM subset is not at {IAM}")
def test_a_tenth_of_real_iam_passes_with_the_parameters_for_it(tmp_path):
    params = config.load(ROOT / "params.yaml")
    with IamArchive(IAM) as iam:
        ids = iam.form_ids
        held_out = iam.splits("aachen")
    kept = {*ids[::20], *held_out["validation"][:15], *held_out["test"][:15]}
    for_iam = params.model_copy(
        update={
            "data": params.data.model_copy(update={"split": "aachen", "exclude": tuple(sorted({*ids} - kept))}),
            "preprocess": params.preprocess.model_copy(update={"dpi": 75, "canvas_height": 576, "canvas_width": 640}),
        }
    )

    outcome = validate(IAM, for_iam, tmp_path / "data_docs")

    assert outcome.passed, outcome.table()
    assert outcome.summary["counts"]["forms"] == len(kept)
