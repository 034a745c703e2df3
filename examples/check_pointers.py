"""A pre-commit hook: large files stay in S3, pointers to them in Git, and the two agree.

A pointer is a small JSON file beside the data, ``data.bin.s3`` for ``data.bin``::

    {"bucket": "datasets", "key": "v3/data.bin"}

In ``.pre-commit-config.yaml``::

    - repo: local
      hooks:
        - id: s3-pointers
          name: files in S3 are those on this disk
          entry: python check_pointers.py
          language: python
          additional_dependencies: ["partsum[s3]"]
          files: '\\.s3$'

Exit status 1 if a file was changed and not uploaded, or cannot be compared. In Airflow, call
`problems` in a task and raise if it returns any.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError
from partsum.s3 import verify_object

Client = Any  # boto3 makes its classes while it runs


def problems(s3: Client, pointers: Iterable[Path]) -> Iterator[str]:
    """A line for each pointer whose object is not the file beside it."""
    for pointer in pointers:
        target = json.loads(pointer.read_text())
        data = pointer.with_suffix("")
        where = f"s3://{target['bucket']}/{target['key']}"
        if not data.exists():
            continue  # a clone that has not fetched it
        try:
            verdict = verify_object(s3, data, target["bucket"], target["key"])
        except ClientError as error:
            yield f"{data}: {where}: {error}"
            continue
        if not verdict:
            yield f"{data}: {verdict.status} with {where}: {verdict.reason}"


if __name__ == "__main__":
    found = list(problems(boto3.client("s3"), map(Path, sys.argv[1:])))
    print(*found, sep="\n", end="\n" if found else "")
    sys.exit(1 if found else 0)
