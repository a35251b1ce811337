"""Runs of which a file was damaged, or edited, by hand or by a disk: every command that reads the file says so in one
line with status 1, or does its work and notes what it lacked; nothing is left behind, and nobody is told to unpickle.

`READERS` holds, for each file that a run leaves, what reads it; `DAMAGE` what may happen to any file; `EDITS` what a
person might change in one.
"""
import json, shutil
from pathlib import Path
import numpy as np, pytest, torch
from mmvae_nb.files import alone
from test_commands import good, status
from test_files import cohort

LINES = {
    'generate': 'r --given rna --n 2 --out g.npz',
    'draw': 'r --n 2 --out g.npz',
    'evaluate': 'r --quick --only reconstruction',
    'impute': 'r --n 20 --out i.npz',
    'explore': 'r --out e.html',
    'train': '--out r --resume --no-score',
}
READERS = { # file -> commands that must refuse it; of `NOTED` those that go on and say so
    'run.json': ('generate','evaluate','impute','explore','train'),
    'config.json': ('generate','evaluate','impute','explore'),
    'model.safetensors': ('generate','evaluate','impute','explore'),
    'samplers/gmm/config.json': ('draw','evaluate'),
    'samplers/gmm/model.safetensors': ('draw','evaluate'),
    'judges.safetensors': ('evaluate',),
    'checkpoint.pt': ('train',),
    '../f.npz': ('generate','evaluate','impute','train'),
}
NOTED = {'curves.csv': ('evaluate',), 'evaluation.partial.json': ('evaluate',)}

@pytest.fixture(scope='module')
def place(tmp_path_factory):
    "A folder with a file of data and a run, all of whose files are there"
    d = tmp_path_factory.mktemp('edited')
    x, y = cohort()
    np.savez(d/'f.npz', **x, y=y)
    code, err = status('train', d, good(d, 'whole', score=True)+['--judge-steps', '20'])
    assert code==0, err
    told = json.loads((d/'whole'/'run.json').read_text())
    told['args']['data'] = '../f.npz'                         # a run that may be copied with its data
    return d

def copied(place, tmp_path):
    "The run and its data, in a new folder"
    shutil.copytree(place/'whole', tmp_path/'r')
    shutil.copy(place/'f.npz', tmp_path/'f.npz')
    file = tmp_path/'r'/'run.json'
    file.write_text(file.read_text().replace(str((place/'f.npz').resolve()), str((tmp_path/'f.npz').resolve())))
    return tmp_path

def content(d): return {str(p.relative_to(d)): p.is_file() and p.read_bytes() for p in Path(d).rglob('*')}

def asked(d, name):
    "What a command says of a run, after checks that hold whatever it is: one line or notes, and nothing left behind"
    before = content(d)
    code, err = status('generate' if name=='draw' else name, d, LINES[name].split())
    lines = err.strip().splitlines()
    after = content(d)
    left = [k for k in after if k.endswith(('.part','.lock'))]
    assert not left, left
    assert 'Traceback' not in err and 'weights_only' not in err and 'nsafe' not in err, err
    assert code in (0,1), (code, err)
    if code==1:
        assert len(lines)==1 and lines[0].startswith('error: '), err
        assert after==before, sorted(k for k in {**before, **after} if after.get(k)!=before.get(k))
    assert code==1 or all(line.startswith('note: ') for line in lines), err
    return code, err

# ---- what a disk does -----------------------------------------------------------------------------------------------

def as_folder(file):
    file.unlink()
    file.mkdir()

def rewrite(fn): return lambda file: file.write_bytes(fn(file.read_bytes()))

