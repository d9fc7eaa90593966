import re
import shutil
import subprocess
from pathlib import Path

import pytest

import text_recognizer.serving

PAGE = Path(text_recognizer.serving.__file__).with_name("page.html").read_text(encoding="utf-8")


def test_the_page_names_no_host():
    assert re.findall(r"""https?:|["'(]//|@import""", PAGE) == []


def test_every_element_that_the_script_asks_for_is_on_the_page():
    asked = set(re.findall(r'part\("(\w+)"\)', PAGE))
    assert asked
    assert asked <= set(re.findall(r'id="(\w+)"', PAGE))


def test_what_was_read_is_put_on_the_page_as_text_alone():
    assert re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", PAGE) == []


@pytest.mark.slow
def test_a_browser_shows_which_model_answers(server, judged, tmp_path):
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("no Chromium on this machine")
    options = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        f"--user-data-dir={tmp_path}",
        "--virtual-time-budget=5000",
    ]
    command = [browser, *options, "--dump-dom", server[0]]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    assert f"text-recognizer:{judged['model'][:12]}" in shown
    assert "10.0 % of the characters" in shown
