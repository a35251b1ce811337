"""Checks of notebooks, modules and package. Each is a function of the project folder that returns a list of problems.

`python .ci/checks.py` runs all of them on the tree, with those of docs.py; `python .ci/checks.py budgets layers` runs some,
and `python .ci/checks.py quick` those that take a second or two each (the ones that a commit waits for).
"""
import ast, base64, fnmatch, json, re, shutil, sys, tempfile, zipfile
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path
import density as dense
from project import ROOT, cells, code_of, directives, is_exported, module, notebooks, number, parse, python, settings, source, text_of

PKG = 'mmvae_nb'
COPIED = [
    'nbs', PKG, '.github', 'settings.ini', 'setup.py', '_quarto.yml', 'README.md', 'LICENSE',
    '.gitattributes', '.gitignore', '.pre-commit-config.yaml',
]
TOP = {*COPIED, '.ci'}

def copy(root, dest):
    "What the project consists of, copied to `dest`"
    dest.mkdir(parents=True, exist_ok=True)
    for name in COPIED:
        if (root/name).is_dir(): shutil.copytree(root/name, dest/name, ignore=shutil.ignore_patterns('__pycache__', '.*checkpoints'))
        elif (root/name).exists(): shutil.copy2(root/name, dest/name)
    return dest

@contextmanager
def sandbox(root):
    "A copy of the project that may be written to; the tree itself is never touched"
    with tempfile.TemporaryDirectory(prefix='mmvae-nb-') as d: yield copy(Path(root), Path(d)/'project')

def entry(name, args=''): return f'from nbdev.{name} import *; {args}'

# ---------------------------------------------------------------- notebooks and modules in step

def clean(root):
    "`nbdev_clean` changes no notebook"
    with sandbox(root) as d:
        python('-c', 'from nbdev.clean import nbdev_clean; nbdev_clean()', cwd=d)
        return [f'{p.name}: not clean, run nbdev_clean' for p in notebooks(root) if p.read_bytes()!=(d/'nbs'/p.name).read_bytes()]

def tree(folder): return {p.relative_to(folder).as_posix(): p.read_text(encoding='utf-8') for p in folder.rglob('*.py')}

BY_HAND = {'all.py', '__main__.py'}   # a cell that exports what runs as `__main__` would run in its notebook

def exported(root):
    "`nbdev_export` from nothing gives exactly the modules that are there"
    with sandbox(root) as d:
        have = tree(d/PKG)
        for f in have:
            if f not in BY_HAND: (d/PKG/f).unlink()
        python('-c', 'from nbdev.doclinks import nbdev_export; nbdev_export()', cwd=d)
        made = tree(d/PKG)
    return [f'{PKG}/{f}: '+('no notebook writes it' if f not in made else 'missing, run nbdev_export' if f not in have else 'differs from its notebook, run nbdev_export')
            for f in sorted(have.keys()|made.keys()) if have.get(f)!=made.get(f)]

PROGRAMS = {'app.checks', 'app.cli', 'app.plan', 'app.commands', 'app.bench', 'app.rival', *('exp.'+k for k in 'study digits shapes missing private shortcut cmmd sounds ledger recipes small'.split())}   # run, not imported

def public(file):
    "The names in `__all__` of a module"
    for n in ast.parse(file.read_text(encoding='utf-8')).body:
        if isinstance(n, ast.Assign) and ast.unparse(n.targets[0])=='__all__': return ast.literal_eval(n.value)
    return []

MOST = 320   # names in `all`
HIDDEN = {'models.mmvaeplus_dreg', 'eval.habits', 'eval.faults'}   # modules of which users need nothing

def listed(root):
    "What `all.py` imports: (module, name)"
    tree_ = ast.parse((root/PKG/'all.py').read_text(encoding='utf-8'))
    return [(n.module, a.name) for n in tree_.body if isinstance(n, ast.ImportFrom) for a in n.names]

def all_lists(root):
    "`all.py` names what users need: every name exists where it is taken from, none stands there twice, no star, not too many"
    pairs, out = listed(root), []
    for m,name in pairs:
        file = root/PKG/f"{m.replace('.', '/')}.py"
        if not file.exists(): out.append(f'{PKG}/all.py: there is no module {m}')
        elif name not in public(file): out.append(f'{PKG}/all.py: {m} exports no {name!r}')
    names = [name for _,name in pairs]
    out += [f'{PKG}/all.py: {name!r} is there twice' for name in sorted({n for n in names if names.count(n)>1})]
    absent = {module(p) for p in notebooks(root)}-{None}-PROGRAMS-{m for m,_ in pairs}
    out += [f'{PKG}/all.py takes nothing from {m}' for m in sorted(absent) if m not in HIDDEN]
    if len(names)>MOST: out.append(f'{PKG}/all.py has {len(names)} names, at most {MOST}')
    return out

