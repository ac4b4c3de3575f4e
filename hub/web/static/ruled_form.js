// Forms whose pressed button is the ruling: it is sent once, a refusal stands in the form, and what was done is told after the reload.
import { write } from "./api.js";
import { reasonOf } from "./result.js";

const russian = document.querySelector("main [lang]")?.lang === "ru";
const WAITS = russian ? "Система ещё не ответила: ответ будет отправлен снова и засчитан один раз." : "The hub has not answered yet: it is sent again, and counts once.";

// `bodyOf(form, ruling)` makes what is sent to `path`, `toldOf(form, button, answer)` the sentence after it; `key` keeps it over the reload.
export function ruleByForms(selector, { path, key, bodyOf, toldOf }) {
  async function decide(form, button) {
    const refused = form.querySelector(".refusal");
    const say = (text) => {
      refused.textContent = text;
      refused.hidden = !text;
    };
    say("");
    const reason = form.elements.reason.value.trim();
    const told = await write(path, { ...bodyOf(form, button.value), reason }, () => say(WAITS));
    if (!told.ok) return say(reasonOf(told));
    sessionStorage.setItem(key, toldOf(form, button, told.body));
    return location.reload();
  }

  for (const form of document.querySelectorAll(selector)) {
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const buttons = [...form.querySelectorAll("[type=submit]")];
      if (!event.submitter?.value || buttons.some((button) => button.disabled)) return;
      for (const button of buttons) button.disabled = true;
      try {
        await decide(form, event.submitter);
      } finally {
        for (const button of buttons) button.disabled = false;
      }
    });
  }
  tellAgain(key);
}

function tellAgain(key) {
  const before = sessionStorage.getItem(key);
  if (!before) return;
  sessionStorage.removeItem(key);
  const line = document.getElementById("told");
  line.textContent = before;
  line.hidden = false;
}
