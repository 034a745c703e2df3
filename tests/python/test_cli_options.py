"""Every option of every verb is honoured or refused: none is silently without effect."""

from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from partsum.cli import VERBS, main
from shell import ok

# What to type for the options that take a value.
VALUES = {
    "--algorithm": "md5",
    "--part-size": "5MiB",
    "--threads": "1",
    "--checksum-type": "FULL_OBJECT",
    "--format": "table",
    "--output": "out",
    "--head": "head.json",
    "--attributes": "head.json",
    "--parts": "head.json",
    "--response": "head.json",
    "--version-id": "1",
    "--quirk": "ceph",
    "--endpoint-url": "http://127.0.0.1:1",
    "--profile": "nobody",
    "--region": "us-east-1",
    "--sse-c-key": "key",
}
LINES = {"--tag", "--binary", "--text", "--zero", "--no-names", "--base64"}
CHECK = {"--quiet", "--status", "--strict", "--warn", "--ignore-missing", "--ignore-new"}
CLIENT = {"--endpoint-url", "--profile", "--region", "--no-sign-request", "--sse-c-key"}
SAVED = {"--head", "--attributes", "--parts", "--response"}
HASHING = {"--part-size", "--allow-small-parts", "--threads", "--cache"}

# Requests fail at once, with exit status 1.
NO_S3 = {
    "AWS_ACCESS_KEY_ID": "id",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
    "AWS_MAX_ATTEMPTS": "1",
}

# (what is typed before, the options that are refused there); all others are accepted.
MODES: list[tuple[list[str], set[str]]] = [
    (["sum", "file"], {*CHECK, "--allow-small-parts"}),
    (["sum", "--part-size", "5MiB", "file"], CHECK),
    (["sum", "--json", "file"], {*CHECK, *LINES, "--raw", "--allow-small-parts"}),
    (["sum", "--raw", "file"], {*CHECK, *LINES, "--json", "--check", "--allow-small-parts"}),
    (
        ["sum", "--no-names", "file"],
        {
            *CHECK, "--tag", "--binary", "--text", "--raw", "--json", "--check",
            "--allow-small-parts",
        },
    ),
    (
        ["sum", "--tag", "file"],
        {*CHECK, "--text", "--raw", "--json", "--no-names", "--check", "--allow-small-parts"},
    ),
    (["sum", "--check", "list"], {*LINES, "--raw", "--cache"}),
    (["etag", "file"], set()),
    (["parts", "file"], set()),
    (["parts", "--json", "file"], {"--format"}),
    (["parts", "--format", "s3api", "--part-size", "5MiB", "file"], {"--json", "--checksum-type"}),
    (["solve", "file", "0" * 32], set()),
    (["verify", "--head", "head.json", "file"], {*CLIENT, "--version-id", "--quirk", "--quiet"}),
    (["verify", "file", "s3://bucket/key"], {"--quiet", *SAVED}),
    (
        ["verify", "folder", "s3://bucket/prefix/"],
        {"--version-id", "--cache", *SAVED},
    ),
    (["manifest", "folder"], {*CHECK, "--json"}),
    (["manifest", "--output", "out", "folder"], {*CHECK, "--check"}),
    (
        ["manifest", "--check", "manifest"],
        {
            *HASHING - {"--threads"}, "--algorithm", "--parts", "--follow", "--output",
        },
    ),
    (["cache", "info"], set()),
    (["doctor"], set()),
    (["completion", "bash"], set()),
]  # fmt: skip
# Their options all reach the library or boto3; `bench` measures for minutes.
ELSEWHERE = {"upload", "resume", "bench"}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("options")
    (folder / "folder").mkdir()
    (folder / "folder" / "a").write_bytes(b"a")
    (folder / "file").write_bytes(b"file")
    (folder / "key").write_bytes(bytes(32))
    (folder / "head.json").write_text('{"ContentLength": 4}')
    (folder / "list").write_bytes(ok("sum", "file", cwd=folder))
    (folder / "manifest").write_bytes(ok("manifest", "folder", cwd=folder))
    return folder


def options(verb: str) -> list[list[str]]:
    """The options of a verb as they are typed, by their long names."""
    command = main.get_command(click.Context(main), verb)
    assert command
    typed = []
    for param in command.params:
        if isinstance(param, click.Option):
            name = next(opt for opt in param.opts if opt.startswith("--"))
            typed.append([name] if param.is_flag else [name, VALUES[name]])
    return typed


def test_every_verb_is_walked() -> None:
    assert {args[0] for args, _ in MODES} | ELSEWHERE == set(VERBS)


@pytest.mark.parametrize(("args", "refused"), MODES, ids=[" ".join(args) for args, _ in MODES])
def test_options_are_honoured_or_refused(
    args: list[str], refused: set[str], files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if args[-1].startswith("s3://"):
        pytest.importorskip("boto3")
    monkeypatch.chdir(files)
    monkeypatch.setenv("XDG_CACHE_HOME", str(files / "cache"))
    for name, value in NO_S3.items():
        monkeypatch.setenv(name, value)
    assert CliRunner().invoke(main, args).exit_code != 2
    for option in options(args[0]):
        done = CliRunner().invoke(main, [args[0], *option, *args[1:]])
        assert (done.exit_code == 2) == (option[0] in refused), (option, done.output)
        if option[0] in refused:
            assert done.output.startswith("partsum: ")
            assert done.output.count("\n") == 1
