"Checks of the documentation that need no Quarto. Each is a function of the project folder that returns a list of problems."
import ast, functools, json, os, re, subprocess, tempfile
from pathlib import Path
import sidebar
from checks import PKG, sandbox
from density import modules
from project import GENERATED, cells, directives, module, notebooks, pages, python, settings, sh, source, title

CALLOUTS = {f'callout-{k}' for k in ('note', 'tip', 'warning', 'important', 'caution')}

# ---------------------------------------------------------------- what pandoc reads

def texts(root): return notebooks(root)+pages(root)

def prose(path):
    "The markdown cells of a notebook, or a page, as one text"
    return '\n\n'.join(source(c) for c in cells(path, 'markdown'))+'\n'

def no_code(text):
    "Text without fenced code, inline code and comments"
    text = re.sub(r'(?ms)^(`{3,}|~{3,}).*?^\1\s*$', '', text)
    return re.sub(r'(?s)<!--.*?-->', '', re.sub(r'`[^`\n]*`', '', text))

def no_math(text): return re.sub(r'\$[^$\n]+\$', '', re.sub(r'(?s)\$\$.*?\$\$', '', text))

@functools.lru_cache(None)
def pandoc(text):
    "pandoc's syntax tree of a markdown text"
    import pypandoc
    r = subprocess.run([pypandoc.get_pandoc_path(), '-f', 'markdown', '-t', 'json'], input=text, text=True, capture_output=True, check=True, encoding='utf-8')
    return json.loads(r.stdout)

def nodes(x, kind):
    "All nodes of a kind in a syntax tree"
    if isinstance(x, dict):
        if x.get('t')==kind: yield x['c']
        for v in x.values(): yield from nodes(v, kind)
    elif isinstance(x, list):
        for v in x: yield from nodes(v, kind)

# ---------------------------------------------------------------- checks

PROC = """
from nbdev.serve import proc_nbs
if __name__=='__main__': proc_nbs('nbs', n_workers=2)
"""

def processed(root):
    "nbdev's documentation processing succeeds and yields one page per notebook, and the pages of text"
    with sandbox(root) as d:
        # a relative path: nbdev skips, silently, whatever lies below a folder whose name starts with a dot
        r = python('-c', PROC, cwd=d, ok=False, OMP_NUM_THREADS='1', PYTHONPATH=str(d))
        if r.returncode: return ['processing failed: '+last_error(r.stderr)]
        made = {p.name for p in [*(d/'_proc').rglob('*.ipynb'), *(d/'_proc').rglob('*.md')]}
        bad = [p.name for p in (d/'_proc').rglob('*.ipynb') if not any(c['cell_type']=='raw' and 'title:' in source(c) for c in cells(p))]
    return [f'{n}: processing gave no page' for n in sorted({p.name for p in texts(root)}-made)]+[f'{n}: page without a title' for n in bad]

def last_error(text):
    "The line of a traceback that says what went wrong, and in which notebook"
    lines = [l for l in text.splitlines() if re.match(r'\w*(Error|Exception)\b', l)]
    return ' | '.join(dict.fromkeys(lines)) or text[-500:]

def sidebars(root):
    "The sidebar lists every notebook and page of text and nothing else, and the site renders them all"
    import yaml
    wanted = sidebar.RENDERED
    listed = yaml.safe_load((root/'_quarto.yml').read_text(encoding='utf-8'))['project']['render']
    untitled = [f'{p.name}: no title in its front matter' for p in pages(root) if title(p) == p.stem]
    return untitled+sidebar.stale(root)+[f'_quarto.yml: project render lacks {w!r}' for w in wanted if w not in listed]

TOP_KEYS = {'project', 'execute', 'format', 'website', 'bibliography', 'link-citations', 'metadata-files', 'ipynb-filters', 'lang', 'filters', 'csl'}
SITE_KEYS = {'title', 'description', 'favicon', 'site-url', 'repo-url', 'repo-subdir', 'repo-branch', 'repo-actions', 'issue-url', 'search', 'navbar', 'sidebar',
             'page-navigation', 'back-to-top-navigation', 'bread-crumbs', 'page-footer', 'open-graph', 'twitter-card', 'image', 'other-links', 'reader-mode'}

def config(root):
    "Configuration is valid YAML, with keys that Quarto knows and the values of settings.ini"
    import yaml
    out, s = [], settings(root)
    quarto = [root/'_quarto.yml', *(root/'nbs').glob('*.yml')]
    for f in [*quarto, *sorted((root/'.github').rglob('*.y*ml')), root/'.pre-commit-config.yaml']:
        try: d = yaml.safe_load(f.read_text(encoding='utf-8'))
        except yaml.YAMLError as e: out.append(f'{f.name}: {str(e).splitlines()[0]}'); continue
        if f in quarto:
            out += [f'{f.relative_to(root)}: Quarto ignores {k!r}' for k in d if k not in TOP_KEYS]
            out += [f'{f.relative_to(root)}: Quarto refuses website: {k!r}' for k in d.get('website', {}) if k not in SITE_KEYS]
        if f.name=='_quarto.yml' and f.parent==root:
            url = s['git_url'].replace('%(user)s', s['user']).replace('%(repo)s', s['repo'])
            site = (s['doc_host']+s['doc_baseurl']).replace('%(user)s', s['user']).replace('%(repo)s', s['repo'])
            want = {'title': s['title'], 'description': s['description'], 'repo-url': url, 'site-url': site, 'repo-branch': s['branch']}
            out += [f"_quarto.yml: website {k} is {d['website'].get(k)!r}, settings.ini says {v!r}" for k,v in want.items() if d['website'].get(k)!=v]
    return out

