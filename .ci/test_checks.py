"""Every check, tried first on a small project with a planted fault, which it must name, then on this one.

One item is one check. `PLANTS` says for each check what is broken, and what the message must contain.
"""
import json, shutil
import pytest
import checks, main_job, web
from project import ROOT, read, settings, text_of, write

def md(text): return {'cell_type': 'markdown', 'id': 'planted0', 'metadata': {}, 'source': text}
def code(text, outputs=()): return {'cell_type': 'code', 'id': 'planted1', 'metadata': {}, 'source': text, 'outputs': list(outputs), 'execution_count': None}
def stream(text, name='stdout'): return {'output_type': 'stream', 'name': name, 'text': text}

def add(*new, to='01_core'):
    "A plant that puts cells at the end of a notebook"
    def plant(d):
        nb = read(d/'nbs'/f'{to}.ipynb')
        write(d/'nbs'/f'{to}.ipynb', {**nb, 'cells': nb['cells']+list(new)})
    return plant

def edit(file, old, new):
    "A plant that changes a text file"
    def plant(d):
        text = (d/file).read_text(encoding='utf-8')
        assert old in text
        (d/file).write_text(text.replace(old, new, 1), encoding='utf-8')
    return plant

def in_part(far, near=None):
    "A plant in which a notebook (`01_core`, or one of a model) imports from one of another part"
    def plant(d):
        name = far.partition('_')[2]
        write(d/'nbs'/f'{far}.ipynb', {**read(d/'nbs'/'01_core.ipynb'), 'cells': [code(f'#| default_exp {name}'), code('#| export\nx = 1')]})
        wants = code(f'#| export\nfrom mmvae_nb.{name} import x')
        if not near: return add(wants)(d)
        write(d/'nbs'/f'{near}.ipynb', {**read(d/'nbs'/'01_core.ipynb'), 'cells': [code(f"#| default_exp {near.partition('_')[2]}"), wants]})
    return plant

def patched_method(d):
    "A method that is put on the base class from outside"
    file = d/'mmvae_nb'/'core.py'
    text = file.read_text(encoding='utf-8')
    file.write_text(text+"\n\nsetattr(MultimodalVAE, 'planted', lambda self: None)\n", encoding='utf-8')

def put(file, text): return lambda d: (d/file).write_text(text, encoding='utf-8')
def drop(file): return lambda d: (d/file).unlink()


def extra(text, module='core'):
    "A plant that adds lines to a module"
    def plant(d):
        file = d/'mmvae_nb'/f'{module}.py'
        file.write_text(file.read_text(encoding='utf-8')+f'\n{text}\n', encoding='utf-8')
    return plant

def html(text): return {'output_type': 'display_data', 'metadata': {}, 'data': {'text/html': text}}

BROKEN = []   # what a plant put in place of a function of web.py, to be put back

def unprocessed(name, instead):
    "A plant that breaks a step of the processing"
    def plant(d):
        BROKEN.append((name, getattr(web, name), web))
        setattr(web, name, instead)
    return plant

def unprocessed_pages(name, instead):
    "A plant that breaks a step of the pages that no hand writes"
    import site_pages
    BROKEN.append((name, getattr(site_pages, name), site_pages))
    return lambda d: setattr(site_pages, name, instead)

LONG_SUM = '+'.join(['x']*40)

def dense_lines(d): extra('\n'.join(f"x{i} = {'+'.join(['x']*12)}" for i in range(3000)))(d)

LONG = '#| exports\ndef planted():\n'+'\n'.join(f'    a{i} = {i}' for i in range(50))

PNG = {'output_type': 'display_data', 'metadata': {}, 'data': {'image/png': 'iVBORw0KGgo='}}
LESSON = {
    'title': md('# A lesson\n\n> Of nothing'),
    'question': md('*Question 3 of [the first chapter](00_start.ipynb): whether this is right.*'),
    'figure': code('#| fig-cap: "Look at this."\n#| fig-alt: "A picture of one dot that nobody can see."\nplt.show()', [PNG]),
    'exercises': md('## Exercises\n\n1. Do this: 0.5.\n2. And `that`: 0.7.'),
    'solutions': code('#| code-fold: true\n#| code-summary: "Solutions"\nassert .5<.7'),
    'references': md('## References'),
}

def lesson(**change):
    "A plant: a notebook that lacks nothing, but for what is changed"
    def plant(d): write(d/'nbs'/'03_lesson.ipynb', {**read(d/'nbs'/'01_core.ipynb'), 'cells': [*{**LESSON, **change}.values()]})
    return plant

