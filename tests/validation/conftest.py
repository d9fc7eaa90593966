"""A small archive in IAM's layout that has no fault, to be spoilt by one at a time."""

import io
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import quoteattr

import numpy as np
import pytest
from PIL import Image

from text_recognizer import config
from text_recognizer.validation import validate

ROOT = Path(__file__).resolve().parents[2]
WIDTH, HEIGHT = 1200, 800
RATIO = 2
SPLITS = {
    "trainset": ["a01-000", "a01-001", "a01-002"],
    "validationset1": ["b01-000"],
    "validationset2": ["b01-001"],
    "testset": ["c01-000", "c01-001"],
}
WRITERS = {"a01-000": "000", "a01-001": "000", "a01-002": "001", "b01-000": "002", "b01-001": "002"}


@dataclass
class SmallForm:
    """Labels and page of one form. Boxes are (x, y, width, height) at 300 dpi; the page is drawn at 150 dpi."""

    id: str
    writer: str
    texts: list[str] = field(default_factory=lambda: ["The first line,", 'and "a second".'])
    boxes: list = field(default_factory=lambda: [(100, 100, 1000, 100), (100, 300, 1000, 100)])
    line_ids: list[str] = field(default_factory=list)

    def xml(self) -> bytes:
        names = self.line_ids or [f"{self.id}-{number:02}" for number in range(len(self.texts))]
        lines = "".join(
            f"<line id={quoteattr(name)} text={quoteattr(text)}>{_cmp(box)}</line>"
            for name, text, box in zip(names, self.texts, self.boxes, strict=True)
        )
        head = f'id="{self.id}" writer-id="{self.writer}" width="{WIDTH}" height="{HEIGHT}"'
        return f"<form {head}><handwritten-part>{lines}</handwritten-part></form>".encode()

    def page(self) -> np.ndarray:
        page = np.full((HEIGHT // RATIO, WIDTH // RATIO), 250, dtype=np.uint8)
        noise = np.random.default_rng(list(self.id.encode()))
        for x, y, width, height in filter(None, self.boxes):
            region = page[y // RATIO : (y + height) // RATIO, x // RATIO : (x + width) // RATIO]
            region[noise.random(region.shape) < 0.2] = 40
        return page


def _cmp(box) -> str:
    if box is None:
        return "<word/>"
    return '<word><cmp x="{}" y="{}" width="{}" height="{}"/></word>'.format(*box)


def encode(page: np.ndarray, kind: str = "PNG") -> bytes:
    stream = io.BytesIO()
    Image.fromarray(page).save(stream, kind)
    return stream.getvalue()


class Corpus:
    """The archive's files by name, free to be changed before `save`."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        for ids in SPLITS.values():
            for form_id in ids:
                self.put(SmallForm(form_id, WRITERS.get(form_id, "003")))
        for name, ids in SPLITS.items():
            self.assign(name, ids)

    def put(self, form: SmallForm, name: str = "") -> None:
        self.files[f"xml/{name or form.id}.xml"] = form.xml()
        self.files[f"forms/{name or form.id}.png"] = encode(form.page())

    def assign(self, table: str, ids: list[str]) -> None:
        self.files[f"task/{table}.txt"] = "".join(f"{form_id}-00\n" for form_id in ids).encode()

    def save(self, path: Path) -> Path:
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in self.files.items():
                # With the date that ZipInfo starts from, so that equal files give equal archives.
                archive.writestr(zipfile.ZipInfo(f"iamdb/{name}"), content, zipfile.ZIP_DEFLATED)
        return path


@pytest.fixture
def corpus():
    return Corpus()


@pytest.fixture
def params():
    """The project's own parameters, with splits as small as the corpus."""
    params = config.load(ROOT / "params.yaml")
    small = params.validate_.model_copy(update={"min_forms": 2})
    return params.model_copy(update={"validate_": small})


@pytest.fixture
def site(tmp_path):
    return tmp_path / "data_docs"


@pytest.fixture
def check(tmp_path, params, site):
    """Validates a corpus, with the project's parameters or others, and with corrections or a reference."""

    def run(corpus, other=None, **beside):
        return validate(corpus.save(tmp_path / "iamdb.zip"), other or params, site, **beside)

    return run


@pytest.fixture
def failing():
    """Of each failed expectation of an outcome, the ids of the rows that fail it."""

    def rows(outcome):
        return {row["name"]: row["ids"] for row in outcome.summary["expectations"] if not row["passed"]}

    return rows


@pytest.fixture(name="encode")
def _encode():
    return encode


@pytest.fixture
def small_form():
    return SmallForm