def katex():
    "Folder in which KaTeX is installed, outside the tree"
    home = Path(tempfile.gettempdir())/f'mmvae-nb-katex-{os.getuid() if hasattr(os, "getuid") else 0}'
    if not (home/'node_modules'/'katex').exists():
        home.mkdir(exist_ok=True)
        sh('npm', 'install', '--silent', '--no-audit', '--no-fund', '--prefix', home, 'katex@0.16', cwd=home)
    return home

def formulas(root):
    for p in texts(root):
        for c in cells(p, 'markdown'):
            for kind,tex in nodes(pandoc(source(c)), 'Math'): yield [p.name, tex, kind['t']=='DisplayMath']

def math(root):
    "Every equation parses in KaTeX, and no dollar is left over"
    home, todo = katex(), list(formulas(root))
    r = subprocess.run(['node', str(Path(__file__).with_name('katex.mjs')), str(home)], input=json.dumps(todo), text=True, capture_output=True, encoding='utf-8')
    if r.returncode: raise RuntimeError(r.stderr)
    left = [f'{p.name}: a formula is not recognised near {s!r}' for p in texts(root) for c in cells(p, 'markdown') for s in nodes(pandoc(source(c)), 'Str') if '$' in s]
    labels = [f'{n}: \\label is not for Quarto in {tex[:60]!r}' for n,tex,_ in todo if '\\label' in tex]
    print(f'{len(todo)} formulas')
    return r.stdout.splitlines()+left+labels

def bib_keys(root): return re.findall(r'(?m)^@\w+\{([^,\s]+),', (root/'nbs'/'references.bib').read_text(encoding='utf-8'))

def crossrefs(root):
    "Citations are in references.bib; every @eq- @fig- @sec- @tbl- is defined once in its notebook"
    keys, out = bib_keys(root), []
    out += [f'references.bib: {k} is there twice' for k in {k for k in keys if keys.count(k)>1}]
    for p in texts(root):
        raw = no_code(prose(p))
        text = no_math(raw)
        labels = re.findall(r'\{#((?:eq|fig|sec|tbl)-[\w-]+)', raw)+[directives(c)['label'] for c in cells(p, 'code') if 'label' in directives(c)]
        refs = re.findall(r'(?<![\w/.])@([A-Za-z][\w:+-]*)', text)
        out += [f'{p.name}: label {k} is defined twice' for k in {k for k in labels if labels.count(k)>1}]
        for r in map(lambda r: r.rstrip('-:+'), refs):
            if re.match(r'(eq|fig|sec|tbl)-', r):
                if r not in labels: out.append(f'{p.name}: @{r} is not defined here')
            elif r not in keys: out.append(f'{p.name}: @{r} is not in references.bib')
    return out

def structure(root):
    "Headings and callouts are what pandoc sees: blank lines before headings, fences balanced, callout kinds that exist"
    out = []
    for p in texts(root):
        for c in cells(p, 'markdown'):
            text, t = no_code(source(c)), pandoc(source(c))
            name = f'{p.name}: {source(c).strip().splitlines()[0][:50]!r}' if source(c).strip() else p.name
            heads = len(re.findall(r'(?m)^#{1,6} +\S', text))
            if heads!=sum(1 for _ in nodes(t, 'Header')): out.append(f'{name}: a heading needs a blank line before it')
            opened, closed = re.findall(r'(?m)^ {0,3}:{3,} *\{[^}]*\} *$|^ {0,3}:{3,} *[\w-]+ *:*$', text), re.findall(r'(?m)^ {0,3}:{3,} *$', text)
            if len(opened)!=len(closed): out.append(f'{name}: {len(opened)} fences open, {len(closed)} close')
            elif len(opened)!=sum(1 for _ in nodes(t, 'Div')): out.append(f'{name}: a fence needs a blank line before it')
            out += [f'{name}: unknown callout {k}' for k in re.findall(r'\.?(callout-\w+)', ' '.join(opened)) if k not in CALLOUTS]
    return out

def links(root):
    "Links between notebooks and pages, and to files, lead somewhere"
    out = []
    heads = {p.name: {h[1][0] for h in nodes(pandoc(prose(p)), 'Header')} for p in texts(root)}
    for p in texts(root):
        t = pandoc(prose(p))
        for target in [c[2][0] for kind in ('Link', 'Image') for c in nodes(t, kind)]:
            if re.match(r'[a-z]+:', target): continue
            file, _, anchor = target.partition('#')
            if file and file not in GENERATED and not (root/'nbs'/file).exists(): out.append(f'{p.name}: {target} does not exist')
            elif anchor and (file or p.name) in heads and anchor not in heads[file or p.name] and f'{{#{anchor}' not in prose(p): out.append(f'{p.name}: {target} has no such heading')
    return out

def words_of(tree):
    "Names, parameters and attributes that a syntax tree mentions"
    keys = {ast.Name: 'id', ast.arg: 'arg', ast.Attribute: 'attr', ast.keyword: 'arg'}
    return {getattr(n, keys[type(n)]) for n in ast.walk(tree) if type(n) in keys}

def vocabulary(root):
    "The names in the table of contributing.md are names that the package uses"
    page = (root/'nbs'/'contributing.md').read_text(encoding='utf-8')
    named = {w for row in re.findall(r'(?m)^\| (`[^|]*) \|', page) for w in re.findall(r'`(\w+)`', row)}
    used = set()
    for file in modules(root/PKG): used |= words_of(ast.parse(file.read_text(encoding='utf-8')))
    return [f'contributing.md: no code speaks of {w!r}' for w in sorted(named-used)]

CHECKS = [processed, sidebars, config, math, crossrefs, structure, links, vocabulary]
