"""`dosehub-sim NAME …`: start one simulator as a process of its own."""

import importlib
import sys

SIMULATORS = {
    "packager": "simulators.packager.serve",
    "printer": "simulators.printer.serve",
    "camera": "simulators.camera.serve",
    "people": "simulators.people.serve",
    "check": "simulators.check",
}


def main() -> None:
    """Run the simulator named by the first argument; each module offers `main(arguments) -> exit status`."""
    if len(sys.argv) < 2 or sys.argv[1] not in SIMULATORS:
        print(f"usage: dosehub-sim {{{','.join(SIMULATORS)}}} …", file=sys.stderr)
        sys.exit(2)
    module = importlib.import_module(SIMULATORS[sys.argv[1]])
    sys.exit(module.main(sys.argv[2:]))


if __name__ == "__main__":
    main()
