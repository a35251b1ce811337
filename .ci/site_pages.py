"Pages of the site that no hand writes: API, equations, gallery; what the search is asked; where a page stands"
import base64, functools, re
import sidebar, web
from checks import imports, names_in, parse, said, symbols, PKG
from project import ROOT, cells, directives, module, notebooks, number, read, source, text_of, title

# ---------------------------------------------------------------- equations of the papers

PAPERS = {
    'jnf': ('JNF 2023', '@senellart2023jnf'), 'shared': ('JNF-Shared 2025', '@senellart2025jnfshared'),
    'multivae': ('MultiVae 2023', '@senellart2023multivae'), 'cmmd': ('CMMD 2023', '@mancisidor2023cmmd'),
    'plus': ('MMVAE+ 2022', '@palumbo2022mmvaeplus'),
}

# paper, number, what it says, functions that compute it
EQUATIONS = '''
jnf 1 | The generative model: one code, one decoder for each modality | MultimodalVAE, Decoder
jnf 2 | The evidence lower bound of a joint encoder | elbo, log_weights
jnf 3 | What unimodal encoders should approximate: the model's own posterior given one modality | JointVAE, LinGauss.encode
jnf 4 | The term of JMVAE: from the joint posterior to each unimodal one | l_jm
jnf 5 | The objective of JMVAE: bound minus α times that term | JMVAE
jnf 6 | A flow: density of a transformed Gaussian | FlowPosterior.log_prob, maf
jnf 7 | Deep canonical correlation: the sum of the canonical correlations | dcca, DCCA
jnf 8 | A unimodal posterior that is a flow conditioned on its modality | flow_encoder, FlowPosterior
jnf 9 | The same term as a likelihood of samples of the joint posterior | l_uni
jnf 10 | The premise on projectors, which is too strong | DCCA, JNF
jnf 11 | The posterior of a pair: product of posteriors over the prior | poe_posteriors
jnf 12 | The posterior of a subset: product of posteriors over the prior to the power of their number less one | poe_posteriors, poe_logp
jnf 13 | That density as the target of a sampler | poe_logp, ProductPosterior
jnf 14 | What a unimodal posterior should be: the average of the joint one | l_uni
jnf 15 | A second reading of JMVAE: variation of information | l_jm, l_uni
jnf 16 | The bound on it | l_jm
jnf 17 | Averages of posteriors: the divergence to each and to their mean | l_uni
jnf 18 | The same, line by line | l_uni
jnf 19 | Hamilton's equations | leapfrog
jnf 20 | The leapfrog steps | leapfrog, hmc_step
jnf 21 | The target of HMC for a subset, with the wrong power of the prior | poe_logp, ProductPosterior.logp
jnf 22 | The conditional likelihood that the tables report | predictive_loglik
shared 3 | The evidence lower bound | elbo, log_weights
shared 4 | The second form of the bound: reconstruction less divergence | elbo
shared 5 | The bound of a mixture, and the discrepancy said to be in it | MoPoE, mopoe
shared 6 | The divergence that follows from it | MoPoE
shared 7 | The term of JMVAE | l_jm
shared 8 | The term of JNF: likelihood of samples of the joint posterior | l_uni, JNF
shared 9 | A flow: change of variables | FlowPosterior.log_prob
shared 10 | The same for a chain of transformations | maf, FlowPosterior.push
shared 11 | The posterior of a subset, by Bayes' rule | poe_posteriors
shared 12 | The product over the prior's power | poe_posteriors, ProductPosterior
shared 13 | The premise on projectors that is enough | JNF, shared_info
shared 14 | The posterior given what projectors keep | JNF, Given
shared 15 | The objective of JNF-Shared | JNF
shared B.2 | InfoNCE, summed over both directions and all pairs | infonce, Contrastive
shared B.3 | One direction of it, for one sample | nce, infonce
shared B.4 | The similarity: cosine over a temperature | nce
shared C.1 | Sum of divergences to each posterior | l_uni
shared C.2 | The divergence of their sum, which is not that | l_uni
shared C.3–C.6 | Towards the average of posteriors | l_uni
shared C.7–C.12 | The divergence to the average, and its entropy | l_uni
shared C.13–C.14 | Limits: the average is the model's posterior | l_uni
shared F.3 | The target of HMC, with the wrong power of the prior | poe_logp
multivae 5 | The bound with an aggregated posterior | MVAE, elbo
multivae 6 | The objective of JMVAE, without its logarithm | JMVAE
multivae 7 | The bounds of TELBO, without their logarithm | TELBO, elbo
multivae 8 | The evidence lower bound of an MVAE | MVAE
multivae 9 | The product of an MVAE: the prior times its experts | poe, MVAE
multivae 10 | Sub-sampling: the joint bound, unimodal ones, and random subsets | random_subsets, MVAE
multivae 11 | MMVAE: average outside the logarithm | mixture_bounds, MMVAE
multivae 12 | The same with K samples | mixture_bounds, stratified
multivae 13 | MoPoE: the bound of a mixture of products | mopoe, MoPoE
multivae 14 | MVTCAE: a product of experts without the prior | poe, MVTCAE
multivae 15 | MVTCAE: reconstruction, and divergences of product and experts | MVTCAE
multivae 16 | A bound without its logarithm | elbo
multivae 17 | Another | elbo
multivae 18 | MMVAE+: shared and private codes | MMVAEPlus
multivae 19 | MMVAE+: the K-sample objective | MMVAEPlus, doubly
multivae 20 | MMVAE+: its importance weights | Resampled, MMVAEPlus
multivae 21 | MMVAE+ with modalities missing: the mixture | MMVAEPlus
multivae 22 | MMVAE+ with modalities missing: the weights | MMVAEPlus
multivae 23 | MMVAE+ with modalities missing: the densities | MMVAEPlus
cmmd 1 | The conditional bound: prior and decoders given what is observed | CMMD
cmmd 2 | The KL as mutual information and a divergence | CMMD, splits
cmmd 3 | The bound with that split | splits, SplitCMMD
cmmd 4 | Maximum mean discrepancy | mmd, gauss_mmd
cmmd 5 | The objective: bound, MMD and classifier, weighted | CMMD
cmmd 6 | What the classifier reads | CMMD
cmmd A.2 | The aggregated posterior, averaged over the wrong law | CMMD
cmmd B.1 | The bound on mutual information | CMMD
plus 1 | The objective of MMVAE+, with one private code for all decoders | MMVAEPlus, stratified
plus 2 | A posterior for shared and private codes | PrivateVAE
plus 5 | The densities in the weights | Resampled
plus 6 | Private codes of other modalities replaced by draws of an auxiliary prior | AuxPrior, Resampled
plus 7 | The gradient of the private encoders | MMVAEPlus
'''

