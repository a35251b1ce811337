"""Render the site with real Quarto and drive it in headless Chromium, by hand before a release; CI does not run it.

    python .ci/drive.py render FOLDER [PAGES]    a copy of the tree is rendered to FOLDER/_docs by nbdev_docs (all pages)
    python .ci/drive.py look FOLDER [PAGES]      drive FOLDER/_docs; writes FOLDER/site.json and says what is wrong; without PAGES
                                                 all, and the outcome goes into nbs/results/site.json and nbs/contributing.md

Needs `quarto`, `chromium` and `npm` (axe-core, and MathJax, which the site links from a network). Looked at: links that lead nowhere,
pages that scroll sideways at 390 pixels, contrast and alt texts by axe-core in both themes, code that is not folded, the weight of
the first page, and whether the search finds twenty public names, drawn with a fixed seed, in its first row,
and whether two clicks lead from the first page to the code of ten equations, drawn likewise.
"""
import functools, hashlib, html, http.server, json, os, random, re, shutil, subprocess, sys, tempfile, threading, time, urllib.parse
from html.parser import HTMLParser
from pathlib import Path
import checks, site_pages, web
from project import ROOT, settings, sh

NAMES, CLICKED, FIRST_KB, MOST_CODE = 20, 10, 500, .4
PATIENCE = 900   # seconds for a page
WIDTHS = 390, 800
PLAIN = {'how to load my own data': 'tut.own_data.html', 'generate': 'core.html', 'mcar': 'data.core.html', 'errata': 'errata.html'}   # what people type

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

@functools.lru_cache(None)
def under():
    "Path at which the site stands on its host, as `/mmvae_nb/`; the page for what is not found links from there"
    url = re.search(r'site-url: *(\S+)', (ROOT/'_quarto.yml').read_text(encoding='utf-8'))[1]
    return urllib.parse.urlsplit(url).path.rstrip('/')+'/'

def dead(docs, pages):
    "Links within the site that lead nowhere"
    out = []
    for name,page in pages.items():
        for href in page.links:
            if re.match(r'[a-z]+:', href) or href in ('#', ''): continue
            path, _, anchor = urllib.parse.unquote(href.removeprefix(under())).partition('#')
            target = os.path.normpath(os.path.join(os.path.dirname(name), path.split('?')[0])) if path else name
            if target=='.': target = 'index.html'
            if target in pages:
                if anchor and anchor not in pages[target].ids: out.append(f'{name}: {href} has no such place')
            elif not (docs/target).exists(): out.append(f'{name}: {href} does not exist')
    return sorted(set(out))

# ---------------------------------------------------------------- the browser

FRAME = """<!doctype html><title>waiting</title><pre id=out></pre><iframe id=page style="width:%(width)dpx;height:900px;border:0"></iframe><script>
const frame = document.querySelector('#page'), wait = ms => new Promise(r => setTimeout(r, ms))
const say = x => { document.querySelector('#out').textContent = JSON.stringify(x); document.title = 'done' }
const load = url => new Promise(r => { frame.onload = () => r(); frame.src = url })
const main = async () => { %(script)s }
main().then(say, e => say({error: String(e)}))
</script>"""

PROBE = """
  await load(%(page)s)
  const win = frame.contentWindow, doc = frame.contentDocument, found = {wide: {}}
  doc.head.append(Object.assign(doc.createElement('style'), {textContent: '* { transition: none !important }'}))
  for (const w of %(widths)s) {
    frame.style.width = w+'px'
    await wait(w==%(first)d ? 2500 : 300)
    found.wide[w] = doc.documentElement.scrollWidth
  }
  frame.style.width = '1280px'
  await wait(300)
  const body = doc.querySelector('main'), seen = x => x.offsetParent && !x.closest('details')
  const code = [...doc.querySelectorAll('main pre.sourceCode')].filter(seen).reduce((s, x) => s+x.offsetHeight, 0)
  found.code = code/(body ? body.scrollHeight : 1)
  found.raw = [...doc.querySelectorAll('mjx-merror, [data-mjx-error]')].length
  const s = doc.createElement('script'); s.src = '/axe.min.js'; doc.head.appendChild(s)
  await new Promise(r => s.onload = r)
  for (const theme of ['day', 'night']) {
    if (theme=='night') { win.quartoToggleColorScheme(); await wait(1500) }
    found[theme+' body'] = win.getComputedStyle(doc.body).backgroundColor
    const rules = {type: 'tag', values: ['wcag2a','wcag2aa','wcag21a','wcag21aa']}, colours = {type: 'rule', values: ['color-contrast']}
    const r = await win.axe.run(doc, {runOnly: theme=='day' ? rules : colours})
    found[theme] = r.violations.map(v => [v.id, v.nodes.length, v.nodes[0].target.join(' '), (v.nodes[0].any[0] || {}).message || ''])
  }
  return found
"""

