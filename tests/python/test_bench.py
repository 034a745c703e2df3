"""The benchmark: what it claims, what it refuses to claim, and how it says it. Never how fast."""

from __future__ import annotations

import dataclasses
import doctest
import hashlib
import html.parser
import inspect
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import partsum
import pytest
from partsum import bench
from partsum.bench import Ratio, Report, RunPair, WrongDigest, _machine

MIB = 1 << 20


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """Everything, on few bytes."""
    folder = tmp_path_factory.mktemp("bench")
    found = bench.run(size=3 * MIB, part_size=MIB, pairs=1, threads=2, folder=folder)
    assert list(folder.iterdir()) == []
    return found


def small(jobs: list[str], algorithms: list[str], **options: Any) -> Report:
    settings: dict[str, Any] = {"size": MIB, "part_size": MIB // 4, "pairs": 2, "threads": 2}
    return bench.run(jobs, algorithms, **(settings | options))


def edited(report: Report, *ratios: list[float], **machine: Any) -> Report:
    """The report with other times: its first results have these ratios, partsum 1 s each."""
    results = [
        dataclasses.replace(result, pairs=tuple(RunPair("partsum", 1.0, ratio) for ratio in given))
        for result, given in zip(report.results, ratios, strict=False)
    ]
    return dataclasses.replace(
        report, results=tuple(results), machine={**report.machine, **machine}
    )


# --- documentation -------------------------------------------------------------------------------


def documented() -> Iterator[tuple[str, Any]]:
    """Every public function, class and method."""
    for name in bench.__all__:
        value = getattr(bench, name)
        if callable(value):
            yield name, value
        for member in vars(value) if inspect.isclass(value) else ():
            if not member.startswith("_") and inspect.isroutine(getattr(value, member)):
                yield f"{name}.{member}", getattr(value, member)


@pytest.mark.parametrize(("name", "value"), [*documented(), ("partsum.bench", bench)])
def test_documentation(name: str, value: Any) -> None:
    text = inspect.getdoc(value) or ""
    test = doctest.DocTestParser().get_doctest(text, {}, name, None, 0)
    assert test.examples, f"{name} has no example"
    said: list[str] = []
    runner = doctest.DocTestRunner(verbose=False)
    runner.run(test, out=said.append)
    assert runner.failures == 0, "".join(said)


# --- what is measured ----------------------------------------------------------------------------


def test_every_job_and_algorithm_is_compared(report: Report) -> None:
    measured = {(result.job, result.source) for result in report.results}
    assert {(job, "file") for job in bench.JOBS} <= measured
    for source in ("file", "ram"):
        assert {(algorithm, source) for algorithm in partsum.ALGORITHMS} <= measured
    assert report.skipped == ()
    peers = {result.peer for result in report.results}
    assert {"hashlib", "zlib", "awscrt", "xxhash", "hashlib + awscrt", "awscrt, mmap"} <= peers
    for command in ("md5sum", "sha256sum", "openssl"):
        assert (command in peers) == (shutil.which(command) is not None)
    for result in report.results:
        assert result.group in ("everyday", "command", "algorithm")
        assert all(pair.partsum > 0 and pair.peer > 0 for pair in result.pairs)
        assert (result.cached is None) or 0 <= result.cached <= 1
        assert result.source == "file" or result.cached is None
        assert {partsum.ALGORITHMS[name].name for name in result.algorithms}
    sizes = {result.job: (result.size, result.messages) for result in report.results}
    assert sizes["etag"] == sizes["MD5"] == (3 * MIB, 3)
    assert sizes["tree"] == (12 * 65536, 12)
    assert sizes["whole-md5"] == (3 * MIB // 4, 1)


def test_the_machine_is_described(report: Report) -> None:
    assert report.machine["partsum"] == partsum.__version__
    assert report.machine["isa"] in ("portable", "avx2", "avx512")
    assert report.machine["python"].startswith("CPython 3.")
    assert report.options["threads"] == 2
    if sys.platform == "linux":
        assert report.machine["cpu"] != "unknown"
        assert report.machine["memory"] > 2**28
        assert report.machine["file_system"]
    assert all(peer.present for peer in report.peers if peer.name in ("hashlib", "zlib"))
    assert all(peer.install for peer in report.peers)


def test_what_is_in_the_page_cache(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(4 * MIB))
    if _machine.cached(path) is None:
        pytest.skip("this system does not tell")
    assert _machine.cached(path) == 1.0
    with path.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    dropped = _machine.cached(path)
    _machine.read_through(path)
    assert _machine.cached(path) == 1.0
    if dropped == 1.0:
        pytest.skip("this file system keeps its files in memory")
    assert dropped is not None
    assert dropped < 0.5


def test_turns_alternate() -> None:
    (result,) = small([], ["SHA1"], sources=["ram"], pairs=5).results
    assert [pair.first for pair in result.pairs] == ["partsum", "peer"] * 2 + ["partsum"]


def test_by_default_there_are_enough_pairs_for_an_interval() -> None:
    (result,) = small([], ["SHA1"], sources=["ram"], pairs=None).results
    assert 6 <= len(result.pairs) <= 15
    assert result.ratio.confidence >= 0.95


def test_quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("partsum.bench._machine.available_memory", lambda: 256 * MIB)
    found = bench.run([], ["CRC32"], sources=["ram"], threads=2, quick=True)
    assert found.options["pairs"] == 3
    assert found.options["size"] == 16 * MIB  # a sixteenth


def test_progress_says_what_is_next_and_how_long_it_takes() -> None:
    steps: list[bench.Progress] = []
    small(["whole-md5"], [], progress=steps.append)
    assert list(dict.fromkeys(step.phase for step in steps)) == ["prepare", "warm up", "measure"]
    measuring = [step for step in steps if step.phase == "measure"]
    assert [step.done for step in measuring] == list(range(measuring[-1].total + 1))
    assert all(step.seconds_left is not None for step in measuring)


def test_files_are_removed_when_a_run_ends_early(tmp_path: Path) -> None:
    seen: list[str] = []

    def stop(step: bench.Progress) -> None:
        seen[:] = [path.name for path in tmp_path.rglob("*")]
        if step.phase == "measure":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        small(["tree", "etag"], [], folder=tmp_path, progress=stop)
    assert {"big", "tree", "000000"} <= set(seen)
    assert list(tmp_path.iterdir()) == []


def test_bytes_in_ram_need_no_file(tmp_path: Path) -> None:
    seen: list[Path] = []
    small(
        [],
        ["CRC32"],
        sources=["ram"],
        folder=tmp_path,
        progress=lambda _step: seen.extend(path for path in tmp_path.rglob("*") if path.is_file()),
    )
    assert seen == []


@pytest.mark.parametrize("shortage", ["disk", "memory"])
def test_what_does_not_fit_is_refused_before_it_is_written(
    monkeypatch: pytest.MonkeyPatch, shortage: str, tmp_path: Path
) -> None:
    if shortage == "disk":
        usage = shutil.disk_usage(tmp_path)._replace(free=MIB)
        monkeypatch.setattr("partsum.bench._run.shutil.disk_usage", lambda _folder: usage)
        with pytest.raises(OSError, match=f"1572864 bytes, {MIB} are free"):
            small(["etag"], [], folder=tmp_path)
    else:
        monkeypatch.setattr("partsum.bench._machine.available_memory", lambda: 2 * MIB)
        with pytest.raises(ValueError, match=f"2621440 bytes of memory, {2 * MIB} are free"):
            small([], ["CRC32"], folder=tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"jobs": ["etags"]}, "jobs: 'etags' is not one of etag, "),
        ({"algorithms": ["MD4"]}, "algorithms: 'MD4' is not one of MD5, "),
        ({"sources": ["disk"]}, "sources: 'disk' is not one of file, ram"),
        ({"size": 0}, "size: 0 is not a size; use bytes .* or a unit"),
        ({"part_size": "none"}, "part_size: 'none' is not a size; use bytes"),
        ({"pairs": 0}, "pairs: must be 1 or more, not 0"),
        ({"threads": 0}, "threads: must be 1 or more, not 0"),
        ({"size": "1TiB", "part_size": 8 * MIB}, "S3 allows 10000"),
    ],
)
def test_wrong_arguments(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises((ValueError, OSError), match=words):
        bench.run(**arguments)


# --- fast and wrong ------------------------------------------------------------------------------


def lying_hashlib(monkeypatch: pytest.MonkeyPatch, honest_calls: int) -> None:
    """From some call on, hashlib's MD5 is another one's."""
    calls = itertools.count()

    def digest(data: bytes | memoryview) -> bytes:
        if next(calls) < honest_calls:
            return hashlib.md5(data).digest()
        return hashlib.blake2b(data, digest_size=16).digest()

    monkeypatch.setattr(
        "partsum.bench._cases.library_digests", lambda: {"MD5": {"hashlib": digest}}
    )


@pytest.mark.parametrize("source", ["file", "ram"])
@pytest.mark.parametrize(
    ("honest_calls", "words"),
    [
        (0, "from the first run on.*value 1 of 4"),
        (3, "first.*value 4 of 4"),
        (5, "in pair 1.*2 of 4"),
    ],
)
def test_a_wrong_digest_ends_the_run(
    monkeypatch: pytest.MonkeyPatch, source: str, honest_calls: int, words: str, tmp_path: Path
) -> None:
    lying_hashlib(monkeypatch, honest_calls)
    with pytest.raises(
        WrongDigest, match=rf"MD5, {source}, hashlib: .*{words}: [0-9a-f]{{32}} and"
    ):
        small([], ["MD5"], sources=[source], threads=1, folder=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_etag_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    lying_hashlib(monkeypatch, 0)
    with pytest.raises(
        WrongDigest, match=r"ETag of one big file.*[0-9a-f]{32}-4 and [0-9a-f]{32}-4"
    ):
        small(["etag"], [])


def test_a_peer_that_fails_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def digest(_data: bytes | memoryview) -> bytes:
        raise ValueError("out of order")

    monkeypatch.setattr("partsum.bench._cases.library_digests", lambda: {"CRC32": {"new": digest}})
    with pytest.raises(partsum.PartsumError, match=r"os.pread and new in 2 threads failed.*order"):
        small([], ["CRC32"])


def test_partsum_is_not_believed_either(monkeypatch: pytest.MonkeyPatch) -> None:
    def hash_bytes(buffer: bytes, algorithms: Any, **options: Any) -> partsum.ObjectChecksums:
        return partsum.hash_bytes(bytes(len(buffer)), algorithms, **options)

    wrong = type("Wrong", (), {**vars(partsum), "hash_bytes": staticmethod(hash_bytes)})
    monkeypatch.setattr("partsum.bench._cases.partsum", wrong)
    with pytest.raises(WrongDigest, match="CRC32, ram"):
        small([], ["CRC32"], sources=["ram"])


def test_a_peer_that_leaves_files_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def some(paths: list[Path]) -> list[str]:
        return [hashlib.md5(path.read_bytes()).hexdigest() for path in paths[:1]] * len(paths)

    monkeypatch.setattr("partsum.bench._cases.md5_of_files", some)
    with pytest.raises(WrongDigest, match="value 3 of 4"):
        small(["tree"], [])


# --- who is not here -----------------------------------------------------------------------------

ALONE = """
import json, sys
for name in ("awscrt", "xxhash", "jinja2", "matplotlib"):
    sys.modules[name] = None
from partsum import bench
report = bench.run(size="1MiB", part_size="256KiB", pairs=1, sources=["ram"])
bench.text(report)
for form in (bench.markdown, bench.html, bench.svg):
    try:
        form(report)
    except ImportError as error:
        assert str(error).endswith(" is missing: pip install 'partsum[bench]'"), error
    else:
        raise AssertionError(form)
print(bench.json(report))
"""


def test_the_standard_library_is_enough(tmp_path: Path) -> None:
    """No extra and no command: what cannot be compared is said, with what to install."""
    done = subprocess.run(
        [sys.executable, "-c", ALONE],
        env={"PATH": "", "PYTHONPATH": str(Path(partsum.__file__).parents[1])},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
        cwd=tmp_path,
    )
    found = Report.from_json(done.stdout)
    assert {result.peer for result in found.results} == {"hashlib", "zlib"}
    absent = {peer.name: peer.install for peer in found.peers if not peer.present}
    assert absent.keys() == {"awscrt", "xxhash", "md5sum", "sha256sum", "openssl"}
    assert absent["awscrt"] == "pip install 'partsum[bench]'"
    skipped = dict(found.skipped)
    assert {"CRC32C", "CRC64NVME", "XXHASH3", "ETag and CRC64NVME"} <= skipped.keys()
    assert "pip install 'partsum[bench]'" in skipped["CRC64NVME"]
    for form in (bench.text(found), bench.markdown(found), bench.html(found)):
        assert "Not compared" in form
        assert "coreutils" in form


# --- what may be said ----------------------------------------------------------------------------


@pytest.mark.parametrize("count", range(1, 12))
def test_intervals_cover_the_median_as_often_as_they_say(count: int) -> None:
    """Whatever the distribution, a pair falls on either side of the true median as a coin does."""
    ratio = Ratio.of([float(rank) for rank in range(count)])
    low, high = int(ratio.low), int(ratio.high)
    covered = sum(
        low < below <= high
        for below in (sum(coins) for coins in itertools.product((0, 1), repeat=count))
    )
    if count > 1:
        assert ratio.confidence == covered / 2**count
    assert (ratio.confidence >= 0.95) == (count >= 6)
    assert low == count - 1 - high


def test_ratio_ignores_the_order_of_pairs() -> None:
    assert Ratio.of([3.0, 1.0, 2.0, 9.0]) == Ratio.of([9.0, 2.0, 1.0, 3.0])
    assert Ratio.of([3.0, 1.0, 2.0, 9.0]).median == 2.5


@pytest.mark.parametrize(
    ("ratios", "winner"),
    [
        ([2.0, 2.1, 1.9, 2.0, 2.2, 1.8], "partsum"),
        ([0.5, 0.6, 0.4, 0.5, 0.5, 0.9], "peer"),
        ([2.0, 2.1, 0.9, 2.0, 2.2, 1.8], "tie"),
        ([0.5, 0.6, 0.4, 0.5, 0.5, 1.1], "tie"),
        ([0.5, 0.6, 0.4, 0.5, 0.5, 0.998], "tie"),  # 1.00 in print
    ],
)
def test_winner(report: Report, ratios: list[float], winner: str) -> None:
    found = edited(report, ratios)
    assert found.results[0].winner == winner
    assert found.wins(winner) == [found.results[0]]
    title = f"{found.results[0].title}, {found.results[0].peer}: "
    for form in (bench.text(found), bench.markdown(found), html_text(bench.html(found))):
        wins = between(form, "Where a peer wins", "No difference|Note|Everyday jobs")
        ties = between(form, "No difference shown", "Note|How it was|\n\n")
        assert (title in wins) == (winner == "peer")
        assert (title in ties) == (winner == "tie")
        assert ("none in this run" in wins) == (winner != "peer")


def between(text: str, start: str, end: str) -> str:
    """What stands between one word and the next of others."""
    match = re.search(rf"{start}(.*?)({end})", text, re.DOTALL)
    assert match
    return match[1]


def test_warnings(report: Report) -> None:
    plain = edited(report, [2.0] * 6, load_before=0.1)
    for form in (bench.text(plain), bench.markdown(plain), html_text(bench.html(plain))):
        assert "Note" not in form
    few = edited(report, [2.0] * 3, isa_override="avx2", debug_build=True, load_before=50.0)
    assert "too few" in bench.text(few)
    assert "PARTSUM_ISA" in bench.markdown(few)
    assert "debug build" in bench.html(few)
    assert "busy" in bench.text(few)
    cold = dataclasses.replace(plain, results=(dataclasses.replace(plain.results[0], cached=0.25),))
    assert "only 25% of a file" in bench.text(cold)


# --- forms ---------------------------------------------------------------------------------------

MEMBERS: dict[str, Any] = {
    "schema": str,
    "started": str,
    "seconds": float,
    "options": dict,
    "machine": dict,
    "peers": list,
    "results": list,
    "skipped": list,
}
RESULT_MEMBERS: dict[str, Any] = {
    "job": str,
    "title": str,
    "group": str,
    "source": str,
    "algorithms": list,
    "size": int,
    "messages": int,
    "ours": str,
    "peer": str,
    "how": str,
    "pairs": list,
    "cached": (float, type(None)),
    "ratio": dict,
    "partsum_rate": float,
    "peer_rate": float,
    "winner": str,
}


def test_json(report: Report) -> None:
    document = json.loads(bench.json(report))
    assert document == report.to_dict()
    assert document["schema"] == "partsum.bench/1"
    assert document.keys() == MEMBERS.keys()
    assert all(isinstance(document[key], kind) for key, kind in MEMBERS.items())
    for entry, result in zip(document["results"], report.results, strict=True):
        assert entry.keys() == RESULT_MEMBERS.keys()
        assert all(isinstance(entry[key], kind) for key, kind in RESULT_MEMBERS.items())
        assert entry["pairs"] == [dataclasses.asdict(pair) for pair in result.pairs]
        assert entry["ratio"].keys() == {"median", "low", "high", "confidence"}
    assert Report.from_dict(document) == report
    with pytest.raises(ValueError, match=r"partsum\.bench/1"):
        Report.from_dict({**document, "schema": "partsum.bench/2"})


def test_text_fits_a_terminal(report: Report) -> None:
    text = bench.text(report)
    assert max(map(len, text.splitlines())) <= 90
    for result in report.results:
        assert f"  {result.title}\n" in text
    assert text.isascii()


def test_markdown_has_a_row_for_each_result(report: Report) -> None:
    rows = [line for line in bench.markdown(report).splitlines() if line.startswith("| ")]
    rows = [row for row in rows if not row.startswith("| what |")]
    assert len(rows) == len(report.results)
    assert all(row.count("|") == 7 for row in rows)
    for result in report.results:
        assert any(row.startswith(f"| {result.title} | {result.peer} | ") for row in rows)


NASTY = "A<script>alert(1)</script>|\"&'\\ CPU"


@pytest.fixture
def nasty(report: Report) -> Report:
    return edited(report, *[[0.02, 3.0, 700.0]] * len(report.results), cpu=NASTY)


class Text(html.parser.HTMLParser):
    """The words of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def html_text(page: str) -> str:
    parser = Text()
    parser.feed(page[page.index("<body>") :])
    return "".join(parser.words)


def test_html_is_well_formed_and_alone(nasty: Report) -> None:
    page = bench.html(nasty)
    assert page.startswith("<!doctype html>\n")
    root = ElementTree.fromstring(page.partition("\n")[2])  # all elements closed, once
    assert "<script" not in page
    assert NASTY in html_text(page)
    svg = "{http://www.w3.org/2000/svg}"
    charts = list(root.iter(f"{svg}svg"))
    tables = [table for table in root.iter("table") if table.get("class") == "results"]
    for width in ("wide", "narrow"):
        drawn = [one for one in root.iter("div") if one.get("class") == width]
        assert len(drawn) == len(tables) == 4
        assert all(one[0] in charts for one in drawn)
    assert len(charts) == 8
    rows = sum(len(list(table.iter("tr"))) - 1 for table in tables)
    assert rows == len(nasty.results)
    identities = [one.get("id") for one in root.iter() if one.get("id")]
    assert len(set(identities)) == len(identities)
    for chart in charts:
        named = (chart.get("aria-labelledby") or "").split()
        assert [chart.find(f"{svg}{kind}").get("id") for kind in ("title", "desc")] == named  # type: ignore[union-attr]
        assert chart.get("role") == "img"
    for labelled in root.iter("figure"):
        assert labelled.get("aria-labelledby") in identities


@pytest.mark.parametrize("form", ["html", "svg"])
def test_nothing_is_loaded(nasty: Report, form: str) -> None:
    text: str = getattr(bench, form)(nasty)
    assert not re.search(r"url\(|@import|\bsrc=|\bhref=|<link|<script|\bon\w+=", text)
    assert set(re.findall(r"\w+://[^\s\"'<]*", text)) <= {"http://www.w3.org/2000/svg"}


def test_svg_is_well_formed(nasty: Report) -> None:
    svg = "{http://www.w3.org/2000/svg}"
    root = ElementTree.fromstring(bench.svg(nasty))
    bars = [one for one in root.iter(f"{svg}g") if (one.get("class") or "").startswith("bar")]
    assert len(bars) == len(nasty.results)
    assert root.find(f"{svg}title") is not None
    assert NASTY in "".join(root.itertext())
    width = float(root.get("width") or 0)
    for mark in root.iter():
        points = re.findall(r"[ML] (\S+) \S+", mark.get("d") or "")
        assert all(0 <= float(x) <= width for x in [*points, mark.get("x") or "0"])
        assert "#" not in (mark.get("style") or "")  # colours are variables, for light and dark


@pytest.mark.parametrize("form", ["html", "svg"])
def test_the_same_report_gives_the_same_bytes(report: Report, form: str) -> None:
    again = Report.from_json(bench.json(report))
    assert getattr(bench, form)(again) == getattr(bench, form)(report)


# --- the table of criterion's figures ------------------------------------------------------------


def test_table_of_criterion(tmp_path: Path) -> None:
    """Against the fastest peer, round by round, with what was measured and nothing else."""
    if not shutil.which("rustc"):
        pytest.skip("no rustc here, whose version the table names")
    criterion = tmp_path / "criterion"
    steady, uneven = (1.0,) * 6, (1.0, 1.02, 0.98, 1.0, 1.01, 0.99)
    for group, who, messages, size, nanoseconds, noise in (
        ("MD5 L2", "md-5", "1", 4000, 400.0, steady),
        ("MD5 L2", "slow-md5", "1", 4000, 800.0, steady),
        ("MD5 L2", "partsum avx2", "16", 4000, 40.0, steady),
        ("MD5 L2", "partsum avx2", "16 with gaps", 4000, 20.0, steady),
        ("MD5 L2", "partsum avx2", "17", 2000, 40.0, steady),  # half the bytes in the same time
        ("MD5 L2", "partsum avx2", "1", 4000, 500.0, steady),
        ("MD5 RAM", "md-5", "1", 4000, 400.0, steady),
        ("MD5 RAM", "partsum avx2", "16", 4000, 400.0, uneven),
        ("ETag", "read", "1", 4000, 1.0, steady),  # of another benchmark
    ):
        # Slow minutes are slow for all.
        for number, (machine, own) in enumerate(
            zip((1.0, 1.1, 2.0, 1.0, 1.7, 1.0), noise, strict=True), 1
        ):
            numbered = group if group == "ETag" else f"{group} {number}"
            folder = criterion / numbered / who / messages / "new"
            folder.mkdir(parents=True, exist_ok=True)
            about = {"group_id": numbered, "function_id": who, "value_str": messages}
            about["throughput"] = {"Bytes": size}  # type: ignore[assignment]
            median = {"point_estimate": nanoseconds * machine * own}
            (folder / "benchmark.json").write_text(json.dumps(about))
            (folder / "estimates.json").write_text(json.dumps({"median": median}))
    script = Path(__file__).parents[2] / "benches" / "table.py"
    files = ("--markdown", tmp_path / "table.md", "--svg", tmp_path / "table.svg")
    done = subprocess.run(
        [sys.executable, script, "--criterion", criterion, *files],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert (tmp_path / "table.md").read_text() == done.stdout
    lines = [line for line in done.stdout.splitlines() if line.startswith("| MD5")]
    assert lines == [
        "| MD5 | L2 | avx2 1 message | 7.62 | md-5 | 9.52 | **x0.80** (0.80-0.80) |",
        "| MD5 | L2 | avx2 16 messages | 95.2 | md-5 | 9.52 | **x10.0** (10.0-10.0) |",
        "| MD5 | L2 | avx2 16 messages with gaps | 190.5 | md-5 | 9.52 | **x20.0** (20.0-20.0) |",
        "| MD5 | L2 | avx2 17 messages | 47.6 | md-5 | 9.52 | **x5.00** (5.00-5.00) |",
        "| MD5 | RAM | avx2 16 messages | 9.43 | md-5 | 9.52 | **x1.00** (0.98-1.02) |",
    ]
    assert "of 6 rounds, in brackets its 96.9 % interval" in done.stdout
    assert "Where a peer wins: MD5 (L2, avx2 1 message)." in done.stdout
    root = ElementTree.fromstring((tmp_path / "table.svg").read_text())
    assert "avx2 16 messages" in list(root.itertext())


# --- in a browser --------------------------------------------------------------------------------

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--hide-scrollbars", "--virtual-time-budget=20000", "--dump-dom"),
)
HARNESS = """<!doctype html><meta charset="utf-8"/><title>harness</title>
<iframe id="page" style="width: WIDTHpx; height: 900px; border: 0; color-scheme: SCHEME"
srcdoc="PAGE"></iframe><pre id="found"></pre>
<script>
function channel(colour) {
  return colour.match(/[\\d.]+/g).slice(0, 3).map(v => v / 255)
    .map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
}
function luminance(colour) {
  const [r, g, b] = channel(colour);
  return .2126 * r + .7152 * g + .0722 * b;
}
function contrast(one, other) {
  const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high + .05) / (low + .05);
}
function look() {
  const view = document.getElementById("page").contentWindow, doc = view.document;
  const paper = view.getComputedStyle(doc.body).backgroundColor;
  const wrong = [];
  const texts = doc.createTreeWalker(doc.body, NodeFilter.SHOW_TEXT);
  let count = 0;
  for (let node; (node = texts.nextNode());) {
    const element = node.parentElement, style = view.getComputedStyle(element);
    const where = element.closest("title, desc, thead");
    if (!node.data.trim() || !element.checkVisibility() || (where && (where.tagName !== "THEAD"
        || view.getComputedStyle(where).position === "absolute"))) continue;
    count++;
    const range = doc.createRange();
    range.selectNodeContents(node);
    const drawn = element.closest("svg");
    const boxes = drawn ? [element.getBoundingClientRect()] : range.getClientRects();
    const place = drawn ? drawn.getBoundingClientRect() : {left: 0, right: view.innerWidth};
    for (const box of boxes)
      if (box.left < place.left - .5 || box.right > place.right + .5
          || (drawn && (box.top < place.top || box.bottom > place.bottom)))
        wrong.push("clipped: " + node.data);
    const ratio = contrast(drawn ? style.fill : style.color, paper);
    if (ratio < 4.5) wrong.push("contrast " + ratio.toFixed(2) + ": " + node.data);
  }
  for (const chart of doc.querySelectorAll("svg")) {
    const boxes = [...chart.querySelectorAll("text")].map(t => [t, t.getBoundingClientRect()]);
    for (const [one, a] of boxes) for (const [other, b] of boxes)
      if (one !== other && a.left < b.right && b.left < a.right
          && a.top + 3 < b.bottom && b.top + 3 < a.bottom)
        wrong.push("overlap: " + one.textContent + " / " + other.textContent);
    for (const bar of chart.querySelectorAll(".bar path")) {
      const ratio = contrast(view.getComputedStyle(bar).fill, paper);
      if (ratio < 3) wrong.push("bar contrast " + ratio.toFixed(2));
    }
  }
  for (const element of doc.querySelectorAll("body *"))
    if (!element.closest("svg, thead") && element.scrollWidth > element.clientWidth + 1
        && element.clientWidth) wrong.push("overflow: " + element.outerHTML.slice(0, 80));
  document.getElementById("found").textContent = JSON.stringify({
    width: view.innerWidth, dark: view.matchMedia("(prefers-color-scheme: dark)").matches,
    scroll: doc.documentElement.scrollWidth, count, wrong, paper: luminance(paper),
  });
}
addEventListener("load", look);
</script>"""


def looked_at(page: str, width: int, scheme: str) -> dict[str, Any]:
    """What a browser makes of a page."""
    harness = HARNESS.replace("WIDTH", str(width)).replace("SCHEME", scheme)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        path = Path(profile) / "harness.html"
        path.write_text(harness.replace("PAGE", escape(page)))
        done = subprocess.run(
            [CHROMIUM, *FLAGS, f"--user-data-dir={profile}/profile", path.as_uri()],
            capture_output=True,
            text=True,
            timeout=100,
            check=True,
        )
    match = re.search(r'<pre id="found">(.+?)</pre>', done.stdout, re.DOTALL)
    assert match, done.stdout[-2000:] + done.stderr[-2000:]
    found: dict[str, Any] = json.loads(html.unescape(match[1]))
    return found


needs_chromium = pytest.mark.skipif(not CHROMIUM, reason="NOT TESTED in a browser: no chromium")


@needs_chromium
@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_in_a_browser(nasty: Report, width: int, scheme: str) -> None:
    found = looked_at(bench.html(nasty), width, scheme)
    assert found["width"] == width
    assert found["dark"] == (scheme == "dark")
    assert (found["paper"] < 0.1) == (scheme == "dark")
    assert found["scroll"] <= width
    assert found["count"] > 10 * len(nasty.results)
    assert found["wrong"] == []


@needs_chromium
def test_the_browser_sees_what_is_wrong(nasty: Report) -> None:
    """The check above can fail."""
    page = bench.html(nasty)
    for spoil, word in (
        (
            (".facts th { width", "p { color: #777; white-space: nowrap } .facts th { width"),
            "overf",
        ),
        ((".chart text { font", ".chart text { letter-spacing: 12px; font"), "overlap"),
    ):
        assert spoil[0] in page
        found = looked_at(page.replace(*spoil), 360, "light")
        assert any(word in one for one in found["wrong"])
