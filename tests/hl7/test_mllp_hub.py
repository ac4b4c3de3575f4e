"""The hub listens for the messages of every source whose settings name a port."""

from pathlib import Path

import pytest
from hl7_messages import adt
from mllp_client import Sender

from hub.bootstrap import open_hub
from hub.settings import HubSettings

SOURCES = """
[his]
course_required = false
signature_required = false
allergies_provided = false
excluded_departments = []
mllp_port = 0
hl7_charset = "cp1251"
hl7_processing = "PT"
"""


def test_a_port_in_the_settings_of_a_source(tmp_path: Path) -> None:
    (tmp_path / "sources.toml").write_text(SOURCES)
    hub = open_hub(HubSettings(data_dir=tmp_path / "data", sources=tmp_path / "sources.toml"))
    hub.start()
    try:
        (server,) = hub.listeners
        with Sender(server.port) as sender:
            text = adt("A01").replace("Orlova&Orlov", "Орлова").replace("|P|2.5", "|T|2.5")
            sender.send_bytes([b"\x0b", text.encode("cp1251"), b"\x1c\r"])
            assert sender.answers()[0].segments[1].value(1) == "AA"
        patient = hub.writer.submit_read(lambda unit: unit.patients.get("P1")).result()
        assert patient is not None
        assert patient.family == "Орлова"
    finally:
        hub.stop()
    with pytest.raises(ConnectionRefusedError):
        Sender(server.port)
