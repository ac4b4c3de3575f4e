"""Firmware updates by the console, through the real broker and bridge into the simulated packager, which proves, tries and keeps them."""

import hashlib
import json
import os
import pty
import re
import select
import signal
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from firmware_bridge.firmware_image import Image, ImageRefused, read_image
from firmware_bridge.firmware_update import not_started
from firmware_bridge.service_contract import FirmwareSlots
from tests.bridge.plant import DEADLINE_S, wait_until
from tests.console.console_plant import Live, Plant

TEST_MAKER = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
STRANGER = Ed25519PrivateKey.from_private_bytes(bytes(32))
GIVEN_BACK = "the service lock is given back"
VERSION = "1.2.0"
LIMIT_BYTES = 1_048_576
SMALL = b"firmware of a test\n" * 60
LARGE = bytes(range(256)) * 1500


def signed(version: str, data: bytes, maker: Ed25519PrivateKey = TEST_MAKER) -> dict[str, Any]:
    digest = hashlib.sha256(data).digest()
    text = b"PPL-FW" + bytes([len(version)]) + version.encode() + len(data).to_bytes(4, "little") + digest
    return {"format": "PPL-FW", "version": version, "sha256": digest.hex(), "signature": maker.sign(text).hex()}


def image_file(folder: Path, data: bytes, **changes: Any) -> Path:
    """Write an image; a member that is None is left out of its first line."""
    maker = changes.pop("maker", TEST_MAKER)
    head = signed(VERSION, data, maker) | changes
    path = folder / f"image-{len(list(folder.glob('image-*')))}.ppl"
    path.write_bytes(
        json.dumps({name: value for name, value in head.items() if value is not None}).encode() + b"\n" + data
    )
    return path


def update(plant: Plant, path: Path) -> "subprocess.CompletedProcess[str]":
    return plant.run("--control", "ivanova", "--update", str(path))


def test_image_is_carried_proven_tried_tested_and_confirmed(plant: Plant) -> None:
    updated = update(plant, image_file(plant.folder, SMALL))
    assert (updated.returncode, updated.stderr) == (0, "")
    for words in (
        f"firmware {VERSION}: 0 of {len(SMALL)} bytes, 0 %",
        f"firmware {VERSION}: {len(SMALL)} of {len(SMALL)} bytes, 100 %",
        "the machine has proven the image and restarts out of it, on trial",
        "the machine has tested itself",
        f"firmware {VERSION} is confirmed",
    ):
        assert words in updated.stdout.splitlines()
    assert re.search(r"slot A +1\.1\.0, confirmed\n +slot B +1\.2\.0, runs\n", updated.stdout)
    assert updated.stdout.splitlines()[-1] == GIVEN_BACK
    wait_until(lambda: plant.ear.retained["$description"]["firmware"] == VERSION, "the new description")
    shown = plant.run("--follow", "0").stdout
    assert re.search(r"firmware +1\.2\.0", shown)
    newer = signed("1.3.0", SMALL + b"more")
    assert update(plant, image_file(plant.folder, SMALL + b"more", **newer)).returncode == 0
    wait_until(lambda: plant.ear.retained["$description"]["firmware"] == "1.3.0", "the next description")


def test_bridge_that_is_killed_in_the_middle_goes_on_where_it_was(plant: Plant) -> None:
    console = Live(plant, "--control", "ivanova", "--update", str(image_file(plant.folder, LARGE)))
    console.wait_for("20 %")
    plant.bridge.kill()
    plant.restart_bridge()
    console.wait_for("* carrying is resumed: ")
    status, out, errors = console.end(None)
    assert (status, errors) == (0, "")
    carried = [int(words) for words in re.findall(rf"firmware {VERSION}: (\d+) of", "".join(console.lines) + out)]
    assert carried == sorted(carried)
    assert f"firmware {VERSION} is confirmed" in out


def test_console_that_is_stopped_in_the_middle_is_gone_on_with_by_the_next(plant: Plant) -> None:
    path = image_file(plant.folder, LARGE)
    console = Live(plant, "--control", "ivanova", "--update", str(path))
    console.wait_for("30 %")
    assert console.end(signal.SIGINT)[0] == 0
    updated = update(plant, path)
    assert updated.returncode == 0
    carried = int(re.search(r"carried +(\d+) bytes", updated.stdout).group(1))  # type: ignore[union-attr]
    assert carried >= 3 * len(LARGE) // 10
    assert re.search(rf"firmware {VERSION}: {carried} of {len(LARGE)} bytes", updated.stdout)


def test_half_of_another_image_is_not_gone_on_with(plant: Plant) -> None:
    console = Live(plant, "--control", "ivanova", "--update", str(image_file(plant.folder, LARGE)))
    console.wait_for("20 %")
    console.end(signal.SIGINT)
    updated = update(plant, image_file(plant.folder, SMALL))
    assert updated.returncode == 0
    assert f"firmware {VERSION}: 0 of {len(SMALL)} bytes" in updated.stdout


def test_signature_of_a_stranger_is_refused_by_the_machine_which_goes_on_as_before(plant: Plant) -> None:
    updated = update(plant, image_file(plant.folder, SMALL, maker=STRANGER))
    assert updated.returncode == 1
    assert (
        "SIGNATURE: the image is not signed by the maker: the machine dropped it and goes on as before"
        in updated.stderr
    )
    assert updated.stdout.splitlines()[-1] == GIVEN_BACK
    assert plant.ear.retained["$description"]["firmware"] == "1.1.0"
    wait_until(lambda: plant.state() == "idle", "the machine at work again")


