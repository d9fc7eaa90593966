import json
import re
import shutil
from pathlib import Path

import pytest
import yaml

from text_recognizer.errors import ConfigError, ModelError, TextRecognizerError
from text_recognizer.registry import Override
from text_recognizer.registry.promote import overridden
from text_recognizer.serving.bundle import bundle

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def _in_the_project(monkeypatch):
    monkeypatch.chdir(ROOT)


@pytest.fixture
def out(tmp_path):
    """Where an older bento lies."""
    folder = tmp_path / "dist" / "bento"
    folder.mkdir(parents=True)
    (folder / "bento.yaml").write_text("old")
    return folder


def kept(out):
    """Whether the older bento is all that lies there."""
    return [path.relative_to(out.parent) for path in out.parent.rglob("*") if path.is_file()] == [
        Path("bento/bento.yaml")
    ]


def judge(tmp_path, verdict):
    path = tmp_path / "verdict.json"
    path.write_text(verdict if isinstance(verdict, str) else json.dumps(verdict))
    return path


def test_a_rejected_model_is_not_bundled_and_the_failed_rule_is_named(model, judged, tmp_path, out):
    rule = judged["rules"][0] | {"passed": False, "value": 0.4, "reason": "0.4 is above 0.2"}
    verdict = judge(tmp_path, judged | {"passed": False, "rules": [rule]})
    with pytest.raises(TextRecognizerError, match="max_cer"):
        bundle(model, verdict, out)
    assert kept(out)


def test_a_verdict_for_another_model_bundles_nothing(model, judged, tmp_path, out):
    with pytest.raises(TextRecognizerError, match="another model"):
        bundle(model, judge(tmp_path, judged | {"model": "0" * 64}), out)
    assert kept(out)


def test_a_missing_verdict_bundles_nothing(model, tmp_path, out):
    with pytest.raises(TextRecognizerError, match="has no verdict"):
        bundle(model, tmp_path / "verdict.json", out)
    assert kept(out)


def test_a_broken_verdict_bundles_nothing(model, tmp_path, out):
    with pytest.raises(TextRecognizerError, match="cannot be read"):
        bundle(model, judge(tmp_path, '{"passed": tr'), out)
    assert kept(out)


def test_a_damaged_model_bundles_nothing(model, passed, tmp_path, out):
    damaged = shutil.copytree(model, tmp_path / "reader")
    with (damaged / "reader.onnx").open("ab") as stream:
        stream.write(b"\0")
    with pytest.raises(ModelError, match="digest differs"):
        bundle(damaged, passed, out)
    assert kept(out)


def test_outside_the_project_the_missing_file_is_named(model, passed, tmp_path, out, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=r"bentofile\.yaml does not exist"):
        bundle(model, passed, out)


def test_what_bentoml_refuses_is_passed_on_and_leaves_the_old_bento(model, passed, tmp_path, out, monkeypatch):
    text = (ROOT / "bentofile.yaml").read_text().replace("serving.service:Service", "serving.service:Nothing")
    (tmp_path / "bentofile.yaml").write_text(text)
    shutil.copy(ROOT / "requirements.lock", tmp_path)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(TextRecognizerError, match="Nothing"):
        bundle(model, passed, out)
    assert kept(out)


@pytest.mark.slow
def test_the_same_model_gives_the_same_tag_and_replaces_the_old_bento(bento, model, passed, judged, out):
    tag = bundle(model, passed, out)
    assert tag == bento[0] == f"text-recognizer:{judged['model'][:12]}"
    assert yaml.safe_load((out / "bento.yaml").read_text())["version"] == judged["model"][:12]
    assert [path.name for path in out.parent.iterdir()] == ["bento"]


def test_the_bento_is_labelled_with_its_model_and_its_error_rate(bento, judged):
    labels = yaml.safe_load((bento[1] / "bento.yaml").read_text())["labels"]
    assert (labels["digest"], labels["cer"], labels["cer_interval"]) == (judged["model"], "0.1000", "0.0800 to 0.1200")


def test_the_bento_carries_the_model_that_reads_and_not_the_weights_to_train_on_from(bento):
    carried = {path.name for path in (bento[1] / "src" / "models" / "reader").iterdir()}
    assert carried == {"reader.json", "reader.onnx"}


def test_every_requirement_of_the_bento_is_pinned_none_is_torch_and_no_host_is_named(bento):
    lines = (bento[1] / "env" / "python" / "requirements.txt").read_text().split()
    assert [line for line in lines if not re.fullmatch(r"[a-z0-9._-]+==[\w.]+", line)] == []
    names = {line.partition("==")[0] for line in lines}
    assert {"bentoml", "fastapi", "onnxruntime", "python-multipart"} <= names
    assert "torch" not in names


def test_nothing_in_the_bento_names_the_folder_that_it_was_built_in(bento):
    suffixes = (".yaml", ".txt", ".sh", ".json", "")
    texts = [path.read_text() for path in bento[1].rglob("*") if path.is_file() and path.suffix in suffixes]
    assert not any("bundle-" in text or str(ROOT) in text for text in texts)


@pytest.mark.slow
def test_a_rule_that_a_person_overrode_is_a_label_of_the_bento(model, judged, tmp_path, out):
    # Given a verdict that rejects, and what promoting with an override makes of it
    rejected = judged | {
        "passed": False,
        "rules": [judged["rules"][0] | {"passed": False, "reason": "0.4 is above 0.2"}],
    }
    verdict = overridden(rejected, Override(("max_cer",), "Ann", "the fair is on Monday"))
    # When the model is bundled with it
    bundle(model, judge(tmp_path, verdict), out)
    # Then the bento says who, which rule and why
    labels = yaml.safe_load((out / "bento.yaml").read_text())["labels"]
    assert (labels["overridden_by"], labels["override"]) == ("Ann", "max_cer: the fair is on Monday")


def test_a_bento_that_nobody_overrode_has_no_such_label(bento):
    assert not {"overridden_by", "override"} & yaml.safe_load((bento[1] / "bento.yaml").read_text())["labels"].keys()