COMPLETE = """
import importlib, jedi, os, sys
from jedi.api.environment import InterpreterEnvironment
from torch.nn import Module
root, *modules = sys.argv[1:]
paths = [root, os.path.dirname(os.__file__)]       # torch is not looked into: that would take minutes
project = jedi.Project(root, sys_path=paths, smart_sys_path=False)
for name in modules:
    for cls in vars(importlib.import_module(name)).values():
        if not (isinstance(cls, type) and hasattr(cls, 'generate') and cls.__module__==name): continue
        if cls.__name__.startswith('_'): continue
        code = f'import {name}\\nm = {name}.{cls.__name__}()\\nm.'
        script = jedi.Script(code, path=root+'/x.py', environment=InterpreterEnvironment(), project=project)
        offered = {c.name for c in script.complete(3, 2)}
        have = {k for k in dir(cls) if not k.startswith('_') and k not in dir(Module)}
        for k in sorted(have-offered): print(name, cls.__name__, k)
"""

def completion(root):
    "An editor offers every public method of every model (jedi, which runs nothing)"
    mods = [f'{PKG}.{module(p)}' for p in notebooks(root) if (module(p) or '').startswith('models.')]
    missing = python('-c', COMPLETE, root, *(mods or [f'{PKG}.core']), cwd=root).splitlines()
    return [f'{m}: an editor does not offer {cls}.{k}; define it in the class body' for m,cls,k in map(str.split, missing)]

# ---------------------------------------------------------------- layers

def imports(tree_):
    "Imported modules of a syntax tree: (dotted name, node), and whether each stands at the top level"
    top = set(map(id, tree_.body))
    for node in ast.walk(tree_):
        if isinstance(node, ast.Import): yield from ((a.name, id(node) in top) for a in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module, id(node) in top
            if node.module==PKG or node.module.startswith(PKG+'.'): yield from ((f'{node.module}.{a.name}', id(node) in top) for a in node.names)

PARTS = {0: 'foundations', 1: 'theory', 2: 'data', 3: 'training', 4: 'models', 7: 'evaluation', 8: 'programs', 9: 'tutorials and experiments'}
CORE = {0, 1, 4}        # torch, nflows and scikit-learn only
SHUT = {4: {2, 3}}      # parts that another part never imports, though they are lower

def part(n):
    "The first digit of a notebook's number says its part; 4, 5 and 6 are the models"
    return 4 if n//10 in (5, 6) else n//10

def arrow(n, to):
    "What is wrong with exported code of notebook `n` that imports from notebook `to`, or None"
    mine, other = part(n), part(to)
    if other>mine: return f'of {PARTS[other]}, a higher part'
    if other in SHUT.get(mine, ()): return f'of {PARTS[other]}; {PARTS[mine]} import neither data nor training nor evaluation'
    if other==mine and to>=n: return f'of notebook {to:02d}, which is not before this one'

def heavy(lib, n, name, at_top):
    "What is wrong with exported code of notebook `n`, module `name`, that imports a library, or None"
    if lib=='fastai' and part(n) in CORE: return f'fastai, which {PARTS[part(n)]} do without'
    if lib=='matplotlib' and name!='viz': return 'matplotlib; only viz may'
    if lib=='pandas' and at_top and part(n) in CORE|{2}: return f'pandas at the top level, which {PARTS[part(n)]} do without'

def layers(root):
    "Exported code imports only from lower parts, and from earlier notebooks of its own; heavy libraries only where they belong"
    nbs, out = notebooks(root), []
    numbers = {f'{PKG}.{module(p)}': number(p) for p in nbs if module(p)}
    for p in nbs:
        n, mine = number(p), module(p)
        for c in cells(p, 'code'):
            exp = is_exported(c)
            for name, at_top in imports(parse(c)):
                if name==f'{PKG}.all' and (exp or mine): out.append(f'{p.name}: imports {name}; only notebooks that export nothing may')
                if not exp or n is None or name==f'{PKG}.{mine}': continue
                if name==f'{PKG}.viz' and part(n)<7: out.append(f'{p.name}: exported code imports viz, which draws; only evaluation and above may')
                elif name in numbers and (wrong := arrow(n, numbers[name])): out.append(f'{p.name}: exported code imports {name} {wrong}')
                if wrong := heavy(name.split('.')[0], n, mine, at_top): out.append(f'{p.name}: exported code imports {wrong}')
    return sorted(set(out))

def pure_imports(root):
    "nbdev executes every cell that has an import when it builds the docs, so such a cell holds nothing else"
    def mixed(c):
        t = parse(c)
        has = any(isinstance(n, (ast.Import, ast.ImportFrom)) for n in ast.walk(t))
        return has and not is_exported(c) and not all(isinstance(n, (ast.Import, ast.ImportFrom)) for n in t.body)
    return [f'{p.name}: imports and code in one cell: {code_of(c).strip().splitlines()[0][:60]!r}' for p in notebooks(root) for c in cells(p, 'code') if mixed(c)]

LIGHT = """
import sys, importlib
for m in sys.argv[2:]: importlib.import_module(m)
bad = [m for m in sys.argv[1].split(',') if m in sys.modules]
print(*bad)
"""

def light(root):
    "Models import neither fastai nor matplotlib, and the lower layers no fastai"
    mods = {number(p): f'{PKG}.{module(p)}' for p in notebooks(root) if module(p)}
    def found(libs, names): return [f"importing {', '.join(names)} imports {b}" for b in python('-c', LIGHT, libs, *names, cwd=root).split()] if names else []
    jmvae = [m for m in mods.values() if m.endswith('models.jmvae')]
    return found('fastai,matplotlib,pandas,IPython', jmvae) + found('fastai', [m for n,m in mods.items() if part(n) in CORE])

# ---------------------------------------------------------------- house style

LIMITS = dict(hard=40, used=.9, hidden=.2, markdown=(.25, .5), words=120, figures=(1, 5), figure_kb=80, notebook_kb=500)

def n_lines(c): return sum(bool(l.strip()) for l in code_of(c).splitlines())

def n_words(text):
    "Words of a markdown cell; a formula counts as one"
    text = re.sub(r'(?s)\$\$.*?\$\$', ' ', text)
    text = re.sub(r'\$[^$\n]+\$', ' x ', text)
    text = re.sub(r'\]\([^)]*\)', ']', text)
    return sum(bool(re.search(r'\w', w)) for w in text.split())

def patched(node): return any('patch' in ast.unparse(d) for d in getattr(node, 'decorator_list', []))

def symbols(c):
    "Public names that an exported cell defines, patched methods included"
    out = []
    for n in parse(c).body:
        if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)): out.append(n.name)
        elif isinstance(n, ast.Assign): out += [t.id for t in n.targets if isinstance(t, ast.Name)]
    return [s for s in dict.fromkeys(out) if not s.startswith('_') and s!='forward']   # torch calls `forward`

