#!/usr/bin/env python3
"""Give every notebook the hidden cell that makes it run in Colab; to be run again after notebooks were added.

Colab opens a notebook alone: the cell installs the package from the repository, and brings the files that the notebook reads.
Elsewhere it does nothing.
"""
import hashlib, re
from project import ROOT, cells, directives, notebooks, read, settings, source, write

FILES = {'results': r"""['"]results['"/]|results/""", 'papers.csv': r'papers\.csv', 'ledger': r"""['"]ledger['"/]|ledger/""", 'images': r"images/"}

def url(root):
    s = settings(root)
    return s['git_url'].replace('%(user)s', s['user']).replace('%(repo)s', s['repo'])

def needs(path):
    "What lies beside the notebooks that this one reads"
    text = '\n'.join(source(c) for c in cells(path, 'code') if not is_install(c))
    return [f for f,rx in FILES.items() if re.search(rx, text)]

def install(path, root=ROOT):
    "Source of the cell"
    lines = ['#| hide', '#| eval: false', '# In Colab: install the package', f'! [ -d /content ] && pip install -q git+{url(root)}']
    files = needs(path)
    if files:
        copies = ' '.join(f'repo/nbs/{f}' for f in files)
        lines.append(f'! [ -d /content ] && git clone -q --depth 1 {url(root)} repo && cp -r {copies} .')
    return '\n'.join(lines)

def is_install(c): return c['cell_type']=='code' and '# In Colab:' in source(c)

def lacks(path, root=ROOT):
    "What is wrong with the cell of a notebook, or None"
    code = cells(path, 'code')
    if not code: return None
    if not is_install(code[0]): return 'no cell that installs in Colab'
    if source(code[0])!=install(path, root): return 'its cell for Colab is out of step'

def give(path, root=ROOT):
    nb = read(path)
    have = [c for c in nb['cells'] if not is_install(c)]
    at = next((i for i,c in enumerate(have) if c['cell_type']=='code'), None)
    if at is None: return
    text = install(path, root)
    new = {'cell_type': 'code', 'execution_count': None, 'id': hashlib.md5(text.encode()).hexdigest()[:8], 'metadata': {},
           'outputs': [], 'source': text.splitlines(keepends=True)}
    write(path, {**nb, 'cells': [*have[:at], new, *have[at:]]})

if __name__=='__main__':
    for p in notebooks():
        if lacks(p): give(p)
