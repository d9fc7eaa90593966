"""Train the classifier of text lines (handwritten, printed, no text), calibrate it, and export it.

The same strips and seed on one thread give the same weights.
"""

import logging
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from text_recognizer.core.errors import DataError
from text_recognizer.data.line_kind_augmentation import PAPER, add_neighbour, augment_strip
from text_recognizer.data.line_kind_corpus import KindFolders, gather_strips
from text_recognizer.data.line_kind_strips import KindStrip
from text_recognizer.inference.line_kind import (
    INPUT_HEIGHT,
    KINDS,
    NONE,
    PRINTED,
    LineKindInfo,
    line_kind_input,
    padded,
)
from text_recognizer.models.line_kind_network import LineKindNetwork
from text_recognizer.pages.strips import STRIP_HEIGHT
from text_recognizer.pages.text_detection import TextDetector
from text_recognizer.training.line_kind_export import export_line_kind

LOG = logging.getLogger(__name__)
LABEL_SMOOTHING = 0.02
SHARES = (0.42, 0.28, 0.30)  # of the kinds in a batch, in the order of KINDS
MIXED = 0.18  # share of the written and printed strips that are joined to a piece of another kind
MIN_PIECE = 24  # pixels of a strip that are joined to another
# Training sees windows of these widths, in pixels of the input. Short words have to be told apart too.
WINDOWS = (36, 320)
# A window is drawn again, so often, until this share of its pixels is darker than INK.
WINDOW_TRIES, INK, MIN_INK = 4, 128, 0.012


@dataclass(frozen=True)
class KindTraining:
    """How long and how fast to train. `steps` batches of `batch_size` strips; the rate rises, then falls to 0."""

    steps: int = 2500
    batch_size: int = 32
    learning_rate: float = 0.004
    weight_decay: float = 0.01
    seed: int = 7
    threads: int = 1
    share: float = 1.0  # of the pages that are used
    cache: Path | None = None  # the folder where the strips of each source are kept


class StripSampler:
    """Draw batches of augmented strips. Sources count equally within a kind, but large ones count more."""

    def __init__(self, strips: Sequence[KindStrip], seed: int) -> None:
        self.strips = strips
        self._rng = np.random.default_rng(seed)
        kinds = np.array([strip.kind for strip in strips])
        self._of_kind = [np.flatnonzero(kinds == kind).tolist() for kind in range(len(KINDS))]
        if missing := [KINDS[kind] for kind, own in enumerate(self._of_kind) if not own]:
            raise DataError(f"there is no strip of the kind {', '.join(missing)}", "add a folder that has some")
        self._cumulative = [np.cumsum(_source_chances([strips[at].source for at in own])) for own in self._of_kind]
        self._textures = [strips[at].pixels for at in self._of_kind[NONE]]

    def draw(self, count: int) -> tuple[Tensor, Tensor, Tensor]:
        """Return inputs (B, 1, H, W), widths (B,) and kinds (B,)."""
        kinds = self._rng.choice(len(KINDS), count, p=SHARES)
        usual = float(np.exp(self._rng.uniform(*np.log(WINDOWS))))  # of similar widths, so that little is padded
        inputs = [self._input(int(kind), usual) for kind in kinds]
        pictures, widths = padded(inputs)
        return torch.from_numpy(pictures), torch.from_numpy(widths), torch.from_numpy(kinds)

    def _input(self, kind: int, usual: float) -> np.ndarray:
        """Return an input of about the usual width, in pixels of the input."""
        rng = self._rng
        width = int(usual * np.exp(rng.normal(0, 0.1)) * STRIP_HEIGHT / INPUT_HEIGHT)
        mixed = kind != NONE and rng.random() < MIXED
        pixels = self._window(self._pick(kind), round(width * rng.uniform(0.5, 0.8)) if mixed else width)
        if mixed:
            other = NONE if kind == PRINTED or rng.random() < 0.3 else PRINTED
            piece = self._window(self._pick(other), max(MIN_PIECE, width - pixels.shape[1]))
            pixels = np.concatenate([(pixels, piece), (piece, pixels)][int(rng.integers(2))], axis=1)
        elif kind != NONE and rng.random() < 0.3:
            pixels = np.pad(pixels, ((0, 0), tuple(rng.integers(0, 50, 2))), constant_values=PAPER)
        if kind != NONE and rng.random() < 0.2:
            pixels = add_neighbour(pixels, self._window(self._pick(kind), pixels.shape[1]), rng)
        if kind == NONE:
            pixels = np.ascontiguousarray(pixels[:: int(rng.choice((-1, 1))), :: int(rng.choice((-1, 1)))])
        return line_kind_input(augment_strip(pixels, self._textures, rng))

    def _pick(self, kind: int) -> np.ndarray:
        own = self._of_kind[kind]
        at = min(int(np.searchsorted(self._cumulative[kind], self._rng.random(), side="right")), len(own) - 1)
        pixels: np.ndarray = self.strips[own[at]].pixels
        return pixels

    def _window(self, pixels: np.ndarray, width: int) -> np.ndarray:
        """Cut a window of `width` pixels at random, with ink if there is some, if the strip is longer."""
        spare = pixels.shape[1] - width
        if spare <= 0:
            return pixels
        for start in self._rng.integers(0, spare, WINDOW_TRIES):
            window = pixels[:, start : start + width]
            if np.mean(window < INK) > MIN_INK:
                break
        return window


