// Jog buttons as a dead man's handle: short commands one after the other while a button is held. Whatever takes the hand or the eye
// away ends the press: release, a pointer that is lost, another window, a hidden page, a refusal, an answer that is late.
import { eventId } from "./api.js";
import { act } from "./device_act.js";
import { show } from "./result.js";

// The machine runs 300 ms for each command: an answer later than that is a motor that has stopped already.
const LATE_MS = 2000;
const BETWEEN_MS = 120;

const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

export function jog(device, onEnd) {
  let held = null;

  function letGo(why) {
    if (!held) return;
    const { press, button, giveUp, moved } = held;
    held = null;
    button.classList.remove("held");
    giveUp.abort();
    // `keepalive`: it is sent also while the page is being left.
    act(device, "jog/release", { press }, { keepalive: true }).then(onEnd);
    if (why) show("stop", why);
    else show("none", moved ? `Let go: ${button.getAttribute("aria-label").replace(": hold", "")}, ${moved} commands.` : "Let go.");
  }

  async function hold(button) {
    const giveUp = new AbortController();
    const mine = { press: eventId(), button, giveUp, moved: 0 };
    held = mine;
    button.classList.add("held");
    show("run", "Running: let go to stop.");
    while (held === mine) {
      const sentAt = performance.now();
      const members = { press: mine.press, motor: button.dataset.jog, direction: button.dataset.direction };
      const answer = await act(device, "jog", members, { signal: giveUp.signal });
      if (held !== mine) return;
      if (!answer.ok) return letGo(answer.words);
      if (performance.now() - sentAt > LATE_MS) return letGo("The machine answers too slowly to be moved by hand from here.");
      mine.moved += 1;
      button.dataset.position = answer.data.position;
      await pause(BETWEEN_MS);
    }
  }

  for (const button of document.querySelectorAll("[data-jog]")) {
    button.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || held) return;
      // A finger that slides off the button leaves it, as a mouse does.
      if (button.hasPointerCapture(event.pointerId)) button.releasePointerCapture(event.pointerId);
      hold(button);
    });
    for (const end of ["pointerup", "pointercancel", "pointerleave"]) button.addEventListener(end, () => letGo(""));
    button.addEventListener("contextmenu", (event) => event.preventDefault());
    button.addEventListener("keydown", (event) => {
      if ((event.key === " " || event.key === "Enter") && !event.repeat && !held) hold(button);
      if (event.key === " " || event.key === "Enter") event.preventDefault();
      else letGo("");
    });
    for (const end of ["keyup", "blur"]) button.addEventListener(end, () => letGo(""));
  }
  addEventListener("blur", () => letGo(""));
  addEventListener("pagehide", () => letGo(""));
  document.addEventListener("visibilitychange", () => { if (document.hidden) letGo(""); });
}
