// A machine in doubt: a person counts and says how many fell. The answer names the question that was on the screen when the
// dialog was opened; if the machine has asked anew since, the hub refuses it. What the machine no longer knows of, two people end.
import { write } from "./api.js";
import { reasonOf } from "./result.js";

const WAYS = {
  resolve: { why: "High-alert drug: a second person counts too", done: (device) => `${device} is being told.` },
  end: { why: "Without the machine two people count and decide", done: (device) => `the job of ${device} is ended without it.` },
};
const HUB_AWAY = "The hub has not answered yet. Leave this open: it is sent again, and counts once.";

export function doubtDialog(onDone) {
  const dialog = document.getElementById("doubt-dialog");
  if (!dialog) return () => {};
  const part = (name) => dialog.querySelector(`#doubt-${name}`);
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
    const told = await write(`/api/doubts/${way}`, members, () => tell(HUB_AWAY), { secret: true });
    part("pin").value = "";
    if (!told.ok) return tell(reasonOf(told));
    dialog.close();
    return onDone(`${members.counted} counted: ${WAYS[way].done(device)} Its pouch goes into the reject bin; scan it there.`);
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
    part("about").textContent = `${asked.device}, pouch ${asked.pouch}: how many ${asked.name} fell? Asked for: ${asked.count}.`;
    part("why-second").textContent = WAYS[way].why;
    part("second").hidden = !two;
    for (const name of ["badge", "pin"]) part(name).required = two;
    dialog.showModal();
  };
}
