"""Training steps of the paragraph reader, against those of the lab's network and loop, on the same pages."""

from collections.abc import Callable, Iterator
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from text_recognizer.benchmarks.measure import Measurement, timed
from text_recognizer.config import TrainSection
from text_recognizer.data.augment import augment
from text_recognizer.data.samples import Batch
from text_recognizer.lit_models import ParagraphLitModel
from text_recognizer.lit_models.paragraph import ctc_loss, to_ink
from text_recognizer.models import ParagraphReader, ResnetTransformer
from text_recognizer.text import END_ID, MAPPING, NEWLINE_ID, SPECIAL, START_ID

HEIGHT, WIDTH, DPI = 576, 640, 75
LINES, CHARACTERS = 9, 41  # IAM's pages at the mean
CONFIG = {"input_dims": (1, HEIGHT, WIDTH), "output_dims": (682, 1), "mapping": MAPPING}
# As recipes/cpu.yaml and recipes/gpu.yaml have it: pages a step, feature maps, LSTM cells.
SIZES = {"cpu": (2, (24, 48, 96, 128), 192), "cuda": (16, (48, 96, 192, 256), 384)}
MATRIX = {"cpu": 2048, "cuda": 8192}
NUMBERS = {"cpu": torch.float32, "cuda": torch.bfloat16}  # most CPUs only imitate bfloat16, slowly
LABS_BATCH = 4
REPEATS = {"cpu": 2, "cuda": 20}


def train() -> Iterator[Measurement]:
    """Seconds a page of 576 x 640 pixels and 377 characters, on the GPU where there is one; random ink and weights."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.manual_seed(1)
    pages, channels, recurrent = SIZES[device]
    reader = ParagraphReader(len(MAPPING), channels, 0.2, recurrent, DPI).to(device)
    reader = reader.to(memory_format=torch.channels_last)
    ours, flops = _seconds(partial(_read, _lit(reader), _batch(pages, device)), reader, device)
    lab = ResnetTransformer(CONFIG).to(device)
    theirs, labs_flops = _seconds(partial(_spell, lab, _batch(LABS_BATCH, device)), lab, device)
    peak = _peak(device)
    used, labs_used = flops / ours / peak, labs_flops / theirs / peak
    yield Measurement(
        f"a page in training on {device}, {pages} a step, {pages / ours:.3g} pages a second, {used:.0%} of the"
        f" {peak / 1e12:.3g} TFLOP/s that a matrix product reaches",
        f"the lab's network in float32, {LABS_BATCH} a step, {labs_used:.0%}",
        ours / pages,
        theirs / LABS_BATCH,
    )


def _lit(reader: ParagraphReader) -> ParagraphLitModel:
    section = TrainSection.model_construct(average=0.0)
    return ParagraphLitModel(reader, section, reader.grid).train()


def _read(lit: ParagraphLitModel, batch: Batch) -> Tensor:
    """The reader's loss, with its augmentation."""
    device = batch.canvases.device.type
    with torch.autocast(device, dtype=torch.bfloat16, enabled=NUMBERS[device] is torch.bfloat16):
        ink, boxes = augment(to_ink(batch.canvases), batch.boxes, batch.counts, 0.6, 0.02 * DPI)
        scores, heat, target = lit(ink, boxes, batch.counts)
    return ctc_loss(scores, batch) + F.binary_cross_entropy_with_logits(heat.float(), target)


def _spell(model: ResnetTransformer, batch: Batch) -> Tensor:
    """The lab's loss: each next character, given the true ones before it."""
    lines = batch.targets.view(len(batch.counts), LINES, CHARACTERS)
    breaks = torch.full_like(lines[:, :, :1], NEWLINE_ID)
    text = torch.cat([lines, breaks], dim=2).flatten(start_dim=1)[:, :-1]
    y = F.pad(F.pad(text, (1, 0), value=START_ID), (0, 1), value=END_ID)
    logits = model.decode(model.encode(to_ink(batch.canvases)), y[:, :-1])  # (T, B, C)
    return F.cross_entropy(logits.permute(1, 2, 0), y[:, 1:])


def _batch(pages: int, device: str) -> Batch:
    pitch = HEIGHT // LINES
    boxes = torch.tensor([(8.0, pitch * line + 8.0, WIDTH - 16.0, pitch - 16.0) for line in range(LINES)])
    return Batch(
        torch.randint(0, 256, (pages, 1, HEIGHT, WIDTH), dtype=torch.uint8, device=device),
        boxes.repeat(pages, 1).to(device),
        [LINES] * pages,
        torch.randint(len(SPECIAL), NEWLINE_ID, (pages * LINES * CHARACTERS,), device=device),
        torch.full((pages * LINES,), CHARACTERS, device=device),
    )


def _seconds(loss: Callable[[], Tensor], model: nn.Module, device: str) -> tuple[float, int]:
    """Wall time (s) of an optimiser's step at its shortest, and its floating-point operations, those of LSTMs aside."""
    optimizer = torch.optim.AdamW(model.parameters())

    def step() -> None:
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()
        if device == "cuda":
            torch.cuda.synchronize()

    with FlopCounterMode(display=False) as counter:
        step()  # the first one is slower as well
    return timed(step, repeats=REPEATS[device])[0], int(counter.get_total_flops())


def _peak(device: str) -> float:
    """Floating-point operations a second of a product of two matrices of the numbers that the reader trains in."""
    size = MATRIX[device]
    matrix = torch.rand(size, size, device=device, dtype=NUMBERS[device])

    def product() -> None:
        torch.matmul(matrix, matrix)
        if device == "cuda":
            torch.cuda.synchronize()

    product()
    return float(2 * size**3 / timed(product, repeats=5)[0])
