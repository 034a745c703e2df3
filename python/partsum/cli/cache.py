"""``partsum cache``: what --cache remembers."""

from typing import Any

import click

from partsum.cli._common import emit, emit_json
from partsum.cli._options import json_option


@click.command(
    "cache",
    short_help="Show, prune or clear what --cache remembers.",
    epilog="""\b
Examples:
  partsum cache info
  partsum cache prune
  partsum cache clear
  partsum etag --cache big.tar     reads big.tar, unless it has not changed
  PARTSUM_CACHE=1                  in the environment: --cache for every verb""",
)
@json_option
@click.argument("action", type=click.Choice(["info", "prune", "clear"]))
def command(action: str, as_json: bool) -> int:
    """Show how much is remembered (info), forget the files that are gone or changed (prune), or
    forget everything (clear).

    --cache keeps the digests of files in one SQLite file below $XDG_CACHE_HOME or ~/.cache. They
    are served again only while device, inode, size, and both times of the file are what they were
    before and after it was read; files that changed in the last 3 seconds are not kept. What no
    time tells is not seen: programs that write through shared memory, and a disk that rots. For
    that, "sum --check" and "manifest --check" read every byte, always.
    """
    try:
        from partsum.cli._digest_store import Store
    except ImportError:
        raise click.ClickException("this Python was built without SQLite") from None
    store = Store()
    try:
        report: dict[str, Any] = {"path": str(store.path)}
        if action == "prune":
            report["pruned"] = store.prune()
        elif action == "clear":
            store.clear()
        report["files"], report["digests"] = store.counts()
        report["bytes"] = sum(file.stat().st_size for file in store.files() if file.exists())
    finally:
        store.close()
    if as_json:
        emit_json(report)
    else:
        for key, value in report.items():
            emit(f"{key:9}{value}")
    return 0
