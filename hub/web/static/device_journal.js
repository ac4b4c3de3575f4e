// The newest jobs by the books, and what the machine's own journal says of one that is asked for.
import { words } from "./device_act.js";

const TIMEOUT_MS = 10000;
const part = (id) => document.getElementById(id);

// Asks the hub for facts; `words` says why there are none.
export async function ask(path) {
  try {
    const response = await fetch(path, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    const body = response.status < 500 ? await response.json() : {};
    return { ok: response.ok, data: body.data || {}, words: words(response.status, body) };
  } catch {
    return { ok: false, data: {}, words: "The hub did not answer." };
  }
}

function standing(data) {
  const facts = [`The machine says: ${data.job_state}`, `slot ${data.slot}`, data.running ? "runs now" : "does not run", `highest event ${data.event}`];
  if (data.job_state === "none") return "The machine's journal has nothing of this job.";
  return facts.join(", ");
}

export function journal(device) {
  const card = part("journal");
  if (!card) return;

  async function tell(line, job) {
    line.hidden = false;
    line.textContent = "The machine is asked …";
    const answer = await ask(`/api/devices/${device}/jobs/${job}`);
    line.textContent = answer.ok ? standing(answer.data) : answer.words;
  }

  async function show() {
    const rows = part("journal-rows");
    try {
      const response = await fetch(card.dataset.part, { headers: { accept: "text/html" }, signal: AbortSignal.timeout(TIMEOUT_MS) });
      if (!response.ok) throw new Error(String(response.status));
      const fresh = new DOMParser().parseFromString(await response.text(), "text/html").body;
      rows.replaceChildren(...fresh.childNodes);
    } catch {
      rows.replaceChildren("The hub did not tell its jobs: try again.");
    }
  }

  part("journal-show").addEventListener("click", show);
  part("job-form").addEventListener("submit", (event) => {
    event.preventDefault();
    tell(part("job-says"), part("job").value.trim());
  });
  part("journal-rows").addEventListener("click", (event) => {
    const button = event.target.closest("[data-ask]");
    if (button) tell(button.closest("li").querySelector(".machine-says"), button.dataset.ask);
  });
}
