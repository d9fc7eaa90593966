"""Small real parts that several test packages share: an archive in IAM's layout, packed pages, a tiny model."""

import fcntl
import io
import json
import os
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from tests.drawn import random_texts, written_split

from text_recognizer.core import config
from text_recognizer.core.charset import INDEX
from text_recognizer.core.layout import pretrained_model
from text_recognizer.corpora.packed_pages import PackedPage, PackedSplit
from text_recognizer.utils.files import sha256, write_json
from text_recognizer.utils.wandb_runs import save_run_id

ROOT = Path(__file__).resolve().parents[1]
FORM_SIZE = 900, 500  # px at 300 dpi
FORM_BOXES = ((100, 100, 620, 80), (130, 250, 500, 90))
FORM_TEXTS = ("to be", "or not")
FORM_SPLITS = {
    "trainset": ("a01-000", "a01-001"),
    "validationset1": ("b01-000",),
    "validationset2": ("b01-001",),
    "testset": ("c01-000",),
}


@dataclass(frozen=True)
class SmallForm:
    """The labels and the page of one form. Boxes are at 300 dpi and filled with strokes; the page is at `dpi`."""

    id: str
    writer: str = "w0"
    texts: tuple = FORM_TEXTS
    boxes: tuple = FORM_BOXES
    dpi: int = 150

    def xml(self) -> bytes:
        lines = "".join(self._line(*part) for part in enumerate(zip(self.texts, self.boxes, strict=True)))
        head = f'id="{self.id}" writer-id="{self.writer}" width="{FORM_SIZE[0]}" height="{FORM_SIZE[1]}"'
        return f"<form {head}><handwritten-part>{lines}</handwritten-part></form>".encode()

    def _line(self, index: int, labels: tuple) -> str:
        text, (x, y, width, height) = labels
        component = f'<word><cmp x="{x}" y="{y}" width="{width}" height="{height}"/></word>'
        return f'<line id="{self.id}-{index:02d}" segmentation="ok" text={quoteattr(text)}>{component}</line>'

    def page(self) -> Image.Image:
        ratio = self.dpi / 300
        picture = Image.new("L", (round(FORM_SIZE[0] * ratio), round(FORM_SIZE[1] * ratio)), 245)
        draw = ImageDraw.Draw(picture)
        for x, y, width, height in self.boxes:
            left, top, right, bottom = (round(edge * ratio) for edge in (x, y, x + width, y + height))
            for step in range(left, right, max(2, round(20 * ratio))):
                draw.line((step, top, step, bottom - 1), fill=30, width=max(1, round(6 * ratio)))
            draw.rectangle((left, top, right - 1, bottom - 1), outline=30, width=max(1, round(4 * ratio)))
        return picture


def encoded(picture: Image.Image, kind: str = "PNG", **options) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


class SmallArchive:
    """Five forms; `files` holds the members by name, free to be changed before `save`."""

    def __init__(self, splits: dict = FORM_SPLITS) -> None:
        self.files: dict[str, bytes] = {}
        for table, ids in splits.items():
            self.files[f"task/{table}.txt"] = "".join(f"{form_id}-00\n" for form_id in ids).encode()
            for form_id in ids:
                self.put(SmallForm(form_id))

    def put(self, form: SmallForm, kind: str = "PNG") -> None:
        self.files[f"xml/{form.id}.xml"] = form.xml()
        for suffix in ("png", "jpg"):
            self.files.pop(f"forms/{form.id}.{suffix}", None)
        self.files[f"forms/{form.id}.{'png' if kind == 'PNG' else 'jpg'}"] = encoded(form.page(), kind)

    def save(self, path: Path) -> Path:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in self.files.items():
                archive.writestr(f"iamdb/{name}", content)
        return path


def print_lines(texts: tuple, size: tuple = (64, 128)) -> tuple:
    """A canvas, uint8 `size`, with a line of print every 32 px, and the lines' boxes."""
    picture = Image.new("L", (size[1], size[0]), 255)
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(18)
    boxes = []
    for index, text in enumerate(texts):
        draw.text((6, 32 * index + 4), text, font=font, fill=0)
        boxes.append((6, 32 * index + 4, round(draw.textlength(text, font)), 22))
    return np.asarray(picture), tuple(boxes)


