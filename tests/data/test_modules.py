"""The lab's data modules: what their batches hold, what they say of themselves, and where they come from."""

import argparse
import subprocess
import sys

import numpy as np
import pytest
import pytorch_lightning as pl
import torch

import text_recognizer.data
from text_recognizer.data import (
    BaseDataModule,
    IAMLines,
    IAMOriginalAndSyntheticParagraphs,
    IAMParagraphs,
    IAMSyntheticParagraphs,
)
from text_recognizer.data.lines import LineDataset
from text_recognizer.data.packed_lines import Line, PackedLines, writing
from text_recognizer.data.prepared import PackedModule
from text_recognizer.errors import DataError
from text_recognizer.text import END_ID, MAPPING, NEWLINE, PADDING_ID, START_ID, framed

PAGES = [("to be", "or not"), ("a sea",), ("of ink", "aa"), ("no",), ("the end",)]
QUIET = {"accelerator": "cpu", "logger": False, "enable_checkpointing": False, "enable_progress_bar": False}
PARAGRAPHS = [IAMParagraphs, IAMSyntheticParagraphs, IAMOriginalAndSyntheticParagraphs]


@pytest.fixture(scope="module")
def packed(printed_split, tmp_path_factory):
    folder = tmp_path_factory.mktemp("packed")
    for split, pages in (("train", PAGES), ("validation", PAGES[:2]), ("test", PAGES[2:4])):
        printed_split(pages).save(folder, split)
        pack_lines(folder, split, printed_split(pages))
    return folder


def pack_lines(folder, split, printed):
    """The lines of printed pages, 28 px of the page from 3 px above each box, packed twice as high."""
    with writing(folder, split, 56) as add:
        for canvas, page in zip(printed.canvases, printed.pages, strict=True):
            for text, (x, y, width, height) in zip(page.text.split(NEWLINE), page.boxes, strict=True):
                picture = canvas[y - 3 : y + 25, x : x + width].repeat(2, axis=0).repeat(2, axis=1)
                add(picture, Line(f"{page.id}-{y}", page.id, page.writer, text, (x, y, width, height), (2 * width, 56)))


@pytest.fixture
def made(packed):
    """Makes a module of a class on the packed pages, and sets it up."""

    def make(kind, **settings):
        module = kind(packed, batch_size=2, **settings)
        module.prepare_data()
        module.setup()
        return module

    return make


def spelled(module, y):
    return "".join(module.mapping[index] for index in y)


# --- what a batch holds


@pytest.mark.parametrize("kind", [*PARAGRAPHS, IAMLines])
def test_batches_fit_the_config(made, kind):
    module = made(kind)
    shape, length, classes = (module.config()[key] for key in ("input_dims", "output_dims", "mapping"))
    for loader in (module.train_dataloader(), module.val_dataloader(), module.test_dataloader()):
        for xs, ys in loader:
            assert xs.shape[1:] == shape
            assert xs.dtype == torch.float32
            assert ys.shape == (len(xs), length[0])
            assert ys.dtype == torch.long
            assert xs.min() >= 0
            assert 0.5 < xs.max() <= 1
            assert ys.max() < len(classes)


@pytest.mark.parametrize("kind", [*PARAGRAPHS, IAMLines])
def test_every_text_is_framed_by_its_ends_and_then_padded(made, kind):
    for _, ys in made(kind).train_dataloader():
        for y in ys:
            end = y.tolist().index(END_ID)
            assert y[0] == START_ID
            assert all(index > PADDING_ID for index in y[1:end])
            assert set(y[end + 1 :].tolist()) <= {PADDING_ID}


def test_a_paragraph_is_the_page_that_was_packed_and_its_whole_text(made, printed_split):
    module = made(IAMParagraphs)
    xs, ys = next(iter(module.val_dataloader()))
    canvas = torch.from_numpy(printed_split(PAGES[:2]).canvases[0].copy())
    assert spelled(module, ys[0]) == "<S>to be\nor not<E>"
    assert torch.equal(xs[0, 0], 1 - canvas / 255)


def test_a_round_of_paragraphs_has_each_page_once_and_the_next_round_another_order(made):
    module = made(IAMParagraphs)
    loader = module.train_dataloader()
    rounds = []
    for number in range(4):
        loader.sampler.set_epoch(number)
        rounds.append([spelled(module, y) for _, ys in loader for y in ys])
    wanted = sorted("<S>" + NEWLINE.join(page) + "<E>" for page in PAGES)
    assert all(sorted(text.replace("<P>", "") for text in texts) == wanted for texts in rounds)
    assert len({tuple(texts) for texts in rounds}) > 1