def expanded(n):
    "Numbers of an entry: `C.3–C.6` is four"
    a, dash, b = n.partition('–')
    if not dash: return [n]
    pre = a[:2]
    return [f'{pre}{k}' for k in range(int(a[2:]), int(b[2:])+1)]

def table():
    "Rows of the table above: (paper, number, meaning, functions)"
    for line in EQUATIONS.strip().splitlines():
        head, meaning, functions = (x.strip() for x in line.split('|'))
        paper, n = head.split(' ', 1)
        yield paper, n, meaning, [f.strip() for f in functions.split(',')]

KNOWN = {(p, k) for p,n,*_ in table() for k in expanded(n)}

def slug(heading):
    "Name that pandoc gives to a heading"
    text = re.sub(r'\{[^}]*\}|[`*$\\]|\]\([^)]*\)', '', heading)
    return re.sub(r'^[^a-zA-Z]+', '', re.sub(r'[^\w\s.-]', '', text).strip().lower().replace(' ', '-'))

def mentions(root=ROOT):
    "Where prose names equations of papers: `{(paper, number): [(notebook, anchor)]}`"
    out = {}
    for p in notebooks(root):
        formulas = 0
        for c in cells(p, 'markdown'):
            text = source(c)
            references = re.search(r'(?m)^(## )?References', text)
            until = references.start() if references else len(text)
            starts = [m.start() for m in re.finditer(r'(?s)\$\$.*?\$\$', text)]
            alone = web.left_alone(text)
            for paper, n, at in web.equations_in(text):
                before = sum(s<at-400 for s in starts)
                if before==len(starts) and any(a<=at<b for a,b in alone): continue      # no anchor is put there
                anchor = f'eqn-{formulas+before+1}' if before<len(starts) else f'named-{paper}-{n.lower()}'
                found = out.setdefault((paper, n), {})
                if at<until: found.setdefault(p.name, anchor)
            formulas = web.label_formulas(text, formulas)[1]
    return out

