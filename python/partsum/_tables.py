"""S3's checksum algorithms and the upload tools, as tables."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from partsum._core import _algorithm_table, _preset_table


class Algorithm(NamedTuple):
    """One of S3's checksum algorithms.

    Example:
        >>> import partsum
        >>> partsum.ALGORITHMS["CRC32"]
        Algorithm(name='CRC32', digest_size=4, checksum_types=('COMPOSITE', 'FULL_OBJECT'), \
field='ChecksumCRC32')
    """

    name: str
    """S3's name (ChecksumAlgorithm)."""
    digest_size: int
    """Number of bytes in a digest."""
    checksum_types: tuple[str, ...]
    """ChecksumTypes that a multipart upload may have with it; the first is S3's default."""
    field: str
    """Member of requests and responses that carries its value."""


class Preset(NamedTuple):
    """How an upload tool plans by default.

    Example:
        >>> import partsum
        >>> partsum.PRESETS["s5cmd"].part_size
        52428800
    """

    name: str
    """Name of the preset, for `part_size`."""
    tool: str
    """The tool in words."""
    threshold: int
    """Files of at least this many bytes are multipart uploads."""
    part_size: int
    """Number of bytes in a part, unless that would give more than 10,000 parts."""
    source: str
    """Where the rule was read."""


Algorithm.__module__ = Preset.__module__ = "partsum"  # where users find them

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