def names_in(c):
    "Names and attributes that the code of a cell mentions"
    t = parse(c)
    return {n.id for n in ast.walk(t) if isinstance(n, ast.Name)} | {n.attr for n in ast.walk(t) if isinstance(n, ast.Attribute)} | {
        n.arg for n in ast.walk(t) if isinstance(n, ast.keyword)}

def shown(c): return not {'hide', 'export', 'exporti', 'default_exp'} & directives(c).keys() and directives(c).get('include')!='false'

def use(code):
    "Exported public symbols that are used visibly within the next three code cells, and those that are not"
    yes, no = [], []
    for i,c in enumerate(code):
        if not is_exported(c): continue
        near = set().union(*(names_in(d) for d in code[i+1:i+4] if shown(d)), set())
        for s in symbols(c): (yes if s in near else no).append(s)
    return yes, no

def is_test(c): return not is_exported(c) and bool(re.search(r'(?m)^\s*assert |\btest_\w+\(|\bexpect_fail\b|\bExceptionExpected\b', code_of(c)))

def images(c):
    for o in c.get('outputs', []):
        for k,v in o.get('data', {}).items():
            if k.startswith('image/'): yield len(text_of(v).encode()) if 'svg' in k else len(base64.b64decode(text_of(v)))

def linked(p): return sum(len(re.findall(r'!\[[^\]]*\]\((?!http)[^)]+\)', source(c))) for c in cells(p, 'markdown'))

def measure(p):
    "The numbers of one notebook"
    all_, code, md = cells(p), cells(p, 'code'), cells(p, 'markdown')
    lines = [n_lines(c) for c in code if is_exported(c)] or [0]
    yes, no = use(code)
    tests = [c for c in code if is_test(c)]
    figs = [k for c in code for k in images(c)]
    return dict(longest=max(lines), used=len(yes)/max(1, len(yes)+len(no)) if yes or no else 1., unused=no,
                hidden=sum('hide' in directives(c) for c in tests)/max(1, len(tests)), markdown=len(md)/max(1, len(all_)),
                words=max([n_words(source(c)) for c in md] or [0]), figures=len(figs)+linked(p), figure_kb=max(figs or [0])/1000, kb=p.stat().st_size/1000)

def over(p, m):
    "What a notebook spends beyond its budget"
    L = LIMITS
    rules = [(m['longest']<=L['hard'], f"an exported cell of {m['longest']} lines"),
             (m['used']>=L['used'], f"{m['used']:.0%} of exported symbols used within 3 cells; not: {', '.join(m['unused'])}"),
             (m['hidden']<=L['hidden'], f"{m['hidden']:.0%} of tests hidden"), (m['words']<=L['words'], f"a markdown cell of {m['words']} words"),
             (L['markdown'][0]<=m['markdown']<=L['markdown'][1] or number(p) is None, f"{m['markdown']:.0%} markdown cells"),
             (L['figures'][0]<=m['figures']<=L['figures'][1], f"{m['figures']} figures"), (m['figure_kb']<=L['figure_kb'], f"a figure of {m['figure_kb']:.0f} KB"),
             (m['kb']<=L['notebook_kb'], f"{m['kb']:.0f} KB")]
    return [f'{p.name}: {msg}' for ok,msg in rules if not ok]

