// The bedside: wristband, then pack. Nothing counts as given before the hub has said so.
import { onUnanswered, resume, write } from "./api.js";
import { follow } from "./live.js";
import { show, showAnswer, waits } from "./result.js";
import { scanField } from "./scan.js";

const board = document.getElementById("board");
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
  document.getElementById("patient-name").textContent = row ? row.dataset.name : `Wristband ${code}`;
  document.getElementById("patient-place").textContent = row ? row.dataset.place : "nothing of this list is for this wristband";
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
    if (SERIAL.test(code) || find("pack", code)) return show("stop", "This is a pack. Scan the patient's wristband first.");
    return wristband(code);
  }
  return told(await write("/api/bedside/give", { patient_code: patient, pack_code: code }, waits), "Given.", patient);
}

function wristband(code) {
  choose(code);
  const row = find("patient", code);
  if (row) show("run", "Scan the pack.");
  else show("wait", "Nothing is due here for this wristband. Scan the pack to ask the hub, or another wristband.");
}

async function giveFromWard(code) {
  const dose = wardDose;
  wardDose = "";
  const members = { patient_code: patient, dose, source_code: code };
  return told(await write("/api/bedside/give-ward", members, waits), "Given from the ward's stock.", patient);
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
    show("stop", "Scan this patient's wristband first.");
  } else {
    wardDose = dose;
    show("run", `${what}: scan the ampoule's or vial's pack.`);
    field.focus();
  }
});

if (dialog) {
  const record = async (button) => {
    const members = { ...refused, reason: button.dataset.reason };
    dialog.close();
    told(await write("/api/bedside/not-given", members, waits), `Recorded as not given: ${button.textContent}.`, members.patient_code);
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
const field = form && scanField(form, scanned, () => show("stop", "Too many scans wait. Wait for this line to change."));
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
    show("none", "Scan the patient's wristband.");
    field.focus();
  });
  onUnanswered((count) => {
    const pending = document.getElementById("pending");
    pending.hidden = !count;
    pending.textContent = count ? `❚❚ Not answered yet: ${count}` : "";
  });
  resume((made, answer) => { showAnswer(answer, "What was scanned before is recorded."); refresh(); });
}
