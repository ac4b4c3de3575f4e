// The frames on the wire while somebody watches: a bounded list, the newest first, filtered here.
const ROWS_AT_MOST = 2000;
const ARROWS = { "to-device": ["→", "to the machine"], "from-device": ["←", "from the machine"] };

const part = (id) => document.getElementById(id);
const figure = (name) => document.querySelector(`[data-figure="${name}"]`);
const milliseconds = (us) => (us === undefined || us === null ? "" : `${(us / 1000).toFixed(us < 10000 ? 3 : 1)} ms`);

function fieldsText(frame) {
  return Object.entries(frame.fields || {}).map(([name, value]) => `${name}=${value}`).join(" ");
}

function bytesText(frame) {
  if (frame.withheld) return `${frame.octets} bytes, SHA-256 ${frame.withheld}`;
  return (frame.hex || "").replace(/(..)(?=.)/g, "$1 ");
}

function cell(row, text, kind = "") {
  const made = row.insertCell();
  made.textContent = text;
  if (kind) made.className = kind;
  return made;
}

// A row of the table; the bytes are put in when somebody clicks.
function rowOf(frame) {
  const row = document.createElement("tr");
  const [arrow, words] = ARROWS[frame.direction] || ["?", frame.direction];
  row.className = `${frame.direction}${frame.error ? " wrong" : ""}`;
  cell(row, (frame.at_us / 1e6).toFixed(6), "number");
  const way = cell(row, arrow);
  way.title = words;
  cell(row, frame.type || "–", "code");
  cell(row, frame.op || "–", "code");
  cell(row, frame.type ? String(frame.seq || 0) : "", "number");
  cell(row, fieldsText(frame), "code fields");
  cell(row, milliseconds(frame.round_trip_us), "number");
  cell(row, frame.error ? frame.error.toUpperCase() : "", "error");
  cell(row, frame.withheld ? `${frame.octets} ◼` : String(frame.octets), "number");
  row.tabIndex = 0;
  row.title = "Show its bytes";
  return row;
}

function toggleBytes(row, frame) {
  const next = row.nextElementSibling;
  if (next?.classList.contains("dump")) return next.remove();
  const dump = document.createElement("tr");
  dump.className = "dump";
  const wide = cell(dump, bytesText(frame), "code");
  wide.colSpan = 9;
  return row.after(dump);
}

function searchable(frame) {
  return `${frame.type || ""} ${frame.op || ""} ${fieldsText(frame)} ${frame.error || ""} ${frame.hex || ""}`.toLowerCase();
}

