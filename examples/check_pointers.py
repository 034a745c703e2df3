"""A pre-commit hook that compares large files with their copies in S3.

The large files are not in Git. A pointer is: a small JSON file beside the large file, for example
``data.bin.s3`` beside ``data.bin``::

    {"bucket": "datasets", "key": "v3/data.bin"}

In ``.pre-commit-config.yaml``::

    - repo: local
      hooks:
        - id: s3-pointers
          name: large files equal their copies in S3
          entry: python check_pointers.py
          language: python
          additional_dependencies: ["partsum[s3]"]
          files: '\\.s3$'

The exit status is 1 if a file was changed and not uploaded, or cannot be compared. In Airflow, call
`problems` in a task, and raise an exception if it returns any.
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

Client = Any  # boto3 creates its classes at run time


def problems(s3: Client, pointers: Iterable[Path]) -> Iterator[str]:
    """Yield one line for every pointer whose object differs from the file beside it."""
    for pointer in pointers:
        target = json.loads(pointer.read_text())
        data = pointer.with_suffix("")
        where = f"s3://{target['bucket']}/{target['key']}"
        if not data.exists():
            continue  # the file was not downloaded to this machine
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
