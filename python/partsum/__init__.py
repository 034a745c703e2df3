"""Everything Amazon S3 will say about your bytes, before you send them.

>>> import partsum
>>> sums = partsum.hash_bytes(b"aaa", ["MD5", "CRC64NVME"], part_size="8MiB")
>>> sums.etag, sums.checksum("CRC64NVME")
('e2c3da976e66ec9e7dc128fbc782fc91-1', 'Rnr2/5P7Gsk=')
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from partsum._core import (
    Hasher,
    MultipartHasher,
    ObjectChecksums,
    PartChecksums,
    PartPlan,
    __version__,
    _algorithm_table,
    _preset_table,
    hash_bytes,
    hash_file,
    hash_files,
    hash_plans,
    new,
    plan_parts,
    solve_etag,
    verify,
)
from partsum._hashing_reader import HashingReader
from partsum._stream import hash_stream
from partsum.errors import (
    FileChangedError,
    FileError,
    MissingChecksum,
    NothingToResume,
    NotSupportedByS3,
    PartMismatch,
    PartPlanError,
    PartsumError,
)
from partsum.verdict import BadPart, Status, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "ALGORITHMS",
    "PRESETS",
    "Algorithm",
    "BadPart",
    "FileChangedError",
    "FileError",
    "Hasher",
    "HashingReader",
    "MissingChecksum",
    "MultipartHasher",
    "NotSupportedByS3",
    "NothingToResume",
    "ObjectChecksums",
    "PartChecksums",
    "PartMismatch",
    "PartPlan",
    "PartPlanError",
    "PartsumError",
    "Preset",
    "Status",
    "Verdict",
    "__version__",
    "algorithms_available",
    "hash_bytes",
    "hash_file",
    "hash_files",
    "hash_plans",
    "hash_stream",
    "new",
    "plan_parts",
    "solve_etag",
    "verify",
]


class Algorithm(NamedTuple):
    """One of S3's checksum algorithms.

    >>> import partsum
    >>> partsum.ALGORITHMS["CRC32"]
    Algorithm(name='CRC32', digest_size=4, checksum_types=('COMPOSITE', 'FULL_OBJECT'), \
field='ChecksumCRC32')
    """

    name: str
    """S3's name (ChecksumAlgorithm)."""
    digest_size: int
    """Bytes in a digest."""
    checksum_types: tuple[str, ...]
    """The ChecksumTypes that a multipart upload may have with it; the first is S3's default."""
    field: str
    """The member of requests and responses that carries it."""


class Preset(NamedTuple):
    """How an upload tool plans by default.

    >>> import partsum
    >>> partsum.PRESETS["s5cmd"].part_size
    52428800
    """

    name: str
    """What part_size= takes."""
    tool: str
    """The tool in words."""
    threshold: int
    """Files of at least this many bytes are multipart uploads."""
    part_size: int
    """Bytes in a part, unless that would give more than 10,000 parts."""
    source: str
    """Where the rule was read."""


ALGORITHMS: Mapping[str, Algorithm] = MappingProxyType(
    {
        name: Algorithm(name, size, tuple(types), field)
        for name, size, types, field in _algorithm_table()
    }
)
"""S3's checksum algorithms by name."""

PRESETS: Mapping[str, Preset] = MappingProxyType({row[0]: Preset(*row) for row in _preset_table()})
"""The upload tools whose part plans are known, by name."""

algorithms_available: frozenset[str] = frozenset(ALGORITHMS)
"""The names of S3's checksum algorithms."""
