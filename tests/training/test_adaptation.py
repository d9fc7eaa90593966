"""A reader is adapted to one hand from a few pages, and is kept only if it reads other pages of that hand better."""

import random
import shutil
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw, ImageFont

from text_recognizer.core.errors import DataError, ModelError
from text_recognizer.core.metrics import character_edits, error_rate
from text_recognizer.inference import Recognizer
from text_recognizer.pages.strips import STRIP_HEIGHT
from text_recognizer.preprocess.line_canvases import LabelledStrip, from_png
from text_recognizer.preprocess.line_packing import PackedPart, write_canvases
from text_recognizer.release.verdict_file import require_passed
from text_recognizer.training.adaptation import NotBetterError, adapt
from text_recognizer.training.adaptation_runs import AdaptationSettings, StartingReader, mean_weights, num_steps
from text_recognizer.training.adapted_model import write_adapted
from text_recognizer.training.fit import TrainingFiles, TrainingPlan, train
from text_recognizer.training.network_session import NetworkSession

WORDS = ("the", "and", "sea", "ink", "pen", "cat", "sat", "mat", "red", "dog")
SLANT = 0.3  # of the made hand, whose letters are narrower too
QUICK = AdaptationSettings(learning_rate=0.002, columns=50_000, passes=12, folds=2, threads=1)
pytestmark = pytest.mark.slow


def draw(text: str, slanted: bool) -> np.ndarray:
    """A strip of print, upright, or slanted and narrow."""
    font = ImageFont.load_default(52)
    picture = Image.new("L", (128, STRIP_HEIGHT), 255)
    ImageDraw.Draw(picture).text((20, 16), text, font=font, fill=20)
    if not slanted:
        return np.asarray(picture)
    matrix = np.array([[0.85, -SLANT, 0.5 * SLANT * STRIP_HEIGHT], [0, 1, 0]])
    return np.asarray(cv2.warpAffine(np.asarray(picture), matrix, picture.size, borderValue=255))


def strips_of(pages: int, lines: int, slanted: bool, seed: int = 1) -> list[LabelledStrip]:
    draws = random.Random(seed)
    texts = [[draws.choice(WORDS) for _ in range(lines)] for _ in range(pages)]
    return [
        LabelledStrip.of(draw(text, slanted), text, f"page-{number}", "anna")
        for number, page in enumerate(texts)
        for text in page
    ]


@pytest.fixture(scope="module", autouse=True)
def without_wandb_in_fixtures():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WANDB_MODE", "disabled")
        yield


@pytest.fixture(scope="module")
def section(params):
    shape = {"dpi": 150, "canvas_height": 6 * STRIP_HEIGHT, "canvas_width": 128, "line_height": 0}
    return params.preprocess.model_copy(update=shape)


@pytest.fixture(scope="module")
def base(params, section, once):
    """A tiny reader of upright print."""
    learn = {"channels": (8, 16, 32, 48), "dropout": 0.0, "batch_size": 2, "learning_rate": 0.01, "augment": 0.0,
             "num_validations": 1, "accelerator": "cpu", "steps": 80}  # fmt: skip

    def build(folder):
        draft = folder.with_name(f"{folder.name}.draft")
        (draft / "processed").mkdir(parents=True)
        write_canvases(draft / "processed", "train", PackedPart(strips=strips_of(20, 12, False)), section, 1)
        write_canvases(draft / "processed", "validation", PackedPart(strips=strips_of(2, 6, False, 2)), section, 1)
        plan = TrainingPlan(
            params.train.model_copy(update=learn),
            section,
            params.language.model_copy(update={"order": 0}),
            params.runtime.model_copy(update={"threads": 1}),
        )
        files = TrainingFiles(draft / "processed", draft / "reader", draft / "curves.csv", draft / "scratch")
        train(plan, files)
        draft.rename(folder)

    return once("upright-reader", build) / "reader"


@pytest.fixture(scope="module")
def adapted(base, tmp_path_factory):
    """The reader, adapted to five pages of a slanted hand: it was stopped after the training, and resumed."""
    scratch = tmp_path_factory.mktemp("scratch")
    strips, written = strips_of(5, 12, True), []

    def stop(_) -> None:
        written.append(times_of(scratch))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        adapt(strips, base, scratch, QUICK, finish=stop)
    adaptation = adapt(strips, base, scratch, QUICK, finish=lambda _: written.append(times_of(scratch)))
    return adaptation, scratch, written


