"""The bundle stage: a model that passed, the code that reads with it, and their pins, as one bento."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

from text_recognizer import __version__, paths, privacy
from text_recognizer.errors import ConfigError, TextRecognizerError
from text_recognizer.files import replacing
from text_recognizer.serving import version_of
from text_recognizer.serving.requirements import pinned
from text_recognizer.serving.verdict import Verdict, accepted

BENTOFILE = Path("bentofile.yaml")
LOCK = Path("requirements.lock")
PACKAGE = Path(__file__).resolve().parents[1]


def bundle(model: Path, verdict: Path, out: Path) -> str:
    """Builds the bento folder `out` and returns its tag, which depends on the model alone.

    Reads `bentofile.yaml` and `requirements.lock` of the current folder. Raises TextRecognizerError, and leaves
    `out` as it was, unless the verdict is there, is for this very model, and passed.
    """
    from text_recognizer.inference import Recognizer

    recognizer = Recognizer.load(model)
    config = _configuration(accepted(verdict, recognizer.digest))
    with tempfile.TemporaryDirectory(prefix="bundle-") as scratch:
        stage = Path(scratch) / "stage"
        _stage(stage, config, model, verdict)
        bento = _build(stage, Path(scratch) / "home", version_of(recognizer.digest))
        with replacing(out) as draft:
            shutil.copytree(bento, draft)
    return f"{bento.parent.name}:{bento.name}"


def _configuration(verdict: Verdict) -> dict[str, Any]:
    """`bentofile.yaml`, with its packages pinned and what is known about the model as labels."""
    try:
        config = yaml.safe_load(BENTOFILE.read_text(encoding="utf-8"))
        packages = config["python"]["packages"]
    except FileNotFoundError:
        raise ConfigError(f"{BENTOFILE} does not exist", "run from the project's folder") from None
    except (yaml.YAMLError, KeyError, TypeError) as error:
        raise ConfigError(f"{BENTOFILE} is damaged: {' '.join(str(error).split())}", "restore it from git") from None
    config["python"]["packages"] = pinned(packages, LOCK)
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


def _stage(stage: Path, config: dict[str, Any], model: Path, verdict: Path) -> None:
    """Lays out what the bento is made of, at the places that `bentofile.yaml` names, wherever it came from."""
    (stage / paths.MODEL).parent.mkdir(parents=True)
    (stage / paths.VERDICT).parent.mkdir(parents=True)
    shutil.copytree(model, stage / paths.MODEL)
    shutil.copyfile(verdict, stage / paths.VERDICT)
    shutil.copytree(PACKAGE, stage / "src" / PACKAGE.name, ignore=shutil.ignore_patterns("__pycache__"))
    text = yaml.safe_dump(config, sort_keys=False, allow_unicode=True)
    (stage / BENTOFILE.name).write_text(text, encoding="utf-8")


def _build(stage: Path, home: Path, version: str) -> Path:
    """Runs BentoML with a store of its own, `home`; returns the bento's folder in it."""
    privacy.silence()
    # The copy that goes into the bento is the one that is imported, not the one that happens to be installed.
    # Without `no_image`, BentoML fetches and installs uv, even where nothing is to be locked.
    own = {"BENTOML_HOME": str(home), "PYTHONPATH": str(stage / "src"), "BENTOML_ENABLE_FEATURES": "no_image"}
    command = [sys.executable, "-m", "bentoml", "build", str(stage), "--version", version]
    done = subprocess.run(command, cwd=stage, env={**os.environ, **own}, capture_output=True, text=True, check=False)
    built = sorted(home.glob(f"bentos/*/{version}/bento.yaml"))
    if done.returncode or not built:
        last = " ".join((done.stderr.strip() or done.stdout.strip()).splitlines()[-3:])
        raise TextRecognizerError(f"BentoML could not build the bento: {last}", f"mend {BENTOFILE} as it says")
    return built[0].parent
