"""The score in a real offline run of Weights & Biases, read back from its files."""

import json
import struct
import time

import pytest
from wandb.proto.wandb_internal_pb2 import Record

from text_recognizer.evaluation.wandb_score import log_score
from text_recognizer.utils import wandb_runs
from text_recognizer.utils.files import sha256
from text_recognizer.utils.wandb_runs import RUN_FILE, load_run_id, open_run

BLOCK, HEAD = 32768, 7  # LevelDB's log: blocks of records, each after a header of checksum, length and kind
WHOLE, LAST = 1, 4
WRITTEN_WITHIN = 30  # seconds


def records(folder):
    """Return the messages in the `.wandb` file of a run's folder, which another process completes after the run."""
    deadline = time.monotonic() + WRITTEN_WITHIN
    found = list(written_records(folder))
    while not any(record.WhichOneof("record_type") == "exit" for record in found):
        assert time.monotonic() < deadline, "the file has no end"
        time.sleep(0.1)
        found = list(written_records(folder))
    return found


def written_records(folder):
    """Yield the messages that are in the file by now."""
    (path,) = folder.glob("run-*.wandb")
    content, text = path.read_bytes(), b""
    place = HEAD  # the file begins with a header of the same length
    while place + HEAD <= len(content):
        if BLOCK - place % BLOCK < HEAD:
            place += BLOCK - place % BLOCK
            continue
        _, length, kind = struct.unpack("<IHB", content[place : place + HEAD])
        if place + HEAD + length > len(content):
            return
        text += content[place + HEAD : place + HEAD + length]
        place += HEAD + length
        if kind in (WHOLE, LAST):
            yield Record.FromString(text)
            text = b""


def summary(folder):
    """Return the last value of each figure in the summary of a run."""
    updates = [item for record in records(folder) for item in record.summary.update]
    return {item.key or item.nested_key[0]: json.loads(item.value_json) for item in updates}


def name_of(folder):
    return next(record.run.run_id for record in records(folder) if record.run.run_id)


@pytest.fixture
def runs(tmp_path, monkeypatch):
    """List the folders of the offline runs, in the order in which they were made."""
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.chdir(tmp_path)
    return lambda: sorted(tmp_path.glob("wandb/*-run-*"), key=lambda folder: folder.stat().st_ctime_ns)


def test_a_score_is_logged_to_the_run_that_trained_the_model(evaluated, runs):
    # Given the run of a training, which has ended
    model, score, report = evaluated.model, evaluated.score, evaluated.files.report
    open_run(load_run_id(model), {"steps": 130}).finish()
    # When the score of its model is logged
    log_score(score, report, model)
    # Then it is in the same run, with its figures
    training, evaluation = runs()
    assert name_of(evaluation) == name_of(training) == load_run_id(model)
    figures = summary(evaluation)
    assert (figures["test/cer"], figures["test/wer"], figures["test/pages"]) == (score.cer, score.wer, score.pages)
    assert (figures["test/cer_low"], figures["test/cer_high"]) == score.cer_interval
    assert figures["test/calibration_error_of_words"] == score.calibration.ece_words
    # And with the report, and a row for each slice
    (page,) = evaluation.glob("files/media/html/**/*.html")
    assert sha256(page) == sha256(report)
    (table,) = evaluation.glob("files/media/table/**/*.json")
    rows = {row[1]: row for row in json.loads(table.read_text())["data"]}
    assert rows
    assert {name: row[4] for name, row in rows.items()} == {row.name: row.cer for row in score.slices}


@pytest.mark.parametrize("content", [None, "{", "[]", "{}", '{"run": ""}', '{"run": 7}'])
def test_the_score_of_a_model_that_names_no_run_is_not_logged(evaluated, copied, runs, content):
    model = copied(evaluated.model)
    (model / RUN_FILE).unlink()
    if content is not None:
        (model / RUN_FILE).write_text(content)
    log_score(evaluated.score, evaluated.files.report, model)
    assert runs() == []


def test_nothing_is_logged_if_wandb_is_disabled(evaluated, runs, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "disabled")
    log_score(evaluated.score, evaluated.files.report, evaluated.model)
    assert runs() == []


def test_if_the_server_does_not_answer_the_score_is_kept_on_disk_with_a_warning(evaluated, runs, monkeypatch, caplog):
    # Given a key, and the address of a server where nobody listens
    for name, value in {"MODE": "online", "API_KEY": "0" * 40, "BASE_URL": "http://127.0.0.1:9"}.items():
        monkeypatch.setenv(f"WANDB_{name}", value)
    monkeypatch.setattr(wandb_runs, "SERVER_TIMEOUT", 1.0)
    log_score(evaluated.score, evaluated.files.report, evaluated.model)
    kept = next(folder for folder in runs() if folder.name.startswith("offline"))
    assert summary(kept)["test/cer"] == evaluated.score.cer
    assert [record.levelname for record in caplog.records if record.name == wandb_runs.__name__] == ["WARNING"]
