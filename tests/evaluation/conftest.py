"""The pretrained reader, pages with known edits, and an archive with the packed split made from it."""

import io
import math
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.drawn import DPI, draw_words

from text_recognizer.core.params import EvaluateSection, PreprocessSection
from text_recognizer.core.schemas import Score
from text_recognizer.corpora.iam import IamArchive
from text_recognizer.corpora.packed_pages import PackedPage, PackedSplit
from text_recognizer.evaluation.scoring import PageScore, score_text
from text_recognizer.evaluation.split_score import ScoreFiles, evaluate
from text_recognizer.inference.model_info import INFO_FILE, crops_of, read_info
from text_recognizer.preprocess import crop_form

LINES = ("to be", "or not", "a sea", "of ink", "pens, paper", "the cat sat")
PAGE_WIDTH, PAGE_HEIGHT = 900, 500
FORMS = [f"a01-00{number}" for number in range(6)]


@pytest.fixture(scope="session")
def section() -> EvaluateSection:
    return EvaluateSection(resamples=200, level=0.95, seed=1, gallery=3, review_budget=0.1, robustness=0)


@pytest.fixture(scope="session")
def preprocess(good_reader: Path) -> PreprocessSection:
    """How the model asks its forms to be cropped."""
    return crops_of(read_info(good_reader / INFO_FILE))


@pytest.fixture(scope="session")
def model(good_reader: Path) -> Path:
    """The folder of the pretrained reader."""
    return good_reader


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of six forms by three writers, two lines each, all in the Aachen test list."""
    path = tmp_path_factory.mktemp("archive") / "forms.zip"
    write_archive(path)
    return path


@pytest.fixture
def processed(archive: Path, preprocess: PreprocessSection, tmp_path: Path) -> Path:
    """The packed test split of the archive, which a test may change."""
    folder = tmp_path / "processed"
    folder.mkdir()
    with IamArchive(archive) as iam:
        crops = [crop_form(iam.form(form), iam.picture(form), preprocess) for form in FORMS]
    PackedSplit(np.stack([canvas for canvas, _ in crops]), tuple(page for _, page in crops)).save(folder, "test")
    return folder


def write_archive(path: Path, broken: tuple[str, ...] = ()) -> None:
    """Write the archive. `broken` forms have a character outside the charset in their text."""
    with zipfile.ZipFile(path, "w") as target:
        for number, form in enumerate(FORMS):
            texts = [LINES[number], LINES[(number + 1) % len(LINES)]]
            if form in broken:
                texts[0] += " €"
            target.writestr(f"iamdb/forms/{form}.png", _picture(texts, number))
            target.writestr(f"iamdb/xml/{form}.xml", _labels(form, f"w{number // 2}", texts))
        target.writestr("iamdb/aachen/test.txt", "\n".join(FORMS))
        target.writestr("iamdb/aachen/train.txt", "")
        target.writestr("iamdb/aachen/validation.txt", "")


def _picture(texts: list[str], number: int) -> bytes:
    """Write two lines at DPI."""
    picture = np.full((PAGE_HEIGHT * DPI // 300, PAGE_WIDTH * DPI // 300), 245, np.uint8)
    for index, text in enumerate(texts):
        known = "".join(character for character in text if character.isascii())
        line, top = draw_words(known, 10 * number + index), (100 + 150 * index) * DPI // 300
        picture[top : top + line.shape[0], 55 : 55 + line.shape[1]] = np.minimum(line, 245)
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "PNG")
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
    return score_text(PackedPage(name, writer, reference, ()), prediction, 0.9)


@pytest.fixture
def out(tmp_path: Path) -> ScoreFiles:
    """Where an evaluation writes its results."""
    folder = tmp_path / "reports"
    return ScoreFiles(folder / "score.json", folder / "pages.jsonl", folder / "report.html", folder / "confusions.csv")


@dataclass(frozen=True)
class Evaluated:
    """A trained model, its score, and the files that were written."""

    model: Path
    score: Score
    files: ScoreFiles


@pytest.fixture(scope="session")
def evaluated(good_reader: Path, written_words: Path, tmp_path_factory: pytest.TempPathFactory) -> Evaluated:
    """The pretrained reader, evaluated on written words. Copy the model before you change it."""
    folder = tmp_path_factory.mktemp("evaluated")
    section = EvaluateSection(resamples=100, level=0.95, seed=1, gallery=0, review_budget=0.1, robustness=1)
    files = ScoreFiles(folder / "score.json", folder / "pages.jsonl", folder / "r.html", folder / "confusions.csv")
    return Evaluated(good_reader, evaluate(written_words, good_reader, section, files, folder / "curves.csv"), files)


@pytest.fixture
def copied(tmp_path: Path) -> Callable[[Path], Path]:
    """Copy a model folder, so that a test may change it."""
    return lambda folder: shutil.copytree(folder, tmp_path / "reader")


@pytest.fixture
def worked() -> list[PageScore]:
    """The worked example of docs/evaluation.md."""
    return [page("a", "w1", "to be\nor not", "to be\nor nof."), page("b", "w2", "a sea\nof ink", "a se of ink")]


@pytest.fixture(scope="session")
def slanted_strokes() -> Callable[[float], np.ndarray]:
    """Draw a line of strokes that lean to the right by so many degrees."""

    def draw(degrees: float) -> np.ndarray:
        canvas = np.full((60, 300), 255, np.uint8)
        for left in range(40, 240, 20):
            for row in range(10, 50):
                column = left + round((50 - row) * math.tan(math.radians(degrees)))
                canvas[row, column : column + 3] = 0
        return canvas

    return draw


@pytest.fixture
def make_page():
    return page


@pytest.fixture
def make_archive():
    return write_archive
