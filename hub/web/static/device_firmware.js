// Firmware: what lies in the machine's slots, an update that the hub conducts, and its progress. The file is sent once; what is lost
// on the way between hub and machine the hub carries on, also while nobody looks.
import { eventId } from "./api.js";
import { words } from "./device_act.js";
import { ask } from "./device_journal.js";

const LIMIT_BYTES = 1048576 + 4096;
const UPLOAD_MS = 120000;
const AGAIN_MS = 3000;
const PHASES = {
  asked: "begins", looking: "looks at the slots", carrying: "is being carried", proving: "is being proven by the machine", testing: "tests the machine",
  confirming: "is confirmed", over: "was the last update",
};
const part = (id) => document.getElementById(id);

function state(look, text) {
  part("update-state").className = `chip chip-${look}`;
  part("update-state").textContent = text;
}

function cells(row, ...texts) {
  for (const text of texts) row.insertCell().textContent = text;
}

function showSlots(slots) {
  const rows = [["A", slots.version_a], ["B", slots.version_b]].map(([slot, version]) => {
    const row = document.createElement("tr");
    const marks = [slots.active === slot && "runs", slots.confirmed === slot && "confirmed"].filter(Boolean);
    cells(row, slot, version || "no sound image", version ? marks.join(", ") || "kept aside" : "");
    return row;
  });
  part("slot-rows").replaceChildren(...rows);
  const back = slots.failed_boots && slots.active === slots.confirmed;
  const facts = [`failed boots ${slots.failed_boots}${back ? ", rolled back" : ""}`];
  if (slots.active !== slots.confirmed && !slots.safe_mode) facts.push("what runs is on trial");
  facts.push(slots.safe_mode ? "SAFE MODE: neither slot holds a sound image" : "not in safe mode");
  if (slots.offset) facts.push(`${slots.offset} bytes of an image are carried`);
  part("slot-words").textContent = facts.join("; ");
}

function showUpdate(update) {
  part("update").hidden = false;
  const { act, carried, phase, notes, results } = update;
  part("update-what").textContent = `Firmware ${act.version} ${PHASES[phase] || phase}`;
  part("update-bar").max = act.size;
  part("update-bar").value = carried;
  part("update-figures").textContent = `${carried} of ${act.size} bytes, ${Math.floor((100 * carried) / act.size)} %; SHA-256 ${act.sha256}`;
  const tests = results ? [`Tests: ${Object.entries(results).map(([test, result]) => `${test} ${result}`).join(", ")}`] : [];
  part("update-notes").replaceChildren(...[...notes, ...tests].map((note) => {
    const line = document.createElement("li");
    line.textContent = note;
    return line;
  }));
  if (update.slots) showSlots(update.slots);
}

function end(good, text) {
  part("update").hidden = false;
  part("update-end").hidden = !text;
  part("update-end").className = good ? "" : "why";
  part("update-end").textContent = text;
}

// Returns what is to be called when the board has changed: an update may have begun elsewhere.
export function firmware(device, refresh) {
  if (!part("firmware")) return () => {};
  const path = `/api/devices/${device}/firmware`;
  let source = null;

  async function readSlots() {
    part("slots-again").disabled = true;
    const answer = await ask(path);
    part("slots-again").disabled = false;
    part("slot-trouble").hidden = answer.ok;
    part("slot-trouble").textContent = answer.ok ? "" : answer.words;
    if (answer.ok) showSlots(answer.data);
  }

  function busy(on) {
    const button = part("update-begin");
    if (button) button.disabled = on;
  }

  function stop() {
    if (source) source.close();
    source = null;
  }

  function hear(update) {
    if (!update) return stop();
    showUpdate(update);
    if (!update.is_over) {
      end(true, "");
      busy(true);
      return state("run", "an update runs");
    }
    stop();
    busy(false);
    const good = update.rc === "OK";
    state(good ? "ok" : "stop", good ? "updated" : update.rc);
    end(good, `${update.words.replace(/\.$/, "")}. ${good ? "Give the service lock back when you are done." : ""}`.trim());
    readSlots();
    return refresh();
  }

  function follow() {
    if (source || document.hidden) return;
    const own = new EventSource(`${path}/progress`);
    source = own;
    own.addEventListener("update", (event) => hear(JSON.parse(event.data)));
    own.addEventListener("error", () => {
      if (source !== own || own.readyState !== EventSource.CLOSED) return;
      source = null;
      setTimeout(boardChanged, AGAIN_MS);
    });
  }

  function boardChanged() {
    if (part("updating")?.dataset.running === "yes") follow();
  }

  // A refusal of the hub or the machine; nothing of the update has been begun.
  function refuse(text) {
    part("update-what").textContent = "";
    part("update-figures").textContent = "";
    part("update-bar").value = 0;
    part("update-notes").replaceChildren();
    state("stop", "not begun");
    end(false, text);
    busy(false);
  }

  async function begin(file) {
    if (file.size > LIMIT_BYTES) return refuse("The file is not sent: an image has 1 to 1048576 bytes after its first line.");
    busy(true);
    state("wait", "the file is sent to the hub …");
    try {
      const response = await fetch(`${path}?event=${eventId()}`, {
        method: "POST", headers: { "content-type": "application/octet-stream" }, body: file, signal: AbortSignal.timeout(UPLOAD_MS),
      });
      if (response.status === 401) location.assign(`/sign-in?next=${encodeURIComponent(location.pathname)}`);
      const body = response.status < 500 ? await response.json() : {};
      if (!response.ok) return refuse(words(response.status, body));
      hear(body);
      return follow();
    } catch {
      return refuse("The hub did not answer. Whether the update was begun, this page shows when the hub is there again.");
    }
  }

  part("slots-again").addEventListener("click", readSlots);
  part("update-form")?.addEventListener("submit", (event) => {
    event.preventDefault();
    const [file] = part("image").files;
    if (file) begin(file);
  });
  document.addEventListener("visibilitychange", () => { if (document.hidden) stop(); else boardChanged(); });
  addEventListener("pagehide", stop);
  readSlots();
  follow();
  return boardChanged;
}
