"""Render the site with real Quarto and drive it in headless Chromium, by hand before a release; CI does not run it.

    python .ci/drive.py render FOLDER [PAGES]    a copy of the tree is rendered to FOLDER/_docs by nbdev_docs (all pages)
    python .ci/drive.py look FOLDER              drive FOLDER/_docs; writes FOLDER/site.json and says what is wrong

Needs `quarto`, `chromium` and `npm` (axe-core, and MathJax, which the site links from a network). Looked at: links that lead nowhere,
pages that scroll sideways at 390 pixels, contrast and alt texts by axe-core in both themes, code that is not folded, the weight of
the first page, and whether the search finds twenty public names, drawn with a fixed seed, in its first row.
"""
import functools, html, http.server, json, os, random, re, shutil, subprocess, sys, tempfile, threading, urllib.parse
from html.parser import HTMLParser
from pathlib import Path
import checks, web
from project import ROOT, sh

NAMES, FIRST_KB, MOST_CODE = 20, 500, .4

# ---------------------------------------------------------------- render

def render(folder, pages=()):
    "The whole site by `nbdev_docs`, or some pages"
    work = checks.copy(ROOT, Path(folder)/'work')
    shutil.copytree(ROOT/'.ci', work/'.ci', ignore=shutil.ignore_patterns('__pycache__'))
    env = {'PYTHONPATH': str(work), 'OMP_NUM_THREADS': '1'}
    (work/'README.md').touch()          # nbdev would render an older one
    if not pages: sh('nbdev_docs', '--n_workers', '1', cwd=work, **env)
    else:
        sh(sys.executable, '-c', 'from nbdev.quarto import refresh_quarto_yml as r; from nbdev.serve import proc_nbs as p; r(); p(n_workers=1)', cwd=work, **env)
        for p in pages: sh('quarto', 'render', p, cwd=work/'_proc', **env)
    shutil.copytree(work/('_proc/_docs' if pages else '_docs'), Path(folder)/'_docs', dirs_exist_ok=True)

# ---------------------------------------------------------------- what needs no browser

class Page(HTMLParser):
    "Links, names and images of a page"
    def __init__(self, text):
        super().__init__()
        self.links, self.ids, self.bare = [], set(), 0
        self.feed(text)
    def handle_starttag(self, tag, attrs):
        a = dict(attrs)
        if a.get('id'): self.ids.add(a['id'])
        if tag=='a' and a.get('href'): self.links.append(a['href'])
        if tag=='img' and not a.get('alt') and not (a.get('class') or '').startswith('navbar-logo') and a.get('alt')!='' : self.bare += 1

def parsed(docs): return {p.relative_to(docs).as_posix(): Page(p.read_text(encoding='utf-8')) for p in sorted(docs.rglob('*.html')) if 'site_libs' not in p.parts and 'mathjax' not in p.parts}

def dead(docs, pages):
    "Links within the site that lead nowhere"
    out = []
    for name,page in pages.items():
        for href in page.links:
            if re.match(r'[a-z]+:', href) or href in ('#', ''): continue
            path, _, anchor = urllib.parse.unquote(href).partition('#')
            target = os.path.normpath(os.path.join(os.path.dirname(name), path.split('?')[0])) if path else name
            if target=='.': target = 'index.html'
            if target in pages:
                if anchor and anchor not in pages[target].ids: out.append(f'{name}: {href} has no such place')
            elif not (docs/target).exists(): out.append(f'{name}: {href} does not exist')
    return sorted(set(out))

# ---------------------------------------------------------------- the browser

PROBE = """<!doctype html><title>waiting</title><pre id=out></pre><iframe id=page style="width:%(width)dpx;height:900px;border:0"></iframe><script>
const frame = document.querySelector('#page')
frame.onload = async () => {
  const win = frame.contentWindow, doc = frame.contentDocument
  try {
    if (%(dark)d && win.quartoToggleColorScheme && !doc.body.classList.contains('quarto-dark')) win.quartoToggleColorScheme()
    await new Promise(r => setTimeout(r, 2500))
    const found = {wide: doc.documentElement.scrollWidth}
    const main = doc.querySelector('main'), height = main ? main.scrollHeight : 1
    const code = [...doc.querySelectorAll('main pre.sourceCode')].filter(x => x.offsetParent && !x.closest('details')).reduce((s, x) => s+x.offsetHeight, 0)
    found.code = code/height
    if (%(axe)d) {
      const s = doc.createElement('script'); s.src = '/axe.min.js'; doc.head.appendChild(s)
      await new Promise(r => s.onload = r)
      const r = await win.axe.run(doc, {runOnly: {type: 'tag', values: ['wcag2a','wcag2aa','wcag21a','wcag21aa']}})
      found.axe = r.violations.map(v => [v.id, v.nodes.length, v.nodes[0].target.join(' '), (v.nodes[0].any[0] || {}).message || ''])
    }
    document.querySelector('#out').textContent = JSON.stringify(found)
  } catch (e) { document.querySelector('#out').textContent = JSON.stringify({error: String(e)}) }
  document.title = 'done'
}
frame.src = %(page)s
</script>"""

