"Checks of the pages of the site, made from the notebooks as .ci/web.py makes them; no Quarto, no browser (for those see drive.py)"
import ast, functools, json, re, shutil, tempfile
from pathlib import Path
import web
from project import GENERATED, ROOT, cells, directives, is_exported, notebooks, pages, settings, source, text_of, title

def made(root):
    "Every page of a notebook: (path, cells)"
    import site_pages
    stamp = tuple((p.name, p.stat().st_mtime_ns, p.stat().st_size) for p in [*notebooks(root), *pages(root)])
    if root not in _made or _made[root][0]!=stamp:
        for f in (web.index, web.homes, web.wanted, web.module_of, site_pages.listing): f.cache_clear()
        _made[root] = stamp, [(p, web.page(p, root)['cells']) for p in notebooks(root)]
    return _made[root][1]

_made = {}   # pages are made once for all checks

def src(c): return ''.join(c['source'])
def mds(page): return [src(c) for c in page if c['cell_type']=='markdown']
def codes(page): return [c for c in page if c['cell_type']=='code']
def outputs_text(c):
    for o in c.get('outputs', []):
        if 'text' in o: yield 'stream', text_of(o['text'])
        for k,v in o.get('data', {}).items():
            if k.startswith('text/'): yield k, text_of(v)

def words(text):
    "Words of a text without its markup"
    text = re.sub(r'\]\([^)]*\)(\{[^}]*\})?|\{[#.][^}]*\}', ' ', text)
    return re.findall(r'[^\W_]+', text)

def pictures_in(c): return sum(k.startswith('image/') for o in c.get('outputs', []) for k in o.get('data', {}))

def survives(root):
    "The text of every cell and every picture survives processing"
    out = []
    for p, page in made(root):
        kept = set(words(' '.join(src(c) for c in page if c['cell_type']!='code')))
        for c in cells(p, 'markdown'):
            lost = [w for w in words(source(c)) if w not in kept]
            if lost: out.append(f'{p.name}: the page lacks {" ".join(lost[:6])!r} of the cell {source(c).strip()[:40]!r}')
            for image in re.findall(r'!\[[^\]]*\]\(([^)]+)\)', source(c)):
                if not any(image in t for t in mds(page)): out.append(f'{p.name}: the page lacks the picture {image}')
        want = sum(pictures_in(c) for c in cells(p, 'code') if not web.dropped(c))
        have = sum(map(pictures_in, codes(page)))
        if want!=have: out.append(f'{p.name}: {have} of {want} pictures')
    return out

def colab(root):
    "Every notebook begins with a hidden cell that installs the package when it is opened in Colab, and brings what it reads"
    import colab as c
    return [f'{p.name}: {why}; run python .ci/colab.py' for p in notebooks(root) if (why := c.lacks(p, root))]

def one_route(root):
    "There is one way to render the site, each page has an address of its own, and rendering leaves nothing in the tree"
    import yaml
    q = yaml.safe_load((root/'_quarto.yml').read_text(encoding='utf-8'))['project']
    out = [f'nbs/{n} is of another route' for n in ('website.yml','_metadata.yml','_nbdev_filter.py') if (root/'nbs'/n).exists()]
    r = yaml.safe_load((root/'nbs'/'route.yml').read_text(encoding='utf-8'))['project']
    for k,v in {'pre-render': '.ci/web.py', 'post-render': '.ci/after.py'}.items():
        if q.get(k)!=v: out.append(f'_quarto.yml: {k} must be {v}, so that a plain `quarto render` is refused')
        if r.get(k)!=f'../{v}': out.append(f'nbs/route.yml: {k} must be ../{v}')
    ignored = (root/'.gitignore').read_text(encoding='utf-8').split()
    out += [f'.gitignore lacks {n}' for n in ('.quarto/','/.quarto/','_proc/','_docs/') if n not in ignored]
    made_of = {}
    for f in [*notebooks(root), *pages(root), *map(Path, GENERATED)]: made_of.setdefault(web.stem(f), []).append(f.name)
    out += [f'{" and ".join(v)} are both rendered to {k}.html' for k,v in made_of.items() if len(v)>1]
    for f in [root/'README.md', *pages(root), *sorted((root/'.github').rglob('*.yaml'))]:
        if re.search(r'(?m)^[^#\n]*\bquarto render\b', f.read_text(encoding='utf-8')): out.append(f'{f.name}: speaks of `quarto render`; the route is nbdev_docs')
    return out

SIGNATURE = re.compile(r'(?s)```\{\.python \.signature\}\n(.*?)\n```')

def whole(sig):
    "Is it a complete head of a definition?"
    for body in '', '\n    ...', '\n        ...':
        try: return bool(ast.parse(sig+body))
        except SyntaxError: pass
    return False

