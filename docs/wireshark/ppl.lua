-- Wireshark's view of PPL/1.1, the serial protocol between bridge and packager (docs/protocol.md).
--
-- A packet is one frame without COBS, as `dosehub console --trace-to FILE.pcapng` writes it (link type USER0). Where a packet's flags tell of
-- an error at the link, its bytes are those that came between two delimiters, and they are unstuffed here.

local ppl = Proto("ppl", "PPL/1.1 packager protocol")

local TYPES = { [0x11] = "REQ", [0x12] = "RSP", [0x13] = "EVT", [0x14] = "HELLO", [0x15] = "HELLO_RSP" }
local OPS = {
  [0x00] = "HELLO", [0x01] = "STATUS", [0x02] = "JOB_RUN", [0x03] = "JOB_QUERY", [0x04] = "RESOLVE", [0x05] = "EVT_ACK", [0x06] = "PING",
  [0x07] = "ABORT", [0x08] = "LOCK", [0x09] = "JOG", [0x0a] = "SELFTEST", [0x10] = "FW_BEGIN", [0x11] = "FW_DATA", [0x12] = "FW_STATUS",
  [0x13] = "FW_COMMIT", [0x14] = "FW_CONFIRM", [0x20] = "LABEL_BEGIN", [0x21] = "LABEL_DATA", [0x22] = "LABEL_COMMIT", [0x23] = "VERDICT",
}
local KINDS = {
  [0x41] = "ACCEPTED", [0x42] = "DROPPED", [0x43] = "AT_CAMERA", [0x44] = "RELEASED", [0x45] = "DIVERTED", [0x46] = "DONE", [0x47] = "STOPPED",
  [0x48] = "READY", [0x49] = "CASSETTE", [0x4a] = "RESOLVED", [0x4b] = "LOCK",
}
local RCS = {
  [0] = "OK", "BAD_REQUEST", "CONFLICT", "BUSY", "NO_LABEL", "UNKNOWN_JOB", "CASSETTE_MISMATCH", "OFFSET", "DIGEST", "STALE_EVENT", "FENCED",
  "UNSUPPORTED", "EMPTY", "STOPPED", "LOCKED", "NOT_LOCKED", "SIGNATURE", "SAFE_MODE",
}
local STATES = { [0] = "idle", "running", "pouch at camera", "stopped", "in doubt", "locked", "safe mode" }
local REASONS = {
  [0] = "none", "no verdict in time", "film out", "door open", "jam", "reject bin not emptied", "ribbon out", "gate stuck",
}
local STOPPED_REASONS = {
  [0] = "in doubt", "no verdict in time", "film out", "door open", "jam", "reject bin not emptied", "ribbon out", "gate stuck",
}
local JOB_STATES = { [0] = "none", "accepted", "running", "at camera", "done", "diverted", "doubt", "refused", "aborted" }
local CAUSES = { [0] = "power on", "watchdog", "brown-out", "software" }
local LOCK_MODES = { [0] = "give back", "take", "take over" }
local MOTORS = { "film", "gate", "tray" }
local DIRECTIONS = { [0] = "back", "forward" }
local TESTS = { "memory", "drop sensor", "film", "print head", "door", "gate", "reject bin" }
local RESULTS = { [0] = "passed", "failed", "not fitted" }
local VERDICTS = { [0] = "in doubt", "PASS", "FAIL", "LOOK" }
local SLOTS = { [0] = "A", "B" }

local f = {}

local function number(name, size, text, words, shown)
  local make = ({ [1] = ProtoField.uint8, [2] = ProtoField.uint16, [4] = ProtoField.uint32 })[size]
  f[name] = { size = size, field = make("ppl." .. name, text, shown or base.DEC, words) }
end

local function octets(name, size, text)
  f[name] = { size = size, is_octets = true, field = ProtoField.bytes("ppl." .. name, text) }
end

local function words_of(name, text)
  f[name] = { field = ProtoField.string("ppl." .. name, text) }
