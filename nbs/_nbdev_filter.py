"Give plain Quarto what nbdev gives its own renders: signatures, links, hidden cells. Notebook on stdin, notebook on stdout."
import json, os, sys
from contextlib import redirect_stdout
from pathlib import Path

def find(nb):
    "Quarto does not tell the file name: it is the notebook here with the same cells"
    same = lambda f: [c['source'] for c in json.loads(f.read_text(encoding='utf-8'))['cells']]==[c['source'] for c in nb['cells']]
    return next((f for f in sorted(Path.cwd().glob('*.ipynb')) if same(f)), None)

def process(text):
    "The notebook `text` after nbdev's default filters"
    from execnb.nbio import dict2nb, nb2str
    from nbdev.processors import FilterDefaults
    os.environ['IN_TEST'] = '1'
    d = json.loads(text)
    path, nb = find(d), dict2nb(d)
    nb.path_ = path or Path('unknown.ipynb')
    with open(os.devnull, 'w') as null, redirect_stdout(null): FilterDefaults()(nb)
    if not path: nb.cells[0].source = nb.cells[0].source.replace('output-file: unknown.html\n', '')
    return nb2str(nb)

if __name__=='__main__': sys.stdout.write(process(sys.stdin.read()))
