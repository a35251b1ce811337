"""Pages of the site from the notebooks. Quarto calls this before and after it renders (see project in _quarto.yml).

`nbdev_docs` is the one route: it copies `nbs` to `_proc` and renders there. Before the render, every notebook of `_proc` is
written again by `page`: one signature for each public name with its source folded under it, links, tidy tables. Pages that no
hand writes are added (see site_pages.py). After the render, the definitions go into the index of the search.
"""
import ast, base64, functools, hashlib, io, json, os, re, sys
from dataclasses import dataclass, field
from pathlib import Path
from project import ROOT, cells, code_of, directives, is_exported, module, notebooks, parse, settings, source, text_of, title

PKG = 'mmvae_nb'
BARE = {'default_exp', 'export', 'exports', 'exporti', 'hide', 'hide_line', 'filter_stream', 'exec_doc', 'slow', 'cuda', 'data'}
DEFS = ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef

def stem(path):
    "Name of a page: that of the notebook without its number, as nbdev gives it"
    path = Path(path)
    return re.sub(r'^\d+[a-z]?_', '', path.stem)

def repo(root=ROOT):
    s = settings(root)
    return s['git_url'].replace('%(user)s', s['user']).replace('%(repo)s', s['repo'])

# ---------------------------------------------------------------- what is defined where

@dataclass
class Symbol:
    "A public class, function or method"
    name: str                # as users write it, with its class
    page: str                # stem of its page
    file: str                # notebook
    doc: str                 # first lines of its docstring
    header: str              # its signature as the source has it, comments included
    line: int = 0            # in the module
    methods: list = field(default_factory=list)
    twin: bool = False       # another name of the page differs in capitals only

    @property
    def anchor(self): return self.name if self.twin else self.name.lower()
    @property
    def last(self): return self.name.rpartition('.')[2]
    @property
    def first_line(self): return self.doc.split('\n\n')[0].replace('\n', ' ')

def doc_of(node): return ast.get_docstring(node) or ''

def header_of(node, lines):
    "The lines of a definition up to its body, dedented"
    body = node.body[0]
    head = lines[node.lineno-1:body.lineno]
    if body.lineno == node.lineno or not head[-1][:body.col_offset].isspace(): head[-1] = head[-1].encode()[:body.col_offset].decode().rstrip()
    else: head = head[:-1]
    while head and not head[-1].strip(): head.pop()
    pad = len(head[0])-len(head[0].lstrip())
    return '\n'.join(l[pad:] if l[:pad].isspace() else l for l in head)

def patched_class(node):
    "The class that `@patch` puts a function on, or None"
    if not any(ast.unparse(d).startswith('patch') for d in node.decorator_list) or isinstance(node, ast.ClassDef): return None
    args = [*node.args.posonlyargs, *node.args.args]
    return ast.unparse(args[0].annotation).strip('\'"') if args and args[0].annotation else None

def is_shown(name): return not name.startswith('_')

def methods_of(cls): return [n for n in cls.body if isinstance(n, ast.FunctionDef) and is_shown(n.name) and doc_of(n)]

def class_header(node, lines):
    "A class with what makes one: its `__init__`, or its fields"
    head = header_of(node, lines)
    init = next((n for n in node.body if isinstance(n, ast.FunctionDef) and n.name=='__init__'), None)
    if init: return head+'\n'+'\n'.join('    '+l for l in header_of(init, lines).splitlines())
    fields = [n for n in node.body if isinstance(n, ast.AnnAssign)]
    return head+''.join('\n    '+lines[n.lineno-1].strip() for n in fields)

def symbols_of(cell, page, file):
    "Public definitions of an exported cell"
    code = code_of(cell)
    lines = code.splitlines()
    for node in parse(cell).body:
        if not isinstance(node, DEFS) or not is_shown(node.name): continue
        owner = patched_class(node)
        name = f'{owner}.{node.name}' if owner else node.name
        is_class = isinstance(node, ast.ClassDef)
        head = class_header(node, lines) if is_class else header_of(node, lines)
        yield Symbol(name, page, file, doc_of(node), head, methods=[
            Symbol(f'{node.name}.{m.name}', page, file, doc_of(m), header_of(m, lines)) for m in (methods_of(node) if is_class else [])])

