// ---- the picture: zoom, move, outlines, and drawing a line that is missing

const LEGIBLE = 26; // the height of a line in pixels of the screen
let zoom = 1, grab = null;

const cornersOf = (line) => {
  const [x, y, width, height] = line.box;
  return line.polygon.length ? line.polygon : [[x, y], [x + width, y], [x + width, y + height], [x, y + height]];
};
const pointsOf = (corners) => corners.map((corner) => corner.join(",")).join(" ");

function drawPicture() {
  const { read, shown } = current;
  part("sheet").hidden = !shown;
  part("unshown").hidden = shown !== "";
  if (shown && part("picture").src !== shown) part("picture").src = shown;
  part("outlines").setAttribute("viewBox", `0 0 ${read?.width || 1} ${read?.height || 1}`);
  const edges = read?.sheet ? [drawn("polygon", { points: pointsOf(read.sheet), class: "sheet-edge" })] : [];
  part("outlines").replaceChildren(...edges, ...visible(current).map(outline), ...doubtful().map(mark));
}

function outline(line) {
  const made = drawn("polygon", { points: pointsOf(cornersOf(line)), class: line.kind });
  made.addEventListener("pointerenter", () => highlight(line, true));
  made.addEventListener("pointerleave", () => highlight(line, line === chosen));
  made.addEventListener("click", () => { if (!grab?.moved) { choose(line); rowOf(line)?.scrollIntoView({ block: "nearest" }); } });
  return made;
}

function mark({ word: one }) {
  const [x, y, width, height] = one.box;
  return drawn("rect", { x, y, width, height, class: one === word ? "current" : "" });
}

const outlineOf = (line) => part("outlines").querySelectorAll("polygon:not(.sheet-edge):not(.new)")[visible(current).indexOf(line)];

function highlight(line, on) {
  for (const shown of [rowOf(line), outlineOf(line)]) shown?.classList.toggle("highlighted", on);
}

function setZoom(to, at = null) {
  const view = part("window"), before = zoom;
  zoom = Math.min(8, Math.max(1, to));
  const [x, y] = at ?? [view.clientWidth / 2, view.clientHeight / 2], ratio = zoom / before;
  part("sheet").style.width = `${100 * zoom}%`;
  view.scrollTo((view.scrollLeft + x) * ratio - x, (view.scrollTop + y) * ratio - y);
  part("smaller").disabled = zoom <= 1;
}

// Move the picture so that a box, x, y, width and height, can be seen.
function reveal(box) {
  const view = part("window"), scale = part("sheet").clientWidth / (current.read?.width || 1);
  const [left, top, right, bottom] = [box[0], box[1], box[0] + box[2], box[1] + box[3]].map((edge) => edge * scale);
  if (left < view.scrollLeft || right > view.scrollLeft + view.clientWidth) view.scrollLeft = (left + right - view.clientWidth) / 2;
  if (top < view.scrollTop || bottom > view.scrollTop + view.clientHeight) view.scrollTop = (top + bottom - view.clientHeight) / 2;
}

// Enlarge the picture so far that a line can be read, if it is small.
function enlarge(line) {
  const height = line.box[3] * part("sheet").clientWidth / (current.read.width || 1);
  if (height > 0 && height < LEGIBLE) setZoom(Math.min(4, zoom * LEGIBLE / height));
}

function setDrawing(on) {
  part("draw").setAttribute("aria-pressed", String(on));
  part("window").classList.toggle("drawing", on);
  if (on) part("status").textContent = "Draw a frame around the line that is missing.";
}
const isDrawing = () => part("window").classList.contains("drawing");

// The place of a pointer in pixels of the page.
function placeOf(event) {
  const frame = part("sheet").getBoundingClientRect(), { width, height } = current.read;
  const inside = (value, most) => Math.round(Math.min(most, Math.max(0, value)));
  return [inside((event.clientX - frame.left) * width / frame.width, width), inside((event.clientY - frame.top) * height / frame.height, height)];
}

function press(event) {
  if (event.button !== 0 || !current?.read) return;
  const view = part("window");
  if (isDrawing()) {
    event.preventDefault();
    grab = { from: placeOf(event), frame: drawn("polygon", { class: "new" }) };
    part("outlines").append(grab.frame);
  } else if (event.pointerType === "mouse") grab = { x: event.clientX + view.scrollLeft, y: event.clientY + view.scrollTop };
  else grab = null; // a finger moves the picture as it moves any page
}

function drag(event) {
  if (!grab) return;
  const view = part("window");
  if (grab.frame) grab.frame.setAttribute("points", pointsOf(cornersOf({ box: boxBetween(grab.from, placeOf(event)), polygon: [] })));
  else if (event.buttons) {
    grab.moved ||= Math.hypot(grab.x - event.clientX - view.scrollLeft, grab.y - event.clientY - view.scrollTop) > 4;
    view.scrollTo(grab.x - event.clientX, grab.y - event.clientY);
  }
}

function release(event) {
  if (!grab?.frame) return;
  const box = boxBetween(grab.from, placeOf(event));
  grab.frame.remove();
  grab = null;
  setDrawing(false);
  if (box[2] > 4 && box[3] > 4) addLine(box);
}

const boxBetween = ([x, y], [right, bottom]) => [Math.min(x, right), Math.min(y, bottom), Math.abs(right - x), Math.abs(bottom - y)];

// ---- doubtful words

const doubtful = () => current ? visible(current).flatMap((line) => line.words.filter((one) => grade(one.confidence) === "low").map((one) => ({ line, word: one }))) : [];

function jump(by) {
  const found = doubtful();
  if (!found.length) return void (part("status").textContent = "No word of this page is doubtful.");
  const at = found.findIndex((one) => one.word === word);
  const to = found[at < 0 ? (by > 0 ? 0 : found.length - 1) : (at + by + found.length) % found.length];
  word = to.word;
  chosen = to.line;
  drawPage();
  rowOf(to.line).focus();
  rowOf(to.line).scrollIntoView({ block: "nearest" });
  reveal(word.box);
  part("status").textContent = `“${word.text}”: confidence ${percent(word.confidence)}. Enter edits the line.`;
}
