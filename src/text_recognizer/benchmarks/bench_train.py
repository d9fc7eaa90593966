"""Training steps of the paragraph reader, against those of the lab's network and loop, on the same pages."""

import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from text_recognizer.benchmarks.bench_pages import crops, drawn_pages
from text_recognizer.benchmarks.measure import Measurement, timed
from text_recognizer.core.charset import CHARSET, PADDING_ID
from text_recognizer.core.params import TrainSection
from text_recognizer.data.batches import LineBatch
from text_recognizer.data.iam_paragraphs import (
    LAB_CANVAS,
    LAB_LENGTH,
    EpochOptions,
    IAMOriginalAndSyntheticParagraphs,
    IAMParagraphs,
)
from text_recognizer.lit_models import LineReaderLitModel
from text_recognizer.models import LineReader, ResnetTransformer
from text_recognizer.models.line_reader import ReaderConfig

DPI, LAB_DPI = 150, 75
CANVAS = 2 * LAB_CANVAS[0], 2 * LAB_CANVAS[1]
PAGES = 16


class Size(NamedTuple):
    """The reader of a device's recipe, and how many steps are timed on that device.

    `matrix` is the side of the square matrices whose product gives the peak.
    """

    batch_size: int
    channels: tuple[int, int, int, int]
    num_blocks: int
    lstm_hidden: int
    num_workers: int
    steps: int
    matrix: int
    dtype: torch.dtype  # most CPUs only emulate bfloat16, slowly


SIZES = {
    "cpu": Size(2, (24, 48, 96, 128), 0, 192, 0, 10, 2048, torch.float32),
    "cuda": Size(32, (32, 64, 128, 192), 4, 320, 12, 60, 8192, torch.bfloat16),
}
LAB_BATCH_SIZE, LAB_STEPS = 4, {"cpu": 2, "cuda": 20}


class Pace(NamedTuple):
    """The means over the steps: pages, wall time in seconds with the loader, share of it spent waiting for pages.

    `utilisation` is the share of the device's peak, in floating-point operations per second.
    """

    pages: float
    seconds: float
    waiting: float
    utilisation: float


def train() -> Iterator[Measurement]:
    """Measure the seconds per page of IAM's size, with loading and augmentation, on the GPU if there is one."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    size, peak = SIZES[device], _peak(device)
    torch.manual_seed(1)
    with tempfile.TemporaryDirectory(prefix="benchmark-") as scratch:
        ours, labs = Path(scratch) / "ours", Path(scratch) / "labs"
        packs = drawn_pages(PAGES, [crops(DPI, *CANVAS, 8), crops(LAB_DPI, *LAB_CANVAS)])
        for folder, pack in zip((ours, labs), packs, strict=True):
            folder.mkdir()
            for split in ("train", "validation", "test"):
                pack.save(folder, split)
        read, recombined = (_pace_of_reader(ours, size, device, peak, share) for share in (0.0, 1.0))
        lab = _pace_of_lab(labs, device, peak)
    yield Measurement(
        f"a page in training on {device}, {read.pages:.3g} a step, {read.pages / read.seconds:.3g} pages a second,"
        f" {read.utilisation:.0%} of the {peak / 1e12:.3g} TFLOP/s that a matrix product reaches,"
        f" {read.waiting:.1%} of the time waiting for pages, {recombined.waiting:.1%} for recombined ones",
        f"the lab's network in float32, {LAB_BATCH_SIZE} a step, {lab.utilisation:.0%}",
        read.seconds / read.pages,
        lab.seconds / lab.pages,
    )


def _pace_of_reader(folder: Path, size: Size, device: str, peak: float, recombined: float) -> Pace:
    # Only what the losses and the module's set-up use.
    section = TrainSection.model_construct(
        augment=0.7, elastic=0.02, ema_decay=0.0, learning_rate=1e-4, weight_decay=0.0, warmup=0.0
    )
    config = ReaderConfig(
        num_classes=len(CHARSET), channels=size.channels, dropout=0.2, lstm_hidden=size.lstm_hidden, dpi=DPI,
        time_mask=0.12, num_blocks=size.num_blocks,
    )  # fmt: skip
    reader = LineReader(config).to(device).to(memory_format=torch.channels_last)
    lit = LineReaderLitModel(reader, section).train()
    options = EpochOptions("lines", size.steps + 2, recombined=(recombined, recombined), epochs=1, dpi=DPI)
    data = IAMOriginalAndSyntheticParagraphs(
        folder, size.batch_size, seed=1, num_workers=size.num_workers, options=options
    )
    data.setup("fit")
    return _pace(data, partial(_reader_loss, lit, size.dtype), reader, device, peak)


def _reader_loss(lit: LineReaderLitModel, dtype: torch.dtype, batch: LineBatch) -> Tensor:
    """Augment a batch and return the reader's loss."""
    with torch.autocast(batch.groups[0].strips.device.type, dtype=torch.bfloat16, enabled=dtype is torch.bfloat16):
        return lit.loss(batch)