CLICKS = """
  const out = [], doc = () => frame.contentDocument
  const follow = async link => { const there = new Promise(r => { frame.onload = () => r() }); link.click(); await there }
  for (const row of %(rows)s) {
    await load('/index.html')
    const first = doc().querySelector('main a[href$="equations.html"]')
    if (!first) return {error: 'the first page has no link to the equations'}
    await follow(first)
    const mark = doc().getElementById(row) || doc().querySelector('main a[href$="'+row+'"]')
    const second = mark && mark.closest('tr, p').querySelector('td:last-child a, a[href*="#code-"]')
    if (!second) { out.push([row, null, 'no link to code']); continue }
    const href = second.getAttribute('href')
    await follow(second)
    await wait(1500)
    const target = doc().getElementById(decodeURIComponent(href.split('#')[1]))
    if (!target) { out.push([row, href, 'no such place']); continue }
    const open = [...doc().querySelectorAll('main pre.sourceCode')].filter(x => x.offsetHeight && (!x.closest('details') || x.closest('details').open))
    const code = open.find(x => target.contains(x) || target.compareDocumentPosition(x) & 4)
    const below = code ? Math.round(code.getBoundingClientRect().top-target.getBoundingClientRect().top) : null
    const source = doc().querySelector('main details[open] pre.sourceCode')
    out.push([row, href, below, (source || code || {textContent: ''}).textContent.trim().slice(0, 60)])
  }
  return out
"""

SEARCH = """
  await load('/index.html')
  const win = frame.contentWindow, docs = await (await fetch('/search.json')).json()
  const fuse = new win.Fuse([], {keys: [{name: 'title', weight: 20}, {name: 'section', weight: 20}, {name: 'text', weight: 10}], ignoreLocation: true, threshold: .1})
  docs.forEach(d => fuse.add(d))
  return Object.fromEntries(%(names)s.map(n => [n, (fuse.search(n, {limit: 20})[0] || {item: {href: null}}).item.href]))
"""

class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args): pass
    def translate_path(self, path): return super().translate_path('/'+path.removeprefix(under()).lstrip('/'))

def serve(docs):
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), functools.partial(Quiet, directory=str(docs)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server

def chromium(url, budget=15_000):
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = ['chromium', '--headless', '--no-sandbox', '--disable-gpu', '--hide-scrollbars', f'--user-data-dir={profile}',
                   f'--virtual-time-budget={budget}', '--window-size=1400,1000', '--dump-dom', url]
        try: text = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE).stdout
        except subprocess.TimeoutExpired: return {'error': f'the browser gave no answer in {PATIENCE} s'}
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

def drive(docs, server, script, width=1280, budget=30_000, **parts):
    "What a script sees that drives a frame of the site"
    text = FRAME%dict(width=width, script=script%parts)
    (docs/'probe.html').write_text(text, encoding='utf-8')
    return chromium(f'http://127.0.0.1:{server.server_address[1]}/probe.html', budget)

def probe(docs, server, name):
    parts = dict(page=json.dumps('/'+name), widths=json.dumps(WIDTHS), first=WIDTHS[0])
    return drive(docs, server, PROBE, WIDTHS[0], **parts)

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

def equations(docs):
    "Rows of the page of equations, each by its anchor or by the link of its formula"
    text = (docs/'equations.html').read_text(encoding='utf-8')
    papers = re.findall(r'id="((?:jnf|shared|multivae|cmmd|plus)-[^"]+)"', text)
    tables = [p for p in papers if f'#{p}"' not in text]                         # not those of sections
    return tables+re.findall(r'href="(?:\./)?([^"]+#eqn-\d+)"', text.partition('id="formulas"')[2])

def searched(docs, server, wrong):
    names = drawn_names()
    found = drive(docs, server, SEARCH, names=json.dumps(names))
    for n in names:
        file, anchor = web.homes()[n]
        want = f'{web.stem(file)}.html#{anchor}'
        if found.get(n)!=want: wrong.append(f'search: {n} leads to {found.get(n)}, not {want}')
    asked = site_pages.QUESTIONS
    answers = drive(docs, server, SEARCH, names=json.dumps([*asked, *PLAIN]))
    for q,page in {**asked, **PLAIN}.items():
        if (answers.get(q) or '').partition('#')[0]!=page: wrong.append(f'search: {q!r} leads to {answers.get(q)}, not {page}')
    return found | answers

def clicked(docs, server, wrong, seed=22):
    "From the first page to the code of ten equations, by two clicks each"
    rows = equations(docs)
    drawn = random.Random(seed).sample(rows, CLICKED)
    found = drive(docs, server, CLICKS, budget=120_000, rows=json.dumps(drawn))
    if not isinstance(found, list): found = [['all', None, str(found)]]
    for row,href,below,*_ in found:
        if not isinstance(below, int) or not 0<=below<=900: wrong.append(f'two clicks: {row} leads to {href}, code {below} pixels below')
    return {'equations': len(rows), 'tried': found}

