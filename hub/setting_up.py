"""`dosehub set-up`: files and people into the store of a hub that is not running."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from hub.adapters.clock import wall_clock
from hub.adapters.intake.cassettes import look_alike_neighbours, read_cassettes
from hub.adapters.intake.directory import read_directory
from hub.adapters.intake.errors import IntakeError
from hub.adapters.sessions import ArgonPins
from hub.adapters.writer import Writer
from hub.domain.identifiers import DeviceId
from hub.domain.people import Role
from hub.domain.words import Words
from hub.services.ports import UnitOfWork
from hub.services.set_up import enter_cassettes, enter_directory
from hub.services.sign_in import NewUser, enrol


class SetUpRefused(ValueError):
    """A file or a person that cannot be entered; nothing of the call was."""


def set_up_hub(
    data_dir: Path, directory: Path | None, cassettes: Path | None, packager: str, people: Sequence[tuple[str, str]]
) -> list[str]:
    """Enter all of it in one decision, or nothing; returns what was entered, a line each."""
    newcomers = [_person(text, pin) for text, pin in people]
    pins = ArgonPins()
    data_dir.mkdir(parents=True, exist_ok=True)
    with Writer(data_dir / "dosehub.sqlite", wall_clock) as writer:

        def enter(unit: UnitOfWork) -> list[str]:
            told = []
            if directory is not None:
                read = read_directory(directory.name, directory.read_bytes())
                told += [f"{enter_directory(unit, directory.name, read.drugs.values())} drugs", *both(read.warnings)]
            if cassettes is not None:
                known = {drug.code: drug for drug in unit.drugs.where()}
                places = read_cassettes(cassettes.name, cassettes.read_bytes(), known)
                told.append(f"{enter_cassettes(unit, cassettes.name, DeviceId(packager), places)} new cassettes")
                told += (f"{cassettes.name}: {warning}" for warning in both(look_alike_neighbours(places, known)))
            return told + [
                f"{enrol(unit, person, pins.hashed(person.pin)).name}, {person.role.value}" for person in newcomers
            ]

        try:
            return writer.submit("system", enter).result()
        except IntakeError as error:
            raise SetUpRefused(error.in_both()) from error
        except OSError as error:
            raise SetUpRefused(str(error)) from error


def both(warnings: Iterable[Words]) -> Iterator[str]:
    """Yield each warning in English and then in Russian, a line each."""
    return (text for warning in warnings for text in (warning.en, warning.ru))


def _person(text: str, pin: str) -> NewUser:
    role, _, rest = text.partition(":")
    badge, _, name = rest.partition(":")
    if role not in set(Role) - {Role.SYSTEM} or not badge or not name:
        raise SetUpRefused(f"{text}: write ROLE:BADGE:NAME, ROLE one of {', '.join(sorted(set(Role) - {Role.SYSTEM}))}")
    if len(pin) < 6 or not pin.isdigit():
        raise SetUpRefused(f"{name}: a PIN has six digits or more")
    return NewUser(name, Role(role), badge, pin)
