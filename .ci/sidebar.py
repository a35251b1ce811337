#!/usr/bin/env python3
"""Write both sidebars of the site from the notebooks that exist; `--check` only says whether they are in step.

`nbs/website.yml` serves renders from the root (`quarto render`), `nbs/sidebar.yml` those from `nbs` (nbdev).
The number of a notebook gives its part; its first heading gives the text. Pages of text come last.
"""
import json, sys
from project import ROOT, notebooks, number, pages, title

PARTS = {
    'Foundations': range(0, 10), 'Theory': range(10, 20), 'Data': range(20, 30), 'Training': range(30, 40), 'Models': range(40, 70),
    'Evaluation': range(70, 80), 'Programs': range(80, 90), 'Tutorials': range(90, 95), 'Experiments': range(95, 100)}

TEXTS = 'The project'                          # the part of pages that are no notebooks
RENDERED = ['nbs/*.ipynb', 'nbs/*.md']         # what _quarto.yml must render

HEAD = "# Written by .ci/sidebar.py from the notebooks: do not edit\n"
NBS = "bibliography: references.bib\n"
SUBDIR = "  repo-subdir: nbs\n"

def part(path):
    "Name of the part that a notebook belongs to"
    for name, nums in PARTS.items():
        if number(path) in nums: return name
    raise ValueError(f'{path.name}: no part of the site has number {number(path)}; see PARTS in .ci/sidebar.py')

def render(root=ROOT, prefix=''):
    "YAML of a sidebar whose links start with `prefix`"
    nbs = notebooks(root)
    out = ['website:\n', '' if prefix else SUBDIR, '  sidebar:\n    style: floating\n    collapse-level: 1\n    contents:\n']
    def item(p, pad): return f'{pad}- text: {json.dumps(title(p), ensure_ascii=False)}\n{pad}  href: {prefix}{p.name}\n'
    out += [item(p, ' '*6) for p in nbs if number(p) is None]
    parts = {name: [p for p in nbs if number(p) is not None and part(p) == name] for name in PARTS}
    parts[TEXTS] = pages(root)
    for name,here in parts.items():
        if here: out += [f'      - section: {name}\n        contents:\n', *(item(p, ' '*10) for p in here)]
    return HEAD+('' if prefix else NBS)+''.join(out)

def files(root=ROOT): return {root/'nbs'/'sidebar.yml': render(root)}

def stale(root=ROOT):
    "Sidebars that differ from what the notebooks say"
    return [f'nbs/{f.name} is out of step: run python .ci/sidebar.py' for f,s in files(root).items() if not f.exists() or f.read_text(encoding='utf-8')!=s]

if __name__ == '__main__':
    if '--check' in sys.argv: sys.exit('\n'.join(stale()) or None)
    for f,s in files().items(): f.write_text(s, encoding='utf-8')
