"""What was measured, and what may be said of it."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import comb
from typing import Any, NamedTuple

from partsum.bench._peers import Peer

SCHEMA = "partsum.bench/1"
"""What `Report.to_dict` says of its own shape; another number if members change or go."""


class Ratio(NamedTuple):
    """How many times as fast partsum was: the median of pairs, and an interval for it.

    The interval is made of order statistics and assumes nothing of how times are distributed: if
    pairs are independent, it covers the true median with at least the confidence given.

    >>> from partsum import bench
    >>> bench.Ratio.of([5.0, 4.9, 5.2, 5.1, 4.8, 5.0])
    Ratio(median=5.0, low=4.8, high=5.2, confidence=0.96875)
    >>> bench.Ratio.of([5.0, 4.9, 5.2]).confidence
    0.75
    """

    median: float
    low: float
    high: float
    confidence: float
    """At least 0.95 where there are 6 pairs or more; what the extremes give where there are not."""

    @classmethod
    def of(cls, ratios: Sequence[float]) -> Ratio:
        """Take the ratios of pairs.

        >>> from partsum import bench
        >>> bench.Ratio.of([2.0])
        Ratio(median=2.0, low=2.0, high=2.0, confidence=0.0)
        """
        ordered, count = sorted(ratios), len(ratios)
        # With k ratios left out at each end, the median lies outside if at most k of the pairs
        # fell on one side of it: a binomial tail, twice.
        outside = [
            2 * sum(comb(count, below) for below in range(left_out + 1)) / 2**count
            for left_out in range((count + 1) // 2)
        ]
        left_out = max((k for k, tail in enumerate(outside) if tail <= 0.05), default=0)
        return cls(
            statistics.median(ordered),
            ordered[left_out],
            ordered[-1 - left_out],
            max(1 - outside[left_out], 0.0),
        )


@dataclass(frozen=True)
class Pair:
    """Two runs, one after the other.

    >>> from partsum import bench
    >>> bench.Pair("partsum", 0.5, 2.0).ratio
    4.0
    """

    first: str
    """Whose turn came first: ``"partsum"`` or ``"peer"``; turns alternate."""
    partsum: float
    """Seconds."""
    peer: float
    """Seconds."""

    @property
    def ratio(self) -> float:
        """How many times as fast partsum was."""
        return self.peer / self.partsum


@dataclass(frozen=True)
class Result:
    """One comparison.

    >>> from partsum import bench
    >>> report = bench.run([], ["SHA1"], sources=["ram"], size="2MiB", pairs=1)
    >>> [(result.title, result.peer, result.size) for result in report.results]
    [('SHA1', 'hashlib', 2097152)]
    """

    job: str
    """What selects it: the name of a job or an algorithm."""
    title: str
    """What it is called."""
    group: str
    """``"everyday"``, ``"command"`` (processes, start-up included) or ``"algorithm"``."""
    source: str
    """Where the bytes were: ``"file"`` or ``"ram"``."""
    algorithms: tuple[str, ...]
    """What was computed."""
    size: int
    """Bytes hashed in a run."""
    messages: int
    """Parts or files among them: what can be hashed side by side."""
    ours: str
    """How partsum did it."""
    peer: str
    """Who it is compared with."""
    how: str
    """How the peer did it."""
    pairs: tuple[Pair, ...]
    """Every run, in order."""
    cached: float | None
    """Of the files, the fraction in the page cache before a pair, at worst; None if unknown."""

    @property
    def ratio(self) -> Ratio:
        """How many times as fast partsum was."""
        return Ratio.of([pair.ratio for pair in self.pairs])

    @property
    def partsum_rate(self) -> float:
        """GB/s (10^9 bytes) in the median run."""
        return self.size / statistics.median(pair.partsum for pair in self.pairs) / 1e9

    @property
    def peer_rate(self) -> float:
        """GB/s (10^9 bytes) in the median run."""
        return self.size / statistics.median(pair.peer for pair in self.pairs) / 1e9

    @property
    def winner(self) -> str:
        """``"partsum"`` or ``"peer"`` if the whole interval is on one side of 1, or ``"tie"``.

        An end that is 1.00 in print is on neither side.
        """
        if round(self.ratio.low, 2) > 1:
            return "partsum"
        return "peer" if round(self.ratio.high, 2) < 1 else "tie"


@dataclass(frozen=True)
class Report:
    """All that one run of the benchmark found.

    >>> from partsum import bench
    >>> report = bench.run([], ["SHA1"], sources=["ram"], size="2MiB", pairs=1)
    >>> bench.Report.from_json(report.to_json()) == report
    True
    """

    started: str
    """When, in UTC (ISO 8601)."""
    seconds: float
    """How long the run took, preparations included."""
    options: Mapping[str, Any]
    """What was asked for: sizes in bytes, pairs, threads, sources."""
    machine: Mapping[str, Any]
    """What the figures depend on."""
    peers: tuple[Peer, ...]
    """Who was here to compare with, and who was not."""
    results: tuple[Result, ...]
    """The comparisons."""
    skipped: tuple[tuple[str, str], ...]
    """What could not be compared, and why."""

    # --- what may be said ----------------------------------------------------------------------

    def wins(self, winner: str) -> list[Result]:
        """The results that have this `Result.winner`.

        >>> from partsum import bench
        >>> report = bench.run([], ["SHA1"], sources=["ram"], size="2MiB", pairs=1)
        >>> len(report.wins("partsum")) + len(report.wins("peer")) + len(report.wins("tie"))
        1
        """
        return [result for result in self.results if result.winner == winner]

    # --- as data -------------------------------------------------------------------------------

    def to_dict(self) -> dict[str, Any]:
        """Everything, as JSON has it: the runs, and what they come to.

        >>> from partsum import bench
        >>> bench.run([], [], pairs=1).to_dict()["schema"]
        'partsum.bench/1'
        """
        return {
            "schema": SCHEMA,
            "started": self.started,
            "seconds": self.seconds,
            "options": dict(self.options),
            "machine": dict(self.machine),
            "peers": [{**peer._asdict(), "present": peer.present} for peer in self.peers],
            "results": [
                {
                    **asdict(result),
                    "algorithms": list(result.algorithms),
                    "pairs": [asdict(pair) for pair in result.pairs],
                    "ratio": result.ratio._asdict(),
                    "partsum_rate": result.partsum_rate,
                    "peer_rate": result.peer_rate,
                    "winner": result.winner,
                }
                for result in self.results
            ],
            "skipped": [{"title": title, "reason": reason} for title, reason in self.skipped],
        }

    def to_json(self) -> str:
        """`to_dict` as a text.

        >>> from partsum import bench
        >>> bench.run([], [], pairs=1).to_json().startswith("{")
        True
        """
        return json.dumps(self.to_dict(), indent=2)

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Report:
        """Read what `to_dict` made; a ValueError if its schema is another one, or members lack.

        >>> from partsum import bench
        >>> bench.Report.from_dict({"schema": "partsum.bench/99"})
        Traceback (most recent call last):
            ...
        ValueError: this reads schema 'partsum.bench/1', not 'partsum.bench/99'
        """
        if document.get("schema") != SCHEMA:
            raise ValueError(f"this reads schema {SCHEMA!r}, not {document.get('schema')!r}")
        try:
            return cls._from_dict(document)
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError(f"this is no whole report: {error!r}") from None

    @classmethod
    def _from_dict(cls, document: Mapping[str, Any]) -> Report:
        derived = ("ratio", "partsum_rate", "peer_rate", "winner")
        return cls(
            document["started"],
            document["seconds"],
            document["options"],
            document["machine"],
            tuple(
                Peer(peer["name"], peer["kind"], peer["version"], peer["install"])
                for peer in document["peers"]
            ),
            tuple(
                Result(
                    **{
                        **{key: value for key, value in one.items() if key not in derived},
                        "algorithms": tuple(one["algorithms"]),
                        "pairs": tuple(Pair(**pair) for pair in one["pairs"]),
                    }
                )
                for one in document["results"]
            ),
            tuple((one["title"], one["reason"]) for one in document["skipped"]),
        )

    @classmethod
    def from_json(cls, text: str) -> Report:
        """Read what `to_json` made; a ValueError as of `from_dict`, or if it is no JSON.

        >>> from partsum import bench
        >>> bench.Report.from_json(bench.run([], [], pairs=1).to_json()).results
        ()
        """
        document = json.loads(text)
        if not isinstance(document, dict):
            raise ValueError(f"a report is a JSON object, not {type(document).__name__}")
        return cls.from_dict(document)

    # --- for people ----------------------------------------------------------------------------

    def text(self) -> str:
        """A table for a terminal of 80 columns or more.

        >>> from partsum import bench
        >>> print(bench.run([], [], pairs=1).text().splitlines()[0])
        Where a peer wins: none in this run.
        """
        from partsum.bench._text import text

        return text(self)

    def markdown(self) -> str:
        """Tables for a README or an issue.

        >>> from partsum import bench
        >>> print(bench.run([], [], pairs=1).markdown().splitlines()[0])
        **Where a peer wins:** none in this run.
        """
        from partsum.bench._text import markdown

        return markdown(self)

    def svg(self) -> str:
        """One chart of all ratios, for a README: it follows light and dark.

        >>> from partsum import bench
        >>> bench.run([], [], pairs=1).svg().startswith("<svg ")
        True
        """
        from partsum.bench._chart import of_report

        return of_report(self)

    def html(self) -> str:
        """A page with charts and tables that needs no script and no other file.

        >>> from partsum import bench
        >>> bench.run([], [], pairs=1).html().startswith("<!doctype html>")
        True
        """
        from partsum.bench._html import html

        return html(self)
