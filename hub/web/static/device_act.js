// One service act: sent once, and never kept to be sent later: a motor that moves because of an old message is what hurts a hand.
import { eventId } from "./api.js";

const TIMEOUT_MS = 10000;

export function words(status, body) {
  const code = /^[A-Z_]+$/.test(body.refused || "") ? `${body.refused}: ` : "";
  const reason = (document.documentElement.lang === "ru" && body.reason_ru) || body.reason;
  return reason ? `${code}${reason}` : `The hub refused (${status}).`;
}

// `signal` gives the waiting up; whether the act was done is then not known.
export async function act(device, what, members = {}, { signal = null, keepalive = false } = {}) {
  const limits = [AbortSignal.timeout(TIMEOUT_MS), ...(signal ? [signal] : [])];
  try {
    const response = await fetch(`/api/devices/${device}/${what}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ event: eventId(), ...members }),
      signal: AbortSignal.any(limits),
      keepalive,
    });
    const body = response.status < 500 ? await response.json() : { reason: `The hub failed at this (${response.status}): look at the machine.` };
    if (response.status === 401) location.assign(`/sign-in?next=${encodeURIComponent(location.pathname)}`);
    return { ok: response.ok, rc: response.ok ? body.rc : body.refused, data: body.data || {}, words: words(response.status, body) };
  } catch {
    return { ok: false, rc: "", data: {}, words: "The hub did not answer. Whether it was done is not known: look at the machine." };
  }
}
