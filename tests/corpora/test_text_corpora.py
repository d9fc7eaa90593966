"""Pictures with text files, lists, and how archives are divided and refused."""

import zipfile

import pytest
from tests.conftest import FORM_TEXTS, SmallArchive
from tests.corpora.archives import pages_and_faults, picture, write_files, write_zip

from text_recognizer.core.data_params import ShareSplit, SourceEntry
from text_recognizer.core.errors import DataError
from text_recognizer.core.geometry import Box
from text_recognizer.corpora.corpus_splits import divide_by_shares, split_corpus, suggested_split
from text_recognizer.corpora.opening_corpora import open_corpus

FILES = {"a.png": picture(), "a.txt": b"\xef\xbb\xbfone\r\n\r\n  two  words\r\n", "b.jpg": picture(), "b.txt": "é"}


def found(address):
    """Return the text of each page, or the error."""
    with open_corpus(address) as corpus:
        return {page_id: getattr(page, "text", page) for page_id, page in pages_and_faults(corpus).items()}


@pytest.mark.parametrize("packed", [False, True])
def test_texts_beside_pictures_are_read_with_mark_and_crlf(packed, tmp_path):
    address = write_zip(tmp_path / "a.zip", FILES) if packed else write_files(tmp_path, FILES)
    assert found(address) == {"a": "one\ntwo words", "b": "é"}


def test_a_text_whose_name_occurs_in_a_picture_s_name_has_no_line_breaks(tmp_path):
    files = {"w7_letterB_3.png": picture(), "letter.txt": "not this", "letterB.txt": "a\ntext"}
    with open_corpus(write_files(tmp_path, {**FILES, **files})) as corpus:
        page = corpus.page("w7_letterB_3")
        assert (page.text, page.has_line_breaks) == ("a text", False)
        assert corpus.page("a").has_line_breaks


@pytest.mark.parametrize(
    ("files", "named"),
    [
        ({"c.png": picture()}, "c.png"),
        ({"c.png": picture(), "c.txt": ""}, "c.txt"),
        ({"c.png": picture(), "c.txt": "ü".encode("latin-1")}, "c.txt"),
    ],
)
def test_what_is_wrong_with_a_page_is_one_fault(files, named, tmp_path):
    pages = found(write_files(tmp_path, {**FILES, **files}))
    assert pages["a"] == "one\ntwo words"
    assert isinstance(pages["c"], DataError)
    assert str(tmp_path / named) in pages["c"].what


def test_pictures_of_the_same_name_keep_their_folders_or_are_refused(tmp_path):
    write_files(tmp_path, {f"{folder}/{name}": text for folder in "xy" for name, text in FILES.items()})
    assert set(found(tmp_path)) == {"x/a", "x/b", "y/a", "y/b"}
    write_files(tmp_path, {"x/a.jpg": picture()})
    with pytest.raises(DataError, match="same name"):
        found(tmp_path)


LISTS = {
    "a page that is not there": {"train.list": "a\nz"},
    "a page in two lists": {"train.list": "a\nb", "test.list": "b.jpg"},
    "not UTF-8": {"train.list": b"a\n\xff"},
}


@pytest.mark.parametrize("files", LISTS.values(), ids=LISTS)
def test_wrong_lists_are_refused(files, tmp_path):
    with open_corpus(write_files(tmp_path, {**FILES, **files})) as corpus, pytest.raises(DataError) as caught:
        corpus.lists()
    assert "train.list" in caught.value.what


def test_pages_that_no_list_names_are_for_training(tmp_path):
    with open_corpus(write_files(tmp_path, {**FILES, "test.list": "b"})) as corpus:
        assert suggested_split(corpus) == "lists"
        assert split_corpus(corpus, "lists") == {"train": ("a",), "test": ("b",)}
        with pytest.raises(DataError):
            split_corpus(corpus, "own")


def test_shares_divide_whole_groups_and_depend_on_the_seed_alone():
    groups = {f"p{number:02}": f"g{number // 4}" for number in range(40)}
    shares = ShareSplit(validation=0.2, test=0.1, seed=3)
    parts = divide_by_shares(groups, shares)
    assert {part: len(ids) for part, ids in parts.items()} == {"train": 28, "validation": 8, "test": 4}
    assert sorted(sum(parts.values(), ())) == sorted(groups)
    assert len({(groups[page], part) for part, ids in parts.items() for page in ids}) == 10
    assert divide_by_shares(dict(reversed(groups.items())), shares) == parts
    assert divide_by_shares(groups, shares.model_copy(update={"seed": 4})) != parts


@pytest.mark.parametrize(
    "split", ["random", {"validation": 0.6, "test": 0.5}, {"validation": -0.1}, {"seed": 1, "share": 0.1}]
)
def test_a_source_entry_refuses_a_wrong_split(split):
    with pytest.raises(ValueError, match="split"):
        SourceEntry.model_validate({"format": "page", "address": "x", "split": split})


def test_iam_is_a_corpus_with_its_own_parts(tmp_path):
    archive = SmallArchive().save(tmp_path / "iamdb.zip")
    with open_corpus(archive, split="lwitlrt") as corpus:
        assert corpus.format == "iam"
        rgb, page = corpus.page("a01-000").open()
        assert (page.text, page.group) == ("\n".join(FORM_TEXTS), "w0")
        assert rgb.shape[:2] == (page.size[1], page.size[0])
        assert page.lines[0].box == Box(50, 50, 310, 40)  # at 150 dpi
        assert split_corpus(corpus, suggested_split(corpus))["test"] == ("c01-000",)


@pytest.mark.parametrize("name", ["gone", "empty", "text.txt", "cut.zip"])
def test_what_is_no_corpus_is_refused(name, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.txt").write_text("a text")
    (tmp_path / "cut.zip").write_bytes(write_zip(tmp_path / "a.zip", FILES).read_bytes()[:200])
    with pytest.raises(DataError) as caught:
        open_corpus(tmp_path / name)
    assert name in caught.value.what


def test_an_encrypted_archive_is_named_as_such(tmp_path):
    path = write_zip(tmp_path / "a.zip", FILES)
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        start = archive.start_dir
    data[start + 8] |= 1  # the flag in the first entry of the directory
    path.write_bytes(data)
    with pytest.raises(DataError, match="encrypted"):
        open_corpus(path)
