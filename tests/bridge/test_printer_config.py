"""`[[printer]]` in the bridge's configuration: what is taken, and why what is not."""

from pathlib import Path

import pytest

from firmware_bridge.__main__ import Config, ConfigError, PrinterTable, read_config
from firmware_bridge.printer_status import PrinterLanguage

HEAD = '[bridge]\nsite = "mercy"\nbroker = "mqtt://127.0.0.1"\nspool = "s"\n'
DEVICE = '[[device]]\nid = "packager-1"\nurl = "/dev/ttyUSB0"\n'
PRINTER = '[[printer]]\nid = "printer-1"\nurl = "tcp://10.0.0.7:9100"\n'


def read(folder: Path, *tables: str) -> Config:
    (folder / "bridge.toml").write_text(HEAD + "".join(tables), "utf-8")
    return read_config(folder / "bridge.toml")


def test_printers_stand_beside_devices_or_alone(tmp_path: Path) -> None:
    serial = '[[printer]]\nid = "printer-2"\nurl = "/dev/ttyUSB1"\nbaud = 9600\n'
    config = read(tmp_path, DEVICE, PRINTER, serial)
    assert config.printer == (
        PrinterTable("printer-1", "tcp://10.0.0.7:9100", 115_200),
        PrinterTable("printer-2", "/dev/ttyUSB1", 9600),
    )
    assert read(tmp_path, PRINTER).device == ()
    assert read(tmp_path, DEVICE).printer == ()


@pytest.mark.parametrize(
    ("tables", "why"),
    [
        ((), "neither a"),
        ((PRINTER, PRINTER), "differ from each other"),
        ((DEVICE, PRINTER.replace("printer-1", "packager-1")), "differ from each other"),
        ((PRINTER.replace("printer-1", "hub"),), "from 'hub'"),
        ((PRINTER.replace("printer-1", "Printer/1"),), "id"),
        ((PRINTER + "baud = 7\n",), "baud"),
        ((PRINTER + "fence = 7\n",), "fence"),
    ],
)
def test_what_cannot_be_used_is_refused_with_the_reason(tmp_path: Path, tables: tuple[str, ...], why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        read(tmp_path, *tables)


def test_a_printer_speaks_escpos_unless_it_is_told_otherwise(tmp_path: Path) -> None:
    config = read(tmp_path, PRINTER, PRINTER.replace("printer-1", "printer-2") + 'language = "zpl"\n')
    assert [printer.language for printer in config.printer] == [PrinterLanguage.ESCPOS, PrinterLanguage.ZPL]
    with pytest.raises(ConfigError, match="language"):
        read(tmp_path, PRINTER + 'language = "tspl"\n')
