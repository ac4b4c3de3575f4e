// Makers' packs: a scan is received with what was typed beside it; a number that nobody told yet goes into the pharmacist's form.
import { write } from "./api.js";
import { show, showAnswer, waits } from "./result.js";
import { scanField } from "./scan.js";

const typed = document.getElementById("typed");
const tell = document.getElementById("tell");
const filled = (form) => Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, value.trim()]).filter(([, value]) => value));
const said = (text, parts) => text.replace(/\{(\w+)\}/g, (_, name) => parts[name]);

// The text as it came: letters of another layout are refused by the hub and never guessed.
async function scanned(text) {
  const members = filled(typed);
  if (!members.unit_cost) {
    show("wait", typed.dataset.cost);
    return typed.elements.unit_cost.focus();
  }
  const answer = await write("/api/stock/receipts", { packs: [{ code: text, ...members }] }, waits);
  showAnswer(answer, answer.ok ? said(typed.dataset.received, answer.body.packs[0]) : "");
  const gtin = /01(\d{14})/.exec(text);
  if (tell && gtin && answer.body?.refused === "unknown-gtin") {
    document.getElementById("gtin").value = gtin[1];
    document.getElementById("gtin-item").focus();
  }
  return undefined;
}

const field = scanField(document.getElementById("scan"), scanned, waits);

// What was refused may be scanned again at once, with another thing typed.
typed.addEventListener("input", () => field.forgetLast());
typed.addEventListener("submit", (event) => {
  event.preventDefault();
  field.focus();
});
tell?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const members = filled(tell);
  const answer = await write("/api/gtins", members, waits);
  if (showAnswer(answer, said(tell.dataset.told, members))) {
    tell.reset();
    field.forgetLast();
    field.focus();
  }
});
