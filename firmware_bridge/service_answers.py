"""What to ask of the machine for a service command, and what its answer means (docs/protocol.md section 3); pure.

Each command is one request. The bridge keeps nothing of an image that is being carried: the machine does, and says from where on.
"""

from firmware_bridge import dispatch, packets, service_packets
from firmware_bridge.dispatch import Ask, Refuse
from firmware_bridge.packets import Op, Rc
from firmware_bridge.service_contract import (
    FirmwareBeginCommand,
    FirmwareCommitCommand,
    FirmwareConfirmCommand,
    FirmwareDataCommand,
    FirmwareStatusCommand,
    JobQueryCommand,
    JogCommand,
    LockCommand,
    MachineCommand,
    SelfTestCommand,
    ServiceEvent,
)
from firmware_bridge.service_packets import FirmwareImage

Data = dict[str, bool | int | str]

NOT_AT_REST = "the machine is not at rest: a pouch is begun or a job is accepted"
ON_TRIAL = "the firmware that runs is on trial and the other slot holds the one to fall back to: confirm it or let it fall back"
REASONS: dict[type[MachineCommand], dict[Rc, str]] = {
    LockCommand: {
        Rc.LOCKED: "somebody else holds the service lock",
        Rc.BUSY: "the machine holds too many untold events to note a change of the lock",
    },
    SelfTestCommand: {Rc.BUSY: NOT_AT_REST},
    JogCommand: {Rc.BUSY: NOT_AT_REST, Rc.STOPPED: "the door is open, or the machine waits for a person"},
    JobQueryCommand: {},
    FirmwareStatusCommand: {},
    FirmwareBeginCommand: {Rc.BUSY: NOT_AT_REST, Rc.CONFLICT: ON_TRIAL},
    FirmwareDataCommand: {
        Rc.BUSY: NOT_AT_REST,
        Rc.OFFSET: "the piece does not follow on what the machine has of the image",
        Rc.BAD_REQUEST: "the machine carries another image, or none, or the piece goes beyond its end",
    },
    FirmwareCommitCommand: {
        Rc.BUSY: NOT_AT_REST,
        Rc.CONFLICT: ON_TRIAL,
        Rc.OFFSET: "the image is not carried whole",
        Rc.BAD_REQUEST: "the machine carries another image, or none",
        Rc.DIGEST: "the image that was carried is not the one that was named: the machine dropped it",
        Rc.SIGNATURE: "the image is not signed by the maker: the machine dropped it and goes on as before",
    },
    FirmwareConfirmCommand: {Rc.BUSY: NOT_AT_REST},
}
TOLD_WITH = {LockCommand: Rc.LOCKED, FirmwareDataCommand: Rc.OFFSET}


def ask_for(command: MachineCommand) -> Ask:
    """Return the one request that a command is."""
    match command:
        case LockCommand(mode=mode, owner=owner):
            return Ask(Op.LOCK, service_packets.pack_lock(mode, owner))
        case SelfTestCommand(tests=tests):
            return Ask(Op.SELFTEST, service_packets.pack_self_test(frozenset(tests)))
        case JogCommand(motor=motor, direction=direction, hold_ms=hold_ms):
            return Ask(Op.JOG, service_packets.pack_jog(motor, direction, hold_ms))
        case JobQueryCommand(job=job):
            return Ask(Op.JOB_QUERY, bytes.fromhex(job))
        case FirmwareStatusCommand():
            return Ask(Op.FW_STATUS, b"")
        case FirmwareBeginCommand(restart=restart):
            return Ask(Op.FW_BEGIN, service_packets.pack_firmware_begin(_image(command), restart=restart))
        case FirmwareDataCommand(crc=crc, offset=offset, data=data):
            return Ask(Op.FW_DATA, service_packets.pack_firmware_piece(crc, offset, data))
        case FirmwareCommitCommand(sha256=sha256):
            return Ask(Op.FW_COMMIT, bytes.fromhex(sha256))
        case FirmwareConfirmCommand():
            return Ask(Op.FW_CONFIRM, b"")


def _image(named: FirmwareBeginCommand) -> FirmwareImage:
    digest, signature = bytes.fromhex(named.sha256), bytes.fromhex(named.signature)
    return FirmwareImage(named.size, named.crc, digest, signature, named.version)


def answer_of(command: MachineCommand, rc: int, payload: bytes) -> ServiceEvent:
    """Return what the machine's answer means; raise DecodeError for one that cannot be read."""
    data = _data(command, payload) if rc in {Rc.OK, TOLD_WITH.get(type(command), Rc.OK)} else {}
    if rc == Rc.OK:
        return ServiceEvent(command=command.command, rc="OK", reason="", data=data)
    refuse = dispatch.refusal(rc)
    own = {own_rc.name: reason for own_rc, reason in REASONS[type(command)].items()}
    return ServiceEvent(command=command.command, rc=refuse.rc, reason=own.get(refuse.rc, refuse.reason), data=data)


def _data(command: MachineCommand, payload: bytes) -> Data:
    match command:
        case LockCommand():
            lock = service_packets.unpack_lock(payload)
            return {"locked": lock.is_locked, "owner": lock.owner}
        case SelfTestCommand():
            return dict(service_packets.unpack_self_test(payload))
        case JogCommand():
            return {"position": service_packets.unpack_position(payload)}
        case JobQueryCommand():
            return _standing(payload)
        case FirmwareStatusCommand():
            return _slots(payload)
        case FirmwareBeginCommand() | FirmwareDataCommand():
            return {"next_offset": packets.unpack_offset(payload)}
        case FirmwareCommitCommand() | FirmwareConfirmCommand():
            packets.ensure_end(payload, 1)
            return {}


def _standing(payload: bytes) -> Data:
    job = packets.unpack_job_query(payload)
    state = job.state.name.lower().replace("_", "-")
    return {"job_state": state, "slot": job.slot, "running": bool(job.running), "event": job.event}


def _slots(payload: bytes) -> Data:
    told = service_packets.unpack_firmware_status(payload)
    return {
        "active": service_packets.slot_word(told.active), "confirmed": service_packets.slot_word(told.confirmed),
        "failed_boots": told.failed_boots, "safe_mode": told.is_safe_mode, "offset": told.offset, "crc": told.crc,
        "version_a": told.version_a, "version_b": told.version_b,
    }  # fmt: skip


def refused(command: str, refuse: Refuse) -> ServiceEvent:
    """Return the answer that a command is not done."""
    return ServiceEvent(command=command, rc=refuse.rc, reason=refuse.reason, data={})
