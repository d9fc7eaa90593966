// ---- reading files, page by page

const waiting = [];
let reading = false;

function add(files) {
  const added = [...files].map((file) => newPage(file));
  if (!added.length) return Promise.resolve();
  pages.push(...added);
  waiting.push(...added);
  show(added[0]);
  return readAll();
}

async function readAll() {
  if (reading) return;
  reading = true;
  for (let page = waiting.shift(); page; page = waiting.shift()) {
    if (!pages.includes(page)) continue;
    part("status").textContent = `Reading ${nameOf(page)} …`;
    page.state = "reading";
    relabel(page);
    await read(page);
  }
  reading = false;
  part("status").textContent = summary();
}

// Read the file of a page. Its further pages are put behind it as they arrive.
async function read(page) {
  let last = null;
  const arrive = (found) => {
    const one = last === null ? page : newPage(page.file, found.page);
    if (last !== null) pages.splice(pages.indexOf(last) + 1, 0, one);
    Object.assign(one, { number: found.page ?? 1, state: "done", problem: found.problem ?? null, read: found.problem ? null : withLines(found) });
    one.lines = one.read ? structuredClone(one.read.lines) : [];
    last = one;
    if (found.pages > found.page) part("status").textContent = `Reading ${nameOf(page)}: page ${found.page} of ${found.pages} …`;
    if (one === current) show(one); else drawStrip();
    picture(one);
    remember(one);
  };
  let refused = null; // as a whole
  const request = async (selection) => {
    const response = await ask(`read?printed=true${selection}`, { method: "POST", body: formWith(page, {}), headers: { Accept: "text/event-stream" } });
    refused = null;
    for await (const [name, data] of events(response)) {
      if (!pages.includes(last ?? page)) return; // forgotten
      if (name === "page" || data.problem) arrive(data);
      else if (name === "problem") refused = data;
    }
  };
  try {
    if (page.file.size > limits.bytes) throw Object.assign(new Error(`${nameOf(page)} is larger than ${Math.round(limits.bytes / 1048576)} MB`), { fix: "send a smaller picture" });
    await request("");
    if (refused?.status === 422 && last === null) await readInParts(request, () => last?.read?.pages ?? 0);
    if (refused) throw Object.assign(new Error(refused.detail), { fix: refused.fix });
  } catch (problem) {
    if (pages.includes(last ?? page)) arrive({ page: (last?.number ?? 0) + 1, problem: problemOf(problem) });
  }
}

// A file may have more pages than a request. Its first page says how many.
async function readInParts(request, count) {
  await request("&pages=1");
  for (let first = 2; first <= count(); first += limits.pages)
    await request(`&pages=${first}-${Math.min(count(), first + limits.pages - 1)}`);
}

// Words that do not make up their line cannot be marked.
const withLines = (read) => ({ ...read, lines: read.lines.map((line) => ({ ...line, words: wordsMatch(line) ? line.words : [] })) });

async function* events(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
    text += piece.value;
    const blocks = text.split("\n\n");
    text = blocks.pop();
    for (const block of blocks) {
      const [name, data] = block.split("\n");
      yield [name.slice("event: ".length), JSON.parse(data.slice("data: ".length))];
    }
  }
}

function summary() {
  const failed = pages.filter((page) => page.problem).length, lines = pages.reduce((sum, page) => sum + visible(page).length, 0);
  const of = pages.length > 1 ? ` on ${pages.length} pages` : "";
  const bad = failed ? ` ${failed} could not be read.` : "";
  if (failed === pages.length) return "";
  return (lines ? `Read ${lines === 1 ? "1 line" : `${lines} lines`}${of}.` : "No handwriting was found.") + bad;
}

// ---- pictures of pages

// Find an address at which the browser can show a page: the file itself, else a picture that the server makes of it.
async function picture(page) {
  if (page.shown) return;
  if (!page.preview && !await isShowable(page)) {
    try {
      const response = await ask("preview", { method: "POST", body: formWith(page, { page: page.number }) });
      page.preview = await response.blob();
    } catch { return void Object.assign(page, { shown: "" }); }
  }
  page.shown = URL.createObjectURL(page.preview ?? page.file);
  drawStrip();
  if (page === current) drawPage();
}

async function isShowable(page) {
  if (page.number > 1) return false;
  const test = new Image(), url = URL.createObjectURL(page.file);
  test.src = url;
  try { await test.decode(); return true; } catch { return false; } finally { URL.revokeObjectURL(url); }
}

// Turn the picture clockwise in the browser, and read it again.
async function turn() {
  const page = current, source = await createImageBitmap(part("picture"));
  const canvas = element("canvas", { width: source.height, height: source.width }), paper = canvas.getContext("2d");
  paper.translate(canvas.width, 0);
  paper.rotate(Math.PI / 2);
  paper.drawImage(source, 0, 0);
  const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.95));
  const turned = newPage(new File([blob], nameOf(page).replace(/(\.\w+)?$/, ".jpg")));
  pages[pages.indexOf(page)] = turned;
  forgetPage(page);
  waiting.push(turned);
  show(turned);
  await readAll();
}

// ---- the strip

function stateOf(page) {
  if (page.problem) return "not read";
  if (page.state !== "done") return page.state === "reading" ? "reading …" : "waiting";
  if (page.sent) return "sent";
  if (isChanged(page)) return "changed";
  return visible(page).length ? percent(confidenceOf(page)) : "no text";
}

// The button itself stays: it may be what a person is pressing.
function relabel(page) {
  const button = part("strip").children[pages.indexOf(page)]?.firstChild;
  if (button) button.lastChild.textContent = stateOf(page);
}

function drawStrip() {
  part("strip").hidden = pages.length < 2;
  part("all").hidden = pages.length < 2;
  part("strip").replaceChildren(...pages.map((page) => {
    const image = page.shown ? element("img", { src: page.shown, alt: "" }) : element("b", {}, String(page.number));
    const button = element("button", { type: "button", title: titleOf(page) }, image, element("span", { className: "title" }, titleOf(page)), element("span", { className: page.problem ? "failed" : "" }, stateOf(page)));
    if (page === current) button.setAttribute("aria-current", "true");
    button.addEventListener("click", () => { show(page); buttonOf(page).focus(); });
    return element("li", {}, button);
  }));
}

const buttonOf = (page) => part("strip").children[pages.indexOf(page)].firstChild;

function step(by) {
  const to = pages[pages.indexOf(current) + by];
  if (!to) return;
  show(to);
  buttonOf(to).focus();
  buttonOf(to).scrollIntoView({ block: "nearest", inline: "nearest" });
}
