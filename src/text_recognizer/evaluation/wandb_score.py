"""Log a score to Weights & Biases, in the run that trained the model."""

from pathlib import Path

from text_recognizer.core.schemas import Score
from text_recognizer.utils import wandb_runs

COLUMNS = ("by", "name", "pages", "characters", "cer", "low", "high")


def log_score(score: Score, report: Path, model: Path) -> None:
    """Add a score to the run that trained `model`: its figures, the slices as a table, and the report as HTML.

    Does nothing if the model does not name its run, or if `WANDB_MODE` is `disabled`.
    """
    run_id = wandb_runs.load_run_id(model)
    run = wandb_runs.open_run(run_id) if run_id else None
    if run is None:
        return
    run.summary.update(summary(score))
    slices = wandb_runs.table(COLUMNS, slice_rows(score))
    run.log({"test/slices": slices, "test/report": wandb_runs.html(report)})
    run.finish()


def summary(score: Score) -> dict[str, float]:
    """Return the figures by which runs are compared, under `test/`. Rates are shares of 1."""
    low, high = score.cer_interval
    figures: dict[str, float] = {
        "cer": score.cer,
        "cer_newlines": score.cer_newlines,
        "wer": score.wer,
        "pages": score.pages,
        "characters": score.characters,
        "writers": score.writers,
        "exact_pages": score.exact_pages,
        "length_ratio": score.length_ratio,
        "cer_low": low,
        "cer_high": high,
    }
    if score.calibration.ece_words is not None:
        figures["calibration_error_of_words"] = score.calibration.ece_words
    return {f"test/{name}": value for name, value in figures.items()}


def slice_rows(score: Score) -> list[list[str | float | None]]:
    """Return a row of `COLUMNS` for each slice. The bounds are None if one writer wrote it."""
    rows: list[list[str | float | None]] = []
    for one in score.slices:
        low, high = one.interval or (None, None)
        rows.append([one.by, one.name, one.pages, one.characters, one.cer, low, high])
    return rows
