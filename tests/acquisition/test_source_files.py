"""Pages in the formats that people have are fetched as one zip for each source."""

import zipfile

import pytest
from tests.corpora.archives import page_line, page_xml, picture, region, write_files, write_zip
from tests.sources import data_of, entry_of

from text_recognizer.acquisition.sources import fetch, fetch_all
from text_recognizer.core.errors import DataError
from text_recognizer.corpora.opening_corpora import open_corpus

PAGES = {"a.png": picture(), "a.txt": "one", "b/c.png": picture(), "b/c.txt": "two", "train.list": "a", ".hidden": "x"}
XML = {"page/a.xml": page_xml(region(page_line("a line")))}


@pytest.fixture
def fetched(params, tmp_path):
    """Fetch a source to a zip; return its path."""

    def run(address, form, **values):
        out = tmp_path / "raw" / "mine.zip"
        fetch(entry_of(address, values.pop("split", "lists"), format=form, **values), params.synthetic, out, 1)
        return out

    return run


def test_a_folder_is_packed_without_hidden_files_and_the_same_files_give_the_same_bytes(fetched, tmp_path):
    folder = write_files(tmp_path / "pages", PAGES)
    first = fetched(folder, "text").read_bytes()
    again = fetched(folder, "text")
    assert again.read_bytes() == first
    with zipfile.ZipFile(again) as archive:
        assert sorted(archive.namelist()) == sorted(set(PAGES) - {".hidden"})
    with open_corpus(again, "text") as corpus:
        assert [page.text for page in corpus.pages()] == ["one", "two"]


def test_a_zip_is_kept_as_it_is(fetched, tmp_path):
    path = write_zip(tmp_path / "pages.zip", PAGES)
    assert fetched(path, "text").read_bytes() == path.read_bytes()


def test_pictures_in_another_folder_are_packed_with_their_labels(fetched, tmp_path):
    labels = write_files(tmp_path / "labels", XML)
    pictures = write_files(tmp_path / "scans", {"a.png": picture()})
    with open_corpus(fetched(labels, "page", pictures=str(pictures)), "page") as corpus:
        assert [page.open()[1].text for page in corpus.pages()] == ["a line"]


def test_a_table_is_packed_with_its_pictures_and_without_other_tables(fetched, tmp_path):
    rows = "file_name,text,split\na.png,one,train\n"
    folder = write_files(tmp_path / "lines", {"a.png": picture(), "x.csv": rows, "other.csv": rows})
    out = fetched(folder / "x.csv", "lines", split="own")
    with zipfile.ZipFile(out) as archive:
        assert sorted(archive.namelist()) == ["a.png", "x.csv"]


@pytest.mark.parametrize(
    ("files", "form", "named"),
    [
        ({"a.png": picture(), "a.txt": "one"}, "page", "PAGE XML"),
        ({"a.png": picture(), "a.txt": "one"}, "lines", "a table with file_name and text"),
        (XML, "alto", "ALTO"),
        ({"notes.md": "x"}, "text", "no pictures"),
    ],
)
def test_a_source_of_another_format_is_refused_and_named_and_the_old_archive_stays(
    fetched, tmp_path, files, form, named
):
    folder = write_files(tmp_path / "pages", files)
    old = tmp_path / "raw" / "mine.zip"
    old.parent.mkdir()
    old.write_bytes(b"old")
    with pytest.raises(DataError) as caught:
        fetched(folder, form)
    assert str(folder) in caught.value.what
    assert named in caught.value.what
    assert [path.read_bytes() for path in old.parent.iterdir()] == [b"old"]


def test_a_wrong_digest_of_a_folder_is_refused(fetched, tmp_path):
    with pytest.raises(DataError, match="0" * 64):
        fetched(write_files(tmp_path / "pages", PAGES), "text", sha256="0" * 64)


def test_an_encrypted_zip_is_called_so(fetched, tmp_path):
    path = write_zip(tmp_path / "pages.zip", {"a.png": picture(), "a.txt": "one"})
    data = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = data.find(signature)
        while place >= 0:
            data[place + offset] |= 1
            place = data.find(signature, place + 4)
    path.write_bytes(data)
    with pytest.raises(DataError, match="is encrypted"):
        fetched(path, "text")


def test_an_address_that_is_no_archive_is_refused(fetched, tmp_path):
    path = tmp_path / "page.docx"
    path.write_bytes(b"x")
    with pytest.raises(DataError, match=r"page\.docx"):
        fetched(path, "text")


def test_what_no_source_names_is_removed_when_all_are_fetched(params, tmp_path):
    raw = tmp_path / "raw"
    write_files(raw, {"old.zip": "x", ".old.zip.123.part/x": "x"})
    one = entry_of(write_files(tmp_path / "one", PAGES), "lists", format="text")
    two = entry_of(write_zip(tmp_path / "two.zip", PAGES), "lists", format="text")
    fetch_all(data_of(one, two), params.synthetic, raw, 1)
    assert sorted(path.name for path in raw.iterdir()) == ["one.zip", "two.zip"]
