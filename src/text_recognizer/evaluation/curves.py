"""The training curves, `reports/curves.csv`, as charts."""

import csv
import math
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from text_recognizer.core.errors import DataError
from text_recognizer.utils.charts import Series, lines

STEP, TRAIN_LOSS, LOSS, CER = "step", "train/loss", "validation/loss", "validation/cer"


@dataclass(frozen=True)
class Curves:
    """Two charts over the optimiser steps. `problem` says why there are none; it is empty otherwise."""

    loss: Markup | None = None
    cer: Markup | None = None
    problem: str = ""


def draw(path: Path) -> Curves:
    """Draw the table at `path`. A missing or damaged table is a problem and no error: a score needs no curves."""
    try:
        rows = _read_rows(path)
    except DataError as error:
        return Curves(problem=error.what)
    losses = [Series(name, _points(rows, name)) for name in (TRAIN_LOSS, LOSS)]
    rates = Series(CER, tuple((step, 100 * rate) for step, rate in _points(rows, CER)))
    if not rates.points or not all(one.points for one in losses):
        return Curves(problem=f"{path} holds no finite figures")
    return Curves(
        lines(losses, "optimiser steps", "CTC loss, nats per character"),
        lines([rates], "optimiser steps", "validation CER, %"),
    )


def _read_rows(path: Path) -> list[dict[str, float]]:
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            return [
                {name: float(row[name] or "nan") for name in (STEP, TRAIN_LOSS, LOSS, CER)}
                for row in csv.DictReader(stream)
            ]
    except FileNotFoundError:
        raise DataError(f"{path} does not exist") from None
    except KeyError as error:
        raise DataError(f"{path} has no column {error}") from None
    except (OSError, ValueError, TypeError, csv.Error) as error:
        raise DataError(f"{path} cannot be read: {error}") from None


def _points(rows: list[dict[str, float]], name: str) -> tuple[tuple[float, float], ...]:
    """Return the finite points of a column, so that a run that diverged is drawn up to there."""
    return tuple((row[STEP], row[name]) for row in rows if math.isfinite(row[STEP]) and math.isfinite(row[name]))
