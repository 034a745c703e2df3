"""Gets the test servers, and an uploader, that no wheel brings; quick when they are there already.

    python tests/servers/provision.py              # all; says which cannot be had here, and why
    python tests/servers/provision.py --require    # the same, and then fails
    python tests/servers/provision.py fakecloud    # that one alone

They are kept in ``$XDG_CACHE_HOME/partsum-dev`` (``~/.cache/partsum-dev``) under the hash of what
pins them: LocalStack and the AWS CLI as venvs of their own from ``localstack.txt`` and
``awscli.txt``, fakecloud as one binary from ``fakecloud/``. An entry counts only once it is
complete, so a build that is killed is simply made again. The tests call ``localstack_python()``,
``awscli()`` and ``fakecloud_binary()``, which only look: a test run never starts a build.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
LOCALSTACK_PINS = HERE / "localstack.txt"
AWSCLI_PINS = HERE / "awscli.txt"
FAKECLOUD_CRATE = HERE / "fakecloud"

PIP_LIMIT = 900  # seconds
CARGO_LIMIT = 2400


class Unavailable(RuntimeError):
    """What cannot be had on this machine; the message says why and what would help."""


# What the tests ask -------------------------------------------------------------------------------


def localstack_python() -> Path:
    """The interpreter of the venv that LocalStack is installed in."""
    return _in_venv("localstack", LOCALSTACK_PINS, "python")


def awscli() -> Path:
    """The AWS CLI's ``aws``."""
    return _in_venv("awscli", AWSCLI_PINS, "aws")


def fakecloud_binary() -> Path:
    """The program that serves fakecloud's S3."""
    binary = _fakecloud_binary()
    if not binary.exists():
        raise Unavailable(_not_provisioned("fakecloud"))
    return binary


