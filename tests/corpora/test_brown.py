"""The Brown corpus as it is distributed: 500 files of tagged words, in an archive or a folder."""

import io
import tarfile
import zipfile

import pytest

from text_recognizer.core.errors import DataError
from text_recognizer.corpora.brown import brown_sentences, remove_tags

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


@pytest.mark.parametrize("pack", [zipped, tarred, unpacked])
def test_only_the_sentences_of_its_files_are_read_and_in_order(tmp_path, pack):
    assert brown_sentences(pack(tmp_path / "brown.zip", SAMPLES)) == READ


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
def test_tags_are_removed_and_the_text_is_as_printed(tagged, printed):
    assert remove_tags(tagged) == printed


def test_an_archive_without_a_file_of_the_corpus_is_named(tmp_path):
    with pytest.raises(DataError, match=r"other\.zip"):
        brown_sentences(zipped(tmp_path / "other.zip", {"ca1": "the/at", "cs01": "the/at"}))


@pytest.mark.parametrize("pack", [zipped, tarred])
def test_a_truncated_archive_is_named(tmp_path, pack):
    words = "".join(f"w{number * 7919 % 9973}/nn " for number in range(9999))
    content = pack(tmp_path / "brown.zip", {"ca01": words}).read_bytes()
    (tmp_path / "brown.zip").write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError, match=r"brown\.zip"):
        brown_sentences(tmp_path / "brown.zip")


def test_an_archive_with_a_damaged_file_is_named(tmp_path):
    content = bytearray(zipped(tmp_path / "brown.zip", SAMPLES).read_bytes())
    content[content.index(b"barked")] ^= 1
    (tmp_path / "brown.zip").write_bytes(content)
    with pytest.raises(DataError, match=r"brown\.zip"):
        brown_sentences(tmp_path / "brown.zip")