export function frames(device) {
  if (!part("watch")) return;
  const rows = part("rows");
  const kept = [];
  const waiting = [];
  const rowFrames = new WeakMap();
  const known = new Set();
  let source = null;
  let paused = false;
  let missing = 0;

  const wanted = () => ({
    direction: part("direction").value,
    op: part("op").value,
    errors: part("errors").getAttribute("aria-pressed") === "true",
    text: part("text").value.trim().toLowerCase(),
  });

  function fits(frame, filter) {
    if (filter.direction && frame.direction !== filter.direction) return false;
    if (filter.op && frame.op !== filter.op) return false;
    if (filter.errors && !frame.error) return false;
    return !filter.text || searchable(frame).includes(filter.text);
  }

  function tell(name, text) {
    figure(name).textContent = text;
  }

  function state(look, words) {
    part("watch-state").className = `chip chip-${look}`;
    part("watch-state").textContent = words;
  }

  function learn(op) {
    if (!op || known.has(op)) return;
    known.add(op);
    const option = new Option(op, op);
    const after = [...part("op").options].slice(1).find((other) => other.value > op);
    part("op").insertBefore(option, after || null);
  }

  function put(frame, filter) {
    if (!fits(frame, filter)) return;
    const row = rowOf(frame);
    rowFrames.set(row, frame);
    rows.prepend(row);
  }

  function trim() {
    if (kept.length > ROWS_AT_MOST) kept.splice(0, kept.length - ROWS_AT_MOST);
    while (rows.childElementCount > ROWS_AT_MOST) rows.lastElementChild.remove();
    tell("rows", `${rows.querySelectorAll("tr:not(.dump)").length} of ${kept.length}`);
  }

  function take(fresh) {
    const filter = wanted();
    for (const frame of fresh) {
      learn(frame.op);
      kept.push(frame);
      put(frame, filter);
    }
    trim();
  }

  function redraw() {
    rows.replaceChildren();
    const filter = wanted();
    for (const frame of kept) put(frame, filter);
    trim();
  }

  function hear({ frames: fresh, dropped, figures }) {
    for (const [name, value] of Object.entries(figures)) {
      tell(name, name.endsWith("_us") ? milliseconds(value) || "–" : value ?? "–");
      figure(name).parentElement.classList.toggle("bad", ["crc", "cobs", "overrun", "stale", "payload"].includes(name) && value > 0);
    }
    tell("dropped", dropped + missing);
    if (!paused) return take(fresh);
    waiting.push(...fresh);
    if (waiting.length > ROWS_AT_MOST) missing += waiting.splice(0, waiting.length - ROWS_AT_MOST).length;
    return state("wait", `paused, ${waiting.length} wait`);
  }

  function trouble(words) {
    part("watch-trouble").hidden = !words;
    part("watch-trouble").textContent = words;
  }

  function setPaused(on) {
    paused = on;
    part("pause").setAttribute("aria-pressed", String(on));
    part("pause").textContent = on ? "Go on" : "Pause";
    if (!on) take(waiting.splice(0));
    if (source) state(on ? "wait" : "run", on ? "paused" : "watching");
  }

  function stop(words = "not watching") {
    if (source) source.close();
    source = null;
    setPaused(false);
    state("none", words);
    part("watch").textContent = "Watch";
    part("pause").disabled = true;
  }

  // An EventSource hears only that it was refused; the reason is asked for in plain words.
  async function whyNot() {
    const giveUp = new AbortController();
    try {
      const answer = await fetch(`/api/devices/${device}/trace`, { signal: giveUp.signal });
      if (answer.ok) return "";
      return (await answer.json()).reason;
    } catch {
      return "The hub does not answer.";
    } finally {
      giveUp.abort();
    }
  }

  function start() {
    trouble("");
    state("wait", "asking …");
    part("watch").textContent = "Stop";
    part("pause").disabled = false;
    source = new EventSource(`/api/devices/${device}/trace`);
    source.addEventListener("open", () => state("run", "watching"));
    source.addEventListener("frames", (event) => hear(JSON.parse(event.data)));
    source.addEventListener("trouble", (event) => trouble(JSON.parse(event.data)));
    source.addEventListener("error", async () => {
      if (source?.readyState !== EventSource.CLOSED) return state("wait", "connecting again …");
      stop("stopped");
      return trouble((await whyNot()) || "The watch ended. Begin again.");
    });
  }

  part("watch").addEventListener("click", () => (source ? stop() : start()));
  part("pause").addEventListener("click", () => setPaused(!paused));
  part("clear").addEventListener("click", () => { kept.length = 0; redraw(); });
  part("errors").addEventListener("click", () => {
    part("errors").setAttribute("aria-pressed", String(!wanted().errors));
    redraw();
  });
  for (const id of ["direction", "op", "text"]) part(id).addEventListener("input", redraw);
  function open(event) {
    const row = event.target.closest("tr");
    const frame = row && rowFrames.get(row);
    if (frame) toggleBytes(row, frame);
  }
  rows.addEventListener("click", open);
  rows.addEventListener("keydown", (event) => { if (event.key === "Enter") open(event); });
  // Nobody looks: the bridge need not tell.
  document.addEventListener("visibilitychange", () => { if (document.hidden && source) stop("stopped: the page was hidden"); });
  addEventListener("pagehide", () => stop());
}