def lines_in(file):
    "Line of each definition in a module"
    out = {}
    def walk(body, prefix):
        for n in body:
            if not isinstance(n, DEFS): continue
            owner = patched_class(n)
            name = f'{owner}.{n.name}' if owner else prefix+n.name
            out.setdefault(name, n.lineno)
            if isinstance(n, ast.ClassDef): walk(n.body, n.name+'.')
    walk(ast.parse(file.read_text(encoding='utf-8')).body, '')
    return out

@functools.lru_cache(None)
def index(root=ROOT):
    "All public definitions, in order"
    out = []
    for p in notebooks(root):
        mod = module(p)
        if not mod: continue
        file = root/PKG/f"{mod.replace('.', '/')}.py"
        at = lines_in(file) if file.exists() else {}
        seen = set()
        for c in cells(p, 'code'):
            if not is_exported(c) or 'exporti' in directives(c): continue
            for s in symbols_of(c, stem(p), p.name):
                for x in (s, *s.methods): x.line = at.get(x.name, 0)
                if s.name not in seen: out.append(s)
                seen.add(s.name)
        here = [x for s in out if s.file==p.name for x in (s, *s.methods)]
        for x in here: x.twin = sum(y.name.lower()==x.name.lower() for y in here)>1
    return tuple(out)

def source_url(s, root=ROOT):
    mod = module_of(root, s.file)
    return f"{repo(root)}/blob/{settings(root)['branch']}/{PKG}/{mod.replace('.', '/')}.py#L{s.line}"

@functools.lru_cache(None)
def module_of(root, name): return module(Path(root)/'nbs'/name)

@functools.lru_cache(None)
def homes(root=ROOT):
    "Where names in prose lead: those that mean one thing"
    found = {}
    for s in index(root):
        for x in (s, *s.methods): found.setdefault(x.name, []).append((s.file, x.anchor))
    return {k: v[0] for k,v in found.items() if len(v)==1}

# ---------------------------------------------------------------- prose

# What links leave alone: code, formulas, links, attributes, comments, headings of callouts
LEAVE = re.compile(r'(?ms)^(`{3,}|~{3,}).*?^\1\s*$|<!--.*?-->|\$\$.*?\$\$|(?<![\\$\w])\$[^$\n]+?\$|!?\[[^\]\n]*\](?:\([^)\n]*\)|\{[^}\n]*\})|^ {0,3}#{1,6} .*?$|^:::+.*?$|<[^>\n]+>|\[@[^\]]*\]')
CODE = re.compile(r'`([^`\n]+)`(?!\{)')

def outside(text, change):
    "`change` what is neither code block, formula, link nor heading"
    out, at = [], 0
    for m in LEAVE.finditer(text):
        out += [change(text[at:m.start()]), m.group()]
        at = m.end()
    return ''.join([*out, change(text[at:])])

def tells(name):
    "Is it a name that prose can mean only as code of this package? A plain short word may mean many things"
    return '_' in name or '.' in name or any(c.isupper() for c in name)

def code_links(text, here, root=ROOT):
    "Names in backticks lead to their definitions"
    known = homes(root)
    def link(m):
        name = m.group(1).removesuffix('()')
        called = m.group(1).endswith('()')
        if name not in known or not (tells(name) or called): return m.group()
        file, anchor = known[name]
        return f"[`{m.group(1)}`]({'' if file==here else file}#{anchor})"
    return CODE.sub(link, text)

ERRATUM = re.compile(r'(?<![\w#/.\[-])([A-F]-\d\d)(?![\w-])')

