"What every script here needs: where things lie, and notebooks as plain dictionaries"
import ast, json, os, re, subprocess, sys
from configparser import ConfigParser
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EXPORT = {'export', 'exports', 'exporti'}

def notebooks(root=ROOT): return sorted((Path(root)/'nbs').glob('*.ipynb'))

def pages(root=ROOT):
    "Pages of the site that are text and no notebook"
    return sorted((Path(root)/'nbs').glob('*.md'))

# Pages that .ci/site_pages.py writes when the site is rendered, and their titles
GENERATED = {'gallery.md': 'Results and figures', 'equations.md': 'Equations', 'api.md': 'API'}

def read(path): return json.loads(Path(path).read_text(encoding='utf-8'))

def source(cell): return ''.join(cell['source'])

def text_of(x): return x if isinstance(x, str) else ''.join(x)

def write(path, nb): Path(path).write_text(json.dumps(nb, indent=1, ensure_ascii=False)+'\n', encoding='utf-8')

def cells(path, kind=None):
    "Cells of a notebook; a page of text is one cell of markdown"
    path = Path(path)
    if path.suffix == '.md': have = [{'cell_type': 'markdown', 'source': path.read_text(encoding='utf-8')}]
    else: have = read(path)['cells']
    return [c for c in have if kind in (None, c['cell_type'])]

def directives(cell):
    "`{name: rest of the line}` of the leading `#|` lines of a code cell"
    found = re.match(r'(?:\s*#\s*\|.*\n?)*', source(cell)).group()
    pairs = re.findall(r'(?m)^\s*#\s*\|\s*([\w-]+):?[ \t]*(.*)$', found)
    return {k: v.strip() for k,v in pairs}

def is_exported(cell): return cell['cell_type']=='code' and bool(EXPORT & directives(cell).keys())

def code_of(cell):
    "Source without directives and without notebook magics"
    return re.sub(r'(?m)^\s*(#\s*\||%|!).*$', '', source(cell))

def parse(cell):
    "Syntax tree of a code cell (empty where it is not plain Python)"
    try: return ast.parse(code_of(cell))
    except SyntaxError: return ast.parse('')

def number(path):
    "Number of a notebook, which is its layer (None for `index`)"
    m = re.match(r'(\d+)_', Path(path).name)
    return int(m.group(1)) if m else None

def module(path):
    "Module that a notebook exports, without the package name, or None"
    for c in cells(path, 'code'):
        if 'default_exp' in directives(c): return directives(c)['default_exp']

def title(path):
    "First heading of a notebook; a page of text says its title in its front matter"
    rx = r'(?m)^title: *(.+?) *$' if Path(path).suffix == '.md' else r'(?m)^# +(.+?) *$'
    for c in cells(path, 'markdown'):
        m = re.search(rx, source(c))
        if m: return m.group(1)
    return Path(path).stem

def settings(root=ROOT):
    cp = ConfigParser(delimiters=['='], interpolation=None)
    cp.read(Path(root)/'settings.ini', encoding='utf-8')
    return dict(cp['DEFAULT'])

def sh(*args, cwd=ROOT, ok=True, **env):
    "Run a command quietly; a failure shows all it printed"
    e = {k: v for k,v in os.environ.items() if k!='IN_TEST'}
    r = subprocess.run([str(a) for a in args], cwd=cwd, env={**e, 'PYTHONWARNINGS': 'ignore', **env}, text=True, capture_output=True, stdin=subprocess.DEVNULL)
    if ok and r.returncode: raise RuntimeError(f"{' '.join(map(str, args))}\n{r.stdout}{r.stderr}")
    return r.stdout if ok else r

def python(*args, **kw): return sh(sys.executable, *args, **kw)
