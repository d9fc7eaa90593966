"""Verification: an unchanged score holds; a changed label, weight, parameter or figure is found by its name."""

import dataclasses
import json
import os
import re
import signal
import zipfile
from pathlib import Path

import numpy as np
import onnx
import pytest
import yaml
from onnx import numpy_helper

from text_recognizer.cli import main
from text_recognizer.core import config
from text_recognizer.core.errors import DataError
from text_recognizer.core.params import EvaluateSection
from text_recognizer.core.schemas import Score
from text_recognizer.corpora.packed_pages import PackedSplit, write_source
from text_recognizer.evaluation.provenance import nearly_equal, score_digest
from text_recognizer.evaluation.split_score import ScoreFiles, evaluate
from text_recognizer.evaluation.verification import failed_checks, read_score, table, verify
from text_recognizer.utils.files import sha256, write_json

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def packed(written_words):
    return PackedSplit.open(written_words, "test")


@pytest.fixture(scope="module")
def parameters(evaluated):
    """The parameters that the score was computed with."""
    return EvaluateSection(**evaluated.score.provenance.parameters)


@pytest.fixture
def failures(evaluated, packed, parameters):
    """Verify the score, with some inputs replaced, and return the details of the checks that failed, by name."""

    def run(score=evaluated.files.score, model=evaluated.model, pages=packed, section=parameters):
        return {check.name: check.detail for check in failed_checks(verify(score, model, pages, section))}

    return run


def test_an_unchanged_score_holds(evaluated, packed, parameters):
    checks = verify(evaluated.files.score, evaluated.model, packed, parameters)
    assert failed_checks(checks) == []
    assert table(checks).endswith("the score holds")
    assert {"data", "weights", "parameters", "charset", "cer", "robustness"} <= {check.name for check in checks}
    assert {check.name for check in checks} >= Score.model_fields.keys() - {"provenance", "sha256"}


def test_a_changed_label_is_found(failures, packed):
    pages = list(packed.pages)
    pages[3] = dataclasses.replace(pages[3], text=pages[3].text.upper())
    found = failures(pages=PackedSplit(packed.canvases, tuple(pages)))
    assert {"data", "labels", "cer"} <= found.keys()
    assert "split" not in found


def test_a_changed_pixel_is_found(failures, packed):
    canvases = np.array(packed.canvases)
    canvases[0, 0, 0] ^= 1
    assert "data" in failures(pages=PackedSplit(canvases, packed.pages))


def test_a_changed_weight_is_found_even_if_reader_json_states_the_new_digest(failures, evaluated, copied):
    folder = copied(evaluated.model)
    graph = onnx.load(folder / "reader.onnx")
    tensor = max(graph.graph.initializer, key=lambda one: np.prod(one.dims))
    values = numpy_helper.to_array(tensor).copy()
    values.flat[0] += 1  # an 8-bit integer
    tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
    onnx.save(graph, folder / "reader.onnx")
    info = json.loads((folder / "reader.json").read_text())
    (folder / "reader.json").write_text(json.dumps(info | {"graph_sha256": sha256(folder / "reader.onnx")}))
    assert {"graph", "reader", "model"} <= failures(model=folder).keys()


def test_a_changed_file_of_training_weights_is_found(failures, evaluated, copied):
    folder = copied(evaluated.model)
    with (folder / "weights.safetensors").open("ab") as stream:
        stream.write(b"\0")
    assert list(failures(model=folder)) == ["weights"]


@pytest.mark.parametrize(("name", "value"), [("resamples", 101), ("seed", 2), ("level", 0.9)])
def test_a_changed_parameter_is_found_by_its_name(failures, parameters, name, value):
    found = failures(section=parameters.model_copy(update={name: value}))
    assert name in found["parameters"]
    assert str(value) in found["parameters"]


@pytest.mark.parametrize("name", ["temperature", "exponent"])
def test_a_changed_calibration_is_found(failures, evaluated, copied, name):
    folder = copied(evaluated.model)
    info = json.loads((folder / "reader.json").read_text())
    (folder / "reader.json").write_text(json.dumps(info | {name: 3.0}))
    assert {"reader", "calibration"} <= failures(model=folder).keys()


