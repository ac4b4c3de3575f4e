// The one big line that answers every scan, by shape, word and colour.
const inRussian = document.documentElement.lang === "ru";
const LOOKS = { ok: ["✔", "OK", "Принято"], stop: ["✖", "Stop", "Стоп"], wait: ["❚❚", "Wait", "Ждите"], run: ["▶", "Now", "Далее"], none: ["", "", ""] };
// A page that has its own words in English only keeps these in English, too.
const wordsInRussian = inRussian && !document.querySelector("main[lang=en]");
const WAITS = wordsInRussian
  ? "Система ещё не ответила. Сканирование сохранено и будет отправлено снова; второй раз не сканируйте."
  : "The hub has not answered yet. Your scan is kept and sent again; do not scan it a second time.";

export function show(look, text, language = "") {
  const line = document.getElementById("result");
  const [shape, english, russian] = LOOKS[look];
  line.className = `result result-${look}`;
  document.getElementById("result-shape").textContent = shape;
  document.getElementById("result-word").textContent = wordsInRussian ? russian : english;
  const said = document.getElementById("result-text");
  said.textContent = text;
  if (language) said.lang = language;
  else said.removeAttribute("lang");
}

export function showAnswer(answer, good) {
  if (answer.ok) show("ok", good);
  else show("stop", reasonOf(answer), languageOf(answer));
  return answer.ok;
}

// A refusal in the language of the page; the rest of a page may be in another one, so the line says which it is in.
export function reasonOf(answer) {
  const body = answer.body || {};
  return (inRussian && body.reason_ru) || body.reason || (inRussian ? `Система отказала (${answer.status}).` : `The hub refused (${answer.status}).`);
}

function languageOf(answer) {
  return inRussian && (answer.body?.reason_ru || !answer.body?.reason) ? "ru" : "en";
}

export const waits = () => show("wait", WAITS);
