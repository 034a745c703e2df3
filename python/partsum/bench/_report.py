"""The data of a report: what was measured, and the statistics that follow from it."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import accumulate
from math import comb
from typing import Any, NamedTuple

from partsum.bench._peers import Peer

SCHEMA = "partsum.bench/1"
"""The schema of `Report.to_dict`; the number changes if members change or go."""
VERDICTS = {"partsum": "partsum", "peer": "peer wins", "tie": "tie"}
"""What a report calls each winner."""
DERIVED = ("ratio", "partsum_rate", "peer_rate", "winner")
"""Members of a result in `Report.to_dict` that are computed from the others."""


def rate(value: float) -> str:
    """Write a throughput in about three digits."""
    return f"{value:.1f}" if value >= 9.995 else f"{value:.2f}"


class Ratio(NamedTuple):
    """How many times as fast partsum is: the median over the pairs, and a confidence interval.

    The ends of the interval are order statistics, so nothing is assumed of the distribution of the
    times. If the pairs are independent, the interval covers the true median with at least the
    confidence given.

    Attributes:
        confidence: At least 0.95 for 6 pairs or more; for fewer, what the whole range of the ratios
            gives.

    Example:
        >>> from partsum import bench
        >>> bench.Ratio.of([5.0, 4.9, 5.2, 5.1, 4.8, 5.0])
        Ratio(median=5.0, low=4.8, high=5.2, confidence=0.96875)
    """

    median: float
    low: float
    high: float
    confidence: float

    @classmethod
    def of(cls, ratios: Sequence[float]) -> Ratio:
        """Compute the median and its interval.

        Args:
            ratios: The ratio of each pair of runs, in any order; at least one.

        Returns:
            The median with the narrowest interval of at least 95 %, or else the whole range.

        Example:
            >>> from partsum import bench
            >>> bench.Ratio.of([5.0, 4.9, 5.2]).confidence
            0.75
        """
        ordered, count = sorted(ratios), len(ratios)
        # An interval without the k ratios at each end misses the median if at most k ratios fall
        # on one side of it: twice the tail of a binomial distribution.
        tails = accumulate(comb(count, k) / 2 ** (count - 1) for k in range((count + 1) // 2))
        missed = list(tails)
        left_out = max((k for k, tail in enumerate(missed) if tail <= 0.05), default=0)
        return cls(
            statistics.median(ordered),
            ordered[left_out],
            ordered[-1 - left_out],
            max(1 - missed[left_out], 0.0),
        )

    def text(self, times: str = "x", dash: str = "-") -> str:
        """Write the median with its interval, in about three digits.

        Args:
            times: Sign before the median.
            dash: Sign between the ends of the interval.

        Returns:
            Text without a line break.

        Example:
            >>> from partsum import bench
            >>> bench.Ratio(5.0, 4.8, 102.3, 0.96875).text()
            'x5.00 (4.80-102)'
        """
        median, low, high = (f"{one:.0f}" if one >= 99.5 else rate(one) for one in self[:3])
        return f"{times}{median} ({low}{dash}{high})"


@dataclass(frozen=True)
class RunPair:
    """Two runs, one after the other.

    Attributes:
        first: Which of the two ran first: ``"partsum"`` or ``"peer"``. They alternate.
        partsum: Seconds that partsum took.
        peer: Seconds that the peer took.

    Example:
        >>> from partsum import bench
        >>> bench.RunPair("partsum", 0.5, 2.0).ratio
        4.0
    """

    first: str
    partsum: float
    peer: float

    @property
    def ratio(self) -> float:
        """How many times as fast partsum was."""
        return self.peer / self.partsum


@dataclass(frozen=True)
class Result:
    """One comparison of partsum with a peer.

    Attributes:
        job: Name of the job or algorithm.
        title: Title in reports.
        group: ``"everyday"``, ``"command"`` (processes, start-up included) or ``"algorithm"``.
        source: Where the bytes were: ``"file"`` or ``"ram"``.
        algorithms: The algorithms computed.
        size: Bytes hashed in each run.
        messages: Number of parts or files, which can be hashed side by side.
        ours: How partsum computed it.
        peer: Name of the peer.
        how: How the peer computed it.
        pairs: All runs, in order.
        cached: Lowest fraction of the files in the page cache before a pair; None if unknown.

    Example:
        >>> from partsum import bench
        >>> report = bench.run([], ["SHA1"], sources=["ram"], size="2MiB", pairs=1)
        >>> [(result.title, result.peer, result.size) for result in report.results]
        [('SHA1', 'hashlib', 2097152)]
    """

    job: str
    title: str
    group: str
    source: str
    algorithms: tuple[str, ...]
    size: int
    messages: int
    ours: str
    peer: str
    how: str
    pairs: tuple[RunPair, ...]
    cached: float | None

    @property
    def ratio(self) -> Ratio:
        """How many times as fast partsum was."""
        return Ratio.of([pair.ratio for pair in self.pairs])

    @property
    def partsum_rate(self) -> float:
        """Partsum's median throughput in GB/s (10^9 bytes)."""
        return self.size / statistics.median(pair.partsum for pair in self.pairs) / 1e9

    @property
    def peer_rate(self) -> float:
        """The peer's median throughput in GB/s (10^9 bytes)."""
        return self.size / statistics.median(pair.peer for pair in self.pairs) / 1e9

    @property
    def winner(self) -> str:
        """``"partsum"`` or ``"peer"`` if the whole interval is on one side of 1, else ``"tie"``.

        An end that is printed as 1.00 is on neither side.
        """
        if round(self.ratio.low, 2) > 1:
            return "partsum"
        return "peer" if round(self.ratio.high, 2) < 1 else "tie"


