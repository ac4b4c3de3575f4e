// Writes to the hub. Each carries an event id that is made before it is sent and kept until it is answered, so that a
// repetition after a lost answer does nothing twice.
const KEPT = "dosehub-unanswered";
const TIMEOUT_MS = 10000;
const PAUSES_MS = [500, 1000, 2000, 4000, 8000];
const MOST_KEPT = 50;
const TRIES_OF_FAILURES = 4;

const user = document.body.dataset.user || "";
const failed = (status) => ({
  reason: `The hub failed at this (${status}). Look at the list before you scan it again.`,
  reason_ru: `Сбой системы (${status}). Посмотрите в список, прежде чем сканировать снова.`,
});
const FULL = { reason: "Too much waits for the hub. Wait until it answers.", reason_ru: "Слишком многое ждёт ответа системы. Дождитесь его." };
const ofAnother = (scans) => ({
  reason: `${scans} scans of another person got no answer. Check them on the list and scan again.`,
  reason_ru: `Сканирований другого человека без ответа: ${scans}. Проверьте их по списку и отсканируйте снова.`,
});

export function eventId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function kept() {
  try {
    return JSON.parse(sessionStorage.getItem(KEPT) || "[]");
  } catch {
    return [];
  }
}

function keep(writes) {
  sessionStorage.setItem(KEPT, JSON.stringify(writes));
}

export function unanswered() {
  return kept().length;
}

const listeners = new Set();
export function onUnanswered(listener) {
  listeners.add(listener);
  listener(unanswered());
}

function changed() {
  for (const listener of listeners) listener(unanswered());
}

async function sendOnce(write) {
  const response = await fetch(write.path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(write.body),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (response.status === 401) {
    location.assign(`/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`);
    return new Promise(() => {});
  }
  const body = response.status < 500 ? await response.json() : failed(response.status);
  return { ok: response.ok, status: response.status, body };
}

const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

// Sends until the hub has answered; `onWait` hears of every try that got no answer.
async function sendUntilAnswered(write, onWait) {
  for (let attempt = 0; ; attempt += 1) {
    try {
      const answer = await sendOnce(write);
      if (answer.status >= 500 && attempt + 1 < TRIES_OF_FAILURES) throw new Error(answer.body.reason);
      keep(kept().filter((other) => other.body.event !== write.body.event));
      changed();
      return answer;
    } catch (error) {
      onWait(error);
      await pause(PAUSES_MS[Math.min(attempt, PAUSES_MS.length - 1)]);
    }
  }
}

// What is `secret` (it carries somebody's PIN) is never kept: it is sent again while the page is open, and not after.
export async function write(path, members, onWait = () => {}, { secret = false } = {}) {
  const writes = kept();
  if (writes.length >= MOST_KEPT) {
    return { ok: false, status: 0, body: FULL };
  }
  const made = { path, body: { event: eventId(), ...members }, user };
  if (!secret) keep([...writes, made]);
  changed();
  return sendUntilAnswered(made, onWait);
}

// After a reload: what was not answered is sent again, with the same ids. What another person left is not sent in this one's name.
export async function resume(onAnswer) {
  const foreign = kept().filter((made) => made.user !== user);
  if (foreign.length) {
    keep(kept().filter((made) => made.user === user));
    changed();
    onAnswer(null, { ok: false, status: 0, body: ofAnother(foreign.length) });
  }
  for (const made of kept()) onAnswer(made, await sendUntilAnswered(made, () => {}));
}
