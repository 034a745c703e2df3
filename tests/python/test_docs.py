"""The README and every page of the documentation, run as they stand; the site, built."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import page
import partsum.aio
import partsum.s3
import pytest
from partsum.cli import VERBS

if TYPE_CHECKING:
    from reader import Reader

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
RUN = [path for path in PAGES if page.blocks(path.read_text())]
# Those that only show something, and those that run; nothing else, so that none is left out.
LANGUAGES = {"python", "console", "text"}
# What a browser gets by itself: scripts, pictures, style sheets and what they import.
FETCHED = re.compile(
    r"""<[^>]+\ssrc=["']?(?:https?:)?//|<link[^>]+href=["']?(?:https?:)?//|"""
    r"""url\(["']?(?:https?:)?//|@import ["'](?:https?:)?//"""
)


@pytest.mark.parametrize("path", RUN, ids=lambda path: str(path.relative_to(ROOT)))
def test_page_runs(path: Path, reader: Reader) -> None:
    done = subprocess.run(
        [sys.executable, page.__file__, path],
        cwd=reader.folder,
        env=reader.environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_page_has_no_block_that_nothing_runs(path: Path) -> None:
    assert {block.language for block in page.blocks(path.read_text())} <= LANGUAGES


def test_readme_uploads_and_uses_the_command_line() -> None:
    found = page.blocks(PAGES[0].read_text())
    assert any("complete_multipart_upload" in block.text for block in found)
    assert sum(block.language == "python" for block in found) >= 2
    assert sum(block.text.count("$ ") for block in found if block.language == "console") >= 4


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("```python\nprint(1 + 1)\n```\n\n```text\n3\n```\n", "the page shows:\n3"),
        ("```python\nassert not 1\n```\n", "AssertionError"),
        ("```console\n$ echo 2\n3\n```\n", "the page shows:\n3"),
        ("```console\n$ false\n```\n", "exit status 1"),
    ],
)
def test_page_that_is_wrong_fails(text: str, says: str, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.md"
    wrong.write_text(text)
    done = subprocess.run(
        [sys.executable, page.__file__, wrong], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert says in done.stderr


@pytest.mark.slow
@pytest.mark.skipif(find_spec("sphinx") is None, reason="NOT TESTED: no Sphinx (--group docs)")
def test_site(tmp_path: Path) -> None:
    """No warning, every name is there, and nothing that a browser would fetch elsewhere."""
    site = tmp_path / "site"
    subprocess.run(
        [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-E", DOCS, site],
        check=True,
        timeout=120,
    )
    reference = (site / "reference" / "python.html").read_text()
    for name in set(partsum.__all__) - {"__version__"}:
        assert f'id="partsum.{name}"' in reference, name
    modules = (site / "reference" / "modules.html").read_text()
    for name in [*partsum.s3.__all__, *partsum.aio.__all__]:
        assert re.search(rf'id="partsum\.(s3|aio)\.{name}"', modules), name
    commands = (site / "reference" / "cli.html").read_text()
    for verb in VERBS:
        assert f'id="partsum-{verb}"' in commands, verb

    pages = list(site.rglob("*.html"))
    assert len(pages) >= len(PAGES)
    for path in [*pages, *site.rglob("*.css")]:
        assert not FETCHED.findall(path.read_text()), path