def names_known(root):
    "Every module imports what it uses, and uses what it imports"
    from pyflakes import checker, messages
    told = messages.UndefinedName, messages.UnusedImport, messages.UnusedVariable
    return [f'{PKG}/{f}: line {m.lineno}: {m.message % m.message_args}' for f,text in tree(root/PKG).items() if f!='all.py'
            for m in checker.Checker(ast.parse(text), f).messages if isinstance(m, told)]

def budgets(root):
    "Budgets of the house style; prints a table"
    rows = {p: measure(p) for p in notebooks(root)}
    print(f"{'notebook':28} longest  used hidden markdown words figures  max KB  KB")
    for p,m in rows.items():
        print(f"{p.stem:28} {m['longest']:7d} {m['used']:5.0%} {m['hidden']:6.0%} {m['markdown']:8.0%} {m['words']:5d} {m['figures']:7d} {m['figure_kb']:7.0f} {m['kb']:3.0f}")
    return [x for p,m in rows.items() for x in over(p, m)]

KNOWN = {'default_exp', 'export', 'exports', 'exporti', 'hide', 'hide_line', 'filter_stream', 'exec_doc', 'slow', 'cuda', 'data'}
QUARTO = {'echo', 'eval', 'output', 'include', 'warning', 'error', 'code-fold', 'code-summary', 'label', 'layout', 'layout-ncol', 'column', 'fig-cap',
          'fig-alt', 'fig-width', 'fig-height', 'tbl-cap'}

def directive_lines(root):
    "Directives are ones that nbdev or Quarto know, `key: value` with a space, and no bare one after a `key: value` line"
    out = []
    for p in notebooks(root):
        for c in cells(p, 'code'):
            keyed = False
            for l in source(c).splitlines():
                m = re.match(r'\s*#\s*\|\s*([\w-]+)(:?)(.*)', l)
                if not m: break
                k, colon, rest = m.groups()
                if k not in (QUARTO if colon else KNOWN): out.append(f'{p.name}: {l.strip()!r} means nothing to '+('Quarto' if colon else 'nbdev'))
                elif colon and not rest.startswith(' '): out.append(f'{p.name}: {l.strip()!r} needs a space after the colon')
                elif not colon and keyed: out.append(f'{p.name}: bare {l.strip()!r} after a key: value line')
                keyed |= bool(colon)
    return out

# ---------------------------------------------------------------- stored outputs

PRIVATE = {'an absolute path': r'(?<![\w.:/~])/(home|root|Users|tmp|work|opt|mnt|var|private|content)/\w|[A-Z]:\\\\?Users|site-packages',
           'an address in memory': r'\b0x[0-9a-f]{6,}', 'a timing': r'Wall time|CPU times|\d+:\d\d<|\bit/s\b|\bs/it\b|\b\d+(\.\d+)? ?(ms|µs|us|secs?|seconds|minutes) (per|elapsed|total)|elapsed|\b00:\d\d\b',
           'a progress bar': r'<progress|\d+%\|', 'a warning': r'\b\w*Warning:'}
FLAGS = {'slow', 'cuda', 'data'}

def output_text(c):
    for o in c.get('outputs', []):
        if o['output_type']=='stream': yield text_of(o['text'])
        for k,v in o.get('data', {}).items():
            if k.startswith('text/'): yield text_of(v)

def expects(c):
    "Kind of output that the last statement or a plotting call of a cell must have left"
    t, code = parse(c), code_of(c)
    if not t.body: return None
    top = [n for n in t.body if not isinstance(n, (ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef))]
    calls = {ast.unparse(n.func) for s in top for n in ast.walk(s) if isinstance(n, ast.Call)}
    if calls & {'plt.show', 'plt.subplots', 'plt.figure', 'plt.plot', 'plt.imshow'}: return 'image'
    if any(isinstance(n, ast.Expr) and isinstance(n.value, ast.Call) and ast.unparse(n.value.func)=='print' for n in top): return 'text'
    last = t.body[-1]
    if isinstance(last, ast.Expr) and isinstance(last.value, (ast.Name, ast.Tuple, ast.List, ast.Dict, ast.BinOp, ast.Compare, ast.Subscript, ast.JoinedStr)) and not code.rstrip().endswith(';'): return 'text'

def outputs(root):
    "Outputs are stored, free of errors, private paths, timings, warnings and progress bars"
    out = []
    for p in notebooks(root):
        for c in cells(p, 'code'):
            d, outs = directives(c), c.get('outputs', [])
            head = f'{p.name}: {code_of(c).strip().splitlines()[0][:50]!r}' if code_of(c).strip() else p.name
            if any(o['output_type']=='error' for o in outs): out.append(f'{head} stores an error')
            if any(o.get('name')=='stderr' for o in outs): out.append(f'{head} stores what went to stderr')
            for what,rx in PRIVATE.items():
                for t in output_text(c):
                    if m := re.search(rx, t): out.append(f'{head} stores {what}: {m.group()!r}')
            if d.get('eval')=='false' or FLAGS & d.keys(): continue
            want = expects(c)
            if want=='image' and not any(images(c)) or want=='text' and not outs: out.append(f'{head} has no {want} stored: run the notebook')
    return out