def signatures(root):
    "Each public name is headed once, with its class, source link and the signature of its source; nothing in it is made up"
    out = []
    for p, page in made(root):
        text = '\n'.join(mds(page))
        here = [s for s in web.index(root) if s.file==p.name]
        for s in here:
            n = len(re.findall(rf'(?m)^### .*\{{#{re.escape(s.anchor)} \.symbol\}}$', text))
            if n!=1: out.append(f'{p.name}: {s.name} is headed {n} times')
            if not s.line: out.append(f'{p.name}: {s.name} has no line in its module, so no source link')
        for sig in SIGNATURE.findall(text):
            if re.search(r'\]\(http|Call self as a function', sig): out.append(f'{p.name}: a link or a made-up text in the signature {sig[:60]!r}')
            if not whole(sig): out.append(f'{p.name}: the signature {sig[:60]!r} is cut')
        for node in re.findall(r'(?m)^### (?!\[)(\w+) \{#', text):
            if any(s.name.endswith('.'+node) and s.name!=node for s in here) and node not in [s.name for s in here]: out.append(f'{p.name}: {node} is headed without its class')
    return out

def found_by_search(root):
    "Every public name has one anchor on its page, and the index of the search leads there"
    import site_pages
    out = []
    for p, page in made(root):
        text = '\n'.join(mds(page))
        ids = re.findall(r'\{#([^\s}]+)', text)
        ids += [site_pages.slug(h) for h in re.findall(r'(?m)^#{2,4} +([^\n{]+?) *$', re.sub(r'(?ms)^(`{3,}).*?^\1\s*$', '', text))]
        out += [f'{p.name}: the anchor {a} is there twice' for a in sorted({a for a in ids if ids.count(a)>1})]
        for s in (x for s in web.index(root) if s.file==p.name for x in (s, *s.methods)):
            if s.anchor not in ids: out.append(f'{p.name}: {s.name} has no anchor {s.anchor}')
    search = (root/'_quarto.yml').read_text(encoding='utf-8')
    if 'merge-navbar-crumbs: false' not in search: out.append('_quarto.yml: search: merge-navbar-crumbs must be false, or all results are said to lie in Colab')
    return out

NOISE = r'site-packages|/(?:home|root|tmp|usr|work)/\w|\b\w*Warning:|Traceback'

def quiet(root):
    "No page shows a warning, a path or what went to stderr"
    out = []
    for p, page in made(root):
        for c in codes(page):
            if any(o.get('name')=='stderr' for o in c.get('outputs', [])): out.append(f'{p.name}: stderr on the page')
            for _,t in outputs_text(c):
                if m := re.search(NOISE, t): out.append(f'{p.name}: the page shows {m.group()!r}')
    return out

NARROW = ['mjx-container[display="true"]', 'table', '.cell-output pre', 'main img', ':not(pre) > code']

def phone(root):
    "What is wide scrolls by itself: formulas, tables and output; code wraps and pictures shrink"
    scss = (root/'nbs'/'site.scss').read_text(encoding='utf-8')
    rules = re.findall(r'([^{}]+)\{([^{}]*)\}', re.sub(r'//.*', '', scss))
    fits = ' '.join(sel for sel,body in rules if re.search(r'overflow-x: *auto|max-width: *100%|pre-wrap|overflow-wrap: *anywhere', body))
    out = [f'nbs/site.scss: nothing keeps {n!r} within the page' for n in NARROW if n not in fits]
    if 'code-overflow: wrap' not in (root/'_quarto.yml').read_text(encoding='utf-8'): out.append('_quarto.yml: code-overflow must be wrap')
    return out

def luminance(colour):
    parts = [int(colour[i:i+2], 16)/255 for i in (1,3,5)]
    r, g, b = [v/12.92 if v<=.03928 else ((v+.055)/1.055)**2.4 for v in parts]
    return .2126*r+.7152*g+.0722*b

def contrast_of(a, b):
    "Contrast of two colours, as WCAG counts it"
    x, y = sorted((luminance(a), luminance(b)))
    return (y+.05)/(x+.05)

PAIRS = [(ink, paper) for ink in ('ink','quiet','accent','string') for paper in ('paper','paper2','block')]+[('code','codebg'), ('accent','codebg'), ('sidebar','paper'), ('footer','paper')]
AA = 4.5

def colours(text):
    "Colours of a theme by what they are for"
    found = dict(re.findall(r'--([\w]+): (#[0-9a-f]{6})', text))
    named = dict(re.findall(r'\$([\w-]+): (#[0-9a-f]{6})', text))
    return found | {'block': named['code-block-bg'], 'code': named['code-color'], 'codebg': named['code-bg'], 'sidebar': named['sidebar-fg'], 'footer': named['footer-fg']}

