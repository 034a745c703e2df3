"""The documentation site: Sphinx, MyST and Furo. Pages load nothing from elsewhere."""

from __future__ import annotations

import re
from importlib.metadata import version as installed_version

import astroid
from sphinx.application import Sphinx

project = "partsum"
author = "the partsum authors"
version = release = installed_version("partsum")

extensions = [
    "myst_parser",
    "sphinx.ext.napoleon",
    "autoapi.extension",
    "sphinx_click",
    "sphinx_copybutton",
]
exclude_patterns = ["_*"]
suppress_warnings = ["myst.header"]  # CHANGELOG.md and ARCHITECTURE.md start at level 1
myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3
smartquotes_action = "D"  # dashes alone; quotes stay as they are

# The reference is made from the source. _core.pyi has the docstrings and types of
# the compiled module.
autoapi_dirs = ["../python/partsum"]
autoapi_ignore = ["*/cli/*"]
autoapi_file_patterns = ["*.pyi", "*.py"]
autoapi_options = ["members", "show-inheritance", "imported-members"]
autoapi_generate_api_docs = False  # docs/reference/*.md name what is shown
autoapi_add_toctree_entry = False
autodoc_member_order = "bysource"
napoleon_custom_sections = ["Source"]
napoleon_use_ivar = True
napoleon_use_rtype = False
default_role = "py:obj"  # `hash_file` in a docstring links to its entry
add_module_names = False
python_display_short_literal_types = True
maximum_signature_line_length = 60
toc_object_entries_show_parents = "hide"

html_theme = "furo"
html_title = "partsum"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_show_copyright = False
copybutton_prompt_text = r"\$ |>>> |\.\.\. "
copybutton_prompt_is_regexp = True


def read_lazy_imports(module: astroid.nodes.Module) -> None:
    """Move the imports below `if TYPE_CHECKING:` to the top level.

    partsum/__init__.py imports some names only when they are used, and sphinx-autoapi
    finds imports at the top level alone.
    """
    module.body = [
        inner
        for node in module.body
        for inner in (node.body if is_for_type_checkers(node) else [node])
    ]


def is_for_type_checkers(node: astroid.nodes.NodeNG) -> bool:
    """Tell `if TYPE_CHECKING:` from other statements."""
    return (
        isinstance(node, astroid.nodes.If) and node.test.as_string() == "TYPE_CHECKING"
    )


def new_as_init(function: astroid.nodes.FunctionDef) -> None:
    """Rename `__new__`: sphinx-autoapi takes a class's parameters from `__init__`."""
    function.name = "__init__"


astroid.MANAGER.register_transform(
    astroid.nodes.Module, read_lazy_imports, lambda module: module.name == "partsum"
)
astroid.MANAGER.register_transform(
    astroid.nodes.FunctionDef, new_as_init, lambda function: function.name == "__new__"
)

# Private types of the stub file, as the reference names them.
TYPES = {
    "_Algorithm": "str",
    "_ChecksumType": "str",
    "_Files": "Iterator[ObjectChecksums | FileError]",
    "_Io": "Literal['auto', 'mmap', 'read', 'direct']",
    "_Progress": "Callable[[int], object]",
}
TYPE_NAME = re.compile(r"\b(?:\w+\.)*(_?[A-Z]\w*)\b")


def signature(
    app: Sphinx, what: str, name: str, *event: str | None
) -> tuple[str | None, ...]:
    """Remove the modules and underscores of type names from a signature."""

    def short(type_name: re.Match[str]) -> str:
        return TYPES.get(type_name[1], type_name[1].removeprefix("_"))

    parameters, returns = event[-2:]
    if what == "function" and name.startswith("partsum.aio."):
        # Copied at run time from the function of the same name in partsum.
        objects = app.env.autoapi_all_objects  # type: ignore[attr-defined]
        same = objects.get(name.replace(".aio.", "."))
        parameters = f"({same.args})" if same else parameters
    return tuple(text and TYPE_NAME.sub(short, text) for text in (parameters, returns))


OPTION = re.compile(r"(?<![\w`-])(--?[a-z][a-z0-9-]*)")


def options_as_code(_app: Sphinx, _context: object, lines: list[str]) -> None:
    """Show the names of options in a command's description as code."""
    for index, line in enumerate(lines):
        if not line.startswith(".. option::"):
            lines[index] = OPTION.sub(r"``\1``", line)


def examples_as_code(_app: Sphinx, _context: object, lines: list[str]) -> None:
    """Show the examples of a command in a code block, with their columns."""
    block = [line.removeprefix("| ") for line in lines]
    if block and block[0] == "Examples:":
        lines[:] = ["Examples:", "", ".. code-block:: text", "", *block[1:], ""]


def setup(app: Sphinx) -> None:
    """Register the hooks with Sphinx."""
    app.connect("autodoc-process-signature", signature)
    app.connect("sphinx-click-process-description", options_as_code)
    app.connect("sphinx-click-process-options", options_as_code)
    app.connect("sphinx-click-process-epilog", examples_as_code)