# ---------------------------------------------------------------- top level, README, package

def ignored(root):
    pats = [l.strip().rstrip('/').lstrip('/') for l in (root/'.gitignore').read_text().splitlines() if l.strip()]
    return lambda name: any(fnmatch.fnmatch(name, p) for p in pats)

def top_level(root):
    "The top level is exactly what the design says"
    skip, here = ignored(root), {p.name for p in root.iterdir()}-{'.git'}
    if root!=ROOT: here |= {'.ci'}   # a sandbox has no copy of the checks
    return [f'{n} does not belong at the top level' for n in sorted(here-TOP) if not skip(n)]+[f'{n} is missing' for n in sorted(TOP-here)]

def readme_in_step(root):
    "README.md is what nbs/index.ipynb renders to"
    import readme
    return readme.stale(root)

def package(root):
    "sdist -> wheel -> import, with every module and console script inside"
    with sandbox(root) as d:
        r = python('-m', 'build', '--no-isolation', '--outdir', d.parent/'dist', d, cwd=d, ok=False)
        if r.returncode: return ['the package does not build: '+(r.stderr or r.stdout).strip()[-400:]]
        wheel = next((d.parent/'dist').glob('*.whl'))
        site = d.parent/'site'
        with zipfile.ZipFile(wheel) as z: z.extractall(site); names = set(z.namelist())
        where = python('-c', f'import sys; sys.path.insert(0, {str(site)!r}); import {PKG}.core as m; print(m.__file__)', cwd=d.parent).strip()
        want = {f'{PKG}/{f}' for f in tree(root/PKG)}
        points = next(site.glob('*.dist-info'))/'entry_points.txt'
        said = points.read_text() if points.exists() else ''
    scripts = [s.split('=')[0] for s in settings(root)['console_scripts'].split()]
    return ([f'wheel lacks {f}' for f in sorted(want-names)]+[f'wheel lacks the command {s}' for s in scripts if s not in said]
            +([] if where.startswith(str(site)) else [f'imported {where} instead of the wheel']))

# ---------------------------------------------------------------- lines that a person can read

DENSITY = dict(median=13, p90=28, longest=60, width=120)   # syntax nodes of simple statements; characters of a line

def label(root, file): return file.relative_to(root/PKG).as_posix()

def by_nbdev(tree_):
    "Numbers of the lines of `__all__`, which nbdev writes, and wraps a little beyond its own limit"
    lists = [n for n in tree_.body if isinstance(n, ast.Assign) and ast.unparse(n.targets[0]) == '__all__']
    return {i for n in lists for i in range(n.lineno, n.end_lineno+1)}

def wide_lines(root):
    "`(where, length)` of lines beyond the width: in modules, and in code cells that no module shows"
    for file in dense.modules(root/PKG):
        text = file.read_text(encoding='utf-8')
        skip = by_nbdev(ast.parse(text))
        for i,line in enumerate(text.splitlines(), 1):
            if i not in skip: yield f'{PKG}/{label(root, file)}: line {i}', len(line)
    for p in notebooks(root):
        for c in cells(p, 'code'):
            for line in code_of(c).splitlines():
                if not is_exported(c): yield f'{p.name}: {line.strip()[:50]!r}', len(line)

def density(root):
    "One idea a line: few syntax nodes in a statement, and lines that fit; prints the numbers"
    found = [(*row, f'{PKG}/{label(root, f)}') for f in dense.modules(root/PKG) for row in dense.statements(f)]
    counts = [n for n,*_ in found]
    median, p90, longest = dense.quantile(counts, .5), dense.quantile(counts, .9), max(counts)
    wide = [(where, n) for where,n in wide_lines(root) if n > DENSITY['width']]
    print(f'{len(counts)} statements: median {median}, 90th percentile {p90}, longest {longest}; {len(wide)} lines too wide')
    out = [f'the median statement has {median} nodes, allowed {DENSITY["median"]}'] if median > DENSITY['median'] else []
    if p90 > DENSITY['p90']: out.append(f'the 90th percentile is {p90} nodes, allowed {DENSITY["p90"]}')
    for n,line,text,file in sorted(found, key=lambda row: -row[0]):
        if n > DENSITY['longest']: out.append(f'{file}: line {line}: a statement of {n} nodes: {text[:50]!r}')
    return out+[f'{where} has {n} characters' for where,n in wide]

# A body may stand on the `def` line if it is one statement that is no denser than nine in ten statements are.
ON_DEF_LINE = DENSITY['p90']

