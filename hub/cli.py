"""`dosehub`: serve the hub, run the demonstration, export and verify the ledger."""

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    name="dosehub", help="The unit-dose line of a hospital pharmacy.", no_args_is_help=True, add_completion=False
)
ledger = typer.Typer(help="Export and verify the ledger.", no_args_is_help=True)
app.add_typer(ledger, name="ledger")

DAYS_AT_MOST = 36_500
LOOK_AT_MOST_S = 3_600

Sources = Annotated[
    Path | None, typer.Option("--sources", help="TOML: who sends sheets, and how (docs/feeds.md).", envvar="DOSEHUB_SOURCES")
]
WardClock = Annotated[
    Path | None,
    typer.Option("--ward-clock", help="TOML: ward times and rules of due times (docs/schedule.md).", envvar="DOSEHUB_WARD_CLOCK"),
]


class Language(StrEnum):
    """The language of sentences."""

    RUSSIAN = "ru"
    ENGLISH = "en"


def _zone(name: str) -> str:
    """Return the name of a time zone that there is; another is a usage error."""
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise typer.BadParameter(f"there is no time zone {name!r}: name one as Europe/Moscow") from error
    return name


def _printer(address: str) -> str:
    """Return a printer's address; half an address of a bridge, and a language before nothing or before a bridge, are usage errors."""
    if address.startswith(("mqtt://", "mqtts://")):
        from hub.adapters.print_link import printer_place
        from hub.settings import LABEL_PRINTER

        try:
            printer_place(address, LABEL_PRINTER)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from error
    language, plus, line = address.partition("+")
    if plus and language in ("escpos", "zpl") and (not line or line.startswith(("mqtt://", "mqtts://"))):
        raise typer.BadParameter(f"printer {address!r}: after {language}+ stands tcp://host:9100 or a serial path; a bridge knows its printer's language")
    return address


Zone = Annotated[str, typer.Option(help="Time zone of the hospital.")]
DataDir = Annotated[Path, typer.Option("--data-dir", help="Where the hub keeps its database.")]


class Faults(StrEnum):
    """How much goes wrong in the simulated plant."""

    NONE = "none"
    MILD = "mild"


