"""Draws the pictures of docs/data.md: `.venv/bin/python docs/pictures.py`. The same bytes each time."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from text_recognizer import config
from text_recognizer.data import augment as room
from text_recognizer.data.iam import Box, Form, Line
from text_recognizer.data.packed import PackedSplit
from text_recognizer.data.recombined import Recombined
from text_recognizer.data.synthetic.form import DrawnForm, draw_form
from text_recognizer.data.synthetic.plan import plan
from text_recognizer.data.synthetic.sheet import sheet_of
from text_recognizer.data.synthetic.writer import Writer
from text_recognizer.preprocess import crop_form

IMAGES = Path(__file__).parent / "images"
# The constant that each transform goes by, and a seed whose two draws lie far apart.
ALONE = {
    "scale": ("SCALE", 27),
    "stretch": ("STRETCH", 54),
    "slant": ("SHEAR", 16),
    "rotation": ("ROTATION", 179),
    "stroke": ("STROKE", 58),
    "fade": ("FADE", 8),
    "noise": ("NOISE", 17),
}
CONSTANTS = {constant for constant, _ in ALONE.values()}
BEND = 0.012 * 75  # px: `train.elastic` of 0.012 inches at 75 dpi
SIZE = 208, 640  # px


def main() -> None:
    params = config.load(Path(__file__).parents[1] / "params.yaml")
    section = params.preprocess.model_copy(update={"dpi": 75, "canvas_height": SIZE[0], "canvas_width": SIZE[1]})
    synthetic = params.synthetic.model_copy(update={"page_width": 2479, "page_height": 1800, "dpi": 150})
    sheet = sheet_of(synthetic)
    cropped = []
    for writer_plan in plan(synthetic)[10:13]:
        writer = Writer(writer_plan, synthetic.seed, synthetic.dpi)
        for number in writer_plan.forms:
            drawn = draw_form(writer, writer_plan, number, synthetic.seed, sheet, (3, 3))
            cropped.append(crop_form(_labels(drawn), drawn.picture, section))
    canvases, pages = zip(*cropped, strict=True)
    _save("page", canvases[0])
    ink = torch.from_numpy(1 - canvases[0].astype(np.float32) / 255)[None, None]
    for name, (constant, seed) in ALONE.items():
        _save(name, _paper(_two(ink, {constant}, 0.0, seed)))
    _save("elastic", _paper(_two(ink, set(), BEND * 3, seed=4)))
    _save("all", _paper(_two(ink, CONSTANTS, BEND, seed=4)))
    _save("recombined", Recombined(PackedSplit(np.stack(canvases), pages), SIZE, seed=1).page(4)[0])


def _two(ink: torch.Tensor, kept: set[str], bend: float, seed: int) -> torch.Tensor:
    """The page changed twice, at full strength, by those of the transforms whose constants are kept."""
    before = {constant: getattr(room, constant) for constant in CONSTANTS}
    for constant in before.keys() - kept:
        setattr(room, constant, 0.0)
    torch.manual_seed(seed)
    out = room.augment_pages(ink.repeat(2, 1, 1, 1), 1.0, bend)
    for constant, value in before.items():
        setattr(room, constant, value)
    return out


def _labels(drawn: DrawnForm) -> Form:
    lines = []
    for index, line in enumerate(drawn.lines):
        boxes = [box for token in line.tokens for box in token.boxes]
        x, y = min(box.x for box in boxes), min(box.y for box in boxes)
        box = Box(x, y, max(box.right for box in boxes) - x, max(box.bottom for box in boxes) - y)
        lines.append(Line(f"{drawn.id}-{index:02d}", line.text, box, "ok"))
    return Form(drawn.id, drawn.writer, 2479, 1800, tuple(lines))


def _paper(ink: torch.Tensor) -> np.ndarray:
    """Pages one below the other, a line between them."""
    grey = (255 - 255 * ink[:, 0]).round().to(torch.uint8).numpy()
    rule = np.full((2, grey.shape[2]), 160, dtype=np.uint8)
    return np.concatenate([grey[0], rule, grey[1]])


def _save(name: str, grey: np.ndarray) -> None:
    # A few greys are enough to see by, and a quarter of the bytes.
    picture = Image.fromarray(grey).quantize(8)
    picture.save(IMAGES / f"augment-{name}.png", optimize=True)


if __name__ == "__main__":
    main()
