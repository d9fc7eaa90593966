// ---- the whole page

function show(page) {
  if (page !== current) { chosen = editing = word = null; setZoom(1); setDrawing(false); part("checked").checked = false; }
  current = page;
  document.body.classList.add("small");
  part("result").hidden = page.problem !== null;
  part("keys").hidden = false;
  part("error").hidden = page.problem === null;
  if (page.problem) part("error").replaceChildren(element("b", {}, `${titleOf(page)}: ${page.problem.detail}`), page.problem.fix ? ` — ${page.problem.fix}` : "");
  part("name").textContent = titleOf(page);
  drawPage();
  drawStrip();
}

function drawPage() {
  const lines = visible(current), doubts = doubtful().length, read = current.read !== null;
  drawPicture();
  drawLines();
  drawSending();
  if (chosen) highlight(chosen, true);
  part("blank").hidden = !read || lines.length > 0;
  part("overall").textContent = lines.length ? `confidence ${percent(confidenceOf(current))}` : "";
  part("undo").disabled = current.undo.length === 0;
  part("next").hidden = doubts === 0;
  part("next").textContent = `Next of ${doubts} doubtful (n)`;
  part("withprint").hidden = !current.lines.some((line) => line.kind === "printed");
  for (const name of ["copy", "download", "add", "draw", "turn"]) part(name).disabled = !read;
}

function describe(model) {
  limits = model.limits;
  acceptsCorrections = model.corrections;
  part("unless").hidden = !acceptsCorrections;
  const name = element("code", { title: `sha256 ${model.digest}` }, `${model.name}:${model.version}`);
  const [low, high] = model.cer_interval.map((rate) => (100 * rate).toFixed(1));
  const rate = `, ${model.class}. Its character error rate on the test pages is ${(100 * model.cer).toFixed(1)} % (${low} to ${high} %).`;
  part("model").replaceChildren("Read by ", name, rate);
  if (current) drawSending();
}

function pressKey(event) {
  const typing = event.target.closest("input, textarea, select, dialog"), plain = !event.ctrlKey && !event.metaKey && !event.altKey;
  if (!current?.read) return;
  if (event.altKey && event.key.startsWith("Arrow") && chosen) { event.preventDefault(); return nudge(chosen, event.key, event.shiftKey); }
  if (typing) return;
  if ((event.ctrlKey || event.metaKey) && event.key === "z") { event.preventDefault(); undo(); }
  if (!plain) return;
  const act = { n: () => jump(1), N: () => jump(-1), "+": () => setZoom(zoom * 1.25), "-": () => setZoom(zoom / 1.25), Escape: () => setDrawing(false) }[event.key];
  if (act) { event.preventDefault(); act(); }
}

const takeFiles = (event) => { const files = [...event.target.files]; event.target.value = ""; add(files); };
const on = (name, event, act) => part(name).addEventListener(event, act);

on("file", "change", takeFiles);
on("photo", "change", takeFiles);
on("sample", "click", async () => add([new File([await (await ask("sample.png")).blob()], "sample.png")]));
on("forget", "click", forget);
on("copy", "click", copy);
on("undo", "click", undo);
on("next", "click", () => jump(1));
on("add", "click", addBelow);
on("draw", "click", () => setDrawing(!isDrawing()));
on("turn", "click", turn);
on("smaller", "click", () => setZoom(zoom / 1.25));
on("larger", "click", () => setZoom(zoom * 1.25));
on("fit", "click", () => setZoom(1));
on("printed", "change", (event) => { showsPrint = event.target.checked; drawPage(); pages.forEach(relabel); });
on("checked", "change", drawSending);
on("send", "click", send);
on("download", "click", download);
on("all", "click", downloadAll);
on("window", "pointerdown", press);
on("window", "wheel", (event) => {
  if (!event.ctrlKey) return;
  event.preventDefault();
  const frame = part("window").getBoundingClientRect();
  setZoom(zoom * Math.exp(-event.deltaY / 300), [event.clientX - frame.left, event.clientY - frame.top]);
});
on("strip", "keydown", (event) => {
  const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (by) { event.preventDefault(); step(by); }
});
addEventListener("pointermove", drag);
addEventListener("pointerup", (event) => { release(event); setTimeout(() => { grab = null; }); });
addEventListener("keydown", pressKey);
addEventListener("beforeunload", (event) => { if (editing && rowOf(editing)?.querySelector("textarea").value !== editing.text) event.preventDefault(); });
addEventListener("paste", (event) => add(event.clipboardData.files));
addEventListener("dragover", (event) => { event.preventDefault(); document.body.classList.add("over"); });
addEventListener("dragleave", (event) => { if (!event.relatedTarget) document.body.classList.remove("over"); });
addEventListener("drop", (event) => {
  event.preventDefault();
  document.body.classList.remove("over");
  add(event.dataTransfer.files);
});
part("camera").hidden = !matchMedia("(pointer: coarse)").matches;
ask("model").then((response) => response.json()).then(describe).catch((problem) => { part("model").textContent = `The model cannot be named: ${problem.message}`; });
recall();
