"""``partsum bench``: how fast partsum and its peers are on this machine."""

from __future__ import annotations

import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from partsum import bench
from partsum.cli.files import replaced
from partsum.cli.options import algorithm_option, threads_option
from partsum.cli.terminal import emit, reason, say

if TYPE_CHECKING:
    from types import FrameType

F = TypeVar("F", bound=Callable[..., Any])

LONG = 180  # seconds
FORMS: dict[str, tuple[Callable[[bench.Report], str], str]] = {
    "json": (bench.json, "every run and all results"),
    "html": (bench.html, "a page with charts"),
    "markdown": (bench.markdown, "tables for a README"),
    "svg": (bench.svg, "one chart of all ratios"),
}


def _output_options(function: F) -> F:
    for form, (_, what) in reversed(FORMS.items()):
        function = click.option(
            f"--{form}",
            is_flag=False,
            flag_value="-",
            metavar="[FILE]",
            type=click.Path(dir_okay=False, allow_dash=True),
            help=f"Write {what} to FILE, or in place of the table on standard output.",
        )(function)
    return function


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
@_output_options
def command(*, earlier: str | None, source: str, **options: Any) -> int:  # noqa: ANN401
    """Compare partsum with hashlib, awscrt, xxhash, zlib, md5sum, sha256sum and openssl.

    All peers that are installed take part, with the same number of threads; for the others, the
    report says what to install. Partsum and a peer take turns, and the digests of every run are
    compared: a wrong one ends the run with exit status 1. A command is compared with the command,
    start-up included.

    Without --job and -a all of them are measured.
    """
    given = {form: options.pop(form) for form in FORMS}
    targets = {form: target for form, target in given.items() if target is not None}
    if list(targets.values()).count("-") > 1:
        raise click.UsageError("only one of --json, --html, --markdown and --svg can be printed")
    # A missing folder or extra must not be found after minutes of measuring.
    for name in ("jinja2", "matplotlib") if targets.keys() - {"json"} else ():
        try:
            import_module(name)
        except ImportError:
            advice = "pip install 'partsum[bench]'"
            raise click.ClickException(f"{name} is not installed: {advice}") from None
    with ExitStack() as stack:
        stack.enter_context(_terminable())
        written = {form: target for form, target in targets.items() if target != "-"}
        files = {form: stack.enter_context(replaced(name)) for form, name in written.items()}
        if earlier:
            report = _read(Path(earlier))
        else:
            options["sources"] = ("file", "ram") if source == "both" else (source,)
            if not (options["jobs"] or options["algorithms"]):
                options["jobs"] = options["algorithms"] = None
            report = _measured(**options)
        for form, write in files.items():
            write(FORMS[form][0](report).encode())
    printed = [FORMS[form][0] for form in targets if form not in files] or [bench.text]
    emit(printed[0](report), b"")
    return 0


def _measured(**options: Any) -> bench.Report:  # noqa: ANN401  (those of bench.run)
    status = Status()
    try:
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
        self.clear()
        left = _duration(step.seconds_left or 0)
        if step.phase == "measure" and not self._said and step.seconds_left:
            self._said = True
            hint = "--quick takes less" if step.seconds_left > LONG else "Ctrl-C stops it"
            say(f"measuring takes about {left}; {hint}")
        if self._terminal:
            left = "" if step.seconds_left is None else f", {left} left"
            line = f"{step.phase} {step.done}/{step.total}{left}: {step.title}"
            self._write(line[: shutil.get_terminal_size().columns - 1])

    def clear(self) -> None:
        """Take the line away."""
        if self._terminal:
            self._write("\r\x1b[K")

    def _write(self, text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


@contextmanager
def _terminable() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end a run as Ctrl-C does: its files are removed."""

    def end(number: int, _frame: FrameType | None) -> NoReturn:
        sys.exit(128 + number)

    signals = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {number: signal.signal(number, end) for number in signals}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
