#!/usr/bin/env python3
"""README.md from nbs/index.ipynb.

readme.py             write README.md
readme.py --check     say whether it is in step
readme.py --command N print the N-th shell command of the README
"""
import json, re, sys
from project import GENERATED, ROOT, directives, is_exported, read, settings, source

def visible(nb):
    "Cells as the README shows them: directives obeyed, front matter left out"
    out = []
    for c in nb['cells']:
        d = directives(c) if c['cell_type']=='code' else {}
        if c['cell_type']=='raw' or 'hide' in d or 'default_exp' in d or d.get('include')=='false': continue
        if c['cell_type']=='code':
            src = re.sub(r'(?m)^\s*#\s*\|.*\n?', '', source(c))
            if d.get('echo')=='false' or is_exported(c) and 'exports' not in d: src = ''
            c = {**c, 'source': src, 'outputs': [] if d.get('output')=='false' else c.get('outputs', [])}
        out.append(c)
    return {**nb, 'cells': out, 'metadata': {'language_info': {'name': 'python'}}}

def of_site(name):
    "Address on the site of a page that is written when the site is rendered"
    s = settings()
    site = (s['doc_host']+s['doc_baseurl']).replace('%(user)s', s['user']).replace('%(repo)s', s['repo'])
    return f"{site}/{name.replace('.md', '.html')}"

def relink(text):
    "Links that are relative to nbs/ made relative to the root"
    text = re.sub(r'(?<=\]\()([\w.]+\.md)', lambda m: of_site(m[1]) if m[1] in GENERATED else m[1], text)
    fix = lambda m: m.group(1)+(m.group(2) if re.match(r'[a-z]+:|#|/|\.\./', m.group(2)) else 'nbs/'+m.group(2))
    text = re.sub(r'(\]\()([^)\s]+)', fix, text)
    text = re.sub(r'(\b(?:src|href)=")([^"]+)', fix, text)
    return text.replace('](../', '](').replace('="../', '="')

def for_github(text):
    "Prose without what only Quarto understands"
    text = re.sub(r'(?m)^:{3,}.*\n?', '', text)
    return relink(re.sub(r'[ \t]*\{(?:[#.]|fig-)[^}\n]*\}', '', text))

def render(root=ROOT):
    import nbformat
    from nbconvert import MarkdownExporter
    nb = nbformat.reads(json.dumps(visible(read(root/'nbs'/'index.ipynb'))), as_version=4)
    md, extra = MarkdownExporter().from_notebook_node(nb)
    if extra.get('outputs'): raise ValueError('nbs/index.ipynb stores a picture as an output; link a file under nbs/images/ instead')
    parts = re.split(r'(?s)(```.*?```)', md.replace('```python\n\n```', ''))
    md = ''.join(x if x.startswith('```') else for_github(x) for x in parts)
    return '<!-- Written by .ci/readme.py from nbs/index.ipynb: do not edit -->\n\n'+re.sub(r'\n{3,}', '\n\n', md).strip()+'\n'

def stale(root=ROOT):
    if not (root/'nbs'/'index.ipynb').exists(): return ['nbs/index.ipynb is missing']
    f = root/'README.md'
    return [] if f.exists() and f.read_text(encoding='utf-8')==render(root) else ['README.md is out of step with nbs/index.ipynb: run python .ci/readme.py']

def command(n, root=ROOT):
    "The n-th shell command of the README, counted from 1"
    return re.findall(r'(?s)```(?:sh|bash)\n(.*?)```', (root/'README.md').read_text(encoding='utf-8'))[n-1].strip()

if __name__=='__main__':
    if '--check' in sys.argv: sys.exit('\n'.join(stale()) or None)
    elif '--command' in sys.argv: print(command(int(sys.argv[-1])))
    else: (ROOT/'README.md').write_text(render(), encoding='utf-8')