@app.command()
def serve(
    data_dir: DataDir = Path("dosehub-data"),
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port; 0: the kernel chooses.", min=0, max=65535)] = 8000,
    broker: Annotated[str, typer.Option(help="mqtt://[user:password@]host:port", envvar="DOSEHUB_BROKER")] = "",
    service_broker: Annotated[
        str,
        typer.Option(help="The same with the user of the engineer's page, SITE.service.hub.", envvar="DOSEHUB_SERVICE_BROKER"),
    ] = "",
    camera: Annotated[str, typer.Option(help="Device number, RTSP or MJPEG URL.", envvar="DOSEHUB_CAMERA")] = "",
    camera_backend: Annotated[str, typer.Option(help="Of a USB camera: v4l2, dshow, msmf or any.")] = "",
    camera_size: Annotated[str, typer.Option(help="Of a USB camera, as 1280x960; without it, its own.")] = "",
    camera_fps: Annotated[float, typer.Option(help="Pictures a second of a USB camera; 0: its own.")] = 0,
    camera_exposure: Annotated[float, typer.Option(help="Fixed exposure of a USB camera in its own unit (V4L2: 0.1 ms); 0: automatic.")] = 0,
    lights: Annotated[str, typer.Option(help="Serial path of the relay board of the lights; without it, one fixed light.", envvar="DOSEHUB_LIGHTS")] = "",
    printer: Annotated[
        str,
        typer.Option(
            help="tcp://host:9100 or a serial path (ZPL: zpl+ before it), or mqtt://user:password@host:port/site/printer-1 through its bridge.", envvar="DOSEHUB_PRINTER",
            callback=_printer,
        ),
    ] = "",
    fhir_url: Annotated[str, typer.Option(help="Where to write back; without it, into a folder.", envvar="DOSEHUB_FHIR_URL")] = "",
    film_width_mm: Annotated[int, typer.Option("--film-width", help="Of the machine's film, in mm: 60, 70, 80 or 100.")] = 80,
    roll_width_mm: Annotated[int, typer.Option("--roll-width", help="Of the label printer's roll, in mm: 60 or 80.")] = 80,
    zone: Annotated[str, typer.Option(help="Time zone of the hospital.", callback=_zone)] = "Europe/Moscow",
    language: Annotated[Language, typer.Option(help="Language of the labels.")] = Language.RUSSIAN,
    site: Annotated[str, typer.Option(help="The site in topics.", envvar="DOSEHUB_SITE")] = "hospital",
    sources: Sources = None,
    ward_clock: WardClock = None,
    evidence_days: Annotated[int, typer.Option(help="For how many days pictures of FAIL and LOOK are kept.", min=1, max=DAYS_AT_MOST)] = 365,
    evidence_pass_days: Annotated[int, typer.Option(help="For how many days pictures of PASS are kept.", min=1, max=DAYS_AT_MOST)] = 30,
    evidence_pass_share: Annotated[int, typer.Option(help="Of so many pouches that pass, the pictures of one are kept.", min=1)] = 50,
    look_s: Annotated[int, typer.Option(help="Least seconds of looking before a pouch may be accepted at the review station.", min=0, max=LOOK_AT_MOST_S)] = 5,
    look_high_alert_s: Annotated[int, typer.Option(help="The same for one with a high-alert drug.", min=0, max=LOOK_AT_MOST_S)] = 10,
    known_bad_one_in: Annotated[int, typer.Option(help="Of so many pouches shown there, one comes after a known-bad one; 0: none.", min=0)] = 50,
    known_bad_a_shift: Annotated[int, typer.Option(help="Known-bad pouches for one person in eight hours, at most.", min=0)] = 3,
    known_bad_seed: Annotated[str, typer.Option(help="Moves before which pouches they come.", envvar="DOSEHUB_KNOWN_BAD_SEED")] = "",
    known_bad_machine: Annotated[int, typer.Option(help="Known-bad trials of the machine in a day, at most.", min=0)] = 200,
    stepped_from: Annotated[
        datetime | None,
        typer.Option(help="Demonstrations: a clock that stands there and is stepped.", formats=["%Y-%m-%dT%H:%M:%S%z"]),
    ] = None,
) -> None:
    """Run the hub: web, API, dispatch, device events and camera in one process."""
    from devices.barcode_camera.capture import CaptureSettings
    from hub.adapters.intake.errors import IntakeError
    from hub.domain.evidence import EvidenceRules
    from hub.domain.label_reasons import label_reason_ru
    from hub.domain.looking import StationRules
    from hub.serving import run
    from hub.settings import HubSettings
    from labels.errors import TemplateError

    try:
        CaptureSettings.from_text(camera, camera_backend, camera_size, camera_fps, camera_exposure)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    settings = HubSettings(
        data_dir=data_dir, host=host, port=port, site=site, zone=zone, language=language.value, broker=broker, camera=camera, printer=printer,
        fhir_url=fhir_url, stepped_from=stepped_from, film_width_mm=film_width_mm, roll_width_mm=roll_width_mm, service_broker=service_broker, sources=sources, ward_clock=ward_clock,
        evidence=EvidenceRules(evidence_pass_share, evidence_pass_days, evidence_days),
        station=StationRules(
            look_s, look_high_alert_s, known_bad_one_in, known_bad_a_shift, seed=known_bad_seed, machine_trials_a_day=known_bad_machine,
        ),
        camera_backend=camera_backend, camera_size=camera_size, camera_fps=camera_fps, camera_exposure=camera_exposure, lights=lights,
    )  # fmt: skip
    try:
        run(settings)
    except IntakeError as error:
        typer.echo(error.in_both(), err=True)
        raise typer.Exit(2) from error
    except TemplateError as error:
        typer.echo(f"{error}\n{label_reason_ru(str(error))}", err=True)
        raise typer.Exit(2) from error


