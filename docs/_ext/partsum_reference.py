"""The reference pages, made of the code when the site is built.

``.. public-names:: MODULE`` documents all of MODULE's ``__all__``,
``.. other-modules::`` each public module whose names the package itself does not have,
``.. command-line::`` each verb. Docstrings of the compiled half come from the built
module, its types from the stub beside it.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import click
import partsum
from docutils import nodes
from partsum.cli import VERBS, main
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError, PycodeError
from sphinx.pycode import ModuleAnalyzer
from sphinx.util.docutils import SphinxDirective

# Private aliases of the annotations, as a reader would say it.
ALIASES = {
    "_Algorithm": "str",
    "_ChecksumType": "str",
    "_PartSize": "PartSize",
    "_Response": "Response",
    "_Uploaded": "Response | Iterable[Response] | Mapping[int, Response]",
    "_Files": "Iterator[ObjectChecksums | FileError]",
}
PRIVATE = re.compile("|".join(rf"\b{name}\b" for name in ALIASES))


# Python ---------------------------------------------------------------------------


def public_modules() -> list[str]:
    """The public modules with names that are not the package's own things."""
    found = []
    for entry in pkgutil.iter_modules(partsum.__path__):
        if entry.name.startswith("_") or entry.name == "cli":
            continue
        module = importlib.import_module(f"partsum.{entry.name}")
        things = {
            name: getattr(module, name) for name in getattr(module, "__all__", ())
        }
        if any(
            getattr(partsum, name, None) is not thing for name, thing in things.items()
        ):
            found.append(module.__name__)
    return found


