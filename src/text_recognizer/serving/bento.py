"""Build a bento: a model that passed the gate, the code that reads with it, and the pinned packages."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

from text_recognizer import __version__
from text_recognizer.core.errors import ConfigError, TextRecognizerError
from text_recognizer.core.layout import LAYOUT
from text_recognizer.core.schemas import PassedVerdict
from text_recognizer.release.verdict_file import require_passed
from text_recognizer.serving import bento_version
from text_recognizer.serving.requirements import pin
from text_recognizer.utils import telemetry
from text_recognizer.utils.files import replace_atomically

BENTOFILE = Path("bentofile.yaml")
LOCK = Path("requirements.lock")
PACKAGE = Path(__file__).resolve().parents[1]


def bundle(model: Path, verdict: Path, out: Path) -> str:
    """Build the bento folder `out` and return its tag, which depends only on the model.

    Reads `bentofile.yaml` and `requirements.lock` from the current folder. Raises TextRecognizerError, and leaves `out`
    unchanged, if there is no verdict that passed this model.
    """
    from text_recognizer.inference import Recognizer

    recognizer = Recognizer.load(model)
    config = _configuration(require_passed(verdict, recognizer.digest))
    with tempfile.TemporaryDirectory(prefix="bundle-") as scratch:
        source = Path(scratch) / "source"
        _copy_source(source, config, model, verdict)
        bento = _build(source, Path(scratch) / "home", bento_version(recognizer.digest))
        with replace_atomically(out) as draft:
            shutil.copytree(bento, draft)
    return f"{bento.parent.name}:{bento.name}"


def _configuration(verdict: PassedVerdict) -> dict[str, Any]:
    """Return `bentofile.yaml` with its packages pinned and with the model's figures as labels."""
    try:
        config = yaml.safe_load(BENTOFILE.read_text(encoding="utf-8"))
        packages = config["python"]["packages"]
    except FileNotFoundError:
        raise ConfigError(f"{BENTOFILE} does not exist", "run from the project's folder") from None
    except (yaml.YAMLError, KeyError, TypeError) as error:
        raise ConfigError(f"{BENTOFILE} is damaged: {' '.join(str(error).split())}", "restore it from git") from None
    config["python"]["packages"] = pin(packages, LOCK)
    low, high = verdict.cer_interval
    config["labels"] = {
        "digest": verdict.model,
        "cer": f"{verdict.cer:.4f}",
        "cer_interval": f"{low:.4f} to {high:.4f}",
        "package": __version__,
    }
    if verdict.override:
        config["labels"]["overridden_by"] = verdict.override.by
        config["labels"]["override"] = f"{', '.join(verdict.override.rules)}: {verdict.override.reason}"
    return dict(config)


def _copy_source(source: Path, config: dict[str, Any], model: Path, verdict: Path) -> None:
    """Copy the model, its verdict, its score if there is one, and the package to where `bentofile.yaml` says."""
    (source / LAYOUT.model).parent.mkdir(parents=True)
    (source / LAYOUT.verdict).parent.mkdir(parents=True)
    shutil.copytree(model, source / LAYOUT.model)
    shutil.copyfile(verdict, source / LAYOUT.verdict)
    # The service compares what it reads with the pages of the score.
    if (score := verdict.with_name(LAYOUT.score.name)).is_file():
        shutil.copyfile(score, source / LAYOUT.score)
    shutil.copytree(PACKAGE, source / "src" / PACKAGE.name, ignore=shutil.ignore_patterns("__pycache__"))
    text = yaml.safe_dump(config, sort_keys=False, allow_unicode=True)
    (source / BENTOFILE.name).write_text(text, encoding="utf-8")


def _build(source: Path, home: Path, version: str) -> Path:
    """Run `bentoml build` with `home` as its store and return the bento's folder in it."""
    telemetry.disable_telemetry()
    # PYTHONPATH makes BentoML import the copy that goes into the bento, not the package that is installed.
    # Without `no_image`, BentoML downloads and installs uv, even if nothing is to be locked.
    settings = {"BENTOML_HOME": str(home), "PYTHONPATH": str(source / "src"), "BENTOML_ENABLE_FEATURES": "no_image"}
    command = [sys.executable, "-m", "bentoml", "build", str(source), "--version", version]
    done = subprocess.run(
        command, cwd=source, env={**os.environ, **settings}, capture_output=True, text=True, check=False
    )
    built = sorted(home.glob(f"bentos/*/{version}/bento.yaml"))
    if done.returncode or not built:
        last = " ".join((done.stderr.strip() or done.stdout.strip()).splitlines()[-3:])
        raise TextRecognizerError(f"BentoML could not build the bento: {last}", f"correct {BENTOFILE} as BentoML says")
    return built[0].parent
