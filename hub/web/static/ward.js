// The bedside: wristband, then pack. Nothing counts as given before the hub has said so.
import { onUnanswered, resume, write } from "./api.js";
import { follow } from "./live.js";
import { show, showAnswer, waits } from "./result.js";
import { scanField } from "./scan.js";

const board = document.getElementById("board");
const say = JSON.parse(board.dataset.words);
const SERIAL = /^[0-9A-Z]{12}$/;
const LEAST_BETWEEN_MS = 5000;
const find = (name, value) => board.querySelector(`[data-${name}="${CSS.escape(value)}"]`);
let patient = "";
let wardDose = "";

function choose(code) {
  patient = code;
  wardDose = "";
  const row = code && find("patient", code);
  const panel = document.getElementById("patient");
  panel.hidden = !code;
  document.getElementById("patient-name").textContent = row ? row.dataset.name : `${say.wristband} ${code}`;
  document.getElementById("patient-place").textContent = row ? row.dataset.place : say.not_listed;
  mark();
  if (row) row.scrollIntoView({ block: "nearest" });
}

function mark() {
  for (const chosen of board.querySelectorAll(".chosen")) chosen.classList.remove("chosen");
  if (patient) find("patient", patient)?.classList.add("chosen");
}

async function scanned(text, latin) {
  const code = find("patient", text) || find("pack", text) ? text : latin;
  if (wardDose) return giveFromWard(code);
  if (find("patient", code)) return wristband(code);
  if (!patient) {
    if (SERIAL.test(code) || find("pack", code)) return show("stop", say.is_pack);
    return wristband(code);
  }
  return told(await write("/api/bedside/give", { patient_code: patient, pack_code: code }, waits), say.given, patient);
}

function wristband(code) {
  choose(code);
  const row = find("patient", code);
  if (row) show("run", say.scan_pack);
  else show("wait", say.nothing);
}

async function giveFromWard(code) {
  const dose = wardDose;
  wardDose = "";
  const members = { patient_code: patient, dose, source_code: code };
  return told(await write("/api/bedside/give-ward", members, waits), say.from_ward, patient);
}

function told(answer, good, code) {
  const row = find("patient", code);
  showAnswer(answer, row ? `${good} ${row.dataset.name}` : good);
  refresh();
}

// ---- not given ----

const dialog = document.getElementById("reason-dialog");
let refused = null;

board.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-act]");
  if (!button) return;
  const { dose, pack, ward, what } = button.closest("[data-dose]").dataset;
  const row = button.closest("[data-patient]").dataset;
  if (button.dataset.act === "not-given") {
    refused = { patient_code: row.patient, ...(ward === "yes" ? { dose } : { pack_code: pack }) };
    document.getElementById("reason-about").textContent = `${what}, ${row.name}`;
    dialog.showModal();
  } else if (patient !== row.patient) {
    show("stop", say.this_first);
  } else {
    wardDose = dose;
    show("run", `${what}: ${say.source}`);
    field.focus();
  }
});

if (dialog) {
  const record = async (button) => {
    const members = { ...refused, reason: button.dataset.reason };
    dialog.close();
    told(await write("/api/bedside/not-given", members, waits), `${say.recorded} ${button.textContent}.`, members.patient_code);
  };
  for (const button of dialog.querySelectorAll("[data-reason]")) button.addEventListener("click", () => record(button));
  // A scan that comes now must not choose a reason.
  dialog.querySelector("form").addEventListener("submit", (event) => event.preventDefault());
  document.getElementById("reason-cancel").addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => field.focus());
}

// ---- start ----

const refresh = follow(board, mark, LEAST_BETWEEN_MS);
const form = document.getElementById("scan");
const field = form && scanField(form, scanned, () => show("stop", say.many));
if (form) {
  const input = form.querySelector("input");
  const keyboard = document.getElementById("keyboard");
  input.inputMode = "none";
  keyboard.addEventListener("click", () => {
    const typed = input.inputMode === "none";
    input.inputMode = typed ? "text" : "none";
    keyboard.setAttribute("aria-pressed", String(typed));
    input.blur();
    input.focus();
  });
  document.getElementById("patient-leave").addEventListener("click", () => {
    choose("");
    show("none", say.first);
    field.focus();
  });
  onUnanswered((count) => {
    const pending = document.getElementById("pending");
    pending.hidden = !count;
    pending.textContent = count ? `❚❚ ${say.pending} ${count}` : "";
  });
  resume((made, answer) => { showAnswer(answer, say.before); refresh(); });
}
