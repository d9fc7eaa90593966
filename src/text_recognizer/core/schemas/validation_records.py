"""Records of a validation of the data."""

from typing import Annotated, Literal

from pydantic import Field

from text_recognizer.core.schemas.record_types import Count, Digest, Record, Share


class Expectation(Record):
    """One expectation and the rows that failed it."""

    suite: str
    name: str
    column: str
    passed: bool
    rows: Count
    failed: Count
    ids: tuple[str, ...]
    found: tuple[str, ...]
    fails_when: str
    wrong: str | None
    fix: str


class SplitCounts(Record):
    """The size of one split."""

    forms: Count
    lines: Count
    writers: Count


class ArchiveCounts(SplitCounts):
    """The size of a whole archive, and the number of forms that were left out on request."""

    excluded: Count


class SourceCounts(SplitCounts):
    """The size of one source, and for each reason the number of its lines that were left out when they were found."""

    name: str
    left_out: dict[str, Count]


class CorrectionsFound(Record):
    """The corrections that may join the training split, and the others with the reasons for each."""

    accepted: tuple[str, ...]
    refused: dict[str, tuple[str, ...]]


class Audit(Record):
    """The training lines whose text and picture disagree, and the forms all of whose lines do, by their ids."""

    lines: Annotated[Count, Field(description="lines that were read")]
    disagreeing: tuple[str, ...]
    forms: tuple[str, ...]
    leave_out: Annotated[bool, Field(description="whether these lines are left out of the training split")]


class ValidationSummary(Record):
    """The result of a validation. It is the same for the same archives, parameters and reference on every machine."""

    passed: bool
    sha256: Digest
    split: Annotated[str, Field(description="the splits of data.sources")]
    counts: ArchiveCounts
    splits: dict[str, SplitCounts]
    sources: tuple[SourceCounts, ...]
    drift: Annotated[str, Field(description="what the labels were compared with")]
    feedback: CorrectionsFound
    expectations: tuple[Expectation, ...]
    audit: Annotated[Audit | None, Field(description="None if no reader checked the lines")] = None
    forms_at_fault: Annotated[tuple[str, ...], Field(description="ids of forms with rows that failed an expectation")]


class LabelStatistics(Record):
    """Statistics of the texts of a data set. They contain no text."""

    characters: Annotated[dict[str, Share], Field(description="the share of each character")]
    capitals: Share
    spaces: Share
    line_length: Annotated[float, Field(ge=0, description="mean number of characters in a line")]
    lines_a_form: Annotated[float, Field(ge=0, description="mean number of lines on a form")]


class DriftReference(Record):
    """The statistics of the last accepted data, which the next validation compares with."""

    format: Literal[1] = 1
    source: str
    split: str
    sha256: Digest
    labels: LabelStatistics
