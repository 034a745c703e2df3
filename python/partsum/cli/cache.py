"""``partsum cache``: what --cache keeps."""

from contextlib import closing
from typing import Any

import click

from partsum.cli.options import json_option
from partsum.cli.terminal import emit, emit_json


@click.command(
    "cache",
    short_help="Show, prune or clear what --cache keeps.",
    epilog="""\b
Examples:
  partsum cache info
  partsum cache prune
  partsum cache clear
  partsum etag --cache big.tar     reads big.tar only if it changed
  PARTSUM_CACHE=1                  in the environment: --cache for every verb""",
)
@json_option
@click.argument("action", type=click.Choice(["info", "prune", "clear"]))
def command(action: str, as_json: bool) -> int:
    """Show how much is kept (info), remove what is kept of files that are gone or changed (prune),
    or remove everything (clear).

    --cache keeps the digests of files in one SQLite file below $XDG_CACHE_HOME or ~/.cache. A
    digest is used again only while device, inode, size, mtime and ctime of the file are the same.
    Digests of files that changed in the last 3 seconds are not kept. Changes that leave all of
    that as it is are not noticed: writes through a shared memory map, and corruption on the disk.
    "sum --check" and "manifest --check" therefore always read every byte.
    """
    try:
        from partsum.cli.cached.store import Store
    except ImportError:
        raise click.ClickException("this Python was built without SQLite") from None
    with closing(Store()) as store:
        report: dict[str, Any] = {"path": str(store.path)}
        if action == "prune":
            report["pruned"] = store.prune()
        elif action == "clear":
            store.clear()
        report["files"], report["digests"] = store.counts()
        report["bytes"] = sum(file.stat().st_size for file in store.files() if file.exists())
    if as_json:
        emit_json(report)
    else:
        for key, value in report.items():
            emit(f"{key:9}{value}")
    return 0
