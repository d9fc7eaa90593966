"""The commands `read` and `look`: what they read, where it goes, and what they say about what they cannot read."""

import io
import json
import subprocess
import sys

import pypdfium2 as pdfium
import pytest
from lxml import etree
from PIL import Image, ImageDraw, ImageFont

import text_recognizer

TEXTS = ("the table was covered", "with a white cloth")


def drawn(*texts):
    """A page with a line of print for each text."""
    picture = Image.new("L", (700, 60 + 90 * max(len(texts), 1)), 250)
    for index, text in enumerate(texts):
        ImageDraw.Draw(picture).text((40, 40 + 90 * index), text, font=ImageFont.load_default(44), fill=30)
    return picture


@pytest.fixture
def folder(tmp_path):
    """A folder with a page of print, a blank page, a broken picture, and a document of three pages."""
    (tmp_path / "in/sub").mkdir(parents=True)
    drawn(*TEXTS).save(tmp_path / "in/print.png")
    drawn().save(tmp_path / "in/sub/blank.png")
    drawn(TEXTS[0]).save(tmp_path / "three.tif", save_all=True, append_images=[drawn(), drawn(TEXTS[1])])
    (tmp_path / "broken.png").write_bytes(b"not a picture")
    return tmp_path


def files_in(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_printed_lines_are_read_if_asked_for(command):
    status, out, err = command("read", "in/print.png", "--printed")
    assert (status, err) == (0, "")
    assert out.splitlines() == list(TEXTS)


def test_a_picture_without_writing_prints_nothing_and_says_so(command):
    status, out, err = command("read", "in/sub/blank.png")
    assert (status, out) == (0, "")
    assert "no writing was found on in/sub/blank.png" in err


def test_json_and_its_alias_say_the_same(command):
    answers = [json.loads(command("read", "in/print.png", *how)[1]) for how in (["--json"], ["--format", "json"])]
    for answer in answers:
        answer.pop("timings")
    assert answers[0] == answers[1]
    assert (answers[0]["picture"], answers[0]["page"], answers[0]["pages"]) == ("in/print.png", 1, 1)


def test_the_pages_of_a_document_are_separated_by_form_feeds(command):
    _, out, err = command("read", "three.tif", "--printed")
    assert [page.strip() for page in out.split("\f")] == [TEXTS[0], "", TEXTS[1]]
    assert "no writing was found on three.tif, page 2" in err


def test_pages_are_selected(command):
    _, out, _ = command("read", "three.tif", "--printed", "--pages", "2-", "--json")
    assert [(row["page"], row["text"]) for row in map(json.loads, out.splitlines())] == [(2, ""), (3, TEXTS[1])]


def test_standard_input_is_read(command, folder, monkeypatch):
    stream = io.TextIOWrapper(io.BytesIO((folder / "in/print.png").read_bytes()))
    monkeypatch.setattr(sys, "stdin", stream)
    status, out, _ = command("read", "-", "--printed")
    assert (status, out.splitlines()) == (0, list(TEXTS))


def test_what_cannot_be_read_is_named_and_the_rest_is_read(command):
    status, out, err = command("read", "missing.png", "broken.png", "in/print.png", "--printed")
    assert (status, out.splitlines()) == (1, list(TEXTS))
    assert "missing.png" in err
    assert "broken.png" in err
    assert "print.png" not in err


@pytest.mark.slow
def test_a_file_is_written_for_each_page_of_a_folder_and_of_a_document(command, folder):
    status, out, _ = command("read", "in", "three.tif", "--printed", "--output", "out", "--jobs", "2")
    assert (status, out) == (0, "")
    pages = ["three.p0001.txt", "three.p0002.txt", "three.p0003.txt"]
    assert files_in(folder / "out") == ["print.txt", "sub/blank.txt", *pages]
    assert (folder / "out/print.txt").read_text().splitlines() == list(TEXTS)
    assert (folder / "out/sub/blank.txt").read_bytes() == b""


@pytest.mark.slow
def test_a_repeat_goes_on_where_it_stopped_and_force_reads_again(command, folder):
    # Given outputs of which one is missing and the others are marked
    command("read", "in", "three.tif", "--output", "out")
    for path in (folder / "out").rglob("*.txt"):
        path.write_text("mine")
    (folder / "out/three.p0002.txt").unlink()
    # When the command is repeated, then only the missing one is written
    assert command("read", "in", "three.tif", "--output", "out")[0] == 0
    texts = {path.name: path.read_text() for path in (folder / "out").rglob("*.txt")}
    assert {name for name, text in texts.items() if text != "mine"} == {"three.p0002.txt"}
    # And with --force all are
    assert command("read", "in", "three.tif", "--output", "out", "--force")[0] == 0
    assert "mine" not in {path.read_text() for path in (folder / "out").rglob("*.txt")}


def test_an_output_never_replaces_what_is_read(command, folder):
    pdfium.PdfDocument.new().save(folder / "in/scan.pdf")
    before = (folder / "in/scan.pdf").read_bytes()
    status, _, err = command("read", "in/scan.pdf", "--format", "pdf", "--output", "in", "--force")
    assert status == 1
    assert "--output" in err
    assert (folder / "in/scan.pdf").read_bytes() == before


@pytest.mark.parametrize("kind", ["page", "alto", "hocr"])
def test_one_page_of_xml_is_printed_and_several_are_refused(command, kind):
    status, out, _ = command("read", "in/print.png", "--printed", "--format", kind)
    assert status == 0
    etree.fromstring(out.encode())
    for paths in (["three.tif"], ["in/print.png", "broken.png"]):
        status, out, err = command("read", *paths, "--format", kind)
        assert (status, out) == (1, "")
        assert "--output" in err


def test_a_searchable_pdf_of_all_pages_is_printed(command, monkeypatch):
    stream = io.TextIOWrapper(io.BytesIO())
    monkeypatch.setattr(sys, "stdout", stream)
    assert command("read", "three.tif", "--printed", "--format", "pdf")[0] == 0
    pages = [page.get_textpage().get_text_range().split() for page in pdfium.PdfDocument(stream.buffer.getvalue())]
    assert pages == [TEXTS[0].split(), [], TEXTS[1].split()]


@pytest.mark.parametrize(
    "arguments", [["--pages", "0"], ["--pages", "x"], ["--jobs", "-1"], ["--force"], ["--output", "broken.png"]]
)
def test_options_that_make_no_sense_are_refused(command, arguments):
    status, out, err = command("read", "in/print.png", *arguments)
    assert (status, out) == (1, "")
    assert "\n  fix: " in err


def test_look_writes_a_page_with_every_line_and_its_strip(command, folder):
    status, out, _ = command("look", "in/print.png")
    assert (status, out) == (0, "print.look.html\n")
    shown = (folder / "print.look.html").read_text(encoding="utf-8")
    assert shown.count("<li class=") >= len(TEXTS)
    assert shown.count("<figure>") >= len(TEXTS)
    assert "table" in shown


def test_look_refuses_to_replace_the_picture(command, folder):
    before = (folder / "in/print.png").read_bytes()
    assert command("look", "in/print.png", "--output", "in/print.png")[0] == 1
    assert (folder / "in/print.png").read_bytes() == before


def test_python_reads_a_file_in_one_line(folder):
    assert text_recognizer.Recognizer.load().read(folder / "in/print.png", printed=True).text.split("\n") == list(TEXTS)


def test_importing_the_package_loads_no_model_runtime():
    code = "import sys, text_recognizer; print({'numpy', 'onnxruntime', 'cv2', 'pydantic'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


class CrossedOutReader:
    """Reads a line with a crossed-out word on every page: drawn pages have none that the reader knows."""

    digest = runtime = "none"

    def read(self, _, printed=False, crossed_out="mark"):  # noqa: ARG002
        from text_recognizer.core.geometry import Box
        from text_recognizer.inference.crossed_out import drop_crossed_out
        from text_recognizer.inference.transcription import TranscribedLine, Transcription

        boxes = tuple(Box(10 * index, 0, 8, 20) for index in range(3))
        page = Transcription.of([TranscribedLine("to # be", 0.9, Box(0, 0, 28, 20), (0.9,) * 7, boxes)])
        return drop_crossed_out(page) if crossed_out == "drop" else page


def test_crossed_out_words_are_marked_or_dropped(command, monkeypatch):
    monkeypatch.setattr("text_recognizer.cli.page_reading._recognizer", lambda *_: CrossedOutReader())
    marked, dropped = (
        json.loads(command("read", "in/print.png", "--json", *how)[1]) for how in ([], ["--crossed-out", "drop"])
    )
    words = marked["lines"][0]["words"]
    assert [(word["text"], word["crossed_out"]) for word in words] == [("to", False), ("#", True), ("be", False)]
    assert dropped["lines"][0]["words"] == [words[0], words[2]]
    assert (marked["text"], dropped["text"]) == ("to # be", "to be")
