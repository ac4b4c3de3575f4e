"""A small FHIR server on a real socket: search with paging, includes and versions, and faults that a test plants."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

START = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
TOKEN = "a-token-of-the-test"


@dataclass
class SmallServer:
    """Resources by reference; `unknown` answers for types that the server does not know; `asked` are the searches for orders, `beside` the others; `faults` answer the next requests in the place of the server, `before_page` is told each page's number."""

    url: str = ""
    now: datetime = START
    page_size: int = 2
    token: str = ""
    total: bool = True
    r5: bool = False
    resources: dict[str, dict[str, Any]] = field(default_factory=dict)
    faults: list[Callable[[BaseHTTPRequestHandler], None]] = field(default_factory=list)
    before_page: Callable[[int], None] = lambda _: None
    next_link: Callable[[str], str] = lambda url: url
    asked: list[dict[str, list[str]]] = field(default_factory=list)
    beside: list[tuple[str, dict[str, list[str]]]] = field(default_factory=list)
    unknown: dict[str, Callable[[BaseHTTPRequestHandler], None]] = field(default_factory=dict)

    def put(self, kind: str, identity: str, **members: Any) -> None:
        """Store a resource under its next version, at the server's time."""
        before = self.resources.get(f"{kind}/{identity}")
        version = int(before["meta"]["versionId"]) + 1 if before else 1
        meta = {"versionId": str(version), "lastUpdated": self.now.isoformat().replace("+00:00", "Z")}
        self.resources[f"{kind}/{identity}"] = {"resourceType": kind, "id": identity, "meta": meta, **members}

    def order(self, identity: str, *, status: str = "active", patient: str = "p1", amount: float = 1, drug: str = "PLAIN") -> None:
        """Store an order of one tablet a day with the patient, the stay and the medication that it names."""
        self.person(patient)
        coding = {"coding": [{"code": drug}], "text": drug}
        if f"Medication/{drug}" not in self.resources:
            self.put("Medication", drug, code=coding)
        medication = {"medication": {"reference": {"reference": f"Medication/{drug}"}}} if self.r5 else {"medicationReference": {"reference": f"Medication/{drug}"}}
        dosage = {
            "timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}}, "route": {"text": "PO"},
            "doseAndRate": [{"doseQuantity": {"value": amount, "unit": "tablet"}}],
        }  # fmt: skip
        self.put(
            "MedicationRequest", identity, status=status, intent="order", subject={"reference": f"Patient/{patient}"},
            encounter={"reference": f"Encounter/e-{patient}"}, authoredOn="2026-03-01T20:00:00+03:00", dosageInstruction=[dosage], **medication,
        )  # fmt: skip

    def person(self, patient: str) -> None:
        if f"Patient/{patient}" in self.resources:
            return
        self.put("Patient", patient, identifier=[{"value": f"W-{patient}"}], name=[{"family": f"Family {patient}", "given": ["Name"]}], birthDate="1960-01-01")
        place = {"location": {"display": "Therapy / room 4 / bed 1"}}
        kept = {"class": [{"coding": [{"code": "IMP"}]}]} if self.r5 else {"class": {"code": "IMP"}}
        self.put("Encounter", f"e-{patient}", status="in-progress", subject={"reference": f"Patient/{patient}"}, location=[place], **kept)

    def step(self, minutes: float) -> None:
        self.now += timedelta(minutes=minutes)

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        asked, kind = parse_qs(urlsplit(request.path).query), urlsplit(request.path).path.rpartition("/")[2]
        if kind in ("Encounter", "AllergyIntolerance", "Patient"):
            self.beside.append((kind, asked))
            self.unknown.get(kind, lambda request: send(request, 200, self._bundle_beside(kind, asked)))(request)
            return
        self.asked.append(asked)
        if self.faults:
            self.faults.pop(0)(request)
            return
        if self.token and request.headers["authorization"] != f"Bearer {self.token}":
            send(request, 401, {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "login", "diagnostics": "no such token"}]})
            return
        page = int(asked.get("page", ["0"])[0])
        self.before_page(page)
        send(request, 200, self._bundle(asked, page), {"Date": format_datetime(self.now, usegmt=True)})

    def _bundle(self, asked: dict[str, list[str]], page: int) -> dict[str, Any]:
        found = [one for one in self.resources.values() if one["resourceType"] == "MedicationRequest" and self._fits(one, asked)]
        shown = found[page * self.page_size : (page + 1) * self.page_size]
        included = {reference: self.resources[reference] for one in shown for reference in _references(one)}
        entries = [{"fullUrl": f"{self.url}/MedicationRequest/{one['id']}", "resource": one, "search": {"mode": "match"}} for one in shown]
        entries += [{"fullUrl": f"{self.url}/{reference}", "resource": one, "search": {"mode": "include"}} for reference, one in included.items()]
        bundle: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset", "entry": entries, "link": []}
        if self.total:
            bundle["total"] = len(found)
        if (page + 1) * self.page_size < len(found):
            following = f"{self.url}/MedicationRequest?" + urlencode({**asked, "page": page + 1}, doseq=True)
            bundle["link"].append({"relation": "next", "url": self.next_link(following)})
        return bundle

    def _bundle_beside(self, kind: str, asked: dict[str, list[str]]) -> dict[str, Any]:
        patients = asked.get("patient", [""])[0].split(",")
        found = [one for one in self.resources.values() if one["resourceType"] == kind and self._fits(one, {**asked, "status": [""]})]
        found = [one for one in found if patients == [""] or one["patient"]["reference"].removeprefix("Patient/") in patients]
        return {"resourceType": "Bundle", "type": "searchset", "total": len(found), "entry": [{"resource": one, "search": {"mode": "match"}} for one in found]}

    def allergy(self, identity: str, patient: str, text: str, **members: Any) -> None:
        """Store an allergy of a patient."""
        self.put("AllergyIntolerance", identity, patient={"reference": f"Patient/{patient}"}, code={"text": text}, **members)

    @staticmethod
    def _fits(one: dict[str, Any], asked: dict[str, list[str]]) -> bool:
        statuses = asked.get("status", [""])[0]
        if statuses and one["status"] not in statuses.split(","):
            return False
        since = asked.get("_lastUpdated", [""])[0]
        return not since or datetime.fromisoformat(one["meta"]["lastUpdated"]) > datetime.fromisoformat(since.removeprefix("gt"))


