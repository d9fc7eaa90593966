"""Small real parts: a tiny exported model, pages with known mistakes, an archive and a packed split made from it."""

import io
import random
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from text_recognizer.config import EvaluateSection, GateSection, PreprocessSection
from text_recognizer.data.iam import IamArchive
from text_recognizer.data.packed import PackedSplit, Page
from text_recognizer.evaluation.score import PageScore, score_page
from text_recognizer.preprocess import crop_form

LINES = ("to be", "or not", "a sea", "of ink", "pens, paper", "the cat sat")
PAGE_WIDTH, PAGE_HEIGHT = 900, 500
FORMS = [f"a01-00{number}" for number in range(6)]


@pytest.fixture
def section() -> EvaluateSection:
    return EvaluateSection(batch_size=2, resamples=200, level=0.95, seed=1, gallery=3, review=0.1, robustness=2)


@pytest.fixture
def limits() -> GateSection:
    return GateSection(max_cer={"synthetic": 0.2, "iam": 0.1}, max_wer=0.5, min_pages=50, max_interval=0.1,
                       max_slice_cer=0.4, min_slice_pages=10, slices={"digits": 0.3}, max_calibration_error=0.1,
                       max_disturbed={"inverted": 0.3}, max_blank=0)  # fmt: skip


@pytest.fixture(scope="session")
def preprocess() -> PreprocessSection:
    return PreprocessSection(dpi=50, canvas_height=64, canvas_width=128, padding=4, workers=1)


@pytest.fixture(scope="session")
def model(preprocess: PreprocessSection, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untrained reader of the project's own kind: it reads nonsense, but always the same."""
    import torch

    from text_recognizer.inference.export import export
    from text_recognizer.models import ParagraphReader
    from text_recognizer.text import MAPPING

    torch.manual_seed(3)
    folder = tmp_path_factory.mktemp("model") / "reader"
    export(ParagraphReader(len(MAPPING), (4, 4, 8, 8), 0.0), preprocess, folder)
    return folder


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six forms by three writers, two lines each, all in the Aachen test list."""
    path = tmp_path_factory.mktemp("archive") / "forms.zip"
    write_archive(path)
    return path


@pytest.fixture
def processed(archive: Path, preprocess: PreprocessSection, tmp_path: Path) -> Path:
    """The packed test split of the archive."""
    folder = tmp_path / "processed"
    folder.mkdir()
    with IamArchive(archive) as iam:
        crops = [crop_form(iam.form(form), iam.picture(form), preprocess) for form in FORMS]
    PackedSplit(np.stack([canvas for canvas, _ in crops]), tuple(page for _, page in crops)).save(folder, "test")
    return folder


def write_archive(path: Path, broken: tuple[str, ...] = ()) -> None:
    """`broken` forms have a character outside the charset in their text."""
    with zipfile.ZipFile(path, "w") as target:
        for number, form in enumerate(FORMS):
            texts = [LINES[number], LINES[(number + 1) % len(LINES)]]
            if form in broken:
                texts[0] += " €"
            target.writestr(f"iamdb/forms/{form}.png", _picture(number))
            target.writestr(f"iamdb/xml/{form}.xml", _labels(form, f"w{number // 2}", texts))
        target.writestr("iamdb/aachen/test.txt", "\n".join(FORMS))
        target.writestr("iamdb/aachen/train.txt", "")
        target.writestr("iamdb/aachen/validation.txt", "")


def _picture(number: int) -> bytes:
    """Two lines of strokes, a function of the form's number."""
    generator = random.Random(number)
    picture = Image.new("L", (PAGE_WIDTH, PAGE_HEIGHT), 245)
    draw = ImageDraw.Draw(picture)
    for top in (100, 250):
        for left in range(110, 700, 40):
            points = [(left + generator.randrange(36), top + generator.randrange(80)) for _ in range(4)]
            draw.line(points, fill=20, width=6)
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    return stream.getvalue()


def _labels(form: str, writer: str, texts: list[str]) -> str:
    lines = "".join(
        f'<line id="{form}-{index:02d}" segmentation="ok" text="{text}"><word><cmp x="100" y="{100 + 150 * index}" '
        f'width="620" height="80"/></word></line>'
        for index, text in enumerate(texts)
    )
    head = f'<form id="{form}" writer-id="{writer}" width="{PAGE_WIDTH}" height="{PAGE_HEIGHT}">'
    return f"{head}<handwritten-part>{lines}</handwritten-part></form>"


def page(name: str, writer: str, reference: str, prediction: str) -> PageScore:
    return score_page(Page(name, writer, reference, ()), prediction, 0.9)


@pytest.fixture
def worked() -> list[PageScore]:
    """The example of docs/evaluation.md."""
    return [page("a", "w1", "to be\nor not", "to be\nor nof."), page("b", "w2", "a sea\nof ink", "a se of ink")]


@pytest.fixture
def make_page():
    return page


@pytest.fixture
def make_archive():
    return write_archive
