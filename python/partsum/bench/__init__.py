"""Compare partsum with its peers on your own machine, so that you can trust and publish it.

>>> from partsum import bench
>>> report = bench.run(["etag"], [], size="16MiB", pairs=1)
>>> report.results[0].peer, report.results[0].winner in ("partsum", "peer", "tie")
('hashlib', True)

The command line has it as ``partsum bench``. It needs the standard library alone; more peers come
with ``pip install 'partsum[bench]'``, and with the coreutils and openssl.
"""

from partsum.bench._jobs import JOBS, Job
from partsum.bench._peers import Peer, find_peers
from partsum.bench._report import Pair, Ratio, Report, Result
from partsum.bench._run import Progress, WrongDigest, run

__all__ = [
    "JOBS",
    "Job",
    "Pair",
    "Peer",
    "Progress",
    "Ratio",
    "Report",
    "Result",
    "WrongDigest",
    "find_peers",
    "run",
]