def cache_dir() -> Path:
    """Where provisioned servers are kept."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "partsum-dev"


def _not_provisioned(server: str) -> str:
    return f"{server} is not provisioned: python tests/servers/provision.py {server}"


def _key(*files: Path) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def _venv(name: str, pins: Path) -> Path:
    return cache_dir() / f"{name}-{_key(pins)}"


def _complete(venv: Path) -> Path:
    return venv / "complete"


def _in_venv(name: str, pins: Path, program: str) -> Path:
    venv = _venv(name, pins)
    # The marker is written last; the interpreter is a link that an upgrade of Python may have cut.
    if not (_complete(venv).exists() and (venv / "bin" / "python").exists()):
        raise Unavailable(_not_provisioned(name))
    return venv / "bin" / program


def _fakecloud_binary() -> Path:
    sources = (
        FAKECLOUD_CRATE / "Cargo.toml",
        FAKECLOUD_CRATE / "Cargo.lock",
        FAKECLOUD_CRATE / "src" / "main.rs",
    )
    return cache_dir() / f"fakecloud-{_key(*sources)}"


# LocalStack and the AWS CLI -----------------------------------------------------------------------


def provision_localstack() -> Path:
    """Install LocalStack into its venv, unless that is done already."""
    check = "import localstack.runtime.main, twisted.internet.endpoints"
    with _alone("localstack"):
        with contextlib.suppress(Unavailable):
            return localstack_python()
        _make_venv("localstack", LOCALSTACK_PINS, _find_python(), check)
        return localstack_python()


def provision_awscli() -> Path:
    """The same for the AWS CLI, on this Python."""
    with _alone("awscli"):
        with contextlib.suppress(Unavailable):
            return awscli()
        _make_venv("awscli", AWSCLI_PINS, Path(sys.executable), "import awscli.clidriver")
        return awscli()


def _make_venv(name: str, pins: Path, interpreter: Path, check: str) -> None:
    """Install what is pinned; `check` is what must run afterwards."""
    venv = _venv(name, pins)
    shutil.rmtree(venv, ignore_errors=True)
    _run([str(interpreter), "-m", "venv", str(venv)], limit=120)
    python = str(venv / "bin" / "python")
    options = ["--disable-pip-version-check", "--no-input", "install", "--quiet", "--no-deps"]
    _run([python, "-m", "pip", *options, "--requirement", str(pins)], limit=PIP_LIMIT)
    _run([python, "-c", check], limit=120)
    _complete(venv).touch()


def _find_python() -> Path:
    """A Python that LocalStack runs on; the version of its pins comes first."""
    names = ["python3.13", "python3.12", "python3.14"]
    found = [Path(which) for name in names if (which := shutil.which(name))]
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    for name in names:
        found += sorted(
            pyenv.glob(f"versions/{name.removeprefix('python')}.*/bin/{name}"),
            reverse=True,
        )
    found.append(Path(sys.executable))
    # Found is not usable: a version manager's shim may only print an error, a distribution may
    # leave out ensurepip.
    probe = (
        "import ensurepip, ssl, sys, venv; sys.exit(not (3, 12) <= sys.version_info[:2] <= (3, 14))"
    )
    for python in found:
        with contextlib.suppress(Unavailable):
            _run([str(python), "-c", probe], limit=30)
            return python
    raise Unavailable(
        "LocalStack needs Python 3.12, 3.13 or 3.14, on PATH or under pyenv's versions"
    )


# fakecloud ----------------------------------------------------------------------------------------


def provision_fakecloud() -> Path:
    """Build the fakecloud host, unless its binary is there already."""
    binary = _fakecloud_binary()
    with _alone("fakecloud"):
        with contextlib.suppress(Unavailable):
            return fakecloud_binary()
        cargo = shutil.which("cargo")
        if cargo is None:
            raise Unavailable("fakecloud is built from source and there is no cargo on PATH")
        # A target folder of the caller's own is used and left; ours is dropped once the binary is
        # safe.
        scratch = binary.with_suffix(".build")
        target = Path(os.environ.get("CARGO_TARGET_DIR", scratch))
        build = [cargo, "build", "--release", "--locked", "--quiet", "--target-dir", str(target)]
        _run(build, limit=CARGO_LIMIT, cwd=FAKECLOUD_CRATE)
        partial = binary.with_suffix(".partial")
        shutil.copy2(target / "release" / "fakecloud-host", partial)
        partial.replace(binary)
        shutil.rmtree(scratch, ignore_errors=True)
        return binary


# Plumbing -----------------------------------------------------------------------------------------


@contextlib.contextmanager
def _alone(server: str) -> Iterator[None]:
    """Let one process at a time provision a server; the next finds it done."""
    cache_dir().mkdir(parents=True, exist_ok=True)
    with (cache_dir() / f"{server}.lock").open("w") as lock:
        # What we start inherits it, so that nobody comes in before an orphan of ours has ended.
        os.set_inheritable(lock.fileno(), True)
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _run(command: list[str], *, limit: float, cwd: Path | None = None) -> None:
    """Run a command to its end; what goes wrong is `Unavailable` with the end of its output."""
    shown = " ".join(command)
    try:
        done = subprocess.run(
            command,
            check=False,
            close_fds=False,
            cwd=cwd,
            timeout=limit,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
    except subprocess.TimeoutExpired as error:
        raise Unavailable(f"no end after {limit:.0f} s: {shown}") from error
    except OSError as error:
        raise Unavailable(f"{error}: {shown}") from error
    if done.returncode != 0:
        raise Unavailable(f"exit {done.returncode}: {shown}\n{done.stdout[-2000:]}")


# What finds a server or a tool, and what gets it.
SERVERS: dict[str, tuple[Callable[[], Path], Callable[[], Path]]] = {
    "localstack": (localstack_python, provision_localstack),
    "awscli": (awscli, provision_awscli),
    "fakecloud": (fakecloud_binary, provision_fakecloud),
}


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description="Get the servers and tools that no wheel brings.")
    parser.add_argument("servers", nargs="*", metavar="SERVER", help=" or ".join(SERVERS))
    parser.add_argument("--require", action="store_true", help="fail when one cannot be had")
    arguments = parser.parse_args()
    if unknown := set(arguments.servers) - set(SERVERS):
        parser.error(f"no such server: {', '.join(sorted(unknown))}")

    missing = 0
    for server in arguments.servers or SERVERS:
        find, provision = SERVERS[server]
        with contextlib.suppress(Unavailable):
            print(f"{server}: there already: {find()}", flush=True)
            continue
        print(f"{server}: provisioning, which may take minutes ...", flush=True)
        begun = time.monotonic()
        try:
            path = provision()
        except Unavailable as reason:
            missing += 1
            print(f"{server}: SKIPPED, and its tests will be: {reason}", flush=True)
        else:
            print(f"{server}: ready after {time.monotonic() - begun:.0f} s: {path}", flush=True)
    return 1 if missing and arguments.require else 0


if __name__ == "__main__":
    sys.exit(main())