def picture(directives, n=1): return code(directives+'\nplt.show()', [PNG]*n)

TABLE = html('<table><thead><tr><th></th><th>value</th><th>seeds</th></tr><tr><th>model</th><th></th><th></th></tr></thead><tbody>'
             '<tr><th rowspan="2">JNF</th><td>0.9</td><td>3</td></tr><tr><td>0.8</td><td>1</td></tr></tbody></table>')
TOLD = '#| tbl-cap: "Coherence, 1 to 3 seeds, 10 passes."'

def results(caption, table=TABLE):
    "A plant: a page of results with one table"
    return lambda d: write(d/'nbs'/'97_page.ipynb', {**read(d/'nbs'/'01_core.ipynb'), 'cells': [code(f"{caption}\npd.read_csv('results/x.csv')", [table])]})

def study(*lines, stored=(0,), says='**Planned, not run: 1 of 2 runs.**'):
    "A plant: a page of results, its module of these lines, and what is stored"
    def plant(d):
        (d/'mmvae_nb'/'exp').mkdir()
        (d/'mmvae_nb'/'exp'/'page.py').write_text('\n'.join(["__all__ = ['run_page']", 'def run_page(): pass', *lines]), encoding='utf-8')
        (d/'nbs'/'results'/'page.csv').write_text('value,beta,seed\n'+''.join(f'1,0.5,{s}\n' for s in stored), encoding='utf-8')
        page = [code('#| default_exp exp.page'), md(says), code("pd.read_csv('results/page.csv')")]
        write(d/'nbs'/'97_page.ipynb', {**read(d/'nbs'/'01_core.ipynb'), 'cells': page})
    return plant

PLANNED = "def planned(): return [([dict(beta=.5, seed=s) for s in (0,1)], 'page.csv')]"

CAP, ALT = '#| fig-cap: "Look at this."', '#| fig-alt: "A picture of one dot that nobody can see."'

