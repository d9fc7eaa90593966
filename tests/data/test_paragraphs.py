"""How packed pages reach a model in batches."""

import numpy as np
import pytest
import torch

from text_recognizer.data.paragraphs import IAMOriginalAndSyntheticParagraphs, IAMParagraphs
from text_recognizer.data.rounds import Buckets, EvenBatches, MixedSampler, RoundSampler
from text_recognizer.data.samples import PackedDataset, collate
from text_recognizer.text import encode

PAGES = [("to be", "or not"), ("a sea",), ("of ink", "aa")]


def rounds(sampler, count):
    out = []
    for number in range(count):
        sampler.set_epoch(number)
        out.append(list(sampler))
    return out


@pytest.fixture
def data(printed_split, tmp_path):
    printed_split(PAGES).save(tmp_path, "train")
    printed_split(PAGES[:2]).save(tmp_path, "validation")
    module = IAMParagraphs(tmp_path, batch_size=2, round_steps=3, seed=1, target="lines")
    module.setup("fit")
    return module


@pytest.mark.parametrize("length", [3, 7, 10, 25])
def test_every_page_appears_once_a_lap(length):
    stream = [page for part in rounds(RoundSampler(10, length, seed=1), 20) for page in part]
    laps = [stream[start : start + 10] for start in range(0, len(stream) - 9, 10)]
    assert all(sorted(lap) == list(range(10)) for lap in laps)
    assert len({tuple(lap) for lap in laps}) > 1, "laps are shuffled anew"


def test_rounds_are_of_equal_length():
    assert {len(part) for part in rounds(RoundSampler(10, 7, seed=1), 9)} == {7}
    assert len(RoundSampler(10, 7, seed=1)) == 7


def test_a_round_is_a_function_of_seed_and_number():
    # Given a sampler that went through all rounds
    gone_through = rounds(RoundSampler(10, 7, seed=1), 6)
    # When a new one starts at the fourth round, then it gives the same pages; with another seed, others
    fresh, other = RoundSampler(10, 7, seed=1), RoundSampler(10, 7, seed=2)
    fresh.set_epoch(4)
    other.set_epoch(4)
    assert list(fresh) == gone_through[4]
    assert list(other) != gone_through[4]


