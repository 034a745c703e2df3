"""``partsum bench``: how fast partsum and its peers are on this machine."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from partsum import bench
from partsum.cli.options import algorithm_option, threads_option
from partsum.cli.terminal import emit, reason, say

if TYPE_CHECKING:
    from types import FrameType

F = TypeVar("F", bound=Callable[..., Any])

LONG = 180  # seconds


def _output_option(form: str, what: str) -> Callable[[F], F]:
    return click.option(
        f"--{form}",
        f"{form}_file",
        is_flag=False,
        flag_value="-",
        metavar="[FILE]",
        type=click.Path(dir_okay=False, allow_dash=True),
        help=f"Write {what} to FILE, or in place of the table on standard output.",
    )


@click.command(
    "bench",
    short_help="Compare partsum with its peers on this machine.",
    epilog="""\b
Examples:
  partsum bench                             everything, in about two minutes
  partsum bench --quick                     a first impression
  partsum bench --job etag --job tree       two everyday jobs
  partsum bench -a sha256 --source ram      one algorithm, without files
  partsum bench --html bench.html --json bench.json
  partsum bench --markdown > bench.md
  partsum bench --from bench.json --svg bench.svg""",
)
@click.option(
    "--job",
    "jobs",
    multiple=True,
    metavar="JOB",
    type=click.Choice(list(bench.JOBS)),
    help=f"An everyday job. Repeatable. One of {', '.join(bench.JOBS)}.",
)
@algorithm_option("An algorithm by itself.")
@click.option(
    "--source",
    type=click.Choice(["file", "ram", "both"]),
    default="both",
    show_default=True,
    help="Where algorithms find their bytes: a page-cached file, or memory.",
)
@click.option(
    "--size",
    metavar="SIZE",
    help="Of the big file.  [default: 256MiB for each thread, 2GiB at most]",
)
@click.option("--part-size", metavar="SIZE", default="8MiB", show_default=True, help="Of a part.")
@click.option(
    "--pairs",
    type=click.IntRange(min=1),
    metavar="N",
    help="Pairs of runs for each row.  [default: 6 to 15, to fill two minutes]",
)
@click.option(
    "--quick", is_flag=True, help="Half the size and 3 pairs: half a minute, too little to publish."
)
@threads_option
@click.option(
    "--dir",
    "folder",
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False, writable=True),
    help="Where the files are made, and removed.  [default: the system's temporary folder]",
)
@click.option(
    "--from",
    "earlier",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False),
    help="Measure nothing: show the report that --json wrote to FILE.",
)
@_output_option("json", "every run and all results")
@_output_option("html", "a page with charts")
@_output_option("markdown", "tables for a README")
@_output_option("svg", "one chart of all ratios")
def command(
    *,
    jobs: tuple[str, ...],
    algorithms: tuple[str, ...],
    source: str,
    size: str | None,
    part_size: str,
    pairs: int | None,
    quick: bool,
    threads: int | None,
    folder: str | None,
    earlier: str | None,
    **outputs: str | None,
) -> int:
    """Compare partsum with hashlib, awscrt, xxhash, zlib, md5sum, sha256sum and openssl.

    Whoever is here takes part, with as many threads; what is missing is named, with what to
    install. Partsum and a peer take turns, and the digests of every run are compared: a wrong one
    ends the run with exit status 1. A command is compared with the command, start-up included.

    Without --job and -a all of them are measured.
    """
    forms: dict[str, Callable[[bench.Report], str]] = {
        "json": lambda report: report.to_json() + "\n",
        "html": bench.Report.html,
        "markdown": bench.Report.markdown,
        "svg": bench.Report.svg,
    }
    wanted = {form: target for form in forms if (target := outputs[f"{form}_file"]) is not None}
    if list(wanted.values()).count("-") > 1:
        raise click.UsageError("only one of --json, --html, --markdown and --svg can be printed")
    for target in wanted.values():
        _check_writable(target)
    if earlier:
        report = _read(Path(earlier))
    else:
        report = _measured(
            jobs=jobs or (() if algorithms else None),
            algorithms=algorithms or (() if jobs else None),
            sources=("file", "ram") if source == "both" else (source,),
            size=size,
            part_size=part_size,
            pairs=pairs,
            threads=threads,
            folder=folder,
            quick=quick,
        )
    for form, target in wanted.items():
        if target == "-":
            emit(forms[form](report), b"")
        else:
            _write(Path(target), forms[form](report))
    if "-" not in wanted.values():
        emit(report.text(), b"")
    return 0


def _measured(**options: Any) -> bench.Report:  # noqa: ANN401  (those of bench.run)
    status = Status()
    try:
        with _terminable():
            return bench.run(**options, progress=status)
    except ValueError as error:
        raise click.UsageError(reason(error)) from None
    finally:
        status.clear()


def _read(path: Path) -> bench.Report:
    try:
        return bench.Report.from_json(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise click.ClickException(f"{path}: {error}") from None


class Status:
    """Says how long it will take, and on a terminal how far it is."""

    def __init__(self) -> None:
        self._terminal = bool(sys.stderr and sys.stderr.isatty())
        self._said = False

    def __call__(self, step: bench.Progress) -> None:
        """Show the next step."""
        if step.phase == "measure" and not self._said and step.seconds_left:
            self._said = True
            self.clear()
            hint = "--quick takes less" if step.seconds_left > LONG else "Ctrl-C stops it"
            say(f"measuring takes about {_duration(step.seconds_left)}; {hint}")
        if self._terminal:
            left = "" if step.seconds_left is None else f", {_duration(step.seconds_left)} left"
            line = f"{step.phase} {step.done}/{step.total}{left}: {step.title}"
            self.clear()
            sys.stderr.write(line[: _columns() - 1])
            sys.stderr.flush()

    def clear(self) -> None:
        """Take the line away."""
        if self._terminal:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


def _columns() -> int:
    return shutil.get_terminal_size().columns


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


@contextmanager
def _terminable() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end a run as Ctrl-C does: with its files removed."""

    def end(number: int, _frame: FrameType | None) -> NoReturn:
        sys.exit(128 + number)

    signals = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {number: signal.signal(number, end) for number in signals}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _check_writable(target: str) -> None:
    """Minutes of measuring must not end in a typing error."""
    if target != "-" and not _is_device(Path(target)):
        try:
            tempfile.TemporaryFile(dir=Path(target).parent).close()
        except OSError as error:
            error.filename = target
            raise


def _write(path: Path, text: str) -> None:
    """Write a whole file or none."""
    if _is_device(path):
        path.write_text(text, encoding="utf-8")
        return
    made = path.with_name(f".{path.name}-{os.getpid()}")
    try:
        made.write_text(text, encoding="utf-8")
        made.replace(path)
    except BaseException:
        made.unlink(missing_ok=True)
        raise


def _is_device(path: Path) -> bool:
    """Whether it is /dev/null, a pipe or the like, which must not be replaced."""
    return path.exists() and not path.is_file()
