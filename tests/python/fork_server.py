"""Runs ``python -m partsum`` in a process of its own, forked from one that has done the imports.

A fresh interpreter spends 0.15 s on imports before the command line does anything, and the tests
start a thousand of them. So a server imports what the command line imports, once. For each call it
forks, and the child becomes ``python -m partsum ARGS``, with its own standard streams, environment,
working folder, exit handlers and exit status. That takes 0.02 s.

Tests of what a fresh interpreter does (imports, signals, terminals) start one by `subprocess`.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import runpy
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections import defaultdict
from importlib import import_module
from pathlib import Path
from typing import TypedDict

LENGTH = struct.Struct("!I")
STATUS = struct.Struct("!i")
# The interpreter and the C library read these at their start, so each value needs its own server.
READ_AT_START = ("PYTHON", "LC_", "LANG")


class Request(TypedDict):
    """What a child becomes; its standard streams come with the request as descriptors."""

    args: list[str]
    env: dict[str, str]
    cwd: str


# The client ---------------------------------------------------------------------------------------


class ForkServer:
    """A server process.

    Args:
        environment: Environment variables that the server starts with.
    """

    def __init__(self, environment: dict[str, str]) -> None:
        self._control, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, __file__, str(theirs.fileno())],
                env=environment,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )

    def run(
        self, request: Request, stdin: bytes, timeout: float
    ) -> subprocess.CompletedProcess[bytes]:
        """Run a process and wait for its end; see the function `run`."""
        command = ["partsum", *request["args"]]
        body = json.dumps(request).encode()
        output: dict[str, bytes] = {}
        with contextlib.ExitStack() as stack:
            (read_in, write_in), (read_out, write_out), (read_err, write_err) = (
                os.pipe() for _ in range(3)
            )
            feed = stack.enter_context(os.fdopen(write_in, "wb", 0))
            drains = {
                "stdout": stack.enter_context(os.fdopen(read_out, "rb")),
                "stderr": stack.enter_context(os.fdopen(read_err, "rb")),
            }
            theirs = [read_in, write_out, write_err]
            socket.send_fds(self._control, [LENGTH.pack(len(body))], theirs)
            self._control.sendall(body)
            for descriptor in theirs:
                os.close(descriptor)

            def write() -> None:
                with contextlib.suppress(BrokenPipeError), feed:  # it need not read to the end
                    feed.write(stdin)

            def read(name: str) -> None:
                output[name] = drains[name].read()

            threads = [threading.Thread(target=write)]
            threads += [threading.Thread(target=read, args=[name]) for name in drains]
            for thread in threads:
                thread.start()
            try:
                self._control.settimeout(timeout)
                (status,) = STATUS.unpack(receive(self._control, STATUS.size))
            except TimeoutError:
                raise subprocess.TimeoutExpired(command, timeout) from None
            finally:
                if sys.exc_info()[0]:
                    self.close()
                for thread in threads:
                    thread.join()
        return subprocess.CompletedProcess(command, status, **output)

    def close(self) -> None:
        """Kill the server and everything that it has forked."""
        self._control.close()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


_idle: defaultdict[tuple[tuple[str, str], ...], list[ForkServer]] = defaultdict(list)


def run(
    args: list[str], stdin: bytes, env: dict[str, str], cwd: Path, timeout: float = 120
) -> subprocess.CompletedProcess[bytes]:
    """Run ``python -m partsum`` in a process of its own.

    Args:
        args: Arguments of the command line.
        stdin: Bytes to give to standard input.
        env: Environment variables of the process.
        cwd: Working folder of the process.
        timeout: Seconds after which the process is killed.

    Returns:
        Exit status, standard output and standard error, like `subprocess.run`.

    Raises:
        subprocess.TimeoutExpired: The process did not end in time.
    """
    key = tuple(sorted(item for item in env.items() if item[0].startswith(READ_AT_START)))
    server = _idle[key].pop() if _idle[key] else ForkServer(env)
    done = server.run({"args": args, "env": env, "cwd": str(cwd)}, stdin, timeout)
    _idle[key].append(server)  # only if it is still good
    return done


@atexit.register
def stop() -> None:
    """Stop all servers."""
    for servers in _idle.values():
        while servers:
            servers.pop().close()


# The server ---------------------------------------------------------------------------------------


def receive(control: socket.socket, size: int) -> bytes:
    """Exactly `size` bytes, or fewer if the other end is closed."""
    data = b""
    while len(data) < size and (more := control.recv(size - len(data))):
        data += more
    return data


def serve(control: socket.socket) -> None:
    """Fork a child for each request; only the children return, as what they were asked to be."""
    while True:
        length, descriptors, _, _ = socket.recv_fds(control, LENGTH.size, 3)
        if not length:
            sys.exit()
        request: Request = json.loads(receive(control, LENGTH.unpack(length)[0]))
        child = os.fork()
        if not child:
            control.close()
            become(request, descriptors)
            return
        for descriptor in descriptors:
            os.close(descriptor)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        control.sendall(STATUS.pack(status))


def become(request: Request, descriptors: list[int]) -> None:
    """Take over the arguments, environment, folder and standard streams of a request."""
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
        os.close(descriptor)
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        old = getattr(sys, name)
        mode = "w" if number else "r"
        stream = os.fdopen(number, mode, encoding=old.encoding, errors=old.errors, closefd=False)
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    os.environ.clear()
    os.environ.update(request["env"])
    os.chdir(request["cwd"])
    sys.path.insert(0, request["cwd"])  # like python -m
    sys.argv = ["partsum", *request["args"]]


def leave(end: SystemExit) -> None:
    """Exit like the interpreter, but without the 0.2 s that it takes to free every object.

    Returns where only the interpreter knows what to do.
    """
    if threading.active_count() == 1 and isinstance(end.code, int | None):
        atexit._run_exitfuncs()
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(end.code or 0)


def main() -> None:
    """Import what the command line imports, serve, and be the command line in each child."""
    sys.path.remove(str(Path(__file__).parent))
    with contextlib.suppress(ImportError):  # some tests hide it
        import boto3  # noqa: F401
    from partsum.cli import VERBS

    for verb in VERBS:
        import_module(f"partsum.cli.{verb}")
    serve(socket.socket(fileno=int(sys.argv[1])))
    try:
        runpy.run_module("partsum", run_name="__main__", alter_sys=True)
    except SystemExit as end:
        leave(end)
        raise


if __name__ == "__main__":
    main()
