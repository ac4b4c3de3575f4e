"""Recording what a program does to the files of one folder: the preloaded recorder, its log, and the programs' marks."""

import ctypes
import os
import shutil
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).with_name("recorder.c")
ROOT = Path(__file__).parents[2]
RAM = Path("/dev/shm")
LONGEST_RUN_S = 100.0
_RECORD = struct.Struct("=cIqI")


@dataclass(frozen=True, slots=True)
class Created:
    """A name was made for a new file."""

    file: int
    name: str


@dataclass(frozen=True, slots=True)
class Wrote:
    """Bytes were written to a file at an offset."""

    file: int
    offset: int
    content: bytes


@dataclass(frozen=True, slots=True)
class Resized:
    """A file was cut or extended to a size in bytes."""

    file: int
    size: int


@dataclass(frozen=True, slots=True)
class Synced:
    """A sync of a file ended well."""

    file: int


@dataclass(frozen=True, slots=True)
class FolderSynced:
    """A sync of the folder ended well."""


@dataclass(frozen=True, slots=True)
class Removed:
    """A name was removed."""

    name: str


@dataclass(frozen=True, slots=True)
class Renamed:
    """A name was changed, in place of any that was there."""

    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Marked:
    """The program said something: a word and what it is about."""

    word: str
    about: str


Naming = Created | Removed | Renamed
Event = Naming | Wrote | Resized | Synced | FolderSynced | Marked


class NoCompiler(RuntimeError):
    """There is no C compiler: nothing can be recorded."""


def mark(word: str, about: str = "") -> None:
    """Say in a recorded program, between its writes, what is true from now on; outside of a recording this fails."""
    ctypes.CDLL(None).disk_mark(f"{word} {about}".encode())


def working_folder() -> tempfile.TemporaryDirectory[str]:
    """Return a folder in memory where there is such a place."""
    return tempfile.TemporaryDirectory(prefix="power-cuts-", dir=RAM if os.access(RAM, os.W_OK) else None)


def record(module: str, arguments: Sequence[str], folder: Path) -> list[Event]:
    """Run a module of this folder under the recorder and return all that it did, in order.

    `folder` is a new folder to work in; the module gets the path of the recorded folder below it and then the arguments.
    """
    disk, log, recorder = folder / "disk", folder / "log", folder / "recorder.so"
    disk.mkdir()
    _compile(recorder)
    environment = {**os.environ, "LD_PRELOAD": str(recorder), "DISK_FOLDER": str(disk), "DISK_LOG": str(log)}
    command = [sys.executable, "-m", f"tests.disk.{module}", str(disk), *arguments]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, timeout=LONGEST_RUN_S)
    return list(_events(log.read_bytes()))


def _compile(recorder: Path) -> None:
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise NoCompiler("the recorder needs a C compiler (cc)")
    subprocess.run([compiler, "-O2", "-Wall", "-Werror", "-shared", "-fPIC", "-o", recorder, SOURCE, "-ldl", "-lpthread"], check=True)


def _events(log: bytes) -> Iterator[Event]:
    at = 0
    while at < len(log):
        kind, file, offset, size = _RECORD.unpack_from(log, at)
        at += _RECORD.size
        yield _event(kind, file, offset, log[at : at + size])
        at += size


def _event(kind: bytes, file: int, offset: int, content: bytes) -> Event:
    match kind:
        case b"W":
            return Wrote(file, offset, content)
        case b"T":
            return Resized(file, offset)
        case b"S":
            return Synced(file)
        case b"D":
            return FolderSynced()
        case b"C":
            return Created(file, content.decode())
        case b"U":
            return Removed(content.decode())
        case b"R":
            return Renamed(*content.decode().split("\0"))
        case b"M":
            return Marked(*content.decode().split(" ", 1))
    raise ValueError(f"the log has a record of kind {kind!r}")