def stub() -> dict[str, ast.FunctionDef | ast.ClassDef]:
    """What _core.pyi declares: "hash_file", "PartPlan", "PartPlan.sizes", ..."""
    tree = ast.parse((Path(partsum.__file__).parent / "_core.pyi").read_text())
    found: dict[str, ast.FunctionDef | ast.ClassDef] = {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found[node.name] = node
        if isinstance(node, ast.ClassDef):
            for member in node.body:
                if isinstance(member, ast.FunctionDef):
                    found[f"{node.name}.{member.name}"] = member
    return found


STUB = stub()


def declared(name: str) -> ast.FunctionDef | ast.ClassDef | None:
    """The declaration of a compiled thing, by its name in the package."""
    short = name.removeprefix("partsum.").removeprefix("_core.")
    return STUB.get(short)


def readable(annotation: str) -> str:
    """Say a signature without the package's private aliases."""
    return PRIVATE.sub(lambda match: ALIASES[match[0]], annotation).replace("'", '"')


def signature(
    _app: Sphinx,
    what: str,
    name: str,
    _thing: object,
    _options: object,
    text: str | None,
    returns: str | None,
) -> tuple[str | None, str | None] | None:
    """The stub's signature of a compiled function; plain words for private types."""
    node = declared(name)
    if isinstance(node, ast.ClassDef):
        node = STUB.get(f"{node.name}.__new__")
        if node is None:
            return "", None  # made by functions alone
    if isinstance(node, ast.FunctionDef) and what in (
        "class",
        "function",
        "method",
    ):
        arguments = node.args
        for parameters in (arguments.posonlyargs, arguments.args):
            if parameters and parameters[0].arg in ("self", "cls"):
                del parameters[0]
        text = f"({ast.unparse(arguments)})".replace("(, ", "(").replace("(/, ", "(")
        returns = (
            ast.unparse(node.returns) if node.returns and what != "class" else None
        )
    if text is None:
        return None
    if name.startswith("partsum.aio."):
        text = text.replace("Progress | None", "Callable[[int], object] | None")
    return readable(text), readable(returns) if returns and what != "class" else None


def docstring(
    _app: Sphinx,
    _what: str,
    _name: str,
    _thing: object,
    _options: object,
    lines: list[str],
) -> None:
    """Make markup of text that was written to be read as it stands; code is left alone.

    Asterisks, as in `**arguments`, are no emphasis; `.path` is some attribute; a list
    begins and ends without empty lines.
    """
    code = in_list = False
    written = lines.copy()
    lines.clear()
    for line in written:
        code = line.startswith(">>> ") or (code and bool(line.strip()))
        item = line.startswith("- ") and not code
        goes_on = in_list and line.startswith("  ")
        if lines and lines[-1] and line.strip() and (item or in_list) and not goes_on:
            lines.append("")
        in_list = item or (in_list and (goes_on or not line.strip()))
        lines.append(line if code else escaped(line))


def escaped(line: str) -> str:
    """A line of text, with code in backquotes as it was."""
    pieces = re.split(r"(`+[^`]*`+)", line)
    pieces[::2] = [piece.replace("*", r"\*") for piece in pieces[::2]]
    pieces[1::2] = [re.sub(r"^`(\.\w+)`$", r"``\1``", piece) for piece in pieces[1::2]]
    return "".join(pieces)


def describe(module: ModuleType, name: str) -> list[str]:
    """The directive that documents a public name."""
    thing = getattr(module, name)
    if inspect.isclass(thing):
        options = ["   :members:", "   :show-inheritance:"]
        node = declared(f"partsum.{name}")
        if isinstance(node, ast.ClassDef):
            members = (
                one.name for one in node.body if isinstance(one, ast.FunctionDef)
            )
            shown = [one for one in members if not one.startswith("_")]
            options = [f"   :members: {', '.join(shown)}"]
        elif not issubclass(thing, Exception):
            options.pop()
        kind = "autoexception" if issubclass(thing, Exception) else "autoclass"
        return [f".. {kind}:: {module.__name__}.{name}", *options, ""]
    if inspect.isroutine(thing):
        return [f".. autofunction:: {module.__name__}.{name}", ""]
    annotation, text = value_docs(module, name)
    lines = [f".. py:data:: {name}", f"   :module: {module.__name__}"]
    return [*lines, f"   :type: {readable(annotation)}", "", *indented(text), ""]


def value_docs(module: ModuleType, name: str) -> tuple[str, list[str]]:
    """The annotation of a value and the string below it, wherever they stand."""
    inside = [one for one in sys.modules if one.startswith(f"{module.__name__}.")]
    for place in (module.__name__, *sorted(inside)):
        try:
            analyzer = ModuleAnalyzer.for_module(place)
            found = analyzer.find_attr_docs().get(("", name))
        except PycodeError:  # the compiled half
            continue
        if found:
            return analyzer.annotations["", name], found
    raise ExtensionError(f"{module.__name__}.{name} has no documentation")


def chapters(module: ModuleType) -> Iterator[tuple[str, list[str]]]:
    """Public names by kind, in alphabetical order."""
    kinds: dict[str, list[str]] = {
        "Functions": [],
        "Classes": [],
        "Exceptions": [],
        "Values": [],
    }
    for name in sorted(module.__all__, key=str.casefold):
        thing = getattr(module, name)
        if name.startswith("__"):
            continue
        if inspect.isclass(thing):
            kinds["Exceptions" if issubclass(thing, Exception) else "Classes"].append(
                name
            )
        else:
            kinds["Functions" if inspect.isroutine(thing) else "Values"].append(name)
    return ((kind, names) for kind, names in kinds.items() if names)


class PublicNames(SphinxDirective):
    """``.. public-names:: partsum``."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Document ``__all__``, by kind."""
        module = importlib.import_module(self.arguments[0])
        lines = []
        for kind, names in chapters(module):
            lines += [kind, "=" * len(kind), ""]
            for name in names:
                lines += describe(module, name)
        return parsed(self, lines)


class OtherModules(SphinxDirective):
    """``.. other-modules::``."""

    def run(self) -> list[nodes.Node]:
        """Document each module: its docstring, then its names."""
        lines = []
        for module_name in public_modules():
            module = importlib.import_module(module_name)
            lines += [module_name, "=" * len(module_name), ""]
            lines += [f".. automodule:: {module_name}", "   :no-members:", ""]
            for _kind, names in chapters(module):
                for name in names:
                    lines += describe(module, name)
        return parsed(self, lines)


# Command line ---------------------------------------------------------------------


class CommandLine(SphinxDirective):
    """``.. command-line::``."""

    def run(self) -> list[nodes.Node]:
        """Document each verb as its --help does."""
        top = click.Context(main, info_name="partsum")
        lines = [".. role:: flag(literal)", "   :class: flag", "", *prose(main.help)]
        for verb in VERBS:
            command = main.get_command(top, verb)
            assert command is not None
            lines += verb_lines(
                command, click.Context(command, info_name=verb, parent=top)
            )
        return parsed(self, lines)


def verb_lines(command: click.Command, context: click.Context) -> list[str]:
    """One verb: usage, what it does, its options, its examples."""
    title = f"partsum {command.name}"
    usage = " ".join([title, *command.collect_usage_pieces(context)])
    lines = [title, "=" * len(title), ""]
    lines += [".. code-block:: text", "", f"   {usage}", ""]
    lines += prose(command.help)
    lines += [f".. program:: {title}", ""]
    for parameter in command.params:
        record = parameter.get_help_record(context)
        if record and isinstance(parameter, click.Option):
            lines += [f".. option:: {record[0]}", "", *indented(prose(record[1]))]
    examples = (command.epilog or "").replace("\b\n", "").removeprefix("Examples:\n")
    if examples:
        body = inspect.cleandoc("\n" + examples).splitlines()
        lines += ["Examples:", "", ".. code-block:: text", "", *indented(body), ""]
    return lines


def prose(text: str | None) -> list[str]:
    """Text for people, with options as code."""
    escaped = re.sub(r"([\\*`|_])", r"\\\1", inspect.cleandoc(text or ""))
    marked = re.sub(r"(?<![\w-])(--?[a-z][a-z0-9-]*)", r":flag:`\1`", escaped)
    return [*marked.replace("\b", "").splitlines(), ""]


def indented(lines: list[str]) -> list[str]:
    """Lines of a directive's body."""
    return [f"   {line}".rstrip() for line in lines]


# Sphinx ---------------------------------------------------------------------------


def parsed(directive: SphinxDirective, lines: list[str]) -> list[nodes.Node]:
    """The lines as part of the page, its headings among the page's own."""
    return directive.parse_text_to_nodes("\n".join(lines), allow_section_headings=True)


def setup(app: Sphinx) -> dict[str, Any]:
    """Called by Sphinx."""
    app.add_directive("public-names", PublicNames)
    app.add_directive("other-modules", OtherModules)
    app.add_directive("command-line", CommandLine)
    app.connect("autodoc-process-signature", signature)
    app.connect("autodoc-process-docstring", docstring)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
