"""Tables and Parquet files with pictures of lines and their texts."""

import json
import sys

import pytest
from tests.corpora.archives import has_line_places, pages_and_faults, picture, write_files, write_zip

from text_recognizer.core.errors import DataError, MissingExtraError
from text_recognizer.corpora.opening_corpora import open_corpus

PICTURES = {f"lines/{name}.png": picture(90, 20) for name in ("a", "b")}
CSV = 'file_name,text,writer\nlines/a.png,"one, two",w1\nlines/b.png,three,w2\n'
TSV = CSV.replace('"one, two"', "one; two").replace(",", "\t").replace(";", ",")
JSONL = "\n".join(
    json.dumps({"file_name": f"lines/{name}.png", "text": text, "writer": writer})
    for name, text, writer in (("a", "one, two", "w1"), ("b", "three", "w2"))
)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    ("name", "table"), [("lines.csv", "\ufeff" + CSV.replace("\n", "\r\n")), ("t.tsv", TSV), ("metadata.jsonl", JSONL)]
)
def test_a_table_gives_each_picture_its_line(name, table, packed, tmp_path):
    files = {**PICTURES, name: table.encode()}
    address = write_zip(tmp_path / "a.zip", files) if packed else write_files(tmp_path / "a", files)
    with open_corpus(address) as corpus:
        assert corpus.format == "lines"
        pages = list(corpus.pages())
        assert pages[0].picture.open().shape == (20, 90, 3)
    assert [(page.id, page.text, page.group) for page in pages] == [
        ("lines/a", "one, two", "w1"),
        ("lines/b", "three", "w2"),
    ]
    assert all(page.shows_one_line and not has_line_places(page) for page in pages)


def test_a_table_can_be_named_itself(tmp_path):
    write_files(tmp_path, {**PICTURES, "one.csv": CSV, "other.csv": CSV})
    with open_corpus(tmp_path / "one.csv") as corpus:
        assert len(corpus) == 2


def test_folders_of_hugging_face_name_their_parts(tmp_path):
    files = {}
    for folder, name in (("train", "a"), ("validation", "b"), ("test", "c")):
        files |= {f"{folder}/{name}.png": picture(), f"{folder}/metadata.csv": f"file_name,text\n{name}.png,{name}\n"}
    with open_corpus(write_files(tmp_path, files)) as corpus:
        assert corpus.own_parts() == {"test": ("test/c",), "train": ("train/a",), "validation": ("validation/b",)}
        assert corpus.lists() == {}


def test_a_column_names_the_part_of_a_row(tmp_path):
    table = "image,transcription,split\nlines/a.png,x,train\nlines/b.png,y,dev\n"
    with open_corpus(write_files(tmp_path, {**PICTURES, "t.csv": table})) as corpus:
        assert corpus.own_parts() == {"train": ("lines/a",), "validation": ("lines/b",)}


def test_a_text_of_several_lines_is_that_of_a_page(tmp_path):
    table = 'file_name,text\nlines/a.png,"one\ntwo"\n'
    with open_corpus(write_files(tmp_path, {**PICTURES, "t.csv": table})) as corpus:
        page = corpus.page("lines/a")
    assert (page.text, page.shows_one_line) == ("one\ntwo", False)


@pytest.mark.parametrize(
    "table",
    [
        CSV + "lines/a.png,again,w1\n",
        CSV + "lines/b.png\n",
        CSV + ",text,w1\n",
        CSV.encode() + b"lines/c.png,\xff,w\n",
    ],
)
def test_a_damaged_table_is_refused_by_name(table, tmp_path):
    write_files(tmp_path, {**PICTURES, "t.csv": table})
    with pytest.raises(DataError) as caught:
        open_corpus(tmp_path / "t.csv")
    assert "t.csv" in caught.value.what


def test_a_missing_picture_or_text_is_a_fault_of_its_row(tmp_path):
    write_files(
        tmp_path, {**PICTURES, "t.csv": CSV + "lines/c.png,gone,w\n" + CSV.split("\n")[1].replace("a.png", "d.png")}
    )
    with open_corpus(tmp_path) as corpus:
        faults = {
            page_id: error.what for page_id, error in pages_and_faults(corpus).items() if isinstance(error, DataError)
        }
    assert set(faults) == {"lines/c", "lines/d"}
    assert str(tmp_path / "lines/c.png") in faults["lines/c"]


def test_parquet_without_pyarrow_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    (tmp_path / "train.parquet").write_bytes(b"PAR1")
    with pytest.raises(MissingExtraError):
        open_corpus(tmp_path)


def test_parquet_files_hold_pictures_and_texts(tmp_path):
    pyarrow = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    from pyarrow import parquet

    for part, count in (("train", 3), ("test", 1)):
        rows = [
            {"image": {"bytes": picture(80 + row, 20), "path": None}, "text": f"{part} {row}"} for row in range(count)
        ]
        parquet.write_table(
            pyarrow.Table.from_pylist(rows), tmp_path / f"{part}-00000-of-00001.parquet", row_group_size=2
        )
    with open_corpus(tmp_path) as corpus:
        assert corpus.format == "parquet"
        assert [page.text for page in corpus.pages()] == ["test 0", "train 0", "train 1", "train 2"]
        assert {part: len(ids) for part, ids in corpus.own_parts().items()} == {"test": 1, "train": 3}
        assert corpus.page(corpus.ids[3]).picture.open().shape == (20, 82, 3)


@pytest.mark.parametrize("columns", [{"text": ["a"]}, {"image": ["a"]}, None])
def test_parquet_files_without_pictures_or_texts_are_refused(columns, tmp_path):
    pyarrow = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    from pyarrow import parquet

    path = tmp_path / "a.parquet"
    if columns is None:
        path.write_bytes(b"PAR1 and no more")
    else:
        parquet.write_table(pyarrow.table(columns), path)
    with pytest.raises(DataError) as caught:
        open_corpus(path)
    assert "a.parquet" in caught.value.what