def blocks(node): return [b for b in (getattr(node, k, None) for k in ('body', 'orelse', 'finalbody')) if isinstance(b, list)]

def joined(node):
    "Statements that stand behind another on its line"
    return [b for block in blocks(node) for a,b in zip(block, block[1:]) if a.end_lineno == b.lineno]

def nodes_of(node): return sum(1 for _ in ast.walk(node))

def crowded_def(node):
    "Nodes of what stands on the `def` or `class` line behind the colon"
    if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)): return 0
    head = [n.end_lineno for n in ast.iter_child_nodes(node) if n not in node.body and hasattr(n, 'end_lineno')]
    if isinstance(node, ast.ClassDef): head = head or [node.lineno]
    else: head += [a.end_lineno for a in ast.walk(node.args) if hasattr(a, 'end_lineno')]
    here = [b for b in node.body if b.lineno <= max([node.lineno, *head])]
    return sum(map(nodes_of, here))

def named_lambda(node):
    "Is it an assignment that gives a lambda a name?"
    if not isinstance(node, (ast.Assign, ast.AnnAssign, ast.NamedExpr)): return False
    values = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
    sides = [[v.body, v.orelse] if isinstance(v, ast.IfExp) else [v] for v in values]
    return any(isinstance(v, ast.Lambda) for side in sides for v in side)

def walruses(node): return isinstance(node, dense.SIMPLE) and sum(isinstance(k, ast.NamedExpr) for k in ast.walk(node))

def packed(root):
    "No line holds two things: no `;`, no named lambda, nothing long on a `def` line, one walrus in a statement"
    out = []
    for file in dense.modules(root/PKG):
        def say(node, what): out.append(f'{PKG}/{label(root, file)}: line {node.lineno}: {what}')
        for node in ast.walk(ast.parse(file.read_text(encoding='utf-8'))):
            n = crowded_def(node)
            for b in joined(node): say(b, 'two statements on a line')
            if named_lambda(node): say(node, 'a lambda with a name: write a def')
            if n > ON_DEF_LINE: say(node, f'{n} nodes behind the colon of {node.name}: give the body lines of its own')
            if walruses(node) > 1: say(node, 'two walruses in a statement')
    return list(dict.fromkeys(out))

# What was once written again and again: how it looks when unparsed, what says it now, the modules that may spell it out,
# and the folder where it counts (default: everywhere)
IDIOMS = [
    (r'torch\.stack\((?:\[\*|list\(|tuple\()observed\((\w+), \1, ', 'core.seen', ['core']),
    (r'sum\(.*mods\[[^=]{1,9}\]\.weight \*', 'model.weighted', ['core', 'theory/elbo']),
    (r'detach\(\)\.mean\(\) for ', 'theory.elbo.report', ['theory/elbo']),
    (r'must not be negative, found', 'core.nonnegative', ['core']),
    (r'argsort\(.*argsort\(', 'core.part_of', ['core']),
    (r"(, (Mapping|dict)\)|, 'keys'\)) else dict\.fromkeys\(", 'core.per_modality', ['core']),
    (r'\((\w+),\) if isinstance\(\1, str\) else', 'core.as_names', ['core']),
    (r'^\s*\w+\.requires_grad_\(\w', 'core.learning', ['core']),
    (r'needs_complete|private_codes|hasattr\((self\.)?(model|build), ', 'model.answers', []),
    (r'\.base_dist\.(loc|scale)\b', 'dists.params', ['dists']),
    (r'with whole_file\(', 'exp.study', ['exp/study'], 'exp/'),
]

def repeated(root):
    "What has one place is not written out elsewhere"
    out = []
    for file in dense.modules(root/PKG):
        name = label(root, file).removesuffix('.py')
        lines = ast.unparse(ast.parse(file.read_text(encoding='utf-8'))).splitlines()
        for pattern,instead,homes,*within in IDIOMS:
            if name in homes or not name.startswith(tuple(within or [''])): continue
            found = [line.strip()[:70] for line in lines if re.search(pattern, line)]
            out += [f'{PKG}/{name}.py: {line!r}: use {instead}' for line in found]
    return out

# ---------------------------------------------------------------- the course

QUESTION = r'(?m)^\*Question [1-9] of \[the first chapter\]\(00_start\.ipynb\): \S.*\*'
OPENING = '*Question N of [the first chapter](00_start.ipynb): <what this notebook answers>.*'
SHORTEST_ALT = 25   # characters

def opening(p):
    "What is wrong with the first words of a notebook"
    prose = cells(p, 'markdown')[1:3]                       # the first is the title
    if not any(re.search(QUESTION, source(c)) for c in prose): yield f'no {OPENING!r} in the first two cells of text after the title'

def items(text):
    "Numbered items of a text: (number, words without code, links and the number)"
    for found in re.finditer(r'(?ms)^(\d+)\. (.*?)(?=^\d+\. |\Z)', text):
        n, words = found.groups()
        words = re.sub(r'`[^`]*`|\[[^\]]*\]\([^)]*\)', ' ', words)
        yield int(n), words

