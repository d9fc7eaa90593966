"""The evaluation of a packed split with a real model, from the canvases to the written files."""

import csv
import subprocess
import sys

import numpy as np
import pytest

from text_recognizer.core.errors import DataError
from text_recognizer.core.schemas import PageRow, Score
from text_recognizer.corpora.packed_pages import PackedSplit, write_source
from text_recognizer.evaluation.split_score import evaluate
from text_recognizer.inference import Recognizer
from text_recognizer.inference.model_info import INFO_FILE
from text_recognizer.utils.files import sha256

pytestmark = pytest.mark.slow


@pytest.fixture
def run(processed, model, section, out, tmp_path):
    """Evaluate the model on the packed split, with `section` or another one."""
    return lambda own=section: evaluate(processed, model, own, out, tmp_path / "curves.csv")


def rows_of(out):
    """The rows of the pages that were written."""
    return [PageRow.model_validate_json(line) for line in out.pages.read_text(encoding="utf-8").splitlines()]


def test_the_score_the_rows_of_the_pages_the_confusions_and_the_report_are_written(run, processed, out):
    score = run()
    assert Score.model_validate_json(out.score.read_bytes()) == score
    packed = PackedSplit.open(processed, "test")
    assert [(row.id, row.writer, row.reference) for row in rows_of(out)] == [
        (page.id, page.writer, page.text) for page in packed.pages
    ]
    assert out.report.read_text(encoding="utf-8").startswith("<!doctype html>")
    names = {"confusions.csv", "pages.jsonl", "report.html", "score.json"}
    assert {path.name for path in out.score.parent.iterdir()} == names


def test_the_rows_of_the_pages_add_up_to_the_score(run, out):
    score, rows = run(), rows_of(out)
    assert sum(row.edits for row in rows) / sum(row.characters for row in rows) == score.cer
    worst = next(row for row in rows if row.id == score.worst)
    assert worst.cer == max(row.cer for row in rows)


def test_the_counted_confusions_add_up_to_the_edits_of_the_score(run, out):
    score = run()
    with out.confusions.open(encoding="utf-8", newline="") as stream:
        table = [(row["true"], row["read"], int(row["count"])) for row in csv.DictReader(stream)]
    assert sum(count for true, read, count in table if true and read) == score.substitutions
    assert sum(count for true, _, count in table if not true) == score.insertions
    assert sum(count for _, read, count in table if not read) == score.deletions
    assert sum(count for _, _, count in table) == sum(row.edits for row in score.by_writer) > 0
    assert all(len(true) <= 1 and len(read) <= 1 and true != read for true, read, _ in table)


def test_the_score_names_the_model_by_the_digest_of_its_reader_json(run, model):
    score = run()
    assert score.model == score.provenance.reader == sha256(model / INFO_FILE)


@pytest.mark.parametrize(("source", "kind"), [("iam", "iam"), ("my/pages.zip", "archive"), (None, None)])
def test_the_score_names_the_kind_of_source_of_its_pages(run, processed, source, kind):
    if source:
        write_source(processed, source)
    assert run().source == kind


@pytest.mark.parametrize("content", ["{", "[]", "{}", '"iam"'])
def test_a_pack_with_a_damaged_source_file_is_not_scored(run, processed, out, content):
    (processed / "source.json").write_text(content)
    with pytest.raises(DataError):
        run()
    assert not out.score.exists()


def test_a_second_evaluation_writes_the_same_bytes(run, out):
    files = (out.score, out.pages, out.report, out.confusions)
    run()
    first = [path.read_bytes() for path in files]
    run()
    assert [path.read_bytes() for path in files] == first


def test_a_missing_split_leaves_the_old_files_unchanged(model, section, out, tmp_path):
    out.score.parent.mkdir()
    out.score.write_text("old")
    with pytest.raises(DataError) as caught:
        evaluate(tmp_path / "nowhere", model, section, out, tmp_path / "curves.csv")
    assert "nowhere" in caught.value.what
    assert [path.name for path in out.score.parent.iterdir()] == ["score.json"]
    assert out.score.read_text() == "old"


def test_an_empty_split_is_refused(run, processed):
    packed = PackedSplit.open(processed, "test")
    np.save(processed / "test.npy", np.array(packed.canvases[:0]))
    (processed / "test.jsonl").write_text("")
    with pytest.raises(DataError):
        run()


def test_a_progress_bar_counts_the_pages(run, capsys):
    run()
    assert "6/6" in capsys.readouterr().err


def test_evaluation_imports_no_heavy_package():
    heavy = ["torch", "torchvision", "pytorch_lightning", "matplotlib", "pandas", "bentoml"]
    code = f"import sys, text_recognizer.evaluation.verification; print(set({heavy}) & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("set()\n", "")


def test_evaluation_does_not_change_the_model(run, model):
    before = {path.name: sha256(path) for path in model.iterdir()}
    run()
    assert {path.name: sha256(path) for path in model.iterdir()} == before
    assert Recognizer.load(model).digest == before[INFO_FILE]