def function_link(name):
    known = web.homes()
    if name not in known: raise ValueError(f'.ci/site_pages.py: the table of equations names {name!r}, which is not defined once')
    file, anchor = known[name]
    return f'[`{name}`]({file}#{anchor})'

def equations():
    "Every equation of the papers, and every displayed formula of the course"
    found, out = mentions(), ['---\ntitle: Equations\ndescription: "Each numbered equation of the papers: what it says, where it is derived, which function computes it"\n---\n']
    out.append('Every formula of the course stands beside the code that computes it. Below are the numbered equations of the five papers; '
               '[further down](#formulas) all displayed formulas, chapter by chapter. What is wrong in print is in the [errata](errata.md).\n')
    by_name = {p.name: p for p in notebooks()}
    for key,(name,cite) in PAPERS.items():
        out.append(f'## {name}\n\n[{cite}]\n\n| Eq. | what it says | derived in | computed by |\n|---|---|---|---|')
        for paper,n,meaning,functions in table():
            if paper!=key: continue
            where = {}
            for k in expanded(n): where |= {f: a for f,a in found.get((paper, k), {}).items() if f not in where}
            anchors = ''.join(f'[]{{#{paper}-{k.lower()}}}' for k in expanded(n))
            home = by_name[web.homes()[functions[0]][0]]
            links = ', '.join(f'[{title(by_name[f])}]({f}#{a})' for f,a in where.items()) or f'[{title(home)}]({home.name})'
            out.append(f"| {anchors}({n.replace('–', ')–(')}) | {meaning} | {links} | {', '.join(map(function_link, functions))} |")
        out.append('')
    out.append('## All formulas {#formulas}\n\nA number leads to the formula, *code* to the cell that computes it, and the names are what that cell uses or defines.\n')
    out += [chapter(p) for p in notebooks()]
    return '\n'.join(out)

def near(later, known):
    "Names of this package in the code cells that follow, up to the next formula: what is defined first, then what is used"
    defined, used = [], []
    for c in later[:4]:
        if c['cell_type']=='markdown':
            if '$$' in source(c): break
            continue
        if web.is_exported(c): defined += [s.name for s in web.symbols_of(c, '', '')]
        used += [n for n in sorted(names_in(c)-{None}) if n in known and (web.tells(n) or n in ('kl','elbo','iwae','dreg','poe','moe','mopoe','mmd','cca','dcca','hmc','nce','rbf','maf'))]
    return [n for n in dict.fromkeys([*defined, *used]) if n in known][:3]

def chapter(p):
    "The displayed formulas of a notebook"
    rows, count, section = [], 0, ''
    all_ = cells(p)
    own = {s for c in cells(p, 'code') if not web.is_exported(c) for s in symbols(c)}       # names of the demonstration
    known = {k: v for k,v in web.homes().items() if k not in own}
    for i,c in enumerate(all_):
        if c['cell_type']!='markdown': continue
        for m in re.finditer(r'(?ms)^(`{3,}).*?^\1\s*$|^#{2,3} +(.+?) *$|\$\$(.*?)\$\$', source(c)):
            if m[2]: section = re.sub(r'\s*\{[^}]*\}', '', m[2])
            elif m[3]:
                count += 1
                names = ', '.join(function_link(n) for n in near(all_[i+1:], known))
                tex = ' '.join(m[3].split())
                words = [section, f'[code]({p.name}#code-{count})' if any(map(web.computes, all_[i+1:])) else '', names]
                rows.append(f"[{count}]({p.name}#eqn-{count}) {' · '.join(w for w in words if w)}\n\n$${tex}$$\n")
    if not rows: return ''
    return f'\n### [{title(p)}]({p.name})\n\n'+'\n'.join(rows)

# ---------------------------------------------------------------- API