def test_a_figure_that_was_changed_by_hand_is_found(failures, evaluated, tmp_path):
    changed = json.loads(evaluated.files.score.read_text()) | {"cer": 0.01}
    (tmp_path / "score.json").write_text(json.dumps(changed))
    found = failures(score=tmp_path / "score.json")
    assert {"file", "cer"} <= found.keys()
    assert "0.0100" in found["cer"]


def test_a_changed_figure_is_found_even_if_the_digest_of_the_score_is_changed_too(failures, evaluated, tmp_path):
    changed = evaluated.score.model_copy(update={"cer": 0.01})
    changed = changed.model_copy(update={"sha256": score_digest(changed)})
    write_json(tmp_path / "score.json", changed.model_dump(mode="json"))
    found = failures(score=tmp_path / "score.json")
    assert "cer" in found
    assert "file" not in found


def test_the_digest_of_a_score_changes_with_its_figures_and_not_with_itself(evaluated):
    score = evaluated.score
    assert score_digest(score) == score.sha256
    assert score_digest(score.model_copy(update={"sha256": "0" * 64})) == score.sha256
    assert score_digest(score.model_copy(update={"pages": score.pages + 1})) != score.sha256


def test_fractions_may_differ_by_rounding_and_whole_numbers_may_not():
    assert nearly_equal({"a": [0.1, 2]}, {"a": [0.1 + 1e-6, 2]})
    assert not nearly_equal({"a": [0.1, 2]}, {"a": [0.1 + 1e-4, 2]})
    assert not nearly_equal({"a": [0.1, 2]}, {"a": [0.1, 3]})
    assert not nearly_equal({"a": [0.1, 2]}, {"a": [0.1]})


@pytest.mark.parametrize("content", [None, "{", "[]", "{}"])
def test_a_file_that_holds_no_score_is_refused_by_name(tmp_path, content):
    path = tmp_path / "score.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(DataError) as caught:
        read_score(path)
    assert str(path) in caught.value.what


# --- the command, on an archive


@pytest.fixture
def verify_on(processed, model, params, tmp_path, monkeypatch, capsys):
    """Run `verify` on an archive for a score of the packed pages, and return its exit status and its output."""
    settings = params.model_dump(mode="json", by_alias=True)
    settings["evaluate"] |= {"resamples": 100, "robustness": 0}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "environ", os.environ.copy())
    handler = signal.getsignal(signal.SIGTERM)
    write_source(processed, "iam")
    files = ScoreFiles(*map(Path, ("score.json", "pages.jsonl", "report.html", "confusions.csv")))
    evaluate(processed, model, config.load().evaluate, files, Path("curves.csv"))

    def run(archive, *split):
        arguments = ("verify", "--score", "score.json", "--model", str(model), "--archive", str(archive), *split)
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        printed = capsys.readouterr()
        return ended.value.code, printed.out + printed.err

    yield run
    signal.signal(signal.SIGTERM, handler)


def test_a_score_is_verified_on_the_archive_that_the_pages_came_from(verify_on, archive):
    status, output = verify_on(archive, "--split", "aachen/test")
    assert status == 0
    # The archive does not state its kind of source, which is a note and no failure
    assert re.search(r"note +source +null, was iam", output)


def test_a_score_does_not_hold_on_an_archive_with_another_label(verify_on, archive, tmp_path):
    with zipfile.ZipFile(archive) as whole, zipfile.ZipFile(tmp_path / "other.zip", "w") as other:
        names = whole.namelist()
        assert [name for name in names if name.endswith("a01-002.xml")]
        for name in names:
            content = whole.read(name)
            other.writestr(name, content.replace(b"a sea", b"a tea") if name.endswith("a01-002.xml") else content)
    status, output = verify_on(tmp_path / "other.zip", "--split", "aachen/test")
    assert status == 1
    assert re.search(r"FAILED +labels\b", output)
    assert re.search(r"ok +split\b", output)


@pytest.mark.parametrize("split", [(), ("--split", "aachen/train")], ids=["no split", "no forms"])
def test_an_archive_without_a_split_or_without_forms_is_an_error(verify_on, archive, split):
    status, output = verify_on(archive, *split)
    assert status == 1
    assert "ok" not in output.split()
