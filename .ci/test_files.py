"""Files that a person could bring: each ends with scores and a report, or is refused in one line before training.

`FILES` holds a maker for each: arrays by name for an `.npz`. Where the line says how to mend the file, the mended one
is tried as well.
"""
from contextlib import redirect_stderr, redirect_stdout
from io import BytesIO, StringIO
import gzip, json, struct, tracemalloc, zipfile, zlib
from types import SimpleNamespace
from unittest import mock
import numpy as np, pandas as pd, pytest, scipy.io, scipy.sparse
from PIL import Image
from mmvae_nb.app.cli import mmvae_evaluate, mmvae_generate, mmvae_train
from mmvae_nb.app.fill import mmvae_impute
from mmvae_nb.data import frames, public
from mmvae_nb.data.core import MMData

N = 60

def cohort(seed=0, n=N):
    "Two tables that show one hidden factor"
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(n,2))
    def show(k): return (z@rng.normal(size=(2,k))+.3*rng.normal(size=(n,k))).astype('float32')
    return {'rna': show(6), 'clinic': show(3)}, (z[:,0]>0).astype(int)

def changed(**new):
    "The tables with some of them, or labels, replaced"
    x, _ = cohort()
    return {**x, **new}

def without(name, rows):
    "The tables, one of them NaN in some rows"
    x, y = cohort()
    x[name][rows] = np.nan
    return {**x, 'y': y}

