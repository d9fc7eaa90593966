// ---- what the page knows, and small helpers

const part = (id) => document.getElementById(id);
const element = (kind, values = {}, ...children) => { const made = Object.assign(document.createElement(kind), values); made.append(...children); return made; };
const SVG = "http://www.w3.org/2000/svg";
const drawn = (kind, values) => { const made = document.createElementNS(SVG, kind); for (const [name, value] of Object.entries(values)) made.setAttribute(name, value); return made; };

let limits = { bytes: Infinity, characters: 500, pages: 20 }, acceptsCorrections = false;
// The pages in order, the one that is shown, its chosen line, and the word that `n` has jumped to.
let pages = [], current = null, chosen = null, word = null, showsPrint = false;

// A page: its file, what the server read (`read`) or its `problem`, its lines as they are now, and the lines before each
// change, for Undo. `shown` is the address of a picture that the browser can show.
const newPage = (file, number = 1) => ({ id: crypto.randomUUID?.() ?? String(Math.random()), file, number, shown: null, preview: null, state: "waiting", read: null, problem: null, lines: [], undo: [], sent: null, answer: null });

const percent = (share) => `${Math.round(share * 100)} %`;
const grade = (share) => share >= 0.9 ? "high" : share >= 0.7 ? "medium" : "low";
const nameOf = (page) => page.file.name || "pasted picture";
const titleOf = (page) => page.read?.pages > 1 ? `${nameOf(page)}, page ${page.read.page}` : nameOf(page);
const visible = (page) => page.lines.filter((line) => showsPrint || line.kind !== "printed");
const textOf = (page) => visible(page).map((line) => line.text).join("\n");
const isChanged = (page) => page.read !== null && JSON.stringify(page.lines) !== JSON.stringify(page.read.lines);
const hasUnsent = (page) => isChanged(page) && !page.sent;
const wordsMatch = (line) => line.words.length > 0 && line.words.map((one) => one.text).join(" ") === line.text;

function confidenceOf(page) {
  const lines = visible(page), weight = lines.reduce((sum, line) => sum + line.text.length, 0);
  return weight ? lines.reduce((sum, line) => sum + line.confidence * line.text.length, 0) / weight : 1;
}

// Change the lines of the current page. What they were is kept for Undo.
function change(edit) {
  alter(edit);
  drawPage();
}

// Change them without drawing them again: a person may be pressing something on the page.
function alter(edit) {
  current.undo.push(JSON.stringify(current.lines));
  edit(current.lines);
  changed();
}

function undo() {
  const before = current.undo.pop();
  if (before === undefined) return;
  const at = current.lines.indexOf(chosen);
  current.lines = JSON.parse(before);
  chosen = current.lines[Math.min(at, current.lines.length - 1)] ?? null;
  editing = null;
  changed();
  drawPage();
  rowOf(chosen)?.focus();
}

function changed() {
  word = null;
  current.sent = current.answer = null;
  part("checked").checked = false;
  part("undo").disabled = false;
  drawSending();
  relabel(current);
  remember(current);
}

// ---- the server

function problemOf(problem) {
  return problem instanceof TypeError
    ? { detail: "The server cannot be reached.", fix: "Check that it is running." }
    : { detail: problem.message, fix: problem.fix ?? "Try again." };
}

async function ask(path, options = {}) {
  const token = sessionStorage.getItem("token"), headers = { ...options.headers, ...(token ? { Authorization: `Bearer ${token}` } : {}) };
  const response = await fetch(path, { ...options, headers });
  if (response.ok) return response;
  if (response.status === 401 && await login()) return ask(path, options);
  let body = null;
  try { body = await response.json(); } catch (problem) { if (!(problem instanceof SyntaxError)) throw problem; }
  throw Object.assign(new Error(body?.detail ?? `The server answered with ${response.status}.`), { fix: body?.fix || "Try again." });
}

// Ask for a token. Requests that wait for one share the question.
let asking = null;
function login() {
  asking ??= new Promise((done) => {
    part("login").addEventListener("close", () => {
      const token = part("token").value.trim();
      if (token) sessionStorage.setItem("token", token);
      part("token").value = "";
      asking = null;
      done(token !== "");
    }, { once: true });
    part("login").showModal();
  });
  return asking;
}

function formWith(page, fields) {
  const form = new FormData();
  form.append("picture", page.file, nameOf(page));
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  return form;
}