def plain_parts(text, change):
    "`change` what is not in backticks either"
    return ''.join(p if p.startswith('`') else change(p) for p in re.split(r'(`[^`\n]+`)', text))

def erratum_links(text): return plain_parts(text, lambda t: ERRATUM.sub(lambda m: f'[{m[1]}](errata.md#{m[1].lower()})', t))

NAMED = re.compile(r"JNF-Shared(?: 2025)?|JNF 2023|MultiVae(?: 2023|'s)|CMMD(?: 2023|'s| \[@manc)|MMVAE\+(?: 2022|'s)|[A-Z][\w&]+(?: et al\.| & \w+)? (?:19|20)\d\d|\[@\w+")
KEYS = {'JNF-': 'shared', 'JNF ': 'jnf', 'Mult': 'multivae', 'CMMD': 'cmmd', 'MMVA': 'plus'}
NUM = r'(?:\((?:[A-Z]\.)?\d{1,2}\)|\d{1,2}(?![\w.]))'
EQS = re.compile(rf'(?:Eqs?\.)[ \u00a0]{NUM}(?:(?:, and |, | and |–|-){NUM})*')

def numbers_of(run):
    "Numbers of a run such as `Eqs. (2), (11)-(13)`: (text, numbers)"
    for m in re.finditer(rf'({NUM})(?:(–|-)({NUM}))?', run.partition('.')[2]):
        a, b = m.group(1).strip('()'), (m.group(3) or m.group(1)).strip('()')
        pre = a[:2] if '.' in a else ''
        ends = [int(x.rpartition('.')[2]) for x in (a, b)]
        yield m, [f'{pre}{k}' for k in range(ends[0], ends[1]+1)]

def paper_of(text, at, n):
    "The paper that an equation at a position belongs to: the last one named before it that has this number; None for other papers"
    from site_pages import KNOWN
    for x in reversed([*NAMED.finditer(text[:at])]):
        key = KEYS.get(x.group()[:4])
        if key is None: return None
        if (key, n) in KNOWN: return key

def equations_in(text):
    "Equations of papers that a text names: (paper, number, position)"
    for m in EQS.finditer(text):
        for _, ns in numbers_of(m.group()):
            for n in ns:
                if key := paper_of(text, m.start(), n): yield key, n, m.start()

class Everything(set):
    "Names that are all taken: of anchors, so that none is put"
    def __contains__(self, name): return True

def left_alone(text): return [m.span() for m in LEAVE.finditer(text)]

def equation_links(text, named):
    "`JNF 2023, Eq. (9)` leads to the row of that equation; the first mention on a page gets an anchor, noted in `named`"
    spans = left_alone(text)
    def mark(key, n):
        at = f'named-{key}-{n.lower()}'
        fresh = at not in named
        named.add(at)
        return f'{{#{at}}}' if fresh else ''
    def change(m):
        if any(a<=m.start()<b for a,b in spans): return m.group()
        out, at = [], 0
        for x,ns in numbers_of(m.group()):
            x0, x1 = x.start()+len(m.group().partition('.')[0])+1, x.end()+len(m.group().partition('.')[0])+1
            out.append(m.group()[at:x0])
            at = x1
            ends = [x.group(1), *([x.group(3)] if x.group(3) else [])]
            keys = [paper_of(text, m.start(), n) for n in (ns[0], ns[-1])]
            links = [f'[{t}](equations.md#{key}-{n.lower()}){mark(key, n)}' if key else t for t,key,n in zip(ends, keys, (ns[0], ns[-1]))]
            within = [f'[]{mark(keys[0], n)}' for n in ns[1:-1] if keys[0] and paper_of(text, m.start(), n)]
            out.append((x.group(2) or '').join([links[0]+''.join(w for w in within if w!='[]'), *links[1:]]))
        return ''.join([*out, m.group()[at:]])
    return EQS.sub(change, text)

