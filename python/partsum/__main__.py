"""``partsum`` and ``python -m partsum``: the command line, with a shortcut for its simplest uses.

Importing the command line takes longer than hashing a small file, which a loop in a shell would
notice. The shortcut prints what the verb would print, or else leaves everything to the verb.
"""

import os
import stat
import sys

# Algorithm and part size of the verbs without options.
_VERBS = {"etag": ("MD5", "boto3"), "sum": ("SHA256", None)}
# Bytes to hash: more may need a progress bar.
_SMALL = 32 << 20
# Bytes that one write to any pipe takes.
_AT_ONCE = 4096


def run() -> None:
    """Run the command line, and exit."""
    args = sys.argv[1:]
    try:
        if args == ["--version"]:
            from partsum import __version__

            done = _write(f"partsum {__version__}\n")
        else:
            done = len(args) > 1 and args[0] in _VERBS and _digests(*args)
    except KeyboardInterrupt:
        sys.exit(130)
    if not done:
        from partsum.cli import main

        main()


def _digests(verb: str, *names: str) -> bool:
    """Print the digests of small regular files with plain names; False leaves it to the verb."""
    if "PARTSUM_CACHE" in os.environ or not all(map(_is_plain, names)):
        return False
    from partsum import ObjectChecksums, hash_files

    algorithm, part_size = _VERBS[verb]
    lines = []
    try:
        if sum(map(_size, names)) > _SMALL:
            return False
        results = hash_files(names, algorithm, part_size=part_size)
        for name, sums in zip(names, results, strict=True):
            if not isinstance(sums, ObjectChecksums):
                return False
            value = sums.etag if verb == "etag" else sums.parts[0].digest(algorithm).hex()
            lines.append(f"{value}  {name}\n")
    except (OSError, ValueError):  # no such file, PARTSUM_ISA
        return False
    return _write("".join(lines))


def _is_plain(name: str) -> bool:
    """Tell a name that is no option, is not standard input, and need not be escaped."""
    return name.isprintable() and "\\" not in name and not name.startswith("-")


def _size(name: str) -> int:
    """Return the size of a regular file; of anything else, too much for the shortcut."""
    status = os.stat(name)  # noqa: PTH116  (pathlib takes as long as the rest)
    return status.st_size if stat.S_ISREG(status.st_mode) and status.st_size else _SMALL + 1


def _write(text: str) -> bool:
    """Print on stdout; False if that fails, which the verb then reports."""
    data = os.fsencode(text)
    try:
        return len(data) <= _AT_ONCE and os.write(1, data) == len(data)
    except OSError:
        return False


if __name__ == "__main__":
    run()
