"""The options and arguments that verbs share, and the refusal of those that do not go together."""

import re
from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

import click

import partsum
from partsum.cli.terminal import say

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from partsum.cli.cached.cache import Cache

F = TypeVar("F", bound=Callable[..., Any])

_DECIMAL_UNIT = re.compile(r"[\d.]+\s*[kmgt]b", re.IGNORECASE)


def _unique(_ctx: click.Context, _param: click.Parameter, value: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value))


class AlgorithmName(click.Choice):  # type: ignore[type-arg, unused-ignore]
    """An algorithm as people write it: case, ``-`` and ``_`` are ignored."""

    def __init__(self, *others: str) -> None:
        super().__init__([*partsum.ALGORITHMS, *others], case_sensitive=False)

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the canonical name."""
        name: str = super().convert(value.replace("-", "").replace("_", ""), param, ctx)
        return name


def algorithm_option(help: str) -> Callable[[F], F]:
    """``-a ALG``, repeatable: the verb gets canonical names, each once, in the order given."""
    return click.option(
        "-a",
        "--algorithm",
        "algorithms",
        multiple=True,
        metavar="ALG",
        type=AlgorithmName(),
        callback=_unique,
        help=f"{help} Repeatable. One of {', '.join(partsum.ALGORITHMS)}.",
    )


def part_size_of(text: str) -> int | str | None:
    """Return the library's `part_size` for what a user typed or a manifest says."""
    if text.lower() == "none":
        return None
    return int(text) if text.isdecimal() else text


class PartSize(click.ParamType):  # type: ignore[type-arg, unused-ignore]
    """A size, a preset or "none": the verb gets what the library takes as `part_size`."""

    name = "size|preset"

    def convert(
        self, value: str | int | None, param: click.Parameter | None, ctx: click.Context | None
    ) -> str | int | None:
        """Read a part size, and note a unit that the AWS CLI reads otherwise."""
        if not isinstance(value, str):
            return value
        part_size = part_size_of(value)
        try:
            partsum.plan_parts(0, part_size, allow_small_parts=True)
        except partsum.PartsumError as error:
            self.fail(error.problem, param, ctx)
        if _DECIMAL_UNIT.fullmatch(value):
            say(f"note: {value} counts in powers of 1000; the AWS CLI takes it as {value[:-1]}iB")
        return part_size

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> "list[CompletionItem]":
        """Complete a preset; a size is for the user to type."""
        from click.shell_completion import CompletionItem

        presets = (*partsum.PRESETS, "none")
        return [CompletionItem(name) for name in presets if name.startswith(incomplete)]


def part_size_option(*, default: str | None = None, **settings: Any) -> Callable[[F], F]:  # noqa: ANN401
    """``--part-size``."""
    return click.option(
        "--part-size",
        metavar="SIZE|PRESET",
        type=PartSize(),
        default=default,
        show_default=default is not None,
        **settings,
    )


threads_option = click.option(
    "--threads",
    "--num-threads",  # as b3sum has it
    "threads",
    type=click.IntRange(min=1),
    metavar="N",
    help="Number of threads; all CPUs by default.",
)


def _cache(ctx: click.Context, _param: click.Parameter, value: bool) -> "Cache | None":
    if not value:
        return None
    from partsum.cli.cached.cache import Cache

    cache = Cache()
    ctx.call_on_close(cache.close)
    return cache


def cache_option(help: str) -> Callable[[F], F]:
    """``--cache``: the verb gets a `cache`, or None."""
    return click.option(
        "--cache/--no-cache",
        "cache",
        envvar="PARTSUM_CACHE",
        show_envvar=True,
        callback=_cache,
        help=help,
    )


def grouped(
    name: str, make: Callable[..., object], fields: Iterable[str], *options: Callable[[Any], Any]
) -> Callable[[F], F]:
    """Return a decorator for options that a verb gets as one value.

    Args:
        name: The verb's parameter for the value.
        make: Makes the value of the options by keyword.
        fields: The names of the options as parameters; not all have to be there.
        options: The decorators of the options.
    """

    def decorate(function: F) -> F:
        @wraps(function)
        def with_group(**values: Any) -> object:  # noqa: ANN401
            group = {field: values.pop(field) for field in fields if field in values}
            return function(**{name: make(**group)}, **values)

        decorated: Any = with_group
        for option in reversed(options):
            decorated = option(decorated)
        result: F = decorated
        return result

    return decorate


def hash_options(part_size: str | None, *, cache: bool = True) -> Callable[[F], F]:
    """How files are planned and read: the verb gets `hashing`, still without algorithms.

    Args:
        part_size: The default of ``--part-size``.
        cache: Whether the verb can use ``--cache``.
    """

    def make(**options: Any) -> object:  # noqa: ANN401
        from partsum.cli.sums.hashing import HashOptions

        return HashOptions((), **options)

    size_option = part_size_option(
        default=part_size,
        help="Part size: 8MiB, 8MB (10^6) or bytes; the preset of a tool: boto3, awscli, rclone, "
        "s5cmd, mc, ...; or none for one PutObject.",
    )
    small_parts_option = click.option(
        "--allow-small-parts",
        is_flag=True,
        help="Accept parts below 5 MiB, which Amazon S3 refuses and some stores accept.",
    )
    options = [size_option, small_parts_option, threads_option]
    if cache:
        keep = "Keep checksums, and do not read a file again while it has not changed; "
        options.append(cache_option(f"{keep}off by default."))
    fields = ("part_size", "allow_small_parts", "threads", "cache")
    return grouped("hashing", make, fields, *options)


def verbosity_option(value: str, help: str, *flags: str) -> Callable[[F], F]:
    """``--quiet`` and its alternatives: the verb gets the last one as `verbosity`."""
    return click.option(
        *flags, f"--{value}", "verbosity", flag_value=value, help=f"With -c: {help}"
    )


quiet_option = verbosity_option("quiet", "print no line for OK.")
status_option = verbosity_option("status", "print nothing; the exit status tells.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
# Not click's own check of the path: a file that cannot be read is one line, and the rest goes on.
files_argument = click.argument(
    "files", nargs=-1, metavar="[FILE]...", type=click.Path(readable=False, allow_dash=True)
)


def typed(name: str) -> bool:
    """Tell an option that was typed from a default and from one of the environment."""
    source = click.get_current_context().get_parameter_source(name)
    return source is click.core.ParameterSource.COMMANDLINE


def refuse(names: Iterable[str], why: str) -> None:
    """Raise UsageError for the first of the verb's options that was typed.

    Args:
        names: The names of the options as the verb's parameters.
        why: The message; "{}" stands for the option.
    """
    ctx = click.get_current_context()
    for name in names:
        if not typed(name):
            continue
        for param in ctx.command.params:
            if param.name != name or not isinstance(param, click.Option):
                continue
            value = ctx.params[name]
            if param.is_bool_flag and not value:
                continue  # "--no-cache" asks for nothing
            if param.is_flag and not param.is_bool_flag and param.flag_value != value:
                continue  # another one of options that share a parameter
            option = next(opt for opt in param.opts if opt.startswith("--"))
            raise click.UsageError(why.format(option), ctx)
