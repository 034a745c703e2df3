"""A proxy on loopback before a test server, which counts requests and has the faults of a network.

    with proxy(server) as faulty:
        client = boto3.client("s3", **faulty.server.client_kwargs)
        faulty.next("UploadPart 2", dropped)      # the next such request, and only that one
        ...
        assert faulty.requests == ["CreateMultipartUpload", "UploadPart 1", ...]

It passes requests on with their Host, which is in their signatures, and answers as they are.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from launch import HOST, Server

LIMIT = 60.0  # seconds
HOP_BY_HOP = {"connection", "expect", "keep-alive", "transfer-encoding"}


@dataclass
class Answer:
    """What the server said."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


class Exchange:
    """One request, and what a fault can do with it."""

    def __init__(self, handler: BaseHTTPRequestHandler, upstream: str) -> None:
        self.handler = handler
        self.upstream = upstream
        self.size = int(handler.headers.get("Content-Length", 0))
        self._body: bytes | None = None

    @property
    def body(self) -> bytes:
        """The request's body, which is only now read."""
        if self._body is None:
            body = self.handler.rfile.read(self.size)
            if len(body) < self.size:
                raise ConnectionError("the client is gone")
            self._body = body
        return self._body

    def read_half(self) -> None:
        """Take half of the body."""
        self.handler.rfile.read(self.size // 2)

    def forward(self, body: bytes | None = None) -> Answer:
        """Let the server act."""
        connection = HTTPConnection(self.upstream, timeout=LIMIT)
        with contextlib.closing(connection):
            handler = self.handler
            connection.putrequest(
                handler.command, handler.path, skip_host=True, skip_accept_encoding=True
            )
            for name, value in handler.headers.items():
                if name.lower() not in HOP_BY_HOP:
                    connection.putheader(name, value)
            with contextlib.suppress(OSError):  # it may answer, and hang up, before it has all
                connection.endheaders(self.body if body is None else body)
            response = connection.getresponse()
            headers = [
                (name, value)
                for name, value in response.getheaders()
                if name.lower() not in HOP_BY_HOP
            ]
            return Answer(response.status, headers, response.read())

    def reply(self, answer: Answer) -> None:
        """Let the client have an answer."""
        handler = self.handler
        handler.send_response_only(answer.status)
        of_head = handler.command == "HEAD"
        for name, value in answer.headers:
            if of_head or name.lower() != "content-length":
                handler.send_header(name, value)
        if not of_head and answer.status != 204:
            handler.send_header("Content-Length", str(len(answer.body)))
        handler.end_headers()
        handler.wfile.write(answer.body)

    def reply_error(self, status: int, code: str) -> None:
        """Let the client have an error of S3's, which may be in the body of a 200."""
        xml = (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            f"<Error><Code>{code}</Code><Message>of the proxy</Message></Error>"
        )
        self.reply(Answer(status, [("Content-Type", "application/xml")], xml.encode()))

    def drop(self) -> None:
        """Close the connection without a word."""
        self.handler.close_connection = True
        with contextlib.suppress(OSError):
            self.handler.connection.shutdown(socket.SHUT_RDWR)


Fault = Callable[[Exchange], None]


def passed(exchange: Exchange) -> None:
    """No fault."""
    exchange.reply(exchange.forward())


def dropped(exchange: Exchange) -> None:
    """The connection is lost before the server gets the request."""
    exchange.drop()


def cut(exchange: Exchange) -> None:
    """The connection is lost in the middle of the request."""
    exchange.read_half()
    exchange.drop()


def lost(exchange: Exchange) -> None:
    """The server acts, and its answer is lost."""
    exchange.forward()
    exchange.drop()


def twice(exchange: Exchange) -> None:
    """The server gets the request twice; the client, the second answer."""
    exchange.forward()
    exchange.reply(exchange.forward())


def flipped(exchange: Exchange) -> None:
    """A bit of the body changes on the way."""
    body = bytearray(exchange.body)
    body[len(body) // 2] ^= 1
    exchange.reply(exchange.forward(bytes(body)))


def slow(exchange: Exchange) -> None:
    """The server gets the request, and the client the answer, late."""
    time.sleep(0.3)
    answer = exchange.forward()
    time.sleep(0.3)
    exchange.reply(answer)


def answered(status: int, code: str, *, after: bool = False) -> Fault:
    """An error, instead of the server's answer or instead of the request."""

    def answer(exchange: Exchange) -> None:
        if after:
            exchange.forward()
        else:
            _ = exchange.body
        exchange.reply_error(status, code)

    return answer


class Proxy:
    """A running proxy."""

    def __init__(self, server: Server, endpoint: str) -> None:
        self.server = replace(server, endpoint=endpoint)
        self.requests: list[str] = []
        self.always: dict[str, Fault] = {}
        """Faults of all requests of a name."""
        self.under_way = 0
        self._faults: dict[str, list[Fault]] = defaultdict(list)
        self._lock = threading.Lock()

    def settled(self) -> None:
        """Wait until no request is under way: those of a client that is gone may still be."""
        deadline = time.monotonic() + LIMIT
        while self.under_way:
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def next(self, name: str, *faults: Fault) -> None:
        """The faults of the next requests of that name."""
        self._faults[name] += faults

    @contextlib.contextmanager
    def receiving(self, name: str) -> Iterator[Fault]:
        """Note a request, and choose its fault."""
        with self._lock:
            self.under_way += 1
            self.requests.append(name)
            planned = self._faults[name]
            fault = planned.pop(0) if planned else self.always.get(name, passed)
        try:
            yield fault
        finally:
            with self._lock:
                self.under_way -= 1


def name_of(method: str, path: str) -> str:
    """S3's name of a request, with the number of the part that it is about."""
    query = parse_qs(urlsplit(path).query, keep_blank_values=True)
    if "partNumber" in query and method == "PUT":
        return f"UploadPart {query['partNumber'][0]}"
    subject = "uploadId" if "uploadId" in query else "uploads" if "uploads" in query else ""
    return {
        ("POST", "uploads"): "CreateMultipartUpload",
        ("POST", "uploadId"): "CompleteMultipartUpload",
        ("DELETE", "uploadId"): "AbortMultipartUpload",
        ("GET", "uploadId"): "ListParts",
        ("GET", "uploads"): "ListMultipartUploads",
        ("HEAD", ""): "HeadObject",
        ("PUT", ""): "PutObject",
    }.get((method, subject), f"{method} {path}")


@contextlib.contextmanager
def proxy(server: Server) -> Iterator[Proxy]:
    """A proxy of that server, until the end of the block."""
    upstream = urlsplit(server.endpoint).netloc

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = LIMIT

        def handle_one_request(self) -> None:
            with contextlib.suppress(OSError):  # the client is gone, as it may be
                super().handle_one_request()
                return
            self.close_connection = True

        def do_any(self) -> None:
            with running.receiving(name_of(self.command, self.path)) as fault:
                fault(Exchange(self, upstream))

        do_DELETE = do_GET = do_HEAD = do_POST = do_PUT = do_any

        def log_message(self, format: str, *args: object) -> None:
            pass

    class Listener(ThreadingHTTPServer):
        daemon_threads = True

    with Listener((HOST, 0), Handler) as listener:
        running = Proxy(server, f"http://{HOST}:{listener.server_port}")
        thread = threading.Thread(target=listener.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield running
        finally:
            listener.shutdown()
            thread.join(LIMIT)
