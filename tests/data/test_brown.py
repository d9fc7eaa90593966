"""The Brown corpus as it is passed on: 500 files of words with their tags, in an archive or a folder."""

import io
import tarfile
import zipfile

import pytest

from text_recognizer.data.brown import brown_sentences, untagged
from text_recognizer.errors import DataError

SAMPLES = {
    "brown/CONTENTS": "ca01 the news",
    "brown/ca01": "\n\n\tThe/at dog/nn barked/vbd ./.\n\n\nNo/rb one/pn came/vbd ./.\n",
    "brown/cr09": "\n\tA/at joke/nn !/.\n",
    "brown/ca01.txt": "not/nil this/nil",
}
READ = ["The dog barked.", "No one came.", "A joke!"]


def zipped(path, samples):
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in samples.items():
            archive.writestr(name, text)
    return path


def tarred(path, samples):
    with tarfile.open(path, "w:gz") as archive:
        for name, text in samples.items():
            info = tarfile.TarInfo(name)
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text.encode()))
    return path


def unpacked(path, samples):
    for name, text in samples.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_text(text)
    return path


@pytest.mark.parametrize("laid", [zipped, tarred, unpacked])
def test_the_sentences_of_its_files_are_read_in_order_and_nothing_else(tmp_path, laid):
    assert brown_sentences(laid(tmp_path / "brown.zip", SAMPLES)) == READ


@pytest.mark.parametrize(
    ("tagged", "printed"),
    [
        ("He/pps came/vbd ,/, and/cc left/vbd ;/. why/wrb ?/.", "He came, and left; why?"),
        ("``/`` No/rb ''/'' ,/, he/pps said/vbd ./.", '"No", he said.'),
        ("He/pps (/( the/at cook/nn )/) left/vbd --/-- at/in last/ap ./.", "He (the cook) left - at last."),
        ("I/ppss met/vbd Mr./np A./np Jr./np ./.", "I met Mr. A. Jr."),
        ("No/rb !/. !/.", "No!"),
        ("It's/pps+bez 1/2/cd past/in six/cd", "It's 1/2 past six"),
        ("", ""),
    ],
)
def test_a_tagged_sentence_becomes_what_was_printed(tagged, printed):
    assert untagged(tagged) == printed


def test_an_archive_without_a_file_of_it_is_named(tmp_path):
    with pytest.raises(DataError, match=r"other\.zip holds no file of the Brown corpus"):
        brown_sentences(zipped(tmp_path / "other.zip", {"ca1": "the/at", "cs01": "the/at"}))


@pytest.mark.parametrize("laid", [zipped, tarred])
def test_an_archive_that_is_cut_is_named(tmp_path, laid):
    words = "".join(f"w{number * 7919 % 9973}/nn " for number in range(9999))
    content = laid(tmp_path / "brown.zip", {"ca01": words}).read_bytes()
    (tmp_path / "brown.zip").write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError, match=r"brown\.zip is damaged"):
        brown_sentences(tmp_path / "brown.zip")


def test_an_archive_with_a_damaged_file_is_named(tmp_path):
    content = bytearray(zipped(tmp_path / "brown.zip", SAMPLES).read_bytes())
    content[content.index(b"barked")] ^= 1
    (tmp_path / "brown.zip").write_bytes(content)
    with pytest.raises(DataError, match=r"brown\.zip is damaged"):
        brown_sentences(tmp_path / "brown.zip")
