// The one big line that answers every scan, by shape, word and colour.
const LOOKS = { ok: ["✔", "OK"], stop: ["✖", "Stop"], wait: ["❚❚", "Wait"], run: ["▶", "Now"], none: ["", ""] };

export function show(look, text) {
  const line = document.getElementById("result");
  const [shape, word] = LOOKS[look];
  line.className = `result result-${look}`;
  document.getElementById("result-shape").textContent = shape;
  document.getElementById("result-word").textContent = word;
  document.getElementById("result-text").textContent = text;
}

export function showAnswer(answer, good) {
  if (answer.ok) show("ok", good);
  else show("stop", reasonOf(answer));
  return answer.ok;
}

export function reasonOf(answer) {
  return (answer.body && answer.body.reason) || `The hub refused (${answer.status}).`;
}

export const waits = () => show("wait", "The hub has not answered yet. Your scan is kept and sent again; do not scan it a second time.");
