"""Good files of HL7 v2 messages to start from: every kind that is read, both timing types, a batch, frames, odd delimiters."""

_PEOPLE = (
    "PID|1||P1^^^WEST^MR~77^^^NAT^NI||Orlova&Orlov^Anna^Igorevna^^^^L||19500412|F|||||||||||||||||||||20260309|N",
    "PV1|1|I|CARD^101^2||||||||||||||||V7",
    "AL1|1|DA|70618^aspirin^RX|SV|rash",
    "IAM|1||^latex||x|A",
)
_ORDER = (
    "ORC|NW|A1^HIS|F1^PH|G1|IP||1^BID&0800,2000^D4^20260302^20260306^R^^^S||20260302063000|||D9^Petrov^P||||20260302",
    "RXO|MET^Metformin^L|1|2|TAB^tablet^UCUM|TAB|^look|^after food",
    "NTE|1||hold if\\.br\\dizzy",
    "RXE|1^Q6H&0600,1200,1800,0000^X6^20260302|MET^Metformin^L^A10BA02^^ATC|1|2|TAB^tablet|TAB|^with food||||10|TAB|1||RX7||||||||||||500|mg",
    "TQ1|1||BID^Twice^HL70335~QHS|0800~2000||7^D|20260302080000+0300|202603092000|R|if awake|slowly|A|20^min|14",
    "TQ1|2||Q2J135^DW^1^7^6^h^Y^ACM^30^min|||INDEF|2026030208||S",
    "TQ2|1|S|A0",
    "RXR|PO^oral^HL70162|MO|DEV|SW",
    "RXC|B|NS^saline|100|ML|0.9|%",
    "ZRX|1|own",
)
_GIVE = ("ORC|NW|A9", "RXG|1|1|1^ONCE^^202603021100|KCL^potassium|20||MEQ||look|||Y||H1|5|ml/h|10|mg", "RXR|IV")


def _message(kind: str, *segments: str, control: str = "C1", version: str = "2.5", more: str = "") -> str:
    header = f"MSH|^~\\&|HIS|WEST|HUB|PH|20260302063000.12+0300||{kind}|{control}|P|{version}{more}"
    return "".join(f"{segment}\r" for segment in (header, *segments))


_RDE = _message("RDE^O11^RDE_O11", *_PEOPLE, *_ORDER)
_STOP = _message("RDE^O11", _PEOPLE[0], "ORC|DC|A1^HIS|||||||||||||20260304120000", control="C2", version="2.3")
_HOLD = _message("OMP^O09", _PEOPLE[0], "ORC|HD|A1^HIS", control="C3", version="2.8", more="||||AL|AL||UNICODE UTF-8")
_RGV = _message("RGV^O15", _PEOPLE[0], *_GIVE, control="C4")
_MOVES = "".join(
    _message(f"ADT^{event}", "EVN||20260302070000||||20260302065500", *_PEOPLE, control=event) for event in ("A01", "A02", "A03", "A08", "A11", "A13")
)
_OTHERS = _message("RDS^O13", _PEOPLE[0], control="C5") + _message("ORM^O01", _PEOPLE[0], "ORC|ZZ|7", _ORDER[1], control="C6", version="2.2")
HL7_SEEDS: tuple[bytes, ...] = (
    (_RDE + _STOP + _HOLD + _RGV).encode(),
    (_MOVES + _RDE).encode(),
    f"FHS|^~\\&|HIS\rBHS|^~\\&|HIS\r{_RDE}{_OTHERS}BTS|3\rFTS|1\r".encode(),
    b"".join(b"\x0b" + text.encode() + b"\x1c\r" for text in (_RDE, _STOP, _OTHERS)),
    _RDE.replace("\r", "\r\n").replace("\\", "¥").encode(),
    _RDE.replace("Orlova", "Орлова").replace("|P|2.5", "|P|2.5||||||8859/5").encode("iso8859-5"),
    _RDE.replace("Orlova", "山田").replace("|P|2.5", "|P|2.5||||||~ISOIR87").encode("iso2022_jp"),
    _RDE.translate(str.maketrans("|^~\\&", "#*@!%")).encode(),
)
