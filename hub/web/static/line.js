// The packing line: one scan field for everything. What is scanned, and what was tapped before, says what is meant.
import { onUnanswered, resume, write } from "./api.js";
import { doubtDialog } from "./doubt.js";
import { follow } from "./live.js";
import { show, showAnswer, waits } from "./result.js";
import { scanField } from "./scan.js";
import { wordsOf } from "./words.js";

const board = document.getElementById("board");
const say = wordsOf(board);
const task = { kind: "", id: "", title: "", steps: [], done: [] };
const find = (name, value) => board.querySelector(`[data-${name}="${CSS.escape(value)}"]`);

function showTask() {
  const box = document.getElementById("task");
  box.hidden = !task.kind;
  document.getElementById("task-title").textContent = task.title;
  const steps = task.steps.map((text, at) => {
    const item = document.createElement("li");
    item.textContent = text;
    if (at < task.done.length) item.className = "done";
    if (at === task.done.length) item.setAttribute("aria-current", "step");
    return item;
  });
  document.getElementById("task-steps").replaceChildren(...steps);
  mark();
}

function mark() {
  for (const chosen of board.querySelectorAll(".chosen")) chosen.classList.remove("chosen");
  const row = task.kind && find({ pick: "pick", issue: "requisition" }[task.kind], task.id);
  if (row) row.classList.add("chosen");
}

function start(kind, id, title, steps) {
  Object.assign(task, { kind, id, title, steps, done: [] });
  showTask();
}

function leave() {
  start("", "", "", []);
}

async function send(path, members, good) {
  const answer = await write(path, members, waits);
  showAnswer(answer, typeof good === "function" && answer.ok ? good(answer.body) : good);
  refresh();
  return answer.ok;
}

// ---- what a scan means ----

async function scanned(text, latin) {
  const code = find("pick", text) || find("reject", text) || find("pack", text) ? text : latin;
  // A maker's code is never translated from another layout: its letters are told apart by case, and the hub refuses it with the reason.
  const source = /01\d{14}/.test(latin) ? text : code;
  if (task.kind === "issue") return issueScanned(source);
  if (find("reject", code)) return send("/api/rejects", { pack: code }, destroyed(code));
  if (task.kind === "pick" && !find("pick", code)) return sourceScanned(source);
  const review = find("pack", code);
  if (review) return askAbout(review);
  return startPick(code);
}

const destroyed = (pack) => (body) => `${say("destroyed", { pack })}${body.remade_as ? ` ${say("remade", body)}` : ""}`;

function askAbout(review) {
  review.scrollIntoView({ block: "nearest" });
  show("wait", say("look_there", review.dataset));
}

async function issueScanned(code) {
  const requisition = task.id;
  const name = task.title;
  if (await send("/api/requisitions", { requisition, packs: [code] }, say("issued", { name }))) leave();
}

async function startPick(code) {
  const pick = find("pick", code) ? contentsOf(find("pick", code)) : await lookedUp(code);
  if (!pick) {
    const answer = await write("/api/picks", { label: code, packs: [code] }, waits);
    if (answer.body.refused === "replaced") return showAnswer(answer, "");
    show("stop", say("not_ours", { code }));
    return;
  }
  const steps = pick.map((content) => say("step", content));
  start("pick", code, say("bag", { pack: code }), steps);
  show("run", say("source", { step: steps[0] }));
}

const contentsOf = (row) => JSON.parse(row.dataset.contents);

// A bag that is too far down the list to be shown.
async function lookedUp(code) {
  try {
    const response = await fetch("/api/picks");
    const picks = response.ok ? await response.json() : [];
    return picks.find((pick) => pick.pack === code)?.contents;
  } catch {
    return undefined;
  }
}

async function sourceScanned(code) {
  task.done.push(code);
  showTask();
  if (task.done.length < task.steps.length) {
    show("run", say("next_source", { step: task.steps[task.done.length] }));
    return;
  }
  const { id, done } = task;
  const released = await send("/api/picks", { label: id, packs: done }, say("filled", { pack: id }));
  if (released) leave();
  else {
    task.done = [];
    showTask();
  }
}

// ---- what a tap means ----

let rejecting = null;

function askWhy(what, about) {
  rejecting = what;
  document.getElementById("reject-about").textContent = about;
  document.getElementById("reject-dialog").showModal();
}

board.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-act]");
  if (!button) return;
  const review = button.closest("[data-review]");
  const row = button.closest("li");
  if (button.dataset.act === "accept") {
    send("/api/reviews", { review: review.dataset.review, decision: "accept", pack: "", reason: "" }, say("settled"));
  } else if (button.dataset.act === "leave") {
    send("/api/reviews", { review: review.dataset.review, decision: "reject", pack: "", reason: button.dataset.reason }, say("left_as_is"));
  } else if (button.dataset.act === "reject") {
    askWhy({ review: review.dataset.review }, say("pouch", review.dataset));
  } else if (button.dataset.act === "unreadable") {
    askWhy({ pack: row.dataset.reject }, say("cannot_scan", { pack: row.dataset.reject }));
  } else if (button.dataset.act === "new-label") {
    send("/api/picks/label", { label: row.dataset.pick }, button.dataset.said);
    field.focus();
  } else if (button.dataset.act === "count") {
    askHowMany(button.closest("[data-doubt]").dataset);
  } else if (button.dataset.act === "end") {
    askHowMany(button.closest("[data-doubt]").dataset, "end");
  } else if (button.dataset.act === "issue") {
    start("issue", row.dataset.requisition, row.dataset.name, []);
    show("run", say("scan_issue", row.dataset));
    field.focus();
  }
});

const dialog = document.getElementById("reject-dialog");
if (dialog) {
  const other = document.getElementById("reject-other");
  const reject = (reason) => {
    other.value = "";
    dialog.close();
    const what = rejecting;
    rejecting = null;
    if (what.review) send("/api/reviews", { review: what.review, decision: "reject", pack: "", reason }, say("rejected"));
    else send("/api/rejects", { pack: what.pack, unreadable: true, reason }, destroyed(what.pack));
    leave();
  };
  for (const button of dialog.querySelectorAll("[data-reason]")) button.addEventListener("click", () => reject(button.dataset.reason));
  dialog.querySelector("form").addEventListener("submit", (event) => {
    event.preventDefault();
    if (other.value.trim()) reject(other.value.trim());
  });
  document.getElementById("reject-cancel").addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => field.focus());
}

// ---- start ----

const refresh = follow(board, mark);
const askHowMany = doubtDialog((text) => { show("ok", text); refresh(); field.focus(); });
const form = document.getElementById("scan");
const field = form && scanField(form, scanned, () => show("stop", say("full")));
if (form) {
  document.getElementById("task-cancel").addEventListener("click", () => { leave(); field.focus(); });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && task.kind && !document.querySelector("dialog[open]")) { leave(); field.forgetLast(); show("none", say("left")); }
  });
  onUnanswered(() => {});
  resume((made, answer) => { showAnswer(answer, say("before")); refresh(); });
}