def halves():
    x, y = cohort()
    x['rna'][:N//2] = np.nan
    x['clinic'][N//2:] = np.nan
    return {**x, 'y': y}

def scaled(k, factor, shift=0.):
    x, y = cohort()
    x[k] = x[k]*factor+shift
    return {**x, 'y': y}

def nineteen():
    rng = np.random.default_rng(0)
    z = rng.normal(size=(N,1))
    return {f'm{i}': (z+.5*rng.normal(size=(N,2))).astype('float32') for i in range(19)}

def constant():
    x, y = cohort()
    x['rna'][:,2] = 7.
    return {**x, 'y': y}

def with_cells(n):
    x, y = cohort()
    x['clinic'][:n,1] = np.nan
    return {**x, 'y': y}

def masked(hidden):
    x, y = cohort()
    mask = np.arange(N)%3>0
    x['rna'][~mask] = hidden
    return {**x, 'y': y, 'rna_mask': mask}

x, y = cohort()
rng = np.random.default_rng(1)
words = np.array(['mild','severe','none'])[rng.integers(0, 3, N)]
rare = np.where(np.arange(N)==3, 'rare', 'usual')

GOOD = {
    'complete': lambda: {**x, 'y': y},
    'no labels': lambda: x,
    'incomplete rows': lambda: without('rna', slice(0, 20)),
    'incomplete rows of both': lambda: halves(),
    'empty cells': lambda: with_cells(3),
    'NaN under a mask': lambda: masked(np.nan),
    'inf under a mask': lambda: masked(np.inf),
    'raw units': lambda: scaled('rna', 30, 150),
    'large units': lambda: scaled('clinic', 1e5, 1e7),
    'small units': lambda: scaled('clinic', 1e-5),
    'labels as words': lambda: {**x, 'y': words},
    'labels from 5': lambda: {**x, 'y': y+5},
    'labels as floats': lambda: {**x, 'y': y.astype('float64')},
    'labels in a column': lambda: {**x, 'y': y[:,None]},
    'labels of one class': lambda: {**x, 'y': np.zeros(N, int)},
    'a class that is rare': lambda: {**x, 'y': rare},
    'ages as targets': lambda: {**x, 'y': 60+10*x['rna'][:,0]},
    'one modality': lambda: {'rna': x['rna'], 'y': y},
    'nineteen modalities': nineteen,
    'a column that never varies': constant,
    'a modality that never varies': lambda: changed(flat=np.full((N,2), 3.)),
    'float16': lambda: {k: v.astype('float16') for k,v in x.items()},
    'float64': lambda: {k: v.astype('float64') for k,v in x.items()},
    'integers': lambda: changed(rna=(10*x['rna']).astype('int16')),
    'counts': lambda: changed(counts=rng.poisson(np.exp(2+x['rna'][:,:3]))),
    'large counts': lambda: changed(counts=rng.poisson(1e4*np.exp(x['rna'][:,:3]))),
    'yes and no': lambda: changed(mutations=x['rna']>0),
    'pixels': lambda: changed(scan=rng.integers(0, 256, (N,1,8,8)).astype('uint8')),
    'sound': lambda: changed(sound=rng.normal(size=(N,1,50))),
    'names with dots and blanks': lambda: {'gene expr': x['rna'], 'visit.1': x['clinic'], 'y': y},
    'big endian': lambda: changed(rna=x['rna'].astype('>f4')),
    'Fortran order': lambda: changed(rna=np.asfortranarray(x['rna'])),
}
BAD = { # what the line must say
    'words as a modality': (lambda: changed(site=words), 'site'),
    'uneven lengths': (lambda: changed(rna=x['rna'][:50]), '50'),
    'nothing in a row': (lambda: {k: np.where(np.arange(N)[:,None]==4, np.nan, v) for k,v in x.items()}, 'nothing observed'),
    'infinite': (lambda: changed(rna=np.where(x['rna']>1, np.inf, x['rna'])), 'rna'),
    'too few rows': (lambda: {k: v[:5] for k,v in x.items()}, 'too few'),
    'one number a row': (lambda: changed(age=x['rna'][:,0]), 'age'),
    'labels too many': (lambda: {**x, 'y': np.zeros(N+1, int)}, 'labels'),
    'complex': (lambda: changed(rna=x['rna']+1j), 'rna'),
    'no rows': (lambda: {k: v[:0] for k,v in x.items()}, 'rna'),
}

def ran(f):
    "Exit status and what was said on both streams"
    with redirect_stdout(StringIO()) as out, redirect_stderr(StringIO()) as err:
        try: f()
        except SystemExit as e: return e.code, out.getvalue(), err.getvalue()
    return 0, out.getvalue(), err.getvalue()

def train(file, out, **more):
    options = {'epochs': '1', 'latent': 2, 'bs': 16, **more}
    return ran(lambda: mmvae_train(out=str(out), data=str(file), **options))

@pytest.mark.parametrize('name', GOOD)
def test_good_file(name, tmp_path):
    "Training ends with scores and a page; the model generates, and is evaluated"
    file, out = tmp_path/'f.npz', tmp_path/'run'
    np.savez(file, **GOOD[name]())
    code, said, err = train(file, out)
    assert code==0, err
    scores = json.loads((out/'scores.json').read_text())
    assert all(np.isfinite(v['loss']) for v in scores['loss'].values()), scores['loss']
    assert (out/'report.html').stat().st_size>1000
    assert 'nan' not in said.lower().split(), said
    code, _, err = ran(lambda: mmvae_generate(str(out), n=3, out=str(tmp_path/'g.npz')))
    assert code==0, err
    made = np.load(tmp_path/'g.npz')
    for k in made.files: assert np.isfinite(made[k]).all(), k
    if name in ('incomplete rows of both', 'empty cells'):
        code, _, err = ran(lambda: mmvae_evaluate(str(out), points=4, n=10))
        assert code==0, err

@pytest.mark.parametrize('name', BAD)
def test_bad_file(name, tmp_path):
    "One line, before anything is written"
    make, message = BAD[name]
    file, out = tmp_path/'f.npz', tmp_path/'run'
    np.savez(file, **make())
    code, said, err = train(file, out)
    assert (code, len(err.strip().splitlines())) == (1, 1), err
    assert message in err, err
    assert not out.exists()

@pytest.mark.parametrize('name', ['incomplete rows', 'incomplete rows of both'])
@pytest.mark.parametrize('model', ['jmvae', 'telbo', 'jnf', 'mopoe', 'mmvaeplus', 'nexus', 'masked_jnf', 'vcca'])
def test_every_kind_of_model_on_incomplete_data(name, model, tmp_path):
    "Trained on what it can use, scored, drawn; or refused before training where nothing is left"
    file, out = tmp_path/'f.npz', tmp_path/'run'
    np.savez(file, **GOOD[name]())
    code, said, err = train(file, out, model=model)
    if name=='incomplete rows of both' and model in ('jmvae', 'telbo', 'jnf'):
        assert (code, len(err.strip().splitlines())) == (1, 1) and '--model mvtcae' in err
        assert not out.exists()
        return
    assert code==0, err
    assert (out/'scores.json').exists() and (out/'report.html').exists()
    if model in ('jmvae', 'telbo', 'jnf', 'vcca'): assert 'are not used' in said, said

def test_units_are_kept(tmp_path):
    "What is generated is in the units of the file"
    file, out = tmp_path/'f.npz', tmp_path/'run'
    np.savez(file, **scaled('rna', 30, 150))
    code, said, err = train(file, out, epochs='20', lr=5e-3)
    assert code==0, err
    assert 'standard' in said
    code, _, err = ran(lambda: mmvae_generate(str(out), given='clinic', n=6, out=str(tmp_path/'g.npz')))
    made = np.load(tmp_path/'g.npz')
    assert 100<made['rna'].mean()<200

# Tables for `mmvae_impute`: a run knows their columns, categories and classes

def tables(seed=0):
    "Two tables of sixty patients, with words, a label, and a column without a value"
    rng = np.random.default_rng(seed)
    z = rng.normal(size=N)
    ids = pd.Index([f'p{i:02}' for i in range(N)], name='patient')
    lab = pd.DataFrame({'sodium': 140+3*z+rng.normal(size=N), 'potassium': 4+.4*z+.1*rng.normal(size=N)}, ids)
    site = np.where(z+.5*rng.normal(size=N)>0, 'north', 'south')
    status = np.where(z>0, 'ill', 'well')
    return {'lab': lab, 'clinic': pd.DataFrame({'age': 60+8*z, 'site': site, 'hla': np.nan, 'status': status}, ids)}

def folder(at, frames):
    at.mkdir()
    for k,df in frames.items(): df.to_csv(at/f'{k}.csv')
    return at

@pytest.fixture(scope='module')
def run(tmp_path_factory):
    "A run on tables of which rows are missing"
    root = tmp_path_factory.mktemp('tables')
    lab, clinic = tables().values()
    files = folder(root/'in', {'lab': lab[12:], 'clinic': clinic[:50]})
    code, said, err = train(files, root/'run', labels='clinic.status')
    assert code==0, err
    assert 'narrow networks' in said and 'note:' in err and 'UserWarning' not in err, (said, err)
    return root/'run'

lab, clinic = (v[:4] for v in tables().values())
nobody = pd.DataFrame({'age': [np.nan], 'site': [None]}, pd.Index(['zoe'], name='patient'))
NEW = { # what is said of it, if anything
    'as in training': ({'lab': lab, 'clinic': clinic}, ''),
    'another order of rows and columns': ({'lab': lab.iloc[::-1, ::-1], 'clinic': clinic.iloc[:,::-1]}, ''),
    'a column more': ({'lab': lab.assign(chloride=1.), 'clinic': clinic}, "'chloride' were not there in training"),
    'a column less': ({'lab': lab[['sodium']], 'clinic': clinic}, "'potassium' are not there"),
    'a file less': ({'clinic': clinic}, ''),
    'a file more': ({'lab': lab, 'urine': lab}, "'urine' were not there in training"),
    'no label': ({'lab': lab, 'clinic': clinic.drop(columns='status')}, ''),
    'one class only': ({'lab': lab, 'clinic': clinic.assign(status='well')}, ''),
    'a class that training had not': ({'lab': lab, 'clinic': clinic.assign(status='dead')}, ''),
    'a column that was empty': ({'lab': lab, 'clinic': clinic.assign(hla='A2')}, "'hla' were empty in training"),
    'a cell missing': ({'lab': lab.assign(sodium=[np.nan,1.,2.,3.]), 'clinic': clinic}, 'has seen no gaps'),
    'nothing observed': ({'lab': lab, 'clinic': pd.concat([clinic, nobody])}, 'filled from the prior'),
    'no row in common': ({'lab': lab, 'clinic': clinic.rename(lambda s: f'q{s}')}, 'write the ids alike'),
}
REFUSED = {
    'an unseen category': ({'lab': lab, 'clinic': clinic.assign(site='east')}, "column 'site': 'east'", 'leave such cells empty'),
    'duplicated ids': ({'lab': pd.concat([lab, lab])}, "'p00' stands more than once", 'keep one row of each id'),
    'words for numbers': ({'lab': lab.assign(sodium='high')}, "column 'sodium'", 'write numbers there'),
    'no known column': ({'lab': lab.add_prefix('x')}, "'xsodium'", 'rename them'),
    'no known file': ({'urine': lab}, "'urine'", 'rename them'),
}

@pytest.mark.parametrize('name', NEW)
def test_new_tables(name, run, tmp_path):
    "Filled, with what was observed as it was, and ids kept"
    frames, message = NEW[name]
    files, out = folder(tmp_path/'new', frames), tmp_path/'out'
    code, said, err = ran(lambda: mmvae_impute(str(run), out=str(out), data=str(files), n=20))
    assert code==0, err
    assert message in err and all(line.startswith('note: ') for line in err.splitlines()), err
    if not message: assert not err.strip(), err
    back = {k: pd.read_csv(out/f'{k}.csv', index_col='patient') for k in ('lab','clinic')}
    ids = pd.concat([*frames.values()]).index.drop_duplicates()
    for k,df in back.items():
        assert sorted(df.index)==sorted(ids)
        assert df.drop(columns='hla', errors='ignore').notna().all().all()
        for c in df.columns.intersection(frames.get(k, df).columns).drop('hla', errors='ignore'):
            had = frames.get(k, df)[c].dropna()
            now = df[c].loc[had.index]
            assert np.allclose(now, had) if had.dtype.kind=='f' else (now==had).all(), c

@pytest.mark.parametrize('name', REFUSED)
def test_refused_tables(name, run, tmp_path):
    "One line with file, column and remedy; nothing is written"
    frames, *message = REFUSED[name]
    files, out = folder(tmp_path/'new', frames), tmp_path/'out'
    code, said, err = ran(lambda: mmvae_impute(str(run), out=str(out), data=str(files)))
    assert (code, len(err.strip().splitlines()), out.exists()) == (1, 1, False), err
    for part in (*message, str(files)): assert part in err, err

def test_bad_tables_in_training(tmp_path):
    "One line, and no folder; counts under a normal density have a better word"
    bad = {'duplicated': ({'lab': pd.concat([lab, lab, lab])}, 'keep one row of each id'),
           'empty': ({'lab': lab.assign(sodium=np.nan, potassium=np.nan)}, 'no column has a value')}
    for name,(frames,message) in bad.items():
        code, _, err = train(folder(tmp_path/name, frames), tmp_path/'run')
        assert (code, len(err.strip().splitlines())) == (1, 1) and message in err, err
    (tmp_path/'a.xlsx').write_bytes(b'no table')
    code, _, err = train(tmp_path/'a.xlsx', tmp_path/'run')
    assert code==1 and 'a.xlsx: unknown kind of file; known are' in err, err
    assert not (tmp_path/'run').exists()
    drawn = np.random.default_rng(0).poisson(8., (N,4))
    counts = pd.DataFrame(drawn, tables()['lab'].index).add_prefix('c')
    both = folder(tmp_path/'counts', {'counts': counts, 'lab': tables()['lab']})
    code, said, err = train(both, tmp_path/'run', likelihood='counts=normal')
    assert code==0 and '--likelihood counts=poisson' in said, (said, err)

def test_new_arrays(tmp_path):
    "Words for classes, a modality less and one more"
    np.savez(tmp_path/'f.npz', **{**without('rna', slice(0, 20)), 'y': words})
    code, _, err = train(tmp_path/'f.npz', tmp_path/'run')
    assert code==0, err
    np.savez(tmp_path/'new.npz', clinic=x['clinic'][:4], urine=x['rna'][:4], y=words[:4])
    out = tmp_path/'out.npz'
    code, said, err = ran(lambda: mmvae_impute(str(tmp_path/'run'), out=str(out), data=str(tmp_path/'new.npz')))
    assert code==0 and 'urine were not there in training' in err, err
    with np.load(out) as f:
        assert np.allclose(f['clinic'], x['clinic'][:4]) and f['rna'].shape==(4,6)
    np.savez(tmp_path/'other.npz', urine=x['rna'][:4])
    code, _, err = ran(lambda: mmvae_impute(str(tmp_path/'run'), out=str(out), data=str(tmp_path/'other.npz')))
    assert code==1 and 'rename them' in err, err

# ---- files that announce more than they hold ------------------------------------------------------------------------

MUCH = 10**9 # rows

def header(shape, dtype='<f8'):
    "The beginning of an `.npy` file"
    out = BytesIO()
    np.lib.format.write_array_header_1_0(out, {'shape': shape, 'fortran_order': False, 'descr': dtype})
    return out.getvalue()

def announced_npy(path):
    path.write_bytes(header((MUCH, 100))+b'\0'*800)
    return path

def announced_npz(path):
    with zipfile.ZipFile(path, 'w') as z:
        z.writestr('rna.npy', header((MUCH, 100))+b'\0'*800)
        z.writestr('clinic.npy', header((10, 3))+b'\0'*240)
    return path

def packed_npz(path):
    "The directory of the archive lies about the size as well"
    with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as z: z.writestr('rna.npy', header((MUCH, 100))+b'\0'*800)
    size = len(header((MUCH, 100)))+800
    path.write_bytes(path.read_bytes().replace(struct.pack('<I', size), struct.pack('<I', 2**32-2)))
    return path

def announced_picture(path):
    "A PNG whose header says 12,000 x 12,000"
    Image.new('L', (4, 4)).save(path)
    raw = bytearray(path.read_bytes())
    raw[16:24] = struct.pack('>II', 12_000, 12_000)
    raw[29:33] = struct.pack('>I', zlib.crc32(bytes(raw[12:29])))
    path.write_bytes(raw)
    return path

def announced_mat(path):
    "A sparse matrix of 1e9 rows without an entry"
    scipy.io.savemat(path, {'X1': scipy.sparse.csc_matrix((MUCH, 3))})
    return path

def announced_idx(path):
    "Sizes whose product is 2**64, which is 0 for integers of 64 bits"
    path.write_bytes(struct.pack('>4i', 8*256+3, 2**30, 2**30, 16))
    return path

def announced_h5(path):
    "What HDF5 takes for a matrix of which no chunk was written"
    path.write_bytes(bytes(2000))
    return path

def announced_sparse(path):
    "Compressed rows, as MIR Flickr has them"
    np.savez(path, data=np.ones(1), indices=np.zeros(1, int), indptr=np.array([0,1]), shape=np.array([MUCH,100]))
    return path

def columns_outside(path):
    np.savez(path, data=np.ones(1), indices=np.array([7*10**6]), indptr=np.array([0,1]), shape=np.array([1,100]))
    return path

def long_text(path):
    path.write_bytes(b'0,0\n'*500_000)
    return path

def packed_text(path):
    "A table of zeros, a thousand times as long as its file"
    with gzip.open(path, 'wt') as f: f.write('id,a\n'+'0,0\n'*2**20)
    return path

def read_on_a_small_machine(path):
    "Where there is 1 MB of memory"
    with mock.patch.object(frames, '_memory', return_value=2**20): return frames.read_data(path)

def read_parquet(path):
    "As if its last bytes said so; the libraries for such files need not be there"
    with mock.patch.multiple(frames, find_spec=bool, _told_by_parquet=lambda path: (10**12, 100)):
        return frames.read_data(path)

def read_folder(path):
    (path.parent/'pictures').mkdir()
    path.rename(path.parent/'pictures'/path.name)
    return frames._read_pictures(path.parent/'pictures')

def read_h5(path): frames._check_dataset(path, 'X', SimpleNamespace(shape=(MUCH, 100), size=100*MUCH, dtype=np.dtype(float)))

ANNOUNCED = { # maker, name, reader, what the line says
    'npy': (announced_npy, 'a.npy', frames.read_data, 'announces float64 of shape'),
    'npy in a folder': (announced_npy, 'a.npy', lambda p: MMData.from_folder(p.parent), 'announces float64 of shape'),
    'npz': (announced_npz, 'a.npz', MMData.from_npz, 'rna announces float64 of shape'),
    'packed npz': (packed_npz, 'a.npz', MMData.from_npz, 'announces'),
    'picture': (announced_picture, 'a.png', read_folder, 'announces 12,000 x 12,000 pixels'),
    'mat': (announced_mat, 'a.mat', lambda p: public._mat(p, ['X1']), 'announces X1 of shape'),
    'idx': (announced_idx, 'a-idx3-ubyte', public._idx_length, 'not an idx file'),
    'h5': (announced_h5, 'a.h5ad', read_h5, 'announces X of shape'),
    'packed text': (packed_text, 'a.csv.gz', read_on_a_small_machine, 'unpacks to at least'),
    'text': (long_text, 'a.csv', read_on_a_small_machine, '2,000,000 bytes'),
    'parquet': (long_text, 'a.parquet', read_parquet, 'announces 1,000,000,000,000 rows of 100 columns'),
    'sparse': (announced_sparse, 'a.npz', public._sparse, 'row pointers'),
    'sparse columns': (columns_outside, 'a.npz', public._sparse, 'columns outside'),
}

@pytest.mark.parametrize('name', ANNOUNCED)
def test_announced(name, tmp_path):
    "Refused in one line before memory is asked for"
    make, file, read, says = ANNOUNCED[name]
    path = make(tmp_path/file)
    tracemalloc.start()
    with pytest.raises(ValueError) as e: read(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    said = str(e.value)
    assert says in said and len(said.splitlines())==1, said
    assert peak<2**26, f'{peak:,} bytes'

# ---- text files that are not whole -----------------------------------------------------------------------------------

PACKED = gzip.compress(''.join(f'{i},{i**.5}\n' for i in range(3000)).encode())

HALVED = {
    'half': PACKED[:len(PACKED)//2],
    'first bytes': PACKED[:8],
    'one bit': PACKED[:3000]+bytes([PACKED[3000]^4])+PACKED[3001:],
    'not packed': b'a,b\n1,2\n',
    'something after its end': PACKED+b'more',
}

@pytest.mark.parametrize('name', HALVED)
def test_damaged_text(name, tmp_path):
    "One line that names the file"
    path = tmp_path/'a.csv.gz'
    path.write_bytes(HALVED[name])
    with pytest.raises(ValueError, match='a.csv.gz: not a whole gzip file') as e: frames.read_data(path)
    assert len(str(e.value).splitlines())==1