@pytest.mark.parametrize(("length", "fits"), [(14, True), (13, False)])
def test_a_text_is_framed_only_where_it_fits(length, fits):
    if fits:
        assert framed("to be or not", length) == [START_ID, *framed("to be or not", 12, ends=False), END_ID]
    else:
        with pytest.raises(DataError, match="14 tokens does not fit into 13"):
            framed("to be or not", length)


def test_a_page_of_the_lab_s_size_has_the_lab_s_length(packed, monkeypatch):
    assert IAMParagraphs(packed).output_dims == (14, 1)  # "to be\nor not" and its two ends
    monkeypatch.setattr("text_recognizer.data.paragraphs.LAB_CANVAS", (64, 128))
    assert IAMParagraphs(packed).output_dims == (682, 1)


# --- recombined pages


def test_synthetic_paragraphs_are_new_texts_that_are_no_longer_than_real_ones(made):
    module = made(IAMSyntheticParagraphs, seed=3)
    real = {"<S>" + NEWLINE.join(page) + "<E>" for page in PAGES}
    texts = []
    loader = module.train_dataloader()
    for number in range(10):
        loader.sampler.set_epoch(number)
        texts += [spelled(module, y).replace("<P>", "") for _, ys in loader for y in ys]
    assert len(set(texts) - real) > len(texts) / 2
    assert max(len(text) for text in texts) - len("<S><E>") <= 12


def test_validation_of_synthetic_paragraphs_is_on_real_pages(made):
    real, synthetic = made(IAMParagraphs), made(IAMSyntheticParagraphs)
    for wanted, got in zip(real.val_dataloader(), synthetic.val_dataloader(), strict=True):
        assert all(torch.equal(left, right) for left, right in zip(wanted, got, strict=True))


def test_a_few_batches_of_synthetic_paragraphs_can_be_overfitted(made):
    # Lightning swaps the plan for a plain count of batches; the same batches must come again and again.
    module = made(IAMSyntheticParagraphs)
    dataset = module.train_dataloader().dataset
    assert len(dataset) == 3
    assert torch.equal(dataset[1][0], dataset[1][0])
    assert not torch.equal(dataset[0][0], dataset[1][0])


# --- lines


def test_lines_are_as_high_as_in_the_lab_and_keep_their_aspect(made, printed_split):
    module = made(IAMLines)
    assert module.config()["input_dims"] == (1, 56, 2048)
    assert module.config()["output_dims"] == (89, 1)
    ink, ids = module.data_train[0]
    width = printed_split(PAGES).pages[0].boxes[0][2]
    inked = torch.nonzero((ink[0] > 0.5).any(dim=0))
    assert spelled(module, ids).startswith("<S>to be<E><P>")
    assert inked.max() == pytest.approx(2 * width, abs=6)


def test_a_line_that_is_too_wide_is_made_smaller(tmp_path):
    wide = np.full((28, 2000), 255, dtype=np.uint8)
    wide[5:20, 10:1990] = 0
    with writing(tmp_path, "train", 28) as add:
        add(wide, Line("a-00", "a", "w", "wide", (0, 0, 2000, 28), (2000, 28)))
    module = IAMLines(tmp_path)
    assert module.input_dims == (1, 28, 1024)
    ink = LineDataset(PackedLines.open(tmp_path, "train"), module.input_dims[1:], 89)[0][0]
    inked = np.flatnonzero((ink[0] > 0.5).any(dim=0))
    assert ink.shape == (1, 28, 1024)
    assert inked[0] < 8
    assert inked[-1] > 1010


def test_a_folder_without_lines_says_what_to_do(printed_split, tmp_path):
    printed_split(PAGES).save(tmp_path, "train")
    with pytest.raises(DataError, match=r"has no train-lines\.npy"):
        IAMLines(tmp_path).prepare_data()
    with pytest.raises(DataError, match="no lines are packed") as caught:
        IAMLines(tmp_path).setup()
    assert "preprocess.lines" in caught.value.fix


def test_lines_have_no_newline_to_learn(made):
    module = made(IAMLines)
    assert module.mapping == MAPPING[:-1]
    assert len(module.data_train) == sum(map(len, PAGES))


# --- what Lightning asks of them


@pytest.mark.parametrize("kind", [*PARAGRAPHS, IAMLines])
def test_a_stage_opens_what_it_needs(packed, kind):
    fit, test = kind(packed), kind(packed)
    fit.setup("fit")
    test.setup("test")
    assert list(fit.splits) == ["train", "validation"]
    assert fit.data_test is None
    assert list(test.splits) == ["test"]
    assert test.data_train is None


