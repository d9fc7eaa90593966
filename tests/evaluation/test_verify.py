"""A score that holds, and one that does not after a label, a weight, a parameter or a figure was touched."""

import json
import os
import re
import shutil
import signal
import zipfile
from pathlib import Path

import numpy as np
import onnx
import pytest
import yaml
from onnx import numpy_helper

from text_recognizer import cli, config
from text_recognizer.data.packed import PackedSplit, write_source
from text_recognizer.errors import DataError
from text_recognizer.evaluation import evaluate
from text_recognizer.evaluation.verify import broken, table, verify
from text_recognizer.files import sha256


@pytest.fixture(scope="module")
def published(learn_to_read, printed_words, tmp_path_factory):
    """A trained reader's folder and its score."""
    from text_recognizer.config import EvaluateSection

    folder = tmp_path_factory.mktemp("published")
    model = shutil.copytree(learn_to_read(75), folder / "reader")
    section = EvaluateSection(batch_size=8, resamples=100, level=0.95, seed=1, gallery=0, review=0.1, robustness=1)
    evaluate(printed_words, model, section, *(folder / name for name in ("score.json", "p", "r.html", "m", "c")))
    return model, folder / "score.json", section


@pytest.fixture
def packed(printed_words):
    return PackedSplit.open(printed_words, "test")


def failed(checks):
    return {check.name: check.words for check in broken(checks)}


def test_a_score_that_nobody_touched_holds(published, packed):
    model, score, section = published
    checks = verify(score, model, packed, section)
    assert failed(checks) == {}
    assert table(checks).endswith("the score holds")
    assert {"data", "weights", "parameters", "charset", "cer", "robustness"} <= {check.name for check in checks}


def test_one_label_that_was_touched_is_found(published, packed):
    model, score, section = published
    pages = list(packed.pages)
    pages[3] = type(pages[3])(pages[3].id, pages[3].writer, pages[3].text.upper(), pages[3].boxes)
    found = failed(verify(score, model, PackedSplit(packed.canvases, tuple(pages)), section))
    assert {"data", "labels", "cer"} <= found.keys()
    assert "split" not in found


def test_one_picture_that_was_touched_is_found(published, packed):
    model, score, section = published
    canvases = np.array(packed.canvases)
    canvases[0, 0, 0] ^= 1
    assert "data" in failed(verify(score, model, PackedSplit(canvases, packed.pages), section))


def test_one_weight_that_was_touched_is_found_even_where_the_folder_names_its_digest(published, packed, tmp_path):
    model, score, section = published
    folder = shutil.copytree(model, tmp_path / "reader")
    graph = onnx.load(folder / "reader.onnx")
    tensor = max(graph.graph.initializer, key=lambda one: np.prod(one.dims))
    values = numpy_helper.to_array(tensor).copy()
    values.flat[0] += 1e-3
    tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
    onnx.save(graph, folder / "reader.onnx")
    info = json.loads((folder / "reader.json").read_text())
    (folder / "reader.json").write_text(json.dumps(info | {"graph_sha256": sha256(folder / "reader.onnx")}))
    assert {"graph", "reader", "model"} <= failed(verify(score, folder, packed, section)).keys()


def test_the_weights_to_train_on_from_are_sealed_too(published, packed, tmp_path):
    model, score, section = published
    folder = shutil.copytree(model, tmp_path / "reader")
    with (folder / "weights.safetensors").open("ab") as stream:
        stream.write(b"\0")
    assert list(failed(verify(score, folder, packed, section))) == ["weights"]


@pytest.mark.parametrize(("name", "value"), [("resamples", 101), ("seed", 2), ("level", 0.9)])
def test_one_parameter_that_was_touched_is_found_and_named(published, packed, name, value):
    model, score, section = published
    found = failed(verify(score, model, packed, section.model_copy(update={name: value})))
    assert found["parameters"].startswith(f"{name} is {value}, was ")


@pytest.mark.parametrize("name", ["temperature", "power"])
def test_a_doubt_that_was_touched_is_found(published, packed, tmp_path, name):
    model, score, section = published
    folder = shutil.copytree(model, tmp_path / "reader")
    info = json.loads((folder / "reader.json").read_text())
    (folder / "reader.json").write_text(json.dumps(info | {name: 3.0}))
    assert {"reader", "calibration"} <= failed(verify(score, folder, packed, section)).keys()


def test_a_figure_that_was_changed_by_hand_is_found(published, packed, tmp_path):
    model, score, section = published
    better = json.loads(score.read_text()) | {"cer": 0.01}
    (tmp_path / "score.json").write_text(json.dumps(better))
    found = failed(verify(tmp_path / "score.json", model, packed, section))
    assert found["file"] == "was changed after it was written"
    assert found["cer"].startswith("0.0100, now ")


@pytest.mark.parametrize("content", [None, "{", "[]", "{}"])
def test_what_is_no_sealed_score_cannot_be_verified(published, packed, tmp_path, content):
    if content is not None:
        (tmp_path / "score.json").write_text(content)
    with pytest.raises(DataError):
        verify(tmp_path / "score.json", published[0], packed, published[2])


@pytest.fixture
def verify_on(processed, model, shipped, tmp_path, monkeypatch, capsys):
    """Runs the command on an archive, for a score that was made of the packed pages; gives its status and output."""
    settings = shipped.model_dump(mode="json", by_alias=True)
    settings["evaluate"] |= {"resamples": 100, "robustness": 1}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "environ", os.environ.copy())
    handler = signal.getsignal(signal.SIGTERM)
    write_source(processed, "iam")
    evaluate(processed, model, config.load().evaluate, *map(Path, ("score.json", "p", "r.html", "m.csv", "c.csv")))

    def run(archive, *split):
        arguments = ("verify", "--score", "score.json", "--model", str(model), "--archive", str(archive), *split)
        with pytest.raises(SystemExit) as ended:
            cli.main(arguments)
        said = capsys.readouterr()
        return ended.value.code, said.out + said.err

    yield run
    signal.signal(signal.SIGTERM, handler)


def test_a_score_is_verified_on_the_archive_itself(verify_on, archive):
    status, said = verify_on(archive, "--split", "aachen/test")
    assert status == 0
    assert "the score holds" in said.splitlines()
    # Where the archive came from it cannot say
    assert re.search(r"note +source +null, was iam", said)


def test_an_archive_with_one_other_label_breaks_the_score(verify_on, archive, tmp_path):
    with zipfile.ZipFile(archive) as whole, zipfile.ZipFile(tmp_path / "other.zip", "w") as other:
        for name in whole.namelist():
            content = whole.read(name)
            other.writestr(name, content.replace(b"a sea", b"a tea") if name.endswith("a01-002.xml") else content)
    status, said = verify_on(tmp_path / "other.zip", "--split", "aachen/test")
    assert status == 1
    assert re.search(r"the score does NOT hold: .*\blabels\b", said)
    assert re.search(r"ok +split", said)


@pytest.mark.parametrize(
    ("split", "words"),
    [((), "an archive and a split belong together"), (("--split", "aachen/train"), "aachen/train of .* holds no form")],
)
def test_an_archive_without_a_split_or_without_forms_verifies_nothing(verify_on, archive, split, words):
    status, said = verify_on(archive, *split)
    assert status == 1
    assert re.search(words, said)
    assert "the score holds" not in said