@pytest.mark.parametrize("length", [12, 13])
def test_processes_that_train_together_divide_every_batch_of_one_process(length):
    # Given batches of two in three processes, and of six in one
    alone = rounds(RoundSampler(20, length, seed=1), 3)
    together = [rounds(RoundSampler(20, length, 1, rank, 3), 3) for rank in range(3)]
    for number, whole in enumerate(alone):
        parts = [process[number] for process in together]
        # Then all have as many pages, and the three hold what the one holds; only the last may hold more
        assert {len(part) for part in parts} == {len(RoundSampler(20, length, 1, 0, 3))}
        for batch in range(length // 6):
            union = [page for part in parts for page in part[2 * batch : 2 * batch + 2]]
            assert sorted(union) == sorted(whole[6 * batch : 6 * batch + 6])
        assert set(whole) <= {page for part in parts for page in part}


@pytest.mark.parametrize(
    ("length", "size", "ranks"), [(8, 2, 2), (9, 2, 2), (5, 2, 2), (3, 1, 2), (7, 4, 3), (100, 8, 7)]
)
def test_processes_validate_every_page_once_in_as_many_batches_each(length, size, ranks):
    parts = [list(EvenBatches(length, size, rank, ranks)) for rank in range(ranks)]
    assert sorted(page for part in parts for batch in part for page in batch) == list(range(length))
    assert len({len(part) for part in parts}) == 1
    assert max(len(batch) for part in parts for batch in part) <= max(2, size)
    assert all(batch for part in parts for batch in part)


def test_fewer_pages_than_processes_are_validated_by_all_of_them():
    assert [list(EvenBatches(3, 2, rank, 4)) for rank in range(4)] == [[[0, 1], [2]]] * 4


def test_a_sample_has_its_canvas_the_ids_of_its_lines_and_their_boxes(printed_split):
    split = printed_split(PAGES)
    sample = PackedDataset(split)[2]
    assert sample.canvas.shape == (1, 64, 128)
    assert sample.canvas.dtype == torch.uint8
    assert [line.tolist() for line in sample.lines] == [encode("of ink"), encode("aa")]
    assert sample.boxes.tolist() == [list(map(float, box)) for box in split.pages[2].boxes]


def test_a_batch_joins_pages_with_different_numbers_of_lines(printed_split):
    dataset = PackedDataset(printed_split(PAGES))
    batch = collate([dataset[index] for index in range(3)])
    assert batch.canvases.shape == (3, 1, 64, 128)
    assert batch.boxes.shape == (5, 4)
    assert batch.counts == [2, 1, 2]
    assert batch.lengths.tolist() == [5, 6, 5, 6, 2]
    assert batch.targets.shape == (24,)
    assert batch.texts == ["to be", "or not", "a sea", "of ink", "aa"]


def test_changing_a_batch_leaves_the_pack_as_it_is(data):
    batch = next(iter(data.train_dataloader()))
    before = data.splits["train"].canvases.sum()
    batch.canvases.zero_()
    assert data.splits["train"].canvases.sum() == before


def test_a_training_round_has_the_steps_it_was_given(data):
    assert [len(batch.counts) for batch in data.train_dataloader()] == [2, 2, 2]


def test_validation_goes_through_every_page_in_order(data):
    texts = [text for batch in data.val_dataloader() for text in batch.texts]
    assert texts == ["to be", "or not", "a sea"]


# --- batches of pages about as tall


def test_buckets_hold_every_page_once_a_lap_and_neighbours_in_height():
    heights = np.random.default_rng(1).permutation(64)
    sampler = RoundSampler(64, 64, seed=1, buckets=Buckets(heights.tolist(), 4))
    laps = rounds(sampler, 3)
    assert all(sorted(lap) == list(range(64)) for lap in laps)
    assert laps[0] != laps[1], "laps are shuffled anew"
    # Given 32 pages at a time, the four of a batch are neighbours among those
    for lap in laps:
        for window in (lap[:32], lap[32:]):
            ranks = {page: rank for rank, page in enumerate(sorted(window, key=heights.__getitem__))}
            assert {ranks[window[start + 3]] - ranks[window[start]] for start in range(0, 32, 4)} == {3}
            assert [ranks[page] for page in window] != list(range(32)), "the batches come in any order"


@pytest.mark.parametrize("share", [(0.0, 0.0), None])
def test_a_bucketed_module_has_fewer_empty_rows(printed_split, tmp_path, share):
    tall, low = ("to be", "or not", "a sea", "of ink"), ("to be",)
    for name in ("train", "validation"):
        printed_split([tall, low] * 8).save(tmp_path, name)

    def spread(bucketed):
        given = {"batch_size": 2, "round_steps": 8, "seed": 1, "target": "lines", "bucketed": bucketed}
        mixed = {} if share is None else {"rounds": 1, "share": share}
        data = (IAMOriginalAndSyntheticParagraphs if mixed else IAMParagraphs)(tmp_path, **given, **mixed)
        data.setup("fit")
        return sum(len(set(batch.counts)) > 1 for batch in data.train_dataloader())

    assert spread(bucketed=True) == 0 < spread(bucketed=False)


# --- pages as they were written, mixed with recombined ones


def mixed(share, round_steps=200, rounds_in_all=3, seed=1):
    return MixedSampler(
        pages=10, batch_size=2, many=5, round_steps=round_steps, seed=seed, rounds=rounds_in_all, share=share
    )


def test_the_share_of_recombined_steps_goes_from_the_first_value_to_the_last():
    shares = [sum(step.recombined for step in part) / len(part) for part in rounds(mixed((0.9, 0.1)), 3)]
    assert shares == pytest.approx([0.9, 0.5, 0.1], abs=0.12)


@pytest.mark.parametrize(("share", "recombined"), [((0.0, 0.0), {False}), ((1.0, 1.0), {True})])
def test_a_share_of_none_or_all_is_kept(share, recombined):
    assert {step.recombined for part in rounds(mixed(share), 3) for step in part} == recombined


def test_a_mixed_round_is_a_function_of_seed_and_number():
    gone_through = rounds(mixed((0.5, 0.5)), 3)
    fresh, other = mixed((0.5, 0.5)), mixed((0.5, 0.5), seed=2)
    fresh.set_epoch(2)
    other.set_epoch(2)
    assert list(fresh) == gone_through[2]
    assert list(other) != gone_through[2]


def test_no_recombined_page_comes_twice_and_a_batch_of_them_is_larger():
    steps = [step for part in rounds(mixed((0.5, 0.5)), 3) for step in part]
    numbers = [number for step in steps if step.recombined for number in step.numbers]
    assert len(set(numbers)) == len(numbers)
    assert {(step.recombined, len(step.numbers)) for step in steps} == {(True, 5), (False, 2)}


def test_processes_divide_the_batches_of_a_mixed_round():
    given = {"seed": 1, "rounds": 3, "share": (0.5, 0.5), "round_steps": 20}
    alone = rounds(MixedSampler(10, 4, 6, **given), 2)
    together = [rounds(MixedSampler(10, 2, 3, **given, rank=rank, ranks=2), 2) for rank in range(2)]
    for number, whole in enumerate(alone):
        for step, first, second in zip(whole, *(process[number] for process in together), strict=True):
            assert first.recombined == second.recombined == step.recombined
            assert sorted(first.numbers + second.numbers) == sorted(step.numbers)


@pytest.mark.parametrize("loaders", [0, 2])
def test_a_mixed_round_has_batches_of_both_kinds(printed_split, tmp_path, loaders):
    printed_split(PAGES).save(tmp_path, "train")
    printed_split(PAGES[:2]).save(tmp_path, "validation")
    data = IAMOriginalAndSyntheticParagraphs(
        tmp_path, batch_size=2, round_steps=12, seed=1, num_workers=loaders, target="lines", rounds=2, share=(0.5, 0.5)
    )
    data.setup("fit")
    batches = list(data.train_dataloader())
    sizes = {tuple(batch.canvases.shape) for batch in batches}
    assert len(batches) == 12
    assert sizes == {(2, 1, 64, 128), (5, 1, 32, 96)}  # as many pixels, or a little less
    for batch in batches:
        assert len(batch.texts) == len(batch.boxes) == sum(batch.counts)
        assert len(batch.counts) == len(batch.canvases)


def test_more_loaders_give_the_same_batches_and_stay_from_round_to_round(printed_split, tmp_path):
    for split in ("train", "validation"):
        printed_split(PAGES).save(tmp_path, split)

    def texts(loaders):
        data = IAMOriginalAndSyntheticParagraphs(tmp_path, 2, 8, 1, loaders, "lines", rounds=3, share=(0.7, 0.3))
        data.setup("fit")
        loader, found = data.train_dataloader(), []
        for number in range(3):
            loader.sampler.set_epoch(number)
            found.append([batch.texts for batch in loader])
        return found

    assert texts(2) == texts(0)
