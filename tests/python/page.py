"""Runs a page of Markdown as its reader would, from top to bottom: ``python page.py PAGE.md``.

A ``python`` block sees the names of those before it; a ``text`` block right after one is what it
prints. In a ``console`` block each line after ``$`` is given to bash, and what follows is what a
terminal shows then. ``...`` stands for what differs from one machine to another.
"""

from __future__ import annotations

import contextlib
import doctest
import io
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

FENCE = re.compile(r"^```(?P<language>[^\n{`]+)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)
COMMAND = re.compile(r"^\$ (?P<command>(?:.*\\\n)*.*)\n(?P<shown>(?:(?!\$ ).*\n)*)", re.MULTILINE)
EXPECTS = doctest.ELLIPSIS


class Block(NamedTuple):
    """A fenced block; `shown` is the text block that follows it at once."""

    language: str
    text: str
    line: int
    shown: str | None


def blocks(page: str) -> list[Block]:
    """The blocks of a page that its reader runs or looks at."""
    found: list[Block] = []
    end = 0
    for fence in FENCE.finditer(page):
        language, text = fence["language"].strip(), fence["text"]
        follows = not page[end : fence.start()].strip()
        if found and follows and (found[-1].language, language) == ("python", "text"):
            found[-1] = found[-1]._replace(shown=text)
        else:
            found.append(Block(language, text, page.count("\n", 0, fence.start("text")), None))
        end = fence.end()
    return found


def compare(what: str, shown: str, got: str) -> None:
    """End here if a reader would see something else."""
    example = doctest.Example("", shown)
    if not doctest.OutputChecker().check_output(example.want, got, EXPECTS):
        raise SystemExit(f"{what}\nthe page shows:\n{shown}\nbut it is:\n{got}")


def run_python(page: Path, block: Block, names: dict[str, object]) -> None:
    """Run a block among the page's names; tracebacks tell the page's lines."""
    code = compile("\n" * block.line + block.text, str(page), "exec")
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(code, names)
    if block.shown is not None:
        compare(f"{page}:{block.line + 1}", block.shown, printed.getvalue())


def run_console(page: Path, block: Block) -> None:
    """Give each command to bash."""
    for typed in COMMAND.finditer(block.text):
        done = subprocess.run(
            ["bash", "-c", typed["command"]],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=120,
        )
        where = f"{page}:{block.line + 1}: $ {typed['command']}"
        compare(where, typed["shown"], done.stdout)
        if done.returncode:
            raise SystemExit(f"{where}\nexit status {done.returncode}")


def main(page: Path) -> None:
    """Run all of them in order."""
    sys.modules["awscrt"] = None  # type: ignore[assignment]  # `pip install boto3` does not bring it
    names: dict[str, object] = {"__name__": "__main__"}
    for block in blocks(page.read_text()):
        if block.language == "python":
            run_python(page, block, names)
        elif block.language == "console":
            run_console(page, block)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
