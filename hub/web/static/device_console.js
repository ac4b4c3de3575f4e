// The engineer's console: the live board, the service lock and the self test. Nothing here is sent again by itself.
import { act } from "./device_act.js";
import { firmware } from "./device_firmware.js";
import { frames } from "./device_frames.js";
import { jog } from "./device_jog.js";
import { journal } from "./device_journal.js";
import { follow } from "./live.js";
import { show } from "./result.js";

const device = document.getElementById("console").dataset.device;
const TOLD = {
  take: "The service lock is yours: no new job begins.",
  "take-over": "The service lock is yours now; it was taken over.",
  release: "The service lock is given back: the machine may begin jobs.",
};

let boardChanged = () => {};
const refresh = follow(document.getElementById("board"), () => boardChanged());

async function lock(mode) {
  show("wait", "The machine is asked …");
  const answer = await act(device, "lock", { mode });
  show(answer.ok ? "ok" : "stop", answer.ok ? TOLD[mode] : answer.words);
  refresh();
}

async function selfTest() {
  show("wait", "The machine tests itself …");
  const answer = await act(device, "self-test");
  if (answer.ok) {
    const failed = Object.entries(answer.data).filter(([, result]) => result === "failed").map(([part]) => part);
    if (failed.length) show("stop", `Failed: ${failed.join(", ")}.`);
    else show("ok", Object.entries(answer.data).map(([part, result]) => `${part} ${result}`).join(", "));
  } else {
    show("stop", answer.words);
  }
  refresh();
}

function service() {
  const takeOver = document.getElementById("take-over");
  if (!takeOver) return;
  const deeds = {
    take: () => lock("take"), release: () => lock("release"), "self-test": selfTest, "take-over": () => takeOver.showModal(),
  };
  const buttons = [...document.querySelectorAll("[data-act]")];
  for (const button of buttons) {
    button.addEventListener("click", async () => {
      for (const other of buttons) other.disabled = true;
      try {
        await deeds[button.dataset.act]();
      } finally {
        for (const other of buttons) other.disabled = false;
      }
    });
  }
  takeOver.querySelector("form").addEventListener("submit", () => lock("take-over"));
  document.getElementById("take-over-no").addEventListener("click", () => takeOver.close());
  jog(device, refresh);
}

service();
boardChanged = firmware(device, refresh);
journal(device);
frames(device);