def printed_split(pages: list) -> PackedSplit:
    """A packed split of printed pages, each given by its lines."""
    drawn = [print_lines(lines) for lines in pages]
    labels = [PackedPage(f"p{n}", f"w{n}", "\n".join(lines), drawn[n][1]) for n, lines in enumerate(pages)]
    return PackedSplit(np.stack([canvas for canvas, _ in drawn]), tuple(labels))


def add_to_bias(model: Path, character: str, value: float) -> None:
    """Add a number to the bias of a character in the graph of a model folder."""
    import onnx
    from onnx import numpy_helper

    graph, info = model / "reader.onnx", model / "reader.json"
    network = onnx.load(graph)
    (bias,) = (one for one in network.graph.initializer if one.name == "head.bias")
    values = numpy_helper.to_array(bias).copy()
    values[INDEX[character]] += value
    bias.CopyFrom(numpy_helper.from_array(values, bias.name))
    onnx.save(network, graph)
    described = json.loads(info.read_text(encoding="utf-8")) | {"graph_sha256": sha256(graph)}
    write_json(info, described)


@pytest.fixture(scope="session")
def params():
    """The parameters of the tests."""
    return config.load(ROOT / "tests/params.yaml")


@pytest.fixture(scope="session")
def shipped():
    """The parameters that the project ships, for tests about that file."""
    return config.load(ROOT / "params.yaml")


@pytest.fixture(scope="session")
def small_crops(params):
    """How the tiny model's pages are cropped."""
    shape = {"dpi": 50, "canvas_height": 64, "canvas_width": 128, "padding": 4, "line_height": 0}
    return params.preprocess.model_copy(update=shape)


