"""The page names no other host, shows what was read as text, lets a person put it right, and sends only on request."""

import re

import pytest
from PIL import Image
from tests.serving.page_user import READ, hidden, notes, strip

from text_recognizer.corpora import corrections
from text_recognizer.serving.page_assembly import PARTS, SCRIPTS, page_html


def test_the_page_names_no_host():
    # The name of a kind of XML, which nobody fetches.
    text = page_html().replace("http://www.w3.org/2000/svg", "")
    assert re.findall(r"""https?:|["'(]//|@import""", text) == []


def test_every_element_that_the_script_asks_for_is_on_the_page():
    asked = set(re.findall(r'\b(?:part|on)\("(\w+)"', page_html()))
    assert asked
    assert asked <= set(re.findall(r'id="(\w+)"', page_html()))


def test_every_part_is_on_the_page():
    assert {path.name for path in PARTS.iterdir()} == {"index.html", "style.css", *SCRIPTS}
    for path in PARTS.glob("*.[jc]s*"):
        assert path.read_text(encoding="utf-8") in page_html()
    assert page_html().count("</script>") == page_html().count("</style>") == 1


def test_what_was_read_is_shown_as_text_and_never_as_html():
    assert re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", page_html()) == []


@pytest.mark.slow
def test_a_correction_can_be_taken_back(driven, tmp_path):
    actions = f"""{READ}
      note(part("send").disabled);
      await send();
      note(current.sent);
      note(part("sending").hidden);
      part("takeback").click();
      await until(() => !current.sent);"""
    shown = driven(tmp_path, actions)
    unchecked, name, sent = notes(shown)
    assert (unchecked, sent) == ("true", "true")
    assert f"The correction {name} was deleted" in shown
    assert [path for path in tmp_path.iterdir() if path.is_file()] == []
    assert not hidden(shown, "sending")


@pytest.mark.slow
def test_what_is_wrong_with_a_correction_stands_beside_the_button_and_the_edit_stays(driven, tmp_path):
    # Given a user whose text no model can be trained on
    actions = f"""{READ}
      for (let at = 0; at < 2; at++) type(at, "\u20ac");
      await send();
      note(`${{current.answer.failed}} ${{texts()}}`);
      edit(current.lines[0]);
      field().value = "not yet done";
      note(dispatchEvent(new Event("beforeunload", {{ cancelable: true }})));
      press("Escape");
      note(dispatchEvent(new Event("beforeunload", {{ cancelable: true }})));
      part("undo").click();
      press("z", {{ ctrlKey: true }});
      note(!isChanged(current) && part("undo").disabled);"""
    # When the server refuses what is sent
    shown = driven(tmp_path, actions)
    # Then the reason is shown, the texts are as they were until they are undone, and leaving asks while one is typed
    assert corrections.list_ids(tmp_path) == []
    assert notes(shown) == ["true \u20ac|\u20ac", "false", "true", "true"]


@pytest.mark.slow
def test_a_page_that_was_misread_can_be_put_right(driven, tmp_path):
    # Given a page of two lines, the first of which is split, moved and joined, and whose second is deleted
    actions = f"""{READ}
      await until(() => current.shown && part("picture").complete);
      const [, second] = current.lines, [x, y, width, height] = current.lines[0].box;
      edit(current.lines[0]);
      field().value = "one two";
      field().setSelectionRange(4, 4);
      press("Enter", {{ ctrlKey: true }});
      note(texts().startsWith("one|two|") && current.lines[0].box[2] + current.lines[1].box[2] === width);
      tool("Up");
      note(texts().startsWith("two|one|"));
      tool("Join with next");
      note(texts().startsWith("two one|") && current.lines[0].box.join() === [x, y, width, height].join());
      edit(current.lines[1]);
      tool("Delete");
      note(texts());
      // When a frame is drawn around the second line
      part("draw").click();
      const frame = part("sheet").getBoundingClientRect(), scale = frame.width / current.read.width;
      const at = (kind, left, top) => {{
        const [clientX, clientY] = [frame.left + left * scale, frame.top + top * scale];
        const values = {{ bubbles: true, button: 0, buttons: 1, pointerType: "mouse", clientX, clientY }};
        part("outlines").dispatchEvent(new PointerEvent(kind, values));
      }};
      at("pointerdown", second.box[0], second.box[1]);
      at("pointermove", second.box[0] + 5, second.box[1] + 5);
      at("pointerup", second.box[0] + second.box[2], second.box[1] + second.box[3]);
      field().value = "drawn";
      press("Enter");
      note(texts() + " " + current.lines[1].box.map((edge, at) => Math.abs(edge - second.box[at]) < 3).join());
      // When another is added by the keyboard, moved and undone
      part("add").click();
      press("Escape");
      const before = current.lines[2].box[0];
      press("ArrowRight", {{ altKey: true }});
      note(current.lines.length + " " + (current.lines[2].box[0] > before));
      part("undo").click();
      part("undo").click();
      note(texts());
      await send();"""
    shown = driven(tmp_path, actions)
    # Then each step did what it is for, and what was sent is what stood on the page
    assert notes(shown) == [
        "true", "true", "true", "two one", "two one|drawn true,true,true,true", "3 true", "two one|drawn"
    ]  # fmt: skip
    (name,) = corrections.list_ids(tmp_path)
    assert corrections.read(tmp_path, name).form.text == "two one\ndrawn"
    assert f"kept as {name}" in shown
    assert ">changed<" in shown
    assert not hidden(shown, "answer")


@pytest.mark.slow
def test_several_files_stand_in_a_strip_and_each_has_its_own_problem(driven, handwriting, writing, tmp_path):
    # Given a PDF of two pages, one that is no picture, and one without handwriting
    picture = Image.open(handwriting)
    picture.save(tmp_path / "two.pdf", save_all=True, append_images=[picture])
    (tmp_path / "bad.png").write_bytes(b"no picture")
    (tmp_path / "printed.png").write_bytes(writing.read_bytes())
    # When a user gives them all, looks at the second file, goes on by the keyboard and wants to see the print
    actions = """await add(await Promise.all(["two.pdf", "bad.png", "printed.png"].map(fetched)));
      await until(() => pages[1].shown);
      note(`${pages[0].shown !== ""} ${pages[1].shown !== ""} ${part("strip").querySelectorAll("img").length > 1}`);
      part("strip").querySelectorAll("button")[2].click();
      note(`${part("error").hidden} ${part("result").hidden} ${part("error").textContent.includes("bad.png")}`);
      part("strip").dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight" }));
      note(`${part("error").hidden} ${part("result").hidden} ${part("name").textContent}`);
      const outlines = () => part("outlines").querySelectorAll("polygon").length;
      note(`${visible(current).length} ${outlines()} ${stateOf(current)}`);
      part("printed").click();
      note(`${visible(current).length} ${outlines()} ${stateOf(current).endsWith("%")}`);
      part("printed").click();"""
    shown = driven(None, actions, tmp_path / "two.pdf", tmp_path / "bad.png", tmp_path / "printed.png")
    # Then each has its own state, and the problem is shown for its own file only
    first, second, *others = strip(shown)
    assert first.endswith("%")
    assert (second, others) == (first, ["not read", "no text"])
    assert notes(shown) == [
        "true true true", "false true true", "true false printed.png", "0 0 no text", "2 2 true"
    ]  # fmt: skip
    assert not hidden(shown, "blank")
    assert not hidden(shown, "strip")
    # Then the page says too that corrections are off
    assert hidden(shown, "sending")
    assert hidden(shown, "unless")
