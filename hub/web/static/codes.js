// Unknown words: a choice fills the field, nothing is chosen beforehand, and only the button (or Enter) sends it.
import { write } from "./api.js";
import { reasonOf } from "./result.js";

const TOLD = "dosehub-code-told";
const russian = document.querySelector("main [lang]")?.lang === "ru";
const WAITS = russian ? "Система ещё не ответила: ответ будет отправлен снова и засчитан один раз." : "The hub has not answered yet: it is sent again, and counts once.";

function tell(text) {
  const line = document.getElementById("told");
  line.textContent = text;
  line.hidden = !text;
}

function choose(form, button) {
  for (const other of form.querySelectorAll("[data-meaning]")) other.setAttribute("aria-pressed", String(other === button));
  form.elements.meaning.value = button.dataset.meaning;
  form.elements.meaning.focus();
}

async function answer(form) {
  const { source, kind, code, done } = form.dataset;
  const refused = form.querySelector(".refusal");
  const say = (text) => {
    refused.textContent = text;
    refused.hidden = !text;
  };
  say("");
  const told = await write("/api/codes/decide", { source, kind, code, meaning: form.elements.meaning.value.trim() }, () => say(WAITS));
  if (!told.ok) return say(reasonOf(told));
  sessionStorage.setItem(TOLD, `${code} → ${told.body.meaning}. ${done.replace("{lines}", told.body.lines).replace("{waiting}", told.body.waiting)}`);
  return location.reload();
}

for (const form of document.querySelectorAll("[data-answer]")) {
  const buttons = [...form.querySelectorAll("[data-meaning]")];
  buttons.slice(0, 9).forEach((button, place) => {
    const key = document.createElement("span");
    key.className = "key";
    key.setAttribute("aria-hidden", "true");
    key.textContent = place + 1;
    button.append(key);
  });
  for (const button of buttons) button.addEventListener("click", () => choose(form, button));
  form.elements.meaning.addEventListener("input", () => {
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.meaning === form.elements.meaning.value));
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const send = form.querySelector("[type=submit]");
    if (send.disabled) return;
    send.disabled = true;
    try {
      await answer(form);
    } finally {
      send.disabled = false;
    }
  });
}

// A number chooses within the card that has the focus, except where something is being typed.
document.addEventListener("keydown", (event) => {
  const form = event.target.closest("[data-card]")?.querySelector("[data-answer]");
  if (!form || event.target.matches("input") || event.ctrlKey || event.metaKey || event.altKey || !/^[1-9]$/.test(event.key)) return;
  const button = form.querySelectorAll("[data-meaning]")[Number(event.key) - 1];
  if (!button) return;
  event.preventDefault();
  choose(form, button);
});

const before = sessionStorage.getItem(TOLD);
if (before) {
  sessionStorage.removeItem(TOLD);
  tell(before);
}
document.querySelector(".question")?.focus();
