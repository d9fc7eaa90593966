"""The bundle stage: a rejected model is a result of the pipeline, and leaves the bento as it is."""

import json

import pytest

from text_recognizer.core.layout import Layout
from text_recognizer.release.verdict_file import NotReleasedError
from text_recognizer.stages import bundle
from text_recognizer.utils.files import sha256

REJECTING = {
    "passed": False,
    "rules": [{"name": "wer", "passed": False, "limit": 0.1, "value": 0.4}],
    "basis": "limits",
}


@pytest.fixture
def layout(good_reader, tmp_path):
    """A project with a model and no verdict."""
    files = Layout(tmp_path)
    files.model.parent.mkdir()
    files.model.symlink_to(good_reader)
    files.verdict.parent.mkdir()
    return files


def reject(layout, model):
    layout.verdict.write_text(json.dumps(REJECTING | {"model": model}), encoding="utf-8")


def test_a_rejected_model_leaves_the_bento_of_the_last_accepted_one(params, layout):
    reject(layout, sha256(layout.model / "reader.json"))
    layout.bento.mkdir(parents=True)
    (layout.bento / "bento.yaml").write_text("of an accepted model")
    bundled = bundle.run(params, layout)
    assert bundled.tag is None
    assert "wer" in bundled.rejection
    assert (layout.bento / "bento.yaml").read_text() == "of an accepted model"


def test_without_an_accepted_model_there_is_an_empty_folder_that_dvc_can_keep(params, layout):
    reject(layout, sha256(layout.model / "reader.json"))
    assert bundle.run(params, layout).tag is None
    assert list(layout.bento.iterdir()) == []


def test_a_verdict_on_another_model_is_a_failure_and_no_rejection(params, layout):
    reject(layout, "f" * 64)
    with pytest.raises(NotReleasedError):
        bundle.run(params, layout)
    assert not layout.bento.exists()