def _source_chances(sources: Sequence[str]) -> np.ndarray:
    """Weigh each strip by its collection (the part before the slash): a collection counts by the root of its size."""
    _, of_strip, counts = np.unique(
        [name.partition("/")[0] for name in sources], return_inverse=True, return_counts=True
    )
    weights = counts[of_strip] ** -0.5
    chances: np.ndarray = weights / weights.sum()
    return chances


def train_line_kind(strips: Sequence[KindStrip], training: KindTraining) -> LineKindNetwork:
    """Train a network on strips of all kinds.

    Raises DataError if a kind has no strip.
    """
    torch.set_num_threads(training.threads)
    torch.manual_seed(training.seed)
    sampler = StripSampler(strips, training.seed)
    network = LineKindNetwork()
    optimizer = torch.optim.AdamW(network.parameters(), training.learning_rate, weight_decay=training.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, training.learning_rate, total_steps=training.steps + 1, pct_start=0.15
    )
    network.train()
    started, mean_loss = time.monotonic(), 1.0
    for step in range(1, training.steps + 1):
        pictures, widths, kinds = sampler.draw(training.batch_size)
        loss = F.cross_entropy(network(pictures, widths), kinds, label_smoothing=LABEL_SMOOTHING)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        mean_loss += 0.02 * (float(loss.detach()) - mean_loss)
        if step % 100 == 0:
            LOG.info("step %d of %d, loss %.3f, %.0f s", step, training.steps, mean_loss, time.monotonic() - started)
    network.eval()
    return network


def logits_of(network: LineKindNetwork, strips: Sequence[KindStrip]) -> np.ndarray:
    """Return the logits (N, 3) of strips, one after the other."""
    rows = [np.zeros((0, len(KINDS)), dtype=np.float32)]
    with torch.no_grad():
        for strip in strips:
            pictures, widths = padded([line_kind_input(strip.pixels)])
            rows.append(network(torch.from_numpy(pictures), torch.from_numpy(widths)).numpy())
    return np.concatenate(rows)


def fit_temperature(logits: np.ndarray, kinds: np.ndarray) -> float:
    """Return the temperature that makes the probabilities of held-out strips most likely (Guo et al. 2017)."""
    candidates = np.exp(np.linspace(np.log(0.3), np.log(5), 60))
    losses = []
    for temperature in candidates:
        scores = torch.from_numpy(logits / temperature)
        losses.append(float(F.cross_entropy(scores, torch.from_numpy(kinds))))
    return round(float(candidates[int(np.argmin(losses))]), 3)


def confusion(logits: np.ndarray, kinds: np.ndarray) -> list[list[int]]:
    """Count strips by true kind (rows) and by most probable kind (columns)."""
    table = np.zeros((len(KINDS), len(KINDS)), dtype=int)
    np.add.at(table, (kinds, logits.argmax(axis=1)), 1)
    rows: list[list[int]] = table.tolist()
    return rows


def train_and_export(folders: KindFolders, detector: TextDetector, training: KindTraining, out: Path) -> LineKindInfo:
    """Gather the strips, train, calibrate on the validation split, and write `out` and its description beside it."""
    strips, held_out = (
        gather_strips(folders, split, detector, training.share, training.cache) for split in ("train", "validation")
    )
    network = train_line_kind(strips, training)
    logits, kinds = logits_of(network, held_out), np.array([strip.kind for strip in held_out])
    metrics = {"confusion": confusion(logits, kinds), "strips": len(held_out), "steps": training.steps}
    return export_line_kind(network, out, fit_temperature(logits, kinds), collections_of(strips), metrics)


def collections_of(strips: Sequence[KindStrip]) -> list[str]:
    """Say how many strips of each kind come from each collection, such as `printed: font, 8000 strips`."""
    counts = Counter((strip.kind, strip.source.partition("/")[0]) for strip in strips)
    return [f"{KINDS[kind]}: {collection}, {count} strips" for (kind, collection), count in sorted(counts.items())]