end

number("type", 1, "Type", TYPES, base.HEX)
number("seq", 1, "Sequence number")
number("sid", 2, "Session", nil, base.HEX)
number("op", 1, "Operation", OPS, base.HEX)
number("kind", 1, "Event", KINDS, base.HEX)
number("crc32", 4, "Check sum", nil, base.HEX)
number("rc", 1, "Result", RCS)
number("proto_major", 1, "Protocol, major")
number("proto_minor", 1, "Protocol, minor")
number("fence", 4, "Fence")
number("schema_crc", 4, "Schema", nil, base.HEX)
number("boot", 4, "Boot")
number("reset_cause", 1, "Reset cause", CAUSES)
number("next_evt", 4, "Next event")
number("capabilities", 4, "Capabilities", nil, base.HEX)
number("cassette_slots", 1, "Cassette slots")
number("label_width", 2, "Dots of the print head")
number("first", 1, "First slot of the page")
number("state", 1, "State", STATES)
number("reason", 1, "Reason", REASONS)
number("stop_reason", 1, "Reason", STOPPED_REASONS)
octets("job", 16, "Job")
number("job_slot", 1, "Slot of the job")
number("crc_err", 4, "Frames with a wrong check sum")
number("cobs_err", 4, "Frames that could not be unstuffed")
number("overrun", 4, "Frames that were too long")
number("ok", 4, "Sound frames")
number("dup", 4, "Repeated requests")
number("stale_sid", 4, "Frames of another session")
number("slots", 1, "Cassette slots")
number("n", 1, "Entries")
number("machine_slot", 1, "Machine slot")
number("cassette", 4, "Cassette")
number("remaining", 2, "Tablets that remain")
number("digest", 4, "Digest of the job", nil, base.HEX)
octets("label", 32, "Label")
number("count", 1, "Tablets to drop")
number("job_state", 1, "State of the job", JOB_STATES)
number("evt", 4, "Event number")
number("running", 1, "Running")
number("counted", 1, "Counted")
number("asked", 1, "Asked")
number("mode", 1, "Lock", LOCK_MODES)
words_of("owner", "Owner")
number("locked", 1, "Locked")
number("motor", 1, "Motor", MOTORS)
number("direction", 1, "Direction", DIRECTIONS)
number("hold_ms", 2, "Hold, milliseconds")
number("position", 4, "Position")
number("tests", 1, "Tests (bits)", nil, base.HEX)
number("test", 1, "Test", TESTS)
number("result", 1, "Outcome", RESULTS)
number("restart", 1, "Restart")
number("size", 4, "Size")
number("crc", 4, "CRC-32", nil, base.HEX)
octets("sha256", 32, "SHA-256")
octets("signature", 64, "Signature")
words_of("version", "Version")
octets("tag", 4, "Tag")
number("fw_tag", 4, "Tag", nil, base.HEX)
number("offset", 4, "Offset")
number("next_offset", 4, "Next offset")
number("active", 1, "Active slot", SLOTS)
number("confirmed", 1, "Confirmed slot", SLOTS)
number("failed_boots", 1, "Failed boots")
number("safe", 1, "Safe mode")
words_of("a", "Version in slot A")
words_of("b", "Version in slot B")
number("width", 2, "Width")
number("height", 2, "Height")
number("length", 4, "Length of the stream")
number("verdict", 1, "Verdict", VERDICTS)
words_of("fw", "Firmware")
words_of("serial", "Serial number")
octets("data", nil, "Data")
octets("unread", nil, "Bytes that could not be read")

