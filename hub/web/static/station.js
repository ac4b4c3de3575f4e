// The review station: one pouch at a time. Labels and command cards come by the one scan field; keys and touch do the same.
import { onUnanswered, resume, write } from "./api.js";
import { follow } from "./live.js";
import { show, showAnswer, waits } from "./result.js";
import { scanField } from "./scan.js";
import { wordsOf } from "./words.js";

const station = document.getElementById("station");
const place = document.getElementById("case");
const panel = document.getElementById("reasons");
const nothing = document.getElementById("nothing");
const cards = JSON.parse(station.dataset.cards);
const say = wordsOf(station);
// F8 is left alone: scanners send it for GS, in the midst of a maker's code.
const KEYS = { F2: "accept", F4: "reject", F7: "remake", F9: "next" };
const language = document.documentElement.lang;

// `wanted` is a decision that still needs a reason or the scan of the pouch's label.
const state = { inHand: "", wanted: null, busy: false, since: 0 };
const current = () => place.querySelector("[data-case]");

// ---- what is shown ----

// One pouch is brought at a time: an answer that came late would put what is shown, and what was chosen in it, away again.
let brought = Promise.resolve();

function bring(members = {}) {
  brought = brought.catch(() => {}).then(() => bringNow(members));
  return brought;
}

async function bringNow(members) {
  const answer = await write("/api/station/show", members, waits);
  if (!answer.ok) {
    showAnswer(answer, "");
    return false;
  }
  await placeCase(answer.body.case);
  return true;
}

async function placeCase(shown) {
  Object.assign(state, { inHand: "", wanted: null });
  panel.hidden = true;
  if (!shown) {
    place.replaceChildren(nothing);
    return;
  }
  const same = current()?.dataset;
  if (same?.case === shown.case && same.shown === shown.shown) return;
  const response = await fetch(`/station/case?case=${encodeURIComponent(shown.case)}&language=${language}`);
  if (!response.ok) return;
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html").body;
  place.replaceChildren(...fresh.childNodes);
  state.since = Date.now();
  for (const image of place.querySelectorAll("#frame")) image.addEventListener("error", gone);
}

function gone(event) {
  const text = document.createElement("p");
  text.className = "gone";
  text.textContent = document.getElementById("view").dataset.gone;
  event.target.replaceWith(text);
}

setInterval(() => {
  const looking = document.getElementById("looking");
  if (looking) looking.value = (Date.now() - state.since) / 1000;
}, 250);

// ---- deciding ----

async function decide(decision, { scanned = state.inHand, reason = "", unreadable = false } = {}) {
  const shown = current();
  if (!shown) return show("stop", say("nothing"));
  if (state.busy) return show("wait", say("busy"));
  state.busy = true;
  try {
    const { case: id, shown: token } = shown.dataset;
    const answer = await write("/api/station/decide", { case: id, shown: token, decision, scanned, reason, unreadable }, waits);
    await answered(answer, { decision, reason, unreadable });
  } finally {
    state.busy = false;
  }
  field.focus();
}

async function answered(answer, wanted) {
  if (!answer.ok) {
    showAnswer(answer, "");
    if (["decided", "look-again"].includes(answer.body.refused)) await bring();
    return;
  }
  const { body } = answer;
  panel.hidden = true;
  if (body.state === "scan") {
    state.wanted = wanted;
    show("run", say("scan", body));
    field.forgetLast();
    return;
  }
  if (body.state === "test") show(body.result === "missed" ? "stop" : "ok", language === "ru" ? body.told_ru : body.told);
  else show("ok", `${say(body.state, body)}${body.remade_as ? ` ${say("remade_as", body)}` : ""}`);
  await bring({});
}

function want(decision) {
  const shown = current();
  if (!shown) return show("stop", say("nothing"));
  const failed = shown.dataset.verdict === "FAIL";
  if (decision === "next") return bring({ after: shown.dataset.case });
  if (decision === "accept") return decide("accept");
  const unreadable = decision === "unreadable";
  const wanted = { decision: unreadable ? "remake" : decision, unreadable };
  if (failed && !unreadable) return decide(wanted.decision);
  state.wanted = wanted;
  panel.hidden = false;
  panel.scrollIntoView({ block: "nearest" });
  return undefined;
}

