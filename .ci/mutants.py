#!/usr/bin/env python3
"""Do the tests notice? Small faults are planted in exported code, one at a time, and notebooks are run until one fails.

mutants.py [MODULE ...] [--sample N] [--seed S] [--own] [--jobs J] [--out FILE] [--list]

MODULE is a module without the package (`theory.elbo`) or a room (`models`); without one, those that the theory rests on.
A fault is planted in the notebook's own cell and in the module that others import. The notebook that holds it runs first,
then (without `--own`) those that import the module. The result is one row a fault; `--out` keeps it, goes on where it
was stopped, and leaves out what `mutants.equivalent` explains. No part of CI: two hundred faults take an hour.
"""
import argparse, ast, csv, datetime, importlib.machinery, importlib.util, os, random, resource, signal, sys, time
from collections import namedtuple
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
import tempfile
from project import ROOT, cells, directives, is_exported, module, notebooks, read, settings, source, write

PKG = 'mmvae_nb'
BASE = 'core dists theory.lingauss theory.experts theory.flows theory.hmc theory.elbo theory.coupling theory.cca'
DEFAULT = (BASE+' theory.contrastive theory.mmd data.core train models').split()
COLUMNS = 'module notebook line kind before after outcome killer seconds'.split()

# ---------------------------------------------------------------- making faults

Fault = namedtuple('Fault', 'module path cell line kind before after source')   # `source`: the cell with the fault in it

BINARY = {ast.Add: '-', ast.Sub: '+', ast.Mult: '/', ast.Div: '*', ast.Pow: '*', ast.FloorDiv: '/', ast.Mod: '//', ast.BitAnd: '|', ast.BitOr: '&'}
COMPARE = {ast.Lt: '<=', ast.LtE: '<', ast.Gt: '>=', ast.GtE: '>', ast.Eq: '!=', ast.NotEq: '==', ast.Is: 'is not',
           ast.IsNot: 'is', ast.In: 'not in', ast.NotIn: 'in'}
CALLS = {'sum': 'mean', 'mean': 'sum', 'max': 'min', 'min': 'max', 'amax': 'amin', 'amin': 'amax', 'all': 'any', 'any': 'all',
         'rsample': 'sample', 'logsumexp': 'sum', 'log_softmax': 'softmax', 'exp': 'sin', 'log': 'sqrt', 'sqrt': 'abs', 'rsqrt': 'sqrt',
         'square': 'abs', 'abs': 'square', 'std': 'var', 'var': 'std', 'ones': 'zeros', 'zeros': 'ones', 'ones_like': 'zeros_like',
         'zeros_like': 'ones_like', 'randn': 'zeros', 'randn_like': 'zeros_like', 'cumsum': 'flip', 'floor': 'ceil', 'tril': 'triu',
         'eval': 'train', 'sorted': 'list', 'reversed': 'list'}
DROPPED = 'detach', 'clone', 'contiguous', 'clamp', 'clip', 'clamp_min', 'clamp_max', 'nan_to_num', 'double', 'requires_grad_', 'abs'
NOT_MEANT = ast.Raise, ast.JoinedStr   # words for people
ELSEWHERE = 'device', 'pin_memory', 'non_blocking'   # nothing that a CPU could notice
SILENT = '__repr__', '_repr_html_', '__all__'

def is_word(node):
    "Docstrings, and messages"
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)

def is_warning(node):
    return isinstance(node, ast.Call) and ast.unparse(node.func) in ('warnings.warn', 'print')

def meant(tree):
    "Nodes of a syntax tree that compute: no decorators, annotations, messages or representations"
    skip, todo = set(), [tree]
    while todo:
        node = todo.pop()
        if isinstance(node, NOT_MEANT) or is_word(node) or is_warning(node): continue
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            if node.name in SILENT: continue
            skip.update(map(id, node.decorator_list))
            if isinstance(node, ast.FunctionDef): skip.add(id(node.returns))
        if isinstance(node, ast.arg): skip.add(id(node.annotation))
        if isinstance(node, ast.AnnAssign): skip.add(id(node.annotation))
        yield node
        todo += [k for k in ast.iter_child_nodes(node) if id(k) not in skip]

def constants(node):
    v = node.value
    if isinstance(v, bool): yield 'constant', node, str(not v)
    elif isinstance(v, int): yield 'constant', node, str(v+1)
    elif isinstance(v, float): yield 'constant', node, repr(2*v if v else 1.)