def flipped(b):
    b = bytearray(b)
    b[len(b)*2//3] ^= 4
    return bytes(b)

DAMAGE = {
    'empty': rewrite(lambda b: b''),
    'half': rewrite(lambda b: b[:len(b)//2]),
    'noise': rewrite(lambda b: np.random.default_rng(0).bytes(len(b))),
    'no UTF-8': rewrite(lambda b: b'\xff\xfe'+b),
    'deep JSON': rewrite(lambda b: b'['*200_000),
    'another JSON': rewrite(lambda b: b'[1, 2]'),
    'one bit': rewrite(flipped),
    'a folder': as_folder,
}

@pytest.mark.parametrize('damage', DAMAGE)
@pytest.mark.parametrize('file', READERS)
def test_damaged(file, damage, place, tmp_path):
    "Every reader refuses it"
    d = copied(place, tmp_path)
    if file=='run.json' and damage=='one bit': return        # of a text: an edit, see below
    DAMAGE[damage]((d/'r'/file).resolve())
    for name in READERS[file]:
        code, err = asked(d, name)
        assert code==1, f'{name} reads {file} ({damage}) as if nothing were the matter'

@pytest.mark.parametrize('damage', [name for name in DAMAGE if name!='one bit'])
@pytest.mark.parametrize('file', NOTED)
def test_noted(file, damage, place, tmp_path):
    "What was computed is written; a note says what could not be read"
    d = copied(place, tmp_path)
    if not (d/'r'/file).exists(): (d/'r'/file).write_text('{"mark": 1, "done": {}}')
    DAMAGE[damage](d/'r'/file)
    for name in NOTED[file]:
        code, err = asked(d, name)
        if damage!='a folder': assert (code, file in err)==(0, True) or damage=='no UTF-8' and code==0, (code, err)

# ---- what a person does ---------------------------------------------------------------------------------------------

def edit(file, **new):
    told = json.loads(file.read_text())
    told['args'].update(new)
    file.write_text(json.dumps(told))

def without(file, *names):
    told = json.loads(file.read_text())
    for k in names: told['args'].pop(k)
    file.write_text(json.dumps(told))

def top(file, **new): file.write_text(json.dumps({**json.loads(file.read_text()), **new}))

def table(fn):
    "Another data file"
    def change(file):
        with np.load(file) as f: d = fn({k: f[k] for k in f.files})
        np.savez(file, **d)
    return change

def poke(d):
    d['rna'][7,1] += .5
    return d

def torn(**new):
    "A checkpoint with other content"
    def change(file):
        state = torch.load(file, weights_only=True)
        torch.save({**state, **new}, file)
    return change

EVERY = 'generate', 'evaluate', 'train'
EDITS = { # file, what is done to it, commands, what their line says
    'no args': ('run.json', lambda f: f.write_text('{"versions": {}}'), EVERY, "has no 'args'"),
    'args of another kind': ('run.json', lambda f: f.write_text('{"args": [1]}'), EVERY, "has no 'args'"),
    'no model': ('run.json', lambda f: without(f, 'model'), EVERY, "lack 'model'"),
    'no data': ('run.json', lambda f: without(f, 'data'), EVERY, "lack 'data'"),
    'no sizes': ('run.json', lambda f: without(f, 'n_test'), EVERY, "lack 'n_test'"),
    'a word for a number': ('run.json', lambda f: edit(f, latent='two'), EVERY, "latent is 'two'"),
    'a number for a word': ('run.json', lambda f: edit(f, model=3), EVERY, 'model is 3'),
    'truth for a number': ('run.json', lambda f: edit(f, seed=True), EVERY, 'seed is True'),
    'a list of epochs': ('run.json', lambda f: edit(f, epochs=[1]), EVERY, 'epochs is [1]'),
    'half an epoch': ('run.json', lambda f: edit(f, epochs={'joint': .5}), EVERY, 'epochs is'),
    'classes in a word': ('run.json', lambda f: top(f, classes='ab'), EVERY, "'classes' is a str"),
    'content in a list': ('run.json', lambda f: top(f, content=[1]), EVERY, "'content' is a list"),
    'tables of another kind': ('run.json', lambda f: top(f, frames=3), EVERY, "'frames' is a int"),
    'other data': ('run.json', lambda f: edit(f, data='nowhere.npz'), EVERY, 'nowhere.npz'),
    'more test data': ('run.json', lambda f: edit(f, n_test=9), EVERY, 'is not what r was trained on'),
    'another model': ('run.json', lambda f: edit(f, model='mvae'), ('train',), 'belongs to another training'),
    'no such model': ('run.json', lambda f: edit(f, model='jmvea'), ('train',), "did you mean 'jmvae'"),
    'another latent size': ('run.json', lambda f: edit(f, latent=3), ('train',), 'model.d: 2, now 3'),
    'another batch size': ('run.json', lambda f: edit(f, bs=8), ('train',), 'training batch size: 16, now 8'),
    'more passes': ('run.json', lambda f: edit(f, epochs='3'), ('train',), 'epochs.joint: 1, now 3'),
    'another rate': ('run.json', lambda f: edit(f, lr=.1), ('train',), 'lr.joint: 0.001, now 0.1'),
    'another likelihood': ('run.json', lambda f: edit(f, likelihood='laplace'), ('train',), 'checkpoint'),
    'a device of old': ('run.json', lambda f: edit(f, device='cuda:99'), ('train',), 'say --device cpu'),
    'a value of the data': ('../f.npz', table(poke), EVERY, "values of 'rna' in the"),
    'rows in another order': ('../f.npz', table(lambda d: {k: v[::-1] for k,v in d.items()}), EVERY, 'is not what r was trained on'),
    'fewer rows': ('../f.npz', table(lambda d: {k: v[:50] for k,v in d.items()}), EVERY, 'is not what r was trained on'),
    'another label': ('../f.npz', table(lambda d: {**d, 'y': 1-d['y']}), EVERY, 'labels in the'),
    'a table less': ('../f.npz', table(lambda d: {'rna': d['rna'], 'y': d['y']}), EVERY, ''),
    'a table more': ('../f.npz', table(lambda d: {**d, 'urine': d['rna']}), EVERY, ''),
    'a checkpoint without a plan': ('checkpoint.pt', torn(plan={}), ('train',), 'has no plan'),
    'a checkpoint without curves': ('checkpoint.pt', torn(rows=3), ('train',), 'lacks rows'),
    'a checkpoint without weights': ('checkpoint.pt', torn(model={}), ('train',), 'holds other weights'),
    'a checkpoint of another kind': ('checkpoint.pt', lambda f: torch.save([1], f), ('train',), 'holds a list'),
    'samplers in a file': ('samplers', lambda f: (shutil.rmtree(f), f.write_text('')), ('draw',), 'expected a folder of samplers'),
    'no judges but noise': ('judges.safetensors', lambda f: shutil.copy(f.parent/'model.safetensors', f), ('evaluate',), 'judges.safetensors'),
}

@pytest.mark.parametrize('name', EDITS)
def test_edited(name, place, tmp_path):
    file, change, commands, message = EDITS[name]
    d = copied(place, tmp_path)
    change((d/'r'/file).resolve())
    for command in commands:
        code, err = asked(d, command)
        assert code==1 and message in err, (command, code, err)

def test_changed_data_on_purpose(place, tmp_path):
    "An option goes on, and a note says what that means; new data are no change"
    d = copied(place, tmp_path)
    table(poke)(d/'f.npz')
    LINES['evaluate'] += ' --changed'
    try: code, err = asked(d, 'evaluate')
    finally: LINES['evaluate'] = LINES['evaluate'].removesuffix(' --changed')
    assert code==0 and 'may have been in training' in err, err
    code, err = status('generate', d, 'r --given rna --data f.npz --n 2 --out g.npz'.split())
    assert (code, err)==(0, ''), err

def test_whole(place, tmp_path):
    "A run of which nothing was edited is read by every command"
    d = copied(place, tmp_path)
    for name in LINES:
        code, err = asked(d, name)
        assert (code, err)==(0, ''), (name, err)

def test_nobody_is_let_in_twice(place, tmp_path):
    "While a process has the folder, whatever would write there is refused, and what only reads goes on"
    d = copied(place, tmp_path)
    with alone(d/'r', 'mmvae_train'):
        before = content(d)
        for line in ('train --out r', 'train --out r --resume', 'train --out r --force', 'evaluate r --quick'):
            name, *words = line.split()
            code, err = status(name, d, words)
            assert (code, len(err.splitlines()))==(1, 1) and 'r is in use by mmvae_train (process' in err, (line, err)
            assert content(d)==before
        code, err = status('generate', d, LINES['generate'].split())
        assert (code, err)==(0, ''), err
        (d/'r'/'config.json').unlink()
        code, err = status('generate', d, LINES['generate'].split())
        assert code==1 and 'no saved model here yet: mmvae_train (process' in err, err
