"""Compare partsum with other libraries and commands on your own machine.

Measuring, the text table and the JSON need the standard library alone. `markdown`, `html` and `svg`
need jinja2 and matplotlib, and more peers take part if awscrt and xxhash are installed:
``pip install 'partsum[bench]'`` installs all four. On the command line it is ``partsum bench``.

Example:
    >>> from partsum import bench
    >>> report = bench.run(["etag"], [], size="16MiB", pairs=1)
    >>> report.results[0].peer, report.results[0].winner in ("partsum", "peer", "tie")
    ('hashlib', True)
"""

from partsum.bench._cases import JOBS, Job
from partsum.bench._peers import Peer, find_peers
from partsum.bench._render import html, json, markdown, svg, text
from partsum.bench._report import Ratio, Report, Result, RunPair
from partsum.bench._run import Progress, WrongDigest, run

__all__ = [
    "JOBS",
    "Job",
    "Peer",
    "Progress",
    "Ratio",
    "Report",
    "Result",
    "RunPair",
    "WrongDigest",
    "find_peers",
    "html",
    "json",
    "markdown",
    "run",
    "svg",
    "text",
]
