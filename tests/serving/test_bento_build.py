"""A bento is built only of a model that passed the gate. A failure keeps the old bento."""

import json
import re
import shutil
from pathlib import Path

import pytest
import yaml

from text_recognizer.core.errors import ConfigError, ModelError, TextRecognizerError
from text_recognizer.core.schemas import Override, Verdict
from text_recognizer.release.promotion import apply_override
from text_recognizer.release.verdict_file import NotReleasedError
from text_recognizer.serving.bento import bundle

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def _in_the_project(monkeypatch):
    monkeypatch.chdir(ROOT)


@pytest.fixture
def out(tmp_path):
    """A folder with an older bento."""
    folder = tmp_path / "dist" / "bento"
    folder.mkdir(parents=True)
    (folder / "bento.yaml").write_text("old")
    return folder


def kept(out):
    """Return whether the older bento is still the only thing there."""
    return [path.relative_to(out.parent) for path in out.parent.rglob("*") if path.is_file()] == [
        Path("bento/bento.yaml")
    ]


def write(tmp_path, verdict):
    path = tmp_path / "verdict.json"
    path.write_text(verdict if isinstance(verdict, str) else json.dumps(verdict))
    return path


def test_a_rejected_model_is_not_bundled_and_the_failed_rule_is_named(model, judged, tmp_path, out):
    rule = judged["rules"][0] | {"passed": False, "value": 0.4, "reason": "0.4 is above 0.2"}
    verdict = write(tmp_path, judged | {"passed": False, "rules": [rule]})
    with pytest.raises(NotReleasedError) as caught:
        bundle(model, verdict, out)
    assert "max_cer" in caught.value.what
    assert kept(out)


def test_a_verdict_for_another_model_bundles_nothing(model, judged, tmp_path, out):
    with pytest.raises(NotReleasedError):
        bundle(model, write(tmp_path, judged | {"model": "0" * 64}), out)
    assert kept(out)


def test_a_missing_verdict_bundles_nothing(model, tmp_path, out):
    with pytest.raises(NotReleasedError):
        bundle(model, tmp_path / "verdict.json", out)
    assert kept(out)


def test_a_damaged_verdict_bundles_nothing(model, tmp_path, out):
    with pytest.raises(NotReleasedError):
        bundle(model, write(tmp_path, '{"passed": tr'), out)
    assert kept(out)


def test_a_damaged_model_bundles_nothing(model, passed, tmp_path, out):
    damaged = shutil.copytree(model, tmp_path / "reader")
    with (damaged / "reader.onnx").open("ab") as stream:
        stream.write(b"\0")
    with pytest.raises(ModelError):
        bundle(damaged, passed, out)
    assert kept(out)


def test_outside_the_project_the_missing_bentofile_is_named(model, passed, tmp_path, out, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError) as caught:
        bundle(model, passed, out)
    assert "bentofile.yaml" in caught.value.what


def test_the_error_of_bentoml_is_passed_on_and_the_old_bento_stays(model, passed, tmp_path, out, monkeypatch):
    text = (ROOT / "bentofile.yaml").read_text().replace("serving.service:Service", "serving.service:Nothing")
    (tmp_path / "bentofile.yaml").write_text(text)
    shutil.copy(ROOT / "requirements.lock", tmp_path)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(TextRecognizerError) as caught:
        bundle(model, passed, out)
    assert "Nothing" in caught.value.what
    assert kept(out)


def test_the_same_model_gives_the_same_tag_and_replaces_the_old_bento(bento, model, passed, judged, out):
    tag = bundle(model, passed, out)
    assert tag == bento[0] == f"text-recognizer:{judged['model'][:12]}"
    assert yaml.safe_load((out / "bento.yaml").read_text())["version"] == judged["model"][:12]
    assert [path.name for path in out.parent.iterdir()] == ["bento"]


def test_the_labels_of_the_bento_are_its_model_and_its_error_rate(bento, judged):
    labels = yaml.safe_load((bento[1] / "bento.yaml").read_text())["labels"]
    assert (labels["digest"], labels["cer"], labels["cer_interval"]) == (judged["model"], "0.1000", "0.0800 to 0.1200")


def test_the_bento_contains_the_graph_of_the_model_and_not_the_weights_for_training(bento):
    found = {path.name for path in (bento[1] / "src" / "models" / "reader").iterdir()}
    assert found == {"reader.json", "reader.onnx", "language.npz"}


def test_the_bento_contains_the_networks_that_find_lines_and_their_licence(bento):
    (folder,) = bento[1].rglob("pages/assets")
    assert {path.name for path in folder.iterdir()} >= {
        "text_detector.onnx", "line_kind.onnx", "line_kind.json", "Apache-2.0.txt"
    }  # fmt: skip


def test_every_requirement_of_the_bento_is_pinned_and_none_is_torch(bento):
    lines = (bento[1] / "env" / "python" / "requirements.txt").read_text().split()
    assert lines
    assert [line for line in lines if not re.fullmatch(r"[a-z0-9._-]+==[\w.]+", line)] == []
    names = {line.partition("==")[0] for line in lines}
    reading = {"onnxruntime", "opencv-python-headless", "pi-heif", "pypdfium2"}
    assert reading | {"bentoml", "fastapi", "python-multipart"} <= names
    assert "torch" not in names


def test_nothing_in_the_bento_names_the_folder_that_it_was_built_in(bento):
    suffixes = (".yaml", ".txt", ".sh", ".json", "")
    texts = [path.read_text() for path in bento[1].rglob("*") if path.is_file() and path.suffix in suffixes]
    assert texts
    assert not any("bundle-" in text or str(ROOT) in text for text in texts)


def test_an_overridden_rule_is_a_label_of_the_bento(model, judged, tmp_path, out):
    # Given a rejected model, and the verdict after an override
    rule = judged["rules"][0] | {"passed": False, "reason": "0.4 is above 0.2"}
    rejected = Verdict.model_validate(judged | {"passed": False, "rules": [rule]})
    override = Override(rules=("max_cer",), by="Ann", reason="the fair is on Monday")
    verdict = apply_override(rejected, override).model_dump(mode="json")
    # When the model is bundled with it
    bundle(model, write(tmp_path, verdict), out)
    # Then the labels name who, which rule and why
    labels = yaml.safe_load((out / "bento.yaml").read_text())["labels"]
    assert (labels["overridden_by"], labels["override"]) == ("Ann", "max_cer: the fair is on Monday")


def test_without_an_override_the_bento_has_no_such_label(bento):
    assert not {"overridden_by", "override"} & yaml.safe_load((bento[1] / "bento.yaml").read_text())["labels"].keys()
