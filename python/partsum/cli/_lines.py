"""Lines that list digests: those of the coreutils, BSD, openssl, xxhsum and partsum itself."""

import os
import re
from base64 import b64decode, b64encode
from collections.abc import Iterable
from typing import NamedTuple

from partsum import ALGORITHMS

# How others tag the digests that we know by S3's names.
_TAGS = {name: name for name in ALGORITHMS} | {
    "SHA2-256": "SHA256",  # openssl 3
    "SHA2-512": "SHA512",
    "XXH64": "XXHASH64",  # xxhsum
    "XXH3": "XXHASH3",
    "XXH128": "XXHASH128",
}
_TAGGED = re.compile(rf"({'|'.join(map(re.escape, _TAGS))}) ?\((.*)\)[ \t]*=[ \t]*(\S+)", re.DOTALL)
# Where a length fits several algorithms, it is one of those that the coreutils have a tool for.
_USUAL = ("MD5", "SHA1", "SHA256", "SHA512")
# The sizes of digests that may have a number of characters: in hex, or in base64.
_SIZES: dict[int, set[int]] = {}
for _size in {algorithm.digest_size for algorithm in ALGORITHMS.values()}:
    for _length in (2 * _size, -(-_size // 3) * 4):
        _SIZES.setdefault(_length, set()).add(_size)
_BLANK = " \t"
_HEX = re.compile("[0-9A-Fa-f]+")
_COUNT = re.compile("[1-9][0-9]{0,4}")
_ESCAPE = re.compile(r"\\(.?)", re.DOTALL)
_ESCAPED = {"\\": "\\", "n": "\n", "r": "\r"}


class Entry(NamedTuple):
    """What a line says: a file, an algorithm and the value it shall have."""

    name: str
    algorithm: str
    value: str
    """As S3 shows it, whatever the line had."""
    is_hex: bool

    @property
    def parts(self) -> int | None:
        """The number of parts under a composite value; None for a digest of all bytes."""
        count = self.value.partition("-")[2]
        return int(count) if count else None

    def show(self, value: str) -> str:
        """Write a value the way the line does."""
        if not self.is_hex:
            return value
        digest, dash, count = value.partition("-")
        return b64decode(digest).hex() + dash + count


class Reader:
    """Reads lines as md5sum does, for the algorithms wanted, or for all of them."""

    def __init__(self, algorithms: Iterable[str] = ()) -> None:
        self.algorithms = tuple(algorithms)
        self.ambiguous = 0
        """Lines that were not read because several algorithms have digests of that length."""
        # `md5 -r` of the BSDs has one space before the name. The first line decides, so that a
        # name may begin with a space.
        self._one_space: bool | None = None

    def read(self, line: bytes) -> Entry | None:
        """Read a line without its end; None if it lists nothing that we know."""
        text = os.fsdecode(line).lstrip(_BLANK)
        escaped = text.startswith("\\")
        text = text[escaped:]
        tagged = _TAGGED.fullmatch(text)
        if tagged:
            tag, name, digest = tagged.groups()
            algorithm: str | None = _TAGS[tag]
            if self.algorithms and algorithm not in self.algorithms:
                return None
        else:
            digest = re.split(f"[{_BLANK}]", text, maxsplit=1)[0]
            algorithm = self._by_length(digest)
            name = text[len(digest) + 1 :]
        value = algorithm and value_of(algorithm, digest)
        if not algorithm or not value:
            return None
        if not tagged:
            unmarked = self._without_mark(name)
            if unmarked is None:
                return None
            name = unmarked
        if escaped:
            try:
                name = _ESCAPE.sub(lambda match: _ESCAPED[match[1]], name)
            except KeyError:
                return None
        if "\0" in name:
            return None
        return Entry(name, algorithm, value, _HEX.fullmatch(digest.partition("-")[0]) is not None)

    def _by_length(self, digest: str) -> str | None:
        sizes = _SIZES.get(len(digest.partition("-")[0]), ())
        fitting = [
            alg
            for alg in self.algorithms or ALGORITHMS
            if ALGORITHMS[alg].digest_size in sizes and value_of(alg, digest)
        ]
        if len(fitting) > 1:
            usual = [alg for alg in _USUAL if alg in fitting]
            self.ambiguous += not usual
            fitting = usual
        return fitting[0] if fitting else None

    def _without_mark(self, name: str) -> str | None:
        """Take off the mark of the mode, one space or "*", that stands before a name."""
        if not name:
            return None
        if len(name) > 1 and name[0] in " *":
            if self._one_space is not True:
                self._one_space = False
                return name[1:]
        elif self._one_space is False:
            return None
        else:
            self._one_space = True
        return name


def value_of(algorithm: str, text: str) -> str | None:
    """A value of an algorithm as S3 shows it, from that or from hex; None if it cannot be one."""
    digest, dash, count = text.partition("-")
    if dash and not (
        _COUNT.fullmatch(count) and "COMPOSITE" in ALGORITHMS[algorithm].checksum_types
    ):
        return None
    size = ALGORITHMS[algorithm].digest_size
    if _HEX.fullmatch(digest):
        if len(digest) != 2 * size:
            return None
        return b64encode(bytes.fromhex(digest)).decode() + dash + count
    try:
        raw = b64decode(digest, validate=True)
    except ValueError:
        return None
    # The bits that base64 leaves over must be 0: else two texts would be one digest.
    if len(raw) != size or b64encode(raw).decode() != digest:
        return None
    return text