def _pace_of_lab(folder: Path, device: str, peak: float) -> Pace:
    config = {"input_dims": (1, *LAB_CANVAS), "output_dims": (LAB_LENGTH, 1), "mapping": CHARSET}
    lab = ResnetTransformer(config).to(device)
    options = EpochOptions(steps_per_epoch=LAB_STEPS[device] + 2)
    data = IAMParagraphs(folder, LAB_BATCH_SIZE, seed=1, augment=0.0, options=options)
    data.setup("fit")
    return _pace(data, partial(_lab_loss, lab), lab, device, peak)


def _lab_loss(model: ResnetTransformer, batch: tuple[Tensor, Tensor]) -> Tensor:
    """Return the lab's loss: the cross-entropy of each character, given the true ones before it."""
    foreground, y = batch
    logits = model.decode(model.encode(foreground), y[:, :-1])  # (T, B, C)
    return F.cross_entropy(logits.permute(1, 2, 0), y[:, 1:], ignore_index=PADDING_ID)


def _pace(data: IAMParagraphs, loss: Callable[[Any], Tensor], model: nn.Module, device: str, peak: float) -> Pace:
    """Return the means over the training batches but the first two, which start its workers and the device.

    Operations are counted in the second step, without those of LSTMs.
    """
    optimizer = torch.optim.AdamW(model.parameters(), 1e-4)

    def step(batch: Any) -> None:  # noqa: ANN401
        optimizer.zero_grad()
        loss(batch).backward()
        optimizer.step()
        if device == "cuda":
            torch.cuda.synchronize()

    loader = data.train_dataloader()
    batches = (data.transfer_batch_to_device(batch, torch.device(device), 0) for batch in loader)
    step(next(batches))
    counted = next(batches)
    with FlopCounterMode(display=False) as counter:
        step(counted)
    operations = counter.get_total_flops() / _pages(counted)
    pages, busy, start = 0, 0.0, time.perf_counter()
    for batch in batches:
        arrived = time.perf_counter()
        step(batch)
        busy += time.perf_counter() - arrived
        pages += _pages(batch)
    wall, steps = time.perf_counter() - start, len(loader) - 2
    return Pace(pages / steps, wall / steps, 1 - busy / wall, operations * pages / wall / peak)


def _pages(batch: LineBatch | tuple[Tensor, Tensor]) -> int:
    return len(batch.counts if isinstance(batch, LineBatch) else batch[0])


def _peak(device: str) -> float:
    """Return the floating-point operations per second of a matrix product, in the dtype that the reader trains in."""
    size = SIZES[device].matrix
    matrix = torch.rand(size, size, device=device, dtype=SIZES[device].dtype)

    def product() -> None:
        torch.matmul(matrix, matrix)
        if device == "cuda":
            torch.cuda.synchronize()

    product()
    return float(2 * size**3 / timed(product, repeats=5)[0])
