"""Command lines that a person could type by mistake: each ends in one line with status 1 or 2, leaves nothing behind, and
runs once it is corrected. A real terminal, interrupted at any moment, says so and no more."""
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
import json, os, signal, subprocess, sys, time
import numpy as np, pytest
from mmvae_nb.app.commands import answer
from test_files import cohort

@pytest.fixture(scope='module')
def place(tmp_path_factory):
    "A folder with a file of data and a run"
    d = tmp_path_factory.mktemp('commands')
    x, y = cohort()
    np.savez(d/'f.npz', **x, y=y)
    (d/'notes.txt').write_text('mine')
    (d/'empty.json').write_text('{}')
    (d/'bad.json').write_text('{"latnt": 2}')
    code, err = status('train', d, good(d, 'a_run', score=True))
    assert code==0, err
    return d

def good(d, out, score=False):
    words = ['--data', 'f.npz', '--out', out, '--epochs', '1', '--latent', '2', '--bs', '16']
    return words if score else [*words, '--no-score']

def status(name, d, words):
    "Exit status, and what was said on stderr, of a command given in a folder"
    before = os.getcwd()
    os.chdir(d)
    try:
        with redirect_stdout(StringIO()), redirect_stderr(StringIO()) as err:
            try: code = answer(name, words)
            except SystemExit as e: code = e.code
    finally: os.chdir(before)
    return code, err.getvalue()

def tree(d):
    "Files with their times, and folders"
    return {str(p.relative_to(d)): p.is_file() and p.stat().st_mtime_ns for p in Path(d).rglob('*')}

BAD = { # words to add to a good line, which come last and so win; status; what the one line says
    'no batches': ('--bs 0', 2, '--bs'),
    'no latent code': ('--latent 0', 2, '--latent'),
    'half a latent code': ('--latent 2.5', 2, 'whole number'),
    'no training samples': ('--n_train 0', 2, '--n-train: expected'),
    'more samples than there are': ('--n-train 1000', 1, 'not enough'),
    'no learning': ('--lr 0', 2, '--lr'),
    'a rate that is no number': ('--lr nan', 2, '--lr'),
    'a rate that diverges': ('--lr 1e30', 1, 'Lower the learning rate'),
    'a negative seed': ('--seed -1', 2, '--seed'),
    'a device of another world': ('--device tricorder', 1, '--device'),
    'a device that is not there': ('--device cuda:99', 1, '--device'),
    'a misspelt model': ('--model jmvea', 2, 'did you mean jmvae'),
    'a misspelt option': ('--latnt 4', 2, 'did you mean --latent'),
    'an option cut short': ('--lat 4', 2, 'unknown option --lat'),
    'an option without its value': ('--latent', 2, 'expected one argument'),
    'no passes': ('--epochs 0', 1, 'nothing to train'),
    'passes of no stage': ('--epochs join=1', 1, "did you mean 'joint'"),
    'passes in words': ('--epochs many', 2, '--epochs'),
    'a misspelt likelihood': ('--likelihood bernouli', 2, 'did you mean bernoulli'),
    'a likelihood of no modality': ('--likelihood rnb=normal', 1, "did you mean 'rna'"),
    'a likelihood that cannot be': ('--likelihood rna=poisson', 1, 'rna'),
    'a scale that cannot be': ('--likelihood normal:-1', 2, '--likelihood'),
    'a negative weight': ('--weight rna=-1', 2, '--weight'),
    'a weight of no modality': ('--weight rnb=2', 1, "did you mean 'rna'"),
    'convolutions on a table': ('--network rna=conv', 1, 'choose mlp'),
    'a network of nothing': ('--network mlp:0', 2, '--network'),
    'data that are not there': ('--data nowhere.npz', 2, 'nowhere.npz'),
    'misspelt data': ('--data digitz', 2, 'did you mean digits'),
    'settings that are not there': ('--config nowhere.json', 2, 'nowhere.json'),
    'settings of something else': ('--config bad.json', 2, 'did you mean latent'),
    'a folder that is a file': ('--out notes.txt', 2, 'notes.txt is a file'),
    'a folder within a file': ('--out notes.txt/run', 1, 'notes.txt'),
    'a folder that holds a run': ('--out a_run', 1, 'already holds a run'),
    'nothing to resume': ('--resume', 1, 'nothing to resume'),
    'on and over': ('--resume --force', 1, 'choose one'),
    'an option of another model': ('--observed rna', 1, 'no such option'),
    'a model that needs an option': ('--model cmmd', 1, '--observed is needed'),
    'a word too many': ('runs', 2, 'belongs to no option'),
}

@pytest.mark.parametrize('name', BAD)
def test_bad_line(name, place):
    "One line, nothing left behind; then the corrected command runs"
    added, code, message = BAD[name]
    out = 'new/'+name.replace(' ', '_')
    before = tree(place)
    found, err = status('train', place, [*good(place, out), *added.split()])
    assert (found, len(err.strip().splitlines())) == (code, 1), err
    assert err.startswith('error: ') and message in err, err
    assert tree(place)==before
    found, err = status('train', place, good(place, out))
    assert found==0, err
    assert (place/out/'model.safetensors').exists()

