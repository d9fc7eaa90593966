"""Mistakes in the choice of the data: each ends in a message, and what was there before stays."""

import pytest
from tests.end_to_end.conftest import break_labels

pytestmark = pytest.mark.slow
LOGIN = b"<!DOCTYPE html><html><body>Please sign in</body></html>"


def whole(project):
    return (project.folder / "data/raw/synthetic.zip").read_bytes()


def missing(_project, _path):
    """There is no file."""


def text(_project, path):
    path.write_text("Not a zip at all.\n" * 100)


def web_page(_project, path):
    path.write_bytes(LOGIN)


def cut_short(project, path):
    content = whole(project)
    path.write_bytes(content[: len(content) // 2])


def damaged(project, path):
    content = bytearray(whole(project))
    middle = len(content) // 2
    content[middle : middle + 64] = bytes(64)
    path.write_bytes(content)


BAD = (missing, text, web_page, cut_short, damaged)


@pytest.fixture(scope="module")
def kept(reference, tmp_path_factory):
    """A copy of the reference whose archive no test changes."""
    return reference.project.copy(tmp_path_factory.mktemp("kept"))


@pytest.mark.parametrize("make", BAD, ids=lambda make: make.__name__)
def test_a_source_that_is_no_archive_is_named_with_a_fix_and_the_old_archive_stays(kept, make):
    project, before = kept, whole(kept)
    source = project.folder / f"{make.__name__}.zip"
    make(project, source)
    project.take(source)
    run = project.run("text-recognizer", "fetch")
    assert run.status == 1
    assert str(source) in run.said
    assert "  fix: " in run.said
    assert "Traceback" not in run.said
    assert whole(project) == before
    assert project.half_written() == []


def test_an_archive_with_another_digest_stops_the_pipeline_before_anything_else_runs(project):
    before = project.results()
    source = project.folder / "mine.zip"
    source.write_bytes(whole(project))
    project.take(source, sha256="0" * 64)
    run = project.run("dvc", "repro")
    assert run.status != 0
    assert run.stages == ["fetch"]
    assert "0" * 64 in run.said
    assert "Traceback" not in run.said
    assert project.results() == before


def test_a_form_with_broken_xml_stops_the_pipeline_and_is_named_in_the_data_docs(project):
    # Given an archive with one form whose labels are cut short
    source = project.folder / "mine.zip"
    form = break_labels(project.folder / "data/raw/synthetic.zip", source)
    project.take(source)
    # When the pipeline runs on it
    run = project.run("dvc", "repro")
    # Then the validation stops it and names the Data Docs
    assert run.status != 0
    assert run.stages == ["fetch", "find-lines", "validate"]
    assert "fix: open reports/data_docs/index.html" in run.said
    assert "Traceback" not in run.said
    assert form in (project.folder / "reports/data_docs/index.html").read_text(encoding="utf-8")


def test_a_wrong_parameter_is_named_with_what_is_allowed_and_nothing_runs(project):
    before = project.results()
    project.change(train={"steps": -5, "lerning_rate": 0.1})
    run = project.run("text-recognizer", "preprocess")
    assert run.status == 1
    assert "train.steps = -5" in run.said
    assert "'learning_rate'" in run.said
    assert "Traceback" not in run.said
    assert project.results() == before