function because(reason) {
  if (!state.wanted || !reason) return undefined;
  const { decision, unreadable } = state.wanted;
  document.getElementById("reason-other").value = "";
  return decide(decision, { reason, unreadable });
}

function leave() {
  if (!state.wanted) return;
  state.wanted = null;
  panel.hidden = true;
  show("none", say("left"));
  field.forgetLast();
  field.focus();
}

// ---- what a scan means ----

async function scanned(text, latin) {
  const card = cards[text] || cards[latin];
  if (card) {
    field.forgetLast();
    const [command, reason] = card;
    if (command === "leave") return leave();
    return command === "reason" ? because(reason) : want(command);
  }
  const shown = current();
  const code = shown && shown.dataset.pack === text ? text : latin;
  if (state.wanted && panel.hidden) return decide(state.wanted.decision, { ...state.wanted, scanned: code });
  if (shown && shown.dataset.pack === code) {
    state.inHand = code;
    return show("run", say("in_hand", { pack: code }));
  }
  if (await bring({ pack: code })) {
    state.inHand = code;
    show("run", say("in_hand", { pack: code }));
  }
  return undefined;
}

// ---- touch and keys ----

station.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button?.dataset.deed) want(button.dataset.deed);
  else if (button?.dataset.reason) because(button.dataset.reason);
  else if (button?.dataset.frame) chooseFrame(button);
  else if (button?.id === "zoom" || event.target.closest("#view")) zoom(event);
  else if (button?.id === "reason-leave") leave();
});

function chooseFrame(button) {
  const image = document.getElementById("frame");
  if (!image) return;
  image.src = button.dataset.frame;
  image.alt = button.dataset.alt;
  for (const thumb of place.querySelectorAll(".thumb")) thumb.setAttribute("aria-pressed", String(thumb === button));
}

// The place that was touched stays under the finger.
function zoom(event) {
  const view = document.getElementById("view");
  const button = document.getElementById("zoom");
  const box = view.getBoundingClientRect();
  const inside = event.target.closest("#view") && event.clientX;
  const [x, y] = inside ? [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height] : [0.5, 0.5];
  const large = view.classList.toggle("large");
  button.setAttribute("aria-pressed", String(large));
  button.textContent = large ? button.dataset.on : button.dataset.off;
  view.scrollTo(x * (view.scrollWidth - view.clientWidth), y * (view.scrollHeight - view.clientHeight));
}

document.getElementById("reason-form").addEventListener("submit", (event) => {
  event.preventDefault();
  because(document.getElementById("reason-other").value.trim());
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") leave();
  if (event.key === "Enter" && event.target.id === "view") zoom(event);
  if (!KEYS[event.key] || event.repeat) return;
  event.preventDefault();
  want(KEYS[event.key]);
});

// ---- start ----

const field = scanField(document.getElementById("scan"), scanned, () => show("stop", say("full")));
follow(document.getElementById("queue"), () => {
  if (state.busy || state.wanted) return;
  if (current()) stillOpen();
  else if (document.querySelector("[data-cases]").dataset.cases.trim()) bring();
});

// The list is cut, so it is asked whether the case itself is open still; a hub that does not answer says nothing of it.
async function stillOpen() {
  const asked = current().dataset.case;
  const response = await fetch(`/station/case?case=${encodeURIComponent(asked)}&language=${language}`);
  await brought.catch(() => {});
  if (response.status !== 409 || state.busy || state.wanted || current()?.dataset.case !== asked) return;
  show("wait", say("gone"));
  bring();
}

onUnanswered(() => {});
// The line board leads here with the pouch that it stands for; where that one is decided meanwhile, the next is shown.
const named = new URLSearchParams(location.search).get("case");
resume(() => {}).then(async () => { if (!named || !await bring({ case: named })) await bring(); });
