"""A user of the page in a browser: what the user can do, and what the page then shows."""

import re

from text_recognizer.serving.app import PAGE_HEADERS

# A user who waits for the page, gives it files, and then acts. `note` keeps what the user sees.
USER = """<img src="hold" alt=""><script>addEventListener("DOMContentLoaded", async () => {
  const until = async (ready) => { while (!ready()) await new Promise((next) => setTimeout(next, 20)); };
  const fetched = async (name) => new File([await (await fetch(name)).blob()], name);
  const note = (text) => document.body.append(element("p", { className: "note" }, String(text)));
  const texts = () => current.lines.map((line) => line.text).join("|");
  const field = () => part("lines").querySelector("textarea");
  const press = (key, more = {}) => {
    const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...more });
    (document.activeElement ?? document.body).dispatchEvent(event);
  };
  const tool = (label) => {
    const buttons = [...part("lines").querySelectorAll("button")];
    buttons.find((button) => button.textContent === label).click();
  };
  const type = (at, text) => {
    edit(visible(current)[at]);
    field().value = text;
    press("Enter");
    if (field()) press("Escape");
  };
  const send = async () => {
    part("checked").click();
    part("send").click();
    await until(() => current.answer && current.answer.sentences[0] !== "Sending \u2026");
  };
  const act = async () => {
    await until(() => part("model").textContent.includes("text-recognizer"));
    ACTIONS
    document.body.append(element("p", { id: "done" }));
  };
  await act().catch((problem) => { document.body.append(element("pre", {}, problem.stack)); });
  await fetch("finished", { method: "POST" });
});</script>"""
# The picture `hold` keeps the page loading, and the browser open, until the user has finished.
HEADERS = PAGE_HEADERS | {
    "Content-Security-Policy": PAGE_HEADERS["Content-Security-Policy"].replace("img-src", "img-src 'self'")
}
READ = 'await add([await fetched("writing.png")]);'


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