@app.command("known-bad")
def known_bad(
    data_dir: DataDir = Path("dosehub-data"),
    most: Annotated[int, typer.Option(help="Pouches to try, at most.", min=1)] = 1000,
    language: Annotated[Language, typer.Option(help="Language of the sentences.")] = Language.RUSSIAN,
    json_: Annotated[bool, typer.Option("--json", help="Print all figures as JSON.")] = False,
) -> None:
    """Try the machine with known-bad pouches made of the kept frames of a hub that does not run, and tell what it misses."""
    from hub.known_bad_command import run_known_bad

    raise typer.Exit(run_known_bad(data_dir, most, language.value, as_json=json_))


@app.command()
def demo(
    sheet: Annotated[
        list[Path] | None, typer.Option(help="A day's sheet (repeatable); without it, the bundled sample.")
    ] = None,
    changes: Annotated[Path | None, typer.Option(help="The day's changes, NDJSON.")] = None,
    formulary: Annotated[Path | None, typer.Option(help="The drug directory, CSV.")] = None,
    day: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The day; without it, from the sheet's name.")
    ] = None,
    speed: Annotated[str, typer.Option(help="How many times faster than real time the machines run, or max.")] = "max",
    seed: int = 1,
    faults: Faults = Faults.NONE,
    exit_: Annotated[
        bool, typer.Option("--exit", help="End when the day is over; status 0 only if every invariant held.")
    ] = False,
    json_: Annotated[Path | None, typer.Option("--json", help="Write the summary there.")] = None,
    data_dir: Annotated[
        Path | None, typer.Option("--data-dir", help="Keep everything there; without it, in a temporary folder.")
    ] = None,
    plant: Annotated[
        str, typer.Option("--plant", help="Plant a fault that must be found: double-drop, swapped-label or lost-event.")
    ] = "",
) -> None:
    """Run one whole day through the line, with simulated machines and people, as real processes."""
    from hub.demo.run import DemoOptions, run_demo

    options = DemoOptions(
        sheets=tuple(sheet or ()), changes=changes, formulary=formulary, day=day.date() if day else None, speed=speed, seed=seed, faults=faults.value,
        exits=exit_, json_path=json_, data_dir=data_dir, plant=plant,
    )  # fmt: skip
    raise typer.Exit(run_demo(options))


@app.command()
def console(
    device: Annotated[str, typer.Argument(help="The machine, as its bridge names it.")],
    broker: Annotated[str, typer.Option(help="mqtt[s]://[user:password@]host:port", envvar="DOSEHUB_BROKER")],
    site: Annotated[str, typer.Option(envvar="DOSEHUB_SITE")] = "hospital",
    follow: Annotated[
        float | None, typer.Option(min=0, help="Show frames for so many seconds; without it, until Ctrl-C.")
    ] = None,
    trace_to: Annotated[
        Path | None, typer.Option("--trace-to", help="Write the frames there as well: pcapng by its name, else one a line.")
    ] = None,
    control: Annotated[str, typer.Option(help="Your name: take the service lock, give it back at the end.")] = "",
    lock: Annotated[bool, typer.Option("--lock", help="With --control: keep the lock at the end.")] = False,
    release: Annotated[bool, typer.Option("--release", help="With --control: only give the lock back.")] = False,
    self_test: Annotated[bool, typer.Option("--self-test", help="With --control: let the machine test itself.")] = False,
    jog: Annotated[str, typer.Option(metavar="MOTOR:DIRECTION", help="With --control: move film, gate or tray back or forward.")] = "",
    seconds: Annotated[float | None, typer.Option(help="For how long --jog holds the handle; Ctrl-C lets go.")] = None,
    update: Annotated[Path | None, typer.Option(help="With --control: carry this signed firmware, try it, confirm it.")] = None,
    firmware: Annotated[bool, typer.Option("--firmware", help="What lies in both firmware slots.")] = False,
    journal: Annotated[bool, typer.Option("--journal", help="What the machine's journal has of its job.")] = False,
    job: Annotated[list[str] | None, typer.Option(help="And of the job of this id (repeatable).")] = None,
    resolve: Annotated[
        int | None, typer.Option(metavar="COUNTED", help="Answer the machine's doubt in the hub: so many tablets fell.")
    ] = None,
    reason: Annotated[str, typer.Option(help="With --resolve: how it was counted and what was seen.")] = "",
    hub: Annotated[str, typer.Option(help="With --resolve: the hub, https://host[:port]; it asks for badge and PIN.")] = "",
    bundle: Annotated[Path | None, typer.Option(help="Write a support bundle without patients' data; a new zip file.")] = None,
    fence: Annotated[int, typer.Option(min=0, help="At least the one the bridge knows; a refusal names it.")] = 1,
) -> None:
    """Look at one machine, and with --control take it out of work, test, move and update it (docs/console.md)."""
    from hub.console.command import ConsoleOptions, run_console

    options = ConsoleOptions(
        device=device, broker=broker, site=site, follow_s=follow, trace_to=trace_to, owner=control, keeps_lock=lock, releases=release,
        tests=self_test, fence=fence, jog=jog, jog_s=seconds, firmware=firmware, journal=journal, jobs=tuple(job or ()),
        resolve=resolve, reason=reason, hub=hub, update=update, bundle=bundle,
    )  # fmt: skip
    raise typer.Exit(run_console(options))


