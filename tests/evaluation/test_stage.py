"""The evaluate stage from a packed split and a real model to its three files."""

import csv
import json
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from text_recognizer.data.packed import PackedSplit, write_source
from text_recognizer.errors import DataError, ModelError
from text_recognizer.evaluation import evaluate
from text_recognizer.files import sha256
from text_recognizer.inference import Recognizer
from text_recognizer.inference.info import INFO_FILE


@pytest.fixture
def out(tmp_path):
    folder = tmp_path / "reports"
    names = {"score": "score.json", "pages": "pages.jsonl", "report": "report.html", "mistakes": "confusions.csv",
             "curves": "curves.csv"}  # fmt: skip
    return SimpleNamespace(folder=folder, **{name: folder / file for name, file in names.items()})


def run(processed, model, section, out):
    return evaluate(processed, model, section, out.score, out.pages, out.report, out.mistakes, out.curves)


def test_evaluate_writes_the_score_a_row_a_page_and_the_report(model, processed, section, out):
    score = run(processed, model, section, out)
    assert json.loads(out.score.read_text()) == score
    rows = [json.loads(line) for line in out.pages.read_text().splitlines()]
    packed = PackedSplit.open(processed, "test")
    assert [(row["id"], row["writer"], row["reference"]) for row in rows] == [
        (p.id, p.writer, p.text) for p in packed.pages
    ]
    assert out.report.read_text().startswith("<!doctype html>")
    assert sorted(path.name for path in out.folder.iterdir()) == [
        "confusions.csv",
        "pages.jsonl",
        "report.html",
        "score.json",
    ]


def test_the_rows_add_up_to_the_score(model, processed, section, out):
    score = run(processed, model, section, out)
    rows = [json.loads(line) for line in out.pages.read_text().splitlines()]
    assert sum(row["edits"] for row in rows) / sum(row["characters"] for row in rows) == score["cer"]
    assert max(rows, key=lambda row: row["cer"])["cer"] == next(r["cer"] for r in rows if r["id"] == score["worst"])


def test_the_table_of_mistakes_adds_up_to_the_edits_of_the_score(model, processed, section, out):
    score = run(processed, model, section, out)
    with out.mistakes.open(encoding="utf-8", newline="") as stream:
        table = [(row["true"], row["read"], int(row["count"])) for row in csv.DictReader(stream)]
    sums = {
        "substitutions": sum(count for true, read, count in table if true and read),
        "insertions": sum(count for true, _, count in table if not true),
        "deletions": sum(count for _, read, count in table if not read),
    }
    assert sums == {kind: score[kind] for kind in sums}
    assert sum(sums.values()) == sum(row["edits"] for row in score["by_writer"]) > 0
    assert all(len(true) <= 1 and len(read) <= 1 and true != read for true, read, _ in table)


def test_the_score_names_the_file_that_was_read_with(model, processed, section, out):
    assert run(processed, model, section, out)["model"] == sha256(model / INFO_FILE)


@pytest.mark.parametrize(("source", "kind"), [("iam", "iam"), ("my/pages.zip", "archive"), (None, None)])
def test_the_score_says_what_kind_of_source_its_pages_came_from(model, processed, section, out, source, kind):
    if source:
        write_source(processed, source)
    assert run(processed, model, section, out)["source"] == kind


@pytest.mark.parametrize("content", ["{", "[]", "{}", '"iam"'])
def test_a_pack_whose_source_cannot_be_read_is_not_scored(model, processed, section, out, content):
    (processed / "source.json").write_text(content)
    with pytest.raises(DataError, match="is damaged"):
        run(processed, model, section, out)


def test_a_second_evaluation_gives_the_same_bytes(model, processed, section, out):
    run(processed, model, section, out)
    first = [path.read_bytes() for path in (out.score, out.pages, out.report, out.mistakes)]
    run(processed, model, section, out)
    assert [path.read_bytes() for path in (out.score, out.pages, out.report, out.mistakes)] == first


def test_the_size_of_a_batch_does_not_change_the_readings(model, processed, section, out):
    run(processed, model, section, out)
    by_two = [json.loads(line)["prediction"] for line in out.pages.read_text().splitlines()]
    run(processed, model, section.model_copy(update={"batch_size": 5}), out)
    assert [json.loads(line)["prediction"] for line in out.pages.read_text().splitlines()] == by_two


def test_a_missing_split_leaves_the_old_files_as_they_were(model, tmp_path, section, out):
    out.folder.mkdir()
    out.score.write_text("old")
    with pytest.raises(DataError, match="does not exist"):
        run(tmp_path / "nowhere", model, section, out)
    assert [path.name for path in out.folder.iterdir()] == ["score.json"]
    assert out.score.read_text() == "old"


def test_a_split_of_another_size_is_refused_before_anything_is_written(model, processed, section, out):
    packed = PackedSplit.open(processed, "test")
    PackedSplit(np.array(packed.canvases[:, :48]), packed.pages).save(processed, "test")
    with pytest.raises(ModelError, match="canvases"):
        run(processed, model, section, out)
    assert not out.folder.exists()


def test_an_empty_split_is_refused_by_name(model, processed, section, out):
    packed = PackedSplit.open(processed, "test")
    np.save(processed / "test.npy", np.array(packed.canvases[:0]))
    (processed / "test.jsonl").write_text("")
    with pytest.raises(DataError, match="no page to score"):
        run(processed, model, section, out)


def test_reading_shows_its_progress(model, processed, section, out, capsys):
    run(processed, model, section, out)
    assert f"{len(PackedSplit.open(processed, 'test'))}/6" in capsys.readouterr().err


def test_evaluation_needs_no_torch():
    heavy = ["torch", "torchvision", "pytorch_lightning", "matplotlib", "pandas", "bentoml"]
    code = f"import sys, text_recognizer.evaluation; print(set({heavy}) & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("set()\n", "")


def test_the_model_is_loaded_once_and_left_as_it_was(model, processed, section, out):
    before = {path.name: sha256(path) for path in model.iterdir()}
    run(processed, model, section, out)
    assert {path.name: sha256(path) for path in model.iterdir()} == before
    assert Recognizer.load(model).digest == before[INFO_FILE]