def contrast(root):
    "Prose, comments, links and code can be read by day and by night: contrast of at least 4.5"
    out = []
    for theme in 'light','dark':
        c = colours((root/'nbs'/f'{theme}.scss').read_text(encoding='utf-8'))
        for ink,paper in PAIRS:
            k = contrast_of(c[ink], c[paper])
            if k<AA: out.append(f'nbs/{theme}.scss: {ink} on {paper} has a contrast of {k:.2f}, at least {AA}')
    return out

def tidy_tables(root):
    "Numbers on pages are rounded, what is missing is a dash, and a value has the decimals of its error"
    out = []
    for p, page in made(root):
        for c in codes(page):
            for kind,t in outputs_text(c):
                if kind=='text/html' and re.search(r'<td>\s*(NaN|nan|None)\s*</td>', t): out.append(f'{p.name}: a table with NaN')
                if m := re.search(r'np\.(float|int|str|bool)\w*\(', t): out.append(f'{p.name}: {m.group()}...) in an output')
                if m := re.search(r'(?<![\w.])\d+\.\d{7,}(?![\w.])', t): out.append(f'{p.name}: too many decimals in {m.group()}')
                for a,b in re.findall(r'(?<![\w.])(-?\d+(?:\.\d+)?) ± (\d+\.\d+)', t):
                    if kind!='stream' and len(a.partition('.')[2])!=len(b.partition('.')[2]): out.append(f'{p.name}: {a} ± {b}')
    return out

def once(root):
    "Sources of what is exported are folded, and so are imports"
    out = []
    for p, page in made(root):
        def bare(text): return re.sub(r'(?m)^#\|.*\n?', '', text).strip('\n')
        exported = {bare(web.stripped(c)) for c in cells(p, 'code') if is_exported(c) and not web.dropped(c)}
        for c in codes(page):
            if '#| code-fold: true' in src(c): continue
            body = bare(src(c))
            if body in exported: out.append(f'{p.name}: a source that is not folded: {body[:40]!r}')
            elif web.only_setup(c): out.append(f'{p.name}: imports that are not folded: {body[:40]!r}')
    return out

INSIDERS = r'\bof our list\b|\bdesign section\b|\.\./shared\b|\bT\d\d\b(?![\w:.-])|\bseed papers?\b|\bseed 00\d\b'

def insiders(root):
    "Words that only those who built it know stand on no page: numbers of errata are links, and nothing points outside the repository"
    out = []
    for p, page in made(root):
        for c in page:
            text = src(c)
            for m in re.finditer(INSIDERS, text):
                at = text[max(0, m.start()-12):m.start()]
                if not at.rstrip().endswith(('^','T','_','{')): out.append(f'{p.name}: {text[max(0, m.start()-30):m.end()+10]!r}')
    return out

# ---------------------------------------------------------------- pages of text

def errata(root):
    "The errata name 112 places and what code does in ten, and every cell that they say computes one is there, visibly, once"
    page = root/'nbs'/'errata.md'
    text = page.read_text(encoding='utf-8')
    ids = re.findall(r'\{#([a-f]-\d\d)\}', text)
    out = [f'errata.md: {k} is there twice' for k in sorted({k for k in ids if ids.count(k)>1})]
    want = {'a': 23, 'b': 28, 'c': 23, 'd': 25, 'e': 13, 'f': 10}
    out += [f'errata.md: {sum(k[0]==c for k in ids)} entries of {c.upper()}, {n} are known' for c,n in want.items() if sum(k[0]==c for k in ids)!=n]
    web.wanted.cache_clear()
    for file,found in web.wanted(root).items():
        p = root/'nbs'/file
        if not p.exists(): out.append(f'errata.md: there is no {file}'); continue
        shown = [source(c) for c in cells(p, 'code') if not web.dropped(c)]
        for code in found:
            n = sum(code in s for s in shown)
            if n!=1: out.append(f'{file}: {n} visible cells with {code!r}, which a page of text names')
    for p in notebooks(root):
        for c in cells(p, 'markdown'):
            out += [f'{p.name}: erratum {k} is not in errata.md' for k in set(re.findall(web.ERRATUM, source(c))) if k.lower() not in ids]
    return out

