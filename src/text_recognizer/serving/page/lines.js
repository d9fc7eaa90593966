// ---- the list of lines, and changing them

let editing = null; // the line whose text is in a field

const rowOf = (line) => part("lines").querySelectorAll("li")[current ? visible(current).indexOf(line) : -1];

function drawLines() {
  const lines = visible(current);
  if (!lines.includes(chosen)) chosen = null;
  if (!lines.includes(editing)) editing = null;
  part("lines").replaceChildren(...lines.map((line) => line === editing ? field(line) : row(line)));
}

function row(line) {
  const words = element("div", { className: `words ${line.kind}` }, ...marked(line)), item = element("li", { tabIndex: 0 }, words, confidence(line));
  item.classList.toggle("highlighted", line === chosen);
  item.addEventListener("pointerenter", () => highlight(line, true));
  item.addEventListener("pointerleave", () => highlight(line, line === chosen));
  item.addEventListener("focus", () => { if (line !== chosen) choose(line); });
  item.addEventListener("click", () => { if (!getSelection().toString()) edit(line); });
  item.addEventListener("keydown", (event) => {
    if (event.key === "Enter") { event.preventDefault(); edit(line); }
    if (event.key === "Delete") removeLine(line);
    const by = { ArrowUp: -1, ArrowDown: 1 }[event.key], beside = by && !event.altKey && visible(current)[visible(current).indexOf(line) + by];
    if (beside) { event.preventDefault(); rowOf(beside).focus(); }
  });
  return item;
}

// The words with their confidences. A line that a person wrote is plain text.
function marked(line) {
  if (!wordsMatch(line)) return [line.text];
  return line.words.flatMap((one, at) => {
    const shown = element("u", { className: `${grade(one.confidence)}${one === word ? " current" : ""}`, title: `confidence ${percent(one.confidence)}` }, one.text);
    return at ? [" ", shown] : [shown];
  });
}

function confidence(line) {
  const shown = element("span", { className: `confidence ${line.corrected ? "high" : grade(line.confidence)}`, textContent: line.corrected ? "changed" : percent(line.confidence) });
  if (!line.corrected) shown.setAttribute("aria-label", `confidence ${percent(line.confidence)}`);
  return shown;
}

function choose(line) {
  const before = chosen;
  chosen = line;
  if (before) highlight(before, false);
  highlight(line, true);
  reveal(line.box);
}

// ---- the text of a line

function edit(line) {
  editing = chosen = line;
  const at = wordsMatch(line) ? line.words.indexOf(word) : -1;
  drawPage();
  const input = rowOf(line).querySelector("textarea"), start = at < 0 ? line.text.length : line.words.slice(0, at).reduce((sum, one) => sum + one.text.length + 1, 0);
  input.focus();
  input.setSelectionRange(start, at < 0 ? start : start + line.words[at].text.length);
  rowOf(line).scrollIntoView({ block: "nearest" });
  enlarge(line);
  reveal(line.box);
}

function field(line) {
  const input = element("textarea", { value: line.text, maxLength: limits.characters, spellcheck: false, rows: 1 });
  const item = element("li", { className: "highlighted" }, input, confidence(line), toolbar(line, input));
  input.setAttribute("aria-label", `Text of line ${visible(current).indexOf(line) + 1}`);
  const grow = () => { input.style.height = "auto"; input.style.height = `${input.scrollHeight + 2}px`; };
  input.addEventListener("input", grow);
  requestAnimationFrame(grow);
  // What was typed counts, wherever the focus goes.
  input.addEventListener("change", () => { if (editing === line) setText(line, input.value); });
  input.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (event.key === "Enter") { event.preventDefault(); if (event.ctrlKey || event.metaKey) split(line, input); else leave(line, input, 1); }
    if (event.key === "Escape") { event.preventDefault(); input.value = line.text; leave(line, input, 0); }
  });
  return item;
}

function setText(line, value) {
  const text = value.replace(/\s+/g, " ").trim();
  if (text !== line.text) alter(() => Object.assign(line, { text, words: [], corrected: true }));
}

// Keep what was typed, and go to the line beside this one.
function leave(line, input, by) {
  const to = visible(current)[visible(current).indexOf(line) + by];
  editing = null;
  setText(line, input.value);
  if (by && to) return edit(to);
  drawPage();
  rowOf(line)?.focus();
}

// ---- lines as wholes

