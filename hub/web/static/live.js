// Keeps a part of the page as the hub has it now: server-sent events say when, the fragment says what, and only what differs is touched.
const LEAST_BETWEEN_MS = 1000;
const RETRY_MS = 3000;

function keyOf(node) {
  return node.nodeType === Node.ELEMENT_NODE ? node.dataset.key || "" : "";
}

function sameKind(one, other) {
  return one.nodeType === other.nodeType && one.nodeName === other.nodeName && keyOf(one) === keyOf(other);
}

export function morph(old, fresh) {
  if (old.isEqualNode(fresh)) return;
  if (old.nodeType !== Node.ELEMENT_NODE) {
    old.nodeValue = fresh.nodeValue;
    return;
  }
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && !(name === "open" && old.nodeName === "DETAILS")) old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value && !(name === "open" && old.nodeName === "DETAILS")) old.setAttribute(name, value);
  }
  morphChildren(old, fresh);
}

export function morphChildren(old, fresh) {
  const keyed = new Map();
  for (const child of old.childNodes) if (keyOf(child)) keyed.set(keyOf(child), child);
  let at = old.firstChild;
  for (const wanted of [...fresh.childNodes]) {
    const known = keyOf(wanted) ? keyed.get(keyOf(wanted)) : at;
    if (known && sameKind(known, wanted)) {
      if (known === at) at = at.nextSibling;
      else old.insertBefore(known, at);
      morph(known, wanted);
    } else {
      old.insertBefore(wanted, at);
    }
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

// The hub's own clock, in the hospital's zone: `2026-03-05T06:30:00+03:00`.
function setClock(moment) {
  const clock = document.getElementById("clock");
  const [year, month, day] = moment.slice(0, 10).split("-");
  clock.dateTime = moment;
  clock.querySelector(".date").textContent = `${day}.${month}.${year}`;
  clock.querySelector(".hours").textContent = moment.slice(11, 16);
}

// Starts following; `after` is called when the part was brought up to date. Returns a function that asks for it at once.
export function follow(part, after = () => {}, leastBetweenMs = LEAST_BETWEEN_MS) {
  const away = document.getElementById("away");
  let running = false;
  let again = false;
  let lastAt = 0;
  let timer = 0;
  let source = null;

  async function fetchNow() {
    if (running) {
      again = true;
      return;
    }
    running = true;
    lastAt = Date.now();
    try {
      const response = await fetch(part.dataset.live, { redirect: "manual", headers: { accept: "text/html" } });
      if (response.type === "opaqueredirect") {
        location.assign(`/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`);
        return;
      }
      if (!response.ok) throw new Error(`the hub answered ${response.status}`);
      const moment = response.headers.get("x-hub-time");
      const fresh = new DOMParser().parseFromString(await response.text(), "text/html").body;
      morphChildren(part, fresh);
      if (moment) setClock(moment);
      away.hidden = true;
      after();
    } catch {
      away.hidden = false;
      again = false;
      schedule(RETRY_MS);
    } finally {
      running = false;
    }
    if (again) {
      again = false;
      schedule(leastBetweenMs);
    }
  }

  function schedule(least) {
    if (timer || document.hidden) return;
    timer = setTimeout(() => { timer = 0; fetchNow(); }, Math.max(0, lastAt + least - Date.now()));
  }

  function open() {
    if (source || document.hidden) return;
    source = new EventSource("/api/events");
    source.addEventListener("board", () => schedule(leastBetweenMs));
    source.addEventListener("error", () => {
      away.hidden = false;
      // A refusal ends the stream for good; asking for the part leads to the sign-in where the session is over.
      if (source?.readyState !== EventSource.CLOSED) return;
      source = null;
      fetchNow();
      setTimeout(open, RETRY_MS);
    });
    source.addEventListener("open", () => { away.hidden = true; });
  }

  function close() {
    if (source) source.close();
    source = null;
  }

  document.addEventListener("visibilitychange", () => {
    if (document.hidden) close();
    else open();
  });
  addEventListener("pagehide", close);
  addEventListener("pageshow", open);
  open();
  return () => fetchNow();
}
