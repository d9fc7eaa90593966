"""The outcome of a validation: its counts, its rows, its files, and what it prints."""

from pathlib import Path

import pytest
import torch
from tests.sources import data_of, entry_of, page_source

from text_recognizer.core.geometry import Box
from text_recognizer.core.schemas import ValidationSummary
from text_recognizer.corpora.iam import Form, IamArchive, Line
from text_recognizer.models.line_reader import LineReader, ReaderConfig
from text_recognizer.utils.files import json_text
from text_recognizer.validation import validate
from text_recognizer.validation.form_tables import line_rows

IAM = Path(__file__).resolve().parents[3] / "shared/data/iam-subset/iamdb.zip"


def test_an_archive_without_faults_passes_and_is_counted(good):
    summary = good.outcome.summary

    assert summary.passed
    assert summary.counts.model_dump() == {"forms": 7, "lines": 14, "writers": 4, "excluded": 0}
    assert {name: split.model_dump() for name, split in summary.splits.items()} == {
        "train": {"forms": 3, "lines": 6, "writers": 2},
        "validation": {"forms": 2, "lines": 4, "writers": 1},
        "test": {"forms": 2, "lines": 4, "writers": 1},
    }
    assert len({row.name for row in summary.expectations}) == len(summary.expectations)
    assert all(row.fails_when and row.fix and row.rows > 0 for row in summary.expectations)


@pytest.mark.slow
def test_the_same_archive_gives_the_same_files_and_prints_one_progress_bar(corpus, check_with_docs, site, capfd):
    corpus.files["xml/a01-001.xml"] = b"<form"
    corpus.files["forms/a01-002.png"] = b"no picture"

    def run():
        summary = check_with_docs(corpus).summary
        text = json_text(summary.model_dump(mode="json"))
        assert ValidationSummary.model_validate_json(text) == summary
        return text, {path.name: path.read_bytes() for path in site.rglob("*") if path.is_file()}

    first, again = run(), run()

    assert first == again
    printed = capfd.readouterr()
    assert printed.out == ""
    assert {line.split(":")[0] for line in printed.err.replace("\r", "\n").splitlines() if line} == {"validate"}


def test_the_keys_of_the_summary_stay_those_that_its_readers_know(good):
    assert sorted(good.outcome.summary.model_dump(mode="json")) == [
        "audit", "counts", "drift", "expectations", "feedback", "forms_at_fault", "passed", "sha256", "sources",
        "split", "splits",
    ]  # fmt: skip


@pytest.mark.parametrize(("dpi", "width"), [(60, 144), (120, 288), (150, 288), (150, 144)])
def test_columns_are_counted_as_the_reader_makes_them(params, dpi, width):
    # Given lines that just fit a canvas, or just do not, by the number of columns that the reader itself has for it
    reader = LineReader(ReaderConfig(num_classes=2, channels=(1, 1, 1, 1), dpi=dpi))
    columns = reader.encode(torch.zeros(1, 1, 16, width)).shape[2]
    section = params.preprocess.model_copy(update={"dpi": dpi, "canvas_width": width})
    texts = [("ab" * columns)[:length] for length in (columns, columns + 1)]
    lines = tuple(Line(f"a01-000-0{n}", text, Box(20, 100, 1160, 100), "ok") for n, text in enumerate(texts))

    rows = line_rows("a01-000", Form("a01-000", "w0", 1200, 800, lines), section)

    assert [row.spare_on_canvas for row in rows] == [0, -1]


@pytest.mark.skipif(not IAM.exists(), reason=f"the real IAM subset is not at {IAM}")
@pytest.mark.slow
def test_a_tenth_of_the_real_iam_passes_with_the_parameters_for_it(shipped, tmp_path):
    with IamArchive(IAM) as iam:
        ids = iam.form_ids
        held_out = iam.splits("aachen")
    kept = {*ids[::20], *held_out["validation"][:15], *held_out["test"][:15]}
    for_iam = shipped.model_copy(
        update={
            "data": data_of(entry_of(IAM, "aachen"), exclude=sorted({*ids} - kept)),
            "preprocess": shipped.preprocess.model_copy(update={"dpi": 75, "canvas_height": 576, "canvas_width": 640}),
        }
    )

    outcome = validate([page_source(IAM, "aachen")], for_iam, tmp_path / "data_docs")

    assert outcome.passed, outcome.table()
    assert outcome.summary.counts.forms == len(kept)
