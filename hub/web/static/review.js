// Lines in review: every ruling is a pharmacist's own, with its reason; nothing is chosen beforehand and nothing is sent without the dialog.
import { write } from "./api.js";
import { follow } from "./live.js";
import { reasonOf } from "./result.js";

const page = document.getElementById("review");
const board = document.getElementById("board");
const told = document.getElementById("told");
const dialog = document.getElementById("ask-dialog");
const part = (name) => document.getElementById(`ask-${name}`);
const outcomes = JSON.parse(page.dataset.outcomes);
const russian = page.lang === "ru";
const PATHS = { release: "/api/review/release", dose: "/api/review/dose", course: "/api/review/duration", infusion: "/api/review/duration", allergy: "/api/lines/allergy", validate: "/api/lines/validate", refuse: "/api/lines/refuse", withdraw: "/api/review/withdraw" };
const CONFIRMED = new Set(["release", "dose", "course", "infusion", "allergy"]);
let asked = null;
let busy = false;

// What a button says beside the order and the reason.
function membersOf(button) {
  const { act, dose, allergy, ruling } = button.dataset;
  const doubt = button.closest("[data-rule]");
  if (act === "release") return { rule: doubt.dataset.rule, about: doubt.dataset.aboutKey };
  if (act === "dose") return { dose };
  if (act === "course" || act === "infusion") return { meaning: act };
  if (act === "allergy") return { allergy };
  return act === "withdraw" ? { ruling } : {};
}

function open(button) {
  const card = button.closest("[data-card]");
  const { act, title, matter, second } = button.dataset;
  asked = { act, order: card.dataset.order, members: membersOf(button) };
  part("title").textContent = title.replace(/ …$/, "");
  part("about").textContent = `${card.dataset.about}: ${matter}`;
  part("label").textContent = act === "refuse" ? part("label").dataset.refuse : part("label").dataset.release;
  part("second").hidden = !second;
  for (const name of ["reason", "badge", "pin"]) part(name).value = "";
  refuse("");
  dialog.showModal();
  part("reason").focus();
}

function refuse(text) {
  part("refused").hidden = !text;
  part("refused").textContent = text;
}

function tell(answer) {
  const waits = answer.body.outcome === "needs-review";
  const reasons = answer.body.reasons.map((reason) => (russian && reason.text_ru) || reason.text).join("; ");
  told.textContent = (waits ? page.dataset.still : page.dataset.on).replace("{outcome}", outcomes[answer.body.outcome]).replace("{planned}", answer.body.planned ?? "").replace("{reasons}", reasons);
  told.classList.toggle("waits", waits);
  told.hidden = false;
}

dialog.querySelector("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  if (busy) return;
  busy = true;
  refuse("");
  const confirmed = CONFIRMED.has(asked.act);
  const second = confirmed ? { second_badge: part("badge").value.trim(), second_pin: part("pin").value } : {};
  const members = { order: asked.order, reason: part("reason").value.trim(), ...asked.members, ...second };
  try {
    const answer = await write(PATHS[asked.act], members, () => refuse(page.dataset.waits), { secret: confirmed });
    part("pin").value = "";
    if (!answer.ok) {
      if (answer.body.refused === "second-person") part("second").hidden = false;
      return refuse(reasonOf(answer));
    }
    dialog.close();
    tell(answer);
    await refresh();
    return told.focus();
  } finally {
    busy = false;
  }
});
part("cancel").addEventListener("click", () => dialog.close());
board.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-act]");
  if (button) open(button);
});

// The arrows go through the lines, a number presses the button of that number in the line that has the focus.
document.addEventListener("keydown", (event) => {
  if (dialog.open || event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input")) return;
  const cards = [...board.querySelectorAll("[data-card]")].filter((card) => card.getClientRects().length);
  const here = event.target.closest("[data-card]");
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step && cards.length) {
    event.preventDefault();
    const at = here ? cards.indexOf(here) + step : 0;
    cards[Math.min(Math.max(at, 0), cards.length - 1)].focus();
  } else if (here && /^[1-9]$/.test(event.key)) {
    const button = here.querySelectorAll("button[data-act]")[Number(event.key) - 1];
    if (!button) return;
    event.preventDefault();
    open(button);
  }
});

const refresh = follow(board);
