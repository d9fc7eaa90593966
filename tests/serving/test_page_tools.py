"""What the page offers beside correcting: to copy, to look, to remember and to download."""

import base64
import html
import io
import zipfile

import pytest
from tests.serving.page_user import READ, hidden, notes


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
    assert not hidden(shown, "closed")
    assert hidden(shown, "strip")


@pytest.mark.slow
def test_the_keys_lead_to_the_doubtful_words_and_the_picture_can_be_enlarged(driven):
    actions = """part("sample").click();
      await until(() => current?.state === "done" && current.shown);
      // Whatever the model makes of the page: three words are doubtful, and these alone.
      const words = current.lines.flatMap((line) => line.words), three = [words[0], words[7], words.at(-1)];
      for (const one of words) one.confidence = three.includes(one) ? 0.4 : 0.95;
      drawPage();
      const marks = part("outlines").querySelectorAll("rect").length, seen = [];
      for (let count = 0; count < marks + 1; count++) { press("n"); seen.push(word.text); }
      note(`${marks} ${seen.at(-1) === seen[0]} ${new Set(seen).size === marks}`);
      press("N");
      note(word.text === seen.at(-2) && part("lines").querySelector("u.current").textContent === word.text);
      const target = word.text;
      press("Enter");
      note(field().value.slice(field().selectionStart, field().selectionEnd) === target);
      press("Escape");
      const wide = part("sheet").clientWidth;
      press("+");
      note(Math.round(100 * part("sheet").clientWidth / wide));
      part("fit").click();
      note(part("sheet").clientWidth === wide);
      const points = part("outlines").querySelector("polygon").getAttribute("points");
      note(points.split(" ").length === current.lines[0].polygon.length);"""
    shown = driven(None, actions)
    assert notes(shown) == ["3 true true", "true", "true", "125", "true", "true"]


@pytest.mark.slow
def test_what_was_read_survives_a_reload_and_is_forgotten_by_a_button(driven):
    actions = f"""const stage = sessionStorage.stage;
      if (!stage) {{
        {READ}
        type(0, "Kept in the browser");
        await remember(current);
        sessionStorage.stage = "reloaded";
        location.reload();
        await until(() => false);
      }}
      if (stage === "reloaded") {{
        await until(() => current?.shown);
        const {{ lines }} = current, undoable = !part("undo").disabled;
        sessionStorage.before = `${{pages.length}} ${{lines[0].text}} ${{lines.length}} ${{undoable}} ${{reading}}`;
        let asked = 0;
        confirm = () => {{ asked += 1; return true; }};
        await forget();
        sessionStorage.before += ` ${{asked}}`;
        sessionStorage.stage = "forgotten";
        location.reload();
        await until(() => false);
      }}
      await new Promise((next) => setTimeout(next, 300));
      note(sessionStorage.before);
      note(`${{pages.length}} ${{part("result").hidden}} ${{part("forget").hidden}}`);"""
    shown = driven(None, actions)
    assert notes(shown) == ["1 Kept in the browser 2 true false 1", "0 true true"]


@pytest.mark.slow
def test_pages_are_downloaded_as_they_stand_one_or_all(driven, handwriting, tmp_path):
    # Given two pages of the same name, the first corrected
    second = tmp_path / "again.png"
    second.write_bytes(handwriting.read_bytes())
    actions = """const saved = [];
      save = (blob, name) => saved.push([name, blob]);
      await add([await fetched("writing.png"), new File([await fetched("again.png")], "writing.png")]);
      show(pages[0]);
      type(0, "Put right");
      part("format").value = "text";
      part("download").click();
      await until(() => saved.length === 1);
      note(saved[0][0] + " " + (await saved[0][1].text()).split("\\n")[0]);
      part("format").value = "pdf";
      part("all").click();
      await until(() => saved.length === 2);
      const bytes = new Uint8Array(await saved[1][1].arrayBuffer());
      note(btoa([...bytes].map((byte) => String.fromCharCode(byte)).join("")));"""
    text, archive = notes(driven(None, actions, second))
    assert text == "writing.txt Put right"
    with zipfile.ZipFile(io.BytesIO(base64.b64decode(archive))) as pages:
        assert pages.testzip() is None
        assert pages.namelist() == ["writing.pdf", "writing-2.pdf"]
        assert pages.read("writing.pdf").startswith(b"%PDF-")
