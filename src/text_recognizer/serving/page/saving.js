// ---- copying and downloading

const SUFFIXES = { text: ".txt", markdown: ".md", pdf: ".pdf", page: ".page.xml", alto: ".alto.xml", hocr: ".hocr", json: ".json" };

async function copy() {
  const text = textOf(current);
  let done = true;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Browsers let only secure pages use the clipboard directly. On others a field with the text alone is copied.
    const field = element("textarea", { value: text, className: "unseen" });
    document.body.append(field);
    field.select();
    done = document.execCommand("copy");
    field.remove();
    part("copy").focus();
  }
  part("status").textContent = done ? "Copied." : "This browser did not let the text be copied.";
}

// The page as the server takes it: as it read the page, with the lines as they are now.
function recordOf(page) {
  const lines = visible(page).map(({ corrected, ...line }) => line);
  return { ...page.read, lines, text: textOf(page), confidence: confidenceOf(page) };
}

async function exported(page, kind) {
  const form = kind === "pdf" ? formWith(page, {}) : new FormData();
  form.append("page", JSON.stringify(recordOf(page)));
  return (await ask(`export?format=${kind}`, { method: "POST", body: form })).blob();
}

function fileName(page, kind) {
  const stem = nameOf(page).replace(/\.\w+$/, "");
  return `${stem}${page.read.pages > 1 ? `-${page.read.page}` : ""}${SUFFIXES[kind]}`;
}

function save(blob, name) {
  const link = element("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

async function download() {
  const kind = part("format").value;
  try {
    save(await exported(current, kind), fileName(current, kind));
  } catch (problem) {
    part("status").textContent = Object.values(problemOf(problem)).join(" ");
  }
}

async function downloadAll() {
  const kind = part("format").value, files = [];
  try {
    for (const page of pages.filter((one) => one.read)) {
      part("status").textContent = `Writing ${titleOf(page)} …`;
      files.push([fileName(page, kind), new Uint8Array(await (await exported(page, kind)).arrayBuffer())]);
    }
    save(zipped(files), "pages.zip");
    part("status").textContent = `Saved ${files.length} pages as pages.zip.`;
  } catch (problem) {
    part("status").textContent = Object.values(problemOf(problem)).join(" ");
  }
}

// ---- a zip archive whose members are not compressed; the format: APPNOTE.TXT of PKWARE

const CRC = Uint32Array.from({ length: 256 }, (_, value) => { for (let bit = 0; bit < 8; bit++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1; return value; });
const crc = (bytes) => ~bytes.reduce((sum, byte) => CRC[(sum ^ byte) & 255] ^ (sum >>> 8), -1) >>> 0;

// Write numbers, each with its size in bytes, little end first.
function packed(...numbers) {
  const view = new DataView(new ArrayBuffer(numbers.reduce((sum, [, size]) => sum + size, 0)));
  let at = 0;
  for (const [value, size] of numbers) { if (size === 2) view.setUint16(at, value, true); else view.setUint32(at, value, true); at += size; }
  return new Uint8Array(view.buffer);
}

function zipped(files) {
  const pieces = [], entries = [], used = new Set();
  let at = 0;
  for (const [name, bytes] of files) {
    let unique = name;
    for (let count = 2; used.has(unique); count++) unique = name.replace(/(\.|$)/, `-${count}$1`);
    used.add(unique);
    const title = new TextEncoder().encode(unique);
    // Version 2.0; flag 11: the name is UTF-8; method 0: stored; no time; 1 January 1980.
    const common = [[20, 2], [1 << 11, 2], [0, 2], [0, 2], [33, 2], [crc(bytes), 4], [bytes.length, 4], [bytes.length, 4], [title.length, 2], [0, 2]];
    pieces.push(packed([0x04034b50, 4], ...common), title, bytes);
    entries.push(packed([0x02014b50, 4], [20, 2], ...common, [0, 2], [0, 2], [0, 2], [0, 4], [at, 4]), title);
    at += 30 + title.length + bytes.length;
  }
  const size = entries.reduce((sum, piece) => sum + piece.length, 0);
  const end = packed([0x06054b50, 4], [0, 2], [0, 2], [files.length, 2], [files.length, 2], [size, 4], [at, 4], [0, 2]);
  return new Blob([...pieces, ...entries, end], { type: "application/zip" });
}