def prose(text, here, root=ROOT, named=None):
    "A text with the links that the site adds"
    named = set() if named is None else named
    text = outside(resolve(text), lambda t: code_links(t, here, root))
    if here == 'errata.md': return text
    text = equation_links(text, named)
    return outside(text, erratum_links)

def label_formulas(text, start):
    "Each displayed formula gets an anchor; returns the text and how many there are now"
    count = [start]
    def mark(m):
        if m.group().startswith(('`', '~', '<!--')): return m.group()
        count[0] += 1
        return f'[]{{#eqn-{count[0]} .eqn}}'+m.group()
    found = re.compile(r'(?ms)^(`{3,}|~{3,}).*?^\1\s*$|<!--.*?-->|\$\$.*?\$\$')
    return found.sub(mark, text), count[0]

# A link may name a cell by some of its code: `[Computed](11_theory.elbo.ipynb "def first_failure(K)")`
BY_CODE = re.compile(r'\]\((\d\w+_[\w.]+\.ipynb) "([^"\n]+)"\)')

def tag(code): return 'at-'+hashlib.md5(code.encode()).hexdigest()[:6]

@functools.lru_cache(None)
def wanted(root=ROOT):
    "Codes by which pages of text name cells: `{notebook: codes}`"
    out = {}
    for p in (Path(root)/'nbs').glob('*.md'):
        for file,code in BY_CODE.findall(p.read_text(encoding='utf-8')): out.setdefault(file, {})[code] = True
    return {k: tuple(v) for k,v in out.items()}

def resolve(text): return BY_CODE.sub(lambda m: f']({m[1]}#{tag(m[2])})', text)

def anchors(cell, path, root, done):
    "Anchors of the pages of text that name this cell"
    new = [code for code in wanted(root).get(path.name, ()) if code in source(cell) and code not in done]
    done.update(new)
    return ''.join(f'[]{{#{tag(code)} .eqn}}' for code in new)

# ---------------------------------------------------------------- outputs

def rounded(m):
    "A number as a person would print it: four decimals, three digits where it is small"
    x = float(m.group())
    if 'e' in m.group().lower(): return f'{x:.3g}'
    return f'{x:.4f}' if abs(x)>=1e-3 or x==0 else f'{x:.3g}'

NUMBER = r'(?<![\w.])-?\d+\.\d{%d,}(?:[eE][+-]?\d+)?(?![\w.])'

def tidy_text(text):
    "Plain output without the wrappers of numpy and without digits that mean nothing"
    text = re.sub(r'np\.(?:float|int)\d+\(([^()]*)\)', r'\1', text)
    text = re.sub(r'np\.(True|False)_', r'\1', text)
    return re.sub(NUMBER%7, rounded, text)

def even(m):
    "Value and error with the same decimals"
    a, b = m.groups()
    return f"{float(a):.{len(b.partition('.')[2])}f} ± {b}"

def tidy_table(text):
    "A table of pandas: rounded, a dash for what is missing, heads that a reader of screens understands"
    text = re.sub(r'(<td>)\s*(?:NaN|nan|None|NaT|&lt;NA&gt;)\s*(</td>)', r'\1–\2', text)
    text = re.sub(r'<style scoped>.*?</style>', '', text, flags=re.S)
    text = text.replace(' border="1"', '').replace(' style="text-align: right;"', '')
    return re.sub(r'(?<=<td>)'+NUMBER%5+r'(?=</td>)', rounded, tidy_text(text))

def tidy(out):
    "An output as the page shows it"
    data = dict(out.get('data', {}))
    if 'text/html' in data: data['text/html'] = tidy_table(text_of(data['text/html']))
    if 'text/plain' in data: data['text/plain'] = tidy_text(text_of(data['text/plain']))
    for k in ('text/html', 'text/plain'):
        if k in data: data[k] = re.sub(r'(?<![\w.])(-?\d+(?:\.\d+)?) ± (\d+\.\d+)', even, data[k])
    out = {**out, 'data': data} if data else dict(out)
    if 'text' in out: out['text'] = re.sub(r'\x1B(?:[@-Z\\-_]|\[[0-?]*[ -/]*[@-~])', '', tidy_text(text_of(out['text'])))
    return out

