"""``partsum sum --check``: read digests from files and verify the files that they list."""

from base64 import b64encode
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from partsum import NotSupportedByS3, ObjectChecksums
from partsum.cli.files import open_stream
from partsum.cli.sums.hashing import Digests, HashOptions, hash_digests, hash_each
from partsum.cli.sums.lines import LineParser, ListedDigest
from partsum.cli.terminal import (
    Callback,
    Failure,
    Verbosity,
    counted,
    emit,
    emit_json,
    escape,
    failure,
    say,
)

# The coreutils quote a name that has a space.
STANDARD_INPUT = "'standard input'"


_OTHER_PLAN = "of another number of parts than --part-size {} gives"
_WARNINGS = {
    "IMPROPER": ("line is improperly formatted", "lines are improperly formatted"),
    "unreadable": ("listed file could not be read", "listed files could not be read"),
    "FAILED": ("computed checksum did NOT match", "computed checksums did NOT match"),
    "other plan": (
        f"composite checksum is {_OTHER_PLAN}",
        f"composite checksums are {_OTHER_PLAN}",
    ),
}


class CheckRules(NamedTuple):
    """What counts as a failure, and what is printed."""

    verbosity: Verbosity
    strict: bool
    ignore_missing: bool


class CheckedLine(NamedTuple):
    """What came of a line that is neither empty nor a comment."""

    number: int
    listed: ListedDigest | None
    status: str
    """OK, FAILED, MISSING, UNREADABLE or IMPROPER."""
    details: dict[str, Any]
    """What else the JSON says."""


