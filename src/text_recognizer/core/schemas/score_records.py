"""Records of a score: error rates, slices, calibration, robustness and provenance."""

from typing import Annotated, Literal

from pydantic import Field

from text_recognizer.core.schemas.record_types import Confidence, Count, Digest, Figures, Interval, Rate, Share


class Slice(Figures):
    """The CER over one part of the test pages. The interval is None if one writer wrote the part."""

    by: str
    name: str
    pages: Count
    writers: Count
    characters: Count
    cer: Rate
    interval: Interval | None


class WriterScore(Figures):
    """The edits on the pages of one writer, which intervals and comparisons of models are drawn over."""

    writer: str
    pages: Count
    edits: Annotated[Count, Field(description="edits of characters, newlines as spaces")]
    characters: Annotated[Count, Field(description="characters of the reference texts")]
    word_edits: Count
    words: Annotated[Count, Field(description="words of the reference texts")]


class Floors(Figures):
    """The CER of two answers that need no picture: the empty text, and one constant text of the right length."""

    empty: Rate
    constant: Rate


class LengthOutlier(Figures):
    """A page whose transcription is far longer (loop) or shorter (early stop) than its reference text."""

    id: str
    kind: Literal["loop", "early stop"]
    length_ratio: Annotated[float, Field(ge=0, description="transcribed characters per reference character")]
    cer: Rate


class ReliabilityBin(Figures):
    """Words of similar confidence: how many, their mean confidence, and the share of them that is right."""

    count: Count
    confidence: Confidence
    right: Share


class ReviewPoint(Figures):
    """One point of the risk-coverage curve: a person re-reads the words of the lowest confidence."""

    share: Annotated[Share, Field(description="share of the words that is re-read")]
    words: Annotated[Count, Field(description="number of words that are re-read")]
    found: Annotated[Share, Field(description="share of the wrong words among them")]
    threshold: Annotated[Confidence, Field(description="highest confidence among them")]
    chance: Annotated[Share, Field(description="share of the wrong words that a random choice would find")]


class CalibrationFigures(Figures):
    """The calibration of a model, its expected calibration errors (ECE), and its risk-coverage curve over words.

    `..._before` is the error of the uncalibrated confidences. A figure is None if nothing was transcribed.
    """

    temperature: Annotated[float, Field(gt=0)]
    exponent: Annotated[float, Field(gt=0)]
    ece_characters: Share | None
    ece_characters_before: Share | None
    ece_words: Share | None
    ece_words_before: Share | None
    ece_lines: Share | None
    ece_lines_before: Share | None
    at_budget: Annotated[ReviewPoint | None, Field(description="the point at evaluate.review_budget")]
    reliability: Annotated[tuple[ReliabilityBin, ...], Field(strict=False)]
    review: Annotated[tuple[ReviewPoint, ...], Field(strict=False)]


class PerturbedScore(Figures):
    """The CER of pages that were perturbed in one way, with one strength."""

    name: str
    strength: float
    unit: str
    cer: Rate


class Robustness(Figures):
    """The CER of perturbed pages: as rows, and by label (name and strength) for the gate."""

    pages: Count
    perturbed: Annotated[tuple[PerturbedScore, ...], Field(strict=False)]
    cer: dict[str, Rate]
    blank_characters: Annotated[Count, Field(description="characters that were read on pages without text")]


class Provenance(Figures):
    """What a score was computed from: digests of the data, the model and the code, and the parameters."""

    split: Annotated[Digest, Field(description="of the ids of the pages")]
    labels: Annotated[Digest, Field(description="of the ids, writers and texts of the pages")]
    graph: Annotated[Digest, Field(description="of the model's ONNX graph")]
    weights: Annotated[Digest, Field(description="of the model's weights")]
    reader: Annotated[Digest, Field(description="of the model's reader.json")]
    charset: Digest
    normalisation: Annotated[Digest, Field(description="of the code that normalises texts")]
    code: Annotated[Digest, Field(description="of all code that a figure depends on")]
    parameters: dict[str, int | float]
    packages: Annotated[dict[str, str], Field(description="versions of the packages that a figure depends on")]


class Summary(Figures):
    """The error rates over all pages. Rates are shares of 1; newlines count as spaces unless a name says otherwise."""

    cer: Rate
    cer_newlines: Annotated[Rate, Field(description="CER with newlines kept as characters")]
    wer: Rate
    cer_interval: Interval
    wer_interval: Interval
    level: Annotated[Share, Field(description="confidence level of the intervals")]
    resamples: Annotated[Count, Field(description="bootstrap draws behind the intervals")]
    pages: Count
    characters: Count
    words: Count
    writers: Count
    substitutions: Count
    insertions: Count
    deletions: Count
    exact_pages: Annotated[Count, Field(description="pages without an edit")]
    length_ratio: Annotated[float, Field(ge=0, description="transcribed characters per reference character")]
    floors: Floors
    worst: Annotated[str, Field(description="id of the page with the highest CER")]
    by_writer: Annotated[tuple[WriterScore, ...], Field(strict=False)]


class Details(Figures):
    """What a score says beside its error rates."""

    slices: Annotated[tuple[Slice, ...], Field(strict=False)]
    length_outliers: Annotated[tuple[LengthOutlier, ...], Field(strict=False)]
    calibration: CalibrationFigures


class Score(Summary, Details):
    """The score of a model on a packed split: `score.json`. `sha256` is the digest of all its other fields."""

    robustness: Annotated[Robustness | None, Field(description="None if evaluate.robustness is 0")]
    model: Annotated[Digest, Field(description="of the model: of its reader.json")]
    data: Annotated[Digest, Field(description="of the ids, writers, texts and pictures of the pages")]
    source: Annotated[str | None, Field(description="kind of the source of the pages; None if it is unknown")]
    provenance: Provenance
    sha256: Digest


class PageRow(Figures):
    """One row of `pages.jsonl`: a page, its transcription, and its edits of characters, newlines as spaces."""

    id: str
    writer: str
    reference: str
    prediction: str
    confidence: Confidence
    edits: Count
    characters: Count
    cer: Rate
    length_ratio: Annotated[float | None, Field(ge=0, description="None on a page without text")]


class SkippedForm(Figures):
    """A form that could not be scored, and why."""

    id: str
    reason: str


class ArchiveScore(Summary, Details):
    """The score of a model on a split of an archive: the output of `text-recognizer score --json`."""

    model: Annotated[Digest, Field(description="of the model: of its reader.json")]
    source: str | None
    split: Annotated[str, Field(description="name of the split and its part, as in aachen/test, or the part alone")]
    seconds: Annotated[float, Field(ge=0, description="wall time of cropping and reading")]
    skipped: Annotated[tuple[SkippedForm, ...], Field(strict=False)]
    worst_pages: Annotated[tuple[PageRow, ...], Field(strict=False, description="the highest CER first")] = ()
