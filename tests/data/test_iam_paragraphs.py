"""The order and the batches in which packed pages reach a model."""

from collections import Counter
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from text_recognizer.core.charset import encode
from text_recognizer.corpora.packed_pages import PackedSource, PackedSplit, write_source
from text_recognizer.data.batches import MAX_PADDING, PADDING_CELLS, PackedDataset, collate_lines, cut_lines
from text_recognizer.data.iam_paragraphs import EpochOptions, IAMOriginalAndSyntheticParagraphs, IAMParagraphs
from text_recognizer.data.samplers import EpochSampler, EvenBatches, MixedSampler, Mixture, Process
from text_recognizer.pages.normalisation import normalise_contrast
from text_recognizer.pages.strips import FOUND_HEIGHT
from text_recognizer.preprocess.line_canvases import LabelledStrip, compose_canvas, from_png

PAGES = [("to be", "or not"), ("a sea",), ("of ink", "aa")]


def epochs(sampler, count):
    """Return the indices or steps of the first epochs."""
    out = []
    for number in range(count):
        sampler.set_epoch(number)
        out.append(list(sampler))
    return out


@pytest.fixture
def data(printed_split, tmp_path):
    printed_split(PAGES).save(tmp_path, "train")
    printed_split(PAGES[:2]).save(tmp_path, "validation")
    options = EpochOptions(target="lines", steps_per_epoch=3)
    module = IAMParagraphs(tmp_path, batch_size=2, seed=1, options=options)
    module.setup("fit")
    return module


@pytest.mark.parametrize("length", [3, 7, 10, 25])
def test_every_pass_has_every_page_once(length):
    stream = [page for part in epochs(EpochSampler(10, length, seed=1), 20) for page in part]
    passes = [stream[start : start + 10] for start in range(0, len(stream) - 9, 10)]
    assert all(sorted(order) == list(range(10)) for order in passes)
    assert len({tuple(order) for order in passes}) > 1, "every pass has an order of its own"


def test_epochs_have_equal_length():
    assert {len(part) for part in epochs(EpochSampler(10, 7, seed=1), 9)} == {7}
    assert len(EpochSampler(10, 7, seed=1)) == 7


def test_an_epoch_is_a_function_of_seed_and_number():
    # Given a sampler that yielded all epochs
    expected = epochs(EpochSampler(10, 7, seed=1), 6)
    # When a new one starts at epoch 4, then it yields the same pages; with another seed, others
    fresh, other = EpochSampler(10, 7, seed=1), EpochSampler(10, 7, seed=2)
    fresh.set_epoch(4)
    other.set_epoch(4)
    assert list(fresh) == expected[4]
    assert list(other) != expected[4]


def test_pages_are_drawn_in_proportion_to_their_weights():
    sampler = EpochSampler(4, 1000, seed=1, weights=np.array([1.0, 0.0, 2.0, 1.0]))
    first, second = epochs(sampler, 2)
    assert np.bincount(first, minlength=4) / 1000 == pytest.approx([0.25, 0, 0.5, 0.25], abs=0.05)
    assert first != second
    sampler.set_epoch(1)
    assert list(sampler) == second


@pytest.mark.slow
def test_pages_of_a_source_of_more_weight_are_trained_on_more_often(printed_split, tmp_path):
    split = printed_split(PAGES)
    pages = tuple(replace(page, source="much" if number == 2 else "little") for number, page in enumerate(split.pages))
    weighed = (("much", 8.0), ("little", 1.0))
    sources = tuple(PackedSource(name, weight, counts_in_gate=True) for name, weight in weighed)
    for name in ("train", "validation"):
        replace(split, pages=pages).save(tmp_path, name)
    write_source(tmp_path, "iam", sources)
    module = IAMParagraphs(tmp_path, batch_size=10, seed=1, options=EpochOptions(target="lines", steps_per_epoch=40))
    module.setup("fit")
    counts = Counter(text for batch in module.train_dataloader() for text in batch.texts)
    assert counts["of ink"] > 2 * counts["a sea"] > 0


