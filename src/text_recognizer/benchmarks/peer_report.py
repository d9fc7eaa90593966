"""The scores of several readers on the same files, as a Markdown table and as JSON."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from text_recognizer.benchmarks.page_readers import NOT_INSTALLED, FileReading
from text_recognizer.benchmarks.page_truth import KnownPage
from text_recognizer.benchmarks.text_error import FileScore, Summary, score_file, summarise_files, summarise_kinds

DEFINITION = (
    "CER: white space collapsed, the edits of a file capped at the length of its text, summed over the files with "
    "text; in brackets its 95 % bootstrap interval over files. "
    "Any order: the CER if the lines may be read in any order, so that the difference is what the order costs. "
    "Order: the distance of the order of the lines from the true one, 0 for none and 1 for the reverse: Spearman's "
    "footrule, and in brackets the share of pairs in the wrong order (Kendall), means over files. "
    "Invented: characters read on files without writing. "
    "Seconds: a page on one thread, without loading the models; CPU seconds do not depend on what else runs. "
    "A file that a reader cannot open counts as read without text. "
    "The other readers get each page as a PNG of its pixels, upright, and the pages of a PDF drawn at 200 dpi. "
    "They read print too, which counts as edits where the text of a file is its handwriting alone."
)
HEAD = ("reader", "version", "CER", "any order", "order", "invented", "s a page", "CPU s a page", "not read")


@dataclass
class ReaderScores:
    """What one reader made of the files: a score and a reading of each, and the number of pages that were read.

    A file that could not be read counts as read without text.
    """

    name: str
    version: str
    scores: list[FileScore] = field(default_factory=list)
    readings: list[FileReading] = field(default_factory=list)
    pages: int = 0

    def add(self, page: KnownPage, reading: FileReading, pages: int) -> None:
        """Score the reading of a file with so many pages."""
        self.scores.append(score_file(page.name, page.kind, page.text, reading.text))
        self.readings.append(reading)
        self.pages += 0 if reading.error else pages

    def per_page(self, seconds: Sequence[float]) -> float | None:
        """Return the mean of the seconds over the pages that were read."""
        return sum(seconds) / self.pages if self.pages else None


def markdown(results: Sequence[ReaderScores]) -> str:
    """Return the table of all readers, a table of the kinds of files if they have any, and how to read them."""
    parts = [_table(HEAD, [_row(result) for result in results])]
    if kinds := _kind_rows(results):
        parts.append(_table(["kind", "files", *(f"{result.name} (any order)" for result in results)], kinds))
    return "\n\n".join([*parts, DEFINITION])


def to_json(results: Sequence[ReaderScores]) -> dict[str, object]:
    """Return all figures, of each file too, without any text."""
    return {"definition": DEFINITION, "readers": [_reader_json(result) for result in results]}


def rate(summary: Summary) -> str:
    """Return an error rate and its interval in per cent."""
    if summary.cer is None or summary.interval is None:
        return "-"
    low, high = summary.interval
    return f"{100 * summary.cer:.1f} % [{100 * low:.1f}, {100 * high:.1f}]"


def _order(summary: Summary) -> list[str]:
    """Return the error rate in any order in per cent, and the distances of the order from the true one."""
    if summary.cer_any_order is None:
        return ["-", "-"]
    known = summary.footrule is not None and summary.kendall is not None
    distances = f"{summary.footrule:.3f} ({summary.kendall:.3f})" if known else "-"
    return [f"{100 * summary.cer_any_order:.1f} %", distances]


def _row(result: ReaderScores) -> list[str]:
    if result.version == NOT_INSTALLED:
        return [result.name, NOT_INSTALLED, *["-"] * (len(HEAD) - 2)]
    summary = summarise_files(result.scores)
    invented = f"{summary.invented} on {summary.inventing} of {summary.empty}" if summary.empty else "-"
    times = (result.per_page([getattr(one, key) for one in result.readings]) for key in ("seconds", "cpu_seconds"))
    unread = sum(bool(one.error) for one in result.readings)
    seconds = ["-" if time is None else f"{time:.2f}" for time in times]
    return [result.name, result.version, rate(summary), *_order(summary), invented, *seconds, str(unread)]


def _kind_rows(results: Sequence[ReaderScores]) -> list[list[str]]:
    """Return a row for each kind that has text: its files, and the error rate of each reader, in order and in any."""
    summaries = [summarise_kinds(result.scores) for result in results]
    kinds = sorted({kind for kinds in summaries for kind, summary in kinds.items() if summary.files})
    rows = []
    for kind in kinds:
        found = [by_kind.get(kind) for by_kind in summaries]
        files = max(summary.files for summary in found if summary)
        rates = [_rates(one) if one else "-" for one in found]
        rows.append([kind, str(files), *rates])
    return rows


def _rates(summary: Summary) -> str:
    """Return the error rate in order, and in brackets that in any order, in per cent."""
    if summary.cer is None or summary.cer_any_order is None:
        return "-"
    return f"{100 * summary.cer:.1f} % ({100 * summary.cer_any_order:.1f})"


def _reader_json(result: ReaderScores) -> dict[str, object]:
    files = [
        asdict(score) | {"seconds": one.seconds, "cpu_seconds": one.cpu_seconds, "error": one.error}
        for score, one in zip(result.scores, result.readings, strict=True)
    ]
    return {
        "name": result.name,
        "version": result.version,
        "all": asdict(summarise_files(result.scores)),
        "kinds": {kind: asdict(summary) for kind, summary in summarise_kinds(result.scores).items()},
        "pages": result.pages,
        "seconds_per_page": result.per_page([one.seconds for one in result.readings]),
        "cpu_seconds_per_page": result.per_page([one.cpu_seconds for one in result.readings]),
        "files": files,
    }


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
