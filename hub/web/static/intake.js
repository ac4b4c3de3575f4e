// Intake: a file is looked at first; what is taken in is what was shown, or nothing. The bytes are read once and kept for both.
import { write } from "./api.js";
import { follow } from "./live.js";
import { reasonOf } from "./result.js";

const UPLOAD_MS = 120000;
const page = document.getElementById("intake");
const preview = document.getElementById("preview");
const told = document.getElementById("told");
const dialog = document.getElementById("reason-dialog");
const refresh = follow(document.getElementById("board"));
let chosen = null;
let asked = null;

const query = (members) => new URLSearchParams(members).toString();

function say(text, bad = false) {
  told.textContent = text;
  told.className = bad ? "told bad" : "told";
  told.hidden = !text;
  if (text) told.focus();
}

function leave() {
  preview.hidden = true;
  preview.replaceChildren();
  chosen = null;
  document.getElementById("file").value = "";
}

async function ask(path, options = {}) {
  try {
    const response = await fetch(path, { signal: AbortSignal.timeout(UPLOAD_MS), redirect: "manual", ...options });
    if (response.type === "opaqueredirect" || response.status === 401) location.assign(`/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`);
    const is = response.headers.get("content-type") || "";
    const body = is.includes("json") ? await response.json() : { html: await response.text() };
    return { ok: response.ok, status: response.status, body };
  } catch {
    return { ok: false, status: 0, body: { reason: page.dataset.failed } };
  }
}

function show(answer) {
  if (!answer.ok || answer.body.html === undefined) {
    leave();
    return say(reasonOf(answer), true);
  }
  say("");
  const fresh = new DOMParser().parseFromString(answer.body.html, "text/html").body;
  preview.replaceChildren(...fresh.childNodes);
  preview.hidden = false;
  const title = document.getElementById("preview-title");
  title.focus({ preventScroll: true });
  return preview.scrollIntoView({ block: "start" });
}

async function look(file) {
  const form = document.getElementById("upload");
  if (!form.reportValidity()) {
    document.getElementById("file").value = "";
    return;
  }
  const { source, kind } = Object.fromEntries(new FormData(form));
  say(page.dataset.reading);
  try {
    chosen = await file.arrayBuffer();
  } catch {
    leave();
    say(page.dataset.failed, true);
    return;
  }
  show(await ask(`/intake/look?${query({ kind, source, name: file.name, language: page.lang })}`, { method: "POST", body: chosen }));
}

async function lookAtHeld(sheet) {
  leave();
  show(await ask(`/intake/held/${sheet}?${query({ language: page.lang })}`));
}

function end(answer, good) {
  const held = answer.body && ["suspiciously-small", "older-sheet"].includes(answer.body.refused);
  if (answer.ok || held) leave();
  if (held) say(`${reasonOf(answer)} ${page.dataset.held}`);
  else say(answer.ok ? good : reasonOf(answer), !answer.ok);
  refresh();
}

async function take(confirmed) {
  const { state, kind, source, name, sheet } = preview.querySelector(".preview").dataset;
  if (sheet) return end(await write("/api/intake/held", { sheet, decision: "take", state }, () => say(page.dataset.waits)), page.dataset.taken);
  const path = `/api/intake/take?${query({ kind, source, name, state, confirmed })}`;
  return end(await ask(path, { method: "POST", body: chosen }), page.dataset.taken);
}

// Asks for a reason and sends it; the dialog closes by Escape without an effect.
function askWhy(title, about, send) {
  const head = document.getElementById("reason-title");
  head.textContent = head.dataset[title];
  document.getElementById("reason-about").textContent = about;
  document.getElementById("reason").value = "";
  asked = send;
  dialog.showModal();
  document.getElementById("reason").focus();
}

const deeds = {
  take: () => take(false),
  confirm: () => take(true),
  discard: () => {
    leave();
    say(page.dataset.discarded);
  },
  "discard-held": () => {
    const { sheet, name } = preview.querySelector(".preview").dataset;
    askWhy("discard", name, async (why) => end(await write("/api/intake/held", { sheet, decision: "discard", reason: why }, () => say(page.dataset.waits)), page.dataset.discarded));
  },
  look: (row) => lookAtHeld(row.dataset.sheet),
  clear: (row) => {
    const { alarm } = row.dataset;
    const about = row.querySelector("p").textContent;
    askWhy("clear", about, async (why) => end(await write("/api/intake/alarms", { alarm, reason: why }, () => say(page.dataset.waits)), page.dataset.cleared));
  },
};

page.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-act]");
  if (!button || button.disabled) return;
  button.disabled = true;
  try {
    await deeds[button.dataset.act](button.closest("[data-alarm]"));
  } finally {
    button.disabled = false;
  }
});

document.getElementById("reason-form").addEventListener("submit", () => {
  const why = document.getElementById("reason").value.trim();
  if (why && asked) asked(why);
  asked = null;
});
document.getElementById("reason-cancel").addEventListener("click", () => dialog.close());

document.getElementById("file").addEventListener("change", (event) => {
  if (event.target.files.length) look(event.target.files[0]);
});

const drop = document.getElementById("drop");
for (const name of ["dragover", "dragenter"]) {
  drop.addEventListener(name, (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
}
drop.addEventListener("dragleave", () => drop.classList.remove("over"));
// A file that misses the place must not take the page away.
for (const name of ["dragover", "drop"]) addEventListener(name, (event) => event.preventDefault());
drop.addEventListener("drop", (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  if (event.dataTransfer.files.length) look(event.dataTransfer.files[0]);
});
document.getElementById("upload").addEventListener("submit", (event) => event.preventDefault());
