// Makers' packs: a scan is received with what was typed beside it; a number that nobody told yet goes into the pharmacist's form.
import { write } from "./api.js";
import { show, showAnswer, waits } from "./result.js";
import { scanField } from "./scan.js";

const typed = document.getElementById("typed");
const tell = document.getElementById("tell");
const filled = (form) => Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, value.trim()]).filter(([, value]) => value));
const OF_A_PACK = ["lot", "expires_on", "units", "item"];
// The number of the pack that was received last with what is typed; that is not taken for a pack of another number.
let about = "";
const said = (text, parts) => text.replace(/\{(\w+)\}/g, (_, name) => parts[name]);

// The text as it came: letters of another layout are refused by the hub and never guessed.
async function scanned(text) {
  const members = filled(typed);
  if (!members.unit_cost) {
    show("wait", typed.dataset.cost);
    return typed.elements.unit_cost.focus();
  }
  const number = /01(\d{14})/.exec(text)?.[1] || text;
  if (about && about !== number && OF_A_PACK.some((name) => members[name])) {
    for (const name of OF_A_PACK) document.getElementById(name).value = "";
    about = "";
    field.forgetLast();
    return show("wait", typed.dataset.anew);
  }
  const answer = await write("/api/stock/receipts", { packs: [{ code: text, ...members }] }, waits);
  showAnswer(answer, answer.ok ? said(answer.body.packs[0].lot_said ? typed.dataset.receivedAs : typed.dataset.received, answer.body.packs[0]) : "");
  if (answer.ok) about = number;
  if (tell && answer.body?.refused === "unknown-gtin") {
    document.getElementById("gtin").value = number;
    document.getElementById("gtin-item").focus();
  }
  return undefined;
}

const field = scanField(document.getElementById("scan"), scanned, waits);

// What was refused may be scanned again at once, with another thing typed.
typed.addEventListener("input", () => {
  about = "";
  field.forgetLast();
});
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
