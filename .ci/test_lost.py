"""No work is lost: two processes with one folder, a disk that is full, a process that is killed, a metric, a picture, a
sampler or a part of a report that fails. Processes are real ones, forks of this one, which has imported everything."""
import json, os, resource, signal, sys, time
from pathlib import Path
import numpy as np, pandas as pd, pytest, torch
import mmvae_nb.app.cli as cli, mmvae_nb.app.explore as explorer, mmvae_nb.eval.page as page, mmvae_nb.eval.report as report
from mmvae_nb.app.commands import answer
from mmvae_nb.data.core import MMData
from mmvae_nb.data.frames import as_frames
from mmvae_nb.data.public import Gathered, gathered_data
from mmvae_nb.files import whole_file
from test_commands import good, status
from test_edited import content
from test_files import cohort

@pytest.fixture
def place(tmp_path):
    "A folder with a file of data"
    x, y = cohort()
    np.savez(tmp_path/'f.npz', **x, y=y)
    return tmp_path

def forked(d, name, words, limit=None):
    "A command in a process of its own, which may write files of so many bytes at most: its id, and a pipe of what it says"
    out, said = os.pipe()
    pid = os.fork()
    if pid:
        os.close(said)
        return pid, out
    try:
        os.chdir(d)
        sys.stdout = sys.stderr = os.fdopen(said, 'w', buffering=1)
        if limit: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        os._exit(answer(name, words))
    except SystemExit as e: os._exit(e.code or 0)
    except BaseException: os._exit(70)

def ended(pid): return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

def odd(d): return [k for k in content(d) if k.endswith(('.part','.lock')) or '.saved' in k]

def until(there, seconds=60):
    end = time.time()+seconds
    while not there() and time.time()<end: time.sleep(.01)
    assert there()

def test_two_processes(place):
    "The second is refused whatever it wants and changes nothing; when the first is killed, the folder is free, and tidied up"
    line = ['--data', 'f.npz', '--out', 'r', '--epochs', '40', '--latent', '2', '--bs', '16', '--no-score']
    first, _ = forked(place, 'train', line)
    until((place/'r'/'checkpoint.pt').exists)
    os.kill(first, signal.SIGSTOP)
    before = content(place)
    for words in (line, ['--out', 'r', '--resume'], ['--out', 'r', '--force', *line[:2]]):
        code, err = status('train', place, words)
        assert (code, len(err.strip().splitlines()))==(1, 1) and f'r is in use by mmvae_train (process {first} on' in err, err
        assert content(place)==before
    (place/'r'/f'.checkpoint.pt.{"0"*16}.part').write_text('of a kill')
    os.kill(first, signal.SIGKILL)
    assert ended(first)==-signal.SIGKILL
    code, err = status('train', place, ['--out', 'r', '--resume', '--no-score'])
    assert (code, odd(place))==(0, []), err

@pytest.mark.parametrize('limit', [300, 20_000, 60_000])
def test_disk_full(limit, place):
    "One line that names a file, and what is left is nothing, or a run that can go on"
    pid, out = forked(place, 'train', good(place, 'r', score=True), limit)
    with os.fdopen(out) as pipe: said = pipe.read()
    code = ended(pid)
    lines = [line for line in said.splitlines() if line.startswith('error: ')]
    assert code==1 and len(lines)==1 and 'Traceback' not in said and 'cannot write' in said, said
    assert not odd(place), odd(place)
    if (place/'r').exists(): assert (place/'r'/'checkpoint.pt').exists()
    again = ['--out', 'r', '--resume', '--no-score'] if (place/'r').exists() else good(place, 'r')
    code, err = status('train', place, again)
    assert (code, odd(place))==(0, []), err

def broken(*args, **kw): raise RuntimeError('a planted fault')

PLANTED = { # where a fault is planted, and what is left out for it
    'a sampler': (cli, 'fit_sampler', 'no sampler could be fitted'),
    'a picture': (report, 'overview', 'pictures'),
    'the judges': (cli, 'train_classifiers', 'classifiers'),
    'a score': (cli, 'joint_scores', 'joint coherence'),
    'the losses': (cli, '_losses', 'test loss'),
    'a part of the page': (page, 'data_table', 'page, table of the data'),
    'the first lines of the page': (page, 'plain_words', 'page, opening'),
}