@pytest.fixture(scope="session")
def small_network():
    """Make an untrained LineReader in eval mode, with random normalisation statistics, from a seed."""
    import torch

    from text_recognizer.core.charset import CHARSET
    from text_recognizer.models.line_reader import LineReader, ReaderConfig

    def make(seed: int = 3) -> LineReader:
        torch.manual_seed(seed)
        network = LineReader(ReaderConfig(len(CHARSET), (4, 4, 8, 8), 0.1))
        for name, value in network.named_buffers():
            if name.endswith(("running_mean", "running_var")):
                value.uniform_(0.5, 1.5)
        return network.eval()

    return make


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory):
    """A folder that all processes of this test run share."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="session")
def once(shared_folder):
    """Make a shared folder of that name, once for all processes of this test run. `build` writes it atomically."""

    def make(name: str, build: Callable[[Path], object]) -> Path:
        folder = shared_folder / name
        with (shared_folder / f"{name}.lock").open("w") as lock:
            # Another process of this test run may be making the same folder: wait for it.
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not folder.exists():
                build(folder)
        return folder

    return make


@pytest.fixture(scope="session")
def exported(small_network, small_crops, once):
    """The folder of the tiny model. It reads nonsense, but always the same. Copy it before you change it."""
    from text_recognizer.training.export import export

    return once("exported", lambda folder: export(small_network(), small_crops, folder))


@pytest.fixture(scope="session", params=[0, pytest.param(6, marks=pytest.mark.slow)], ids=["convolutions", "LSTM"])
def responsive_network(request):
    """Make a LineReader in eval mode whose normalisation has the statistics of noise, from a seed.

    Statistics that do not fit the features would set every ReLU to zero, and then any two outputs are equal. The
    weights are rounded to half precision, as those of an exported model are.
    """
    import torch

    from text_recognizer.core.charset import CHARSET
    from text_recognizer.models.line_reader import LineReader, ReaderConfig

    def make(seed: int = 3) -> LineReader:
        torch.manual_seed(seed)
        network = LineReader(ReaderConfig(len(CHARSET), (4, 4, 8, 8), 0.1, request.param))
        with torch.no_grad():
            for _ in range(20):
                network(torch.rand(4, 1, 48, 128))
        with torch.no_grad():
            for value in network.state_dict().values():
                value.copy_(value.half())
        return network.eval()

    make.lstm_hidden = request.param
    return make


@pytest.fixture(scope="session")
def decoder():
    """A beam-search decoder with a language model of two lines."""
    from text_recognizer.inference.beam_search import BeamSearchDecoder
    from text_recognizer.inference.language_model import count_ngrams

    ngram = count_ngrams(["to be or not to be", "to be or not"], 4)
    return BeamSearchDecoder(ngram, lm_weight=0.3, insertion_bonus=0.3, beam_width=4)


@pytest.fixture(scope="session")
def responsive_model(responsive_network, small_crops, decoder, once):
    """The folder of that reader, with a language model. Copy it before you change it."""
    from text_recognizer.training.export import export

    return once(
        f"responsive-{responsive_network.lstm_hidden}",
        lambda folder: export(responsive_network(), small_crops, folder, decoder),
    )


@pytest.fixture(scope="session")
def written_words(tmp_path_factory):
    """A packed corpus of three written words per page, by four writers. The pretrained reader misreads some of them."""
    folder = tmp_path_factory.mktemp("written") / "processed"
    folder.mkdir()
    for seed, (split, pages) in enumerate((("train", 8), ("validation", 20), ("test", 12))):
        written_split(random_texts(pages, seed), seed).save(folder, split)
    return folder


MODEL_FILES = ("reader.json", "reader.onnx", "weights.safetensors", "language.npz")


@pytest.fixture(scope="session")
def good_reader(once):
    """The folder of the pretrained reader as a training leaves it. Copy it before you change it."""

    def build(folder: Path) -> None:
        draft = folder.with_name(f"{folder.name}.draft")
        draft.mkdir()
        for name in MODEL_FILES:
            shutil.copy(pretrained_model() / name, draft)
        save_run_id(draft, "0123456789abcdef")
        draft.rename(folder)

    return once("good_reader", build)


@pytest.fixture(scope="session")
def bad_reader(good_reader, once):
    """The folder of a reader that never reads an e: the pretrained one, with another bias. Copy it too."""

    def build(folder: Path) -> None:
        draft = shutil.copytree(good_reader, folder.with_name(f"{folder.name}.draft"))
        add_to_bias(draft, "e", -20)
        draft.rename(folder)

    return once("bad_reader", build)


@pytest.fixture
def small_archive():
    return SmallArchive()


@pytest.fixture(scope="session")
def small_form():
    return SmallForm


@pytest.fixture(name="encoded", scope="session")
def _encoded():
    return encoded


@pytest.fixture(name="printed_split", scope="session")
def _printed_split():
    return printed_split


@pytest.fixture(scope="session")
def prefect_server(tmp_path_factory):
    """A Prefect server for the flows that the tests run."""
    from prefect.settings import PREFECT_HOME, temporary_settings
    from prefect.testing.utilities import prefect_test_harness

    home = tmp_path_factory.mktemp("prefect")
    with temporary_settings({PREFECT_HOME: home}), prefect_test_harness(server_startup_timeout=180):
        yield


# Tests that share something costly run in one process, in this order: the slowest start first, so that two processes
# end at about the same time. The tests of every other file are a group of their own.
GROUPS = (
    ("tests/end_to_end/",),  # the reference pipeline
    ("tests/flows/", "tests/release/"),  # a Prefect server
    ("tests/training/",),  # a finished training
    ("tests/notebooks/",),
    ("tests/serving/",),  # a bento
    ("tests/evaluation/",),  # an evaluated reader
    ("tests/inference/",),
)
# A test that needs one of these is slow, because making it takes more than five seconds.
SLOW_FIXTURES = {"bento", "better", "empty_project", "evaluated", "finished", "prefect_server", "reference", "worse"}


def group(nodeid: str) -> int:
    """Return the rank of a test's group; the number of groups if it has none."""
    return next((rank for rank, folders in enumerate(GROUPS) if nodeid.startswith(folders)), len(GROUPS))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep the tests of one group, or else of one file, in one process.

    pytest-xdist 3.8 ignores its marker xdist_group under pytest 9, so the groups are formed here.
    """
    from xdist.scheduler import LoadScopeScheduling

    class Scheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            rank = group(nodeid)
            return nodeid.split("::")[0] if rank == len(GROUPS) else GROUPS[rank][0]

    return Scheduling(config, log)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the slow tests, before `-m` selects some, and order the tests by group."""
    for item in items:
        if SLOW_FIXTURES.intersection(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)
    items.sort(key=lambda item: group(item.nodeid))
