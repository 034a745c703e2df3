"""``partsum completion``: scripts that let a shell complete verbs, options and presets."""

import click
from click.shell_completion import get_completion_class

from partsum.cli.terminal import emit


@click.command(
    "completion",
    short_help="Print the script that lets your shell complete partsum.",
    epilog="""\b
Examples:
  eval "$(partsum completion bash)"      in ~/.bashrc
  eval "$(partsum completion zsh)"       in ~/.zshrc
  partsum completion fish > ~/.config/fish/completions/partsum.fish""",
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(ctx: click.Context, shell: str) -> int:
    """Print the script that lets SHELL complete partsum: bash (4.4 or later), zsh or fish."""
    make = get_completion_class(shell)
    assert make  # click has all three
    try:
        emit(make(ctx.find_root().command, {}, "partsum", "_PARTSUM_COMPLETE").source().strip())
    except RuntimeError as error:  # a bash that is too old
        raise click.ClickException(str(error)) from None
    return 0
