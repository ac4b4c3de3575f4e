// The set-up of the camera: picture and figures follow by themselves; lights, acceptance and tickets are asked for by buttons.
import { write } from "./api.js";
import { morphChildren } from "./live.js";
import { showAnswer, waits } from "./result.js";

const PAUSE_MS = 700;
const AFTER_FAILURE_MS = 3000;
const page = document.getElementById("camera");
const board = document.getElementById("board");
const picture = document.getElementById("picture");
const height = document.getElementById("height");
const away = document.getElementById("away");

const heightMm = () => (height?.checkValidity() ? Number(height.value) : 250);

async function fetchBoard() {
  const response = await fetch(`/devices/camera-1/board?height_mm=${heightMm()}&language=${page.lang}`, { redirect: "manual" });
  if (response.type === "opaqueredirect") return location.reload();
  if (!response.ok) throw new Error(`the hub answered ${response.status}`);
  return morphChildren(board, new DOMParser().parseFromString(await response.text(), "text/html").body);
}

// A picture is shown once the one before has come or failed, so that a slow camera is asked no faster than it answers.
function fetchPicture() {
  const wanted = new Image();
  const missing = document.getElementById("no-picture");
  return new Promise((settle) => {
    wanted.onload = () => { picture.src = wanted.src; picture.hidden = false; missing.hidden = true; settle(); };
    wanted.onerror = () => { missing.hidden = false; settle(); };
    wanted.src = `/api/devices/camera-1/picture.jpg?at=${Date.now()}`;
  });
}

async function followForEver() {
  let pause = PAUSE_MS;
  if (!document.hidden) {
    try {
      await Promise.all([fetchBoard(), fetchPicture()]);
      away.hidden = true;
    } catch {
      away.hidden = false;
      pause = AFTER_FAILURE_MS;
    }
  }
  setTimeout(followForEver, pause);
}

async function ask(button, path, members, good) {
  if (button.disabled) return false;
  button.disabled = true;
  try {
    return showAnswer(await write(path, members, waits), good);
  } finally {
    button.disabled = false;
  }
}

for (const button of document.querySelectorAll("[data-light]:not(#camera)")) {
  button.addEventListener("click", async () => {
    if (!(await ask(button, "/api/devices/camera-1/lights", { light: button.dataset.light }, page.dataset.light))) return;
    for (const other of document.querySelectorAll("button[data-light]")) other.setAttribute("aria-pressed", String(other === button));
  });
}

document.getElementById("accept")?.addEventListener("submit", async (event) => {
  event.preventDefault();
  await ask(event.submitter, "/api/devices/camera-1/set-up", { height_mm: heightMm() }, page.dataset.done);
  await fetchBoard();
});

board.addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target;
  const members = { ticket: form.dataset.ticket, reason: form.elements.reason.value, renewed: Boolean(form.elements.renewed?.checked) };
  await ask(event.submitter, "/api/maintenance", members, page.dataset.closed);
  await fetchBoard();
});

followForEver();
