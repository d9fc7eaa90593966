"""The page names no other host, shows what was read as text, and sends a correction only on request."""

import html
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
from text_recognizer.serving.app import PAGE_HEADERS

PAGE = Path(text_recognizer.serving.__file__).with_name("page.html").read_text(encoding="utf-8")
# A user who waits for the page, gives it files, and then acts. The page has finished when `done` is written on it.
USER = """<script>addEventListener("load", async () => {
  const until = async (ready) => { while (!ready()) await new Promise((next) => setTimeout(next, 50)); };
  const type = (at, text) => {
    const field = part("lines").querySelectorAll("input")[at];
    field.focus();
    field.value = text;
    for (const event of ["input", "change"]) field.dispatchEvent(new Event(event));
  };
  const fetched = async (name) => new File([await (await fetch(name)).blob()], name);
  const note = (text) => document.body.append(element("p", { className: "note" }, text));
  await until(() => part("model").textContent.includes("text-recognizer"));
  ACTIONS
  document.body.append(element("p", { id: "done" }));
});</script>"""
READ = 'await add([await fetched("writing.png")]);'
CORRECT = f"""{READ}
  part("correct").click();
  type(0, "Corrected by a user");"""
SEND = f"""{CORRECT}
  part("send").click();
  await until(() => part("answer").textContent.includes("kept as"));"""


def test_the_page_names_no_host():
    assert re.findall(r"""https?:|["'(]//|@import""", PAGE) == []


def test_every_element_that_the_script_asks_for_is_on_the_page():
    asked = set(re.findall(r'part\("(\w+)"\)', PAGE))
    assert asked
    assert asked <= set(re.findall(r'id="(\w+)"', PAGE))


def test_what_was_read_is_shown_as_text_and_never_as_html():
    assert re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", PAGE) == []


@pytest.fixture
def driven(application, handwriting, look):
    """Return the page of a service with this feedback folder after these actions of a user."""

    def run(folder, actions, *others):
        app = application(folder)
        page = PAGE + USER.replace("ACTIONS", actions)
        app.add_api_route("/user", lambda: HTMLResponse(page, headers=PAGE_HEADERS))
        for path, name in [(handwriting, "writing.png"), *((path, path.name) for path in others)]:
            app.add_api_route(f"/{name}", lambda path=path: FileResponse(path))
        server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning"))
        thread = threading.Thread(target=server.run)
        thread.start()
        try:
            while not server.started:
                time.sleep(0.05)
            shown = look(f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/user")
        finally:
            server.should_exit = True
            thread.join()
        assert 'id="done"' in shown, shown[-3000:]
        return shown

    return run


def hidden(shown, name):
    """Return whether an element of the page is hidden."""
    return "hidden" in re.search(rf'<[^>]* id="{name}"[^>]*>', shown)[0]


def notes(shown):
    """Return what the actions of the user noted."""
    return re.findall(r'<p class="note">([^<]*)</p>', shown)


def strip(shown):
    """Return the state of each page in the strip."""
    (buttons,) = re.findall(r'<ol id="strip".*?</ol>', shown, re.DOTALL)
    return re.findall(r'<span class="(?:failed)?">([^<]*)</span></button>', buttons)


@pytest.mark.slow
def test_a_line_that_is_corrected_in_a_browser_is_sent_and_kept(driven, tmp_path):
    shown = driven(tmp_path, SEND)
    (name,) = corrections.list_ids(tmp_path)
    lines = corrections.read(tmp_path, name).form.text.split("\n")
    assert (len(lines), lines[0]) == (2, "Corrected by a user")
    assert f"kept as {name}" in shown
    assert ">corrected<" in shown
    assert hidden(shown, "sending")
    assert not hidden(shown, "answer")


@pytest.mark.slow
def test_what_is_wrong_with_a_correction_stands_beside_the_button_and_the_edit_stays(driven, tmp_path):
    # Given a user whose browser asks before edits vanish, and who answers no
    actions = f"""{READ}
      part("correct").click();
      for (let at = 0; at < 2; at++) type(at, "\\u20ac");
      part("send").click();
      await until(() => part("answer").classList.contains("failed"));
      let asked = 0;
      confirm = () => {{ asked += 1; return false; }};
      part("cancel").click();
      note(`${{asked}} ${{part("lines").querySelector("input").value}}`);
      const leaving = new Event("beforeunload", {{ cancelable: true }});
      note(String(dispatchEvent(leaving)));
      part("undo").click();
      part("undo").click();
      note(String(!isChanged(current) && part("undo").disabled));
      part("cancel").click();
      note(String(asked));"""
    # When the server refuses what is sent
    shown = driven(tmp_path, actions)
    # Then the reason is shown, the fields are as they were until they are undone, and leaving the page asks too
    assert corrections.list_ids(tmp_path) == []
    assert notes(shown) == ["1 \u20ac", "false", "true", "1"]
    assert hidden(shown, "sending")


@pytest.mark.slow
def test_several_files_stand_in_a_strip_and_each_has_its_own_problem(driven, writing, handwriting, tmp_path):
    # Given a file of two pages, one that is no picture, and one without handwriting
    picture = Image.open(handwriting)
    picture.save(tmp_path / "two.tif", save_all=True, append_images=[picture])
    (tmp_path / "bad.png").write_bytes(b"no picture")
    (tmp_path / "printed.png").write_bytes(writing.read_bytes())
    # When a user gives them all, looks at the second file and goes on by the keyboard
    actions = """await add(await Promise.all(["two.tif", "bad.png", "printed.png"].map(fetched)));
      part("strip").querySelectorAll("button")[2].click();
      note(`${part("error").hidden} ${part("result").hidden} ${part("error").textContent.includes("bad.png")}`);
      part("strip").dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight" }));
      note(`${part("error").hidden} ${part("result").hidden} ${part("name").textContent}`);"""
    shown = driven(None, actions, tmp_path / "two.tif", tmp_path / "bad.png", tmp_path / "printed.png")
    # Then each has its own state, and the problem is shown for its own file only
    first, second, *others = strip(shown)
    assert first.endswith("%")
    assert (second, others) == (first, ["not read", "no text"])
    assert notes(shown) == ["false true true", "true false printed.png"]
    assert not hidden(shown, "blank")
    assert hidden(shown, "correct")
    assert not hidden(shown, "strip")


@pytest.mark.slow
def test_the_text_alone_is_copied_and_the_words_show_their_confidences(driven, recognizer, handwriting):
    actions = f"""let copied = null;
      Object.defineProperty(navigator, "clipboard", {{ value: {{ writeText: async (text) => {{ copied = text; }} }} }});
      {READ}
      part("copy").click();
      await until(() => copied !== null);
      note(copied.replaceAll("\\n", "|"));
      const words = [...part("lines").querySelectorAll("u")];
      note(words.map((word) => `${{word.textContent}}=${{word.title}}`).join("|"));"""
    shown = driven(None, actions)
    page = recognizer.read(handwriting)
    words = [word for line in page.to_record().lines for word in line.words]
    assert words
    expected = "|".join(f"{word.text}=confidence {int(100 * word.confidence + 0.5)} %" for word in words)
    assert [html.unescape(text) for text in notes(shown)] == [page.text.replace("\n", "|"), expected]
    # Then the page says too that corrections are off
    assert not hidden(shown, "closed")
    assert hidden(shown, "correct")
    assert hidden(shown, "unless")
    assert hidden(shown, "strip")