def api():
    "Every public name with its first line, by part and module"
    out = ['---\ntitle: API\ndescription: "Every public name with one line, by part and module"\n---\n',
           'What users need can be imported from `mmvae_nb.all`. Each name leads to its signature and source.\n']
    by_file = {}
    for s in web.index(): by_file.setdefault(s.file, []).append(s)
    last = None
    for p in notebooks():
        if p.name not in by_file: continue
        here = sidebar.part(p)
        if here!=last: out.append(f'## {here}\n')
        last = here
        out.append(f'### [`mmvae_nb.{module(p)}`]({p.name}) {{#module-{module(p).replace(".", "-")}}}\n\n{title(p)}\n\n::: {{.api}}\n')
        for s in by_file[p.name]:
            out.append(f'[`{s.name}`]({p.name}#{s.anchor})\n: {web.escaped(s.first_line) or "–"}\n')
            out += [f'[`{m.name}`]({p.name}#{m.anchor})\n: {web.escaped(m.first_line)}\n' for m in s.methods]
        out.append(':::\n')
    return '\n'.join(out)

# ---------------------------------------------------------------- gallery

def figures(p):
    "Figures of a notebook: (number of the code cell, file name, picture, caption, text)"
    for i,c in enumerate(cells(p, 'code')):
        if web.dropped(c): continue
        pngs = [text_of(o['data']['image/png']) for o in c.get('outputs', []) if 'image/png' in o.get('data', {})]
        for k,(png,cap,alt) in enumerate(zip(pngs, said(c, 'fig-cap', len(pngs)), said(c, 'fig-alt', len(pngs)))):
            if cap: yield i, f"{web.stem(p)}-{i}-{k}{'-chart' if web.is_chart(c) else ''}.png", png, cap, alt

RESULTS_FIRST = ['Experiments', 'Models', 'A first chapter', 'Theory', 'Evaluation', 'Data', 'Foundations', 'Training', 'Programs', 'Tutorials']

def chosen():
    "One figure of each notebook, results first: the last one, which shows what came out"
    for part in RESULTS_FIRST:
        for p in notebooks():
            if number(p) is None or sidebar.part(p)!=part: continue
            have = list(figures(p))
            if have: yield part, p, have[-1]

def mark(name): return '.chart ' if name.endswith('-chart.png') else ''

def attribute(text): return re.sub(r'["\\\n\]\[]', ' ', text).replace('"', "'")

def gallery():
    "Figures of the package, each leading to its notebook"
    out, last = ['---\ntitle: Results and figures\ndescription: "A figure of every chapter, results first; each leads to the notebook that made it"\n---\n'], None
    out.append('Tables of results are in the chapters on experiments; which model to take is said under [Models](models.md).\n')
    for part,p,(_,name,png,cap,alt) in chosen():
        if part!=last: out += [':::\n' if last else '', f'## {part}\n\n::: {{.gallery}}\n']
        last = part
        text = attribute(web.escaped(cap))
        out.append(f'::: {{}}\n[![](gallery/{name}){{{mark(name)}alt="{attribute(alt)}" loading="lazy"}}]({p.name})\n\n[{title(p)}]({p.name}). {cap}\n:::\n')
    return '\n'.join([*out, ':::\n'])

def pictures(folder):
    (folder/'gallery').mkdir(exist_ok=True)
    shown = [figure for *_,figure in chosen()]+[f for p in notebooks() if (f := lead(p))]
    for _,name,png,*_ in shown: (folder/'gallery'/name).write_bytes(base64.b64decode(png))

# ---------------------------------------------------------------- what a page opens with

# Figures that show what a chapter claims, by how their captions begin; of the others, the first one
LEAD = {
    '14_theory.flows.ipynb': 'Two arcs whose distance depends on x',
    '15_theory.hmc.ipynb': 'Errors of the 16 posterior means',
    '16_theory.cca.ipynb': 'Held-out data in the first two of nine coordinates',
}
OPENED = 'Theory', 'Experiments'

def reads_results(cell): return not web.is_exported(cell) and bool(re.search(r"""['"/]results['"/]|['"]results/""", source(cell)))

