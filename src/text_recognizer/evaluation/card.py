"""The model card: what a model is, how well it reads, where it is weak, and how to check all of that, as Markdown."""

from pathlib import Path
from typing import Any

from text_recognizer.errors import DataError
from text_recognizer.files import read_table, write_text
from text_recognizer.images import MAX_SKEW
from text_recognizer.inference.info import INFO_FILE, ModelInfo, read_info

CARD = "MODEL_CARD.md"
WEAK = 8
AGAIN = "score the model first", "score the model again"
LICENCE = (
    "The code is under Apache-2.0. The weights carry the terms of what they were trained on. The built-in sample is"
    " free to use (NOTICE). The IAM database is for non-commercial research and is to be cited (Marti and Bunke 2002)."
    " The Brown corpus, where an n-gram counts it, is passed on for non-commercial use and is to be cited (Francis and"
    " Kučera 1979)."
)


def write_card(model: Path, score: Path, verdict: Path | None = None, trained_on: str = "") -> Path:
    """Writes `MODEL_CARD.md` into the model folder from its score, and its verdict where there is one.

    Raises DataError where a file cannot be read, or the score is of another model.
    """
    info, figures = read_info(model / INFO_FILE), read_table(score, *AGAIN)
    if figures.get("model") != info.digest:
        raise DataError(f"{score} is the score of another model than {model}", "score this one, or name its own score")
    ruling = read_table(verdict, *AGAIN) if verdict and verdict.exists() else None
    try:
        text = card(info, figures, ruling, trained_on)
    except (KeyError, TypeError) as error:
        raise DataError(f"{score} lacks {error}", "score the model again with this version") from None
    write_text(model / CARD, text)
    return model / CARD


def card(info: ModelInfo, score: dict[str, Any], verdict: dict[str, Any] | None, trained_on: str = "") -> str:
    """The card of a model; `score` as `evaluate` or `score --json` writes it."""
    parts = [
        _what(info, trained_on),
        _how_well(score),
        _weak(score),
        _doubt(score),
        _sturdy(score),
        _ruling(verdict),
        f"## Licence\n\n{LICENCE}",
        _check(score),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _what(info: ModelInfo, trained_on: str) -> str:
    made = f"\n\nTrained on: {trained_on}." if trained_on else ""
    return (
        f"# A reader of handwritten paragraphs\n\n`{info.model_class}`, digest `{info.digest}`. It reads one"
        f" paragraph a picture, scaled to {info.canvas_height} x {info.canvas_width} px at {info.dpi} dpi, in English"
        f" letters, digits and common signs ({len(info.charset)} classes), and answers with text, lines, boxes and"
        f" confidences.{made}\n\nIt is made to transcribe scans and photographs of handwriting that somebody may"
        " read. It names no writer, and should decide nothing about a person."
    )


def _how_well(score: dict[str, Any]) -> str:
    low, high = score["cer_interval"]
    wer_low, wer_high = score["wer_interval"]
    where = f" of `{score['split']}`" if score.get("split") else ""
    rows = [
        ("CER, newlines as spaces", score["cer"], f"{low:.2%} to {high:.2%}"),
        ("CER, newlines kept", score["cer_newlines"], ""),
        ("WER", score["wer"], f"{wer_low:.2%} to {wer_high:.2%}"),
        ("an answer without a look at the page", min(score["floors"].values()), "the floor"),
    ]
    body = "\n".join(f"| {name} | {value:.2%} | {interval} |" for name, value, interval in rows)
    return (
        f"## How well it reads\n\nOn {score['pages']} test pages{where} by {score['writers']} writers,"
        f" {score['characters']} characters:\n\n| | | {score['level']:.0%} interval, over writers |\n"
        f"|---|---|---|\n{body}"
    )


def _weak(score: dict[str, Any]) -> str:
    rows = sorted(score["slices"], key=lambda row: -row["cer"])[:WEAK]
    body = "\n".join(
        f"| {row['by']}: {row['name']} | {row['cer']:.2%} | {_interval(row['interval'])} | {row['pages']} |"
        for row in rows
    )
    ran = score["runaways"]
    named = ", ".join(f"{row['id']} ({row['kind']})" for row in ran[:5]) or "none"
    return (
        "## Known failures\n\nThe weakest parts of the test pages; by character, the share of the true characters that"
        f" were misread:\n\n| slice | CER | interval | pages |\n|---|---|---|---|\n{body}\n\n"
        f"The worst page is `{score['worst']}`. Pages read at far more or less than their length: {named}. Pages turned"
        f" by more than {MAX_SKEW:g} degrees, several columns, tables and crossed-out words are not what it is for."
    )


def _interval(bounds: list[float] | None) -> str:
    return f"{bounds[0]:.2%} to {bounds[1]:.2%}" if bounds else "one writer"


def _doubt(score: dict[str, Any]) -> str:
    doubt = score["calibration"]
    chosen = doubt.get("at_budget")
    if not chosen:
        return ""
    error, before = doubt["ece_words"], doubt["ece_words_before"]
    return (
        f"## Its doubt\n\nConfidences are at temperature {doubt['temperature']} and power {doubt['power']}, which were"
        f" fitted on validation pages, or are 1. Expected calibration error of the words: {error:.2%} ({before:.2%}"
        f" without). Re-reading the {chosen['share']:.0%} of words with a confidence up to {chosen['threshold']:.3f}"
        f" finds {chosen['found']:.0%} of the wrong ones."
    )


def _sturdy(score: dict[str, Any]) -> str:
    found = score.get("robustness")
    if not found:
        return ""
    rows = [(row, f" {row['strength']:g} {row['unit']}" if row["unit"] else "") for row in found["disturbed"]]
    body = "\n".join(f"| {row['name']}{strength} | {row['cer']:.2%} |" for row, strength in rows)
    return (
        f"## What pages go through\n\n{found['pages']} of the pages, read as any picture is. On pages without text it"
        f" reads {found['blank_characters']} characters.\n\n| | CER |\n|---|---|\n{body}"
    )


def _ruling(verdict: dict[str, Any] | None) -> str:
    if not verdict:
        return ""
    body = "\n".join(f"| {rule['name']} | {'ok' if rule['passed'] else '**failed**'} | {rule['reason']} |"
                     for rule in verdict["rules"])  # fmt: skip
    text = f"## Verdict\n\nJudged by {verdict['basis']}.\n\n| rule | | why |\n|---|---|---|\n{body}"
    if override := verdict.get("override"):
        rules = ", ".join(override["rules"])
        text += f"\n\n**Overridden by {override['by']}**, for {rules}: {override['reason']}"
    return text


def _check(score: dict[str, Any]) -> str:
    lines = "\n".join(f"    {name}: {score.get(name)}" for name in ("model", "data", "sha256") if score.get(name))
    where = f" --archive ZIP --split {score['split']}" if score.get("split") else ""
    return (
        "## How to verify\n\n    text-recognizer verify --score SCORE --model FOLDER"
        + where
        + "\n\nscores the model again and"
        f" compares every figure and digest:\n\n{lines}"
    )
