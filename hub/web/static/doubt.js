// A machine in doubt: a person counts and says how many fell. The answer names the question that was on the screen when the
// dialog was opened; if the machine has asked anew since, the hub refuses it. What the machine no longer knows of, two people end.
import { write } from "./api.js";
import { reasonOf } from "./result.js";
import { wordsOf } from "./words.js";

export function doubtDialog(onDone) {
  const dialog = document.getElementById("doubt-dialog");
  if (!dialog) return () => {};
  const part = (name) => dialog.querySelector(`#doubt-${name}`);
  const say = wordsOf(dialog);
  const form = dialog.querySelector("form");
  let asked = null;
  let busy = false;

  const tell = (text) => {
    part("refused").hidden = !text;
    part("refused").textContent = text;
  };

  async function answer() {
    const { device, doubt, boot, event, way } = asked;
    const members = {
      device, job: doubt, boot: Number(boot), asked_event: Number(event), counted: Number(part("counted").value),
      reason: part("reason").value.trim(), second_badge: part("badge").value.trim(), second_pin: part("pin").value,
    };
    tell("");
    const told = await write(`/api/doubts/${way}`, members, () => tell(say("away")), { secret: true });
    part("pin").value = "";
    if (!told.ok) return tell(reasonOf(told));
    dialog.close();
    return onDone(say(`${way}_done`, { count: members.counted, device }));
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (busy) return;
    busy = true;
    part("send").disabled = true;
    try {
      await answer();
    } finally {
      busy = false;
      part("send").disabled = false;
    }
  });
  // A badge scanner ends with Enter: that leads on to the PIN.
  part("badge").addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || part("pin").value) return;
    event.preventDefault();
    part("pin").focus();
  });
  part("cancel").addEventListener("click", () => dialog.close());

  return (question, way = "resolve") => {
    asked = { ...question, way };
    const two = asked.second === "yes" || way === "end";
    form.reset();
    tell("");
    part("about").textContent = say("about", asked);
    part("why-second").textContent = say(`${way}_why`);
    part("second").hidden = !two;
    for (const name of ["badge", "pin"]) part(name).required = two;
    dialog.showModal();
  };
}
