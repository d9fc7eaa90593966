"""The comparison of readers, with our own reader on small rendered pages; the others if they are installed."""

import json
import sys

import pytest
from PIL import Image, ImageDraw, ImageFont
from tests.conftest import ROOT

from text_recognizer.benchmarks.page_pictures import PDF_DPI, write_pictures
from text_recognizer.benchmarks.page_readers import NOT_INSTALLED, RapidOcr, Readable, Tesseract
from text_recognizer.benchmarks.page_truth import known_pages
from text_recognizer.benchmarks.peers import PEERS, compare, main

pytestmark = pytest.mark.slow

TEXTS = ("the table was covered", "with a white cloth")
NOWHERE = ROOT / "no/python"


def drawn(*texts):
    """A page with a line of print for each text."""
    picture = Image.new("L", (700, 60 + 90 * len(texts)), 250)
    for index, text in enumerate(texts):
        ImageDraw.Draw(picture).text((40, 40 + 90 * index), text, font=ImageFont.load_default(44), fill=30)
    return picture


@pytest.fixture
def folder(tmp_path):
    """A page of two lines, a blank page, and a broken picture."""
    drawn(*TEXTS).save(tmp_path / "page.png")
    (tmp_path / "page.txt").write_text("\n".join(TEXTS))
    drawn("").save(tmp_path / "blank.png")
    (tmp_path / "blank.txt").write_text("")
    (tmp_path / "broken.png").write_bytes(b"not a picture")
    (tmp_path / "broken.txt").write_text("lost")
    (tmp_path / "manifest.jsonl").write_text('{"file": "page.png", "kind": "print"}\n')
    return tmp_path


def test_the_comparison_writes_a_table_and_figures(folder, capsys):
    assert main([str(folder), "--rapidocr", str(NOWHERE), "--out", str(folder / "out")]) == 0
    table = capsys.readouterr().out
    assert (folder / "out.md").read_text() == table
    assert f"| RapidOCR | {NOT_INSTALLED} |" in table
    own, rapidocr, _ = json.loads((folder / "out.json").read_text())["readers"]
    files = {file["name"]: file for file in own["files"]}
    characters = len(" ".join(TEXTS))
    assert files["broken"]["error"]
    assert (files["broken"]["characters"], files["broken"]["edits"]) == (4, 4)
    assert files["blank"]["invented"] == 0
    assert files["page"]["characters"] == characters
    assert files["page"]["seconds"] > 0
    assert own["all"]["cer"] == (files["page"]["edits"] + 4) / (characters + 4)
    assert own["all"]["cer_any_order"] == (files["page"]["edits_any_order"] + 4) / (characters + 4)
    assert (own["all"]["footrule"], own["all"]["kendall"]) == (files["page"]["footrule"], files["page"]["kendall"])
    assert own["pages"] == 2
    assert own["kinds"].keys() == {"print"}
    assert rapidocr["files"] == []


def test_wrong_arguments_are_explained(folder, capsys):
    for arguments in ([folder / "none"], [folder, "--split", "aachen/test"], [folder / "iam.zip"]):
        assert main(list(map(str, arguments))) == 1
        assert "fix:" in capsys.readouterr().err


def test_pages_of_any_file_become_upright_pictures(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees
    drawn("to be").save(tmp_path / "turned.jpg", exif=exif)
    drawn("to be").save(tmp_path / "two.pdf", save_all=True, append_images=[drawn("or not")], resolution=100)
    (turned,) = write_pictures(tmp_path / "turned.jpg", tmp_path)
    assert Image.open(turned).size == (150, 700)
    pages = write_pictures(tmp_path / "two.pdf", tmp_path)
    assert [Image.open(page).size for page in pages] == [(700 * PDF_DPI // 100, 150 * PDF_DPI // 100)] * 2


def test_a_runner_that_ends_is_an_error_of_the_file(tmp_path):
    reader = RapidOcr(ROOT / sys.executable)  # an environment without rapidocr
    assert reader.version == NOT_INSTALLED
    assert reader.read(Readable(tmp_path / "a.png", (tmp_path / "a.png",))).error
    reader.close()


@pytest.mark.parametrize("make", [lambda: RapidOcr(ROOT / PEERS), Tesseract], ids=["RapidOCR", "Tesseract"])
def test_a_peer_reads_print(folder, make):
    peer = make()
    if peer.version == NOT_INSTALLED:
        pytest.skip(f"{peer.name} is not installed")
    (result,) = compare(known_pages(folder), [peer])
    peer.close()
    scores = {score.name: score for score in result.scores}
    assert scores["page"].edits <= 2
    assert scores["blank"].invented == 0
    assert scores["broken"].edits == 4
