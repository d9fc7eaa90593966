"""The graph in `dvc.yaml` has the stages of the command line, and names what each of them reads, writes and runs."""

import grimp
import pytest
import yaml
from tests.project.graph import ORDER, ROOT, SOURCE, STAGES, outs

from text_recognizer.cli import stage_commands
from text_recognizer.core.layout import LAYOUT
from text_recognizer.core.params import Params

WRITES = {
    "fetch": [LAYOUT.raw],
    "find-lines": [LAYOUT.found_lines],
    "validate": [LAYOUT.data_docs, LAYOUT.validation],
    "preprocess": [LAYOUT.processed, LAYOUT.crop_docs],
    "train": [LAYOUT.model, LAYOUT.curves],
    "evaluate": [LAYOUT.confusions, LAYOUT.pages, LAYOUT.report, LAYOUT.score],
    "gate": [LAYOUT.metrics, LAYOUT.verdict],
    "bundle": [LAYOUT.bento],
}
READS = {
    "fetch": [],
    "find-lines": [LAYOUT.raw],
    "validate": [LAYOUT.found_lines, LAYOUT.raw],
    "preprocess": [LAYOUT.found_lines, LAYOUT.raw, LAYOUT.validation],
    "train": [LAYOUT.processed],
    "evaluate": [LAYOUT.processed, LAYOUT.model, LAYOUT.curves],
    "gate": [LAYOUT.score],
    "bundle": [LAYOUT.model, LAYOUT.verdict],
}
# Code that decides what is refused, what is printed and where files lie, but no result: see the head of dvc.yaml.
NO_RESULT = ("core", "utils")
RESULT = ("core.charset", "core.metrics")
# Imports of a stage's packages that the stage does not reach, with the reason.
NOT_REACHED = {
    "bundle": ("acquisition", "core.metrics", "evaluation"),
    "evaluate": ("preprocess",),  # scoring an archive crops its forms; the stage reads packed pages
    "find-lines": ("synthetic",),  # forms are drawn when the splits are packed
    "gate": ("corpora", "evaluation", "inference", "pages", "core.charset", "core.metrics"),  # it reads one file
    # The data modules draw and pack the sample if nothing is packed; the stage needs a pack.
    "train": ("acquisition", "preprocess", "synthetic"),
    "validate": ("acquisition",),
}


def test_the_graph_has_the_stages_of_the_command_line_in_their_order():
    assert list(stage_commands.STAGES) == ORDER


@pytest.mark.parametrize("stage", ORDER)
def test_each_stage_runs_its_command_and_has_a_description(stage):
    assert STAGES[stage]["cmd"] == f"text-recognizer {stage}"
    assert STAGES[stage]["desc"]


@pytest.mark.parametrize("stage", ORDER)
def test_each_stage_writes_where_the_code_writes(stage):
    assert sorted(outs(stage)) == sorted(map(str, WRITES[stage]))


@pytest.mark.parametrize("stage", ORDER)
def test_each_stage_depends_on_the_outputs_that_it_reads(stage):
    made = {out for other in ORDER for out in outs(other)}
    assert sorted(made & set(STAGES[stage]["deps"])) == sorted(map(str, READS[stage]))


@pytest.mark.parametrize("stage", ORDER)
def test_each_stage_comes_after_those_whose_outputs_it_reads(stage):
    earlier = {out for other in ORDER[: ORDER.index(stage)] for out in outs(other)}
    assert {str(path) for path in READS[stage]} <= earlier


@pytest.mark.parametrize("stage", ORDER)
def test_each_stage_names_sections_of_the_parameters_and_not_the_runtime(stage):
    sections = {field.alias or name for name, field in Params.model_fields.items()}
    assert set(STAGES[stage].get("params", [])) <= sections - {"runtime"}


@pytest.mark.parametrize("stage", ORDER)
def test_no_stage_is_always_or_never_run(stage):
    assert not {"frozen", "always_changed"} & STAGES[stage].keys()


def settings(kind: str) -> dict[str, dict]:
    """Return the outputs of a kind that have settings."""
    entries = [entry for stage in ORDER for entry in STAGES[stage].get(kind, []) if isinstance(entry, dict)]
    return {path: values for entry in entries for path, values in entry.items()}


def test_the_reports_that_git_keeps_are_not_in_the_cache():
    kept = [path for path, values in (settings("outs") | settings("metrics")).items() if values.get("cache") is False]
    assert kept == [str(path) for path in (LAYOUT.validation, LAYOUT.score, LAYOUT.verdict, LAYOUT.metrics)]


def test_the_only_metrics_are_the_figures_of_the_verdict():
    assert list(settings("metrics")) == [str(LAYOUT.metrics)]


@pytest.mark.parametrize("stage", ORDER)
def test_every_dependency_that_no_stage_makes_is_in_the_project(stage):
    made = {out for other in ORDER for out in outs(other)}
    assert [dep for dep in STAGES[stage]["deps"] if dep not in made and not (ROOT / dep).exists()] == []


@pytest.mark.parametrize("stage", ORDER)
def test_a_stage_names_a_handful_of_places_in_the_code(stage):
    assert len([dep for dep in STAGES[stage]["deps"] if dep.startswith(SOURCE)]) <= 10


# --- a change of code runs the stages that use it


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("text_recognizer", exclude_type_checking_imports=True, cache_dir=None)


def below(name: str, places: tuple[str, ...]) -> bool:
    return any(name == place or name.startswith(f"{place}.") for place in places)


def modules(dependency: str, graph: grimp.ImportGraph) -> set[str]:
    """Return the modules of a file or folder of the package."""
    name = "text_recognizer." + dependency.removeprefix(f"{SOURCE}/").removesuffix(".py").replace("/", ".")
    return {name} | graph.find_descendants(name) if name in graph.modules else set()


@pytest.mark.parametrize("stage", ORDER)
def test_each_stage_depends_on_the_code_that_makes_its_result(stage, graph):
    # Given the code that the stage names
    code = [dep for dep in STAGES[stage]["deps"] if dep.startswith(SOURCE)]
    covered = set().union(*(modules(dep, graph) for dep in code))
    assert covered
    # When its imports are followed
    imported = set().union(*(graph.find_modules_directly_imported_by(module) for module in covered))
    names = {module.removeprefix("text_recognizer").removeprefix(".") for module in imported - covered}
    # Then each is named too, or makes no result, or is not reached
    left = {name for name in names if name and not below(name, NOT_REACHED.get(stage, ()))}
    assert {name for name in left if not below(name, NO_RESULT) or below(name, RESULT)} == set()


@pytest.mark.slow
def test_dvc_yaml_is_what_dvc_reads():
    from dvc.repo import Repo

    with Repo(str(ROOT)) as repo:
        assert {stage.name for stage in repo.index.stages} == set(
            yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
        )
