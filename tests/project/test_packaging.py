"""The lock, the wheel, the pretrained model and the one command."""

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from PIL import Image
from tests.project.graph import ROOT, SOURCE

from text_recognizer.cli.extras import EXTRAS

pytestmark = pytest.mark.slow

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
PRETRAINED = "text_recognizer/pretrained"


def make_plan(target: str) -> str:
    """Return the commands that make would run for a target, as if a person had typed it."""
    mine = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    command = ["make", "--dry-run", target]
    return subprocess.run(command, cwd=ROOT, env=mine, check=True, capture_output=True, text=True).stdout


# --- the lock


def test_the_lock_names_no_host():
    assert not re.search(r"://|--index-url|--extra-index-url|--find-links| @ ", LOCK)


def requirements() -> Iterator[Requirement]:
    project = PYPROJECT["project"]
    extras = [text for texts in project["optional-dependencies"].values() for text in texts]
    for text in [*project["dependencies"], *extras, *PYPROJECT["build-system"]["requires"]]:
        if not text.startswith("text-recognizer["):
            yield Requirement(text)


@pytest.mark.parametrize("requirement", list(requirements()), ids=lambda requirement: requirement.name)
def test_the_lock_pins_what_the_project_requires_within_its_bounds(requirement):
    pins = dict(re.findall(r"^([\w.-]+)==([\w.+!-]+)", LOCK, re.MULTILINE))
    version = {canonicalize_name(name): pin for name, pin in pins.items()}.get(canonicalize_name(requirement.name))
    assert version, f"{requirement.name} is not in requirements.lock"
    assert requirement.specifier.contains(version, prereleases=True)


# --- the extras


def test_reading_installs_no_training_and_no_pipeline():
    base = {Requirement(text).name for text in PYPROJECT["project"]["dependencies"]}
    heavy = {"torch", "torchvision", "pytorch-lightning", "dvc", "prefect", "great-expectations", "bentoml", "wandb"}
    assert base & heavy == set()


def test_every_extra_for_people_is_named_by_a_message():
    assert set(EXTRAS) == set(PYPROJECT["project"]["optional-dependencies"]) - {"dev"}


# --- the wheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def members(wheel: Path) -> set[str]:
    return set(zipfile.ZipFile(wheel).namelist())


def test_the_wheel_holds_every_file_of_the_package(members):
    package = ROOT / SOURCE
    files = [path for path in package.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    expected = {str(path.relative_to(ROOT / "src")) for path in files}
    assert expected - members == set()
    assert {Path(name).suffix for name in expected} > {".py"}, "the claim is about more than Python"


def test_the_wheel_is_typed(members):
    assert "text_recognizer/py.typed" in members


def test_the_wheel_holds_neither_tests_nor_flows_nor_data(members):
    tops = {name.split("/")[0] for name in members}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"text_recognizer"}


def test_the_wheel_holds_the_pretrained_reader_without_the_weights_to_train_from(members):
    files = {path.name for path in (ROOT / "models/pretrained").iterdir()} - {"weights.safetensors"}
    assert {Path(name).name for name in members if name.startswith(f"{PRETRAINED}/")} == files


def test_the_unpacked_wheel_reads_from_any_folder(wheel, tmp_path):
    # Given the wheel's files, apart from this clone, and a picture
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    Image.new("L", (300, 100), 250).save(tmp_path / "blank.png")
    # When it reads in another folder
    command = [sys.executable, "-m", "text_recognizer", "read", "--json", str(tmp_path / "blank.png")]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "site")}
    done = subprocess.run(command, cwd="/", env=environment, capture_output=True, text=True, check=False)
    # Then it finds its own reader
    assert (done.returncode, done.stderr) == (0, "")
    assert '"text": ""' in done.stdout


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
    # Then git holds those files, and the card, which the target's last command writes
    assert "text-recognizer card --model models/pretrained" in plan.splitlines()[-1]
    kept = {path.name for path in (ROOT / "models/pretrained").iterdir()}
    assert {path.name for path in (tmp_path / "models/pretrained").iterdir()} == kept - {"MODEL_CARD.md"}


# --- the one command


def test_one_command_sets_up_checks_and_tests():
    plan = make_plan("test")
    tools = ("ruff check", "ruff format --check", "mypy", "lint-imports", "pytest")
    assert [tool for tool in tools if tool not in plan] == []


def test_continuous_integration_runs_that_command():
    assert (ROOT / ".ci/run").read_text(encoding="utf-8").splitlines()[-1] == "make test"
    assert os.access(ROOT / ".ci/run", os.X_OK)
