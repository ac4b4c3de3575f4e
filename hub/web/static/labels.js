// Buttons that send a label to the label printer; one press is one wish, however often it has to be sent.
import { write } from "./api.js";
import { showAnswer, waits } from "./result.js";

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-label]");
  if (!button || button.disabled) return;
  button.disabled = true;
  try {
    const { label, subject, done } = button.dataset;
    const answer = await write("/api/labels", { label, subject }, waits);
    showAnswer(answer, answer.ok ? `${done} ${answer.body.sheets}` : "");
  } finally {
    button.disabled = false;
  }
});
