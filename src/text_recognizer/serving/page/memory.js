// ---- what this browser remembers: the files, what was read on them, and what was changed

const STORE = "pages", KEPT = ["id", "file", "number", "preview", "state", "read", "problem", "lines", "undo", "sent", "answer"];

function store(mode, act) {
  return new Promise((done, fail) => {
    const opening = indexedDB.open("text-recognizer", 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(STORE, { keyPath: "id" });
    opening.onerror = () => fail(opening.error);
    opening.onsuccess = () => {
      const transaction = opening.result.transaction(STORE, mode), asked = act(transaction.objectStore(STORE));
      transaction.oncomplete = () => { opening.result.close(); done(asked?.result); };
      transaction.onerror = transaction.onabort = () => { opening.result.close(); fail(transaction.error); };
    };
  });
}

// A browser may have no room for this, or forbid it. Then the pages live as long as the tab.
const quietly = (work) => work.catch((problem) => { console.warn("not remembered:", problem); });

function remember(page) {
  part("forget").hidden = false;
  const kept = Object.fromEntries(KEPT.map((name) => [name, page[name]]));
  return quietly(store("readwrite", (all) => all.put({ ...kept, place: pages.indexOf(page) })));
}

const forgetPage = (page) => quietly(store("readwrite", (all) => all.delete(page.id)));

async function recall() {
  const found = await quietly(store("readonly", (all) => all.getAll())) ?? [];
  // Somebody may have added pages before the browser has answered.
  const known = new Set(pages.map((page) => page.id)), kept = found.filter((one) => !known.has(one.id)).sort((one, other) => one.place - other.place);
  const recalled = kept.map(({ place, ...values }) => ({ ...newPage(values.file), ...values }));
  pages.unshift(...recalled);
  for (const page of recalled) if (page.state !== "done") waiting.push(page); else picture(page);
  if (recalled.length) { part("forget").hidden = false; show(current ?? pages[0]); }
  await readAll();
}

async function forget() {
  if (pages.some(hasUnsent) && !confirm("Forget all pages, and what you have changed on them?")) return;
  waiting.length = 0;
  for (const page of pages) if (page.shown) URL.revokeObjectURL(page.shown);
  pages = [];
  current = chosen = editing = word = null;
  for (const name of ["result", "error", "strip", "forget", "keys"]) part(name).hidden = true;
  part("strip").replaceChildren();
  document.body.classList.remove("small");
  await quietly(store("readwrite", (all) => all.clear()));
  part("status").textContent = "This browser has forgotten all pages.";
}
