// A trolley: drawer and pack by scan, or the pack alone; then seal, send, receive.
import { resume, write } from "./api.js";
import { follow } from "./live.js";
import { show, showAnswer, waits } from "./result.js";
import { scanField } from "./scan.js";

const board = document.getElementById("board");
const find = (name, value) => board.querySelector(`[data-${name}="${CSS.escape(value)}"]`);
const trolley = () => document.getElementById("trolley").dataset;
const STEPS = {
  seal: { ask: "Scan the number of the seal.", done: (seal) => `Sealed with ${seal}. It may leave now.` },
  receive: { ask: "Scan the seal to receive the trolley.", done: () => "Received. The seal is whole." },
  dispatch: { done: () => "Dispatched: on its way to the ward." },
  close: { done: () => "The round is closed." },
};
let drawer = "";
let step = "";

function choose(name) {
  drawer = name;
  mark();
}

function mark() {
  for (const chosen of board.querySelectorAll(".drawer.chosen")) chosen.classList.remove("chosen");
  if (drawer) find("drawer", drawer)?.classList.add("chosen");
}

async function scanned(text, latin) {
  if (step) return sealScanned(latin);
  const command = latin.toLowerCase();
  if (STEPS[command] && board.querySelector(`button[data-act="${command}"]`)) return begin(command);
  const code = find("drawer", text) || find("pack", text) ? text : latin;
  if (find("drawer", code)) {
    choose(code);
    return show("run", `Drawer ${code}. Now scan its pack.`);
  }
  return packScanned(code);
}

async function packScanned(code) {
  const pack = find("pack", code);
  const known = pack?.dataset;
  if (known?.place === "pull") {
    return told(await write("/api/trolleys/pull", { trolley: trolley().trolley, pack: code }, waits), () => `${code} is out. Put it to the returns.`);
  }
  const target = drawer || known?.in || "";
  const answer = await write("/api/trolleys/load", { trolley: trolley().trolley, drawer: target, pack: code }, waits);
  told(answer, (body) => `${code} into drawer ${target}. ${body.missing ? `${body.missing} packs are missing.` : "All packs are in: the trolley can be sealed."}`);
  if (answer.ok) choose("");
}

async function begin(name) {
  if (!STEPS[name].ask) return told(await write(`/api/trolleys/${name}`, { trolley: trolley().trolley }, waits), STEPS[name].done);
  step = name;
  const missing = Number(trolley().missing);
  const left = name === "seal" && missing ? `${missing} packs are missing: they stay behind and go by hand. ` : "";
  show(left ? "wait" : "run", `${left}${STEPS[name].ask} Esc leaves it.`);
  field.focus();
}

async function sealScanned(seal) {
  if (STEPS[seal.toLowerCase()]) return show("stop", "That is a command, not the number of a seal.");
  const name = step;
  step = "";
  told(await write(`/api/trolleys/${name}`, { trolley: trolley().trolley, seal }, waits), () => STEPS[name].done(seal));
}

function told(answer, good) {
  showAnswer(answer, answer.ok ? good(answer.body) : "");
  refresh();
}

board.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-act]");
  if (button) begin(button.dataset.act).then(() => field.focus());
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  step = "";
  choose("");
  field.forgetLast();
  show("none", "Scan a drawer and then its pack, or the pack alone.");
});

const refresh = follow(board, mark);
const field = scanField(document.getElementById("scan"), scanned, () => show("stop", "Too many scans wait. Wait for this line to change."));
resume((made, answer) => { showAnswer(answer, "What was scanned before is recorded."); refresh(); });
