"""botocore's checksums from partsum's kernels, without awscrt.

botocore has no public place to add an algorithm, so its tables are changed, and put back as they
were. What is found there is checked first.
"""

from __future__ import annotations

import threading
from types import ModuleType, TracebackType
from typing import Any, TypeAlias

from partsum._core import new
from partsum.errors import PartsumError

_Checksum: TypeAlias = Any  # of a class made below

KNOWN = "1.34 to 1.44"  # tried: 1.34.162, 1.36.26, 1.38.46, 1.40.76, 1.42.97, 1.43.127, 1.44.8

# Faster than what botocore has with or without awscrt; the others only where it has none. SHA is as
# fast from hashlib.
_FASTER = ("CRC32", "CRC64NVME", "XXHASH64", "XXHASH3", "XXHASH128")
_ABSENT = ("CRC32C", "SHA512", "MD5")


class _Tables:
    """Those of botocore, and what was in them before."""

    def __init__(self, module: ModuleType) -> None:
        self.classes: dict[str, Any] = module.__dict__["_CHECKSUM_CLS"]
        self.lists: list[list[str]] = [
            module.__dict__["_SUPPORTED_CHECKSUM_ALGORITHMS"],
            module.__dict__["_ALGORITHMS_PRIORITY_LIST"],
        ]
        base = module.__dict__["BaseChecksum"]
        self.ours = {
            name.lower(): _class(name, base)
            for name in (*_FASTER, *_ABSENT)
            if name in _FASTER or name.lower() not in self.classes
        }
        self.before = {name: self.classes.get(name) for name in self.ours}
        self.added: list[list[str]] = [[], []]

    def change(self) -> None:
        # The class first: botocore looks it up after the lists have the name.
        self.classes.update(self.ours)
        for names, added in zip(self.lists, self.added, strict=True):
            added.extend(name for name in self.ours if name not in names)
            names.extend(added)

    def restore(self) -> None:
        for names, added in zip(self.lists, self.added, strict=True):
            names[:] = [name for name in names if name not in added]
        for name, before in self.before.items():
            if self.classes.get(name) is not self.ours[name]:
                continue  # somebody else's by now
            if before is None:
                del self.classes[name]
            else:
                self.classes[name] = before


class _State:
    """Who wants our kernels: everybody from now on, or some blocks."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.on = False
        self.blocks = 0
        self.tables: _Tables | None = None

    def settle(self) -> None:
        wanted = self.on or self.blocks > 0
        if wanted and self.tables is None:
            tables = _Tables(_checked())
            tables.change()
            self.tables = tables
        elif not wanted and self.tables is not None:
            self.tables.restore()
            self.tables = None


_state = _State()


class _Enabled:
    """What enable_checksums returns: for the length of a block, if it is used so."""

    def __init__(self, first: bool) -> None:
        self._first = first

    def __enter__(self) -> None:
        with _state.lock:
            _state.blocks += 1
            if self._first:
                _state.on = False
            # Between the call and the block, another block may have been the last to end.
            _state.settle()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with _state.lock:
            _state.blocks -= 1
            _state.settle()


def enable_checksums() -> _Enabled:
    """Let boto3 compute checksums with partsum: those it lacks, and those it is slow at.

    It applies to all clients of the process. `ChecksumAlgorithm=` may then be CRC32C, CRC64NVME,
    XXHASH64, XXHASH3, XXHASH128, MD5 or SHA512 without awscrt, and downloads with such checksums
    are checked. CRC32, boto3's default, is faster than with zlib and awscrt. `disable_checksums`
    restores everything. As a context manager it lasts for the block::

        with enable_checksums():
            client.upload_file(path, bucket, key, ExtraArgs={"ChecksumAlgorithm": "XXHASH3"})

    botocore has no public way for this. The tables of botocore.httpchecksum are known to have the
    expected layout in versions 1.34 to 1.44. Multipart uploads with the algorithms of 2026 (SHA512,
    MD5, XXHASH) need a botocore whose model has them, such as 1.42.97.

    Returns:
        A context manager that calls the change off at the end of its block.

    Raises:
        ImportError: botocore is not installed.
        PartsumError: The tables of this botocore have another layout; nothing was changed.

    Example:
        >>> from partsum.s3 import disable_checksums, enable_checksums
        >>> _ = enable_checksums()
        >>> from botocore import httpchecksum
        >>> httpchecksum._CHECKSUM_CLS["xxhash3"]().handle(b"hello world")
        '1Eex6kDmmIs='
        >>> disable_checksums()
    """
    with _state.lock:
        first, _state.on = not _state.on, True
        try:
            _state.settle()
        except BaseException:
            _state.on = not first
            raise
        return _Enabled(first)


def disable_checksums() -> None:
    """Let boto3 compute checksums as it did before `enable_checksums`.

    A block of ``with enable_checksums()`` that is active keeps them until its end. Do not call it
    while requests with an algorithm that botocore lacks are being made.

    Example:
        >>> from partsum.s3 import disable_checksums
        >>> disable_checksums()     # nothing to do
    """
    with _state.lock:
        _state.on = False
        _state.settle()


def _class(name: str, base: type) -> type:
    """A checksum of that algorithm, as botocore has them."""

    def begin(self: _Checksum) -> None:
        self._hasher = new(name)

    members = {
        "__module__": __name__,
        "__init__": begin,
        "update": lambda self, chunk: self._hasher.update(chunk),
        "digest": lambda self: self._hasher.digest(),
    }
    return type(f"Partsum{name.capitalize()}Checksum", (base,), members)


def _checked() -> ModuleType:
    """botocore.httpchecksum, if it is as we know it."""
    try:
        import botocore
        from botocore import httpchecksum
    except ImportError as error:
        raise ImportError("enable_checksums needs boto3: pip install boto3") from error
    module: ModuleType = httpchecksum
    try:
        classes, base = module.__dict__["_CHECKSUM_CLS"], module.__dict__["BaseChecksum"]
        strange = [
            name
            for name in ("_SUPPORTED_CHECKSUM_ALGORITHMS", "_ALGORITHMS_PRIORITY_LIST")
            if not isinstance(module.__dict__[name], list)
        ]
        if not isinstance(classes, dict) or not issubclass(classes["crc32"], base):
            strange.append("_CHECKSUM_CLS")
        # Ours do what these do: the whole of what a request or a response asks of them.
        for made in (classes["crc32"](), _class("CRC32", base)()):
            made.update(b"12345")
            if made.handle(b"6789") != "y/Q5Jg==" or made.digest() != b"\xcb\xf4\x39\x26":
                strange.append("BaseChecksum")
    except Exception as error:  # whatever another layout makes of this
        strange = [str(error) or type(error).__name__]
    if strange:
        raise PartsumError(
            f"botocore {botocore.__version__} keeps its checksums in a way that is not known here "
            f"({', '.join(map(str, strange))}): known are {KNOWN}; nothing was changed"
        )
    return module