@dataclass(frozen=True)
class Report:
    """Everything that one run of the benchmark found.

    Attributes:
        started: Start of the run in UTC (ISO 8601).
        seconds: Duration of the run, preparations included.
        options: Options of the run: sizes in bytes, pairs, threads, sources.
        machine: The machine, the system and partsum's build.
        peers: All peers, installed or not.
        results: The comparisons.
        skipped: Title and reason of each comparison that was not possible.

    Example:
        >>> from partsum import bench
        >>> report = bench.run([], ["SHA1"], sources=["ram"], size="2MiB", pairs=1)
        >>> bench.Report.from_json(bench.json(report)) == report
        True
    """

    started: str
    seconds: float
    options: Mapping[str, Any]
    machine: Mapping[str, Any]
    peers: tuple[Peer, ...]
    results: tuple[Result, ...]
    skipped: tuple[tuple[str, str], ...]

    def wins(self, winner: str) -> list[Result]:
        """Select the results that have a winner.

        Args:
            winner: ``"partsum"``, ``"peer"`` or ``"tie"``.

        Returns:
            The results whose `Result.winner` it is.

        Example:
            >>> from partsum import bench
            >>> report = bench.run([], ["SHA1"], sources=["ram"], size="2MiB", pairs=1)
            >>> len(report.wins("partsum")) + len(report.wins("peer")) + len(report.wins("tie"))
            1
        """
        return [result for result in self.results if result.winner == winner]

    def to_dict(self) -> dict[str, Any]:
        """Convert to plain data, as JSON has it, with the figures that follow from the runs.

        Returns:
            A dict that `from_dict` reads.

        Example:
            >>> from partsum import bench
            >>> bench.run([], [], pairs=1).to_dict()["schema"]
            'partsum.bench/1'
        """
        results = [
            {
                **asdict(result),
                "algorithms": list(result.algorithms),
                "pairs": list(map(asdict, result.pairs)),
                **{name: getattr(result, name) for name in DERIVED},
                "ratio": result.ratio._asdict(),
            }
            for result in self.results
        ]
        return {
            "schema": SCHEMA,
            **vars(self),
            "peers": [{**peer._asdict(), "present": peer.present} for peer in self.peers],
            "results": results,
            "skipped": [{"title": title, "reason": reason} for title, reason in self.skipped],
        }

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Report:
        """Read the plain data of a report.

        Args:
            document: What `to_dict` returned.

        Returns:
            The report.

        Raises:
            ValueError: The schema is another one, or members are missing.

        Example:
            >>> from partsum import bench
            >>> bench.Report.from_dict({"schema": "partsum.bench/99"})
            Traceback (most recent call last):
                ...
            ValueError: document: this reads schema 'partsum.bench/1', not 'partsum.bench/99'
        """
        if document.get("schema") != SCHEMA:
            found = document.get("schema")
            raise ValueError(f"document: this reads schema {SCHEMA!r}, not {found!r}")
        try:
            return cls(
                document["started"],
                document["seconds"],
                document["options"],
                document["machine"],
                tuple(Peer(*(peer[name] for name in Peer._fields)) for peer in document["peers"]),
                tuple(map(_result_from_dict, document["results"])),
                tuple((one["title"], one["reason"]) for one in document["skipped"]),
            )
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError(f"document: not a complete report: {error!r}") from None

    @classmethod
    def from_json(cls, text: str) -> Report:
        """Read a report from JSON.

        Args:
            text: What `partsum.bench.json` returned, or ``partsum bench --json`` wrote.

        Returns:
            The report.

        Raises:
            ValueError: It is no JSON, the schema is another one, or members are missing.

        Example:
            >>> from partsum import bench
            >>> bench.Report.from_json(bench.json(bench.run([], [], pairs=1))).results
            ()
        """
        document = json.loads(text)
        if not isinstance(document, dict):
            raise ValueError(f"text: a report is a JSON object, not {type(document).__name__}")
        return cls.from_dict(document)


def _result_from_dict(document: Mapping[str, Any]) -> Result:
    members = {name: value for name, value in document.items() if name not in DERIVED}
    members["algorithms"] = tuple(document["algorithms"])
    members["pairs"] = tuple(RunPair(**pair) for pair in document["pairs"])
    return Result(**members)