def calls(node):
    "Another reduction, a step dropped, an argument dropped, branches of `where` swapped"
    f = node.func
    name = f.attr if isinstance(f, ast.Attribute) else f.id if isinstance(f, ast.Name) else ''
    if name in CALLS:
        swapped = ast.Attribute(f.value, CALLS[name]) if isinstance(f, ast.Attribute) else ast.Name(CALLS[name])
        yield 'call', f, ast.unparse(swapped)
    if name in DROPPED and isinstance(f, ast.Attribute) and ast.unparse(f.value)!='torch': yield 'dropped step', node, ast.unparse(f.value)
    if name=='where' and len(node.args)==3:
        yield 'branches', node, ast.unparse(ast.Call(f, [node.args[0], node.args[2], node.args[1]], node.keywords))
    for k in node.keywords:
        rest = [o for o in node.keywords if o is not k]
        if k.arg and k.arg not in ELSEWHERE: yield 'argument', node, ast.unparse(ast.Call(f, node.args, rest))

def ignored(node):
    "A parameter that is never listened to: its default always"
    args = node.args
    plain = args.posonlyargs+args.args
    pairs = [*zip(plain[len(plain)-len(args.defaults):], args.defaults), *zip(args.kwonlyargs, args.kw_defaults)]
    body = [n for n in node.body if not is_word(n)]
    used = {n.id for n in ast.walk(ast.Module(body, [])) if isinstance(n, ast.Name)}
    first = body[0]
    for arg,default in pairs:
        if default is None or arg.arg not in used or isinstance(first, (ast.FunctionDef, ast.ClassDef)): continue
        if first.lineno==node.lineno: yield 'ignored', first, None   # on the line of its `def`: nowhere to put it
        else: yield 'ignored', first, f'{arg.arg} = {ast.unparse(default)}\n{" "*first.col_offset}'

def changes(node):
    "`(kind, node to replace, its new text)` of all faults that begin at a node"
    if isinstance(node, ast.Constant): yield from constants(node)
    if isinstance(node, ast.BinOp) and type(node.op) in BINARY:
        yield 'operator', node, f'({ast.unparse(node.left)}) {BINARY[type(node.op)]} ({ast.unparse(node.right)})'
    if isinstance(node, ast.UnaryOp) and not isinstance(node.operand, ast.Constant): yield 'sign', node, f'({ast.unparse(node.operand)})'
    if isinstance(node, ast.Compare) and len(node.ops)==1:
        left, right = ast.unparse(node.left), ast.unparse(node.comparators[0])
        yield 'comparison', node, f'({left}) {COMPARE[type(node.ops[0])]} ({right})'
    if isinstance(node, ast.BoolOp):
        word = ' or ' if isinstance(node.op, ast.And) else ' and '
        yield 'logic', node, '('+word.join(f'({ast.unparse(v)})' for v in node.values)+')'
    if isinstance(node, ast.IfExp):
        yield 'branches', node, f'({ast.unparse(node.orelse)} if {ast.unparse(node.test)} else {ast.unparse(node.body)})'
    if isinstance(node, ast.If): yield 'branches', node.test, f'not ({ast.unparse(node.test)})'
    if isinstance(node, ast.AugAssign) or isinstance(node, ast.Expr) and isinstance(node.value, ast.Call): yield 'statement', node, 'pass'
    if isinstance(node, ast.Call): yield from calls(node)
    if isinstance(node, ast.FunctionDef): yield from ignored(node)

def planted(text, kind, node, new):
    "The source of a cell with one fault in it"
    raw = text.encode()
    starts = [0]
    for line in raw.splitlines(keepends=True): starts.append(starts[-1]+len(line))
    begin, end = starts[node.lineno-1]+node.col_offset, starts[node.end_lineno-1]+node.end_col_offset
    if kind=='ignored': end = begin
    return (raw[:begin]+new.encode()+raw[end:]).decode()

def valid(text):
    "The shape of a cell, or '' if it is no Python"
    try: return ast.dump(ast.parse(text))
    except SyntaxError: return ''

def faults_of(path):
    "Every fault that can be planted in the exported cells of a notebook, each once"
    seen = set()
    for i,cell in enumerate(read(path)['cells']):
        if not is_exported(cell): continue
        text = source(cell)
        for node in meant(ast.parse(text)):
            for kind,where,new in changes(node):
                if new is None: continue
                after = planted(text, kind, where, new)
                tree = valid(after)
                if not tree or tree in seen: continue
                seen.add(tree)
                old = '' if kind=='ignored' else ast.get_source_segment(text, where)
                line = text.splitlines()[where.lineno-1].strip()
                yield Fault(module(path), path, i, line, kind, ' '.join(old.split()), ' '.join(new.split()), after)

# ---------------------------------------------------------------- running notebooks with a fault in them

