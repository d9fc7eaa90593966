"""Scoring an archive: the same figures as the evaluate stage, and nothing is written."""

import zipfile
from pathlib import Path

import pytest

from text_recognizer.core.errors import ConfigError, DataError, ModelError
from text_recognizer.core.schemas import Details, Summary
from text_recognizer.evaluation.archive_scoring import score_archive
from text_recognizer.evaluation.split_score import evaluate
from text_recognizer.utils.files import sha256

pytestmark = pytest.mark.slow

REAL = Path(__file__).parents[3] / "shared" / "data" / "iam-subset" / "iamdb.zip"


def test_an_archive_has_the_figures_that_the_stage_gives_the_same_forms(
    archive, model, processed, section, out, tmp_path
):
    stage = evaluate(processed, model, section, out, tmp_path / "curves.csv")
    score = score_archive(archive, "aachen/test", model, section)
    same = {"model"} | Summary.model_fields.keys() | Details.model_fields.keys()
    assert score.model_dump(include=same) == stage.model_dump(include=same)
    assert (score.split, score.source, score.skipped) == ("aachen/test", "archive", ())
    assert score.seconds > 0


def test_scoring_an_archive_writes_nothing(archive, model, section, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = {path: sha256(path) for path in [archive, *model.iterdir()]}
    score_archive(archive, "aachen/test", model, section)
    assert list(tmp_path.iterdir()) == []
    assert {path: sha256(path) for path in [archive, *model.iterdir()]} == before
    assert len(list(archive.parent.iterdir())) == 1


@pytest.mark.parametrize("split", ["aachen", "aachen/", "aachen/tests", "iam/test", "test", "", "aachen/test/more"])
def test_an_unknown_split_is_refused_with_the_valid_ones(archive, model, section, split):
    with pytest.raises(ConfigError) as caught:
        score_archive(archive, split, model, section)
    assert repr(split) in caught.value.what
    assert "aachen/validation" in caught.value.fix


def test_a_split_that_the_archive_lacks_is_refused_with_one_to_try(archive, model, section):
    with pytest.raises(DataError) as caught:
        score_archive(archive, "lwitlrt/test", model, section)
    assert "aachen/test" in caught.value.fix


def test_a_split_without_forms_is_refused_by_name(archive, model, section):
    with pytest.raises(DataError) as caught:
        score_archive(archive, "aachen/train", model, section)
    assert "aachen/train" in caught.value.what


def test_a_form_that_cannot_be_cropped_is_skipped_and_listed(make_archive, model, section, tmp_path, capsys):
    make_archive(tmp_path / "damaged.zip", broken=("a01-002",))
    score = score_archive(tmp_path / "damaged.zip", "aachen/test", model, section)
    assert score.pages == 5
    (skipped,) = score.skipped
    assert skipped.id == "a01-002"
    assert "€" in skipped.reason
    assert "a01-002" in capsys.readouterr().err


def test_an_archive_of_which_no_form_can_be_cropped_is_refused_with_a_reason(make_archive, model, section, tmp_path):
    make_archive(tmp_path / "damaged.zip", broken=tuple(f"a01-00{number}" for number in range(6)))
    with pytest.raises(DataError) as caught:
        score_archive(tmp_path / "damaged.zip", "aachen/test", model, section)
    assert "aachen/test" in caught.value.what
    assert "€" in caught.value.what


def test_an_archive_that_is_no_zip_is_refused_by_name(model, section, tmp_path):
    (tmp_path / "forms.zip").write_text("not a zip")
    with pytest.raises(DataError) as caught:
        score_archive(tmp_path / "forms.zip", "aachen/test", model, section)
    assert "forms.zip" in caught.value.what


def test_a_missing_model_is_refused_by_name(archive, section, tmp_path):
    with pytest.raises(ModelError) as caught:
        score_archive(archive, "aachen/test", tmp_path / "nowhere", section)
    assert str(tmp_path / "nowhere" / "reader.json") in caught.value.what


def test_forms_can_be_cropped_in_another_way_than_the_model_asks(archive, model, section, preprocess):
    own = score_archive(archive, "aachen/test", model, section)
    small = score_archive(archive, "aachen/test", model, section, preprocess.model_copy(update={"dpi": 25}))
    assert small.cer != own.cer


@pytest.mark.skipif(not REAL.exists(), reason="the real IAM subset is not at ../shared/data/iam-subset/iamdb.zip")
def test_real_iam_forms_are_cropped_and_scored(model, section, tmp_path):
    # Six of its forms in an archive of their own, because reading all of them takes too long.
    with zipfile.ZipFile(REAL) as source, zipfile.ZipFile(tmp_path / "few.zip", "w") as few:
        ids = source.read("iamdb/aachen/test.txt").decode().split()[:6]
        few.writestr("iamdb/aachen/test.txt", "\n".join(ids))
        for name in (name for form in ids for name in (f"iamdb/forms/{form}.jpg", f"iamdb/xml/{form}.xml")):
            few.writestr(name, source.read(name))
        for part in ("train", "validation"):
            few.writestr(f"iamdb/aachen/{part}.txt", "")
    score = score_archive(tmp_path / "few.zip", "aachen/test", model, section)
    assert (score.pages, score.skipped) == (6, ())
    assert score.characters > 6 * 100
