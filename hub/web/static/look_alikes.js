// Names that are mixed up: the button that is pressed says what is decided, and a reason is asked for either way.
import { write } from "./api.js";
import { reasonOf } from "./result.js";

const TOLD = "dosehub-pair-told";
const russian = document.querySelector("main [lang]")?.lang === "ru";
const WAITS = russian ? "Система ещё не ответила: ответ будет отправлен снова и засчитан один раз." : "The hub has not answered yet: it is sent again, and counts once.";

async function decide(form, decision) {
  const { first, second, done } = form.dataset;
  const refused = form.querySelector(".refusal");
  const say = (text) => {
    refused.textContent = text;
    refused.hidden = !text;
  };
  say("");
  const told = await write("/api/look-alikes", { first, second, decision, reason: form.elements.reason.value.trim() }, () => say(WAITS));
  if (!told.ok) return say(reasonOf(told));
  sessionStorage.setItem(TOLD, `${first} / ${second}. ${done.replace("{drugs}", told.body.drugs)}`);
  return location.reload();
}

for (const form of document.querySelectorAll("[data-pair]")) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const buttons = [...form.querySelectorAll("[type=submit]")];
    if (buttons.some((button) => button.disabled)) return;
    const decision = event.submitter?.value || "";
    if (!decision) return;
    for (const button of buttons) button.disabled = true;
    try {
      await decide(form, decision);
    } finally {
      for (const button of buttons) button.disabled = false;
    }
  });
}

const before = sessionStorage.getItem(TOLD);
if (before) {
  sessionStorage.removeItem(TOLD);
  const line = document.getElementById("told");
  line.textContent = before;
  line.hidden = false;
}