def _references(one: dict[str, Any]) -> list[str]:
    medication = one.get("medicationReference") or one["medication"]["reference"]
    return [medication["reference"], one["subject"]["reference"], one["encounter"]["reference"]]


def send(request: BaseHTTPRequestHandler, status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> None:
    """Answer with JSON."""
    data = json.dumps(body).encode()
    request.send_response_only(status)
    for name, value in {"Content-Type": "application/fhir+json", "Content-Length": str(len(data)), **(headers or {})}.items():
        request.send_header(name, value)
    request.end_headers()
    request.wfile.write(data)


def drop(request: BaseHTTPRequestHandler) -> None:
    """Begin an answer and end the connection in its middle."""
    request.send_response_only(200)
    request.send_header("Content-Length", "1000")
    request.end_headers()
    request.wfile.write(b'{"resourceType": "Bundle", "entry": [')
    request.close_connection = True


def failing(status: int, **headers: str) -> Callable[[BaseHTTPRequestHandler], None]:
    """Return a fault that answers with a status."""
    return lambda request: send(request, status, {}, {name.replace("_", "-"): value for name, value in headers.items()})


@contextmanager
def small_server() -> Iterator[SmallServer]:
    """Serve on a port that the kernel chose."""
    server = SmallServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            server.answer(self)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    server.url = f"http://127.0.0.1:{http.server_address[1]}/fhir"
    try:
        yield server
    finally:
        http.shutdown()
        thread.join()
        http.server_close()
