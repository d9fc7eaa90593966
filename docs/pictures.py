"""Draw the pictures of docs/data.md: `.venv/bin/python docs/pictures.py`. Every run writes the same bytes."""

from pathlib import Path
from unittest.mock import patch
from xml.etree import ElementTree

import numpy as np
import torch
from PIL import Image

from text_recognizer.core import config
from text_recognizer.corpora.iam import parse_form
from text_recognizer.corpora.packed_pages import PackedPage, PackedSplit
from text_recognizer.data import augmentation
from text_recognizer.data.recombination import Recombined
from text_recognizer.preprocess import crop_form
from text_recognizer.synthetic.form import FormRecipe, draw_form
from text_recognizer.synthetic.iam_records import to_xml
from text_recognizer.synthetic.plan import plan
from text_recognizer.synthetic.sheet import make_sheet
from text_recognizer.synthetic.writer import Writer

IMAGES = Path(__file__).parent / "images"
# For each transform: the constant that sets its range, and a seed with two clearly different draws.
TRANSFORMS = {
    "scale": ("SCALE", 27),
    "stretch": ("STRETCH", 54),
    "slant": ("SHEAR", 16),
    "rotation": ("ROTATION", 179),
    "stroke": ("STROKE", 58),
    "fade": ("FADE", 8),
    "noise": ("NOISE", 17),
}
CONSTANTS = {constant for constant, _ in TRANSFORMS.values()}
ELASTIC = 0.012 * 75  # px: `train.elastic` of 0.012 inches at 75 dpi
SIZE = 208, 640  # px of the canvas, height and width
WRITERS = slice(10, 13)
GREYS = 8  # so few are enough for a document, and take a quarter of the bytes


def main() -> None:
    """Draw one picture for each transform, one for all of them, and one recombined page."""
    canvases, pages = _synthetic_pages()
    _save("page", canvases[0])
    foreground = torch.from_numpy(1 - canvases[0].astype(np.float32) / 255)[None, None]
    for name, (constant, seed) in TRANSFORMS.items():
        _save(name, _stack(_augment_twice(foreground, {constant}, 0.0, seed)))
    _save("elastic", _stack(_augment_twice(foreground, set(), ELASTIC * 3, seed=4)))
    _save("all", _stack(_augment_twice(foreground, CONSTANTS, ELASTIC, seed=4)))
    _save("recombined", Recombined(PackedSplit(np.stack(canvases), pages), SIZE, seed=1).page(4)[0])


def _synthetic_pages() -> tuple[list[np.ndarray], list[PackedPage]]:
    """Return cropped synthetic pages of three lines, uint8 (H, W), and their labels."""
    params = config.load(Path(__file__).parents[1] / "params.yaml")
    section = params.preprocess.model_copy(update={"dpi": 75, "canvas_height": SIZE[0], "canvas_width": SIZE[1]})
    synthetic = params.synthetic.model_copy(update={"page_width": 2479, "page_height": 1800, "dpi": 150})
    sheet = make_sheet(synthetic)
    recipe = FormRecipe(sheet, synthetic.seed, (3, 3))
    canvases, pages = [], []
    for writer_plan in plan(synthetic)[WRITERS]:
        writer = Writer(writer_plan, synthetic.seed, synthetic.dpi)
        for number in writer_plan.forms:
            drawn = draw_form(writer, writer_plan, number, recipe)
            form = parse_form(ElementTree.fromstring(to_xml(drawn, sheet)))
            canvas, page = crop_form(form, drawn.picture, section)
            canvases.append(canvas)
            pages.append(page)
    return canvases, pages


def _augment_twice(foreground: torch.Tensor, constants: set[str], elastic: float, seed: int) -> torch.Tensor:
    """Return two draws of the page `(1, 1, H, W)` at full strength, with the transforms of `constants` alone."""
    others = dict.fromkeys(CONSTANTS - constants, 0.0)
    torch.manual_seed(seed)
    with patch.multiple(augmentation, **others) if others else patch.dict({}):
        return augmentation.augment_pages(foreground.repeat(2, 1, 1, 1), 1.0, elastic)


def _stack(foreground: torch.Tensor) -> np.ndarray:
    """Return two pages `(2, 1, H, W)` as one grey picture, one below the other, with a rule between them."""
    grey = (255 - 255 * foreground[:, 0]).round().to(torch.uint8).numpy()
    rule = np.full((2, grey.shape[2]), 160, dtype=np.uint8)
    return np.concatenate([grey[0], rule, grey[1]])


def _save(name: str, grey: np.ndarray) -> None:
    picture = Image.fromarray(grey).quantize(GREYS)
    picture.save(IMAGES / f"augment-{name}.png", optimize=True)


if __name__ == "__main__":
    main()