PLANTS = {
    'clean': [(lambda d: write(d/'nbs'/'01_core.ipynb', {**read(d/'nbs'/'01_core.ipynb'), 'metadata': {'planted': 1}}), '01_core.ipynb: not clean')],
    'exported': [(edit('mmvae_nb/core.py', 'def subsets', 'def subset5'), 'core.py: differs'), (put('mmvae_nb/stray.py', 'x = 1\n'), 'stray.py: no notebook'),
                 (drop('mmvae_nb/core.py'), 'core.py: missing')],
    'all_lists': [(put('mmvae_nb/all.py', 'from .dists import kl\n'), 'takes nothing from core'), (edit('mmvae_nb/all.py', 'from .core', 'from .ghost import a\nfrom .core'), 'no module ghost'),
                  (edit('mmvae_nb/all.py', 'import subsets', 'import subsets, subset5'), "core exports no 'subset5'"), (edit('mmvae_nb/all.py', 'import kl', 'import kl, kl'), "'kl' is there twice"),
                  (edit('mmvae_nb/all.py', 'import subsets', 'import *'), "core exports no '*'")],
    'completion': [(patched_method, 'MultimodalVAE.planted')],
    'layers': [(add(code('#| export\nfrom mmvae_nb.dists import kl')), 'mmvae_nb.dists of notebook 02, which is not before'), (add(code('#| export\nimport fastai.basics')), 'fastai, which foundations do without'),
               (in_part('20_data.far'), 'mmvae_nb.data.far of data, a higher part'), (in_part('20_data.far', '41_models.near'), 'mmvae_nb.data.far of data; models import neither'),
               (add(code('#| export\nfrom matplotlib import pyplot')), 'imports matplotlib')],
    'pure_imports': [(add(code('import math\nx = math.pi')), 'imports and code in one cell')],
    'light': [(edit('mmvae_nb/core.py', 'import copy, inspect', 'import fastai.basics, copy, inspect'), 'imports fastai')],
    'names_known': [(edit('mmvae_nb/core.py', 'math, sys, torch, warnings', 'math, sys, warnings'), "undefined name 'torch'"), (edit('mmvae_nb/core.py', 'import copy,', 'import copy, json,'), "'json' imported but unused")],
    'budgets': [(add(code(LONG)), 'exported cell of 51 lines'), (add(md('word '*130)), 'markdown cell of 130 words'), (add(*[md('x')]*200), '% markdown'),
                (add(code('#| exports\ndef nobody_calls(): pass'), *[code(f'#| exports\ndef nobody{i}(): pass') for i in range(9)]), 'nobody_calls')],
    'directive_lines': [(add(code('#| hide_output\nx = 1')), "'#| hide_output' means nothing"), (add(code('#| echo: false\n#| hide\nx = 1')), 'after a key: value line')],
    'outputs': [(add(code('import matplotlib.pyplot as plt\nplt.subplots()')), 'no image stored'), (add(code('print(1)', [stream('/home/me/x.py')])), 'an absolute path'),
                (add(code('x', [{'output_type': 'error', 'ename': 'E', 'evalue': '', 'traceback': []}])), 'stores an error'), (add(code('x = 2\nx')), 'no text stored'),
                (add(code('print(1)', [stream('UserWarning: no', 'stderr')])), 'stderr'), (add(code('print(1)', [stream('CPU times: 3 s')])), 'a timing')],
    'top_level': [(put('notes.txt', 'x'), 'notes.txt does not belong'), (drop('LICENSE'), 'LICENSE is missing'),
                  (drop('.pre-commit-config.yaml'), '.pre-commit-config.yaml is missing')],
    'readme_in_step': [(add(md('planted'), to='index'), 'README.md is out of step')],
    'package': [(edit('setup.py', "self.filelist.append('settings.ini')", 'pass'), 'does not build'), (edit('setup.py', "include=['mmvae_nb', ", "include=['mmvae_nb.none', "), 'wheel lacks mmvae_nb/core.py')],
    'processed': [(add(code('import nothing_of_this_name')), 'nothing_of_this_name')],
    'sidebars': [(put('nbs/news.md', '# News\n'), 'sidebar.yml is out of step'), (put('nbs/news.md', '# News\n'), 'no title in its front matter'), (edit('_quarto.yml', ', "*.md"', ''), "project render lacks '*.md'"),
                 (lambda d: shutil.copy(d/'nbs'/'01_core.ipynb', d/'nbs'/'02_ghost.ipynb'), 'sidebar.yml is out of step'), (edit('nbs/sidebar.yml', 'text: "Core"', 'text: "Coe"'), 'sidebar.yml is out of step')],
    'config': [(edit('_quarto.yml', 'page-navigation', 'page-nav'), "refuses website: 'page-nav'"), (edit('_quarto.yml', 'title: mmvae_nb', 'title: other'), "title is 'other'"),
               (edit('.github/workflows/test.yaml', 'jobs:', 'jobs: ['), 'test.yaml:'), (edit('.pre-commit-config.yaml', 'repos:', 'repos: ['), '.pre-commit-config.yaml:')],
    'math': [(add(md('$$\\frac{1}{2$$')), '01_core.ipynb: KaTeX'), (add(md('so $ x^2$ holds')), 'not recognised'), (add(md('$$x \\label{a}$$')), '\\label')],
    'crossrefs': [(add(md('see @eq-ghost')), '@eq-ghost is not defined'), (add(md('as in @ghost2020model')), '@ghost2020model is not in'), (add(md('$$x$$ {#eq-a}\n\n$$y$$ {#eq-a}')), 'eq-a is defined twice')],
    'structure': [(add(md('text\n## heading')), 'blank line before'), (add(md('::: {.callout-note}\ntext')), '1 fences open, 0 close'), (add(md('::: {.callout-nota}\ntext\n:::')), 'unknown callout')],
    'repeated': [(extra('def f(m, rec): return sum(m.mods[k].weight*v for k,v in rec.items())', 'dists'), 'use model.weighted'),
                 (extra('obs = torch.stack([*observed(x, x, mask).values()])', 'dists'), 'use core.seen'),
                 (extra("if not beta>=0: raise ValueError(f'beta must not be negative, found {beta}')", 'dists'), 'use core.nonnegative'),
                 (extra('terms = {k: v.detach().mean() for k,v in terms.items()}'), 'use theory.elbo.report'),
                 (extra('half = r.argsort(0).argsort(0)<size', 'dists'), 'use core.part_of'),
                 (extra('v = v if isinstance(v, Mapping) else dict.fromkeys(names, v)', 'dists'), 'use core.per_modality'),
                 (extra('names = (names,) if isinstance(names, str) else tuple(names)', 'dists'), 'use core.as_names'),
                 (extra('loc = q.base_dist.loc'), 'use dists.params'),
                 (lambda d: [(d/'mmvae_nb'/'exp').mkdir(), put('mmvae_nb/exp/far.py', 'with whole_file(f) as tmp: pass\n')(d)], 'use exp.study'),
                 (extra('for p in ps: p.requires_grad_(False)', 'dists'), 'use core.learning'),
                 (extra("has = hasattr(model, 'product')"), 'use model.answers')],
    'packed': [(extra('a = 1; b = 2'), 'two statements on a line'), (extra('def f(): "Says so"; return 1'), 'two statements on a line'),
               (extra('for i in (1, 2): a = i; b = i'), 'two statements on a line'), (extra('square = lambda x: x**2'), 'a lambda with a name'),
               (extra('get,put = (lambda: 1), (lambda: 2)'), 'a lambda with a name'), (extra('f = (lambda: 1) if a else g'), 'a lambda with a name'),
               (extra('def f(x): return '+'+'.join(['x*x']*9)), 'nodes behind the colon of f'), (extra('class C(f): x = '+LONG_SUM), 'nodes behind the colon of C'),
               (extra('if (a := 1) and (b := 2): pass\nc = (a := 1)+(b := 2)'), 'two walruses')],
    'course': [(lesson(question=md('Question 3 of the first chapter.')), '03_lesson.ipynb: no \'*Question N of'),
               (lesson(question=md('*Question 10 of [the first chapter](00_start.ipynb): too many.*')), '03_lesson.ipynb: no \'*Question N of'),
               (lesson(exercises=md('## Summary')), "03_lesson.ipynb: 0 sections '## Exercises'"),
               (lesson(exercises=md('## Exercises\n\n1. One: 0.5.\n2. Two: 0.6.\n3. Three: 0.7.')), '03_lesson.ipynb: exercises [1, 2, 3]'),
               (lesson(exercises=md('## Exercises\n\n1. Set `a=3` in [01](01_core.ipynb).\n2. Two: 0.6.')), '03_lesson.ipynb: exercise 1 says no number'),
               (lesson(solutions=code('assert .5<.7')), '03_lesson.ipynb: the exercises are followed by no folded cell'),
               (lesson(solutions=code('#| code-fold: true\n#| code-summary: "Solutions"\n.5, .7')), '03_lesson.ipynb: the solutions assert nothing'),
               (lesson(references=md('## What we learnt')), "03_lesson.ipynb: the section 'What we learnt' follows"),
               (lesson(figure=picture(ALT)), "03_lesson.ipynb: picture of 'plt.show()': no fig-cap"),
               (lesson(figure=picture(CAP)), "03_lesson.ipynb: picture of 'plt.show()': fig-alt of 0 characters"),
               (lesson(figure=picture(CAP+'\n'+ALT, 2)), "03_lesson.ipynb: picture of 'plt.show()': no fig-cap"),
               (lesson(figure=picture(CAP+'\n#| fig-alt: "A dot."')), 'fig-alt of 6 characters'),
               (lesson(figure=picture(ALT+'\n'+ALT.replace('alt', 'cap'))), 'fig-alt repeats fig-cap'),
               (lesson(figure=picture('#| echo: false\n'+CAP+'\n'+ALT)), 'echo: false hides its code')],
    'tables_told': [(results(''), "97_page.ipynb: \"pd.read_csv('results/x.csv')\": a table without tbl-cap"),
                    (results(TOLD.replace('1 to 3', '3')), 'says 3 to 3 seeds, the table has 1 to 3'), (results(TOLD.replace('1 to 3 seeds', 'means')), 'does not say how many seeds'),
                    (results(TOLD.replace('10 passes', 'digits')), 'does not say how many passes'), (results(TOLD, html(text_of(TABLE['data']['text/html']).replace('seeds', 'n'))), 'without a column seeds')],
    'runs_planned': [(study(), '97_page.ipynb: no planned()'), (study(PLANNED, says=''), '97_page.ipynb: 1 of 2 planned runs are not stored'),
                     (study(PLANNED, stored=(0,1)), '0 of 2 planned runs')],
    'density': [(extra('x = '+LONG_SUM), 'a statement of 161 nodes'), (extra('x = 1'+' '*120+'# far'), 'characters'),
                (add(code('x = 1'+' '*120+'# far')), "01_core.ipynb: 'x = 1"), (dense_lines, 'the median statement has'), (dense_lines, 'the 90th percentile is')],
    'vocabulary': [(edit('nbs/contributing.md', '| `mask` |', '| `masque` |'), "no code speaks of 'masque'")],
    'survives': [(unprocessed('prose', lambda text, *args: text.replace('posterior', '')), "the page lacks 'posterior"), (unprocessed('front', lambda path, first: ('---\n---\n', '')), 'index.ipynb: the page lacks'),
                 (unprocessed('tidy', lambda out: {k: v for k,v in out.items() if k!='data'}), 'pictures')],
    'colab': [(lambda d: write(d/'nbs'/'03_lone.ipynb', {**read(d/'nbs'/'01_core.ipynb'), 'cells': [md('# x'), code('x = 1')]}), '03_lone.ipynb: no cell that installs'),
              (edit('nbs/01_core.ipynb', 'pip install -q git+', 'pip install -q my+'), 'out of step')],
    'one_route': [(put('nbs/website.yml', 'website: {}\n'), 'website.yml is of another route'), (edit('_quarto.yml', 'pre-render: .ci/web.py', 'pre-render: x.py'), 'pre-render must be'), (edit('nbs/route.yml', '../.ci/after.py', 'x.py'), 'route.yml: post-render must be'),
                  (edit('.gitignore', '\n/.quarto/', ''), '.gitignore lacks'), (put('nbs/news.md', '---\ntitle: x\n---\nRun quarto render here\n'), 'news.md: speaks of'),
                  (put('nbs/core.md', '---\ntitle: x\n---\n'), '01_core.ipynb and core.md are both rendered to core.html')],
    'signatures': [(unprocessed('symbol_md', lambda s, root=None, level=3: ''), 'is headed 0 times'), (edit('mmvae_nb/core.py', 'def subsets', 'def subset5'), 'subsets has no line'),
                   (unprocessed('header_of', lambda node, lines: lines[node.lineno-1]), 'is cut'), (unprocessed('header_of', lambda node, lines: 'def f(a): # [x](http://a.b)'), 'a made-up text')],
    'found_by_search': [(unprocessed('method_rows', lambda s, here, root: ''), 'has no anchor multimodalvae.generate'), (edit('_quarto.yml', 'merge-navbar-crumbs: false', 'merge-navbar-crumbs: true'), 'merge-navbar-crumbs'),
                        (add(md('[]{#twice} and []{#twice}')), 'the anchor twice is there twice')],
    'quiet': [(add(code('f()', [stream('UserWarning: no', 'stderr')])), 'stderr on the page'), (add(code('f()', [stream('/tmp/x/site-packages/a.py')])), 'the page shows')],
    'phone': [(edit('nbs/site.scss', 'mjx-container[display="true"], main .table', 'main .table'), 'nothing keeps'), (edit('_quarto.yml', 'code-overflow: wrap', 'code-overflow: scroll'), 'code-overflow')],
    'contrast': [(edit('nbs/dark.scss', '--quiet: #a9b1b9', '--quiet: #565b60'), 'nbs/dark.scss: quiet on paper'), (edit('nbs/light.scss', '--accent: #1f5f99', '--accent: #6fa8dc'), 'nbs/light.scss: accent on')],
    'tidy_tables': [(lambda d: [add(code('t', [html('<td>NaN</td>')]))(d), unprocessed('tidy', dict)(d)], 'a table with NaN'),
                    (lambda d: [add(code('t', [html('np.float64(1.0)')]))(d), unprocessed('tidy', dict)(d)], 'np.float64(...)'), (lambda d: [add(code('t', [html('1.123456789')]))(d), unprocessed('tidy', dict)(d)], 'too many decimals'),
                    (lambda d: [add(code('t', [html('0.8 ± 0.013')]))(d), unprocessed('tidy', dict)(d)], '0.8 ± 0.013')],
    'once': [(unprocessed('folded', lambda cell, summary: {**cell, 'source': web.stripped(cell)}), 'a source that is not folded')],
    'insiders': [(add(md('see E-01 of our list')), 'of our list'), (add(code('x = 1   # T65')), 'T65'), (add(md('in `../shared/data`')), '../shared')],
    'errata': [(edit('nbs/errata.md', '{#a-02}', '{#a-01}'), 'a-01 is there twice'), (edit('nbs/errata.md', '"2**M-1"', '"2**M-7"'), "01_core.ipynb: 0 visible cells with '2**M-7'"), (add(md('as in A-77')), 'erratum A-77')],
    'first_page': [(edit('nbs/errata.md', '[**E-14**]', '[**X-14**]'), 'does not say'), (edit('nbs/results/rival.json', '"ratio": ', '"ratio": 1'), 'does not say'), (edit('nbs/index.ipynb', '0.994 given four', '0.95 given four'), 'does not say')],
    'made_up': [(unprocessed('label_formulas', lambda text, start: (text, start+text.count('$$')//2)), 'has no place eqn-1'), (add(md('$$x$$')), 'a formula without its code')],
    'results_first': [(lambda d: [shutil.copy(ROOT/'nbs'/f'{n}.ipynb', d/'nbs') for n in ('11_theory.elbo', '97_exp.shapes')] and unprocessed_pages('opened', lambda path, body, root=None: body)(d), 'what was learnt does not come first')],
    'looked_at': [(edit('nbs/results/site.json', '"pages": ', '"pages": 1'), 'contributing.md does not say'), (drop('nbs/results/site.json'), 'site.json is missing')],
    'equation_table': [(add(md('see JNF 2023, Eq. (77)')), 'JNF 2023, Eq. (77) has no row')],
    'versions': [(edit('settings.ini', 'version = ', 'version = 9'), '_quarto.yml: does not say version 9')],
    'links': [(put('nbs/changelog.md', '---\ntitle: Changes\n---\n\n[x](99_ghost.ipynb)\n'), 'changelog.md: 99_ghost.ipynb does not exist'), (add(md('[x](99_ghost.ipynb)')), '99_ghost.ipynb does not exist'), (add(md('[x](01_core.ipynb#ghost)')), 'no such heading')],
}

@pytest.fixture
def small(tmp_path):
    "Makes small projects of two notebooks and the index, to be broken"
    def make(k):
        d = checks.copy(ROOT, tmp_path/f'project{k}')
        keep = {'01_core.ipynb', '02_dists.ipynb', 'index.ipynb'}
        for p in (d/'nbs').glob('*.ipynb'):
            if p.name not in keep: p.unlink()
        for p in (d/'mmvae_nb').iterdir():
            if p.is_dir(): shutil.rmtree(p)
            elif p.name not in {'__init__.py', 'core.py', 'dists.py'}: p.unlink()
        (d/'mmvae_nb'/'all.py').write_text('from .core import subsets\nfrom .dists import kl\n')
        return d
    return make

@pytest.mark.parametrize('check', checks.everything(), ids=lambda f: f.__name__)
def test_check(check, small):
    for k,(plant,message) in enumerate(PLANTS[check.__name__]):
        d = small(k)
        try:
            plant(d)
            found = check(d)
        finally:
            for name,right,where in reversed(BROKEN): setattr(where, name, right)
            BROKEN.clear()
        assert any(message in p for p in found), f'plant {k} went unnoticed: {message!r} not in {found}'
    problems = check(ROOT)
    assert not problems, '\n'+'\n'.join(problems)

def test_course_of_a_good_lesson(small):
    "A lesson that lacks nothing is not complained of, nor is a list of two captions"
    d = small('good')
    def faults(**change):
        "Complaints about the lesson"
        lesson(**change)(d)
        return [fault for fault in checks.course(d) if 'lesson' in fault]
    assert not faults()
    two = '#| fig-cap: ["Look here.", "Look there."]\n#| fig-alt: ["A picture of one dot at the left.", "A picture of one dot at the right."]'
    assert not faults(figure=picture(two, 2))

def test_a_good_page_of_results(small):
    "A page that says what its table shows, and which of its planned runs are missing, is not complained of"
    d = small('told')
    results(TOLD)(d)
    assert checks.tables_told(d)==[]
    study(PLANNED)(d)
    assert checks.runs_planned(d)==[]

def test_main_job_notices(tmp_path):
    "The check of the main job (which .ci/run makes) on a good run, a broken model and a missing picture"
    wanted, tol = main_job.expected()
    def run(drop=(), **change):
        have = wanted | change
        given = [{'n_given': n, 'value': have[f'coherence, {n} given']} for n in (1,4)]
        joint = [{'subset': 'prior', 'value': 0.}, {'subset': 'gmm', 'value': have['joint coherence, sampler gmm']}]
        for f in set(main_job.FILES)-set(drop):
            (tmp_path/f).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path/f).write_text(json.dumps({'by_given': given, 'joint': joint}))
        for f in drop: (tmp_path/f).unlink()
        return main_job.problems(tmp_path, ' '.join(f'{v:g}' for v in wanted.values()))
    assert run()==[]
    for k,v in wanted.items(): assert k in run(**{k: v-2*tol})[0]
    assert 'samples.png is missing' in run(drop=['samples.png'])[0]
    run()
    assert 'README' in main_job.problems(tmp_path, 'no number')[0]