@pytest.mark.parametrize("kind", [*PARAGRAPHS, IAMLines])
def test_the_same_few_batches_come_each_round_where_they_are_to_be_overfitted(packed, tmp_path, kind):
    seen = Seen()
    trainer = pl.Trainer(max_epochs=2, overfit_batches=2, default_root_dir=tmp_path, **QUIET)
    trainer.fit(seen, kind(packed, batch_size=2, augment=0.0))
    first, second, again, once_more = (xs for xs, _ in seen.batches["train"])
    assert torch.equal(first, again)
    assert torch.equal(second, once_more)
    assert not torch.equal(first, second)


# --- augmentation


class Seen(pl.LightningModule):
    """Keeps the batches that it is given."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.batches = {"train": [], "val": []}

    def training_step(self, batch, _):
        self.batches["train"].append(batch)
        return self.weight.sum()

    def validation_step(self, batch, _):
        self.batches["val"].append(batch)

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), 0.1)


@pytest.mark.parametrize("strength", [0.0, 0.5])
def test_only_training_batches_are_augmented(packed, tmp_path, strength):
    module, seen = IAMParagraphs(packed, batch_size=5, augment=strength), Seen()
    trainer = pl.Trainer(max_epochs=1, default_root_dir=tmp_path, **QUIET)
    trainer.fit(seen, module)
    for part, loader in (("train", module.train_dataloader()), ("val", module.val_dataloader())):
        (xs, ys), (plain, texts) = seen.batches[part][0], next(iter(loader))
        assert torch.equal(ys, texts)
        assert torch.equal(xs, plain) == (part == "val" or strength == 0)


# --- what they say of themselves


def test_it_says_what_it_holds(made):
    text = repr(made(IAMParagraphs))
    for part in (
        "IAM Paragraphs",
        "classes: 84",
        "Dims: (1, 64, 128)",
        "sizes: 5, 2, 2",
        "mean 0.0",
        "int64",
        "max 83",
    ):
        assert part in text
    assert str(made(IAMLines)).startswith("IAM Lines Dataset\nNum classes: 83\n")
    assert "3 lines" in repr(made(IAMParagraphs, target="lines"))


def test_it_says_that_it_holds_nothing_yet(packed, tmp_path):
    assert repr(IAMParagraphs(packed)).endswith("Not set up")
    assert repr(IAMParagraphs(tmp_path)).endswith("Not prepared")
    with pytest.raises(RuntimeError, match="setup"):
        IAMParagraphs(packed).val_dataloader()


# --- where they come from


@pytest.mark.parametrize("kind", [*PARAGRAPHS, IAMLines])
def test_a_command_line_gives_it_its_settings(kind):
    parser = argparse.ArgumentParser()
    kind.add_to_argparse(parser)
    parser.add_argument("--another", default=1)
    module = kind.from_args(parser.parse_args(["--batch_size", "3", "--num_workers", "1", "--seed", "7"]))
    assert isinstance(module, BaseDataModule)
    assert (module.batch_size, module.num_workers, module.seed) == (3, 1, 7)
    assert module.processed == PackedModule.from_args(parser.parse_args([])).processed


def test_a_folder_of_one_s_own_that_is_empty_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"has no train\.npy"):
        IAMParagraphs(tmp_path).prepare_data()


@pytest.mark.slow
def test_where_nothing_is_packed_the_pipeline_s_stages_pack_it(shipped, tmp_path, monkeypatch):
    import yaml

    # Given a project that has only its parameters, those of a small sample
    small = {"train_forms": 4, "validation_forms": 2, "test_forms": 2, "forms_per_writer": 1, "workers": 1}
    params = shipped.model_dump(mode="json", by_alias=True)
    params["synthetic"] |= small
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params))
    monkeypatch.chdir(tmp_path)
    # When the paragraphs are asked for as in the lab
    module = IAMParagraphs()
    module.prepare_data()
    module.setup()
    # Then they are there
    assert "Train/val/test sizes: 4, 2, 2" in repr(module)
    assert module.config()["input_dims"] == (1, shipped.preprocess.canvas_height, shipped.preprocess.canvas_width)


def test_a_stage_that_fails_is_told(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match="`text-recognizer fetch` failed"):
        IAMParagraphs().prepare_data()
    assert "params.yaml does not exist" in capfd.readouterr().err


def test_the_names_cost_nothing_until_they_are_used():
    program = "import sys, text_recognizer.data as data; print('IAMParagraphs' in dir(data), 'torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "False"]


def test_a_name_that_is_none_is_refused():
    with pytest.raises(AttributeError, match="IAMParagraph"):
        _ = text_recognizer.data.IAMParagraph
