"""An archive becomes one pack a split, the same on any number of workers, or nothing."""

import json
from datetime import UTC, datetime

import numpy as np
import pytest

from text_recognizer.data import feedback
from text_recognizer.data.packed import PackedSplit
from text_recognizer.data.packed_lines import PackedLines
from text_recognizer.errors import ConfigError, DataError
from text_recognizer.preprocess import Corrections, pack, stage


@pytest.fixture
def archive(small_archive, tmp_path):
    return small_archive.save(tmp_path / "iamdb.zip")


@pytest.fixture
def run(shipped, small_crops, tmp_path):
    """Packs an archive with parameters changed; gives the counts and the folder."""

    def packed(archive, exclude=(), split="lwitlrt", source="synthetic", name="processed", beside=None, **changes):
        data = shipped.data.model_copy(update={"source": source, "exclude": exclude, "split": split})
        made = pack(archive, data, small_crops.model_copy(update=changes), tmp_path / name, **(beside or {}))
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


@pytest.mark.parametrize(
    ("source", "kind"),
    [("synthetic", "synthetic"), ("fsdl", "fsdl"), ("iam", "iam"), ("iam:http://127.0.0.1/iam", "iam"),
     ("my/pages.zip", "archive"), ("s3://bucket/synthetic", "archive"), ("synthetic:2", "archive")],
)  # fmt: skip
def test_a_pack_says_what_kind_of_source_it_came_from_and_no_address(
    archive, shipped, small_crops, tmp_path, source, kind
):
    data = shipped.data.model_copy(update={"source": source})
    pack(archive, data, small_crops, tmp_path / "processed")
    assert PackedSplit.open(tmp_path / "processed", "test").source == kind
    assert json.loads((tmp_path / "processed/source.json").read_text()) == {"source": kind}


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


def test_every_form_at_fault_is_named_in_one_run(run, archive, small_archive):
    small_archive.files["forms/c01-000.png"] = b"no picture"
    small_archive.files["xml/a01-001.xml"] = small_archive.files["xml/a01-001.xml"].replace(
        b"to be", b"to \xe2\x82\xac"
    )
    small_archive.save(archive)

    with pytest.raises(DataError) as caught:
        run(archive)

    assert caught.value.what.startswith("2 of the forms in")
    assert "form a01-001 has characters outside the charset" in caught.value.what
    assert "c01-000.png is not a readable picture" in caught.value.what
    assert "data.exclude: [a01-001, c01-000]" in caught.value.fix


def test_leaving_out_the_forms_that_were_named_lets_the_rest_through(run, archive, small_archive):
    small_archive.files["forms/a01-000.png"] = b"no picture"
    small_archive.save(archive)

    assert run(archive, exclude=("a01-000",))[0] == {"train": 1, "validation": 2, "test": 1}


def test_the_folder_is_refused_by_a_check_that_fails_and_the_old_pack_stays(run, archive):
    def refuse(folder):
        assert sorted(path.suffix for path in folder.iterdir()) == [*[".json"] * 2, *[".jsonl"] * 3, *[".npy"] * 3]
        raise DataError("the crops are blank", "scan again")

    refuses(run, archive, "the crops are blank", beside={"check": refuse})