def look(folder, only=None):
    docs = Path(folder)/'_docs'
    pages = parsed(docs)
    wrong = dead(docs, pages)
    wrong += [f'{n}: {p.bare} pictures without a text' for n,p in pages.items() if p.bare]
    kb = first_kb(docs)
    if kb>FIRST_KB: wrong.append(f'index.html: {kb:.0f} KB, at most {FIRST_KB}')
    tools(docs)
    server, table = serve(docs), {}
    search = searched(docs, server, wrong)
    clicks = clicked(docs, server, wrong)
    print('\n'.join(wrong) or 'links, search and clicks are right', flush=True)
    kept = Path(folder)/'looked.json'                    # a look that was stopped goes on where it was
    before = json.loads(kept.read_text()) if kept.exists() else {}
    for name in only or sorted(pages):
        digest = hashlib.md5((docs/name).read_bytes()).hexdigest()
        old = before.get(name, {})
        seen = old if old.get('digest')==digest and 'error' not in old else None
        table[name] = seen = seen or probe(docs, server, name)|{'digest': digest}
        kept.write_text(json.dumps(before|table))
        if 'error' in seen: wrong.append(f"{name}: {seen['error']}"); continue
        wrong += [f'{name}: {w} pixels wide on a screen of {k}' for k,w in seen['wide'].items() if w>int(k)]
        if seen['code']>MOST_CODE: wrong.append(f"{name}: {seen['code']:.0%} of its height is code")
        if seen['raw']: wrong.append(f"{name}: {seen['raw']} formulas that MathJax refuses")
        if seen['day body']==seen['night body']: wrong.append(f'{name}: night is as bright as day')
        wrong += [f'{name}, {theme}: {k} ({n} times, first {where}) {why}' for theme in ('day','night') for k,n,where,why in seen[theme]]
        print(name, seen['wide'], f"{seen['code']:.0%}", len(seen['day']), len(seen['night']), flush=True)
    (docs/'probe.html').unlink()
    links = sum(len(p.links) for p in pages.values())
    result = {'pages': len(pages), 'links': links, 'first page, KB': round(kb), 'search': search, 'clicks': clicks, 'wrong': wrong, 'looked at': table}
    (Path(folder)/'site.json').write_text(json.dumps(result, indent=1), encoding='utf-8')
    if not only: store(outcome(result))
    return wrong

def outcome(result):
    "What is kept of a look at the whole site"
    seen = [t for t in result['looked at'].values() if 'error' not in t]
    wrong = result['wrong']
    def count(word): return sum(word in w for w in wrong)
    return {
        'version': settings(ROOT)['version'], 'date': time.strftime('%Y-%m-%d'), 'pages': result['pages'], 'links': result['links'],
        'pages looked at': len(seen), 'dead links': count('does not exist')+count('no such place'), 'widths': list(WIDTHS),
        'pages that scroll sideways': sum(any(w>int(k) for k,w in t['wide'].items()) for t in seen),
        'pages with faults by axe-core, day': sum(bool(t['day']) for t in seen), 'night': sum(bool(t['night']) for t in seen),
        'pictures without a text': count('pictures without'), 'formulas refused': sum(t['raw'] for t in seen),
        'most code of a page': round(max(t['code'] for t in seen), 2), 'first page, KB': result['first page, KB'],
        'names searched': NAMES, 'names not found first': count('search: '), 'equations': result['clicks']['equations'],
        'equations tried by two clicks': CLICKED, 'equations missed': count('two clicks'), 'wrong': len(wrong)}

def told(o):
    "The outcome in words, for the page of contributors"
    return (f"Version {o['version']}, {o['date']}: {o['pages']} pages with {o['links']:,} links, of which {o['dead links']} are dead. "
            f"Of {o['pages looked at']} pages {o['pages that scroll sideways']} scroll sideways at {' or '.join(map(str, o['widths']))} pixels; axe-core finds faults on "
            f"{o['pages with faults by axe-core, day']} by day and {o['night']} by night; {o['pictures without a text']} have pictures without a text, and MathJax refuses "
            f"{o['formulas refused']} formulas. At most {o['most code of a page']:.0%} of a page is code that stands open; the first page weighs {o['first page, KB']} KB. "
            f"The search puts {o['names searched']-o['names not found first']} of {o['names searched']} names, drawn at random, into its first row, and two clicks lead to the code "
            f"of {o['equations tried by two clicks']-o['equations missed']} of {o['equations tried by two clicks']} equations, drawn from {o['equations']}.")

BLOCK = re.compile(r'(?s)(<!-- the site -->\n).*?(\n<!-- the end -->)')

def store(o):
    (ROOT/'nbs'/'results'/'site.json').write_text(json.dumps(o, indent=1)+'\n', encoding='utf-8')
    page = ROOT/'nbs'/'contributing.md'
    page.write_text(BLOCK.sub(lambda m: m[1]+told(o)+m[2], page.read_text(encoding='utf-8')), encoding='utf-8')

if __name__=='__main__':
    what, folder, *rest = sys.argv[1:]
    if what=='render': render(folder, rest)
    else:
        wrong = look(folder, rest)
        print('\n'.join(wrong) or 'nothing wrong')
        sys.exit(bool(wrong))
