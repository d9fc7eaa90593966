"""The score in a real offline run of Weights & Biases, read back from what lies on disk."""

import json
import shutil
import struct

import pytest
from wandb.proto.wandb_internal_pb2 import Record

from text_recognizer import logbook
from text_recognizer.evaluation import evaluate, log_score
from text_recognizer.files import sha256
from text_recognizer.logbook import RUN_FILE, open_run, run_of

BLOCK, HEAD = 32768, 7  # LevelDB's log: blocks of records, each after a checksum, a length and a kind
WHOLE, LAST = 1, 4


def records(folder):
    """What the `.wandb` file of a run's folder holds, as W&B's own messages."""
    (path,) = folder.glob("run-*.wandb")
    content, text = path.read_bytes(), b""
    place = HEAD  # the file begins with a head of its own, of the same length
    while place + HEAD <= len(content):
        if BLOCK - place % BLOCK < HEAD:
            place += BLOCK - place % BLOCK
            continue
        _, length, kind = struct.unpack("<IHB", content[place : place + HEAD])
        text += content[place + HEAD : place + HEAD + length]
        place += HEAD + length
        if kind in (WHOLE, LAST):
            yield Record.FromString(text)
            text = b""


def summary(folder):
    """The last value of each figure in the run's summary."""
    updates = [item for record in records(folder) for item in record.summary.update]
    return {item.key or item.nested_key[0]: json.loads(item.value_json) for item in updates}


def name_of(folder):
    return next(record.run.run_id for record in records(folder) if record.run.run_id)


@pytest.fixture
def scored(learn_to_read, printed_words, section, tmp_path):
    """The folder of a trained model, its score and its report."""
    model, report = shutil.copytree(learn_to_read(75), tmp_path / "reader"), tmp_path / "r.html"
    score = evaluate(printed_words, model, section, *(tmp_path / name for name in ("s", "p", "r.html", "m", "c")))
    return model, score, report


@pytest.fixture
def runs(tmp_path, monkeypatch):
    """The folders of the offline runs that were made, in their order."""
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.chdir(tmp_path)
    return lambda: sorted(tmp_path.glob("wandb/*-run-*"), key=lambda folder: folder.stat().st_ctime_ns)


def test_a_score_goes_to_the_run_that_trained_the_model(scored, runs):
    # Given the run of a training, which has ended
    model, score, report = scored
    open_run(run_of(model), {"steps": 75}).finish()
    # When its model is scored
    log_score(score, report, model)
    # Then what was logged is of the same run, and holds the figures
    training, evaluation = runs()
    assert name_of(evaluation) == name_of(training) == run_of(model)
    figures = summary(evaluation)
    assert {name: figures[f"test/{name}"] for name in ("cer", "wer", "pages")} == {
        name: score[name] for name in ("cer", "wer", "pages")
    }
    assert [figures["test/cer_low"], figures["test/cer_high"]] == score["cer_interval"]
    # And the report, and a row a slice
    (page,) = evaluation.glob("files/media/html/**/*.html")
    assert sha256(page) == sha256(report)
    (table,) = evaluation.glob("files/media/table/**/*.json")
    rows = {row[1]: row for row in json.loads(table.read_text())["data"]}
    assert {name: row[4] for name, row in rows.items()} == {row["name"]: row["cer"] for row in score["slices"]}


def test_a_model_that_does_not_name_its_run_is_logged_nowhere(scored, runs):
    model, score, report = scored
    for content in ("{", "[]", "{}", '{"run": ""}', '{"run": 7}'):
        (model / RUN_FILE).write_text(content)
        log_score(score, report, model)
    (model / RUN_FILE).unlink()
    log_score(score, report, model)
    assert runs() == []


def test_a_run_that_is_switched_off_is_logged_nowhere(scored, runs, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "disabled")
    model, score, report = scored
    log_score(score, report, model)
    assert runs() == []


def test_a_server_that_does_not_answer_leaves_the_score_on_disk_and_that_is_said(scored, runs, monkeypatch, capsys):
    # Given a key, and a server at whose address nobody listens
    for name, value in {"MODE": "online", "API_KEY": "0" * 40, "BASE_URL": "http://127.0.0.1:9"}.items():
        monkeypatch.setenv(f"WANDB_{name}", value)
    monkeypatch.setattr(logbook, "PATIENCE", 1.0)
    model, score, report = scored
    log_score(score, report, model)
    kept = next(folder for folder in runs() if folder.name.startswith("offline"))
    assert summary(kept)["test/cer"] == score["cer"]
    assert "`wandb sync` sends it" in capsys.readouterr().err