def is_solution(c):
    "A folded cell of solutions"
    d = directives(c)
    return d.get('code-fold')=='true' and d.get('code-summary', '').strip('"\'')=='Solutions'

def exercises(p):
    "What is wrong with the exercises of a notebook"
    all_ = cells(p)
    at = [i for i,c in enumerate(all_) if c['cell_type']=='markdown' and re.search(r'(?m)^## Exercises *$', source(c))]
    if len(at)!=1:
        yield f"{len(at)} sections '## Exercises', there is to be one"
        return
    after = all_[at[0]+1:]
    text = re.split(r'(?m)^## Exercises *$', source(all_[at[0]]))[1]
    found = list(items(text))
    if [n for n,_ in found]!=[1, 2]: yield f'exercises {[n for n,_ in found]}, there are to be 1 and 2'
    yield from (f'exercise {n} says no number that should come out' for n,words in found if not re.search(r'\d', words))
    ends = next((i for i,c in enumerate(after) if c['cell_type']=='markdown'), len(after))
    solved = [c for c in after[:ends] if c['cell_type']=='code' and is_solution(c)]
    if len(solved)!=1: yield "the exercises are followed by no folded cell with the summary \"Solutions\""
    yield from ('the solutions assert nothing' for c in solved if not is_test(c))
    heads = [h for c in after if c['cell_type']=='markdown' for h in re.findall(r'(?m)^## +(.+?) *$', source(c))]
    yield from (f'the section {h!r} follows the exercises' for h in heads if h!='References')

def said(c, key, n):
    "What a cell says of its `n` pictures: a text for each, or '' where it says nothing"
    import yaml
    try: have = yaml.safe_load(directives(c).get(key, ''))
    except yaml.YAMLError: have = None
    texts = have if isinstance(have, list) else [have]
    texts = [t.strip() if isinstance(t, str) else '' for t in texts]
    return (texts+['']*n)[:n]

def told(p):
    "What is wrong with captions and alternative texts of a notebook"
    for c in cells(p, 'code'):
        n, d = len(list(images(c))), directives(c)
        if not n or 'hide' in d or d.get('include')=='false': continue
        code = code_of(c).strip().splitlines()
        where = f'picture of {(code or [""])[0][:50]!r}'
        if d.get('echo')=='false': yield f'{where}: echo: false hides its code; fold it (code-fold: true)'
        for cap,alt in zip(said(c, 'fig-cap', n), said(c, 'fig-alt', n)):
            if not cap: yield f'{where}: no fig-cap (a quoted text, or a list with one for each picture)'
            if len(alt)<SHORTEST_ALT: yield f'{where}: fig-alt of {len(alt)} characters, at least {SHORTEST_ALT}'
            elif alt==cap: yield f'{where}: fig-alt repeats fig-cap'

def course(root):
    "Notebooks open with a question of the first chapter and close with two solved exercises; pictures have captions and texts"
    out = []
    for p in notebooks(root):
        faults = [*told(p)]
        if number(p): faults += opening(p)
        if number(p) is not None: faults += exercises(p)
        out += [f'{p.name}: {fault}' for fault in faults]
    return out

# ---------------------------------------------------------------- pages of results

READS = r"""results/|['"]results['"]|ledger/"""   # what code that reads stored results mentions

def is_results_page(p):
    "Does a tutorial or an experiment show stored results?"
    return (number(p) or 0)>=90 and any(re.search(READS, code_of(c)) for c in cells(p, 'code') if shown(c) and not is_exported(c))

class Rows(HTMLParser):
    "Rows of the tables of a text in HTML: lists of (tag, text, columns)"
    def __init__(self, text):
        super().__init__()
        self.rows, self.open = [], False
        self.feed(text)
    def handle_starttag(self, tag, attrs):
        if tag=='tr': self.rows.append([])
        self.open = tag in ('th', 'td')
        if self.open: self.rows[-1].append([tag, '', int(dict(attrs).get('colspan', 1))])
    def handle_endtag(self, tag): self.open = self.open and tag not in ('th', 'td')
    def handle_data(self, data):
        if self.open: self.rows[-1][-1][1] += data.strip()

def seeds_shown(table):
    "Fewest and most of the column `seeds` of a table, the number of rows of a table whose rows are seeds, or None"
    rows = Rows(table).rows
    body = [r for r in rows if any(tag=='td' for tag,*_ in r)]
    for row in (r for r in rows if r not in body):
        for i,(_,name,_) in enumerate(row):
            if name=='seed': return len(body), len(body)
            if name!='seeds': continue
            from_right = sum(n for *_,n in row[i:])              # spans of the index shift columns, but not from the right
            found = [int(float(r[-from_right][1])) for r in body]
            return min(found), max(found)

