"""An archive is packed split by split, with the same bytes on any number of workers, completely or not at all."""

import json
from datetime import UTC, datetime

import numpy as np
import pytest
from tests.sources import data_of, entry_of, sources_of

from text_recognizer.core.errors import ConfigError, DataError
from text_recognizer.core.params import SyntheticSection
from text_recognizer.corpora import corrections as correction_files
from text_recognizer.corpora.packed_lines import PackedLines
from text_recognizer.corpora.packed_pages import PackedSplit
from text_recognizer.preprocess import Corrections, locally, pack

ONE, TWO = locally(1), locally(2)


@pytest.fixture
def archive(small_archive, tmp_path):
    return small_archive.save(tmp_path / "iamdb.zip")


@pytest.fixture
def data():
    """Return the section of real data, with the given values changed."""

    def section(source="fsdl", split="lwitlrt", exclude=()):
        return data_of(entry_of(source, split), exclude=exclude)

    return section


@pytest.fixture
def crops(small_crops):
    """Return the preprocess section of the tests, with the given values changed."""
    return lambda **changes: small_crops.model_copy(update=changes)


@pytest.fixture
def run(data, crops, tmp_path):
    """Pack an archive into the folder `processed`, with values of the data section changed. Return both results."""

    def packed(archive, **changes):
        return pack(sources_of(archive, data(**changes)), crops(), tmp_path / "processed", ONE), tmp_path / "processed"

    return packed