for _, known in pairs(f) do
  ppl.fields[#ppl.fields + 1] = known.field
end

local wrong = {
  crc = ProtoExpert.new("ppl.wrong.crc", "The check sum is wrong", expert.group.CHECKSUM, expert.severity.ERROR),
  cobs = ProtoExpert.new("ppl.wrong.cobs", "Not a frame in COBS", expert.group.MALFORMED, expert.severity.ERROR),
  overrun = ProtoExpert.new("ppl.wrong.overrun", "More than 236 bytes between two delimiters", expert.group.MALFORMED, expert.severity.ERROR),
  short = ProtoExpert.new("ppl.wrong.short", "The payload ends too early", expert.group.MALFORMED, expert.severity.ERROR),
  long = ProtoExpert.new("ppl.wrong.long", "The payload goes on behind its end", expert.group.MALFORMED, expert.severity.ERROR),
  unknown = ProtoExpert.new("ppl.wrong.unknown", "Not in PPL/1.1", expert.group.UNDECODED, expert.severity.WARN),
  refused = ProtoExpert.new("ppl.wrong.refused", "The device refused", expert.group.RESPONSE_CODE, expert.severity.NOTE),
}
for _, found in pairs(wrong) do
  ppl.experts[#ppl.experts + 1] = found
end

-- Layouts: lists of steps. A name is a field of fixed size; the rest are tables that say how to go on.

local function text(name) return { text = name } end
local function rest(name) return { rest = name } end
local function each(...) return { each = { ... } } end

local REQUESTS = {
  [0x00] = { "proto_major", "proto_minor", "fence" },
  [0x01] = { "first" },
  [0x02] = { "job", "digest", "label", each("machine_slot", "cassette", "count") },
  [0x03] = { "job" },
  [0x04] = { "job", "job_slot", "boot", "evt", "counted" },
  [0x05] = { "boot", "evt" },
  [0x06] = { rest("data") },
  [0x07] = { "job" },
  [0x08] = { "mode", text("owner") },
  [0x09] = { "motor", "direction", "hold_ms" },
  [0x0a] = { "tests" },
  [0x10] = { "restart", "size", "crc", "sha256", "signature", text("version") },
  [0x11] = { "fw_tag", "offset", rest("data") },
  [0x12] = {},
  [0x13] = { "sha256" },
  [0x14] = {},
  [0x20] = { "label", "width", "height", "length" },
  [0x21] = { "tag", "offset", rest("data") },
  [0x22] = { "label" },
  [0x23] = { "job", "job_slot", "boot", "evt", "verdict" },
}
local ANSWERS = {
  [0x00] = {
    "proto_major", "proto_minor", "schema_crc", "boot", "reset_cause", "next_evt", "capabilities", "cassette_slots", "label_width",
    text("fw"), text("serial"),
  },
  [0x01] = {
    "state", "reason", "job", "job_slot", "next_evt", "crc_err", "cobs_err", "overrun", "ok", "dup", "stale_sid", "slots", "first",
    each("machine_slot", "cassette", "remaining"),
  },
  [0x02] = { "job_state", "evt" },
  [0x03] = { "job_state", "job_slot", "running", "evt" },
  [0x04] = { "job_state", "evt" },
  [0x05] = {},
  [0x06] = { rest("data") },
  [0x07] = { "job_state", "evt" },
  [0x08] = { "locked", text("owner") },
  [0x09] = { "position" },
  [0x0a] = { each("test", "result") },
  [0x10] = { "next_offset" },
  [0x11] = { "next_offset" },
  [0x12] = { "active", "confirmed", "failed_boots", "safe", "offset", "crc", text("a"), text("b") },
  [0x13] = {},
  [0x14] = {},
  [0x20] = { "next_offset" },
  [0x21] = { "next_offset" },
  [0x22] = {},
  [0x23] = {},
}
local TOLD_WITH = { [0x00] = 10, [0x08] = 14, [0x11] = 7, [0x21] = 7 } -- the rc besides OK that comes with content
local EVENTS = {
  [0x41] = {},
  [0x42] = { "cassette", "asked", "counted", "remaining" },
  [0x43] = {},
  [0x44] = {},
  [0x45] = { "verdict" },
  [0x46] = { "job_state" },
  [0x47] = { "stop_reason" },
  [0x48] = {},
  [0x49] = { "machine_slot", "cassette", "remaining" },
  [0x4a] = { "cassette", "asked", "counted", "remaining" },
  [0x4b] = { "mode", text("owner") },
}
local EVENT_HEAD = { "boot", "evt", "job", "job_slot" }

-- Reading: `at` is where the next step begins; nil means that the bytes ended too early.

local read

local function read_fixed(tree, bytes, at, name)
  local known = f[name]
  if at + known.size > bytes:len() then return nil end
  local range = bytes(at, known.size)
  if known.is_octets then tree:add(known.field, range) else tree:add_le(known.field, range) end
  return at + known.size
end

local function read_text(tree, bytes, at, name)
  if at >= bytes:len() then return nil end
  local length = bytes(at, 1):uint()
  if at + 1 + length > bytes:len() then return nil end
  tree:add(f[name].field, bytes(at, 1 + length), length > 0 and bytes(at + 1, length):string() or "")
  return at + 1 + length
end

local function read_rest(tree, bytes, at, name)
  if at < bytes:len() then tree:add(f[name].field, bytes(at)) end
  return bytes:len()
end

local function read_each(tree, bytes, at, steps)
  if at >= bytes:len() then return nil end
  local count = bytes(at, 1):uint()
  tree:add(f.n.field, bytes(at, 1))
  at = at + 1
  for _ = 1, count do
    at = read(tree, bytes, at, steps)
    if at == nil then return nil end
  end
  return at
end

read = function(tree, bytes, at, steps)
  for _, step in ipairs(steps) do
    if at == nil then return nil end
    if type(step) == "string" then at = read_fixed(tree, bytes, at, step)
    elseif step.text then at = read_text(tree, bytes, at, step.text)
    elseif step.rest then at = read_rest(tree, bytes, at, step.rest)
    else at = read_each(tree, bytes, at, step.each) end
  end
  return at
end

local function read_whole(tree, bytes, at, steps)
  local ended = read(tree, bytes, at, steps)
  if ended == nil then
    tree:add_proto_expert_info(wrong.short)
  elseif ended < bytes:len() then
    tree:add(f.unread.field, bytes(ended))
    tree:add_proto_expert_info(wrong.long)
  end
end

local function read_answer(tree, bytes, op)
  if bytes:len() == 0 then
    tree:add_proto_expert_info(wrong.short)
    return ""
  end
  local rc = bytes(0, 1):uint()
  local item = tree:add(f.rc.field, bytes(0, 1))
  if rc ~= 0 then item:add_proto_expert_info(wrong.refused) end
  read_whole(tree, bytes, 1, (rc == 0 or rc == TOLD_WITH[op]) and ANSWERS[op] or {})
  return RCS[rc] or tostring(rc)
end

local function read_event(tree, bytes, kind)
  local at = read(tree, bytes, 0, EVENT_HEAD)
  if at == nil then
    tree:add_proto_expert_info(wrong.short)
    return ""
  end
  read_whole(tree, bytes, at, EVENTS[kind])
  return string.format("%d of boot %d", bytes(4, 4):le_uint(), bytes(0, 4):le_uint())
end

local function read_payload(tree, bytes, kind, op)
  if kind == 0x13 then return read_event(tree, bytes, op) end
  if kind == 0x12 or kind == 0x15 then return read_answer(tree, bytes, op) end
  read_whole(tree, bytes, 0, REQUESTS[op])
  return ""
end

-- The check sum, and COBS for what came damaged.

-- Wireshark brings one of these two libraries; Lua itself has the operator from 5.3 on.
local bits = bit or bit32
local xor = bits and bits.bxor or load("return function(a, b) return a ~ b end")()

local CRC = {}
for byte = 0, 255 do
  local sum = byte
  for _ = 1, 8 do
    sum = sum % 2 == 1 and xor(math.floor(sum / 2), 0xedb88320) % 0x100000000 or math.floor(sum / 2)
  end
  CRC[byte] = sum
end

local function crc32(bytes, length)
  local sum = 0xffffffff
  for at = 0, length - 1 do
    local index = xor(sum % 256, bytes(at, 1):uint()) % 256
    sum = xor(math.floor(sum / 256), CRC[index]) % 0x100000000
  end
  return xor(sum, 0xffffffff) % 0x100000000
end

local function unstuffed(bytes)
  local hex, at = {}, 0
  while at < bytes:len() do
    local code = bytes(at, 1):uint()
    if code == 0 or at + code > bytes:len() then return nil end
    for inside = at + 1, at + code - 1 do
      hex[#hex + 1] = string.format("%02x", bytes(inside, 1):uint())
    end
    at = at + code
    if code < 255 and at < bytes:len() then hex[#hex + 1] = "00" end
  end
  return #hex >= 9 and ByteArray.new(table.concat(hex)):tvb("Unstuffed frame") or nil
end

local function read_frame(frame, packet, tree)
  local kind, op, body = frame(0, 1):uint(), frame(4, 1):uint(), frame:len() - 9
  local is_event = kind == 0x13
  local name = (is_event and KINDS or OPS)[op]
  for at, known in ipairs({ "type", "seq" }) do tree:add(f[known].field, frame(at - 1, 1)) end
  tree:add_le(f.sid.field, frame(2, 2))
  tree:add(is_event and f.kind.field or f.op.field, frame(4, 1))
  local words = ""
  if TYPES[kind] == nil or name == nil then
    tree:add_proto_expert_info(wrong.unknown)
    if kind == 0x12 and body > 0 then tree:add(f.rc.field, frame(5, 1)) end
    if body > 0 then tree:add(f.unread.field, frame(5, body)) end
  else
    local bytes = body > 0 and frame(5, body):tvb() or ByteArray.new():tvb("Empty payload")
    words = read_payload(body > 0 and tree:add(frame(5, body), "Payload") or tree, bytes, kind, op)
  end
  local sum = tree:add_le(f.crc32.field, frame(5 + body, 4))
  if crc32(frame, 5 + body) ~= frame(5 + body, 4):le_uint() then sum:add_proto_expert_info(wrong.crc) end
  packet.cols.info = string.format("%s %s seq %d %s", TYPES[kind] or "?", name or string.format("0x%02x", op), frame(1, 1):uint(), words)
end

-- A version that does not know a flag shows the rest all the same.
local function flag(name)
  local is_known, field = pcall(Field.new, "frame.packet_flags_" .. name)
  return is_known and field or nil
end

local direction = flag("direction")
local crc_error = flag("crc_error")
local too_long = flag("packet_too_error")
local symbol_error = flag("symbol_error")

local function is_set(field)
  local found = field and field()
  return found ~= nil and found.value == true
end

local function name_ends(packet)
  local found = direction and direction()
  if found == nil then return end
  packet.cols.src = found.value == 2 and "bridge" or "packager"
  packet.cols.dst = found.value == 2 and "packager" or "bridge"
end

function ppl.dissector(buffer, packet, root)
  packet.cols.protocol = "PPL"
  name_ends(packet)
  if buffer:len() == 0 then
    packet.cols.info = string.format("not shown: %d bytes, the comment says why", buffer:reported_len())
    return
  end
  local tree, frame = root:add(ppl, buffer()), buffer
  if is_set(too_long) then
    packet.cols.info = string.format("overrun: %d bytes", buffer:len())
    tree:add_proto_expert_info(wrong.overrun)
    tree:add(f.unread.field, buffer())
    return
  end
  if is_set(crc_error) or is_set(symbol_error) then frame = unstuffed(buffer) end
  if frame == nil or frame:len() < 9 then
    packet.cols.info = string.format("no frame: %d bytes", buffer:len())
    tree:add_proto_expert_info(wrong.cobs)
    tree:add(f.unread.field, buffer())
    return
  end
  read_frame(frame, packet, tree)
end

DissectorTable.get("wtap_encap"):add(wtap.USER0, ppl)
