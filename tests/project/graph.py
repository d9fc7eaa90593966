"""What the tests of the project share: `dvc.yaml` as data, and the package's imports."""

from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
SOURCE = "src/text_recognizer"
STAGES = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
ORDER = list(STAGES)


def named(entries: list) -> list[str]:
    """Return the paths of a list of outs or metrics, with or without settings."""
    return [next(iter(entry)) if isinstance(entry, dict) else entry for entry in entries]


def outs(stage: str) -> list[str]:
    return named(STAGES[stage].get("outs", [])) + named(STAGES[stage].get("metrics", []))
