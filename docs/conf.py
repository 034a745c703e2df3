"""The documentation site: Sphinx, MyST and Furo; nothing is fetched from elsewhere."""

import sys
from pathlib import Path

import partsum

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "partsum"
author = "the partsum authors"
version = release = partsum.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "partsum_reference",
]
exclude_patterns = ["_*"]
suppress_warnings = [
    "myst.header"
]  # ARCHITECTURE.md and CHANGELOG.md begin where they like
myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3
smartquotes = False  # `--option` has two hyphens

# Docstrings name things as `hash_file`; what has a page becomes a link.
default_role = "py:obj"
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
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