class CheckFile:
    """One file of digests, verified line by line."""

    def __init__(
        self, name: str, parser: LineParser, rules: CheckRules, hashing: HashOptions, as_json: bool
    ) -> None:
        self.name = name
        self.shown = STANDARD_INPUT if name == "-" else name
        self.parser = parser
        self.rules = rules
        self.hashing = hashing
        self.as_json = as_json
        self.documents: list[dict[str, Any]] = []
        self.counts: Counter[str] = Counter()
        self.status = 0

    def verify(self) -> int:
        """Verify every file that is listed; return the exit status."""
        ambiguous = self.parser.ambiguous
        try:
            lines = list(self._lines())
        except OSError as error:
            say(failure(error) if error.filename is not None else f"{self.shown}: read error")
            return 1
        results = self._results([listed for _, listed in lines if listed])
        for number, listed in lines:
            if listed:
                self._report(self._judge(number, listed, next(results)))
            else:
                self._report(CheckedLine(number, None, "IMPROPER", {}))
        self._summary(self.parser.ambiguous - ambiguous)
        failed = self.counts["FAILED"] or self.counts["unreadable"] or not self.counts["OK"]
        if failed or (self.rules.strict and self.counts["IMPROPER"]):
            self.status = max(self.status, 1)
        return self.status

    def _lines(self) -> Iterator[tuple[int, ListedDigest | None]]:
        try:
            opened = open_stream(self.name)
        except IsADirectoryError:  # which coreutils open, and then fail to read
            raise IsADirectoryError from None
        with opened as stream:
            for number, line in enumerate(stream, start=1):
                text = line.removesuffix(b"\n").removesuffix(b"\r")
                if text and not text.startswith(b"#"):
                    listed = self.parser.parse(text)
                    if listed and listed.name == self.name == "-":
                        listed = None  # what is read already cannot be hashed
                    yield number, listed

    def _results(self, listed: Sequence[ListedDigest]) -> Iterator[Digests | Failure]:
        """Give the result of each line; a file is read once, at its first line, for all lines."""
        wanted: dict[str, tuple[dict[str, None], dict[str, None]]] = {}
        last = {each.name: index for index, each in enumerate(listed)}
        for each in listed:
            wanted.setdefault(each.name, ({}, {}))[each.parts is not None][each.algorithm] = None

        def hash_one(name: str, progress: Callback | None) -> Digests:
            whole, composite = map(tuple, wanted[name])
            return hash_digests(name, whole, self.hashing._replace(algorithms=composite), progress)

        def options_of(name: str) -> HashOptions | None:
            whole, composite = map(tuple, wanted[name])
            if whole and composite:
                return None
            if composite:
                return self.hashing._replace(algorithms=composite)
            return self.hashing._replace(algorithms=whole, part_size=None)

        reads = hash_each(list(wanted), options_of, hash_one, silent=True)
        known: dict[str, Digests | Failure] = {}
        for index, each in enumerate(listed):
            if each.name not in known:
                name, result = next(reads)
                if isinstance(result, ObjectChecksums):
                    result = Digests.of(result, whole=not wanted[name][1])
                known[name] = result
            yield known.pop(each.name) if last[each.name] == index else known[each.name]

    def _judge(self, number: int, listed: ListedDigest, result: Digests | Failure) -> CheckedLine:
        if isinstance(result, Failure):
            status = "MISSING" if result.missing else "UNREADABLE"
            if result.missing and self.rules.ignore_missing:
                return CheckedLine(number, listed, status, {})
            say(f"{listed.name}: {result.reason}")  # for each line, as md5sum does
            self.counts["unreadable"] += 1
            self.status = max(self.status, result.status)
            return CheckedLine(number, listed, status, {"error": result.reason})
        computed = _computed(listed, result)
        if computed == listed.value:
            return CheckedLine(number, listed, "OK", {})
        if listed.parts and (computed is None or not computed.endswith(f"-{listed.parts}")):
            self.counts["other plan"] += 1
        shown = computed and listed.show(computed)
        return CheckedLine(number, listed, "FAILED", {"computed": shown})

    def _report(self, line: CheckedLine) -> None:
        number, listed, status, details = line
        verbosity = self.rules.verbosity
        self.counts[status] += 1
        document: dict[str, Any] = {"check_file": self.name, "line": number}
        if listed:
            self.counts["proper"] += 1
            document |= {
                "path": listed.name,
                "algorithm": listed.algorithm,
                "expected": listed.show(listed.value),
            }
        elif verbosity == "warn":
            of = f"{self.parser.algorithms[0]} " if len(self.parser.algorithms) == 1 else ""
            say(f"{self.shown}: {number}: improperly formatted {of}checksum line")
        if verbosity == "status" or (verbosity == "quiet" and status == "OK"):
            return
        if self.as_json:
            self.documents.append(document | {"status": status} | details)
        elif listed and (status != "MISSING" or details):
            # Unlike in the lists, here coreutils escape only a name that would break the line.
            mark, name = escape(listed.name) if "\n" in listed.name else ("", listed.name)
            emit(f"{mark}{name}: {'FAILED open or read' if 'error' in details else status}")

    def _summary(self, ambiguous: int) -> None:
        counts = self.counts
        if not counts["proper"]:
            say(f"{self.shown}: no properly formatted checksum lines found")
        if self.rules.verbosity == "status":
            return
        if counts["proper"]:
            for count, words in _WARNINGS.items():
                if counts[count]:
                    warning = counted(counts[count], *words)
                    say(f"WARNING: {warning.format(self.hashing.part_size or 'none')}")
            if self.rules.ignore_missing and not counts["OK"]:
                say(f"{self.shown}: no file was verified")
        if ambiguous:
            what = counted(ambiguous, "digest fits", "digests fit")
            say(f"{self.shown}: {what} several algorithms: choose one with -a")


def _computed(listed: ListedDigest, digests: Digests) -> str | None:
    """Return the value that belongs to a line; None if the plan makes no multipart upload."""
    if listed.parts is None:
        return b64encode(digests.whole[listed.algorithm]).decode()
    assert digests.sums is not None  # it was asked for
    try:
        return digests.sums.composite(listed.algorithm)
    except NotSupportedByS3:
        return None


def check(
    files: Sequence[str],
    algorithms: Sequence[str],
    rules: CheckRules,
    hashing: HashOptions,
    *,
    as_json: bool,
) -> int:
    """Verify what each of the files lists; return the exit status of all."""
    parser = LineParser(algorithms)
    checks = [CheckFile(name, parser, rules, hashing, as_json) for name in files or ("-",)]
    status = max([one.verify() for one in checks])
    if as_json and rules.verbosity != "status":
        emit_json({"checks": [document for one in checks for document in one.documents]})
    return status