def untold(c):
    "What is wrong with the tables that a cell shows of stored results"
    for table in (text_of(o['data']['text/html']) for o in c.get('outputs', []) if 'text/html' in o.get('data', {})):
        if '<table' not in table or '<details' in table: continue
        caption = said(c, 'tbl-cap', 1)[0]
        if not caption: yield 'a table without tbl-cap, which says seeds, passes and data'; continue
        if re.search(r'(?i)\bprinted\b|\bcounts\b', caption): continue              # no scores
        if not re.search(r'\bpass(es)?\b', caption): yield f'the caption {caption!r} does not say how many passes'
        told = re.search(r'\b(\d+)(?: to (\d+))? seeds?\b', caption)
        if not told: yield f'the caption {caption!r} does not say how many seeds, as in "1 to 3 seeds"'; continue
        says = int(told[1]), int(told[2] or told[1])
        has = seeds_shown(table)
        if has is None: yield 'a table of scores without a column seeds (exp.study.seeds_of)'
        elif has!=says: yield f'the caption {caption!r} says {says[0]} to {says[1]} seeds, the table has {has[0]} to {has[1]}'

def tables_told(root):
    "Tables of stored results say in their captions how many seeds they have, as a column shows, and how many passes"
    out = []
    for p in filter(is_results_page, notebooks(root)):
        reads = False
        for c in cells(p, 'code'):
            if not shown(c) or is_exported(c) or is_solution(c): continue
            reads |= bool(re.search(READS, code_of(c)))
            if not reads: continue
            first = code_of(c).strip().splitlines()[0][:50]
            out += [f'{p.name}: {first!r}: {fault}' for fault in untold(c)]
    return out

PLAN = """
import importlib, json, sys
names = sys.argv[1:]
modules = {name: importlib.import_module(name) for name in names}
print(json.dumps({name: m.planned() if hasattr(m, 'planned') else None for name,m in modules.items()}))
"""

def in_table(run, table):
    "Is there a row of a run in a table?"
    import numpy as np
    found = np.ones(len(table), bool)
    for k,v in run.items(): found &= np.isclose(table[k], v) if isinstance(v, float) else table[k]==v
    return found.any()

def lacking_runs(planned, folder):
    "How many runs of a plan have no row in their file, and how many are planned"
    import pandas as pd
    tables = {}
    def is_stored(run, name):
        file = folder/name.format(**run)
        if file not in tables: tables[file] = pd.read_csv(file) if file.exists() else None
        table = tables[file]
        return table is not None and set(run)<=set(table) and in_table(run, table)
    stored = [is_stored(run, name) for runs,name in planned for run in runs]
    return stored.count(False), len(stored)

def runs_planned(root):
    "What a page of results plans is stored, or the page says how many runs are not"
    pages_ = {f'{PKG}.{module(p)}': p for p in filter(is_results_page, notebooks(root)) if (module(p) or '').startswith('exp.')}
    pages_ = {name: p for name,p in pages_.items() if any(s.startswith('run_') for s in public(root/f"{name.replace('.', '/')}.py"))}
    if not pages_: return []
    out = []
    for name,planned in json.loads(python('-c', PLAN, *pages_, cwd=root)).items():
        p = pages_[name]
        if planned is None:
            out.append(f'{p.name}: no planned(), which lists `(runs, file)`: the runs that its numbers ask for')
            continue
        left, all_ = lacking_runs(planned, root/'nbs'/'results')
        want = f'**Planned, not run: {left} of {all_} runs.**'
        if not any(want in source(c) for c in cells(p, 'markdown')): out.append(f'{p.name}: {left} of {all_} planned runs are not stored; run them, or say {want!r} and which')
    return out

CHECKS = [
    clean, exported, all_lists, completion, layers, pure_imports, light, names_known, budgets, directive_lines, outputs, top_level,
    readme_in_step, package, repeated, packed, course, tables_told, runs_planned,
]
LAST = [density]
SLOW = {'light', 'package', 'runs_planned', 'processed', 'math', 'crossrefs', 'structure', 'links'}   # imports, builds, pandoc

def everything():
    "All checks, in the order in which they are run"
    import docs, site_checks
    return CHECKS+docs.CHECKS+site_checks.CHECKS+LAST

def main(names):
    checks = everything()
    known = {f.__name__ for f in checks}
    import site_checks
    if names == ['quick']: names = known-SLOW-site_checks.SLOW
    if unknown := set(names)-known: sys.exit(f'no such check: {", ".join(sorted(unknown))} (there are: {", ".join(sorted(known))})')
    todo, bad = [f for f in checks if not names or f.__name__ in names], 0
    for f in todo:
        problems = f(ROOT)
        bad += bool(problems)
        print(f"{'FAILED' if problems else 'passed'}  {f.__name__}: {f.__doc__.strip().splitlines()[0]}", *problems, sep='\n    ')
    print(f'{len(todo)-bad} passed, {bad} failed')
    return bad

if __name__=='__main__': sys.exit(main(sys.argv[1:]))
