"""The README's examples, run as they stand."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from launch import Server

README = (Path(__file__).resolve().parents[2] / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, flags=re.DOTALL | re.MULTILINE)


def test_python_blocks(seaweedfs: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each in a new interpreter, as a reader would; boto3 finds the server in the environment."""
    import boto3

    client = boto3.client("s3", **seaweedfs.client_kwargs)
    client.create_bucket(Bucket="bucket")
    client.close()
    (tmp_path / "big.tar").write_bytes(os.urandom(20 * 2**20))
    monkeypatch.setenv("AWS_ENDPOINT_URL", seaweedfs.endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", seaweedfs.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", seaweedfs.secret_key)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    found = blocks("python")
    assert len(found) >= 2
    assert any("complete_multipart_upload" in block for block in found)
    for block in found:
        subprocess.run([sys.executable, "-c", block], cwd=tmp_path, check=True, timeout=120)


def test_console_blocks(tmp_path: Path) -> None:
    """Every command prints what the README says it prints."""
    scripts = str(Path(sys.executable).parent)
    environment = os.environ | {"PATH": scripts + os.pathsep + os.environ["PATH"]}
    commands = 0
    for block in blocks("console"):
        for command, expected in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE):
            done = subprocess.run(
                ["bash", "-c", command],
                cwd=tmp_path,
                env=environment,
                capture_output=True,
                text=True,
                check=True,
                timeout=60,
            )
            assert done.stdout == expected, command
            commands += 1
    assert commands >= 4
