"""The lab's data modules: their batches, their descriptions, and how they get their data."""

import argparse
import subprocess
import sys

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
import yaml

import text_recognizer.data
from text_recognizer.core.charset import CHARSET, END_ID, NEWLINE, PADDING_ID, START_ID, encode_padded
from text_recognizer.core.errors import ConfigError, DataError
from text_recognizer.corpora.packed_lines import PackedLine, PackedLines, line_writer
from text_recognizer.data import (
    BaseDataModule,
    IAMLines,
    IAMOriginalAndSyntheticParagraphs,
    IAMParagraphs,
    IAMSyntheticParagraphs,
)
from text_recognizer.data.iam_lines import LineDataset
from text_recognizer.data.iam_paragraphs import EpochOptions
from text_recognizer.data.packed_data_module import PackedModule

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
    """Pack the lines of printed pages: 28 px of the page from 3 px above each box, enlarged twice."""
    with line_writer(folder, split, 56) as add:
        for canvas, page in zip(printed.canvases, printed.pages, strict=True):
            for text, (x, y, width, height) in zip(page.text.split(NEWLINE), page.boxes, strict=True):
                picture = canvas[y - 3 : y + 25, x : x + width].repeat(2, axis=0).repeat(2, axis=1)
                add(
                    picture,
                    PackedLine(f"{page.id}-{y}", page.id, page.writer, text, (x, y, width, height), (2 * width, 56)),
                )


@pytest.fixture
def made(packed):
    """Make a module of a class on the packed pages, and set it up."""

    def make(kind, **settings):
        module = kind(packed, batch_size=2, **settings)
        module.prepare_data()
        module.setup()
        return module

    return make


def tokens_of(module, y):
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
def test_every_text_has_start_and_end_tokens_and_padding(made, kind):
    for _, ys in made(kind).train_dataloader():
        for y in ys:
            end = y.tolist().index(END_ID)
            assert y[0] == START_ID
            assert all(index > PADDING_ID for index in y[1:end])
            assert set(y[end + 1 :].tolist()) <= {PADDING_ID}


def test_a_paragraph_is_the_packed_page_and_its_whole_text(made, printed_split):
    module = made(IAMParagraphs)
    xs, ys = next(iter(module.val_dataloader()))
    canvas = torch.from_numpy(printed_split(PAGES[:2]).canvases[0].copy())
    assert tokens_of(module, ys[0]) == "<S>to be\nor not<E>"
    assert torch.equal(xs[0, 0], 1 - canvas / 255)


def test_an_epoch_has_each_page_once_and_the_next_epoch_another_order(made):
    module = made(IAMParagraphs)
    loader = module.train_dataloader()
    epochs = []
    for number in range(4):
        loader.sampler.set_epoch(number)
        epochs.append([tokens_of(module, y) for _, ys in loader for y in ys])
    wanted = sorted("<S>" + NEWLINE.join(page) + "<E>" for page in PAGES)
    assert all(sorted(text.replace("<P>", "") for text in texts) == wanted for texts in epochs)
    assert len({tuple(texts) for texts in epochs}) > 1


@pytest.mark.parametrize(("length", "fits"), [(14, True), (13, False)])
def test_a_text_is_padded_only_if_it_fits(length, fits):
    if fits:
        assert encode_padded("to be or not", length) == [
            START_ID,
            *encode_padded("to be or not", 12, ends=False),
            END_ID,
        ]
    else:
        with pytest.raises(DataError) as refused:
            encode_padded("to be or not", length)
        assert "14 tokens" in refused.value.what


def test_a_page_of_the_lab_s_size_has_the_lab_s_text_length(packed, monkeypatch):
    assert IAMParagraphs(packed).output_dims == (14, 1)  # "to be\nor not" and its two ends
    monkeypatch.setattr("text_recognizer.data.iam_paragraphs.LAB_CANVAS", (64, 128))
    assert IAMParagraphs(packed).output_dims == (682, 1)


# --- recombined pages


def test_synthetic_paragraphs_are_new_texts_that_are_no_longer_than_real_ones(made):
    module = made(IAMSyntheticParagraphs, seed=3)
    real = {"<S>" + NEWLINE.join(page) + "<E>" for page in PAGES}
    texts = []
    loader = module.train_dataloader()
    for number in range(10):
        loader.sampler.set_epoch(number)
        texts += [tokens_of(module, y).replace("<P>", "") for _, ys in loader for y in ys]
    assert len(set(texts) - real) > len(texts) / 2
    assert max(len(text) for text in texts) - len("<S><E>") <= 12


def test_validation_of_synthetic_paragraphs_is_on_real_pages(made):
    real, synthetic = made(IAMParagraphs), made(IAMSyntheticParagraphs)
    for wanted, got in zip(real.val_dataloader(), synthetic.val_dataloader(), strict=True):
        assert all(torch.equal(left, right) for left, right in zip(wanted, got, strict=True))


def test_a_few_batches_of_synthetic_paragraphs_can_be_overfitted(made):
    # Lightning replaces the sampler by batch numbers; a number must always give the same batch.
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
    assert tokens_of(module, ids).startswith("<S>to be<E><P>")
    assert inked.max() == pytest.approx(2 * width, abs=6)