class Planted(importlib.machinery.SourceFileLoader):
    "A module whose source is not that of its file"
    def __init__(self, name, path, text): super().__init__(name, path); self.text = text
    def get_code(self, name): return compile(self.text, self.path, 'exec')

class Finder:
    "Puts a `Planted` module in the place of one module"
    def __init__(self, name, path, text): self.name, self.path, self.text = name, path, text
    def find_spec(self, name, path=None, target=None):
        if name==self.name: return importlib.util.spec_from_file_location(name, self.path, loader=Planted(name, str(self.path), self.text))

def body(text):
    "A cell as it stands in the module: without directives"
    return '\n'.join(line for line in text.splitlines() if not line.startswith('#|')).strip()

def module_file(root, name): return root/PKG/(name.replace('.', '/')+'.py')

def planted_module(root, fault):
    "Source of the module with the fault, or None where nbdev has rewritten the cell"
    old = module_file(root, fault.module).read_text(encoding='utf-8')
    cell = body(source(read(fault.path)['cells'][fault.cell]))
    return old.replace(cell, body(fault.source)) if cell in old else None

def run_cells(path, nb, root):
    "Run a notebook as CI does; the text of what went wrong, or ''"
    from execnb.nbio import dict2nb
    from execnb.shell import CaptureShell
    from nbdev.process import NBProcessor
    left_out = settings(root)['tst_flags'].split()
    def skipped(cell):
        if cell.cell_type!='code': return True
        found = directives(cell)
        return found.get('eval')=='false' or any(k in found for k in left_out)
    sys.path.insert(0, str(root))
    os.environ['IN_TEST'] = '1'
    os.chdir(path.parent)
    shell = CaptureShell(path)
    try: shell.run_all(dict2nb(nb), exc_stop=True, preproc=skipped)
    except BaseException as e: return f'{type(e).__name__}: {str(e).strip().splitlines()[-1] if str(e).strip() else ""}'[:120]
    return ''

def child(path, fault, root, log, seconds):
    "In a process of its own: plant, run, say how it ended"
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds+5))
    resource.setrlimit(resource.RLIMIT_AS, (24<<30, 24<<30))
    out = os.open(log, os.O_WRONLY|os.O_CREAT|os.O_TRUNC)
    null = os.open(os.devnull, os.O_RDONLY)
    for fd,to in (null, 0), (out, 1), (out, 2): os.dup2(fd, to)
    nb = read(root/'nbs'/path.name)
    if fault is not None:
        text = planted_module(root, fault)
        if text is not None: sys.meta_path.insert(0, Finder(f'{PKG}.{fault.module}', module_file(root, fault.module), text))
        if path.name==fault.path.name: nb['cells'][fault.cell]['source'] = fault.source
    wrong = run_cells(root/'nbs'/path.name, nb, root)
    print('\nRESULT', wrong, flush=True)
    os._exit(bool(wrong))

def attempt(path, fault, root, seconds):
    "`(how it ended or '', CPU seconds)` of one notebook in a fork of this process, which has the libraries loaded"
    log = root/f'{path.stem}.{random.getrandbits(40):x}.log'
    start = time.time()
    pid = os.fork()
    if pid==0:
        try: child(path, fault, root, log, int(seconds)+1)
        finally: os._exit(3)
    status, used = wait(pid, 6*seconds)
    text = log.read_text(errors='replace') if log.exists() else ''
    log.unlink(missing_ok=True)
    if status==0: return '', used
    said = text.rpartition('RESULT ')[2].strip() if 'RESULT ' in text else 'took too long, or took the process down'
    return said or 'failed', used

def wait(pid, limit):
    "Exit status and CPU seconds of a child; a child that hangs is ended"
    end = time.time()+limit
    while True:
        done, status, usage = os.wait4(pid, os.WNOHANG)
        if done: return status, usage.ru_utime+usage.ru_stime
        if time.time()>end: os.kill(pid, signal.SIGKILL)
        time.sleep(.05)

def importers(name, root):
    "Notebooks that import a module, in order"
    word = f'{PKG}.{name}'
    found = []
    for path in notebooks(root):
        text = '\n'.join(source(c) for c in cells(path, 'code'))
        if any(f'{word} import' in line or f'{word},' in line or line.rstrip().endswith(word) for line in text.splitlines()) and module(path)!=name: found.append(path)
    return found

