"""Who may import whom: the contracts hold, and each of them catches an import that it forbids."""

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from tests.project.graph import ROOT, SOURCE

PACKAGES = ("acquisition", "cli", "core", "corpora", "evaluation", "pages", "preprocess", "stages", "synthetic")
# File, planted line, and the contracts that it must break.
PLANTED = [
    ("core/charset.py", "import text_recognizer.corpora.iam", ["Imports go down"]),
    ("serving/app.py", "import text_recognizer.evaluation.scoring", ["Imports go down"]),
    ("corpora/splits.py", "import text_recognizer.stages.fetch", ["Imports go down"]),
    ("new_module.py", "import os", ["Imports go down"]),
    ("stages/fetch.py", "import flows.dvc_stages", ["Only flows import flows"]),
    ("inference/transcription.py", "import text_recognizer.training.export", ["Reading, scoring"]),
    *((f"{package}/__init__.py", "import prefect", ["Only flows import Prefect"]) for package in PACKAGES),
    *((f"{package}/__init__.py", "import bentoml", ["Only serving"]) for package in PACKAGES),
    *((f"{package}/__init__.py", "import great_expectations", ["Only validation"]) for package in PACKAGES),
    *((f"{package}/__init__.py", "import pytorch_lightning", ["Only data, lit_models"]) for package in PACKAGES),
    *((f"{package}/__init__.py", "import wandb", ["Only utils.wandb_runs"]) for package in PACKAGES),
    *((f"{package}/__init__.py", "import dvc.repo", ["Only flows.dvc_stages"]) for package in PACKAGES),
    *((f"{package}/__init__.py", "import torch", ["Only data, models"]) for package in PACKAGES),
    ("training/tracking.py", "import wandb", ["Only utils.wandb_runs"]),
    ("evaluation/scoring.py", "import wandb", ["Only utils.wandb_runs"]),
]


@pytest.fixture(scope="module")
def contracts_broken_by(tmp_path_factory):
    """Plant all lines in one copy of the tree, lint it once, and return the report of each broken contract."""
    tree = tmp_path_factory.mktemp("planted")
    for name in (SOURCE, "flows"):
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / ".importlinter", tree)
    for file, line, _ in PLANTED:
        with (tree / SOURCE / file).open("a", encoding="utf-8") as source:
            source.write(f"\n{line}\n")
    done = lint(tree)
    assert done.returncode == 1, done.stdout
    return done.stdout.partition("Broken contracts")[2]


def lint(tree: Path) -> subprocess.CompletedProcess:
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tree / "src"), str(tree)]), "COLUMNS": "200"}
    return subprocess.run(
        [*command, "--no-cache"], cwd=tree, env=environment, capture_output=True, text=True, check=False
    )


def test_every_contract_is_kept():
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(("file", "contracts"), [(file, contracts) for file, _, contracts in PLANTED])
def test_a_forbidden_import_is_caught(contracts_broken_by, file, contracts):
    module = "text_recognizer." + file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    for contract in contracts:
        section = re.search(rf"^{re.escape(contract)}.*?(?=^[A-Z][^\n]*\n-{{20}}|\Z)", contracts_broken_by, re.M | re.S)
        assert section, f"{contract} is not broken"
        assert module in section.group() or file == "new_module.py"


def test_no_two_modules_share_a_name():
    names = Counter(path.stem for path in (ROOT / SOURCE).rglob("*.py") if not path.stem.startswith("__"))
    # A stage has the name of its command; the lab's networks and their training modules share theirs.
    assert {name for name, count in names.items() if count > 1} == set()