PHOTOS = r'imshow|show_|overview|explor|tuples'

@functools.lru_cache(None)
def whiteness(png):
    "Share of a picture that is white"
    import numpy as np
    from PIL import Image
    with Image.open(io.BytesIO(base64.b64decode(png))) as im: return (np.asarray(im.convert('RGB'))>=250).all(-1).mean()

def is_chart(cell):
    "Are its pictures lines on white, which may be inverted by night? Photographs and digits may not"
    pngs = [text_of(o['data']['image/png']) for o in cell.get('outputs', []) if 'image/png' in o.get('data', {})]
    return bool(pngs) and not re.search(PHOTOS, source(cell)) and all(whiteness(p)>=.7 for p in pngs)

# ---------------------------------------------------------------- a page

def escaped(text):
    "A docstring in which nothing is markup but code"
    return plain_parts(text, lambda t: re.sub(r'([\\*_<>$\[\]{}~^|#@])', r'\\\1', t))

def md(text): return {'cell_type': 'markdown', 'metadata': {}, 'source': text}

def method_rows(s, here, root):
    "Methods that the body of a class defines"
    if not s.methods: return ''
    rows = []
    for m in s.methods:
        sig = re.sub(r'\s*#.*', '', m.header).replace('\n', ' ')
        args = re.sub(r'\s+', ' ', sig.partition('(')[2].rpartition(')')[0])
        args = re.sub(r'^self(: *\w+)?(, *)?', '', args).strip(' ,')
        rows.append(f"[`{m.last}({args})`]{{#{m.anchor}}}\n: {code_links(escaped(m.first_line), here, root)}\n")
    return '\n::: {.methods}\n'+'\n'.join(rows)+':::\n'

def symbol_md(s, root=ROOT, level=3):
    "Heading, signature and documentation of a public name"
    owner, _, last = s.name.rpartition('.')
    head = f"[{owner}.]{{.owner}}{last}" if owner else last
    url = source_url(s, root)
    text = f"{'#'*level} {head} {{#{s.anchor} .symbol}}\n\n[source]({url}){{.source aria-label=\"Source of {s.name}\"}}\n\n"
    text += f"```{{.python .signature}}\n{s.header}\n```\n\n"
    return text+equation_links(code_links(escaped(s.doc), s.file, root), Everything())+'\n'+method_rows(s, s.file, root)

def stripped(cell):
    "Source without directives of nbdev"
    lines = [l for l in source(cell).splitlines() if not ((m := re.match(r'\s*#\s*\|\s*([\w-]+)(:?)', l)) and not m[2] and m[1] in BARE)]
    lines = [l for l in lines if not re.search(r'#\s*\|\s*hide_line\s*$', l)]
    return '\n'.join(map(nearer, lines)).strip('\n')

WIDE = 76   # characters of code that a page holds

def nearer(line):
    "A line whose comment would be broken has it two spaces behind its code"
    return re.sub(r'(?<=[^\s#]) {3,}(?=# )', '  ', line, count=1) if len(line)>WIDE else line

def folded(cell, summary):
    "A cell whose code is folded"
    src = stripped(cell)
    if 'code-fold' in directives(cell): return {**cell, 'source': src}
    return {**cell, 'source': f'#| code-fold: true\n#| code-summary: "{summary}"\n{src}'}

def only_setup(cell):
    "Does it only import, and set style, seed or precision? No reader comes for that"
    quiet = re.compile(r'(viz\.style|torch\.manual_seed|torch\.set_default_dtype|torch\.set_num_threads)\(')
    return not cell.get('outputs') and bool(parse(cell).body) and all(
        isinstance(n, (ast.Import, ast.ImportFrom)) or isinstance(n, ast.Expr) and quiet.match(ast.unparse(n)) for n in parse(cell).body)