def lead(p, root=ROOT):
    "The figure that a page opens with: (number of the code cell, file name, picture, caption, text), or None"
    if number(p) is None or sidebar.part(p) not in OPENED: return None
    have = list(figures(p))
    if p.name in LEAD: return next((f for f in have if f[3].startswith(LEAD[p.name])), None)
    stored = [i for i,c in enumerate(cells(p, 'code')) if reads_results(c)]
    after = [f for f in have if stored and f[0]>=stored[0]]
    return next(iter(after or have), None)

def is_learnt(cell): return cell['cell_type']=='markdown' and source(cell).startswith('## What we learnt')

def opened(path, body, root=ROOT):
    "Cells of a page with what was found first: its figure and, of an experiment, what was learnt; then how"
    if number(path) is None or sidebar.part(path) not in OPENED: return body
    head, figure = [], lead(path, root)
    if figure:
        _, name, _, cap, alt = figure
        head = [web.md(f'::: {{.finding}}\n![{cap}](gallery/{name}){{{mark(name)}fig-alt="{attribute(alt)}"}}\n\n[How this figure is made](#lead)\n:::')]
    at = next((i for i,c in enumerate(body) if is_learnt(c)), None)
    if at is not None and sidebar.part(path)=='Experiments':
        end = at+1
        while end<len(body) and body[end]['cell_type']=='markdown' and not source(body[end]).startswith('## '): end += 1
        head += body[at:end]+[web.md('## How it was found')]
        body = body[:at]+body[end:]
    after = next((i for i,c in enumerate(body) if c['cell_type']=='markdown' and '*Question ' in source(c)), 0)+1
    while body[after:] and source(body[after]).startswith('::: {.callout'): after += 1     # a headline stays on top
    return body[:after]+head+body[after:]

def pages(): return {'equations.md': equations(), 'api.md': api(), 'gallery.md': gallery()}

# ---------------------------------------------------------------- where a page stands

@functools.lru_cache(None)
def listing(root):
    "Modules and their notebooks, titles of notebooks"
    nbs = notebooks(root)
    return {f'{PKG}.{module(p)}': p for p in nbs if module(p)}, {p: title(p) for p in nbs}

def needs(path, root=ROOT):
    "Notebooks whose modules the exported cells of this one import, the nearest first; foundations go without saying"
    mods, _ = listing(root)
    names = {n for c in cells(path, 'code') if web.is_exported(c) for n,_ in imports(parse(c))}
    found = {mods[n] for n in names if n in mods and mods[n]!=path and number(mods[n])>=5 and number(mods[n])<=(number(path) or 0)}
    return sorted(found, key=lambda p: -number(p))[:3]

def standing(path, root=ROOT):
    "One line under the title: part, what it needs, what comes next"
    if number(path) is None: return ''
    part = sidebar.part(path)
    here = [p for p in notebooks(root) if number(p) is not None and sidebar.part(p)==part]
    every = [p for p in notebooks(root) if number(p) is not None]
    k, at = here.index(path)+1, every.index(path)
    _, titles = listing(root)
    words = [f'{part}, {k} of {len(here)}.']
    before = [f'[{titles[p]}]({p.name})' for p in needs(path, root)]
    if before: words.append(f"Builds on {', '.join(before)}.")
    if at+1<len(every): words.append(f'Next: [{titles[every[at+1]]}]({every[at+1].name}).')
    return '::: {.standing}\n'+' '.join(words)+'\n:::'

# ---------------------------------------------------------------- the search

QUESTIONS = {
    'How do I load my own data?': 'tut.own_data.html', 'My own data: tables, arrays, masks': 'tut.own_data.html',
    'Missing modalities: train on incomplete data': 'tut.missing.html', 'Missing cells in tables': 'tut.cells.html',
    'Which model should I use?': 'models.html', 'How to install': 'index.html', 'How to cite': 'citing.html',
    'How do I write my own model?': 'models.base.html', 'How do I write my own likelihood?': 'tut.likelihood.html',
    'Save and load a model': 'train.io.html', 'Impute, fill in what is missing': 'eval.impute.html',
    'Errors in the papers': 'errata.html', 'Which function computes an equation?': 'equations.html',
    'Command line: train, generate, evaluate, impute': 'app.commands.html',
}

def questions():
    return [{'objectID': f'def:q{i}', 'href': href, 'title': q, 'section': '', 'text': q, 'crumbs': ['Questions']} for i,(q,href) in enumerate(QUESTIONS.items())]