@pytest.fixture
def corrections(tmp_path, small_form, encoded):
    """A folder with two good corrections and a spoilt one; gives it and their names."""
    folder, names = tmp_path / "feedback", []
    for number in range(3):
        form = small_form(f"f01-00{number}")
        lines = [(text, tuple(edge // 2 for edge in box)) for text, box in zip(form.texts, form.boxes, strict=True)]
        made = datetime(2026, 11, 25, number, tzinfo=UTC)
        names.append(feedback.save(folder, encoded(form.page()), ".png", lines, "3fa9", made, dpi=150))
    (folder / f"{names[2]}.png").write_bytes(b"no picture")
    return folder, names


def test_accepted_corrections_join_the_training_split_and_the_rest_is_listed(
    corrections, archive, shipped, small_crops, tmp_path
):
    folder, names = corrections
    chosen = Corrections(folder, (names[0], names[2]))

    made = pack(archive, shipped.data, small_crops, tmp_path / "processed", chosen)

    train = PackedSplit.open(tmp_path / "processed", "train")
    assert made.counts == {"train": 3, "validation": 2, "test": 1}
    assert [page.id for page in train.pages] == ["a01-000", "a01-001", f"feedback-{names[0]}"]
    assert train.pages[2].boxes == train.pages[0].boxes
    assert made.joined == (names[0],)
    assert made.refused[names[1]] == "no validation accepted it"
    assert "not a picture" in made.refused[names[2]]
    assert "packed: 3 train, 2 validation, 1 test (1 of train are corrections)" in made.in_words()
    assert f"left out {names[1]}: no validation accepted it" in made.in_words()
    listed = json.loads((tmp_path / "processed" / "feedback.json").read_text(encoding="utf-8"))
    assert listed == {"joined": [names[0]], "refused": made.refused}


def test_those_are_accepted_that_the_last_validation_names(tmp_path):
    report = tmp_path / "validation.json"
    assert stage.accepted_corrections(tmp_path, report) == Corrections(tmp_path)
    report.write_text('{"feedback": {"accepted": ["a", "b"]}}')
    assert stage.accepted_corrections(tmp_path, report) == Corrections(tmp_path, ("a", "b"))
    report.write_text("{")
    with pytest.raises(DataError, match=r"validation\.json cannot be read"):
        stage.accepted_corrections(tmp_path, report)


@pytest.fixture
def drawn(shipped):
    """The section of small synthetic forms, two of a writer."""
    changes = {"forms_per_writer": 2, "page_width": 900, "page_height": 700, "lines_max": 2, "dpi": 100}
    return shipped.synthetic.model_copy(update=changes)


def test_drawn_forms_join_the_training_split_of_real_ones(run, archive, drawn):
    beside = {"synthetic": drawn}
    counts, folder = run(archive, name="one", source="fsdl", drawn=5, beside=beside, workers=1)
    _, two = run(archive, name="two", source="fsdl", drawn=5, beside=beside, workers=2)

    train = PackedSplit.open(folder, "train")
    assert counts == {"train": 7, "validation": 2, "test": 1}
    assert [page.id for page in train.pages] == ["a01-000", "a01-001", *(f"s000-00{number}" for number in range(5))]
    assert len({page.writer for page in train.pages[2:]}) == 3
    # Then each of them has ink in the boxes of its lines, and they are the same however many draw
    for canvas, page in zip(train.canvases[2:], train.pages[2:], strict=True):
        assert len(page.boxes) == page.text.count("\n") + 1
        assert all((canvas[y : y + height, x : x + width] < 128).any() for x, y, width, height in page.boxes)
    assert content(folder) == content(two)


def test_how_many_pages_are_drawn_is_said(archive, shipped, small_crops, drawn, tmp_path):
    data, crops = shipped.data.model_copy(update={"source": "fsdl"}), small_crops.model_copy(update={"drawn": 3})
    packed = pack(archive, data, crops, tmp_path / "processed", synthetic=drawn)
    assert "packed: 5 train, 2 validation, 1 test (3 of train are drawn)" in packed.in_words()


def test_synthetic_forms_are_not_drawn_for_a_synthetic_source(run, archive, drawn):
    with pytest.raises(ConfigError, match=r"preprocess\.drawn adds synthetic forms to real ones.*synthetic itself"):
        run(archive, drawn=3, beside={"synthetic": drawn})


def test_dask_needs_the_flows_of_a_clone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match="flows/"):
        stage.hand_over()


def test_lines_are_packed_beside_the_pages_at_the_height_asked_for(run, archive):
    _, folder = run(archive, lines=56)
    packed = PackedLines.open(folder, "train")
    assert [line.id for line in packed.lines] == [f"a01-00{form}-0{line}" for form in (0, 1) for line in (0, 1)]
    first = packed.lines[0]
    assert (first.form, first.writer, first.text, first.box) == ("a01-000", "w0", "to be", (100, 100, 620, 80))
    assert packed.picture(0).shape == (56, first.size[0])


def test_a_line_is_cut_with_the_margin_of_the_paragraph_and_keeps_its_aspect(run, archive):
    _, folder = run(archive, lines=56)
    # 4 px at 50 dpi are 24 px of the scan, all around a box of 620 x 80 px.
    assert PackedLines.open(folder, "train").lines[0].size[0] == pytest.approx(56 * (620 + 48) / (80 + 48), abs=4)


def test_a_line_is_as_fine_as_its_scan_and_not_as_the_canvas(run, archive):
    # The box's frame is 4 px thick in a scan at 300 dpi: at 50 dpi less than one, and grey.
    _, folder = run(archive, lines=112)
    line = PackedLines.open(folder, "train").picture(0)
    assert (line[:, 40:-40].min(axis=1) < 64).any()
    assert np.count_nonzero((line < 64).mean(axis=1) > 0.9) in (2, 3, 4, 5, 6, 7, 8)


def test_two_workers_give_the_same_lines(run, archive):
    _, one = run(archive, name="one", workers=1, lines=56)
    _, two = run(archive, name="two", workers=2, lines=56)
    assert content(one) == content(two)
    assert {"train-lines.npy", "train-lines.jsonl"} <= content(one).keys()


def test_no_lines_are_packed_where_none_are_asked_for(run, archive):
    _, folder = run(archive, lines=0)
    assert sorted(content(folder)) == [
        "feedback.json",
        "source.json",
        *sorted(f"{split}.{kind}" for split in ("test", "train", "validation") for kind in ("jsonl", "npy")),
    ]


def test_the_pages_are_the_same_with_lines_and_without(run, archive):
    _, without = run(archive, name="without", lines=0)
    _, beside = run(archive, name="beside", lines=56)
    assert content(without).items() <= content(beside).items()


@pytest.mark.parametrize("top", [560, 470])
def test_a_line_that_is_cut_off_is_left_out_by_name(shipped, small_crops, small_archive, small_form, tmp_path, top):
    # Given a form whose second line, or most of it, was cut off with the foot of the page
    small_archive.put(small_form("a01-000", boxes=((100, 100, 620, 80), (130, top, 500, 90))))
    archive = small_archive.save(tmp_path / "iamdb.zip")
    packed = pack(archive, shipped.data, small_crops.model_copy(update={"lines": 56}), tmp_path / "processed")
    assert packed.outside == ("a01-000-01",)
    assert "left out a01-000-01: most of the line lies outside its picture" in packed.in_words()
    assert packed.lines == len(PackedLines.open(tmp_path / "processed", "train")) + 6
    assert PackedLines.open(tmp_path / "processed", "train").lines[0].id == "a01-000-00"