def dropped(cell):
    d = directives(cell)
    return {'hide', 'exporti', 'default_exp'} & d.keys() or d.get('include')=='false'

def computes(cell):
    "Is it a cell that a page shows, other than imports?"
    return cell['cell_type']=='code' and not dropped(cell) and not only_setup(cell)

def page_cells(path, root=ROOT):
    "Cells of a page, without front matter"
    here, known, shown, formulas, done = path.name, {s.name: s for s in index(root) if s.file==path.name}, set(), 0, set()
    import site_pages
    named, told, lead = set(), 0, site_pages.lead(path, root)
    first = cells(path, 'code')[lead[0]] if lead else None
    for c in cells(path):
        if c['cell_type']=='raw': continue
        if c['cell_type']=='markdown':
            text, formulas = label_formulas(source(c), formulas)
            yield {**c, 'source': prose(text, here, root, named)}
            continue
        if not computes(c):
            if not dropped(c): yield folded(c, 'Imports and settings')
            continue
        at = ''.join(f'[]{{#code-{k} .eqn}}' for k in range(told+1, formulas+1))+anchors(c, path, root, done)
        if c==first: at += '[]{#lead .eqn}'
        told = formulas
        if at: yield md(at)
        c = {**c, 'outputs': [tidy(o) for o in c.get('outputs', [])]}
        if is_chart(c): c = {**c, 'source': '#| classes: chart\n'+source(c)}
        if is_exported(c):
            new = [s for s in symbols_of(c, stem(path), here) if s.name in known and s.name not in shown]
            shown |= {s.name for s in new}
            if new: yield md('\n'.join(symbol_md(known[s.name], root) for s in new))
            yield folded(c, 'Source')
        elif long(c): yield folded(c, 'Code')
        else: yield {**c, 'source': stripped(c)}

LONGEST = 12   # lines of a demonstration that stand open; figures and tables speak before the code that made them

def long(cell):
    "Is it code that a page folds?"
    lines = [l for l in stripped(cell).splitlines() if l.strip() and not l.startswith('#|')]
    return len(lines)>LONGEST

def apart(cell, path, root=ROOT):
    "A heading of prose that reads as a name of the page gets an address of its own, so that the name keeps its own"
    if cell['cell_type']!='markdown': return cell
    import site_pages
    taken = {x.anchor for s in index(root) if s.file==path.name for x in (s, *s.methods)}
    def address(m):
        slug = site_pages.slug(m[2])
        return m[0] if '{#' in m[2] or slug not in taken else f'{m[1]} {m[2]} {{#about-{slug}}}'
    return {**cell, 'source': re.sub(r'(?m)^(#{2,4}) +(.+?) *$', address, source(cell))}

def fold_of(cell):
    "Summary of a folded cell without outputs, of a kind that may be joined with its like"
    m = re.search(r'#\| code-summary: "(Imports and settings|Source)"', source(cell)) if cell['cell_type']=='code' and not cell.get('outputs') else None
    return m and m[1]

def settled(body):
    "Cells of a page with a sentence first; neighbours that are imports and settings, or sources, under one fold"
    out = []
    for c in body:
        if out and fold_of(c) and fold_of(c)==fold_of(out[-1]):
            rest = re.sub(r'(?m)^#\|.*\n', '', source(c))
            gap = '\n\n' if fold_of(c)=='Source' else '\n'
            out[-1] = {**out[-1], 'source': source(out[-1])+gap+rest}
        elif source(c).strip() or c.get('outputs'): out.append(c)
    at = next((i for i,c in enumerate(out) if c['cell_type']=='markdown'), 0)
    if all(fold_of(c)=='Imports and settings' for c in out[:at]): out = [*out[at:at+1], *out[:at], *out[at+1:]]
    return out

def quoted(text): return json.dumps(text, ensure_ascii=False)

