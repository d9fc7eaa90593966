"""Which stages run, and which are up to date."""

import re

import pytest

from text_recognizer.cli.stage_commands import STAGES

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def current(reference, tmp_path_factory):
    """A copy of the reference that stays up to date: the tests that share it change nothing that makes a stage run."""
    return reference.project.copy(tmp_path_factory.mktemp("current"))


def test_the_flow_runs_every_stage_once_and_in_order(reference):
    assert reference.flow.stages == list(STAGES)


def test_the_flow_ends_with_a_table_of_what_it_made(reference):
    rows = (line.partition("  ") for line in reference.flow.said.splitlines())
    table = {name: value.strip() for name, _, value in rows}
    assert {part.strip(" ()") for part in re.split(r"[,(]", table["data"])} >= {"104 forms", "80 train", "12 test"}
    assert re.fullmatch(r"\d+\.\d\d% \(.* to .*\), limit 1000\.00%", table["test CER"])
    assert (table["verdict"], table["report"], table["serve it"]) == ("accepted", "reports/report.html", "make serve")


def test_nothing_runs_if_nothing_has_changed(current):
    before = current.results()
    again = current.run("dvc", "repro")
    assert (again.status, again.stages) == (0, [])
    assert current.results() == before


def test_a_change_of_a_limit_runs_the_gate_and_what_depends_on_its_verdict(project):
    project.change(gate={"max_wer": 9.0})
    again = project.run("dvc", "repro")
    assert (again.status, again.stages) == (0, ["gate", "bundle"])


def test_a_change_of_the_scoring_runs_no_training(project):
    data = {path: digest for path, digest in project.results().items() if path.startswith(("data", "models"))}
    project.change(evaluate={"resamples": 200})
    again = project.run("dvc", "repro")
    assert (again.status, again.stages) == (0, ["evaluate", "gate", "bundle"])
    assert data.items() <= project.results().items()


def test_a_change_of_the_runtime_runs_nothing(current):
    current.change(runtime={"workers": 1, "num_workers": 1, "threads": 2})
    again = current.run("dvc", "repro")
    assert (again.status, again.stages) == (0, [])


def test_a_text_that_the_parameters_name_is_watched(project):
    # Given a model whose language model was estimated on one more text
    text = project.folder / "data/inputs/more.txt"
    text.write_text("It was a bright day.\n")
    project.change(language={"texts": ["data/inputs/more.txt"]})
    assert project.run("dvc", "commit", "--force", "train").status == 0
    assert "train" not in project.run("dvc", "status", "train").said.split()
    # When the text changes, the model is out of date
    text.write_text("It was a dark night.\n")
    assert "data/inputs" in project.run("dvc", "status", "train").said


def test_a_change_of_nothing_but_comments_runs_nothing(current):
    params = current.folder / "params.yaml"
    params.write_text("# a note to myself\n" + params.read_text(encoding="utf-8"), encoding="utf-8")
    again = current.run("dvc", "repro")
    assert (again.status, again.stages) == (0, [])


def test_a_deleted_model_comes_back_from_the_cache_without_a_training(current):
    before = current.results()
    for path in (current.folder / "models/reader").iterdir():
        path.unlink()
    again = current.run("dvc", "repro")
    assert (again.status, current.results()) == (0, before)
    assert again.stages == []
