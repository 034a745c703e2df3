"""The options and arguments that verbs share."""

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

import partsum
from partsum.cli._common import plan_of, reason, say

if TYPE_CHECKING:
    from partsum.cli._cache import Cache

F = TypeVar("F", bound=Callable[..., Any])

_DECIMAL_UNIT = re.compile(r"[\d.]+\s*[kmgt]b", re.IGNORECASE)


def _unique(_ctx: click.Context, _param: click.Parameter, value: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value))


def algorithm_option(help: str) -> Callable[[F], F]:
    """``-a ALG``, repeatable: the verb gets canonical names, each once, in the order given."""
    return click.option(
        "-a",
        "--algorithm",
        "algorithms",
        multiple=True,
        metavar="ALG",
        type=click.Choice(list(partsum.ALGORITHMS), case_sensitive=False),
        callback=_unique,
        help=f"{help} Repeatable. One of {', '.join(partsum.ALGORITHMS)}.",
    )


def size_text(size: int) -> str:
    """A size as ``--part-size`` takes it and a person reads it."""
    mebi, rest = divmod(size, 1 << 20)
    return str(size) if rest or not mebi else f"{mebi}MiB"


def _check_part_size(ctx: click.Context, param: click.Parameter, value: str | None) -> None:
    try:
        partsum.plan_parts(0, plan_of(value), allow_small_parts=True)
    except ValueError as error:
        raise click.BadParameter(reason(error), ctx, param) from None
    if value is not None and _DECIMAL_UNIT.fullmatch(value):
        say(f"note: {value} counts in powers of 1000; the AWS CLI takes it as {value[:-1]}iB")


def _checked_part_size(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    _check_part_size(ctx, param, value)
    return value


def _checked_part_sizes(
    ctx: click.Context, param: click.Parameter, values: tuple[str, ...]
) -> tuple[str, ...]:
    for value in values:
        _check_part_size(ctx, param, value)
    return values


def _presets(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Complete a preset; a size is for the user to type."""
    return [name for name in (*partsum.PRESETS, "none") if name.startswith(incomplete)]


def part_size_option(default: str | None) -> Callable[[F], F]:
    """``--part-size`` and, for stores that are not S3, ``--allow-small-parts``."""

    def decorate(function: F) -> F:
        function = click.option(
            "--allow-small-parts",
            is_flag=True,
            help="Accept parts below 5 MiB, which S3 refuses and some S3-compatible stores take.",
        )(function)
        return click.option(
            "--part-size",
            metavar="SIZE|PRESET",
            default=default,
            callback=_checked_part_size,
            shell_complete=_presets,
            show_default=default is not None,
            help="8MiB, 8MB (10^6) or bytes; or as a tool does it: boto3, awscli, rclone, s5cmd, "
            "mc, ...; or none for one PutObject.",
        )(function)

    return decorate


def part_sizes_option(help: str) -> Callable[[F], F]:
    """``--part-size``, repeatable."""
    return click.option(
        "--part-size",
        "part_sizes",
        multiple=True,
        metavar="SIZE|PRESET",
        callback=_checked_part_sizes,
        shell_complete=_presets,
        help=help,
    )


threads_option = click.option(
    "--threads",
    "--num-threads",  # as b3sum has it
    "threads",
    type=click.IntRange(min=1),
    metavar="N",
    help="Threads; all CPUs by default.",
)


def _cache(ctx: click.Context, _param: click.Parameter, value: bool) -> "Cache | None":
    if not value:
        return None
    from partsum.cli._cache import Cache

    cache = Cache()
    ctx.call_on_close(cache.close)
    return cache


cache_option = click.option(
    "--cache/--no-cache",
    "cache",
    envvar="PARTSUM_CACHE",
    show_envvar=True,
    callback=_cache,
    help="Remember checksums, and do not read files that have not changed since; no by default.",
)


def given_on_command_line(option: str) -> bool:
    """Tell an option that was typed from one of the environment."""
    source = click.get_current_context().get_parameter_source(option)
    return source is click.core.ParameterSource.COMMANDLINE


json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
# Not click's own check of the path: an unreadable file is one error line, and the rest goes on.
files_argument = click.argument(
    "files", nargs=-1, metavar="[FILE]...", type=click.Path(readable=False, allow_dash=True)
)
