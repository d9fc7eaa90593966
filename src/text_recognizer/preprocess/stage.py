"""What the stage needs besides the cropping: which corrections may join, and who crops."""

import json
import subprocess
import sys
from pathlib import Path

from text_recognizer.errors import ConfigError, DataError
from text_recognizer.preprocess.pack import Corrections

FLOW = "flows.crops"


def accepted_corrections(folder: Path, validation: Path) -> Corrections:
    """The folder's corrections that the last validation accepted; none where there was none."""
    try:
        summary = json.loads(validation.read_text(encoding="utf-8"))
        return Corrections(folder, tuple(summary.get("feedback", {}).get("accepted", ())))
    except FileNotFoundError:
        return Corrections(folder)
    except (OSError, ValueError, AttributeError) as error:
        raise DataError(f"{validation} cannot be read: {error}", "run `text-recognizer validate` again") from None


def hand_over() -> int:
    """Has the flow crop on Dask, and returns its status: Prefect's task runner does the map, and only flows know it.

    Raises ConfigError where this is not the folder of a clone.
    """
    if not Path(*FLOW.split(".")).with_suffix(".py").is_file():
        raise ConfigError(
            "preprocess.runner = 'dask' needs the project's flows/, which are not here",
            "run from the folder of a clone, or set preprocess.runner to local",
        )
    return subprocess.run([sys.executable, "-m", FLOW], check=False).returncode