def content(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def page_ids(folder):
    return {split: [page.id for page in PackedSplit.open(folder, split).pages] for split in ("train", "test")}


def test_every_split_is_packed_and_counted(run, archive):
    packed, folder = run(archive)

    assert packed.counts == {"train": 2, "validation": 2, "test": 1}
    assert {split: len(PackedSplit.open(folder, split)) for split in packed.counts} == packed.counts
    assert PackedSplit.open(folder, "train").canvases.shape == (2, 64, 128)
    assert page_ids(folder) == {"train": ["a01-000", "a01-001"], "test": ["c01-000"]}


@pytest.mark.parametrize(
    ("source", "kind"),
    [("synthetic", "synthetic"), ("fsdl", "fsdl"), ("iam", "iam"), ("iam:http://127.0.0.1/iam", "iam"),
     ("my/pages.zip", "archive"), ("s3://bucket/synthetic", "archive"), ("synthetic:2", "archive")],
)  # fmt: skip
def test_the_output_names_the_kind_of_its_source_and_no_address(run, archive, source, kind):
    _, folder = run(archive, source=source)
    assert PackedSplit.open(folder, "test").source == kind
    assert json.loads((folder / "source.json").read_text()) == {"source": kind}


def test_pages_and_lines_have_the_same_bytes_on_two_workers(data, crops, small_archive, small_form, tmp_path):
    # Given more forms than one worker gets at a time
    for number in range(20):
        small_archive.put(small_form(f"t01-{number:03d}", texts=(f"page {number}", "or not")))
    archive = small_archive.save(tmp_path / "iamdb.zip")

    packed = pack(sources_of(archive, data()), crops(line_height=56), tmp_path / "one", ONE)
    pack(sources_of(archive, data()), crops(line_height=56), tmp_path / "two", TWO)

    assert packed.counts["train"] == 22
    assert {"train.npy", "train-lines.npy", "train-lines.jsonl"} <= content(tmp_path / "one").keys()
    assert content(tmp_path / "one") == content(tmp_path / "two")


def test_excluded_forms_are_left_out(run, archive):
    packed, folder = run(archive, exclude=("a01-000",))

    assert packed.counts["train"] == 1
    assert page_ids(folder)["train"] == ["a01-001"]


def test_a_faulty_form_that_is_excluded_does_no_harm(run, small_archive, tmp_path):
    small_archive.files["xml/a01-000.xml"] = b"<form"
    small_archive.files["forms/a01-001.png"] = small_archive.files["forms/a01-000.png"]
    archive = small_archive.save(tmp_path / "iamdb.zip")

    assert run(archive, exclude=("a01-000",))[0].counts["train"] == 1


def test_a_new_output_replaces_the_old_one(run, archive):
    run(archive)
    _, folder = run(archive, exclude=("b01-000",))

    assert len(PackedSplit.open(folder, "validation")) == 1
    assert sorted(path.name for path in folder.parent.iterdir()) == ["iamdb.zip", "processed"]


@pytest.fixture
def refused(run, archive):
    """Return the error of a run that fails. Check that the previous output is kept and nothing else is left."""

    def error_of(attempt, *changed):
        before = content(run(archive)[1])
        for change in changed:
            change()
        with pytest.raises(DataError) as caught:
            attempt()
        assert caught.value.fix
        assert content(archive.parent / "processed") == before
        assert sorted(path.name for path in archive.parent.iterdir()) == ["iamdb.zip", "processed"]
        return caught.value

    return error_of


def test_unknown_excluded_forms_are_named(run, archive, refused):
    error = refused(lambda: run(archive, exclude=("z99-000", "a99-000")))
    assert "a99-000, z99-000" in error.what
    assert "iamdb.zip" in error.what


def test_an_empty_split_is_named(run, archive, refused):
    assert "test split" in refused(lambda: run(archive, exclude=("c01-000",))).what


def test_a_split_that_the_archive_does_not_have_is_named(run, archive, refused):
    assert "aachen/train.txt" in refused(lambda: run(archive, split="aachen")).what


def test_a_form_that_cannot_be_cropped_is_named(run, archive, small_archive, refused):
    def damage():
        small_archive.files["forms/c01-000.png"] = b"no picture"
        small_archive.save(archive)

    assert "iamdb/forms/c01-000.png" in refused(lambda: run(archive), damage).what


def test_all_forms_that_cannot_be_cropped_are_named_at_once(run, archive, small_archive):
    small_archive.files["forms/c01-000.png"] = b"no picture"
    small_archive.files["xml/a01-001.xml"] = small_archive.files["xml/a01-001.xml"].replace(
        b"to be", b"to \xe2\x82\xac"
    )
    small_archive.save(archive)

    with pytest.raises(DataError) as caught:
        run(archive)

    assert caught.value.what.startswith("2 of the forms in")
    assert all(name in caught.value.what for name in ("a01-001", "c01-000.png", "'€'"))
    assert "data.exclude: [a01-001, c01-000]" in caught.value.fix


def test_the_rest_is_packed_if_the_named_forms_are_excluded(run, archive, small_archive):
    small_archive.files["forms/a01-000.png"] = b"no picture"
    small_archive.save(archive)

    assert run(archive, exclude=("a01-000",))[0].counts == {"train": 1, "validation": 2, "test": 1}


def test_a_check_sees_the_whole_folder_and_can_refuse_it(data, crops, archive, tmp_path, refused):
    def refuse(folder):
        assert sorted(path.suffix for path in folder.iterdir()) == [*[".json"] * 2, *[".jsonl"] * 3, *[".npy"] * 3]
        raise DataError("the crops are blank", "scan again")

    def attempt():
        pack(sources_of(archive, data()), crops(), tmp_path / "processed", ONE, refuse)

    assert refused(attempt).what == "the crops are blank"


@pytest.fixture
def corrections(tmp_path, small_form, encoded):
    """Make a folder with two good corrections and a damaged one. Return it and the three names."""
    folder, names = tmp_path / "feedback", []
    for number in range(3):
        form = small_form(f"f01-00{number}")
        lines = [(text, tuple(edge // 2 for edge in box)) for text, box in zip(form.texts, form.boxes, strict=True)]
        made = datetime(2026, 11, 25, number, tzinfo=UTC)
        record = correction_files.new_record(lines, "3fa9", made, dpi=150)
        names.append(correction_files.save(folder, encoded(form.page()), ".png", record))
    (folder / f"{names[2]}.png").write_bytes(b"no picture")
    return folder, names


def test_accepted_corrections_join_the_training_split_and_the_others_are_listed(
    corrections, archive, data, crops, tmp_path
):
    folder, names = corrections
    chosen = Corrections(folder, (names[0], names[2]))

    packed = pack(sources_of(archive, data(), chosen), crops(), tmp_path / "processed", ONE)

    train = PackedSplit.open(tmp_path / "processed", "train")
    assert packed.counts == {"train": 3, "validation": 2, "test": 1}
    assert [page.id for page in train.pages] == ["a01-000", "a01-001", f"feedback-{names[0]}"]
    assert train.pages[2].boxes == train.pages[0].boxes
    assert packed.joined == (names[0],)
    assert set(packed.refused) == {names[1], names[2]}
    assert all(packed.refused.values())
    assert all(f"{name}: {reason}" in packed.summary() for name, reason in packed.refused.items())
    listed = json.loads((tmp_path / "processed" / "feedback.json").read_text(encoding="utf-8"))
    assert listed == {"joined": [names[0]], "refused": packed.refused}


def test_a_correction_whose_crop_is_faulty_costs_only_itself(corrections, archive, data, crops, tmp_path):
    # Given two accepted corrections, one of which makes a crop that the check of the crops would refuse
    folder, names = corrections
    chosen = Corrections(folder, tuple(names[:2]), lambda crop: "no ink" if crop.id == names[0] else None)
    # When all is packed
    packed = pack(sources_of(archive, data(), chosen), crops(), tmp_path / "processed", ONE)
    # Then the other one joins, and the reason is listed
    assert packed.joined == (names[1],)
    assert packed.refused[names[0]] == "no ink"


def test_a_line_that_cannot_be_labelled_is_listed_and_the_other_one_joins(
    archive, data, crops, small_form, encoded, tmp_path
):
    # Given a correction with a character outside the charset in its second line
    form = small_form("f01-000")
    lines = [
        (text, tuple(edge // 2 for edge in box)) for text, box in zip(("to be", "3 \u20ac"), form.boxes, strict=True)
    ]
    record = correction_files.new_record(lines, "3fa9", datetime(2026, 11, 25, tzinfo=UTC), dpi=150)
    name = correction_files.save(tmp_path / "feedback", encoded(form.page()), ".png", record)
    # When it is packed
    chosen = Corrections(tmp_path / "feedback", (name,))
    packed = pack(sources_of(archive, data(), chosen), crops(), tmp_path / "processed", ONE)
    # Then its first line is in the training split
    page = PackedSplit.open(tmp_path / "processed", "train").pages[2]
    assert (packed.joined, page.text, len(page.boxes)) == ((name,), "to be", 1)
    assert any("\u20ac" in listed for listed in packed.refused)


@pytest.fixture(scope="module")
def synthetic():
    """The section of small synthetic forms, two for each writer."""
    return SyntheticSection(
        seed=1, train_forms=1, validation_forms=1, test_forms=1, forms_per_writer=2, page_width=900, page_height=700,
        lines_min=1, lines_max=2, dpi=100,
    )  # fmt: skip


def test_synthetic_forms_join_the_training_split_of_real_ones(archive, data, crops, synthetic, tmp_path):
    sources = sources_of(archive, data(), synthetic=synthetic)
    packed = pack(sources, crops(synthetic_forms=5), tmp_path / "one", ONE)
    pack(sources, crops(synthetic_forms=5), tmp_path / "two", TWO)

    train = PackedSplit.open(tmp_path / "one", "train")
    assert packed.counts == {"train": 7, "validation": 2, "test": 1}
    assert packed.synthetic == 5
    assert "5 of train are synthetic" in packed.summary()
    assert [page.id for page in train.pages] == ["a01-000", "a01-001", *(f"s000-00{number}" for number in range(5))]
    assert len({page.writer for page in train.pages[2:]}) == 3
    # Then each of them has ink in the boxes of its lines, and the number of workers changes nothing
    for canvas, page in zip(train.canvases[2:], train.pages[2:], strict=True):
        assert len(page.boxes) == page.text.count("\n") + 1
        assert all((canvas[y : y + height, x : x + width] < 128).any() for x, y, width, height in page.boxes)
    assert content(tmp_path / "one") == content(tmp_path / "two")


def test_synthetic_forms_cannot_be_added_to_synthetic_data(archive, data, crops, synthetic, tmp_path):
    with pytest.raises(ConfigError, match=r"preprocess\.synthetic_forms") as caught:
        pack(
            sources_of(archive, data(source="synthetic"), synthetic=synthetic),
            crops(synthetic_forms=3),
            tmp_path / "processed",
            ONE,
        )
    assert "synthetic.train_forms" in caught.value.fix
    assert not (tmp_path / "processed").exists()


@pytest.fixture
def pack_lines(archive, data, crops, tmp_path):
    """Pack the archive with its lines at a height, or without lines for 0. Return the folder."""

    def packed(height):
        out = tmp_path / f"height-{height}"
        pack(sources_of(archive, data()), crops(line_height=height), out, ONE)
        return out

    return packed


def test_lines_are_packed_at_the_height_asked_for(pack_lines):
    packed = PackedLines.open(pack_lines(56), "train")
    assert [line.id for line in packed.lines] == [f"a01-00{form}-0{line}" for form in (0, 1) for line in (0, 1)]
    first = packed.lines[0]
    assert (first.form, first.writer, first.text, first.box) == ("a01-000", "w0", "to be", (100, 100, 620, 80))
    assert packed.picture(0).shape == (56, first.size[0])


def test_a_line_has_the_margin_of_the_paragraph_and_keeps_its_aspect_ratio(pack_lines):
    # 4 px at 50 dpi are 24 px of the scan, on each side of a box of 620 x 80 px.
    first = PackedLines.open(pack_lines(56), "train").lines[0]
    assert first.size[0] == pytest.approx(56 * (620 + 48) / (80 + 48), abs=4)


def test_a_line_has_the_detail_of_its_scan_and_not_of_the_canvas(pack_lines):
    # The frame of the box is 4 px thick in a scan at 300 dpi. At 50 dpi it would be thinner than a pixel, and grey.
    line = PackedLines.open(pack_lines(112), "train").picture(0)
    assert (line[:, 40:-40].min(axis=1) < 64).any()
    assert np.count_nonzero((line < 64).mean(axis=1) > 0.9) in (2, 3, 4, 5, 6, 7, 8)


def test_without_a_line_height_no_lines_are_packed_and_the_pages_stay_the_same(pack_lines):
    without, beside = content(pack_lines(0)), content(pack_lines(56))
    assert sorted(without) == [
        "feedback.json",
        "source.json",
        *sorted(f"{split}.{kind}" for split in ("test", "train", "validation") for kind in ("jsonl", "npy")),
    ]
    assert without.items() <= beside.items()


@pytest.mark.parametrize("top", [560, 470])
def test_a_line_mostly_outside_its_picture_is_left_out_by_name(data, crops, small_archive, small_form, tmp_path, top):
    # Given a form whose second line, or most of it, lies below the lower edge of the page
    small_archive.put(small_form("a01-000", boxes=((100, 100, 620, 80), (130, top, 500, 90))))
    archive = small_archive.save(tmp_path / "iamdb.zip")
    packed = pack(sources_of(archive, data()), crops(line_height=56), tmp_path / "processed", ONE)
    assert packed.outside == ("a01-000-01",)
    assert "left out a01-000-01" in packed.summary()
    assert packed.lines == len(PackedLines.open(tmp_path / "processed", "train")) + 6
    assert PackedLines.open(tmp_path / "processed", "train").lines[0].id == "a01-000-00"
