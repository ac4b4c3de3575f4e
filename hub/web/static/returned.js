// Returned lines and pharmacists' rulings: every answer is a fact of a person, with its reason.
import { resume, write } from "./api.js";
import { follow } from "./live.js";
import { reasonOf, show, showAnswer, waits } from "./result.js";

const board = document.getElementById("board");
const dialog = document.getElementById("ask-dialog");
const part = (name) => document.getElementById(`ask-${name}`);
const ACTS = {
  "pass-on": { path: "/api/returned/pass-on", title: "To whom was it passed on?", label: "Name", member: "to", done: "Passed on." },
  close: { path: "/api/returned/close", title: "Why will no corrected line come?", label: "Reason", member: "reason", done: "Closed." },
  allergy: { path: "/api/lines/allergy", title: "Let the allergy pass", label: "Reason, printed with the line", member: "reason", done: "The line was judged anew." },
  refuse: { path: "/api/lines/refuse", title: "Refuse the line", label: "Reason for the ward and the doctor", member: "reason", done: "Refused: it goes back to the ward." },
  validate: { path: "/api/lines/validate", title: "Validate again", label: "Reason", member: "reason", done: "The line was judged anew." },
};
let asked = null;
let busy = false;

board.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-act]");
  if (!button) return;
  const { returned, order, about } = button.closest("[data-about]").dataset;
  const { act, allergy, second } = button.dataset;
  const members = returned ? { returned } : { order };
  if (act === "seen") {
    showAnswer(await write("/api/returned/seen", members, waits), "Seen.");
    return refresh();
  }
  asked = { ...ACTS[act], members: allergy ? { ...members, allergy } : members, secret: act === "allergy" };
  part("title").textContent = asked.title;
  part("about").textContent = allergy ? `${about}: ${allergy}` : about;
  part("label").textContent = asked.label;
  part("second").hidden = !second;
  for (const name of ["reason", "badge", "pin"]) part(name).value = "";
  tell("");
  dialog.showModal();
  return part("reason").focus();
});

function tell(text) {
  part("refused").hidden = !text;
  part("refused").textContent = text;
}

dialog.querySelector("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  if (busy) return;
  busy = true;
  tell("");
  const second = part("second").hidden ? {} : { second_badge: part("badge").value.trim(), second_pin: part("pin").value };
  const members = { ...asked.members, ...second, [asked.member]: part("reason").value.trim() };
  const answer = await write(asked.path, members, () => tell("The hub has not answered yet. Leave this open: it is sent again, and counts once."), { secret: asked.secret });
  part("pin").value = "";
  busy = false;
  if (!answer.ok) return tell(reasonOf(answer));
  dialog.close();
  show("ok", asked.done);
  return refresh();
});
part("cancel").addEventListener("click", () => dialog.close());

const refresh = follow(board);
resume((made, answer) => { showAnswer(answer, "What was said before is recorded."); refresh(); });
