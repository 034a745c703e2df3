"""Lines that list digests: those of the coreutils, BSD, openssl, xxhsum and partsum itself."""

import os
import re
from base64 import b64decode, b64encode
from collections.abc import Iterable
from typing import NamedTuple

from partsum import ALGORITHMS

# Other tools' names for S3's algorithms.
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
_HEX = re.compile("[0-9A-Fa-f]+")
_COUNT = re.compile("[1-9][0-9]{0,4}")
_ESCAPE = re.compile(r"\\(.?)", re.DOTALL)
_ESCAPED = {"\\": "\\", "n": "\n", "r": "\r"}


class ListedDigest(NamedTuple):
    """What a line says: a file, an algorithm and the value that the file should have."""

    name: str
    algorithm: str
    value: str
    """As S3 shows it, also where the line is in hex."""
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


class LineParser:
    """Reads lines as md5sum does, for the algorithms wanted, or for all of them."""

    def __init__(self, algorithms: Iterable[str] = ()) -> None:
        self.algorithms = tuple(algorithms)
        self.ambiguous = 0
        """Lines that were not read because several algorithms have digests of that length."""
        # `md5 -r` of the BSDs prints one space before the name. The first line decides, so that a
        # name may begin with a space.
        self._one_space: bool | None = None

    def parse(self, line: bytes) -> ListedDigest | None:
        """Parse a line without its end; None if it lists nothing that we know."""
        text = os.fsdecode(line).lstrip(" \t")
        escaped = text.startswith("\\")
        text = text[escaped:]
        algorithm: str | None
        name: str | None
        if tagged := _TAGGED.fullmatch(text):
            tag, name, digest = tagged.groups()
            algorithm = _TAGS[tag]
            if self.algorithms and algorithm not in self.algorithms:
                return None
        else:
            digest = re.split("[ \t]", text, maxsplit=1)[0]
            algorithm = self._by_length(digest)
        value = algorithm and value_of(algorithm, digest)
        if not algorithm or not value:
            return None
        if not tagged:
            name = self._without_mark(text[len(digest) + 1 :])
        if name is not None and escaped:
            try:
                name = _ESCAPE.sub(lambda match: _ESCAPED[match[1]], name)
            except KeyError:
                return None
        if name is None or "\0" in name:
            return None
        is_hex = _HEX.fullmatch(digest.partition("-")[0]) is not None
        return ListedDigest(name, algorithm, value, is_hex)

    def _by_length(self, digest: str) -> str | None:
        fitting = [alg for alg in self.algorithms or ALGORITHMS if value_of(alg, digest)]
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
    """Return a value as S3 shows it, from that or from hex; None if the text cannot be one."""
    digest, dash, count = text.partition("-")
    size, types = ALGORITHMS[algorithm].digest_size, ALGORITHMS[algorithm].checksum_types
    if len(digest) not in (2 * size, -(-size // 3) * 4):
        return None
    if dash and not (_COUNT.fullmatch(count) and "COMPOSITE" in types):
        return None
    if _HEX.fullmatch(digest) and len(digest) == 2 * size:
        return b64encode(bytes.fromhex(digest)).decode() + dash + count
    try:
        raw = b64decode(digest, validate=True)
    except ValueError:
        return None
    # The bits that base64 leaves over must be 0: otherwise two texts would be one digest.
    return text if len(raw) == size and b64encode(raw).decode() == digest else None
