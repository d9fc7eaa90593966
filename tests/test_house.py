"""The rules of the house that no single room can keep: the graph, the imports, the lock, the wheel, the one command."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import grimp
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from text_recognizer import cli, config, paths

ROOT = Path(__file__).parents[1]
SOURCE = "src/text_recognizer"
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PIPELINE = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))
STAGES = PIPELINE["stages"]
ORDER = list(STAGES)
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")


def named(entries: list) -> list[str]:
    """The paths of a list of outs or metrics, with or without settings."""
    return [next(iter(entry)) if isinstance(entry, dict) else entry for entry in entries]


def make_plan(target: str) -> str:
    """The commands that make would run for a target; as a person types it, also where make runs these tests."""
    mine = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    command = ["make", "--dry-run", target]
    return subprocess.run(command, cwd=ROOT, env=mine, check=True, capture_output=True, text=True).stdout


def outs(stage: str) -> list[str]:
    return named(STAGES[stage].get("outs", [])) + named(STAGES[stage].get("metrics", []))


# --- the graph in dvc.yaml

MADE = {
    "fetch": [paths.ARCHIVE],
    "validate": [paths.DATA_DOCS, paths.VALIDATION],
    "preprocess": [paths.PROCESSED, paths.CROP_DOCS],
    "train": [paths.MODEL, paths.CURVES],
    "evaluate": [paths.CONFUSIONS, paths.PAGES, paths.REPORT, paths.SCORE],
    "gate": [paths.VERDICT],
    "bundle": [paths.BENTO],
}
READ = {
    "fetch": [],
    "validate": [paths.ARCHIVE],
    "preprocess": [paths.ARCHIVE, paths.VALIDATION],
    "train": [paths.PROCESSED],
    "evaluate": [paths.PROCESSED, paths.MODEL, paths.CURVES],
    "gate": [paths.SCORE],
    "bundle": [paths.MODEL, paths.VERDICT],
}
# What decides only what is refused and told, where things lie and when they are imported; see the head of dvc.yaml.
EXCUSED = {"", "cli", "config", "errors", "lazy", "logbook", "paths", "privacy"}
# Imports of a room that the stage does not reach, with the reason.
UNREACHED = {
    "bundle": {"models"},  # the export alone knows them, and it runs in training
    "evaluate": {"models", "data.iam", "preprocess"},  # the same, and `score` alone reads an archive
    "gate": {
        "charts",
        "data.packed",
        "images",
        "inference",
        "metrics",
        "text",
        "data.iam",
        "preprocess",
    },  # it reads one file
    "train": {"images", "inference.reading", "inference"},  # it writes a model and reads nothing with it
}


def test_the_graph_has_a_stage_for_every_stage_of_the_command_line_and_no_other():
    assert list(cli.STAGES) == ORDER


@pytest.mark.parametrize("stage", ORDER)
def test_each_stage_runs_its_command_and_says_what_it_does(stage):
    assert STAGES[stage]["cmd"] == f"text-recognizer {stage}"
    assert STAGES[stage]["desc"]


@pytest.mark.parametrize("stage", ORDER)
def test_each_stage_leaves_its_work_where_the_code_does(stage):
    assert sorted(outs(stage)) == sorted(map(str, MADE[stage]))


@pytest.mark.parametrize("stage", ORDER)
def test_each_stage_depends_on_the_work_that_it_reads(stage):
    work = [dep for dep in STAGES[stage]["deps"] if any(dep in outs(other) for other in ORDER)]
    assert sorted(work) == sorted(map(str, READ[stage]))


@pytest.mark.parametrize("stage", ORDER)
def test_each_stage_is_written_after_those_whose_work_it_reads(stage):
    earlier = [out for other in ORDER[: ORDER.index(stage)] for out in outs(other)]
    assert {str(path) for path in READ[stage]} <= set(earlier)


@pytest.mark.parametrize("stage", ORDER)
def test_each_stage_names_sections_of_params_yaml(stage):
    sections = {field.alias or name for name, field in config.Params.model_fields.items()}
    assert set(STAGES[stage].get("params", [])) <= sections


@pytest.mark.parametrize("stage", ORDER)
def test_no_stage_is_always_or_never_run(stage):
    assert not {"frozen", "always_changed"} & STAGES[stage].keys()


def test_metrics_are_small_files_that_git_keeps():
    kept = {path: settings["cache"] for stage in ORDER for entry in STAGES[stage].get("metrics", []) for path, settings
            in entry.items()}  # fmt: skip
    assert kept == {str(path): False for path in (paths.VALIDATION, paths.SCORE, paths.VERDICT)}


def modules(dependency: str, graph: grimp.ImportGraph) -> set[str]:
    """The modules in a file or folder of the package."""
    name = "text_recognizer." + dependency.removeprefix(f"{SOURCE}/").removesuffix(".py").replace("/", ".")
    return {name} | graph.find_descendants(name)


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("text_recognizer", exclude_type_checking_imports=True, cache_dir=None)


@pytest.mark.parametrize("stage", ORDER)
def test_each_stage_runs_again_when_code_that_it_uses_has_changed(stage, graph):
    # Given the code that the stage names
    code = [dep for dep in STAGES[stage]["deps"] if dep.startswith(SOURCE)]
    covered = set().union(*(modules(dep, graph) for dep in code))
    # When its imports are followed
    imported = set().union(*(graph.find_modules_directly_imported_by(module) for module in covered))
    # Then they are named too, or have a reason not to be
    short = {module.removeprefix("text_recognizer").removeprefix(".") for module in imported - covered}
    rooms = {name.removesuffix(".__init__") for name in short}
    assert {name for name in rooms if not excused(name, stage)} == set()


def excused(name: str, stage: str) -> bool:
    packages = {"data"}  # a folder that only groups its modules: its __init__ holds nothing
    return name in EXCUSED | packages or any(
        name == room or name.startswith(f"{room}.") for room in UNREACHED.get(stage, set())
    )


@pytest.mark.parametrize("stage", ORDER)
def test_every_dependency_that_no_stage_makes_is_in_the_project(stage):
    made = [out for other in ORDER for out in outs(other)]
    assert [dep for dep in STAGES[stage]["deps"] if dep not in made and not (ROOT / dep).exists()] == []


# --- who may import whom


@pytest.fixture
def copied_tree(tmp_path: Path) -> Path:
    for name in ("src/text_recognizer", "flows"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / ".importlinter", tmp_path)
    return tmp_path


def lint(tree: Path) -> subprocess.CompletedProcess:
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tree / "src"), str(tree)]), "COLUMNS": "200"}
    arguments = [*command, "--no-cache"]
    return subprocess.run(arguments, cwd=tree, env=environment, capture_output=True, text=True, check=False)


def test_every_room_keeps_to_its_floor(copied_tree):
    done = lint(copied_tree)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("file", "line", "contract"),
    [
        ("src/text_recognizer/text.py", "import text_recognizer.data.iam", "Lower floors only"),
        ("src/text_recognizer/serving/app.py", "import text_recognizer.evaluation", "Lower floors only"),
        ("src/text_recognizer/cli.py", "import flows.stages", "Lower floors only"),
        ("src/text_recognizer/cli.py", "import prefect", "Only flows know Prefect"),
        ("src/text_recognizer/inference/reading.py", "import torch", "Reading needs no torch"),
        ("src/text_recognizer/serving/app.py", "import text_recognizer.inference.export", "Reading never reaches"),
        ("src/text_recognizer/models/paragraph_reader.py", "import pytorch_lightning", "know Lightning"),
        ("src/text_recognizer/data/iam.py", "import great_expectations", "Only validation"),
        ("src/text_recognizer/evaluation/gate.py", "import bentoml", "Only serving"),
    ],
)
def test_an_import_that_the_house_forbids_is_found(copied_tree, file, line, contract):
    with (copied_tree / file).open("a", encoding="utf-8") as source:
        source.write(f"\n{line}\n")
    done = lint(copied_tree)
    assert done.returncode == 1
    assert re.search(rf"{contract}.* BROKEN", done.stdout), done.stdout


# --- the lock


def test_the_lock_names_no_host():
    assert not re.search(r"://|--index-url|--extra-index-url|--find-links| @ ", LOCK)


def requirements() -> Iterator[Requirement]:
    project = PYPROJECT["project"]
    for text in [
        *project["dependencies"],
        *project["optional-dependencies"]["dev"],
        *PYPROJECT["build-system"]["requires"],
    ]:
        yield Requirement(text)


@pytest.mark.parametrize("requirement", list(requirements()), ids=lambda requirement: requirement.name)
def test_the_lock_pins_what_the_project_requires_within_its_bounds(requirement):
    pins = dict(re.findall(r"^([\w.-]+)==([\w.+!-]+)", LOCK, re.MULTILINE))
    version = {canonicalize_name(name): pin for name, pin in pins.items()}.get(canonicalize_name(requirement.name))
    assert version, f"{requirement.name} is not in requirements.lock"
    assert requirement.specifier.contains(version, prereleases=True)


# --- the wheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    return zipfile.ZipFile(next(folder.glob("*.whl")))


def test_the_wheel_holds_every_file_of_the_package(wheel):
    package = ROOT / SOURCE
    files = [path for path in package.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    expected = {str(path.relative_to(ROOT / "src")) for path in files}
    assert expected - set(wheel.namelist()) == set()
    assert {Path(name).suffix for name in expected} > {".py"}, "the claim is about more than Python"


def test_the_wheel_holds_neither_tests_nor_flows_nor_data(wheel):
    tops = {name.split("/")[0] for name in wheel.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"text_recognizer"}


# --- the model that comes with the project


def test_the_pretrained_model_is_what_its_target_makes(tmp_path):
    # Given a trained run, every file of it empty
    for name in ("models/reader/run.json", "reports/curves.csv", "reports/report.html"):
        (tmp_path / "runs/gpu" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "runs/gpu" / name).touch()
    plan = make_plan("pretrained")
    copies = [line for line in plan.splitlines() if line.startswith("cp ")]
    for place in re.findall(r"runs/gpu/\S+", " ".join(copies)):
        subprocess.run(["bash", "-c", f"touch {place}"], cwd=tmp_path, check=True)
    # When the target copies it
    (tmp_path / "models/pretrained").mkdir(parents=True)
    subprocess.run(["bash", "-c", "\n".join(copies)], cwd=tmp_path, check=True)
    # Then what lies in git is that, and the card, which the target's last command writes
    assert "text-recognizer card --model models/pretrained" in plan.splitlines()[-1]
    kept = {path.name for path in (ROOT / "models/pretrained").iterdir()}
    assert {path.name for path in (tmp_path / "models/pretrained").iterdir()} == kept - {"MODEL_CARD.md"}


# --- the one command


def test_one_command_sets_up_checks_and_tests():
    plan = make_plan("test")
    assert [
        tool for tool in ("ruff check", "ruff format --check", "mypy", "lint-imports", "pytest") if tool not in plan
    ] == []


def test_continuous_integration_runs_that_command():
    assert (ROOT / ".ci/run").read_text(encoding="utf-8").splitlines()[-1] == "make test"
    assert os.access(ROOT / ".ci/run", os.X_OK)