function toolbar(line, input) {
  const lines = visible(current), at = lines.indexOf(line);
  const action = (label, act, possible = true) => {
    const button = element("button", { type: "button", textContent: label, disabled: !possible });
    button.addEventListener("pointerdown", (event) => event.preventDefault()); // the field keeps the focus and its cursor
    button.addEventListener("click", act);
    return button;
  };
  const typed = (act) => () => { const place = input.selectionStart; editing = null; setText(line, input.value); act(place); };
  return element("div", { className: "tools", role: "group", ariaLabel: "Change this line" },
    action("Done", typed(() => { drawPage(); rowOf(line)?.focus(); })),
    action("Split here", () => split(line, input)),
    action("Join with next", typed(() => join(line, lines[at + 1])), at + 1 < lines.length),
    action("Up", typed(() => move(line, lines[at - 1])), at > 0),
    action("Down", typed(() => move(line, lines[at + 1])), at + 1 < lines.length),
    action("Delete", () => removeLine(line)));
}

function split(line, input) {
  const text = input.value, at = input.selectionStart, [x, y, width, height] = line.box;
  if (!text.slice(0, at).trim() || !text.slice(at).trim()) return void (part("status").textContent = "Put the cursor between two words first.");
  const left = Math.round(width * at / text.length);
  const half = (piece, box) => ({ ...line, text: piece.trim(), words: [], box, polygon: [], baseline: [], corrected: true });
  const halves = [half(text.slice(0, at), [x, y, left, height]), half(text.slice(at), [x + left, y, width - left, height])];
  editing = null;
  chosen = halves[1];
  change((lines) => lines.splice(lines.indexOf(line), 1, ...halves));
  edit(halves[1]);
}

function join(line, next) {
  const [left, top] = [0, 1].map((side) => Math.min(line.box[side], next.box[side]));
  const [right, bottom] = [0, 1].map((side) => Math.max(line.box[side] + line.box[side + 2], next.box[side] + next.box[side + 2]));
  const both = { text: `${line.text} ${next.text}`.trim(), words: [...line.words, ...next.words], box: [left, top, right - left, bottom - top], polygon: [], baseline: [], corrected: true, confidence: Math.min(line.confidence, next.confidence) };
  if (!wordsMatch(both)) both.words = [];
  change((lines) => { lines.splice(lines.indexOf(next), 1); Object.assign(line, both); });
  edit(line);
}

function move(line, beside) {
  change((lines) => {
    const [from, to] = [lines.indexOf(line), lines.indexOf(beside)];
    lines.splice(from, 1);
    lines.splice(to, 0, line);
  });
  edit(line);
}

function removeLine(line) {
  const lines = visible(current), at = lines.indexOf(line);
  editing = null;
  chosen = lines[at + 1] ?? lines[at - 1] ?? null;
  change((all) => all.splice(all.indexOf(line), 1));
  (rowOf(chosen) ?? part("add")).focus();
}

// Add a line with this outline. It comes behind the last line that is above it.
function addLine(box) {
  const middle = box[1] + box[3] / 2, above = current.lines.findLast((line) => line.box[1] + line.box[3] / 2 <= middle);
  const line = { text: "", confidence: 1, box, words: [], polygon: [], baseline: [], kind: "written", dubious: false, region: above?.region ?? 0, corrected: true };
  change((lines) => lines.splice(above ? lines.indexOf(above) + 1 : 0, 0, line));
  edit(line);
}

// Add a line below the chosen one, for those who do not draw. Alt and the arrow keys move its outline.
function addBelow() {
  const { width, height } = current.read, last = chosen ?? visible(current).at(-1);
  if (!last) return addLine([0, 0, width, Math.round(height / 10)].map(Math.round));
  const [x, y, wide, high] = last.box;
  addLine([x, Math.max(0, Math.min(y + high, height - high)), wide, high]);
}

function nudge(line, key, resize) {
  const by = Math.max(1, Math.round((current.read.width || 1) / 200)), side = key === "ArrowLeft" || key === "ArrowRight" ? 0 : 1;
  const step = key === "ArrowLeft" || key === "ArrowUp" ? -by : by, box = [...line.box], most = [current.read.width, current.read.height][side];
  if (resize) box[side + 2] = Math.min(most - box[side], Math.max(4, box[side + 2] + step));
  else box[side] = Math.min(most - box[side + 2], Math.max(0, box[side] + step));
  const input = rowOf(line).querySelector("textarea");
  const typed = input && { text: input.value.replace(/\s+/g, " ").trim(), place: input.selectionStart };
  change(() => Object.assign(line, { box, polygon: [], baseline: [], words: [], corrected: true }, typed && { text: typed.text }));
  if (typed) { const next = rowOf(line).querySelector("textarea"); next.focus(); next.setSelectionRange(typed.place, typed.place); } else rowOf(line).focus();
}
