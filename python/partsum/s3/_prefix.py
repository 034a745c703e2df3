"""A directory against a prefix of a bucket."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future
from os import PathLike
from threading import Lock
from typing import Literal

from partsum._core import ObjectChecksums, _Answers, hash_file, hash_files
from partsum._tree import EntryType, TreeEntry, key_of, no_file, walk
from partsum.errors import FileError, PartPlanError, PartsumError
from partsum.s3._client import Argument, Client, Response
from partsum.s3._entry import Entry, EntryStatus
from partsum.s3._pool import Batch, ComparisonPool, FileAndObject, batches, by_size
from partsum.s3._verify import Local, RemoteObject, settle
from partsum.verdict import Status

# What list_objects_v2 takes of what head_object takes.
_FOR_LISTING = ("ExpectedBucketOwner", "RequestPayer")


def verify_prefix(
    client: Client,
    directory: str | PathLike[str],
    Bucket: str,
    Prefix: str = "",
    *,
    quirks: str | Iterable[str] = (),
    thorough: bool = False,
    follow_symlinks: bool = True,
    requests: int = 10,
    threads: int | None = None,
    io: Literal["auto", "mmap", "read", "direct"] = "auto",
    progress: Callable[[int], object] | None = None,
    **arguments: Argument,
) -> Generator[Entry, None, None]:
    """Compare the files below a directory with the objects below a prefix, without a download.

    The file a/b in the directory belongs to the key Prefix + "a/b". The list is requested 1,000
    keys at a time. Sizes that differ and ETags that agree need no further request: the ETag of a
    PutObject is compared with the MD5 of the file, one of the form "...-N" with that of the first
    tool in `PRESETS` that plans N parts. Every other key costs what `verify_object` costs. An ETag
    in the list that differs is never a MISMATCH by itself, because the list does not say whether it
    is made of MD5s (SSE-KMS, SSE-C). If that happens often, HeadObject comes first.

    Memory holds the names of one directory and those above it, a page of the list, and 2,048 keys.
    Small files are hashed together. Closing the iterator ends its threads.

    Args:
        client: A boto3 S3 client.
        directory: Directory to compare (str or os.PathLike).
        Bucket: Name of the bucket.
        Prefix: What the keys begin with, as it is: that of a folder ends in "/".
        quirks: Names from `QUIRKS`, for a store that is not Amazon's.
        thorough: Compute also what is slow beside the rest, as in `verify`.
        follow_symlinks: False skips symbolic links.
        requests: Number of requests under way at once (botocore has 10 connections unless its
            Config has max_pool_connections).
        threads: Number of threads; None uses every CPU that the process may use.
        io: How to read: "auto", "mmap", "read" or "direct".
        progress: Callable that is given the number of bytes hashed since the last call (int), by
            one thread at a time. An exception that it raises stops the work and propagates.
        arguments: What HeadObject and GetObjectAttributes need besides, as in `verify_object`.

    Yields:
        Entry: One for each file and each object, in the order of the keys' bytes.

        - MATCH, MISMATCH and NOT_COMPARABLE mean the same as for `verify_object`. ONLY_LOCAL is a
          file without an object, ONLY_REMOTE an object without a file.
        - ERROR is a file that cannot be read, or an object whose request failed. The other keys go
          on. Objects below a directory that cannot be read are ERROR too.
        - An empty object whose key ends in "/" marks a folder: MATCH if the directory exists.
        - No file can have a key with the component "", "." or "..", and no key a name that is not
          UTF-8: these are ONLY_REMOTE and ONLY_LOCAL. No key leads out of the directory.
        - FIFOs, sockets and devices are never opened: NOT_COMPARABLE. Links to files and
          directories are followed. A link to a directory that contains it is an ERROR.

    Raises:
        OSError: The directory itself cannot be read.
        ValueError: A quirk is unknown.
        PartsumError: The store's list is not sorted, repeats itself or has other keys.
        Exception: Whatever the client raises for the list (ClientError).

    Source:
        Amazon S3 API Reference, ListObjectsV2 (order of UTF-8 bytes) and Object (ETag).

    Example:
        >>> import pathlib, tempfile, partsum.s3
        >>> directory = pathlib.Path(tempfile.mkdtemp())
        >>> _ = (directory / "a").write_bytes(b"aaa")
        >>> class Client:     # boto3.client("s3")
        ...     def list_objects_v2(self, **arguments):
        ...         etag = '"47bce5c74f589f4867dbd57e9ca9f808"'
        ...         return {"Contents": [{"Key": "in/a", "Size": 3, "ETag": etag},
        ...                              {"Key": "in/b", "Size": 9, "ETag": etag}]}
        >>> for entry in partsum.s3.verify_prefix(Client(), directory, "bucket", "in/"):
        ...     print(entry.key, entry.status, entry.reason)
        in/a MATCH size, ETag agree
        in/b ONLY_REMOTE there is no such file
    """
    directory = os.fspath(directory)
    with os.scandir(directory):
        pass  # it is there, and may be read
    hash_files((), threads=threads, io=io)  # what is wrong with those, it says at once
    quirks = [quirks] if isinstance(quirks, str) else list(quirks)
    _Answers(quirks)  # there are such quirks
    pool = ComparisonPool(requests, threads=threads, io=io, progress=progress, thorough=thorough)
    comparison = _Comparison(client, Bucket, Prefix, arguments=arguments, quirks=quirks, pool=pool)
    return _verify(comparison, directory, follow_symlinks)


def _verify(
    comparison: _Comparison, directory: str, follow_symlinks: bool
) -> Generator[Entry, None, None]:
    with comparison.pool as pool:
        merged = _merge(walk(directory, follow_symlinks), comparison.listed())
        compared = comparison.compared(directory, merged)
        yield from pool.in_order(comparison.submitted(batch) for batch in batches(compared))


def _merge(
    here: Iterator[TreeEntry], there: Iterator[tuple[bytes, Response]]
) -> Iterator[tuple[TreeEntry | None, Response | None]]:
    """Both in the order of their names; equal names together."""
    found, listed = next(here, None), next(there, None)
    while found is not None or listed is not None:
        if listed is None or (found is not None and found.name < listed[0]):
            yield found, None
            found = next(here, None)
        elif found is None or listed[0] < found.name:
            yield None, listed[1]
            listed = next(there, None)
        else:
            yield found, listed[1]
            found, listed = next(here, None), next(there, None)


class _Comparison:
    """One run of verify_prefix."""

    def __init__(
        self,
        client: Client,
        Bucket: str,
        Prefix: str,
        *,
        arguments: Response,
        quirks: list[str],
        pool: ComparisonPool,
    ) -> None:
        self.client = client
        self.bucket = Bucket
        self.prefix = Prefix
        self.arguments = arguments
        self.quirks = quirks
        self.pool = pool
        # How much more often an ETag settled it than not: those of PutObjects, those with -N.
        self.etags_told = {False: 0, True: 0}
        self.counting = Lock()

    def listed(self) -> Iterator[tuple[bytes, Response]]:
        """Yield the objects, each with its name below the prefix."""
        objects = self.pages()
        # Those of directory buckets (Express One Zone) come in no order.
        if self.unsorted:
            objects = iter(sorted(objects, key=lambda entry: _bytes(entry["Key"])))
        prefix = len(_bytes(self.prefix))
        before = None
        for entry in objects:
            key = _bytes(entry["Key"])
            if before is not None and key <= before:
                raise PartsumError(
                    f"the list is not in the order of UTF-8 bytes: {entry['Key']!r} comes after "
                    f"{os.fsdecode(before)!r}; pass quirks='unsorted-listing'"
                )
            before = key
            yield key[prefix:], entry

    @property
    def unsorted(self) -> bool:
        return self.bucket.endswith("--x-s3") or "unsorted-listing" in self.quirks

    def pages(self) -> Iterator[Response]:
        """Yield the objects of the listing, which is asked for one page ahead."""
        more = {name: self.arguments[name] for name in _FOR_LISTING if name in self.arguments}
        arguments = {"Bucket": self.bucket, "Prefix": self.prefix, **more}

        def ask(**more: str) -> Future[Response]:
            return self.pool.askers.submit(self.client.list_objects_v2, **arguments, **more)

        page: Future[Response] | None = ask()
        seen = set[str]()
        while page is not None:
            answer = page.result()
            entries = answer.get("Contents") or ()
            for entry in entries:
                key = entry.get("Key")
                if not isinstance(key, str) or not key.startswith(self.prefix):
                    raise PartsumError(
                        f"the store's list of {self.prefix!r} is at fault: it has the key {key!r}"
                    )
            page = None
            if answer.get("IsTruncated"):
                page = ask(**self.way_on(answer, seen))
            yield from entries

    def way_on(self, answer: Response, seen: set[str]) -> dict[str, str]:
        """Return the argument that asks for the page after a truncated one."""
        token, entries = answer.get("NextContinuationToken"), answer.get("Contents") or ()
        name = "ContinuationToken"
        if not token and entries and not self.unsorted:
            # Exact in a sorted list.
            name, token = "StartAfter", entries[-1]["Key"]
        if not token or token in seen:
            problem = f"goes on with {token!r} again" if token else "has no NextContinuationToken"
            raise PartsumError(f"the store's list is at fault: a truncated page {problem}")
        seen.add(token)
        return {name: token}

    def compared(
        self, directory: str, merged: Iterator[tuple[TreeEntry | None, Response | None]]
    ) -> Iterator[Entry | FileAndObject]:
        """Yield entries where no look at the bytes is needed."""
        # Nobody knows what is below a directory that could not be read.
        unread: TreeEntry | None = None
        prefix = len(_bytes(self.prefix))
        for found, listed in merged:
            if found is None:
                assert listed is not None
                key = listed["Key"]
                name = _bytes(key)[prefix:]
                if unread is not None and name.startswith(unread.name):
                    path = os.path.join(directory, os.fsdecode(unread.name))  # noqa: PTH118
                    yield Entry(key, path, EntryStatus.ERROR, unread.reason)
                else:
                    reason = no_file(os.fsdecode(name)) or "there is no such file"
                    yield Entry(key, None, EntryStatus.ONLY_REMOTE, reason)
                continue
            path = os.path.join(directory, os.fsdecode(found.name))  # noqa: PTH118
            own = key_of(self.prefix, found.name)
            if found.type is EntryType.ERROR:
                unread = found if found.name.endswith(b"/") else unread
                yield Entry(own, path, EntryStatus.ERROR, found.reason)
            elif found.type is EntryType.SYMLINK:
                reason = f"{found.reason}, and follow_symlinks=False"
                yield Entry(own, path, EntryStatus.NOT_COMPARABLE, reason)
            elif found.type is EntryType.SPECIAL:
                yield Entry(own, path, EntryStatus.NOT_COMPARABLE, found.reason)
            elif found.type is EntryType.DIRECTORY:
                if listed is not None:
                    yield _marker(listed, path)
            elif own is None:
                reason = "its name is not UTF-8, as keys are"
                yield Entry(None, path, EntryStatus.ONLY_LOCAL, reason)
            elif listed is None:
                yield Entry(own, path, EntryStatus.ONLY_LOCAL, "there is no such object")
            else:
                yield self.paired(own, path, listed)

    def paired(self, key: str, path: str, listed: Response) -> Entry | FileAndObject:
        answers = _Answers(self.quirks)
        try:
            answers.include("list", listed)
        except (TypeError, ValueError) as error:
            return Entry(key, path, EntryStatus.ERROR, f"the list's entry: {error}")
        return FileAndObject(key, path, answers)

    def submitted(self, batch: list[Entry | FileAndObject]) -> Batch | Future[Batch]:
        if all(isinstance(item, Entry) for item in batch):
            return [item for item in batch if isinstance(item, Entry)]
        return self.pool.hashers.submit(self.examined, batch)

    def examined(self, batch: list[Entry | FileAndObject]) -> Batch:
        """By the ETags of the list where they tell; the others are on their way to be asked for."""
        done: dict[int, Entry | Future[Entry]] = {}
        whole: dict[int, FileAndObject] = {}
        for index, item in enumerate(batch):
            if isinstance(item, Entry):
                done[index] = item
            elif (entry := by_size(item)) is not None:
                done[index] = entry
            elif not self.is_worth_a_try(item):
                done[index] = self.ask(item)
            elif not item.answers.multipart:
                whole[index] = item
            else:
                done[index] = self.by_multipart_etag(item)
        paths = [pair.path for pair in whole.values()]
        sums = hash_files(paths, "MD5", part_size=None, **self.pool.hashing)
        for (index, pair), result in zip(whole.items(), sums, strict=True):
            done[index] = self.by_etag(pair, result)
        return [done[index] for index in range(len(batch))]

    def is_worth_a_try(self, pair: FileAndObject) -> bool:
        """Whether the ETag may be made of MD5s, by what was learnt of others."""
        answers = pair.answers
        return self.etags_told[answers.multipart] >= 0 and answers.has_md5_etag

    def by_multipart_etag(self, pair: FileAndObject) -> Entry | Future[Entry]:
        """Compare under the likeliest plan alone: to hash under several costs more than to ask."""
        plan = pair.answers.likely_plan()
        if plan is None:
            return self.ask(pair)
        try:
            sums = hash_file(pair.path, "MD5", part_size=plan, **self.pool.hashing)
        except (OSError, PartsumError) as error:
            return pair.failed(error)
        return self.by_etag(pair, sums)

    def by_etag(
        self, pair: FileAndObject, sums: ObjectChecksums | FileError
    ) -> Entry | Future[Entry]:
        if isinstance(sums, FileError):
            # Nobody sends so much in one PutObject, but some store has it.
            too_large = isinstance(sums.error, PartPlanError)
            return self.ask(pair) if too_large else pair.failed(sums.error)
        if verdict := pair.answers.verify(sums):
            self.count(pair, 1)
            return pair.entry(verdict)
        return self.ask(pair, sums)

    def ask(self, pair: FileAndObject, tried: ObjectChecksums | None = None) -> Future[Entry]:
        return self.pool.askers.submit(self.asked, pair, tried)

    def asked(self, pair: FileAndObject, tried: ObjectChecksums | None) -> Entry:
        """Compare by what HeadObject says, and more where that calls for it."""
        answers = _Answers(self.quirks)
        if tried is not None:
            answers.know(tried)
        try:
            remote = RemoteObject(self.client, self.bucket, pair.key, None, self.arguments)
            local = Local(pair.path, **self.pool.of_size(pair.answers.size or 0))
            verdict = settle(remote, answers, local)
        except Exception as error:  # a client raises what it likes
            return pair.failed(error)
        if tried is not None and verdict.status is not Status.MISMATCH:
            self.count(pair, -1)
        return pair.entry(verdict)

    def count(self, pair: FileAndObject, by: int) -> None:
        with self.counting:
            self.etags_told[pair.answers.multipart] += by


def _marker(listed: Response, path: str) -> Entry:
    """The entry of a key that ends in "/", or is the prefix, where there is such a directory."""
    key, size = listed["Key"], int(listed.get("Size") or 0)
    if key.endswith("/") and size == 0:
        return Entry(key, path, EntryStatus.MATCH, "a marker of a folder, and there is a directory")
    if key.endswith("/"):
        reason = f"a directory here, an object of {size} bytes in S3"
        return Entry(key, path, EntryStatus.MISMATCH, reason)
    return Entry(key, None, EntryStatus.ONLY_REMOTE, str(no_file("")))


def _bytes(key: str) -> bytes:
    """The bytes by which S3 sorts."""
    return key.encode("utf-8", "surrogateescape")