@app.command("set-up")
def set_up(
    data_dir: DataDir = Path("dosehub-data"),
    directory: Annotated[Path | None, typer.Option(help="The drug directory, CSV.")] = None,
    cassettes: Annotated[Path | None, typer.Option(help="The cassette map, CSV.")] = None,
    packager: Annotated[str, typer.Option(help="The machine that the cassettes belong to.")] = "packager-1",
    person: Annotated[list[str] | None, typer.Option(help="ROLE:BADGE:NAME, repeatable; the PIN is asked for.")] = None,
) -> None:
    """Enter the drug directory, the cassette map and people into a hub that is not running."""
    from hub.setting_up import SetUpRefused, set_up_hub

    pins = [typer.prompt(f"PIN for {entry}", hide_input=True, confirmation_prompt=True) for entry in person or []]
    try:
        for line in set_up_hub(data_dir, directory, cassettes, packager, list(zip(person or [], pins, strict=True))):
            typer.echo(line)
    except SetUpRefused as refused:
        typer.echo(str(refused), err=True)
        raise typer.Exit(2) from refused


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="A sheet or a changes feed, in any format that is read (docs/intake.md).")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only look: nothing is written to a store.")] = False,
    source: Annotated[str, typer.Option(help="Which source sent it.")] = "",
    json_: Annotated[Path | None, typer.Option("--json", help="Write every line's outcome, words and doses there.")] = None,
    rejects: Annotated[Path | None, typer.Option(help="Where rejected lines go; without it, FILE.rejects.csv.")] = None,
    formulary: Annotated[Path | None, typer.Option(help="The drug directory, CSV.")] = None,
    after: Annotated[Path | None, typer.Option(help="For changes: the sheet that they follow.")] = None,
    allergies: Annotated[Path | None, typer.Option(help="The source's list of allergies.")] = None,
    data_dir: Annotated[Path | None, typer.Option("--data-dir", help="The hub's folder.")] = None,
    at: Annotated[str, typer.Option(metavar="MOMENT", help="The moment at which it is judged.")] = "",
    zone: Zone = "Europe/Moscow",
    sources: Sources = None,
    ward_clock: WardClock = None,
) -> None:
    """Say what becomes of every line of a file, and without --dry-run take it into a hub that is not running (docs/replay.md)."""
    from hub.planning_commands.import_command import ImportOptions, run_import
    from hub.planning_commands.opening import Asked

    folder = data_dir if dry_run else data_dir or Path("dosehub-data")
    asked = Asked(file=file, source=source, formulary=formulary, data_dir=folder, at=at, zone=zone, after=after, allergies=allergies, sources=sources, ward_clock=ward_clock)
    raise typer.Exit(run_import(ImportOptions(asked, dry_run, json_, rejects)))


