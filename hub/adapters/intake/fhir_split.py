"""A Bundle parted into its entries by its brackets alone: for one that holds something too deeply nested to be decoded."""

import re
from collections.abc import Iterator

_TOKENS = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[{}\[\],:]', re.DOTALL)
_OPENING, _CLOSING = (b"{", b"["), (b"}", b"]")

Token = tuple[int, bytes, int]
_END: Token = (0, b"", -1)


def split_bundle(content: bytes) -> tuple[bytes, list[bytes]] | None:
    """Return (the Bundle without its entries, the entries), or None where the content is no object with a list of entries."""
    tokens = _tokens(content)
    list_start = _list_start(tokens)
    if list_start < 0:
        return None
    entries: list[bytes] = []
    begin = list_start + 1
    for depth, token, start in tokens:
        if depth == 2 and token in (b",", b"]"):
            entries += [entry] if (entry := content[begin:start].strip()) else []
            begin = start + 1
        if depth == 2 and token == b"]":
            return content[: list_start + 1] + content[start:], entries
    return None


def _list_start(tokens: Iterator[Token]) -> int:
    """Return where the list of entries opens; -1 where there is none."""
    for depth, token, _ in tokens:
        if depth == 1 and token == b'"entry"' and next(tokens, _END)[1] == b":":
            _, following, start = next(tokens, _END)
            return start if following == b"[" else -1
    return -1


def _tokens(content: bytes) -> Iterator[Token]:
    """Yield (depth, token, where it starts); a bracket belongs to the depth that is inside of it."""
    depth = 0
    for match in _TOKENS.finditer(content):
        token = match[0]
        depth += token in _OPENING
        yield depth, token, match.start()
        depth -= token in _CLOSING
