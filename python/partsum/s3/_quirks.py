"""Where stores that speak S3 differ from Amazon's: the public table of what quirks= takes."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from partsum._core import _quirk_table


class Quirk(NamedTuple):
    """How a store differs from Amazon S3.

    Example:
        >>> import partsum.s3
        >>> partsum.s3.QUIRKS["ceph"].stores
        'Ceph RGW'
    """

    name: str
    """Name of the quirk."""
    effect: str
    """What is done about it."""
    stores: str
    """Stores that are known for it."""
    source: str
    """Where that was read or measured."""


QUIRKS: Mapping[str, Quirk] = MappingProxyType({row[0]: Quirk(*row) for row in _quirk_table()})
"""The quirks that quirks= takes, by name."""
