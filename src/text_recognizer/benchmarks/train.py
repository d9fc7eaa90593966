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
from torch.utils.data import DataLoader
from torch.utils.flop_counter import FlopCounterMode

from text_recognizer.benchmarks.measure import Measurement, timed
from text_recognizer.benchmarks.pages import crops, drawn_pages
from text_recognizer.config import TrainSection
from text_recognizer.data.paragraphs import LAB_CANVAS, LAB_LENGTH, IAMOriginalAndSyntheticParagraphs, IAMParagraphs
from text_recognizer.data.samples import Batch
from text_recognizer.lit_models import ParagraphLitModel
from text_recognizer.models import ParagraphReader, ResnetTransformer
from text_recognizer.text import MAPPING, PADDING_ID

DPI, LAB_DPI = 150, 75
CANVAS = 2 * LAB_CANVAS[0], 2 * LAB_CANVAS[1]
PAGES = 16


class Size(NamedTuple):
    """How the recipe for a device has it, and how many steps tell how long one takes there."""

    batch: int
    channels: tuple[int, int, int, int]
    blocks: int
    recurrent: int
    loaders: int
    steps: int
    matrix: int
    numbers: torch.dtype  # most CPUs only imitate bfloat16, slowly


SIZES = {
    "cpu": Size(2, (24, 48, 96, 128), 0, 192, 0, 10, 2048, torch.float32),
    "cuda": Size(32, (32, 64, 128, 192), 4, 320, 12, 60, 8192, torch.bfloat16),
}
LABS_BATCH, LABS_STEPS = 4, {"cpu": 2, "cuda": 20}


class Pace(NamedTuple):
    """Of a step: pages, wall time (s) with its loader, the share of it spent waiting for pages, share of the peak."""

    pages: float
    seconds: float
    waiting: float
    used: float


def train() -> Iterator[Measurement]:
    """Seconds a page, drawn at IAM's size, on the GPU where there is one: loading, augmentation, loss and optimiser."""
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
        read, recombined = (_readers_pace(ours, size, device, peak, share) for share in (0.0, 1.0))
        spelt = _labs_pace(labs, device, peak)
    yield Measurement(
        f"a page in training on {device}, {read.pages:.3g} a step, {read.pages / read.seconds:.3g} pages a second,"
        f" {read.used:.0%} of the {peak / 1e12:.3g} TFLOP/s that a matrix product reaches,"
        f" {read.waiting:.1%} of the time waiting for pages, {recombined.waiting:.1%} for recombined ones",
        f"the lab's network in float32, {LABS_BATCH} a step, {spelt.used:.0%}",
        read.seconds / read.pages,
        spelt.seconds / spelt.pages,
    )


def _readers_pace(folder: Path, size: Size, device: str, peak: float, recombined: float) -> Pace:
    section = TrainSection.model_construct(average=0.0, augment=0.7, elastic=0.02)
    reader = ParagraphReader(len(MAPPING), size.channels, 0.2, size.recurrent, DPI, hidden=0.12, blocks=size.blocks)
    reader = reader.to(device).to(memory_format=torch.channels_last)
    lit = ParagraphLitModel(reader, section, reader.grid).train()
    share = recombined, recombined
    data = IAMOriginalAndSyntheticParagraphs(
        folder, size.batch, size.steps + 2, 1, size.loaders, "lines", rounds=1, share=share
    )
    data.setup("fit")
    return _pace(data.train_dataloader(), partial(_read, lit, size.numbers), reader, device, peak)


def _read(lit: ParagraphLitModel, numbers: torch.dtype, batch: Batch) -> Tensor:
    """The reader's loss, with its augmentation."""
    with torch.autocast(batch.canvases.device.type, dtype=torch.bfloat16, enabled=numbers is torch.bfloat16):
        reading, finding = lit.losses(batch)
    return reading + finding


def _labs_pace(folder: Path, device: str, peak: float) -> Pace:
    config = {"input_dims": (1, *LAB_CANVAS), "output_dims": (LAB_LENGTH, 1), "mapping": MAPPING}
    lab = ResnetTransformer(config).to(device)
    data = IAMParagraphs(folder, LABS_BATCH, LABS_STEPS[device] + 2, 1, augment=0.0)
    data.setup("fit")
    return _pace(data.train_dataloader(), partial(_spell, lab), lab, device, peak)


def _spell(model: ResnetTransformer, batch: tuple[Tensor, Tensor]) -> Tensor:
    """The lab's loss: each next character, given the true ones before it."""
    ink, y = batch
    logits = model.decode(model.encode(ink), y[:, :-1])  # (T, B, C)
    return F.cross_entropy(logits.permute(1, 2, 0), y[:, 1:], ignore_index=PADDING_ID)


def _pace(loader: DataLoader, loss: Callable[[Any], Tensor], model: nn.Module, device: str, peak: float) -> Pace:
    """The mean over a loader's batches but the first two, which start its workers and the device.

    Operations are counted in the second step, those of LSTMs aside.
    """
    optimizer = torch.optim.AdamW(model.parameters(), 1e-4)

    def step(batch: Any) -> None:  # noqa: ANN401
        optimizer.zero_grad()
        loss(batch).backward()
        optimizer.step()
        if device == "cuda":
            torch.cuda.synchronize()

    batches = (_moved(batch, device) for batch in loader)
    step(next(batches))
    counted = next(batches)
    with FlopCounterMode(display=False) as counter:
        step(counted)
    operations = counter.get_total_flops() / len(counted[0])
    pages, busy, start = 0, 0.0, time.perf_counter()
    for batch in batches:
        arrived = time.perf_counter()
        step(batch)
        busy += time.perf_counter() - arrived
        pages += len(batch[0])
    wall, steps = time.perf_counter() - start, len(loader) - 2
    return Pace(pages / steps, wall / steps, 1 - busy / wall, operations * pages / wall / peak)


def _moved(batch: Any, device: str) -> Any:  # noqa: ANN401
    parts: list[Any] = [part.to(device, non_blocking=True) if isinstance(part, Tensor) else part for part in batch]
    return Batch(*parts) if isinstance(batch, Batch) else tuple(parts)


def _peak(device: str) -> float:
    """Floating-point operations a second of a product of two matrices of the numbers that the reader trains in."""
    size = SIZES[device].matrix
    matrix = torch.rand(size, size, device=device, dtype=SIZES[device].numbers)

    def product() -> None:
        torch.matmul(matrix, matrix)
        if device == "cuda":
            torch.cuda.synchronize()

    product()
    return float(2 * size**3 / timed(product, repeats=5)[0])
