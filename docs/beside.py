"""Draws synthetic forms beside forms of an archive of yours, and measures both.

`.venv/bin/python docs/beside.py my.zip [picture.png]`. The picture, by default runs/beside.png, is for you: git ignores
that folder, and what an archive's licence does not let you show must stay there.
"""

import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from text_recognizer import config
from text_recognizer.data.fetch import fetch
from text_recognizer.data.iam import SCAN_DPI, Form, IamArchive
from text_recognizer.images import otsu

DPI = 150
FORMS, SHOWN = 40, 4  # of each kind
SIZE = 560, 900  # px of a paragraph in the picture, height and width
MARGIN = 40  # px of the scan
CLEANED = 0.8  # of a page's pixels that are pure white
PAGE = {"train_forms": 38, "validation_forms": 1, "test_forms": 1, "forms_per_writer": 1, "page_width": 2479,
        "page_height": 3542, "lines_min": 5, "lines_max": 11, "dpi": DPI}  # fmt: skip
Piece = tuple[Form, np.ndarray]


def main(archive: Path, out: Path) -> None:
    params = config.load(Path(__file__).parents[1] / "params.yaml")
    with tempfile.TemporaryDirectory() as scratch:
        drawn = Path(scratch) / "synthetic.zip"
        source = params.data.model_copy(update={"source": "synthetic", "sha256": None})
        fetch(source, params.synthetic.model_copy(update=PAGE), drawn)
        kinds = {"synthetic": paragraphs(drawn), archive.name: paragraphs(archive)}
    columns = [np.vstack([on_sheet(grey) for _, grey in pieces[:SHOWN]]) for pieces in kinds.values()]
    out.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.hstack(columns)).save(out)
    print(f"{out}: {' | '.join(kinds)}")
    rows = {kind: [measures(*piece) for piece in pieces] for kind, pieces in kinds.items()}
    for name in next(iter(rows.values()))[0]:
        ranges = [np.percentile([row[name] for row in some], (10, 50, 90)) for some in rows.values()]
        print(f"{name:<34}" + "".join(f"{low:9.2f} {middle:7.2f} {high:7.2f}" for low, middle, high in ranges))


def paragraphs(archive: Path) -> list[Piece]:
    """The handwriting of forms drawn from all over the archive, with a margin, uint8 grey at DPI.

    Where paper is pure white, somebody has cleaned the page: such forms say nothing of paper and are left out.
    """
    out: list[Piece] = []
    with IamArchive(archive) as iam:
        for form_id in np.random.default_rng(1).permutation(sorted(set(iam.form_ids))):
            form, page = iam.form(str(form_id)), iam.picture(str(form_id))
            if form.box and np.mean(page == 255) < CLEANED:
                out.append((form, cut(form, page)))
            if len(out) == FORMS:
                return out
    if not out:
        sys.exit(f"{archive} has no form with paper that is not pure white")
    return out


def cut(form: Form, page: np.ndarray) -> np.ndarray:
    box, step = form.box, page.shape[1] / form.width
    assert box, form.id
    edges = (box.y - MARGIN, box.bottom + MARGIN, box.x - MARGIN, box.right + MARGIN)
    top, bottom, left, right = (max(0, round(edge * step)) for edge in edges)
    region, scale = page[top:bottom, left:right], DPI / (SCAN_DPI * step)
    size = round(region.shape[1] * scale), round(region.shape[0] * scale)
    return np.asarray(Image.fromarray(region).resize(size, Image.Resampling.BOX))


def on_sheet(grey: np.ndarray) -> np.ndarray:
    """The top left of a paragraph at its own size."""
    out = np.full(SIZE, 255, dtype=np.uint8)
    part = grey[: SIZE[0] - 8, : SIZE[1] - 8]
    out[: part.shape[0], : part.shape[1]] = part
    return out


def measures(form: Form, grey: np.ndarray) -> dict[str, float]:
    """What a paragraph looks like, in numbers: greys of 255, lengths in mm."""
    dark = grey <= otsu(grey)
    mm = 25.4 / DPI
    boxes = [line.box for line in form.lines if line.box]
    middles = [box.y + box.height / 2 for box in boxes]
    paper = grey[cv2.dilate(dark.astype(np.uint8), np.ones((9, 9))) == 0]
    depth = cv2.distanceTransform(dark.astype(np.uint8), cv2.DIST_L2, 5)
    ridge = depth[(depth >= cv2.dilate(depth, np.ones((3, 3)))) & dark]
    letters = [len(line.text) / line.box.width for line in form.lines if line.box]
    edges = np.abs(cv2.Sobel(grey, cv2.CV_32F, 1, 0))[cv2.dilate(dark.astype(np.uint8), np.ones((3, 3))) > 0]
    return {
        "paper, middle": float(np.median(paper)),
        "paper, standard deviation": float(paper.std()),
        "ink, middle": float(np.median(grey[dark])),
        "ink, standard deviation": float(grey[dark].std()),
        "ink, share of the paragraph in %": 100 * float(dark.mean()),
        "stroke, width in mm": 2 * float(ridge.mean()) * mm,
        "edges, 90th percentile of slope": float(np.percentile(edges, 90)) / 4,
        "slant in degrees": slant(grey),
        "line pitch in mm": float(np.median(np.diff(middles))) * 25.4 / SCAN_DPI if len(middles) > 1 else np.nan,
        "box height in mm": float(np.median([box.height for box in boxes])) * 25.4 / SCAN_DPI,
        "characters in 10 mm": float(np.median(letters)) * SCAN_DPI / 2.54,
        "left edge, standard deviation": float(np.std([box.x for box in boxes])) * 25.4 / SCAN_DPI,
    }


def slant(grey: np.ndarray) -> float:
    """The lean of the steep strokes, in degrees to the right: the middle of the directions of their edges."""
    across, down = cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)
    steep = (np.abs(across) > np.abs(down)) & (np.abs(across) > 60)
    return float(np.median(np.degrees(np.arctan(down[steep] / across[steep]))))


if __name__ == "__main__":
    named = [Path(name) for name in sys.argv[1:]]
    if len(named) not in (1, 2):
        sys.exit(__doc__)
    main(named[0], named[1] if len(named) == 2 else Path("runs/beside.png"))