@pytest.mark.parametrize(
    ("data", "changes", "words"),
    [
        (SMALL, {"signature": None}, "`signature`"),
        (SMALL, {"signature": ""}, "$.signature"),
        (SMALL, {"format": "ELF"}, "$.format"),
        (SMALL, {"version": "x" * 33}, "$.version"),
        (SMALL, {"sha256": "ab" * 32}, "it is damaged"),
        (b"", {}, f"1 to {LIMIT_BYTES} bytes"),
        (bytes(LIMIT_BYTES + 1), {}, f"1 to {LIMIT_BYTES} bytes"),
    ],
)
def test_file_that_is_unsigned_damaged_or_too_large_is_not_sent(
    tmp_path: Path, data: bytes, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(ImageRefused) as refused:
        read_image(image_file(tmp_path, data, **changes))
    assert words in str(refused.value)


def test_largest_image_is_read_and_raw_bytes_are_not(tmp_path: Path) -> None:
    image = read_image(image_file(tmp_path, bytes(LIMIT_BYTES)))
    assert (image.version, len(image.data)) == (VERSION, LIMIT_BYTES)
    raw = tmp_path / "raw"
    raw.write_bytes(SMALL)
    with pytest.raises(ImageRefused, match="not signed as it must be"):
        read_image(raw)
    raw.write_bytes(bytes(10_000))
    with pytest.raises(ImageRefused, match="a line that names and signs it"):
        read_image(raw)


def test_beginning_of_an_image_is_known_by_its_sum() -> None:
    image = Image(VERSION, "", b"hallo")
    assert image.begins_with(0, 0)
    assert image.begins_with(5, image.crc)
    assert not image.begins_with(4, image.crc)
    assert not image.begins_with(6, image.crc)


def test_unsigned_file_reaches_nobody(plant: Plant) -> None:
    refused = update(plant, image_file(plant.folder, SMALL, signature=None))
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "is not sent: it is not signed as it must be" in refused.stderr
    missing = update(plant, plant.folder / "nowhere.ppl")
    assert missing.returncode == 1
    assert "nowhere.ppl cannot be used: No such file" in missing.stderr


def test_firmware_whose_self_test_fails_is_not_confirmed_falls_back_and_is_told(plant: Plant) -> None:
    plant.packager.post("/door", {"open": True})
    updated = update(plant, image_file(plant.folder, SMALL))
    assert updated.returncode == 1
    assert (
        f"failed: door; firmware {VERSION} is not confirmed: the machine falls back at the fourth boot"
        in updated.stderr
    )
    other = update(plant, image_file(plant.folder, LARGE, version="1.9.9", signature="ab" * 64))
    assert other.returncode == 1
    assert "CONFLICT: the firmware that runs is on trial" in other.stderr
    for _ in range(3):
        plant.packager.kill()
        plant.packager.start()
    wait_until(lambda: plant.ear.retained["$description"]["firmware"] == "1.1.0", "the fall back")
    told = plant.run("--follow", "0", "--firmware").stdout
    assert re.search(r"slot A +1\.1\.0, runs, confirmed", told)
    assert re.search(r"failed boots +3, rolled back", told)


def test_trial_that_was_left_is_confirmed_by_the_next_update_with_the_same_image(plant: Plant) -> None:
    path = image_file(plant.folder, SMALL)
    plant.packager.post("/door", {"open": True})
    assert update(plant, path).returncode == 1
    plant.packager.post("/door", {"open": False})
    confirmed = update(plant, path)
    assert (confirmed.returncode, confirmed.stderr) == (0, "")
    assert f"firmware {VERSION} is confirmed" in confirmed.stdout
    assert "bytes, " not in confirmed.stdout


SLOTS = FirmwareSlots(
    active="A", confirmed="A", failed_boots=0, safe_mode=False, offset=0, crc=0, version_a="1.1.0", version_b=VERSION
)


def test_version_that_was_not_started_is_told_as_rolled_back() -> None:
    assert "rolled back: the machine runs 1.1.0 and not 1.2.0" in str(not_started(SLOTS, VERSION))
    assert "safe mode" in str(not_started(msgspec.structs.replace(SLOTS, safe_mode=True), VERSION))
    assert not_started(msgspec.structs.replace(SLOTS, active="B"), VERSION) is None


def test_terminal_gets_a_bar(plant: Plant) -> None:
    controller, terminal = pty.openpty()
    environment = os.environ | {"TERM": "xterm-256color", "COLUMNS": "100"}
    command = plant.command("--control", "ivanova", "--update", str(image_file(plant.folder, SMALL)))
    process = subprocess.Popen(command, stdout=terminal, env=environment)
    os.close(terminal)
    shown = b""
    while select.select([controller], [], [], 2 * DEADLINE_S)[0]:
        try:
            shown += os.read(controller, 4096)
        except OSError:
            break
    os.close(controller)
    assert process.wait(DEADLINE_S) == 0
    assert "━" in shown.decode()
    assert "1.1/1.1 kB" in shown.decode()
