"""The report as one page: charts, the same figures in tables, and how they were measured.

No script, no other file. Tables become cards where the screen is narrow; their roles are spelled
out, because browsers forget what a table is when its display changes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from partsum.bench import _words
from partsum.bench._chart import CHART_STYLE, DARK, LIGHT, Axis, Bar, chart, variables
from partsum.bench._report import Report, Result

STYLE = f"""
:root {{ color-scheme: light dark; {variables(LIGHT)} }}
@media (prefers-color-scheme: dark) {{ :root {{ {variables(DARK)} }} }}
* {{ box-sizing: border-box; }}
body {{ margin: 0 auto; padding: 1.25rem 1rem 3rem; max-width: 60rem; background: var(--paper);
  color: var(--ink); font: 16px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }}
h1 {{ font-size: 1.6rem; line-height: 1.25; margin: 0 0 .5rem; }}
h2 {{ font-size: 1.2rem; margin: 2.5rem 0 .75rem; }}
p {{ max-width: 44rem; }}
.lead, footer {{ color: var(--faint); }}
.said {{ border-left: 4px solid var(--loss); padding: .1rem 0 .1rem 1rem; margin: 1.25rem 0; }}
.said p {{ margin: .5rem 0; }}
.said ul {{ margin: .5rem 0; padding-left: 1.25rem; }}
figure {{ margin: 0; }}
svg.chart {{ display: block; margin-bottom: 1rem; }}
table {{ border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }}
th, td {{ text-align: left; padding: .35rem .75rem .35rem 0; border-bottom: 1px solid var(--line);
  vertical-align: top; }}
thead th {{ color: var(--faint); font-weight: 500; font-size: .9rem; }}
tbody th {{ font-weight: 600; }}
.number {{ text-align: right; }}
.number, .word {{ white-space: nowrap; }}
.facts th {{ width: 8.5rem; font-weight: 500; color: var(--faint); }}
{CHART_STYLE}
@media (max-width: 46rem) {{
  .results, .results tbody, .results tr, .results td, .results tbody th {{ display: block; }}
  .results thead {{ position: absolute; width: 1px; height: 1px; overflow: hidden;
    clip-path: inset(50%); }}
  .results tr {{ border-bottom: 1px solid var(--line); padding: .5rem 0; }}
  .results td, .results tbody th {{ border: 0; padding: .1rem 0; }}
  .results td {{ display: flex; justify-content: space-between; gap: 1rem; }}
  .results td::before {{ content: attr(data-label); color: var(--faint); }}
  .facts th {{ width: 6.5rem; }}
}}
@media print {{
  :root {{ color-scheme: light; {variables(LIGHT)} }}
  body {{ max-width: none; padding: 0; font-size: 11pt; }}
  svg.chart {{ print-color-adjust: exact; -webkit-print-color-adjust: exact; }}
  h2 {{ break-after: avoid; }}
  tr {{ break-inside: avoid; }}
}}
"""

KINDS = {
    **dict.fromkeys(("Peer GB/s", "partsum GB/s", "Ratio (interval)"), ' class="number"'),
    "Faster": ' class="word"',
}
COLUMNS = ("Peer", "Peer GB/s", "partsum GB/s", "Ratio (interval)", "Faster")


def html(report: Report) -> str:
    """The page."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    version = escape(str(report.machine["partsum"]))
    yield '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8"/>'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1"/>'
    yield f"<title>partsum {version} against its peers</title>"
    yield f"<style>{STYLE}</style>\n</head>\n<body>\n<main>"
    yield f"<h1>partsum {version} against its peers</h1>"
    yield f'<p class="lead">{escape(_lead(report))}</p>'
    yield '<section class="said" aria-label="In short">'
    wins = _words.peer_wins(report, _words.TYPESET)
    yield _said("Where a peer wins", "" if wins else _words.NONE)
    if wins:
        yield "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in wins) + "</ul>"
    for title, reason in report.skipped:
        yield _said("Not compared", f"{title}: {reason}")
    for warning in _words.warnings(report):
        yield _said("Note", warning)
    yield "</section>"
    axis = Axis.of(map(Bar.of, report.results))
    for number, group in enumerate(_words.groups(report), 1):
        name = f"chart-{number}"
        yield f'<h2 id="{name}">{escape(group.title)}</h2>\n<figure aria-labelledby="{name}">'
        yield chart(list(map(Bar.of, group.results)), axis, name, group.title)
        yield from _table(group.title, group.results)
        yield "</figure>"
    yield f"<h2>No difference shown</h2>\n<p>{escape(_words.ties(report, _words.TYPESET))}</p>"
    yield f"<h2>How it was measured</h2>\n<p>{escape(_words.method(report))}</p>"
    ways = _words.ways(report)
    if ways:
        yield "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in ways) + "</ul>"
    yield '<h2>The machine</h2>\n<table class="facts">\n<tbody>'
    for key, value in _words.machine(report).items():
        yield f'<tr><th scope="row">{escape(key)}</th><td>{escape(value)}</td></tr>'
    yield "</tbody>\n</table>\n</main>"
    yield (
        "<footer><p>Made by <code>partsum bench</code>, which prints the same on your machine; "
        "its JSON has every run.</p></footer>\n</body>\n</html>"
    )


def _lead(report: Report) -> str:
    count = len(report.results)
    return (
        f"{report.machine['cpu']}, {report.options['threads']} threads, instruction set "
        f"{report.machine['isa']}. Of {count} comparisons partsum is faster in "
        f"{len(report.wins('partsum'))}, the peer in {len(report.wins('peer'))}; "
        f"{len(report.wins('tie'))} show no difference."
    )


def _said(what: str, words: str) -> str:
    return f"<p><strong>{escape(what)}:</strong> {escape(words)}".rstrip() + "</p>"


def _table(title: str, results: Sequence[Result]) -> Iterator[str]:
    yield f'<table class="results" role="table" aria-label="{escape(title)}">'
    yield '<thead role="rowgroup"><tr role="row"><th role="columnheader" scope="col">What</th>'
    for column in COLUMNS:
        yield f'<th role="columnheader" scope="col"{KINDS.get(column, "")}>{column}</th>'
    yield '</tr></thead>\n<tbody role="rowgroup">'
    for result in results:
        rates = (_words.rate(result.peer_rate), _words.rate(result.partsum_rate))
        ratio = _words.ratio(result.ratio, _words.TYPESET)
        cells = (result.peer, *rates, ratio, _words.VERDICTS[result.winner])
        yield f'<tr role="row"><th role="rowheader" scope="row">{escape(result.title)}</th>'
        for column, cell in zip(COLUMNS, cells, strict=True):
            kind = KINDS.get(column, "")
            yield f'<td role="cell" data-label="{column}"{kind}>{escape(cell)}</td>'
        yield "</tr>"
    yield "</tbody>\n</table>"
