"""Adapt a reader to one hand: train it on with a few corrected pages, and keep what reads other pages of it better.

The pages are divided into folds. For each fold the reader is trained on with the other pages, and reads the pages of
the fold before and after. So every page is read by a reader that was not trained on it. The adapted reader is the mean
of those of all folds.
"""

import logging
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np

from text_recognizer.core.errors import DataError, TextRecognizerError
from text_recognizer.core.metrics import (
    Difference,
    Edits,
    bootstrap_interval,
    character_edits,
    error_rate,
    paired_difference,
)
from text_recognizer.inference.recognizer import Recognizer
from text_recognizer.preprocess.line_canvases import LabelledStrip, from_png
from text_recognizer.training.adaptation_runs import (
    AdaptationSettings,
    StartingReader,
    Weights,
    mean_weights,
    run_folder,
    train_on,
)
from text_recognizer.training.network_session import NetworkSession

MIN_PAGES, MAX_PAGES = 5, 50
# Shares of the way from the reader's weights to the trained ones that are tried. The whole way reads the hand a little
# better, and forgets other hands: docs/your-own-hand.md.
MIXES = (0.5, 0.75)
RESAMPLES, LEVEL = 2000, 0.95  # of the intervals over pages
log = logging.getLogger(__name__)
Candidate = tuple[int, float]  # the epoch, from 0, and the share of the way


class NotBetterError(TextRecognizerError):
    """The adapted reader does not read other pages better than the reader that it was made from."""

    code = "not-better"


