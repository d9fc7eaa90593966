"""The page names no other host, shows what was read as text, and sends a correction only on request."""

import re
import threading
import time
from pathlib import Path

import pytest
import uvicorn
from fastapi.responses import FileResponse, HTMLResponse
from PIL import Image

import text_recognizer.serving
from text_recognizer.corpora import corrections
from text_recognizer.serving.app import PAGE_HEADERS, Served, create_app

PAGE = Path(text_recognizer.serving.__file__).with_name("page.html").read_text(encoding="utf-8")
# A user who waits for the page, drops a picture, presses Correct, types, and sends the correction or not.
USER = """<script>addEventListener("load", async () => {
  const until = async (ready) => { while (!ready()) await new Promise((next) => setTimeout(next, 50)); };
  await until(() => part("model").textContent.includes("text-recognizer"));
  await read(new File([await (await fetch("writing.png")).blob()], "writing.png", { type: "image/png" }));
  if (part("correct").hidden) return;
  part("correct").click();
  part("lines").querySelector("input").value = "Corrected by a user";
  if (!SENDS) return;
  part("send").click();
  await until(() => part("status").textContent.includes("kept as"));
});</script>"""


def test_the_page_names_no_host():
    assert re.findall(r"""https?:|["'(]//|@import""", PAGE) == []


def test_every_element_that_the_script_asks_for_is_on_the_page():
    asked = set(re.findall(r'part\("(\w+)"\)', PAGE))
    assert asked
    assert asked <= set(re.findall(r'id="(\w+)"', PAGE))


def test_what_was_read_is_shown_as_text_and_never_as_html():
    assert re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", PAGE) == []


@pytest.fixture
def driven(recognizer, verdict, handwriting, look):
    """Return the page of a service with this feedback folder after the actions of USER."""

    def run(folder, sends=True, picture=handwriting):
        page = PAGE + USER.replace("SENDS", "true" if sends else "false")
        app = create_app()
        app.add_api_route("/user", lambda: HTMLResponse(page, headers=PAGE_HEADERS))
        app.add_api_route("/writing.png", lambda: FileResponse(picture))
        app.state.served = Served(recognizer, verdict, threading.Lock(), folder)
        server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning"))
        thread = threading.Thread(target=server.run)
        thread.start()
        try:
            while not server.started:
                time.sleep(0.05)
            return look(f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/user")
        finally:
            server.should_exit = True
            thread.join()

    return run


def hidden(shown, element):
    """Return whether an element of the page is hidden."""
    return "hidden" in re.search(rf'<[^>]* id="{element}"[^>]*>', shown)[0]


@pytest.mark.slow
def test_a_line_that_is_corrected_in_a_browser_is_sent_and_kept(driven, tmp_path):
    shown = driven(tmp_path)
    (name,) = corrections.list_ids(tmp_path)
    lines = corrections.read(tmp_path, name).form.text.split("\n")
    assert (len(lines), lines[0]) == (2, "Corrected by a user")
    assert f"kept as {name}" in shown
    assert ">corrected<" in shown
    assert hidden(shown, "sending")


@pytest.mark.slow
def test_a_correction_that_is_typed_and_not_sent_is_not_kept(driven, tmp_path):
    shown = driven(tmp_path, sends=False)
    assert corrections.list_ids(tmp_path) == []
    assert not hidden(shown, "sending")
    assert "What is kept:" in shown


@pytest.mark.slow
def test_the_page_says_if_corrections_are_off(driven):
    shown = driven(None)
    assert not hidden(shown, "closed")
    assert hidden(shown, "correct")
    assert hidden(shown, "unless")


@pytest.mark.slow
def test_the_page_says_if_a_picture_has_no_handwriting(driven, writing):
    shown = driven(None, picture=writing)
    assert not hidden(shown, "blank")
    assert "No handwriting was found" in shown
    assert hidden(shown, "pages")


@pytest.mark.slow
def test_the_pages_of_a_file_are_shown_one_at_a_time(driven, handwriting, tmp_path):
    picture = Image.open(handwriting)
    picture.save(tmp_path / "two.tif", save_all=True, append_images=[picture])
    shown = driven(None, picture=tmp_path / "two.tif")
    assert not hidden(shown, "pages")
    assert ">1 of 2<" in shown