def test_parts_fail_alone(place, monkeypatch):
    "Everything else is trained, scored, drawn and written, and the page says what was left out"
    for module,name,_ in PLANTED.values():
        if name!='train_classifiers': monkeypatch.setattr(module, name, broken)
    code, err = status('train', place, good(place, 'r', score=True)+['--judge-steps', '20'])
    assert code==0, err
    told = (place/'r'/'report.html').read_text()
    for what,(_,name,said) in PLANTED.items(): assert name=='train_classifiers' or said in told, what
    scores = json.loads((place/'r'/'scores.json').read_text())
    assert scores['coherence'] and 'a planted fault' in repr(scores['left out'])
    assert (place/'r'/'samples.png').exists() and not (place/'r'/'conditional.png').exists()
    monkeypatch.setattr(cli, 'train_classifiers', broken)
    (place/'r'/'judges.safetensors').unlink()
    monkeypatch.setitem(report.metrics, 'collapse', ((), broken))
    code, err = status('evaluate', place, ['r', '--quick', '--only', 'collapse,reconstruction'])
    assert code==0, err
    scored = json.loads((place/'r'/'evaluation.json').read_text())
    assert {'collapse','classifiers'} <= {row['metric'] for row in scored['left out']} and scored['scores']
    monkeypatch.setattr(explorer._Scene, 'subset', broken)
    code, err = status('explore', place, ['r'])
    assert code==0 and 'This picture failed with RuntimeError' in (place/'r'/'explore.html').read_text(), err

def test_leftovers(tmp_path):
    "A name that lies in wait is not written through, and what a killed writer left goes with the next writing"
    mine, file = tmp_path/'mine.txt', tmp_path/'a.json'
    mine.write_text('mine')
    for k in range(3): (tmp_path/f'.{os.getpid()}-a.json').with_suffix(f'.{k}').symlink_to(mine)
    (tmp_path/f'.{os.getpid()}-a.json').symlink_to(mine)
    pid = os.fork()
    if not pid:
        with whole_file(file) as part:
            part.write_text('half')
            os.kill(os.getpid(), signal.SIGKILL)
    assert ended(pid)==-signal.SIGKILL and len([*tmp_path.glob('.a.json.*.part')])==1
    with whole_file(file) as part:
        assert len(part.name)>len('.a.json..part')+15 and not part.is_symlink()
        part.write_text('whole')
    assert (file.read_text(), mine.read_text(), [*tmp_path.glob('.a.json.*.part')])==('whole', 'mine', [])

NAMES = 'y', 'file', 'a', 'a_mask', 'a_scale', 'y_mask', 'classes', 'names', 'ids', 'allow_pickle', 'mask', 'x', 'scale'

def test_names(place):
    "Names that files or functions use themselves: kept on every way out and in again"
    rng = np.random.default_rng(0)
    z = rng.normal(size=(60, 1))
    x = {k: (z+.3*rng.normal(size=(60, 2))).astype('float32') for k in NAMES}
    hidden = {'a': np.arange(60)%3>0, 'y': np.arange(60)%4>0}
    data = MMData(x, np.arange(60)%2, hidden)
    for back in (MMData.from_path(data.save_npz(place/'n.npz')), MMData.from_path(data.save_folder(place/'n'))):
        assert back.names==NAMES and back.fingerprint()==data.fingerprint()
    code, err = status('train', place, ['--data', 'n.npz', '--out', 'r', '--epochs', '1', '--latent', '2', '--no-score'])
    assert code==0, err
    code, err = status('generate', place, 'r --given file,a_mask --n 3 --out g.npz'.split())
    assert code==0, err
    with np.load(place/'g.npz') as f: assert set(f.files)==set(NAMES)
    code, err = status('generate', place, 'r --given file --targets file,y --n 3 --out h.npz'.split())
    assert code==0, err
    with np.load(place/'h.npz') as f: assert set(f.files)=={'given.file','file','y'}
    code, err = status('impute', place, 'r --n 20 --out i.npz'.split())
    assert code==0, err
    with np.load(place/'i.npz') as f: assert {k for k in f.files if '.' not in k}==set(NAMES)

def test_names_of_tables(place):
    "The same of tables and their columns"
    rng = np.random.default_rng(0)
    frames = {k: pd.DataFrame(rng.normal(size=(12, 3)), columns=['y','file',f'{k}_mask']) for k in ('y','file','a','a_mask')}
    data = MMData.from_frames(frames)
    back = MMData.from_path(data.save_npz(place/'t.npz'))
    assert back.names==tuple(frames) and back.fingerprint()==data.fingerprint()
    for k,df in as_frames(back).items(): assert list(df.columns)==list(frames[k].columns) and np.allclose(df, frames[k]), k

def test_gathered_data():
    "Rows of a table have a fingerprint, too, and are not computed for it"
    table, rows = torch.rand(5, 3), torch.arange(20)%5
    def noisy(v): raise AssertionError('computed')
    def data(rows): return gathered_data({'a': Gathered(table, rows, fn=noisy), 'b': torch.ones(20, 2)})
    assert data(rows).fingerprint()==data(rows.clone()).fingerprint()!=data(rows.flip(0)).fingerprint()