class Bench:
    "A copy of the project in which things may break, and how long its notebooks take"
    def __init__(self, root, own): self.root, self.own, self.normal = root, own, {}
    def seconds(self, path):
        if path.name not in self.normal:
            wrong, used = attempt(path, None, self.root, 600)
            if wrong: sys.exit(f'{path.name} fails without any fault: {wrong}')
            self.normal[path.name] = used
        return self.normal[path.name]
    def trial(self, fault):
        "The row of one fault"
        total = 0.
        for path in [fault.path]+([] if self.own else importers(fault.module, self.root)):
            wrong, used = attempt(path, fault, self.root, 4*self.seconds(path)+20)
            total += used
            if wrong: return ['killed', f'{path.stem}: {wrong}', f'{total:.1f}']
        return ['survived', '', f'{total:.1f}']

def preload():
    "What every child needs and no fault touches"
    import matplotlib
    matplotlib.use('agg')
    import fastai.vision.all, fastcore.test, matplotlib.pyplot, nbdev.test, sklearn.cluster, sklearn.linear_model, torch
    torch.set_num_threads(1)

# ---------------------------------------------------------------- the command

def chosen(names, root):
    "Notebooks of the modules and rooms asked for"
    have = {module(p): p for p in notebooks(root) if module(p)}
    picked = {m: p for m,p in have.items() if any(m==n or m.startswith(n+'.') for n in names)}
    lost = [n for n in names if not any(m==n or m.startswith(n+'.') for m in have)]
    if lost: sys.exit(f"no module {', '.join(lost)}; there are {', '.join(sorted(have))}")
    return picked

def key(row): return tuple(row[:6])

def kept(out, head):
    "Rows that an interrupted run has stored, by fault"
    if not out or not Path(out).exists(): return {}
    rows = list(csv.reader(open(out, newline='', encoding='utf-8')))
    return {key(r): r for r in rows if r[:1]!=[head]}

def explained():
    "Faults that change nothing that anybody could see: `{(module, line, kind, after): reason}`"
    file = Path(__file__).with_name('mutants.csv')
    if not file.exists(): return {}
    return {(r['module'], r['line'], r['kind'], r['after']): r['reason'] for r in csv.DictReader(open(file, newline='', encoding='utf-8'))}

def head_of(fault): return [fault.module, fault.path.name, fault.line, fault.kind, fault.before, fault.after]

def main(argv=None):
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('module', nargs='*', default=DEFAULT)
    p.add_argument('--sample', type=int, help='so many faults, drawn over all modules asked for (default: all)')
    p.add_argument('--seed', type=int, default=int(datetime.date.today().strftime('%Y%m%d')), help='of the draw (default: the date)')
    p.add_argument('--own', action='store_true', help="run the module's own notebook only")
    p.add_argument('--jobs', type=int, default=1)
    p.add_argument('--out', help='a CSV file that keeps the rows')
    p.add_argument('--list', action='store_true', help='name the faults and run nothing')
    a = p.parse_args(argv)
    faults = [f for path in chosen(a.module, ROOT).values() for f in faults_of(path)]
    same = explained()
    faults = [f for f in faults if (f.module, f.line, f.kind, f.after) not in same]
    if a.sample: faults = random.Random(a.seed).sample(faults, min(a.sample, len(faults)))
    if a.list:
        for f in faults: print(f'{f.module}: {f.line}\n    {f.kind}: {f.before or "(nothing)"} -> {f.after}')
        return print(len(faults))
    run(faults, a)

def run(faults, a):
    from checks import copy
    preload()
    have = kept(a.out, COLUMNS[0])
    with tempfile.TemporaryDirectory(prefix='mutants-') as d:
        bench = Bench(copy(ROOT, Path(d)/'project'), a.own)
        for path in sorted({f.path for f in faults}): bench.seconds(path)
        rows = []
        with ThreadPoolExecutor(a.jobs) as pool:
            for i,row in enumerate(pool.map(lambda f: have.get(tuple(head_of(f))) or head_of(f)+bench.trial(f), faults)):
                rows.append(row)
                print(f'{i+1}/{len(faults)} {row[6]:8} {row[0]}: {row[2]}   [{row[3]}] {row[4]} -> {row[5]}   {row[7]}', flush=True)
                if a.out: store(a.out, rows)
    dead = sum(r[6]=='killed' for r in rows)
    print(f'\n{dead} of {len(rows)} killed ({dead/max(len(rows), 1):.0%}), seed {a.seed}. Survivors:')
    for r in rows:
        if r[6]!='killed': print(f'  {r[0]}: {r[2]}\n      {r[3]}: {r[4] or "(nothing)"} -> {r[5]}')

def store(out, rows):
    with open(out, 'w', newline='', encoding='utf-8') as f: csv.writer(f, lineterminator='\n').writerows([COLUMNS, *rows])

if __name__=='__main__': main()
