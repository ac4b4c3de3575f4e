// A keyboard-wedge scanner: it types a code and ends it with Enter or Tab. Characters are taken by physical key where the
// keyboard is switched to another alphabet, so a label reads the same under a Russian layout.
const LONGEST = 200;
const MOST_WAITING = 20;
const REPEAT_MS = 1500;
const MARKS = {
  Minus: ["-", "_"], Equal: ["=", "+"], BracketLeft: ["[", "{"], BracketRight: ["]", "}"], Semicolon: [";", ":"], Quote: ["'", "\""],
  Backquote: ["`", "~"], Backslash: ["\\", "|"], Comma: [",", "<"], Period: [".", ">"], Slash: ["/", "?"],
};

export function latinKey(code, key, shift, capsLock) {
  if (key.length !== 1 || key.charCodeAt(0) < 128) return key;
  if (/^Key[A-Z]$/.test(code)) return shift !== capsLock ? code[3] : code[3].toLowerCase();
  if (MARKS[code]) return MARKS[code][shift ? 1 : 0];
  return key;
}

// Scanners that type have no key for GS, which parts the elements of a GS1 code: they send F8 or Ctrl+] in its place.
const SEPARATOR = "\u001d";
const isSeparator = (event) => event.key === "F8" || (event.ctrlKey && event.code === "BracketRight");

function isEditable(element) {
  return Boolean(element && (element.matches("input, textarea, select") || element.closest("dialog[open]")));
}

// `onScan(text, latin)` may be asynchronous; scans that come meanwhile wait in order. `latin` is the text by physical keys.
export function scanField(form, onScan, onFull) {
  const field = form.querySelector("input");
  let latin = "";
  let waiting = Promise.resolve();
  let count = 0;
  let last = { text: "", at: 0 };

  const take = () => {
    const text = field.value.trim().slice(0, LONGEST);
    const byKey = latin.length === field.value.length ? latin.trim() : text;
    field.value = "";
    latin = "";
    if (!text) return;
    const now = Date.now();
    if (text === last.text && now - last.at < REPEAT_MS) return;
    last = { text, at: now };
    if (count >= MOST_WAITING) {
      onFull(text);
      return;
    }
    count += 1;
    waiting = waiting.then(() => onScan(text, byKey)).finally(() => { count -= 1; });
  };

  field.addEventListener("keydown", (event) => {
    if (field.value && isSeparator(event)) {
      event.preventDefault();
      latin = field.value.length === latin.length ? latin + SEPARATOR : "";
      field.value += SEPARATOR;
    } else if (event.key === "Tab" && field.value && !event.shiftKey) {
      event.preventDefault();
      take();
    } else if (event.key.length === 1 && !event.ctrlKey && !event.altKey && !event.metaKey) {
      latin = field.value.length === latin.length ? latin + latinKey(event.code, event.key, event.shiftKey, event.getModifierState("CapsLock")) : "";
    } else if (event.key !== "Shift" && event.key !== "Enter") {
      latin = "";
    }
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    take();
    field.focus({ preventScroll: true });
  });
  // Whatever was touched last, a scan lands in the field.
  document.addEventListener("keydown", (event) => {
    const types = event.key.length === 1 && event.key !== " " && !event.ctrlKey && !event.altKey && !event.metaKey;
    if (types && !isEditable(document.activeElement)) field.focus({ preventScroll: true });
  }, true);
  document.addEventListener("pointerup", (event) => {
    if (event.pointerType === "touch" || isEditable(event.target) || event.target.closest("a, button, summary, dialog")) return;
    if (!String(getSelection())) field.focus({ preventScroll: true });
  });
  field.focus({ preventScroll: true });
  return {
    focus: () => field.focus({ preventScroll: true }),
    // What was scanned a moment ago may be meant again, in another step.
    forgetLast: () => { last = { text: "", at: 0 }; },
  };
}
