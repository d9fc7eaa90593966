"""An archive becomes one pack a split, the same on any number of workers, or nothing."""

import pytest

from text_recognizer.data.packed import PackedSplit
from text_recognizer.errors import DataError
from text_recognizer.preprocess import pack


@pytest.fixture
def archive(small_archive, tmp_path):
    return small_archive.save(tmp_path / "iamdb.zip")


@pytest.fixture
def run(shipped, small_crops, tmp_path):
    """Packs an archive with parameters changed; gives the counts and the folder."""

    def packed(archive, exclude=(), split="lwitlrt", name="processed", beside={}, **changes):  # noqa: B006
        data = shipped.data.model_copy(update={"exclude": exclude, "split": split})
        made = pack(archive, data, small_crops.model_copy(update=changes), tmp_path / name, **beside)
        return made.counts, tmp_path / name

    return packed


def content(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def ids(folder):
    return {split: [page.id for page in PackedSplit.open(folder, split).pages] for split in ("train", "test")}


def test_every_split_is_packed_and_counted(run, archive):
    counts, folder = run(archive)

    assert counts == {"train": 2, "validation": 2, "test": 1}
    assert {split: len(PackedSplit.open(folder, split)) for split in counts} == counts
    assert PackedSplit.open(folder, "train").canvases.shape == (2, 64, 128)
    assert ids(folder) == {"train": ["a01-000", "a01-001"], "test": ["c01-000"]}


def test_two_workers_give_the_bytes_of_one(run, small_archive, small_form, tmp_path):
    # Given more forms than one worker takes at a time
    for number in range(20):
        small_archive.put(small_form(f"t01-{number:03d}", texts=(f"page {number}", "or not")))
    archive = small_archive.save(tmp_path / "iamdb.zip")

    counts, one = run(archive, name="one", workers=1)
    _, two = run(archive, name="two", workers=2)

    assert counts["train"] == 22
    assert content(one) == content(two)


def test_excluded_forms_are_out(run, archive):
    counts, folder = run(archive, exclude=("a01-000",))

    assert counts["train"] == 1
    assert ids(folder)["train"] == ["a01-001"]


def test_a_form_at_fault_that_is_excluded_stops_nothing(run, small_archive, tmp_path):
    small_archive.files["xml/a01-000.xml"] = b"<form"
    small_archive.files["forms/a01-001.png"] = small_archive.files["forms/a01-000.png"]
    archive = small_archive.save(tmp_path / "iamdb.zip")

    assert run(archive, exclude=("a01-000",))[0]["train"] == 1


def test_a_new_pack_takes_the_place_of_the_old(run, archive):
    run(archive)
    _, folder = run(archive, exclude=("b01-000",))

    assert len(PackedSplit.open(folder, "validation")) == 1
    assert sorted(path.name for path in folder.parent.iterdir()) == ["iamdb.zip", "processed"]


def refuses(run, archive, what, **changes):
    """Checks that a run is refused and that the pack before it stays, with nothing beside it."""
    before = content(run(archive)[1])
    with pytest.raises(DataError, match=what) as caught:
        run(archive, **changes)
    assert caught.value.fix
    assert content(archive.parent / "processed") == before
    assert sorted(path.name for path in archive.parent.iterdir()) == ["iamdb.zip", "processed"]


def test_an_excluded_form_that_is_not_there_is_named(run, archive):
    refuses(run, archive, r"names forms that .*iamdb\.zip lacks: a99-000, z99-000", exclude=("z99-000", "a99-000"))


def test_an_empty_split_is_named(run, archive):
    refuses(run, archive, r"the test split of .*iamdb\.zip is empty", exclude=("c01-000",))


def test_a_split_that_the_archive_lacks_is_named(run, archive):
    refuses(run, archive, r"has no aachen/train\.txt", split="aachen")


def test_a_form_at_fault_is_named_and_the_old_pack_stays(run, archive, small_archive):
    _, folder = run(archive)
    before = content(folder)
    small_archive.files["forms/c01-000.png"] = b"no picture"
    small_archive.save(archive)

    with pytest.raises(DataError, match=r"iamdb/forms/c01-000\.png"):
        run(archive)
    assert content(folder) == before
    assert sorted(path.name for path in folder.parent.iterdir()) == ["iamdb.zip", "processed"]