@dataclass(frozen=True)
class Adaptation:
    """The adapted weights, and how pages were read before and after by readers that were not trained on them.

    `epoch` (from 0) and `share` are the length of the training and the share of the way to its weights that were
    chosen. `before` and `after` have the edits of each page, `strips` the lines of the pages.
    """

    start: StartingReader
    weights: Weights
    epoch: int
    share: float
    pages: tuple[str, ...]
    before: tuple[Edits, ...]
    after: tuple[Edits, ...]
    strips: tuple[LabelledStrip, ...]

    @property
    def intervals(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """The bootstrap intervals over pages of the CER before and after."""
        before, after = (
            bootstrap_interval(rows, self.pages, RESAMPLES, LEVEL, seed=1) for rows in (self.before, self.after)
        )
        return before, after

    @property
    def difference(self) -> Difference:
        """The CER after minus the CER before, with its bounds."""
        return paired_difference(self.after, self.before, RESAMPLES, LEVEL, seed=1)

    @property
    def is_better(self) -> bool:
        """Whether the pages are read better, with a confidence of LEVEL."""
        return self.difference.high < 0

    def summary(self) -> str:
        """Return the CER before and after with the intervals."""
        (low, high), (new_low, new_high) = self.intervals
        return (
            f"on pages that it was not trained on: CER {error_rate(self.before):.2%} [{low:.2%}, {high:.2%}] before, "
            f"{error_rate(self.after):.2%} [{new_low:.2%}, {new_high:.2%}] after"
        )


def adapt(
    strips: Sequence[LabelledStrip],
    base: Path,
    scratch: Path,
    settings: AdaptationSettings,
    finish: Callable[[Adaptation], object] = lambda _: None,
) -> Adaptation:
    """Adapt the reader in the folder `base` to the hand of some strips. A stopped adaptation resumes in `scratch`.

    `finish` is called with the result before the files in `scratch` are deleted.

    Raises:
        DataError: the strips are of too few pages, or of too many.
        ModelError: the folder holds no weights.
        NotBetterError: the adapted reader does not read pages better that it was not trained on.
    """
    require_pages(len({strip.page for strip in strips}))
    start = StartingReader.load(base)
    folder = run_folder(scratch, start, strips, settings)
    folds = _folds(strips, settings)
    trained = []
    for number, names in enumerate(folds, 1):
        log.info("fold %d of %d: %d pages are held out", number, len(folds), len(names))
        held_out = [strip for strip in strips if strip.page in names]
        others = [strip for strip in strips if strip.page not in names]
        trained.append(train_on(start, others, held_out, folder / f"{folder.name}-{number}", settings))
    adaptation = _chosen(start, strips, folds, trained)
    if adaptation.is_better:
        finish(adaptation)
    shutil.rmtree(folder)
    if not adaptation.is_better:
        raise NotBetterError(
            f"the adapted reader is not kept: {adaptation.summary()}; with a confidence of {LEVEL:.0%} it is no better",
            "correct more pages of the same hand, and check that their texts are right; or keep the reader as it is",
        )
    return adaptation


def require_pages(count: int) -> None:
    """Raise DataError if there are too few or too many pages to adapt a reader to."""
    if count < MIN_PAGES:
        raise DataError(
            f"lines with a known text were found on {count} pages, and at least {MIN_PAGES} are needed",
            "correct more pages of the same hand",
        )
    if count > MAX_PAGES:
        raise DataError(
            f"there are {count} pages, and at most {MAX_PAGES} are used",
            "give fewer, or train a reader on with recipes/lines.yaml",
        )


def _folds(strips: Sequence[LabelledStrip], settings: AdaptationSettings) -> list[frozenset[str]]:
    """Divide the pages at random into folds of about equally many."""
    pages = np.array(sorted({strip.page for strip in strips}))
    order = np.random.default_rng(settings.seed).permutation(len(pages))
    return [frozenset(pages[part].tolist()) for part in np.array_split(order, settings.folds)]


@dataclass(frozen=True)
class FoldReadings:
    """The edits of each held-out page of a fold: by the reader before, and by each candidate."""

    before: dict[str, Edits]
    after: list[dict[str, Edits]]

    @property
    def totals(self) -> np.ndarray:
        """The edits of each candidate on all pages of the fold."""
        return np.array([sum(row.edits for row in rows.values()) for rows in self.after])


def _chosen(
    start: StartingReader,
    strips: Sequence[LabelledStrip],
    folds: Sequence[frozenset[str]],
    trained: Sequence[Sequence[Weights]],
) -> Adaptation:
    """Read the pages of each fold by each candidate, and choose the candidate with the fewest edits.

    The figures of a fold are those of the candidate that the other folds choose, so that the choice does not make them
    too good.
    """
    candidates: list[Candidate] = list(product(range(len(trained[0])), MIXES))
    tried = [[start.mixed(epochs[epoch], share) for epoch, share in candidates] for epochs in trained]
    readings = _read_folds(start, strips, folds, tried)
    totals = np.stack([fold.totals for fold in readings])
    by_others = (totals.sum(axis=0) - totals).argmin(axis=1)
    before = {page: row for fold in readings for page, row in fold.before.items()}
    after = {
        page: row for fold, choice in zip(readings, by_others, strict=True) for page, row in fold.after[choice].items()
    }
    epoch, share = candidates[int(totals.sum(axis=0).argmin())]
    pages = tuple(sorted(before))
    return Adaptation(
        start=start,
        weights=start.mixed(mean_weights([epochs[epoch] for epochs in trained]), share),
        epoch=epoch,
        share=share,
        pages=pages,
        before=tuple(before[page] for page in pages),
        after=tuple(after[page] for page in pages),
        strips=tuple(strips),
    )


def _read_folds(
    start: StartingReader,
    strips: Sequence[LabelledStrip],
    folds: Sequence[frozenset[str]],
    tried: Sequence[Sequence[Weights]],
) -> list[FoldReadings]:
    """Read the pages of each fold with the weights of the start, and with those that are `tried` on the fold."""
    reader = HeldOutReader(start)
    readings = []
    for number, (names, weights) in enumerate(zip(folds, tried, strict=True), 1):
        log.info("fold %d of %d: reads its %d pages %d times", number, len(folds), len(names), 1 + len(weights))
        held_out = [strip for strip in strips if strip.page in names]
        before = reader.read(start.weights, held_out)
        readings.append(FoldReadings(before, [reader.read(one, held_out) for one in weights]))
    return readings


class HeldOutReader:
    """Read strips with other weights as `read` does: the same stacks, the same decoder."""

    def __init__(self, start: StartingReader) -> None:
        self._start = start
        self._decoder = Recognizer.load(start.folder)

    def read(self, weights: Weights, strips: Sequence[LabelledStrip]) -> dict[str, Edits]:
        """Return the edits of the lines of each page."""
        reader = Recognizer(self._start.info, NetworkSession(self._start.network(weights)))
        rows = {}
        for page in sorted({strip.page for strip in strips}):
            lines = [strip for strip in strips if strip.page == page]
            scores = reader.score_strips([from_png(line.png) for line in lines])
            read = ["".join(one.character for one in line.characters()) for line in self._decoder.decode_lines(scores)]
            counts = [character_edits(line.text, text) for line, text in zip(lines, read, strict=True)]
            rows[page] = Edits(sum(one.edits for one in counts), sum(one.length for one in counts))
        return rows
