"""Maintenance tickets: what a device shows of itself before it fails; opened once a cause, closed by a person with a reason."""

from dataclasses import replace

from hub.domain.camera_set_up import CameraFigures, CameraSetUp, moved_words
from hub.domain.identifiers import DeviceId, PackSerial, UserId, derived_id
from hub.domain.print_quality import PrintQuality, accepted, fading, fading_words, renewed, to_tell, with_print
from hub.domain.records import Incident
from hub.domain.refusals import Refusal
from hub.domain.words import Words
from hub.services.ports import UnitOfWork

PRINT_FADES, CAMERA_MOVED = "print-fades", "camera-moved"
TICKETS = (PRINT_FADES, CAMERA_MOVED)
NO_TICKET = Refusal("unknown-ticket", "This maintenance ticket is not open any more: look at the list.", "Эта заявка на обслуживание уже закрыта: посмотрите список.")
NO_REASON = Refusal("reason", "Say what was done or found: the reason is kept with your name.", "Напишите, что сделано или выяснено: причина хранится вместе с вашим именем.")


def print_seen(unit: UnitOfWork, device: DeviceId, pack: PackSerial, unused_share: float) -> PrintQuality:
    """Take the unused error correction (0..1) of a passed pouch's Data Matrix into its printer's trend; fading print opens a ticket."""
    known = unit.print_qualities.get(device) or PrintQuality(device)
    quality = with_print(known, round(100 * min(1.0, max(0.0, unused_share))))
    found = fading(quality)
    if found is not None and to_tell(quality, found) and not open_tickets(unit, device, PRINT_FADES):
        quality = replace(quality, told=found.now)
        open_ticket(unit, PRINT_FADES, device, fading_words(device, found), {"fresh": found.fresh, "now": found.now, "slope": found.slope, "pack": pack})
    unit.print_qualities.put(quality)
    return quality


def camera_seen(unit: UnitOfWork, device: DeviceId, figures: CameraFigures) -> bool:
    """Compare what pouches show of the camera with its accepted set-up; a knocked camera opens a ticket. Returns whether it stands right."""
    set_up = unit.camera_set_ups.get(device)
    words = moved_words(device, set_up.figures, figures) if set_up is not None else None
    if words is not None and not open_tickets(unit, device, CAMERA_MOVED):
        open_ticket(unit, CAMERA_MOVED, device, words, {"pixels_per_mm": figures.pixels_per_mm_text})
    return words is None


def accept_set_up(unit: UnitOfWork, device: DeviceId, figures: CameraFigures, by: UserId) -> CameraSetUp:
    """Keep figures as those of a camera that stands right, with date and name; what was said of its place before is settled."""
    set_up = CameraSetUp(device, unit.now, by, figures)
    unit.camera_set_ups.put(set_up)
    unit.record("camera-set-up", {"device": device, "figures": figures.told()})
    for ticket in open_tickets(unit, device, CAMERA_MOVED):
        _close(unit, ticket, "the camera was set up anew", is_renewed=False)
    return set_up


def open_ticket(unit: UnitOfWork, kind: str, device: DeviceId, words: Words, figures: dict[str, object]) -> Incident:
    """Open a ticket with its sentence in both languages and its figures."""
    number = unit.incidents.count(kind=kind, subject=device) + 1
    ticket = Incident(derived_id("ticket", kind, device, str(number), digits=16), kind, words.en, unit.now, device, text_ru=words.ru)
    unit.incidents.put(ticket)
    unit.record("maintenance-asked", {"ticket": ticket.id, "kind": kind, "device": device, "text": words.en, "text_ru": words.ru, **figures})
    return ticket


def open_tickets(unit: UnitOfWork, device: DeviceId | None = None, kind: str = "") -> list[Incident]:
    """Return the tickets that nobody has closed, the oldest first; of one device or one kind where they are named."""
    tickets = unit.incidents.where(kind=[kind] if kind else list(TICKETS), closed=False, order_by="opened_at")
    return [ticket for ticket in tickets if device in (None, ticket.subject)]


def close_ticket(unit: UnitOfWork, identity: str, reason: str, *, is_renewed: bool) -> Incident | Refusal:
    """Close a ticket in the name of the person who asks; `is_renewed`: head or ribbon was changed, so that good print is learned anew."""
    ticket = unit.incidents.get(identity)
    if ticket is None or ticket.kind not in TICKETS or ticket.closed:
        return NO_TICKET
    if not reason.strip():
        return NO_REASON
    return _close(unit, ticket, reason.strip(), is_renewed=is_renewed)


def _close(unit: UnitOfWork, ticket: Incident, reason: str, *, is_renewed: bool) -> Incident:
    closed = replace(ticket, closed=True)
    unit.incidents.put(closed)
    device = DeviceId(ticket.subject)
    quality = unit.print_qualities.get(device)
    if ticket.kind == PRINT_FADES and quality is not None:
        unit.print_qualities.put(renewed(quality) if is_renewed else accepted(quality))
    unit.record("maintenance-done", {"ticket": ticket.id, "kind": ticket.kind, "device": ticket.subject, "reason": reason, "renewed": is_renewed})
    return closed
