"""Write the model card in Markdown: what a model is, how well it reads, where it is weak, and how to check that."""

from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from text_recognizer.core.errors import DataError
from text_recognizer.core.schemas import ArchiveScore, Interval, Score, Verdict
from text_recognizer.inference.model_info import INFO_FILE, ModelInfo, read_info
from text_recognizer.utils.files import read_json_object, write_text

CARD = "MODEL_CARD.md"
WEAKEST_SLICES = 8
LENGTH_OUTLIERS = 5
SCORE_AGAIN = "score the model again with this version"
LICENCE = (
    "The code is under Apache-2.0. The weights are under the terms of their training data. The built-in sample is free"
    " to use (NOTICE). The IAM database is for non-commercial research and must be cited (Marti and Bunke 2002). The"
    " Brown corpus, if the language model was estimated on it, may be used for non-commercial purposes and must be"
    " cited (Francis and Kučera 1979)."
)
AnyScore = Score | ArchiveScore


def write_card(model: Path, score: Path, verdict: Path | None = None, trained_on: str = "") -> Path:
    """Write `MODEL_CARD.md` into the model folder and return its path. `verdict` is left out if there is no such file.

    Raises DataError if a file cannot be read, or if the score is of another model.
    """
    info, figures = read_info(model / INFO_FILE), _read_score(score)
    if figures.model != info.digest:
        raise DataError(f"{score} is the score of another model than {model}", "score this model, or name its score")
    ruling = _read_verdict(verdict) if verdict and verdict.exists() else None
    write_text(model / CARD, card(info, figures, ruling, trained_on))
    return model / CARD


