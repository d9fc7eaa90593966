import re
import shutil
import subprocess
import threading
import time
from pathlib import Path

import pytest
import uvicorn
from fastapi.responses import FileResponse, HTMLResponse

import text_recognizer.serving
from text_recognizer.data import feedback
from text_recognizer.inference import Recognizer
from text_recognizer.serving.app import PAGE_HEADERS, Served, create_app
from text_recognizer.serving.verdict import Verdict

ROOT = Path(__file__).resolve().parents[2]
PAGE = Path(text_recognizer.serving.__file__).with_name("page.html").read_text(encoding="utf-8")
# What a person does: waits for the page, gives it a picture, presses Correct, types, and sends or not.
PERSON = """<script>addEventListener("load", async () => {
  const until = async (ready) => { while (!ready()) await new Promise((next) => setTimeout(next, 50)); };
  await until(() => part("model").textContent.includes("text-recognizer"));
  await read(new File([await (await fetch("writing.png")).blob()], "writing.png", { type: "image/png" }));
  if (part("correct").hidden) return;
  part("correct").click();
  part("lines").querySelector("input").value = "Put right by hand";
  if (!SENDS) return;
  part("send").click();
  await until(() => part("status").textContent.includes("Kept as"));
});</script>"""


def test_the_page_names_no_host():
    assert re.findall(r"""https?:|["'(]//|@import""", PAGE) == []


def test_every_element_that_the_script_asks_for_is_on_the_page():
    asked = set(re.findall(r'part\("(\w+)"\)', PAGE))
    assert asked
    assert asked <= set(re.findall(r'id="(\w+)"', PAGE))


def test_what_was_read_is_put_on_the_page_as_text_alone():
    assert re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", PAGE) == []


@pytest.fixture
def look(tmp_path):
    """Opens an address in a browser; gives what stands on the page after a while."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("no Chromium on this machine")
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'browser'}"]

    def shown(address):
        command = [browser, *options, "--virtual-time-budget=10000", "--dump-dom", address]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout

    return shown


@pytest.mark.slow
def test_a_browser_shows_which_model_answers(server, judged, look):
    shown = look(server[0])
    assert f"text-recognizer:{judged['model'][:12]}" in shown
    assert "10.0 % of the characters" in shown


@pytest.fixture(scope="module")
def pretrained():
    """The reader that comes with the project: it finds the lines of a page."""
    return Recognizer.load(ROOT / "models/pretrained")


@pytest.fixture
def driven(pretrained, judged, writing, look):
    """What stands on the page of a service with such a folder, after a person did as PERSON says, sending or not."""

    def run(folder, sends=True):
        page = PAGE + PERSON.replace("SENDS", "true" if sends else "false")
        app = create_app()
        app.add_api_route("/person", lambda: HTMLResponse(page, headers=PAGE_HEADERS))
        app.add_api_route("/writing.png", lambda: FileResponse(writing))
        app.state.served = Served(pretrained, Verdict.model_validate(judged), threading.Lock(), folder)
        server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning"))
        thread = threading.Thread(target=server.run)
        thread.start()
        try:
            while not server.started:
                time.sleep(0.05)
            return look(f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/person")
        finally:
            server.should_exit = True
            thread.join()

    return run


def hidden(shown, element):
    """Whether an element of a page is hidden."""
    return "hidden" in re.search(rf'<[^>]* id="{element}"[^>]*>', shown)[0]


@pytest.mark.slow
def test_a_line_put_right_in_a_browser_is_sent_and_kept(driven, tmp_path):
    shown = driven(tmp_path)
    (name,) = feedback.list_ids(tmp_path)
    lines = feedback.read(tmp_path, name).form.text.split("\n")
    assert (len(lines), lines[0]) == (2, "Put right by hand")
    assert f"Kept as {name}" in shown
    assert ">corrected<" in shown
    assert hidden(shown, "sending")


@pytest.mark.slow
def test_what_is_typed_in_a_browser_and_not_sent_is_not_kept(driven, tmp_path):
    shown = driven(tmp_path, sends=False)
    assert feedback.list_ids(tmp_path) == []
    assert not hidden(shown, "sending")
    assert "What sending keeps:" in shown


@pytest.mark.slow
def test_the_page_of_a_service_that_takes_no_corrections_says_so(driven):
    shown = driven(None)
    assert not hidden(shown, "closed")
    assert hidden(shown, "correct")
    assert hidden(shown, "unless")