def test_a_line_that_is_too_wide_is_made_smaller(tmp_path):
    wide = np.full((28, 2000), 255, dtype=np.uint8)
    wide[5:20, 10:1990] = 0
    with line_writer(tmp_path, "train", 28) as add:
        add(wide, PackedLine("a-00", "a", "w", "wide", (0, 0, 2000, 28), (2000, 28)))
    module = IAMLines(tmp_path)
    assert module.input_dims == (1, 28, 1024)
    ink = LineDataset(PackedLines.open(tmp_path, "train"), module.input_dims[1:], 89)[0][0]
    inked = np.flatnonzero((ink[0] > 0.5).any(dim=0))
    assert ink.shape == (1, 28, 1024)
    assert inked[0] < 8
    assert inked[-1] > 1010


def test_a_folder_without_lines_is_refused_by_the_missing_file(printed_split, tmp_path):
    printed_split(PAGES).save(tmp_path, "train")
    with pytest.raises(DataError) as refused:
        IAMLines(tmp_path).prepare_data()
    assert "train-lines.npy" in refused.value.what
    with pytest.raises(DataError) as refused:
        IAMLines(tmp_path).setup()
    assert "preprocess.line_height" in refused.value.fix


def test_the_vocabulary_of_lines_has_no_newline(made):
    module = made(IAMLines)
    assert module.mapping == CHARSET[:-1]
    assert len(module.data_train) == sum(map(len, PAGES))


# --- the interface to Lightning


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
def test_overfitting_repeats_the_same_few_batches_in_every_epoch(packed, tmp_path, kind):
    seen = Seen()
    trainer = pl.Trainer(max_epochs=2, overfit_batches=2, default_root_dir=tmp_path, **QUIET)
    trainer.fit(seen, kind(packed, batch_size=2, augment=0.0))
    first, second, again, once_more = (xs for xs, _ in seen.batches["train"])
    assert torch.equal(first, again)
    assert torch.equal(second, once_more)
    assert not torch.equal(first, second)


# --- augmentation


class Seen(pl.LightningModule):
    """Keeps the batches that it gets."""

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


# --- descriptions


def test_the_description_names_sizes_and_batches(made):
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
    assert "the lines of 2 pages" in repr(made(IAMParagraphs, options=EpochOptions("lines")))


def test_the_description_says_that_nothing_is_prepared_or_set_up(packed, tmp_path):
    assert repr(IAMParagraphs(packed)).endswith("Not set up")
    assert repr(IAMParagraphs(tmp_path)).endswith("Not prepared")
    with pytest.raises(RuntimeError, match="setup"):
        IAMParagraphs(packed).val_dataloader()


# --- where the data come from


@pytest.mark.parametrize("kind", [*PARAGRAPHS, IAMLines])
def test_a_module_is_made_from_command_line_arguments(kind):
    parser = argparse.ArgumentParser()
    kind.add_to_argparse(parser)
    parser.add_argument("--another", default=1)
    module = kind.from_args(parser.parse_args(["--batch_size", "3", "--num_workers", "1", "--seed", "7"]))
    assert isinstance(module, BaseDataModule)
    assert (module.batch_size, module.num_workers, module.seed) == (3, 1, 7)
    assert module.processed == PackedModule.from_args(parser.parse_args([])).processed


def test_an_empty_folder_other_than_the_pipeline_s_is_refused_by_the_missing_file(tmp_path):
    with pytest.raises(DataError) as refused:
        IAMParagraphs(tmp_path).prepare_data()
    assert "train.npy" in refused.value.what
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def project(params, tmp_path, monkeypatch):
    """The current folder: a project that has only its parameters, those of a small sample."""
    content = params.model_dump(mode="json", by_alias=True)
    content["synthetic"] |= {"train_forms": 4, "validation_forms": 2, "test_forms": 2, "forms_per_writer": 1}
    content["runtime"]["workers"] = 1
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(content))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.slow
def test_the_data_are_fetched_and_packed_in_this_process_if_there_are_none(project, params, monkeypatch):
    def refuse(*_args, **_settings):
        raise AssertionError("no process of our own command line")

    monkeypatch.setattr(subprocess, "run", refuse)
    # When the paragraphs are requested as in the lab
    module = IAMParagraphs()
    module.prepare_data()
    module.setup()
    # Then they are packed as `params.yaml` says, without the reports of the stages
    assert "Train/val/test sizes: 4, 2, 2" in repr(module)
    assert module.config()["input_dims"] == (1, params.preprocess.canvas_height, params.preprocess.canvas_width)
    assert sorted(path.name for path in project.iterdir()) == ["data", "params.yaml"]


def test_an_archive_on_disk_is_packed_and_not_fetched(project, small_archive):
    (project / "data/raw").mkdir(parents=True)
    archive = small_archive.save(project / "data/raw/synthetic.zip")
    before = archive.read_bytes()
    module = IAMParagraphs()
    module.prepare_data()
    module.setup()
    assert [page.id for page in module.splits["train"].pages] == ["a01-000", "a01-001"]
    assert archive.read_bytes() == before


def test_a_project_without_parameters_is_refused_by_the_missing_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError) as refused:
        IAMParagraphs().prepare_data()
    assert "params.yaml" in refused.value.what


def test_naming_the_package_does_not_import_torch():
    program = "import sys, text_recognizer.data as data; print('IAMParagraphs' in dir(data), 'torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "False"]


def test_an_unknown_name_is_refused():
    with pytest.raises(AttributeError, match="IAMParagraph"):
        _ = text_recognizer.data.IAMParagraph
