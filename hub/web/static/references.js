// Reference looks: the button that is pressed says what is done with the look of a lot.
import { write } from "./api.js";
import { reasonOf } from "./result.js";

const TOLD = "dosehub-reference-told";
const russian = document.querySelector("main [lang]")?.lang === "ru";
const WAITS = russian ? "Система ещё не ответила: ответ будет отправлен снова и засчитан один раз." : "The hub has not answered yet: it is sent again, and counts once.";

async function decide(form, button) {
  const { item, lot, shown, done } = form.dataset;
  const refused = form.querySelector(".refusal");
  const say = (text) => {
    refused.textContent = text;
    refused.hidden = !text;
  };
  say("");
  const told = await write("/api/references", { item, lot, shown, deed: button.value, reason: form.elements.reason.value.trim() }, () => say(WAITS));
  if (!told.ok) return say(reasonOf(told));
  sessionStorage.setItem(TOLD, `${item} / ${lot}. ${done.replace("{state}", button.textContent)}`);
  return location.reload();
}

for (const form of document.querySelectorAll("[data-reference]")) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const buttons = [...form.querySelectorAll("[type=submit]")];
    if (!event.submitter || buttons.some((button) => button.disabled)) return;
    for (const button of buttons) button.disabled = true;
    try {
      await decide(form, event.submitter);
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
