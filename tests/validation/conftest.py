"""A small archive in IAM's layout without faults, to which the tests add them."""

import io
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import quoteattr

import numpy as np
import pytest
from PIL import Image
from tests.sources import page_source

from text_recognizer.validation import Beside, validate
from text_recognizer.validation.form_validation import examine

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
    """The labels and the page of one form. Boxes are (x, y, width, height) at 300 dpi; the page has 150 dpi."""

    id: str
    writer: str
    texts: list[str] = field(default_factory=lambda: ["The first line,", 'and "a second".'])
    boxes: list = field(default_factory=lambda: [(100, 100, 1000, 100), (100, 300, 1000, 100)])

    def xml(self) -> bytes:
        lines = "".join(
            f"<line id={quoteattr(f'{self.id}-{number:02}')} text={quoteattr(text)}>{_cmp(box)}</line>"
            for number, (text, box) in enumerate(zip(self.texts, self.boxes, strict=True))
        )
        head = f'id="{self.id}" writer-id="{self.writer}" width="{WIDTH}" height="{HEIGHT}"'
        return f"<form {head}><handwritten-part>{lines}</handwritten-part></form>".encode()

    def page(self) -> np.ndarray:
        """Return the page, uint8 (H, W). Its boxes hold noise that is a function of the id."""
        page = np.full((HEIGHT // RATIO, WIDTH // RATIO), 250, dtype=np.uint8)
        noise = np.random.default_rng(list(self.id.encode()))
        for x, y, width, height in self.boxes:
            region = page[y // RATIO : (y + height) // RATIO, x // RATIO : (x + width) // RATIO]
            region[noise.random(region.shape) < 0.2] = 40
        return page


def _cmp(box) -> str:
    return '<word><cmp x="{}" y="{}" width="{}" height="{}"/></word>'.format(*box)


def encode(page: np.ndarray, kind: str = "PNG") -> bytes:
    stream = io.BytesIO()
    Image.fromarray(page).save(stream, kind)
    return stream.getvalue()


class Corpus:
    """The files of the archive by name. They can be changed before `save`."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        for ids in SPLITS.values():
            for form_id in ids:
                self.put(SmallForm(form_id, WRITERS.get(form_id, "003")))
        for name, ids in SPLITS.items():
            self.assign(name, ids)

    def put(self, form: SmallForm) -> None:
        self.files[f"xml/{form.id}.xml"] = form.xml()
        self.files[f"forms/{form.id}.png"] = encode(form.page())

    def put_lines(self, form_id: str, drawn: dict, labels: dict) -> None:
        """Put a form with the lines `drawn` on its page and the lines `labels` in its XML; writer `w-<form id>`."""
        self.put(SmallForm(form_id, f"w-{form_id}", **drawn))
        self.files[f"xml/{form_id}.xml"] = SmallForm(form_id, f"w-{form_id}", **labels).xml()

    def assign(self, table: str, ids: list[str]) -> None:
        self.files[f"task/{table}.txt"] = "".join(f"{form_id}-00\n" for form_id in ids).encode()

    def relabel(self, form_id: str, old: str, new: str) -> None:
        """Replace a text in the XML of a form, once."""
        content = self.files[f"xml/{form_id}.xml"]
        assert old.encode() in content, f"{old} is not in the XML of {form_id}"
        self.files[f"xml/{form_id}.xml"] = content.replace(old.encode(), new.encode(), 1)

    def page(self, form_id: str) -> np.ndarray:
        return np.asarray(Image.open(io.BytesIO(self.files[f"forms/{form_id}.png"])))

    def repaint(self, form_id: str, page: np.ndarray, kind: str = "PNG") -> None:
        """Replace the page of a form."""
        self.files[f"forms/{form_id}.png"] = encode(page, kind)

    def save(self, path: Path) -> Path:
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in self.files.items():
                # ZipInfo has a fixed date, so that equal files give equal archives.
                archive.writestr(zipfile.ZipInfo(f"iamdb/{name}"), content, zipfile.ZIP_DEFLATED)
        return path


@pytest.fixture
def corpus():
    return Corpus()


@pytest.fixture(scope="session")
def new_corpus():
    """Return the class of the corpus, for fixtures that several tests share."""
    return Corpus


@pytest.fixture(name="encode", scope="session")
def _encode():
    return encode


@pytest.fixture(scope="session")
def small_form():
    return SmallForm


@pytest.fixture(scope="session")
def params(params):
    """The parameters of the tests, with the fewest forms per split as small as in the corpus."""
    changes = {"validate_": params.validate_.model_copy(update={"min_forms": 2}),
               "runtime": params.runtime.model_copy(update={"workers": 1})}  # fmt: skip
    return params.model_copy(update=changes)


@pytest.fixture(scope="session")
def with_section(params):
    """Return the parameters with values of one section changed."""

    def changed(section, **changes):
        return params.model_copy(update={section: getattr(params, section).model_copy(update=changes)})

    return changed


@pytest.fixture(scope="session")
def good(params, tmp_path_factory):
    """What the validation of the archive without faults found. There is no reference to compare with."""
    folder = tmp_path_factory.mktemp("good")
    return examine([page_source(Corpus().save(folder / "iamdb.zip"))], params, Beside(accepted=folder / "nowhere.json"))


@pytest.fixture
def site(tmp_path):
    return tmp_path / "data_docs"


@pytest.fixture
def check(tmp_path, params):
    """Check a corpus without writing the Data Docs. Return the outcome."""

    def run(corpus, other=None, split="lwitlrt", **beside):
        source = page_source(corpus.save(tmp_path / "iamdb.zip"), split)
        return examine([source], other or params, Beside(**beside)).outcome

    return run


@pytest.fixture
def check_with_docs(tmp_path, params, site):
    """Validate a corpus and write the Data Docs to `site`. Return the outcome."""

    def run(corpus, **beside):
        return validate([page_source(corpus.save(tmp_path / "iamdb.zip"))], params, site, Beside(**beside))

    return run


@pytest.fixture(scope="session")
def failing():
    """Return the ids of the failing rows of each expectation that did not pass."""

    def rows(outcome):
        return {row.name: list(row.ids) for row in outcome.summary.expectations if not row.passed}

    return rows
