#!/usr/bin/env python3
"""Write the sidebar of the site from the notebooks that exist; `--check` only says whether it is in step.

The number of a notebook gives its part; its first heading gives the text. Overviews come first, other pages of text last.
"""
import json, sys
from project import GENERATED, ROOT, notebooks, number, pages, title

PARTS = { # In the order of a reader, who meets the theory before what programs are built on
    'A first chapter': range(0, 1), 'Theory': range(10, 20), 'Foundations': range(1, 10), 'Data': range(20, 30),
    'Training': range(30, 40), 'Models': range(40, 70), 'Evaluation': range(70, 80), 'Programs': range(80, 90), 'Tutorials': range(90, 95), 'Experiments': range(95, 100)}

FIND = 'Find'                                  # overviews
OVERVIEWS = ['begin.md', 'models.md', 'gallery.md', 'equations.md', 'errata.md', 'api.md']
TEXTS = 'The project'                          # other pages that are no notebooks
ALONE = {'404.md'}                             # nowhere listed
RENDERED = ['*.ipynb', '*.md']                 # what _quarto.yml must render

HEAD = "# Written by .ci/sidebar.py from the notebooks: do not edit\n"
SUBDIR = "  repo-subdir: nbs\n"

def part(path):
    "Name of the part that a notebook belongs to"
    for name, nums in PARTS.items():
        if number(path) in nums: return name
    raise ValueError(f'{path.name}: no part of the site has number {number(path)}; see PARTS in .ci/sidebar.py')

def render(root=ROOT):
    "YAML of the sidebar"
    nbs = notebooks(root)
    out = [SUBDIR, '  sidebar:\n    style: floating\n    collapse-level: 1\n    contents:\n']
    def item(name, text, pad): return f'{pad}- text: {json.dumps(text, ensure_ascii=False)}\n{pad}  href: {name}\n'
    out += [item(p.name, title(p), ' '*6) for p in nbs if number(p) is None]
    names = {p.name: title(p) for p in pages(root)} | GENERATED
    parts = {FIND: [(k, names[k]) for k in OVERVIEWS if k in names]}
    parts |= {name: [(p.name, title(p)) for p in nbs if number(p) is not None and part(p) == name] for name in PARTS}
    parts[TEXTS] = [(k, v) for k,v in sorted(names.items()) if k not in OVERVIEWS and k not in ALONE]
    for name,here in parts.items():
        if here: out += [f'      - section: {name}\n        contents:\n', *(item(k, v, ' '*10) for k,v in here)]
    return HEAD+'website:\n'+''.join(out)

def files(root=ROOT): return {root/'nbs'/'sidebar.yml': render(root)}

def stale(root=ROOT):
    "Sidebars that differ from what the notebooks say"
    return [f'nbs/{f.name} is out of step: run python .ci/sidebar.py' for f,s in files(root).items() if not f.exists() or f.read_text(encoding='utf-8')!=s]

if __name__ == '__main__':
    if '--check' in sys.argv: sys.exit('\n'.join(stale()) or None)
    for f,s in files().items(): f.write_text(s, encoding='utf-8')