@app.command()
def plan(
    file: Annotated[Path, typer.Argument(help="A day's sheet, in any format that is read (docs/intake.md).")],
    explain: Annotated[bool, typer.Option("--explain", help="Say why, for every line, dose and lane.")] = False,
    source: Annotated[str, typer.Option(help="Which source sent it.")] = "",
    formulary: Annotated[Path | None, typer.Option(help="The drug directory, CSV.")] = None,
    allergies: Annotated[Path | None, typer.Option(help="The source's list of allergies.")] = None,
    data_dir: Annotated[Path | None, typer.Option("--data-dir", help="The hub's folder; nothing is written there.")] = None,
    at: Annotated[str, typer.Option(metavar="MOMENT", help="The moment at which it is planned.")] = "",
    zone: Zone = "Europe/Moscow",
    language: Annotated[Language, typer.Option(help="Language of the sentences.")] = Language.RUSSIAN,
    sources: Sources = None,
    ward_clock: WardClock = None,
) -> None:
    """Show the doses of the day that follow from a sheet, by department; nothing is written (docs/replay.md)."""
    from hub.planning_commands.opening import Asked
    from hub.planning_commands.plan_command import PlanOptions, run_plan

    asked = Asked(file=file, source=source, formulary=formulary, data_dir=data_dir, at=at, zone=zone, language=language.value, allergies=allergies, sources=sources, ward_clock=ward_clock)
    raise typer.Exit(run_plan(PlanOptions(asked, explain)))


@app.command("read-code")
def read_code(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Pictures: PNG, JPEG, TIFF, BMP, GIF, WebP.")],
    json_: Annotated[bool, typer.Option("--json", help="Print a JSON list, one entry a file.")] = False,
) -> None:
    """Read every code of picture files; status 1 where a file is no readable picture (docs/reading-codes.md)."""
    from hub.reading_codes import run_read_code

    raise typer.Exit(run_read_code(files, json_, typer.echo))


@app.command()
def replay(
    folder: Annotated[Path, typer.Argument(help="sheets/DAY.*, changes/DAY.* and formulary.csv (docs/replay.md).")],
    out: Annotated[Path | None, typer.Option("--out", help="Write replay.json and the chart replay.svg there.")] = None,
    source: Annotated[str, typer.Option(help="Which source sent it.")] = "",
    zone: Zone = "Europe/Moscow",
    packings: Annotated[list[int] | None, typer.Option(help="Only so many packings a day (repeatable).")] = None,
    days: Annotated[int, typer.Option(min=0, help="Only the first days; 0: all.")] = 0,
    sources: Sources = None,
    ward_clock: WardClock = None,
) -> None:
    """Run a history of sheets and changes without machines, and say what packing more often would have saved."""
    from hub.replay.command import ReplayOptions, run_replay

    raise typer.Exit(run_replay(ReplayOptions(folder, out, source, zone, tuple(packings or (1, 2, 3, 4)), days, sources, ward_clock)))


@ledger.command("export")
def export_ledger(
    data_dir: DataDir = Path("dosehub-data"),
    out: Annotated[Path | None, typer.Option("--out", help="The file; without it, standard output.")] = None,
) -> None:
    """Write the ledger as NDJSON, one entry a line (docs/ledger.md)."""
    import sys

    from hub.adapters.ledger_export import export, export_file

    database = _database(data_dir)
    if out is not None:
        typer.echo(f"{export_file(database, out)} entries written to {out}", err=True)
    else:
        export(database, sys.stdout.buffer)


@ledger.command("verify")
def verify_ledger(
    data_dir: Annotated[Path | None, typer.Option("--data-dir", help="The hub's folder.")] = None,
    file: Annotated[Path | None, typer.Option("--file", help="An export instead.")] = None,
) -> None:
    """Check the whole chain; status 1 and the first wrong entry where it does not hold."""
    from hub.adapters.ledger_export import verify_database, verify_export

    found = verify_export(file) if file is not None else verify_database(_database(data_dir or Path("dosehub-data")))
    if found.fault is not None:
        typer.echo(
            f"entry {found.fault.seq}: {found.fault.reason} ({found.entries} entries before it are sound)", err=True
        )
        raise typer.Exit(1)
    typer.echo(f"{found.entries} entries are sound; head {found.head}")


def _database(data_dir: Path) -> Path:
    database = data_dir / "dosehub.sqlite"
    if not database.exists():
        typer.echo(f"{data_dir} holds no dosehub.sqlite: name the hub's data folder with --data-dir", err=True)
        raise typer.Exit(2)
    return database


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
