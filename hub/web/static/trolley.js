// A trolley: drawer and pack by scan, or the pack alone; then seal, send, receive.
import { resume, write } from "./api.js";
import { follow } from "./live.js";
import { show, showAnswer, waits } from "./result.js";
import { scanField } from "./scan.js";
import { wordsOf } from "./words.js";

const board = document.getElementById("board");
const say = wordsOf(board);
const find = (name, value) => board.querySelector(`[data-${name}="${CSS.escape(value)}"]`);
const trolley = () => document.getElementById("trolley").dataset;
// Whether a step asks for the number of the seal.
const STEPS = { seal: true, receive: true, dispatch: false, close: false };
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
  if (Object.hasOwn(STEPS, command) && board.querySelector(`button[data-act="${command}"]`)) return begin(command);
  const code = find("drawer", text) || find("pack", text) ? text : latin;
  if (find("drawer", code)) {
    choose(code);
    return show("run", say("drawer", { drawer: code }));
  }
  return packScanned(code);
}

async function packScanned(code) {
  const pack = find("pack", code);
  const known = pack?.dataset;
  if (known?.place === "pull") {
    return told(await write("/api/trolleys/pull", { trolley: trolley().trolley, pack: code }, waits), (body) => say(`out_${body.deed}`, { pack: code }));
  }
  const target = drawer || known?.in || "";
  const answer = await write("/api/trolleys/load", { trolley: trolley().trolley, drawer: target, pack: code }, waits);
  told(answer, (body) => `${say("loaded", { pack: code, drawer: target })} ${body.missing ? say("still_missing", body) : say("all_in")}`);
  if (answer.ok) choose("");
}

async function begin(name) {
  if (!STEPS[name]) return told(await write(`/api/trolleys/${name}`, { trolley: trolley().trolley }, waits), () => say(`${name}_done`));
  step = name;
  const missing = Number(trolley().missing);
  const left = name === "seal" && missing ? `${say("stay_behind", { missing })} ` : "";
  show(left ? "wait" : "run", `${left}${say(`${name}_ask`)} ${say("leaves")}`);
  field.focus();
}

async function sealScanned(seal) {
  if (Object.hasOwn(STEPS, seal.toLowerCase())) return show("stop", say("no_number"));
  const name = step;
  step = "";
  told(await write(`/api/trolleys/${name}`, { trolley: trolley().trolley, seal }, waits), () => say(`${name}_done`, { seal }));
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
  show("none", say("prompt"));
});

const refresh = follow(board, mark);
const field = scanField(document.getElementById("scan"), scanned, () => show("stop", say("full")));
resume((made, answer) => { showAnswer(answer, say("before")); refresh(); });
