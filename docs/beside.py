"""Draw synthetic forms beside forms of an archive of yours, and measure both.

`.venv/bin/python docs/beside.py my.zip [picture.png]`. The picture, by default runs/beside.png, is for you alone: git
ignores that folder. Leave it there if the licence of the archive does not allow you to show its pages.
"""

import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from text_recognizer.core import config
from text_recognizer.corpora.iam import SCAN_DPI, Form, IamArchive
from text_recognizer.pages.normalisation import otsu_threshold
from text_recognizer.synthetic import write_corpus

DPI = 150
FORMS, SHOWN = 40, 4  # forms of each archive that are measured, and that are shown
SIZE = 560, 900  # px: height and width of a paragraph in the picture
MARGIN = 40  # px of the scan around a paragraph
CLEANED = 0.8  # share of pure white pixels from which a page counts as cleaned
PAGE = {"train_forms": 38, "validation_forms": 1, "test_forms": 1, "forms_per_writer": 1, "page_width": 2479,
        "page_height": 3542, "lines_min": 5, "lines_max": 11, "dpi": DPI}  # fmt: skip
Paragraph = tuple[Form, np.ndarray]


def main(archive: Path, out: Path) -> None:
    """Write the picture, and print the 10th, 50th and 90th percentile of each measure of both archives."""
    params = config.load(Path(__file__).parents[1] / "params.yaml")
    with tempfile.TemporaryDirectory() as scratch:
        synthetic = Path(scratch) / "synthetic.zip"
        write_corpus(params.synthetic.model_copy(update=PAGE), synthetic)
        archives = {"synthetic": read_paragraphs(synthetic), archive.name: read_paragraphs(archive)}
    columns = [np.vstack([fit(grey) for _, grey in paragraphs[:SHOWN]]) for paragraphs in archives.values()]
    out.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.hstack(columns)).save(out)
    print(f"{out}: {' | '.join(archives)}")
    rows = [[measure(form, grey) for form, grey in paragraphs] for paragraphs in archives.values()]
    for name in rows[0][0]:
        ranges = [np.percentile([row[name] for row in measured], (10, 50, 90)) for measured in rows]
        print(f"{name:<34}" + "".join(f"{low:9.2f} {middle:7.2f} {high:7.2f}" for low, middle, high in ranges))


def read_paragraphs(archive: Path) -> list[Paragraph]:
    """Return the paragraphs of random forms of the archive, uint8 grey (H, W) at DPI.

    Pages whose paper is pure white were cleaned by somebody. They show nothing of the paper and are left out.
    """
    out: list[Paragraph] = []
    with IamArchive(archive) as iam:
        for form_id in np.random.default_rng(1).permutation(sorted(set(iam.form_ids))):
            form, page = iam.form(str(form_id)), iam.picture(str(form_id))
            if form.box and np.mean(page == 255) < CLEANED:
                out.append((form, crop(form, page)))
            if len(out) == FORMS:
                return out
    if not out:
        sys.exit(f"{archive} has no form whose paper is not pure white")
    return out


def crop(form: Form, page: np.ndarray) -> np.ndarray:
    """Crop the text region of a page with a margin, and scale it to DPI."""
    box, step = form.box, page.shape[1] / form.width
    assert box, form.id
    edges = (box.y - MARGIN, box.bottom + MARGIN, box.x - MARGIN, box.right + MARGIN)
    top, bottom, left, right = (max(0, round(edge * step)) for edge in edges)
    region, scale = page[top:bottom, left:right], DPI / (SCAN_DPI * step)
    size = round(region.shape[1] * scale), round(region.shape[0] * scale)
    return np.asarray(Image.fromarray(region).resize(size, Image.Resampling.BOX))


def fit(grey: np.ndarray) -> np.ndarray:
    """Return the top left of a paragraph on white paper, uint8 SIZE, without scaling it."""
    out = np.full(SIZE, 255, dtype=np.uint8)
    part = grey[: SIZE[0] - 8, : SIZE[1] - 8]
    out[: part.shape[0], : part.shape[1]] = part
    return out


def measure(form: Form, grey: np.ndarray) -> dict[str, float]:
    """Measure a paragraph: grey levels of 255, lengths in mm."""
    dark = grey <= otsu_threshold(grey)
    mm = 25.4 / DPI
    boxes = [line.box for line in form.lines if line.box]
    middles = [box.y + box.height / 2 for box in boxes]
    paper = grey[cv2.dilate(dark.astype(np.uint8), np.ones((9, 9))) == 0]
    depth = cv2.distanceTransform(dark.astype(np.uint8), cv2.DIST_L2, 5)
    centre_line = depth[(depth >= cv2.dilate(depth, np.ones((3, 3)))) & dark]
    letters = [len(line.text) / line.box.width for line in form.lines if line.box]
    edges = np.abs(cv2.Sobel(grey, cv2.CV_32F, 1, 0))[cv2.dilate(dark.astype(np.uint8), np.ones((3, 3))) > 0]
    return {
        "paper, median": float(np.median(paper)),
        "paper, standard deviation": float(paper.std()),
        "ink, median": float(np.median(grey[dark])),
        "ink, standard deviation": float(grey[dark].std()),
        "ink, share of the paragraph in %": 100 * float(dark.mean()),
        "stroke, width in mm": 2 * float(centre_line.mean()) * mm,
        "edges, 90th percentile of slope": float(np.percentile(edges, 90)) / 4,
        "slant in degrees": slant(grey),
        "line pitch in mm": float(np.median(np.diff(middles))) * 25.4 / SCAN_DPI if len(middles) > 1 else np.nan,
        "box height in mm": float(np.median([box.height for box in boxes])) * 25.4 / SCAN_DPI,
        "characters in 10 mm": float(np.median(letters)) * SCAN_DPI / 2.54,
        "left edge, standard deviation": float(np.std([box.x for box in boxes])) * 25.4 / SCAN_DPI,
    }


def slant(grey: np.ndarray) -> float:
    """Return the median slant of the steep strokes, in degrees to the right, from the directions of their edges."""
    across, down = cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)
    steep = (np.abs(across) > np.abs(down)) & (np.abs(across) > 60)
    return float(np.median(np.degrees(np.arctan(down[steep] / across[steep]))))


if __name__ == "__main__":
    named = [Path(name) for name in sys.argv[1:]]
    if len(named) not in (1, 2):
        sys.exit(__doc__)
    main(named[0], named[1] if len(named) == 2 else Path("runs/beside.png"))