OTHERS = {
    'evaluate without a run': ('evaluate', '', 2, 'run'),
    'evaluate no run': ('evaluate', '.', 2, 'not a run'),
    'evaluate what is not there': ('evaluate', 'nowhere', 2, 'no such folder'),
    'a misspelt metric': ('evaluate', 'a_run --only coherense', 2, 'did you mean coherence'),
    'no points': ('evaluate', 'a_run --points 0', 2, '--points'),
    'other data in the run': ('evaluate', 'a_run --data f.npz', 1, '--data needs --out'),
    'given what there is not': ('generate', 'a_run --given rnb --out s.npz', 1, "did you mean 'rna'"),
    'no samples': ('generate', 'a_run --n 0 --out s.npz', 2, '--n'),
    'an unknown picture': ('generate', 'a_run --out s.gif', 1, '.npz or .png'),
    'a picture nowhere': ('generate', 'a_run --out nowhere/s.png', 1, 'no such folder'),
    'impute to nowhere': ('impute', 'a_run', 2, '--out is needed'),
    'an impossible level': ('impute', 'a_run --out x.npz --level 1', 2, '--level'),
    'impute over a file': ('impute', 'a_run --out notes.txt', 1, 'exists already'),
    'explore nothing': ('explore', 'nowhere', 2, 'no such folder'),
    'an experiment without a name': ('experiment', '', 1, '--list'),
    'a misspelt recipe': ('experiment', 'polymnst', 2, 'did you mean polymnist'),
    'a misspelt scale': ('experiment', 'binary --scale smal', 2, 'did you mean small'),
    'a seed in words': ('experiment', 'binary --seed 0,x', 2, '--seed'),
    'a misspelt model of a recipe': ('experiment', 'binary --models MVEA', 1, "did you mean 'MVAE'"),
    'published data that are not named': ('experiment', 'polymnist --scale paper', 1, 'say --data FOLDER'),
    'published data that are not there': ('experiment', 'polymnist --scale paper --data .', 1, 'MMNIST/train: no such file'),
    'data of an experiment nowhere': ('experiment', 'binary --data nowhere', 2, 'no such folder'),
    'digits that are not there': ('experiment', 'binary --scale tiny --data .', 1, 'mnist.npz: no such file'),
    'an experiment into a file': ('experiment', 'binary --scale tiny --out notes.txt', 2, 'notes.txt is a file'),
    'an experiment on no device': ('experiment', 'binary --scale tiny --device cuda:99', 1, '--device'),
}

@pytest.mark.parametrize('name', OTHERS)
def test_bad_line_of_another_command(name, place):
    command, words, code, message = OTHERS[name]
    before = tree(place)
    found, err = status(command, place, words.split())
    assert (found, len(err.strip().splitlines())) == (code, 1), err
    assert message in err, err
    assert tree(place)==before

def test_corrected_others(place):
    for command, words in ('generate', 'a_run --given rna --n 3 --out s.npz'), ('impute', 'a_run --out x.npz --n 20'):
        code, err = status(command, place, words.split())
        assert code==0, err
    code, err = status('evaluate', place, 'a_run --quick --only likelihood --out e'.split())
    assert code==0, err
    about = json.loads((place/'e'/'evaluation.json').read_text())
    assert about['scores'][0]['n']<=20, about['scores'][0]

def test_an_experiment_runs_once(place):
    "A plan writes nothing; a run is one file; the second time nothing is written"
    words = 'binary --scale tiny --models MVAE --out tried'.split()
    before = tree(place)
    code, err = status('experiment', place, [*words, '--plan'])
    assert (code, tree(place))==(0, before), err
    code, err = status('experiment', place, words)
    assert code==0, err
    after = tree(place)
    assert set(after)-set(before)=={'tried', 'tried/binary.tiny.MVAE.0.json'}
    code, err = status('experiment', place, words)
    assert (code, tree(place))==(0, after), err

def test_settings_of_a_run_make_the_same_run(place):
    "Out and in again: weights are the same to the last bit, and the command line wins"
    code, err = status('train', place, ['--config', 'a_run/run.json', '--out', 'again', '--no-score'])
    assert code==0, err
    assert (place/'again'/'model.safetensors').read_bytes()==(place/'a_run'/'model.safetensors').read_bytes()
    was, now = (json.loads((place/k/'run.json').read_text())['args'] for k in ('a_run', 'again'))
    assert was==now
    code, err = status('train', place, ['--config', 'a_run/run.json', '--out', 'other', '--no-score', '--latent', '3'])
    assert json.loads((place/'other'/'run.json').read_text())['args']=={**was, 'latent': 3}

def test_dry_run_writes_nothing(place):
    before = tree(place)
    code, err = status('train', place, [*good(place, 'dry'), '--dry-run'])
    assert (code, tree(place))==(0, before), err
    code, err = status('train', place, [*good(place, 'a_run'), '--dry-run'])
    assert code==1 and 'already holds a run' in err

@pytest.mark.parametrize('seconds', [.4, 1.5, 4.])
@pytest.mark.parametrize('words', [['train', '--data', 'shapes', '--out', 'cut'], ['evaluate', 'a_run']])
def test_ctrl_c_at_any_moment(words, seconds, place):
    "One line and status 130, while importing as well"
    env = {**os.environ, 'PYTHONWARNINGS': 'ignore', 'PYTHONPATH': str(Path(__file__).resolve().parent.parent)}
    p = subprocess.Popen([sys.executable, '-m', 'mmvae_nb', *words], cwd=place, env=env, text=True, stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, start_new_session=True)
    time.sleep(seconds)
    p.send_signal(signal.SIGINT)
    _, err = p.communicate(timeout=60)
    assert (p.returncode, len(err.strip().splitlines())) == (130, 1), err
    assert 'interrupted' in err