def front(path, first):
    "Front matter: title and claim leave the first cell of text, everything else stays"
    raw = [source(c) for c in cells(path, 'raw')]
    have = '\n'.join(re.findall(r'(?s)---\n(.*?)\n---', raw[0])) if raw else ''
    name = re.search(r'(?m)^# +(.+?) *$', first)
    claim = re.search(r'(?m)^> +(.+?) *$', first)
    lines = [have] if have else []
    if 'title:' not in have: lines.append(f'title: {quoted(name[1] if name else path.stem)}')
    if claim and 'description:' not in have: lines.append(f'description: {quoted(claim[1])}')
    if 'output-file:' not in have: lines.append(f'output-file: {stem(path)}.html')
    rest = first
    for m in (claim, name):
        if m: rest = rest[:m.start()]+rest[m.end():]
    return '---\n'+'\n'.join(lines)+'\n---\n', rest.strip()

def page(path, root=ROOT):
    "The notebook that Quarto renders"
    body = list(page_cells(path, root))
    at = next((i for i,c in enumerate(body) if c['cell_type']=='markdown'), None)
    head, rest = front(path, source(body[at]) if at is not None else '')
    if at is not None: body[at] = {**body[at], 'source': rest}
    import site_pages
    body = [apart(c, path, root) for c in settled(body)]
    body = site_pages.opened(path, body, root)
    where = site_pages.standing(path, root)
    if where: body.insert(0, md(where))
    keep = [c for c in body if source(c).strip() or c.get('outputs')]
    keep.insert(0, {'cell_type': 'raw', 'metadata': {}, 'source': head})
    for i,c in enumerate(keep):
        c['id'] = f'c{i}'
        c['metadata'] = {}
        c['source'] = source(c).splitlines(keepends=True)      # Quarto wants lines
        if c['cell_type']=='code': c.setdefault('execution_count', None)
    kernel = {'kernelspec': {'display_name': 'python3', 'language': 'python', 'name': 'python3'}}
    return {'cells': keep, 'metadata': kernel, 'nbformat': 4, 'nbformat_minor': 5}

# ---------------------------------------------------------------- before and after a render

def before(folder):
    "Write the pages"
    import site_pages
    nbs = notebooks(ROOT)
    for p in nbs: (folder/p.name).write_text(json.dumps(page(p), indent=1, ensure_ascii=False), encoding='utf-8')
    for p in sorted((ROOT/'nbs').glob('*.md')): (folder/p.name).write_text(prose(p.read_text(encoding='utf-8'), p.name), encoding='utf-8')
    for name,text in site_pages.pages().items(): (folder/name).write_text(text, encoding='utf-8')
    site_pages.pictures(folder)

def after(out):
    "Definitions and frequent questions go into the index of the search"
    import site_pages
    file = out/'search.json'
    have = json.loads(file.read_text(encoding='utf-8'))
    have = [e for e in have if not e['objectID'].startswith('def:')]
    titles = {p.name: title(p) for p in notebooks(ROOT)}
    new = []
    for s in index():
        for x in (s, *s.methods):
            href = f'{s.page}.html#{x.anchor}'
            new.append({'objectID': f'def:{href}', 'href': href, 'title': x.name, 'section': '', 'text': f'{x.first_line} — definition', 'crumbs': ['API', titles[s.file]]})
    file.write_text(json.dumps(new+site_pages.questions()+have, ensure_ascii=False), encoding='utf-8')

def main():
    folder = Path(os.environ.get('QUARTO_PROJECT_DIR', '.')).resolve()
    if folder.name != '_proc': sys.exit('The site is rendered by `nbdev_docs`, from the root of the repository; `quarto render` would give other pages. Nothing was written.')
    out = Path(os.environ.get('QUARTO_PROJECT_OUTPUT_DIR', '_docs'))
    if '--after' in sys.argv: after(out if out.is_absolute() else folder/out)
    else: before(folder)

if __name__ == '__main__': main()
