"""The limit program of a machine: a pseudo terminal that answers every `--asked` bytes with `--answer` bytes, and does nothing else."""

import argparse
import json
import os
import sys
import tty


def main() -> None:
    """Tell the terminal's path and answer until the process is ended."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--asked", type=int, required=True)
    parser.add_argument("--answer", type=int, required=True)
    told = parser.parse_args()
    near, far = os.openpty()
    tty.setraw(far)
    sys.stdout.write(json.dumps({"ready": True, "port": os.ttyname(far)}) + "\n")
    sys.stdout.flush()
    answer, held = b"x" * told.answer, 0
    while True:
        held += len(os.read(near, 4096))
        while held >= told.asked:
            held -= told.asked
            os.write(near, answer)


if __name__ == "__main__":
    main()