def first_page(root):
    "Numbers on the first page are those of their sources"
    text = '\n'.join(source(c) for c in cells(root/'nbs'/'index.ipynb', 'markdown'))
    listed = (root/'nbs'/'errata.md').read_text(encoding='utf-8')
    entries = re.findall(r'(?m)^\[\*\*[A-E]-\d\d\*\*\].*', listed)
    expected = json.loads((Path(__file__).parent/'expected.json').read_text())
    suite = root/'nbs'/'78_eval.checks.ipynb'
    properties = sum(len(re.findall(r'(?m)^@register_check', source(c))) for c in cells(suite, 'code') if is_exported(c)) if suite.exists() else None
    rival = json.loads((root/'nbs'/'results'/'rival.json').read_text(encoding='utf-8'))['rows']['product'][0]
    want = [f"{expected['coherence, 1 given']:g} given one view", f"{expected['coherence, 4 given']:g} given four", f"**{rival['ratio']:.0f} ×**", f'**{len(entries)}** slips', f"{sum('[Computed' in e for e in entries)} with [the cell"]
    if properties: want.append(f'**{properties}** properties')
    return [f'index.ipynb: the first page does not say {w!r}' for w in want if w not in text]

def equation_table(root):
    "Every equation of a paper that prose names has a row, and every function in the table exists"
    import site_pages
    known, out = web.homes(root), []
    if module_count(root)>10:
        out += [f'.ci/site_pages.py: the table of equations names {f!r}, which nothing defines' for *_,fs in site_pages.table() for f in fs if f not in known]
    for p in notebooks(root):
        for c in cells(p, 'markdown'):
            text = source(c)
            for m in web.EQS.finditer(text):
                before = [x for x in web.NAMED.finditer(text[:m.start()])]
                key = web.KEYS.get(before[-1].group()[:4]) if before else None
                for _,ns in web.numbers_of(m.group()):
                    out += [f'{p.name}: {site_pages.PAPERS[key][0]}, Eq. ({n}) has no row in .ci/site_pages.py' for n in ns if key and not web.paper_of(text, m.start(), n)]
    return out

def made_up(root):
    "Pages that no hand writes lead to places that are there, and every formula leads to the cell that computes it"
    import site_pages
    ids = {p.name: set(re.findall(r'\{#([^\s}]+)', '\n'.join(mds(page)))) for p,page in made(root)}
    text = site_pages.equations()+site_pages.api() if root==ROOT else '\n'.join(map(site_pages.chapter, notebooks(root)))
    out = [f'{file} has no place {at}' for file,at in sorted(set(re.findall(r'\]\((\w+[\w.]*\.ipynb)#([^)\s]+)\)', text))) if file in ids and at not in ids[file]]
    lines = re.findall(r'(?m)^\[\d+\]\(.*', text)
    return out+[f'a formula without its code: {line}' for line in lines if '[code](' not in line]

def results_first(root):
    "Chapters on theory and experiments open with a figure of what they claim; experiments then say what was learnt"
    import sidebar, site_pages
    out = []
    for p, page in made(root):
        if site_pages.number(p) is None or sidebar.part(p) not in site_pages.OPENED: continue
        opening = [src(c) for c in page[:6]]
        drawn = any(site_pages.figures(p))
        if drawn and not any('::: {.finding}' in t for t in opening): out.append(f'{p.name}: no figure before the rest')
        if sidebar.part(p)=='Experiments' and not any(t.startswith('## What we learnt') for t in opening): out.append(f'{p.name}: what was learnt does not come first')
        if drawn and not any('{#lead .eqn}' in src(c) for c in page): out.append(f'{p.name}: the figure does not lead to its cell')
    return out

def looked_at(root):
    "What contributors read of the last look at the site is what was stored"
    import drive
    file = root/'nbs'/'results'/'site.json'
    if not file.exists(): return ['nbs/results/site.json is missing: run python .ci/drive.py render FOLDER, and look FOLDER']
    said = drive.told(json.loads(file.read_text(encoding='utf-8')))
    return [] if said in (root/'nbs'/'contributing.md').read_text(encoding='utf-8') else ['contributing.md does not say what nbs/results/site.json holds: run python .ci/drive.py look FOLDER']

def module_count(root): return sum(1 for p in notebooks(root))

def versions(root):
    "Bar, citation file and citing page say the version of settings.ini"
    v = settings(root)['version']
    places = {'_quarto.yml': f'text: "{v}"', 'nbs/CITATION.cff': f'version: {v}', 'nbs/citing.md': f'{{{v}}}'}
    return [f'{f}: does not say version {v}' for f,t in places.items() if t not in (root/f).read_text(encoding='utf-8')]

CHECKS = [
    survives, colab, one_route, signatures, found_by_search, quiet, phone, contrast, tidy_tables, once, insiders,
    errata, first_page, equation_table, made_up, results_first, looked_at, versions,
]
SLOW = {f.__name__ for f in (survives, signatures, found_by_search, quiet, tidy_tables, once, insiders, made_up, results_first)}