@pytest.mark.parametrize("length", [12, 13])
def test_processes_that_train_together_divide_every_batch_of_one_process(length):
    # Given batches of two in three processes, and of six in one
    alone = epochs(EpochSampler(20, length, seed=1), 3)
    together = [epochs(EpochSampler(20, length, 1, Process(rank, 3)), 3) for rank in range(3)]
    for number, whole in enumerate(alone):
        parts = [process[number] for process in together]
        # Then all have equally many pages, and together those of the one process; only the last may have more
        assert {len(part) for part in parts} == {len(EpochSampler(20, length, 1, Process(0, 3)))}
        for batch in range(length // 6):
            union = [page for part in parts for page in part[2 * batch : 2 * batch + 2]]
            assert sorted(union) == sorted(whole[6 * batch : 6 * batch + 6])
        assert set(whole) <= {page for part in parts for page in part}


@pytest.mark.parametrize(
    ("length", "size", "world_size"), [(8, 2, 2), (9, 2, 2), (5, 2, 2), (3, 1, 2), (7, 4, 3), (100, 8, 7)]
)
def test_processes_validate_every_page_once_in_equally_many_batches(length, size, world_size):
    parts = [list(EvenBatches(length, size, Process(rank, world_size))) for rank in range(world_size)]
    assert sorted(page for part in parts for batch in part for page in batch) == list(range(length))
    assert len({len(part) for part in parts}) == 1
    assert max(len(batch) for part in parts for batch in part) <= max(2, size)
    assert all(batch for part in parts for batch in part)


def test_fewer_pages_than_processes_are_validated_by_all_of_them():
    assert [list(EvenBatches(3, 2, Process(rank, 4))) for rank in range(4)] == [[[0, 1], [2]]] * 4


def test_a_sample_has_its_canvas_the_ids_of_its_lines_and_their_boxes(printed_split):
    split = printed_split(PAGES)
    sample = PackedDataset(split)[2]
    assert sample.canvas.shape == (1, 64, 128)
    assert sample.canvas.dtype == torch.uint8
    assert [line.tolist() for line in sample.lines] == [encode("of ink"), encode("aa")]
    assert sample.boxes.tolist() == [list(map(float, box)) for box in split.pages[2].boxes]


def test_a_batch_joins_the_lines_of_pages(printed_split):
    dataset = PackedDataset(printed_split(PAGES))
    batch = collate_lines([dataset[index] for index in range(3)], dpi=75)
    assert batch.counts == [2, 1, 2]
    assert batch.texts == ["to be", "or not", "a sea", "of ink", "aa"]
    assert batch.pages([group.texts for group in batch.groups]) == ["to be\nor not", "a sea", "of ink\naa"]


def test_the_lines_of_a_batch_are_grouped_by_their_length(printed_split):
    samples = [PackedDataset(printed_split(PAGES))[index] for index in range(3)]
    widths = [strip.shape[1] for sample in samples for strip in cut_lines(sample, 75)]
    batch = collate_lines(samples, dpi=75)
    assert len(batch.groups) > 1
    assert sorted(row for group in batch.groups for row in group.rows) == [0, 1, 2, 3, 4]
    for group in batch.groups:
        own = [widths[row] for row in group.rows]
        assert max(own) <= MAX_PADDING * min(own)
        assert group.strips.dtype == torch.uint8
        assert group.strips.shape[:3] == (len(own), 1, 48)
        assert max(own) <= group.strips.shape[3] < max(own) + PADDING_CELLS * 4
        assert group.strips.shape[3] % (PADDING_CELLS * 4) == 0
        assert group.lengths.tolist() == [len(text) for text in group.texts]


@pytest.mark.parametrize(("dpi", "height"), [(60, 38), (75, 48), (150, 96)])
def test_a_line_is_cut_out_whole_at_mid_height(printed_split, dpi, height):
    sample = PackedDataset(printed_split(PAGES))[0]
    first, second = cut_lines(sample, dpi)
    assert (len(first), len(second)) == (height, height)
    # The box of a line covers two thirds of the height of its strip, and its ink is in the middle of that
    width, box_height = sample.boxes[0, 2:].tolist()
    assert first.shape[1] == pytest.approx((width / box_height * 64 / FOUND_HEIGHT + 2 * 24) * dpi / 150, abs=3)
    rows = np.flatnonzero((first < 128).any(axis=1))
    assert height / 6 - 2 <= rows[0] < rows[-1] <= height * 5 / 6 + 2


def test_strips_that_were_stacked_on_a_canvas_are_cut_out_as_they_were():
    rng = np.random.default_rng(1)
    strips = [cv2.GaussianBlur(rng.integers(0, 256, (96, width), np.uint8), (9, 9), 3) for width in (300, 420)]
    labelled = [LabelledStrip.of(normalise_contrast(strip), "a b", "page", "writer") for strip in strips]
    canvas, page = compose_canvas("c", labelled, (192, 512), rng)
    sample = PackedDataset(PackedSplit(canvas[None], (page,)))[0]
    for cut, strip in zip(cut_lines(sample, 150), labelled, strict=True):
        assert abs(cut.shape[1] - strip.width) <= 3
        inner = np.s_[8:-8, 32:160]
        assert np.abs(cut[inner].astype(int) - from_png(strip.png)[inner]).mean() < 6


def test_changing_a_batch_does_not_change_the_pack(data):
    batch = next(iter(data.train_dataloader()))
    before = data.splits["train"].canvases.sum()
    for group in batch.groups:
        group.strips.zero_()
    assert data.splits["train"].canvases.sum() == before


def test_a_training_epoch_has_the_given_number_of_steps(data):
    assert [len(batch.counts) for batch in data.train_dataloader()] == [2, 2, 2]


def test_validation_has_every_page_in_order(data):
    texts = [text for batch in data.val_dataloader() for text in batch.texts]
    assert texts == ["to be", "or not", "a sea"]


# --- original pages mixed with recombined ones


def mixed(share, steps_per_epoch=200, seed=1):
    """A sampler of three epochs with batches of two original or five recombined pages."""
    originals = EpochSampler(10, 2 * steps_per_epoch, seed)
    return MixedSampler(originals, batch_size=2, mixture=Mixture(share, epochs=3, batch_size=5))


def test_the_share_of_recombined_steps_goes_from_the_first_value_to_the_last():
    shares = [sum(step.recombined for step in part) / len(part) for part in epochs(mixed((0.9, 0.1)), 3)]
    assert shares == pytest.approx([0.9, 0.5, 0.1], abs=0.12)


@pytest.mark.parametrize(("share", "recombined"), [((0.0, 0.0), {False}), ((1.0, 1.0), {True})])
def test_a_share_of_zero_or_one_is_exact(share, recombined):
    assert {step.recombined for part in epochs(mixed(share), 3) for step in part} == recombined


def test_a_mixed_epoch_is_a_function_of_seed_and_number():
    expected = epochs(mixed((0.5, 0.5)), 3)
    fresh, other = mixed((0.5, 0.5)), mixed((0.5, 0.5), seed=2)
    fresh.set_epoch(2)
    other.set_epoch(2)
    assert list(fresh) == expected[2]
    assert list(other) != expected[2]


def test_recombined_pages_never_repeat_and_their_batches_are_larger():
    steps = [step for part in epochs(mixed((0.5, 0.5)), 3) for step in part]
    numbers = [number for step in steps if step.recombined for number in step.numbers]
    assert len(set(numbers)) == len(numbers)
    assert {(step.recombined, len(step.numbers)) for step in steps} == {(True, 5), (False, 2)}


def test_processes_divide_the_batches_of_a_mixed_epoch():
    def sampler(batch_size, recombined, process):
        originals = EpochSampler(10, 20 * batch_size * process.world_size, 1, process)
        return MixedSampler(originals, batch_size, Mixture((0.5, 0.5), 3, recombined))

    alone = epochs(sampler(4, 6, Process()), 2)
    together = [epochs(sampler(2, 3, Process(rank, 2)), 2) for rank in range(2)]
    for number, whole in enumerate(alone):
        for step, first, second in zip(whole, *(process[number] for process in together), strict=True):
            assert first.recombined == second.recombined == step.recombined
            assert sorted(first.numbers + second.numbers) == sorted(step.numbers)


@pytest.mark.parametrize("num_workers", [0, 2])
def test_a_mixed_epoch_has_batches_of_both_kinds(printed_split, tmp_path, num_workers):
    printed_split(PAGES).save(tmp_path, "train")
    printed_split(PAGES[:2]).save(tmp_path, "validation")
    options = EpochOptions("lines", steps_per_epoch=12, recombined=(0.5, 0.5), epochs=2)
    data = IAMOriginalAndSyntheticParagraphs(tmp_path, 2, seed=1, num_workers=num_workers, options=options)
    data.setup("fit")
    batches = list(data.train_dataloader())
    assert len(batches) == 12
    assert {len(batch.counts) for batch in batches} == {2, 5}
    for batch in batches:
        assert len(batch.texts) == sum(batch.counts)
        assert all(len(group.strips) == len(group.texts) for group in batch.groups)


def test_loader_processes_give_the_same_batches_in_every_epoch(printed_split, tmp_path):
    for split in ("train", "validation"):
        printed_split(PAGES).save(tmp_path, split)

    def texts(num_workers):
        options = EpochOptions("lines", steps_per_epoch=8, recombined=(0.7, 0.3), epochs=3)
        data = IAMOriginalAndSyntheticParagraphs(tmp_path, 2, seed=1, num_workers=num_workers, options=options)
        data.setup("fit")
        loader, found = data.train_dataloader(), []
        for number in range(3):
            loader.sampler.set_epoch(number)
            found.append([batch.texts for batch in loader])
        return found

    assert texts(2) == texts(0)
