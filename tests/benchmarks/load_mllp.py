"""One sender of HL7 v2 messages, in a process of its own: `load_mllp PORT KIND SENDER COUNT` sends as fast as it is answered.

It prints {"taken", "began_s", "ended_s"}: how many were answered AA, and when by the machine's own clock.
"""

import json
import socket
import sys
import threading
import time

PATIENTS_OF_A_SENDER = 500
DRUGS = 30


def main() -> None:
    """Send, count, print."""
    port, sender, count = int(sys.argv[1]), int(sys.argv[3]), int(sys.argv[4])
    stream = b"".join(b"\x0b" + _message(sys.argv[2], sender, number) + b"\x1c\r" for number in range(count))
    with socket.create_connection(("127.0.0.1", port), 120) as connection:
        sending, began_s = threading.Thread(target=connection.sendall, args=(stream,)), time.monotonic()
        sending.start()
        taken = _taken(connection, count)
        ended_s = time.monotonic()
        sending.join()
    sys.stdout.write(json.dumps({"taken": taken, "began_s": began_s, "ended_s": ended_s}) + "\n")


def _taken(connection: socket.socket, count: int) -> int:
    answered, taken, rest = 0, 0, b""
    while answered < count:
        data = connection.recv(1 << 18)
        if not data:
            break
        *whole, rest = (rest + data).split(b"\x1c")
        answered += len(whole)
        taken += sum(b"MSA|AA|" in block for block in whole)
    return taken


def _message(kind: str, sender: int, number: int) -> bytes:
    patient, day = f"{sender}-{number % PATIENTS_OF_A_SENDER}", time.strftime("%Y%m%d")
    head = f"MSH|^~\\&|HIS{sender}|WEST|HUB|PH|{day}060000+0300||{{}}|{kind}{number}|P|2.5\r"
    room = number % 40 if kind == "moves" else 1
    people = f"PID|1||{patient}^^^WEST^MR||Orlova^Anna^Igorevna||19500412|F\rPV1|1|I|CARD^{room}^1||||||||||||||||V{patient}\r"
    if kind == "moves":
        return (head.format("ADT^A08^ADT_A01") + f"EVN||{day}060000+0300\r" + people).encode()
    order = (
        f"ORC|NW|{sender}-{number}^HIS|||||||{day}055500+0300|||D9^Petrov^P\rRXE||D{number // PATIENTS_OF_A_SENDER % DRUGS}^Metformin 500 mg^LOCAL|1||TAB^tablet|TAB^Tablet\r"
        f"TQ1|1||BID^Twice a day^HL70335||||{day}080000+0300||R\rRXR|PO^oral\r"
    )
    return (head.format("RDE^O11^RDE_O11") + people + order).encode()


if __name__ == "__main__":
    main()