SEARCH = """<!doctype html><title>waiting</title><pre id=out></pre><iframe id=page style="width:1280px;height:900px;border:0"></iframe><script>
const frame = document.querySelector('#page'), names = %(names)s
frame.onload = async () => {
  const win = frame.contentWindow
  const docs = await (await fetch('/search.json')).json()
  const fuse = new win.Fuse([], {keys: [{name: 'title', weight: 20}, {name: 'section', weight: 20}, {name: 'text', weight: 10}], ignoreLocation: true, threshold: .1})
  docs.forEach(d => fuse.add(d))
  const first = Object.fromEntries(names.map(n => [n, (fuse.search(n, {limit: 20})[0] || {item: {href: null}}).item.href]))
  document.querySelector('#out').textContent = JSON.stringify(first)
}
frame.src = '/index.html'
</script>"""

class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args): pass

def serve(docs):
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), functools.partial(Quiet, directory=str(docs)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server

def chromium(url, budget=15_000):
    with tempfile.TemporaryDirectory() as profile:
        command = ['chromium', '--headless', '--no-sandbox', '--disable-gpu', '--hide-scrollbars', f'--user-data-dir={profile}',
                   f'--virtual-time-budget={budget}', '--window-size=1400,1000', '--dump-dom', url]
        text = subprocess.run(command, capture_output=True, text=True, timeout=300).stdout
    m = re.search(r'(?s)<pre id="out">(.*?)</pre>', text)
    return json.loads(html.unescape(m[1])) if m and m[1] else {'error': 'the page did not load'}

def tools(docs):
    "axe-core and MathJax beside the pages of a rendered copy"
    home = Path(tempfile.gettempdir())/f'mmvae-nb-drive-{os.getuid()}'
    if not (home/'node_modules'/'axe-core').exists():
        home.mkdir(exist_ok=True)
        sh('npm', 'install', '--silent', '--no-audit', '--no-fund', '--prefix', home, 'axe-core@4', 'mathjax@3.2.2', cwd=home)
    shutil.copy(home/'node_modules'/'axe-core'/'axe.min.js', docs)
    shutil.copytree(home/'node_modules'/'mathjax'/'es5', docs/'mathjax', dirs_exist_ok=True)
    for p in docs.glob('*.html'):
        text = p.read_text(encoding='utf-8')
        p.write_text(re.sub(r'https://[^" ]*/mathjax@3/es5/', 'mathjax/', text), encoding='utf-8')

def probe(docs, server, name, width, dark=False, axe=False):
    (docs/'probe.html').write_text(PROBE%dict(width=width, dark=dark, axe=axe, page=json.dumps('/'+name)), encoding='utf-8')
    return chromium(f'http://127.0.0.1:{server.server_address[1]}/probe.html')

def first_kb(docs):
    "Kilobytes that the first page brings, compressed as a server sends them"
    import gzip
    text = (docs/'index.html').read_text(encoding='utf-8')
    used = {m for m in re.findall(r'(?:src|href)="([^"#?]+\.(?:css|js|png|svg))"', text) if not m.startswith('http')}
    sizes = [len(text.encode())]
    raw = [(docs/u).read_bytes() for u in used if (docs/u).exists()]
    return sum(len(gzip.compress(b)) for b in [text.encode(), *raw])/1000

def drawn_names(seed=22):
    known = sorted(k for k in web.homes() if web.tells(k) or len(k)>4)
    return random.Random(seed).sample(known, NAMES)

def look(folder, only=None):
    docs = Path(folder)/'_docs'
    pages = parsed(docs)
    wrong = dead(docs, pages)
    wrong += [f'{n}: {p.bare} pictures without a text' for n,p in pages.items() if p.bare]
    kb = first_kb(docs)
    if kb>FIRST_KB: wrong.append(f'index.html: {kb:.0f} KB, at most {FIRST_KB}')
    tools(docs)
    server, table = serve(docs), {}
    names = drawn_names()
    (docs/'probe.html').write_text(SEARCH%dict(names=json.dumps(names)), encoding='utf-8')
    first = chromium(f'http://127.0.0.1:{server.server_address[1]}/probe.html')
    for n in names:
        file, anchor = web.homes()[n]
        want = f'{web.stem(file)}.html#{anchor}'
        if first.get(n)!=want: wrong.append(f'search: {n} leads to {first.get(n)}, not {want}')
    for name in only or sorted(pages):
        phone = probe(docs, server, name, 390)
        day, night = (probe(docs, server, name, 1280, dark, axe=True) for dark in (False, True))
        table[name] = {'phone': phone, 'day': day, 'night': night}
        if phone.get('wide', 999)>390: wrong.append(f"{name}: {phone.get('wide')} pixels wide on a phone")
        if day.get('code', 0)>MOST_CODE: wrong.append(f"{name}: {day['code']:.0%} of its height is code")
        for theme,found in ('day', day), ('night', night):
            wrong += [f'{name}, {theme}: {k} ({n} times, first {where}) {why}' for k,n,where,why in found.get('axe', [['error', 1, '', found.get('error', '')]])]
        print(name, phone.get('wide'), f"{day.get('code', 0):.0%}", len(day.get('axe', [])), len(night.get('axe', [])), flush=True)
    (docs/'probe.html').unlink()
    result = {'pages': len(pages), 'links': sum(len(p.links) for p in pages.values()), 'first page, KB': round(kb), 'search': first, 'wrong': wrong, 'looked at': table}
    (Path(folder)/'site.json').write_text(json.dumps(result, indent=1), encoding='utf-8')
    return wrong

if __name__=='__main__':
    what, folder, *rest = sys.argv[1:]
    if what=='render': render(folder, rest)
    else:
        wrong = look(folder, rest)
        print('\n'.join(wrong) or 'nothing wrong')
        sys.exit(bool(wrong))