def card(info: ModelInfo, score: AnyScore, verdict: Verdict | None, trained_on: str = "") -> str:
    """Return the text of the card."""
    parts = [
        _model(info, trained_on),
        _accuracy(score),
        _weaknesses(score),
        _length_outliers(score),
        _calibration(score),
        _robustness(score),
        _verdict(verdict),
        f"## Licence\n\n{LICENCE}",
        _verification(score),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _read_score(path: Path) -> AnyScore:
    table = read_json_object(path, "score the model first", SCORE_AGAIN)
    kind: type[AnyScore] = ArchiveScore if "split" in table else Score
    try:
        return kind.model_validate(table)
    except ValidationError as error:
        raise DataError(f"{path} is not a score: {_first(error)}", SCORE_AGAIN) from None


def _read_verdict(path: Path) -> Verdict:
    try:
        return Verdict.model_validate(read_json_object(path, "judge the model first", "judge the model again"))
    except ValidationError as error:
        raise DataError(f"{path} is not a verdict: {_first(error)}", "run `text-recognizer gate` again") from None


def _first(error: ValidationError) -> str:
    first = error.errors()[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"


def _model(info: ModelInfo, trained_on: str) -> str:
    training = f"\n\nTrained on: {trained_on}." if trained_on else ""
    return (
        f"# A reader of handwritten pages\n\n`{info.model_class}`, digest `{info.digest}`. The model reads pictures of"
        f" any size: a text detector finds the lines, and each is scaled to {info.dpi} dpi. It knows English letters,"
        f" digits and common signs ({len(info.charset)} classes). It returns the text, with boxes and confidences of"
        f" the lines.{training}\n\nIt is made to transcribe scans and photographs of handwriting that the user may"
        " read. It does not identify writers, and must not be used to decide anything about a person."
    )


def _accuracy(score: AnyScore) -> str:
    baseline = min(score.floors.empty, score.floors.constant)
    rows = [
        ("CER, newlines as spaces", _percent(score.cer), _range(score.cer_interval)),
        ("CER, newlines as characters", _percent(score.cer_newlines), ""),
        ("WER", _percent(score.wer), _range(score.wer_interval)),
        ("CER of a constant text, as a baseline", _percent(baseline), ""),
    ]
    where = f" of `{score.split}`" if isinstance(score, ArchiveScore) else ""
    return (
        f"## Accuracy\n\nOn {score.pages} test pages{where} by {score.writers} writers, {score.characters} characters."
        f" The intervals have a level of {score.level:.0%} and are over writers.\n\n"
        + _table(("figure", "value", "interval"), rows)
    )


def _weaknesses(score: AnyScore) -> str:
    weakest = sorted(score.slices, key=lambda row: -row.cer)[:WEAKEST_SLICES]
    rows = [(f"{row.by}: {row.name}", _percent(row.cer), _range(row.interval), str(row.pages)) for row in weakest]
    return (
        "## Known weaknesses\n\nThe parts of the test pages with the highest CER. For a slice by character, the CER is"
        " the share of those characters that were misread.\n\n"
        + _table(("slice", "CER", "interval", "pages"), rows)
        + f"\n\nThe page with the highest CER is `{score.worst}`. The model is not made for crossed-out words,"
        " for formulas, or for text that does not run in lines."
    )


def _length_outliers(score: AnyScore) -> str:
    shown = ", ".join(f"`{row.id}` ({row.kind})" for row in score.length_outliers[:LENGTH_OUTLIERS]) or "none"
    return (
        "## Length outliers\n\nPages whose transcription is far longer or shorter than the reference text:"
        f" {len(score.length_outliers)} of {score.pages}. The first: {shown}."
    )


def _calibration(score: AnyScore) -> str:
    figures = score.calibration
    chosen = figures.at_budget
    if not chosen or figures.ece_words is None or figures.ece_words_before is None:
        return ""
    return (
        f"## Calibration\n\nThe confidences are calibrated with temperature {figures.temperature:g} and exponent"
        f" {figures.exponent:g} (1 and 1: not calibrated). The expected calibration error of the words is"
        f" {figures.ece_words:.2%}; without calibration it is {figures.ece_words_before:.2%}. The {chosen.share:.0%} of"
        f" the words with the lowest confidence, up to {chosen.threshold:.3f}, contain {chosen.found:.0%} of the wrong"
        " words."
    )


def _robustness(score: AnyScore) -> str:
    found = score.robustness if isinstance(score, Score) else None
    if not found:
        return ""
    rows = [
        (f"{row.name} {row.strength:g} {row.unit}" if row.unit else row.name, _percent(row.cer))
        for row in found.perturbed
    ]
    return (
        f"## Robustness\n\n{found.pages} of the test pages were perturbed and read again. On blank pages the"
        f" model reads {found.blank_characters} characters.\n\n" + _table(("perturbation", "CER"), rows)
    )


def _verdict(verdict: Verdict | None) -> str:
    if not verdict:
        return ""
    rows = [(rule.name, "ok" if rule.passed else "**failed**", rule.reason) for rule in verdict.rules]
    text = f"## Verdict\n\nJudged by {verdict.basis}.\n\n" + _table(("rule", "result", "reason"), rows)
    if verdict.override:
        rules = ", ".join(verdict.override.rules)
        text += f"\n\n**Overridden by {verdict.override.by}** for {rules}: {verdict.override.reason}"
    return text


def _verification(score: AnyScore) -> str:
    if isinstance(score, ArchiveScore):
        # `verify` needs the provenance, which only the score of the pipeline has.
        return (
            f"## How to verify\n\n    text-recognizer score --archive ZIP --split {score.split} --model FOLDER\n\nThis"
            " command scores the model again on the same archive. Compare its figures with those above. The model has"
            f" the digest `{score.model}`."
        )
    digests = {"model": score.model, "data": score.data, "sha256": score.sha256}
    lines = "\n".join(f"    {name}: {value}" for name, value in digests.items())
    return (
        "## How to verify\n\n    text-recognizer verify --score SCORE --model FOLDER\n\nThis command scores the model"
        f" again and compares every figure and digest:\n\n{lines}"
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _percent(rate: float) -> str:
    return f"{rate:.2%}"


def _range(bounds: Interval | None) -> str:
    return f"{bounds[0]:.2%} to {bounds[1]:.2%}" if bounds else "one writer"
