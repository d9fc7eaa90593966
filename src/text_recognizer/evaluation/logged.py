"""The score in Weights & Biases, in the run of the training that it judges."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from text_recognizer.logbook import open_run, run_of

FIGURES = ("cer", "cer_newlines", "wer", "pages", "characters", "writers", "exact_pages", "length_ratio")
COLUMNS = ("by", "name", "pages", "characters", "cer", "low", "high")


def log_score(score: dict[str, Any], report: Path, model: Path) -> None:
    """Adds a score to the run that trained `model`: its figures, the slices as a table, and the report as HTML.

    Does nothing where the model does not name its run, and where `WANDB_MODE` is `disabled`, as training does.
    """
    name = run_of(model)
    run = open_run(name) if name else None
    if run is None:
        return
    import wandb

    run.summary.update(summary(score))
    table = wandb.Table(columns=list(COLUMNS), data=rows(score))
    run.log({"test/slices": table, "test/report": wandb.Html(str(report), inject=False)})
    run.finish()


def summary(score: dict[str, Any]) -> dict[str, Any]:
    """The figures by which runs are compared, under `test/`; shares are of 1."""
    low, high = score["cer_interval"]
    found = {name: score[name] for name in FIGURES} | {"cer_low": low, "cer_high": high}
    if (error := score["calibration"].get("ece_words")) is not None:
        found["calibration_error_of_words"] = error
    return {f"test/{name}": value for name, value in found.items()}


def rows(score: dict[str, Any]) -> list[Iterable[Any]]:
    """A row a slice, of `COLUMNS`; no bounds where one writer made it."""
    return [[*(row[name] for name in COLUMNS[:5]), *(row["interval"] or (None, None))] for row in score["slices"]]