def times_of(scratch) -> dict:
    return {path: path.stat().st_mtime_ns for path in scratch.rglob("epoch-*")}


def cer(folder, strips) -> float:
    """The CER of an exported reader on strips, as `read` computes it."""
    reader = Recognizer.load(folder, threads=1)
    lines = reader.decode_lines(reader.score_strips([from_png(strip.png) for strip in strips]))
    read = ["".join(one.character for one in line.characters()) for line in lines]
    return error_rate([character_edits(strip.text, text) for strip, text in zip(strips, read, strict=True)])


def test_the_hand_is_read_better_on_pages_that_were_not_trained_on(adapted):
    adaptation, _, _ = adapted

    assert error_rate(adaptation.after) < 0.7 * error_rate(adaptation.before)
    assert adaptation.difference.high < 0
    assert adaptation.pages == tuple(f"page-{number}" for number in range(5))
    assert [row.length for row in adaptation.before] == [row.length for row in adaptation.after]


def test_what_was_trained_is_not_trained_again_and_nothing_is_left(adapted):
    _, scratch, (stopped, resumed) = adapted

    assert len(stopped) == QUICK.folds * QUICK.epochs
    assert resumed == stopped
    assert not list(scratch.glob("adapt/*"))


def test_the_written_model_reads_the_hand_and_may_be_served(adapted, base, tmp_path):
    info = write_adapted(adapted[0], tmp_path / "anna", "own/anna", "the tests")

    new = strips_of(3, 8, True, seed=9)
    assert cer(tmp_path / "anna", new) < 0.7 * cer(base, new)
    assert require_passed(tmp_path / "anna" / "verdict.json", info.digest).pages == 5
    card = (tmp_path / "anna" / "MODEL_CARD.md").read_text()
    assert info.digest in card
    assert StartingReader.load(base).info.digest in card


def test_weights_tried_in_torch_read_as_the_exported_graph_does(base):
    start = StartingReader.load(base)
    pixels = [from_png(strip.png) for strip in strips_of(1, 3, False)]
    tried = Recognizer(start.info, NetworkSession(start.network(start.weights))).score_strips(pixels)

    for one, exported in zip(tried, Recognizer.load(base, threads=1).score_strips(pixels), strict=True):
        # The exported graph computes with 8-bit integers.
        assert np.abs(np.exp(one) - np.exp(exported)).max(axis=1).mean() < 0.03
        assert (one.argmax(axis=1) == exported.argmax(axis=1)).mean() > 0.95


def test_a_reader_that_does_not_read_better_is_refused_and_leaves_nothing(base, tmp_path):
    finished = []
    with pytest.raises(NotBetterError):
        adapt(strips_of(5, 2, True), base, tmp_path, replace(QUICK, columns=1, learning_rate=1e-9), finished.append)

    assert finished == []
    assert not list(tmp_path.glob("adapt/*"))


@pytest.mark.parametrize("pages", [4, 51])
def test_too_few_and_too_many_pages_are_refused(base, tmp_path, pages):
    with pytest.raises(DataError):
        adapt(strips_of(pages, 1, True), base, tmp_path, QUICK)


def test_a_reader_without_weights_is_refused(base, tmp_path):
    shutil.copytree(base, tmp_path / "reader", ignore=shutil.ignore_patterns("*.safetensors"))
    with pytest.raises(ModelError):
        adapt(strips_of(5, 1, True), tmp_path / "reader", tmp_path, QUICK)


def test_mixed_weights_lie_between_those_of_the_reader_and_the_trained_ones(base):
    start = StartingReader.load(base)
    trained = {name: value + 1 for name, value in start.weights.items()}
    name = "head.weight"

    assert torch.allclose(start.mixed(trained, 0.25)[name], start.weights[name] + 0.25)
    assert torch.allclose(mean_weights([start.weights, trained])[name], start.weights[name] + 0.5)


def test_a_training_takes_about_the_same_time_for_any_number_of_pages():
    short, long = strips_of(5, 8, True), strips_of(40, 8, True)
    settings = AdaptationSettings(columns=128 * 6 * 50, passes=6)

    assert num_steps(long, settings) == 50
    assert num_steps(short, settings) == 40  # six passes over forty lines
