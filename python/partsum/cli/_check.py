"""``partsum sum --check``: read digests from files and verify the files that they list."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Literal, NamedTuple

from partsum import NotSupportedByS3, ObjectChecksums
from partsum.cli._batches import Batches
from partsum.cli._common import (
    Failed,
    Request,
    each,
    emit,
    emit_json,
    escape,
    failure,
    open_stream,
    say,
)
from partsum.cli._digests import Digests, Options, Values, hash_both
from partsum.cli._lines import Entry, Reader
from partsum.cli._progress import Callback

Says = Literal["quiet", "status", "warn"] | None
"""The last of --quiet, --status and --warn on the command line: as with the coreutils, it wins."""

# coreutils quote a name with a space, and this is one.
STANDARD_INPUT = "'standard input'"


class Rules(NamedTuple):
    """What counts as a failure, and what is said about it."""

    says: Says
    strict: bool
    ignore_missing: bool


class Line(NamedTuple):
    """A line of a check file that is neither empty nor a comment."""

    number: int
    entry: Entry | None


class CheckFile:
    """One file of digests, verified line by line."""

    def __init__(
        self, name: str, reader: Reader, rules: Rules, options: Options, documents: list[Any] | None
    ) -> None:
        self.name = name
        self.shown = STANDARD_INPUT if name == "-" else name
        self.reader = reader
        self.rules = rules
        self.options = options
        self.documents = documents
        """Where the JSON of each line goes; None if lines are printed."""
        self.counts: Counter[str] = Counter()
        self.status = 0

    def verify(self) -> int:
        """Verify every file that is listed; return the exit status."""
        ambiguous = self.reader.ambiguous
        try:
            lines = list(self._lines())
        except OSError as error:
            say(failure(error) if error.filename is not None else f"{self.shown}: read error")
            return 1
        results = self._results(lines)
        for line in lines:
            if line.entry is None:
                self._improper(line)
            else:
                self._report(line, line.entry, next(results))
        self._summary(self.reader.ambiguous - ambiguous)
        counts, strict = self.counts, self.rules.strict
        failed = counts["mismatched"] or counts["unreadable"] or (strict and counts["improper"])
        return max(self.status, int(bool(failed or not counts["matched"])))

    def _lines(self) -> Iterator[Line]:
        try:
            opened = open_stream(self.name)
        except IsADirectoryError:  # which coreutils open, and then fail to read
            raise IsADirectoryError from None
        with opened as stream:
            for number, line in enumerate(stream, start=1):
                text = line.removesuffix(b"\n").removesuffix(b"\r")
                if text and not text.startswith(b"#"):
                    entry = self.reader.read(text)
                    if entry and entry.name == self.name == "-":
                        entry = None  # what is read already cannot be hashed
                    yield Line(number, entry)

    def _results(self, lines: Sequence[Line]) -> Iterator[Values | Failed]:
        """Give the result of each entry; a file is read once, at its first line, for all lines."""
        entries = [line.entry for line in lines if line.entry]
        wanted: dict[str, tuple[dict[str, None], dict[str, None]]] = {}
        for entry in entries:
            wanted.setdefault(entry.name, ({}, {}))[entry.parts is not None][entry.algorithm] = None
        left = Counter(entry.name for entry in entries)

        def read(name: str, progress: Callback | None) -> Values:
            whole, composite = map(tuple, wanted[name])
            return hash_both(name, whole, composite, self.options, progress)

        def request(name: str) -> Request | None:
            whole, composite = map(tuple, wanted[name])
            if whole and composite:
                return None
            if whole:
                return Request(whole, None, False, *self.options[2:])
            return Request(composite, *self.options)

        def take(request: Request, sums: ObjectChecksums) -> Values:
            if request.part_size is None:
                return Values(Digests.of_object(sums).values, None)
            return Values({}, sums)

        names = list(wanted)
        reads = each(names, Batches(names, read, request, take), silent=True)
        known: dict[str, Values | Failed] = {}
        for entry in entries:
            if entry.name not in known:
                name, result = next(reads)
                known[name] = result
            yield known[entry.name]
            left[entry.name] -= 1
            if not left[entry.name]:
                del known[entry.name]

    def _improper(self, line: Line) -> None:
        self.counts["improper"] += 1
        if self.rules.says == "warn":
            of = f"{self.reader.algorithms[0]} " if len(self.reader.algorithms) == 1 else ""
            say(f"{self.shown}: {line.number}: improperly formatted {of}checksum line")
        self._document(line, None, "IMPROPER")

    def _report(self, line: Line, entry: Entry, result: Values | Failed) -> None:
        self.counts["proper"] += 1
        if isinstance(result, Failed):
            if self.rules.ignore_missing and result.missing:
                self._document(line, entry, "MISSING")
                return
            say(f"{entry.name}: {result.reason}")  # for each line, as md5sum, which tries again
            self.counts["unreadable"] += 1
            self.status = max(self.status, result.status)
            self._print(entry, "FAILED open or read")
            status = "MISSING" if result.missing else "UNREADABLE"
            self._document(line, entry, status, error=result.reason)
            return
        computed = _computed(entry, result)
        if computed == entry.value:
            self.counts["matched"] += 1
            if self.rules.says != "quiet":
                self._print(entry, "OK")
            self._document(line, entry, "OK")
            return
        self.counts["mismatched"] += 1
        if entry.parts and (computed is None or not computed.endswith(f"-{entry.parts}")):
            self.counts["other plan"] += 1
        self._print(entry, "FAILED")
        self._document(
            line, entry, "FAILED", computed=None if computed is None else entry.show(computed)
        )

    def _print(self, entry: Entry, verdict: str) -> None:
        if self.rules.says == "status" or self.documents is not None:
            return
        # Unlike in the lists, here coreutils escape only a name that would break the line.
        mark, shown = escape(entry.name) if "\n" in entry.name else ("", entry.name)
        emit(f"{mark}{shown}: {verdict}")

    def _document(self, line: Line, entry: Entry | None, status: str, **more: object) -> None:
        if self.documents is None:
            return
        document: dict[str, object] = {"check_file": self.name, "line": line.number}
        if entry:
            document |= {
                "path": entry.name,
                "algorithm": entry.algorithm,
                "expected": entry.show(entry.value),
            }
        self.documents.append(document | {"status": status} | more)

    def _summary(self, ambiguous: int) -> None:
        counts, says = self.counts, self.rules.says
        if not counts["proper"]:
            say(f"{self.shown}: no properly formatted checksum lines found")
        if says == "status":
            return
        if counts["proper"]:
            self._warn("improper", "line is improperly formatted", "lines are improperly formatted")
            self._warn(
                "unreadable", "listed file could not be read", "listed files could not be read"
            )
            self._warn(
                "mismatched", "computed checksum did NOT match", "computed checksums did NOT match"
            )
            plan = f"of another number of parts than --part-size {self.options.part_size} gives"
            self._warn(
                "other plan", f"composite checksum is {plan}", f"composite checksums are {plan}"
            )
            if self.rules.ignore_missing and not counts["matched"]:
                say(f"{self.shown}: no file was verified")
        if ambiguous:
            what = "digest fits" if ambiguous == 1 else "digests fit"
            say(f"{self.shown}: {ambiguous} {what} several algorithms: choose one with -a")

    def _warn(self, count: str, one: str, many: str) -> None:
        number = self.counts[count]
        if number:
            say(f"WARNING: {number} {one if number == 1 else many}")


def _computed(entry: Entry, values: Values) -> str | None:
    """Give the value that belongs to an entry; None if the plan makes no multipart upload."""
    if entry.parts is None:
        return values.whole[entry.algorithm]
    assert values.sums is not None  # it was asked for
    try:
        return values.sums.composite(entry.algorithm)
    except NotSupportedByS3:
        return None


def check(
    files: Sequence[str],
    algorithms: Sequence[str],
    rules: Rules,
    options: Options,
    *,
    as_json: bool,
) -> int:
    """Verify what each of the files lists; return the exit status of all."""
    documents: list[Any] | None = [] if as_json else None
    reader = Reader(algorithms)
    status = 0
    for name in files or ("-",):
        status = max(status, CheckFile(name, reader, rules, options, documents).verify())
    if documents is not None and rules.says != "status":
        if rules.says == "quiet":
            documents = [document for document in documents if document["status"] != "OK"]
        emit_json({"checks": documents})
    return status
