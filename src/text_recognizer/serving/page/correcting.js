// ---- sending a correction, and taking it back

function drawSending() {
  const { read, answer, sent } = current, lines = current.lines.filter((line) => line.kind !== "printed");
  part("closed").hidden = acceptsCorrections || lines.length === 0;
  part("sending").hidden = !acceptsCorrections || lines.length === 0 || sent !== null || !read;
  part("send").disabled = !part("checked").checked;
  part("answer").hidden = answer === null;
  if (!answer) return;
  part("answer").classList.toggle("failed", answer.failed);
  part("answer").replaceChildren(...answer.sentences.map((sentence) => element("div", {}, sentence)));
  if (sent) {
    const button = element("button", { type: "button", id: "takeback", textContent: "Take it back" });
    button.addEventListener("click", () => takeBack(current));
    part("answer").append(button);
  }
}

async function send() {
  const page = current, lines = page.lines.filter((line) => line.kind !== "printed" && line.text);
  if (!lines.length) return tell(page, true, ["All lines are empty: keep the text of at least one line."]);
  const correction = { model: page.read.model.digest, page: page.read.page, turn: page.read.turn, lines: lines.map(({ text, box }) => ({ text, box })) };
  part("send").disabled = true;
  tell(page, false, ["Sending …"]);
  try {
    const kept = await (await ask("corrections", { method: "POST", body: formWith(page, { correction: JSON.stringify(correction) }) })).json();
    page.sent = kept.correction;
    tell(page, false, thanks(kept));
  } catch (problem) {
    const { detail, fix } = problemOf(problem);
    tell(page, true, [detail, fix]);
  }
}

function thanks(kept) {
  const left = kept.left_out.map((line) => `Not used for training: ${line}.`);
  const later = kept.problems.length ? ["It is kept, but the model will not learn from it as the service is set up:", ...kept.problems] : [];
  const review = kept.waiting ? ["A person will look at it before the model learns from it."] : [];
  return [`Thank you. The correction was kept as ${kept.correction}.`, ...left, ...later, ...review];
}

async function takeBack(page) {
  try {
    await ask(`corrections/${page.sent}`, { method: "DELETE" });
    const name = page.sent;
    page.sent = null;
    tell(page, false, [`The correction ${name} was deleted from the server.`]);
  } catch (problem) {
    const { detail, fix } = problemOf(problem);
    tell(page, true, [detail, fix]);
  }
}

// The answer stands beside the button that asked for it, and is moved into view.
function tell(page, failed, sentences) {
  page.answer = { failed, sentences };
  relabel(page);
  remember(page);
  if (page !== current) return;
  drawSending();
  part("answer").scrollIntoView({ block: "nearest" });
}
