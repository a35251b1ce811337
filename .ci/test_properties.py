"""Properties that any frames should have: rows, columns, kinds and values come back, whatever they are.

Each is tried on data sets that hypothesis draws: columns of all kinds with gaps, names and ids of all sorts, rows in
any order, frames that lack rows. Draws are the same in every run, and bounded in number and size.
"""
import datetime as dt, tempfile, warnings
import numpy as np, pandas as pd, pytest, torch
from importlib.util import find_spec
from hypothesis import HealthCheck, Phase, assume, given, settings, strategies as st
from hypothesis.configuration import set_hypothesis_home_dir
from mmvae_nb.app.estimator import MMEstimator
from mmvae_nb.app.fill import write_filled
from mmvae_nb.core import seeded
from mmvae_nb.data.core import MMData
from mmvae_nb.data.frames import Frames, as_frames, read_data
from mmvae_nb.eval.impute import impute
from mmvae_nb.models.mvae import MVAE
from mmvae_nb.models.mvtcae import MVTCAE
from mmvae_nb.train.io import load_model, save_model

set_hypothesis_home_dir(tempfile.gettempdir())                          # it writes beside the project else

def bounded(n):
    "So many draws, the same in every run"
    return settings(max_examples=n, derandomize=True, deadline=None, database=None,
                    suppress_health_check=list(HealthCheck),
                    phases=(Phase.explicit, Phase.generate, Phase.shrink))

# ---- frames of strangers ---------------------------------------------------------------------------------------------

NAMES = ['a', 'b.c', 'Größe', 'x y', 'y', '0', 0, 7, '', ' ', 'index', 'level_0', 'mean', 'a=b', 'rna', 'patient id', '蛋白',
         "it's", 'a"b', 'a,b', ('u','v'), 2.5, 'NaN', 'None', 'z (days)']
WORDS = ['x', 'Ä b', '', 'nan?', 'x,y', 'TRUE', '007', '1e5', ' x', "q'", 'None', '日']
FLOATS = st.one_of(st.floats(-1e6, 1e6), st.sampled_from([0., -0., 1e-30, 1/3, 123456.789, 16777217., 1e15]))
WHOLE = st.integers(-5, 5)
LARGE = st.one_of(st.integers(-2**53, 2**53), st.just(16777217))
DAYS = st.dates(dt.date(1960, 1, 1), dt.date(2050, 1, 1))
TIMES = st.datetimes(dt.datetime(1960, 1, 1), dt.datetime(2050, 1, 1))
SPANS = st.timedeltas(dt.timedelta(-3000), dt.timedelta(3000))

def typed(dtype, cells): return pd.Series(cells, dtype=dtype)

def codes(k): return st.integers(0, k-1)

def of_categories(values, ordered):
    "Categories of which not each needs to occur"
    def make(cells): return pd.Series(pd.Categorical.from_codes([-1 if c is None else c for c in cells], values, ordered))
    return codes(len(values)), make

def local(cells): return pd.Series(pd.to_datetime(cells)).dt.tz_localize('UTC').dt.tz_convert('Europe/Zurich')

DAY = pd.Timestamp('2024-05-01')
INTERVALS = pd.IntervalIndex.from_breaks([0., 1., 2.5, 7.])
KINDS = { # How a cell is drawn, what makes a column of cells (None: missing), and can cells be missing?
    'float64': (FLOATS, lambda c: typed('float64', c), True),
    'measurements': (st.integers(-10**5, 10**5).map(lambda i: i/100), lambda c: typed('float64', c), True),
    'float32': (st.floats(-1e6, 1e6, width=32), lambda c: typed('float32', c), True),
    'Float64': (FLOATS, lambda c: typed('Float64', c), True),
    'int64': (LARGE, lambda c: typed('int64', c), False),
    'int8': (WHOLE, lambda c: typed('int8', c), False),
    'uint32': (st.integers(0, 2**32-1), lambda c: typed('uint32', c), False),
    'Int64': (LARGE, lambda c: typed('Int64', c), True),
    'UInt8': (st.integers(0, 255), lambda c: typed('UInt8', c), True),
    'counts': (st.integers(0, 40), lambda c: typed('int64', c), False),
    'object numbers': (WHOLE, lambda c: typed(object, c), True),
    'bool': (st.booleans(), lambda c: typed(bool, c), False),
    'boolean': (st.booleans(), lambda c: typed('boolean', c), True),
    'object bools': (st.booleans(), lambda c: typed(object, c), True),
    'zeros and ones': (st.sampled_from([0., 1.]), lambda c: typed('float64', c), True),
    'str': (st.sampled_from(WORDS), lambda c: typed(None, c) if any(v is not None for v in c) else typed(object, c), True),
    'object words': (st.sampled_from(WORDS), lambda c: typed(object, c), True),
    'string': (st.sampled_from(WORDS), lambda c: typed('string', c), True),
    'codes': (st.sampled_from(['01', '02', '010']), lambda c: typed(None, c) if any(c) else typed(object, c), True),
    'category': (*of_categories(['b', 'a', 'c c', 'unused'], False), True),
    'ordered': (*of_categories(['low', 'mid', 'high'], True), True),
    'ordered numbers': (*of_categories([3, 1, 2], True), True),
    'intervals': (*of_categories(INTERVALS, True), True),
    'category of dates': (*of_categories(pd.to_datetime(['2020-01-01', '2021-05-05']), False), True),
    'category of bools': (*of_categories([False, True], False), True),
    'days': (DAYS, lambda c: pd.Series(pd.to_datetime(c)), True),
    'times': (TIMES, lambda c: pd.Series(pd.to_datetime(c)), True),
    'times in seconds': (DAYS, lambda c: pd.Series(pd.to_datetime(c)).astype('datetime64[s]'), True),
    'times of a zone': (TIMES, local, True),
    'spans': (SPANS, lambda c: pd.Series(pd.to_timedelta(c)), True),
}

IDS = {
    'words': lambda n: [f's{i}' for i in range(n)],
    'numbers': lambda n: list(range(100, 100+n)),
    'digits': lambda n: [f'{i:03}' for i in range(n)],
    'floats': lambda n: [i/4 for i in range(n)],
    'dates': lambda n: pd.date_range('2024-02-27', periods=n),
    'dates of a zone': lambda n: pd.date_range('2024-03-30', periods=n, freq='7h', tz='Europe/Zurich'),
    'spans': lambda n: pd.timedelta_range('1D', periods=n, freq='5h'),
    'pairs': lambda n: pd.MultiIndex.from_tuples([(f'p{i//2}', i%2) for i in range(n)], names=['patient', 'visit']),
    'nullable': lambda n: pd.Index(range(n), dtype='Int64'),
    'categories': lambda n: pd.CategoricalIndex([f'c{i}' for i in range(n)]),
    'months': lambda n: pd.period_range('2020-01', periods=n, freq='M'),
}

@st.composite
def column(draw, n, kind):
    "A column of `n` cells, some of them perhaps missing"
    cell, make, gaps = KINDS[kind]
    cells = draw(st.lists(st.one_of(st.none(), cell) if gaps else cell, min_size=n, max_size=n))
    return make(cells)

@st.composite
def frame(draw, ids, kinds=tuple(KINDS), names=tuple(NAMES)):
    "A frame of some of the samples, in any order"
    rows = draw(st.permutations(range(len(ids))))[:draw(st.integers(2, len(ids)))]
    labels = draw(st.lists(st.sampled_from(names), min_size=1, max_size=4, unique_by=repr))
    columns = [draw(column(len(rows), draw(st.sampled_from(kinds)))) for _ in labels]
    df = pd.concat(columns, axis=1).set_axis(pd.Index(labels, dtype=object, tupleize_cols=False), axis=1)
    return df.set_axis(ids[rows])

@st.composite
def cohorts(draw, kinds=tuple(KINDS), names=tuple(NAMES), ids=tuple(IDS)):
    "Frames of one cohort, by name"
    index = IDS[draw(st.sampled_from(ids))](7)
    index = index if isinstance(index, pd.Index) else pd.Index(index)
    if draw(st.booleans()) and index.nlevels==1: index = index.rename('who')
    modalities = ['one', 'y', 'index'][:draw(st.integers(1, 3))]
    return {k: draw(frame(index, kinds, names)) for k in modalities}

def read(frames, **kw):
    "The data set of frames, without rows that say nothing; hypothesis draws again where a frame is empty"
    for df in frames.values(): assume(df.notna().any(axis=None))
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        return MMData.from_frames(frames, empty='drop', **kw)

def said(df):
    "Every cell as Python writes it"
    return df.astype(object).where(df.notna(), None).map(repr)

def assert_same(found, want):
    "Same labels, ids, types and cells; rows of `found` may stand in another order, and empty ones may be gone"
    there = want.loc[want.notna().any(axis=1)]
    assert found.columns.equals(want.columns), (found.columns, want.columns)
    assert found.index.dtype==want.index.dtype and found.index.names==want.index.names
    assert len(found.index)==len(there) and found.index.isin(there.index).all(), (found.index, there.index)
    found = found.loc[there.index]
    for j,name in enumerate(want.columns):
        assert found.dtypes.iloc[j]==want.dtypes.iloc[j], (name, found.dtypes.iloc[j], want.dtypes.iloc[j])
    a, b = said(found), said(there)
    assert a.equals(b), (a, b)

# ---- there and back --------------------------------------------------------------------------------------------------

@bounded(100)
@given(cohorts())
def test_frames_come_back(frames):
    "Index, columns, types and cells; what was missing is missing"
    for k,df in as_frames(read(frames)).items(): assert_same(df, frames[k])

@bounded(50)
@given(cohorts())
def test_inner_and_outer(frames):
    "Everybody is there, or those whom all frames have"
    everybody = read(frames)
    some = [df.index[df.notna().any(axis=1)] for df in frames.values()]
    listed = [i for rows in some for i in rows]
    assert set(everybody.ids)==set(listed) and everybody.ids.is_unique
    for k,rows in zip(frames, some): assert set(everybody.ids[everybody.observed(k).numpy()])==set(rows)
    common = [i for i in frames['one'].index if all(i in df.index for df in frames.values())]
    assume(any(i in set(listed) for i in common))
    both = read(frames, on='inner')
    assert both.ids.tolist()==[i for i in common if i in set(listed)]

def stored(data):
    "Numbers of the data by id and column, NaN where missing"
    return {k: pd.DataFrame(data.x[k].double().masked_fill(~data.cells(k), np.nan).numpy(), data.ids) for k in data.names}

@bounded(40)
@given(cohorts(), st.randoms(use_true_random=False))
def test_order_does_not_matter(frames, chance):
    "Rows, columns and frames in another order: the same numbers of the same samples; schema from the first"
    data = read(frames)
    def mixed(df):
        df = df.iloc[chance.sample(range(len(df)), len(df))]
        return df.iloc[:,chance.sample(range(df.shape[1]), df.shape[1])]
    order = chance.sample(list(frames), len(frames))
    other = read({k: mixed(frames[k]) for k in order}, like=data)
    assert other.names==data.names and len(other)==len(data)
    for k,df in stored(data).items():
        found = stored(other)[k].loc[data.ids]
        assert np.array_equal(found.to_numpy(), df.to_numpy(), equal_nan=True), k
    for k,df in as_frames(other).items(): assert_same(df, frames[k])
    alone = read({k: mixed(frames[k]) for k in order})                 # a schema of its own: labels move, nothing else
    for k,df in as_frames(alone).items(): assert_same(df[frames[k].columns], frames[k])

@bounded(40)
@given(cohorts())
def test_saved_and_loaded(frames):
    "An `.npz`, a folder and the schema as text give back what was saved"
    data = read(frames)
    with tempfile.TemporaryDirectory() as dir:
        again = read_data(data.save_npz(f'{dir}/all.npz'))
        folder = MMData.from_folder(data.save_folder(f'{dir}/all'))
        for other in again, folder:
            assert other.frames.to_json()==data.frames.to_json()
            assert other.ids.equals(data.ids) and other.ids.dtype==data.ids.dtype and other.ids.names==data.ids.names
            for k,df in as_frames(other).items(): assert_same(df, frames[k])
    schema = Frames.from_json(data.frames.to_json())
    for k,df in as_frames(read(frames, like=schema)).items(): assert_same(df, frames[k])

# ---- through a model -------------------------------------------------------------------------------------------------

def untrained(data):
    with seeded(0): return MVAE(data.modalities(), 2).eval()

def of_its_kind(found, want):
    "Is a filled column what it was: type (nullable or not), levels, truth values, whole numbers, whole days?"
    a, b = found.dtype, want.dtype
    if a==b and a!=object: return True
    if a==object: return {type(v) for v in found.dropna()}=={type(v) for v in want.dropna()}
    return str(a).lower()==str(b).lower()

def check_filled(filled, data, frames):
    "Observed cells as they were, others filled by values of their column's kind"
    for k,df in filled.items():
        want = frames[k].reindex(data.ids)
        assert df.index.equals(data.ids) and df.columns.equals(want.columns)
        empty = [c for c in want if not frames[k][c].notna().any()]
        for j,name in enumerate(want.columns):
            v, known = df.iloc[:,j], want.iloc[:,j].notna()
            assert of_its_kind(v, frames[k].iloc[:,j]), (k, name, v.dtype)
            assert v[known].map(repr).tolist()==want.iloc[:,j][known].astype(v.dtype).map(repr).tolist(), (k, name)
            assert v.isna().all() if name in empty else v.notna().all(), (k, name, v)
        for col in data.frames.tables[k].columns:
            v, known = df[col.name], frames[k][col.name].dropna()
            if col.word=='bernoulli': assert v.isin([0, 1]).all(), (k, col)
            if col.categories: assert v.isin(col.categories).all(), (k, col)
            if col.inner=='day': assert (v.dt.normalize()==v).all() if col.dtype[0]=='d' else (v.dt.floor('D')==v).all()
            if 'str' in col.dtype: assert v.isin(known).all(), (k, col)

@bounded(40)
@given(cohorts())
def test_imputed_frames(frames):
    "What was observed stays, what was missing gets a value of its column's kind; bounds and deviations are numbers"
    data = read(frames)
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        filled = impute(untrained(data), data, n=20, quiet=True)
    check_filled(filled.frames(), data, frames)
    x = data.part(slice(None), data.names)
    for k in data.names:
        known = data.cells(k)
        assert torch.equal(filled.mean[k][known], x[k][known]) and not filled.sd[k][known].any()
    for part in 'sd', 'low', 'high':
        for k,df in filled.frames(part).items():
            assert df.index.equals(data.ids) and list(df.columns)==data.frames.features(k)
            assert np.isfinite(df.to_numpy()).all(), (part, k)
    low, high = filled.frames('low'), filled.frames('high')
    for k in low: assert (low[k].to_numpy()<=high[k].to_numpy()).all(), k

@bounded(15)
@given(cohorts())
def test_saved_model(frames):
    "A model that was saved and loaded fills the same, from data that were saved and loaded"
    data = read(frames)
    model = untrained(data)
    with tempfile.TemporaryDirectory() as dir, warnings.catch_warnings():
        warnings.simplefilter('ignore')
        save_model(model, f'{dir}/run')
        again, other = load_model(f'{dir}/run'), read_data(data.save_npz(f'{dir}/all.npz'))
        a, b = (impute(m, d, n=20, quiet=True).frames() for m,d in ((model, data), (again, other)))
    for k in a: assert_same(b[k], a[k])

LEARNT = [k for k in KINDS if not k.lower().startswith('float')]        # 1, where training had 0 and 1e-30, has no finite loss

@bounded(12)
@given(cohorts(LEARNT, ids=['words', 'numbers', 'dates']))
def test_estimator(frames):
    "Trained for a moment on frames; the table comes back without gaps, observed cells as they were"
    frames = {k: df.loc[df.notna().any(axis=1), df.notna().any(axis=0)] for k,df in frames.items()}
    assume(all(df.shape[1] and len(df)>3 for df in frames.values()))
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        est = MMEstimator('mvae', 2, epochs=1, bs=4, hidden=(4,), output='filled').fit(frames)
        filled = est.transform(frames)
    for k,df in filled.items():
        for j,name in enumerate(frames[k].columns):
            want = frames[k].iloc[:,j]
            v = df.iloc[:,j]
            assert of_its_kind(v, want), (k, name, v.dtype, want.dtype)
            rows = want.index[want.notna()]
            assert v[rows].map(repr).tolist()==want[rows].astype(v.dtype).map(repr).tolist(), (k, name)
            assert v.notna().all(), (k, name)

# ---- files -----------------------------------------------------------------------------------------------------------

PLAIN = ['a', 'b.c', 'Größe', 'x y', 'y', '0', ' ', 'index', 'mean', 'a=b', '蛋白', "it's", 'a"b', 'a,b', 'z (days)']
TEXT = ('codes', 'float64', 'int64', 'int8', 'uint32', 'counts', 'bool', 'object bools', 'zeros and ones', 'days', 'times', 'spans')

@bounded(30)
@given(cohorts(TEXT, PLAIN, ['words', 'numbers', 'digits']), st.sampled_from(['csv', 'tsv', 'csv.gz']))
def test_text_files(frames, ending):
    "What was written by pandas is read as the frames would be: ids, columns, numbers; kinds that text can tell"
    data = read(frames)
    with tempfile.TemporaryDirectory() as dir, warnings.catch_warnings():
        warnings.simplefilter('ignore')
        paths = {k: f'{dir}/{k}.{ending}' for k in frames}
        for k,df in frames.items(): df.rename_axis('id').to_csv(paths[k], sep='\t' if ending=='tsv' else ',')
        found = read_data(paths, empty='drop')
        known = read_data(paths, like=data, empty='drop')
    assert set(found.ids)==set(data.ids)
    for k,df in stored(data).items():
        assert np.array_equal(stored(found)[k].loc[data.ids], df, equal_nan=True), k
        assert found.frames.features(k)==data.frames.features(k)
        assert np.array_equal(stored(known)[k].loc[data.ids], df, equal_nan=True), k

@bounded(20)
@given(cohorts(('str', 'object words', 'category', 'ordered', 'ordered numbers', 'intervals', 'category of bools', 'boolean',
                'category of dates', 'UInt8', 'times of a zone', 'Float64'), PLAIN, ['words', 'digits']))
def test_new_samples_from_text(frames):
    "With the schema of training, words that look like numbers are words, and levels are found by how they are written"
    for df in frames.values():
        for name in df: assume(not df[name].isin(['', 'None']).any())   # pandas reads these as missing
    data = read(frames)
    with tempfile.TemporaryDirectory() as dir, warnings.catch_warnings():
        warnings.simplefilter('ignore')
        paths = {k: f'{dir}/{k}.csv' for k in frames}
        for k,df in frames.items(): df.rename_axis('id').to_csv(paths[k])
        known = read_data(paths, like=data, empty='drop')
    for k,df in stored(data).items(): assert np.array_equal(stored(known)[k].loc[data.ids], df, equal_nan=True), k

TYPED = [k for k in KINDS if not k.startswith('object') and k not in ('str', 'intervals', 'category of bools', 'times in seconds',
                                                                     'ordered numbers', 'category of dates')]

@pytest.mark.skipif(find_spec('pyarrow') is None, reason='needs pyarrow')
@bounded(25)
@given(cohorts(TYPED, PLAIN, ['words', 'numbers', 'dates', 'pairs']))
def test_parquet_files(frames):
    "Types too come back from parquet, which knows no times of whole seconds"
    for k,df in frames.items():
        kinds = {name: str(df[name].dtype) for name in df}
        frames[k] = df.astype({name: t.replace('[s', '[ms') for name,t in kinds.items() if t.startswith(('datetime64[s', 'timedelta64[s'))})
    data = read(frames)
    with tempfile.TemporaryDirectory() as dir, warnings.catch_warnings():
        warnings.simplefilter('ignore')
        paths = {k: f'{dir}/{k}.parquet' for k in frames}
        for k,df in frames.items(): df.to_parquet(paths[k])
        found = read_data(paths, empty='drop')
    for k,df in as_frames(found).items(): assert_same(df, as_frames(data)[k])

ARROW = {'double': [1/3, None, 2.], 'int32': [1, 2, None], 'uint8': [0, 255, 3], 'bool': [True, None, False],
         'string': ['x', None, '007'], 'timestamp[us]': [DAY, None, DAY+pd.Timedelta('1h')],
         'timestamp[us, tz=Europe/Zurich]': [DAY.tz_localize('UTC'), None, DAY.tz_localize('UTC')+pd.Timedelta('1h')],
         'duration[us]': [pd.Timedelta('1h'), None, pd.Timedelta('-3D')]}

@pytest.mark.skipif(find_spec('pyarrow') is None, reason='needs pyarrow')
@pytest.mark.parametrize('kind', ARROW)
def test_arrow_types(kind, tmp_path):
    "Columns that Arrow holds come back, are stored, and are filled"
    df = pd.DataFrame({'a': pd.Series(ARROW[kind], list('xyz')).astype(f'{kind}[pyarrow]'), 'b': [1., 2., 3.]}, list('xyz'))
    data = read({'one': df})
    for other in data, read_data(data.save_npz(tmp_path/'all.npz')): assert_same(as_frames(other)['one'], df)
    filled = impute(untrained(data), data, n=20, quiet=True).frames()['one']
    known = df.a.notna()
    assert filled.a.dtype==df.a.dtype and filled.a.notna().all() and filled.a[known].equals(df.a[known])

@pytest.mark.skipif(find_spec('mudata') is None, reason='needs anndata and mudata')
@pytest.mark.filterwarnings('ignore')
@pytest.mark.parametrize('sparse', [False, True])
def test_annotated_files(sparse, tmp_path):
    "AnnData and MuData: cells by their names, sparse or not, labels from `obs`"
    anndata, mudata, scipy = (pytest.importorskip(k) for k in ('anndata', 'mudata', 'scipy.sparse'))
    g = np.random.default_rng(0)
    counts = g.poisson(2., (12, 4)).astype('float32')
    cells = pd.DataFrame({'type': pd.Categorical(g.choice(['B', 'T'], 12)), 'depth': g.normal(size=12)}, [f'c{i}' for i in range(12)])
    genes = pd.DataFrame(index=[f'g{i}' for i in range(4)])
    rna = anndata.AnnData(scipy.csr_matrix(counts) if sparse else counts, cells, genes)
    adt = anndata.AnnData(counts[::-1][:9,:2], cells[::-1][:9][[]], pd.DataFrame(index=['CD4', 'CD8']))
    rna.write_h5ad(tmp_path/'rna.h5ad')
    data = read_data(tmp_path/'rna.h5ad', labels='type', kinds={'rna': 'poisson'})
    assert data.ids.tolist()==cells.index.tolist() and data.classes==('B', 'T')
    assert np.array_equal(as_frames(data)['rna'], counts) and as_frames(data)['rna'].columns.tolist()==genes.index.tolist()
    mudata.MuData({'rna': rna, 'adt': adt}).write(tmp_path/'both.h5mu')
    both = read_data(tmp_path/'both.h5mu')
    assert set(both.names)=={'rna', 'adt'} and int(both.observed('adt').sum())==9
    want = pd.DataFrame(counts[::-1][:9,:2], cells.index[::-1][:9])
    assert np.array_equal(as_frames(both)['adt'].loc[want.index], want)

# ---- new samples -----------------------------------------------------------------------------------------------------

@bounded(40)
@given(cohorts(), st.data())
def test_new_samples(frames, chance):
    "Some of the samples, with fewer levels and columns in another order: the same numbers, and types of training"
    data = read(frames)
    k = chance.draw(st.sampled_from(data.names))
    df = as_frames(data)[k]
    rows = chance.draw(st.lists(st.sampled_from(range(len(df))), min_size=1, unique=True))
    part = df.iloc[rows, chance.draw(st.permutations(range(df.shape[1])))]
    part = pd.concat([part.iloc[:,j].copy() for j in range(part.shape[1])], axis=1)
    for c,dtype in enumerate(part.dtypes):
        if isinstance(dtype, pd.CategoricalDtype): part.isetitem(c, part.iloc[:,c].cat.remove_unused_categories())
    new = read({k: part}, like=data)
    assert new.names==data.names and new.ids.tolist()==part.index.tolist()
    want = stored(data)[k].loc[part.index]
    assert np.array_equal(stored(new)[k], want, equal_nan=True)
    assert_same(as_frames(new)[k], df.iloc[rows])

# ---- refused in one line, mended by what it says ---------------------------------------------------------------------

def two():
    "Two frames that share ids"
    g = np.random.default_rng(0)
    ids = [f'p{i}' for i in range(14)]
    clinic = {'age': g.normal(60, 9, 14), 'site': g.choice(['Bern', 'Graz', 'Lund'], 14), 'seen': pd.date_range('2024', periods=14)}
    return {'rna': pd.DataFrame(g.normal(size=(14, 3)), ids, list('abc')), 'clinic': pd.DataFrame(clinic, ids)}

def put(k, name, values):
    def change(frames): frames[k][name] = values
    return change

def replaced(k, make):
    def change(frames): frames[k] = make(frames[k])
    return change

class Stage:
    def __init__(self, n): self.n = n
    def __str__(self): return f'stage {self.n%2}'

REFUSED = { # What is done to the frames, and what the line must name
    'an id twice': (replaced('clinic', lambda v: pd.concat([v, v[:2]])), ["frame 'clinic'", "'p0'"]),
    'no id': (replaced('clinic', lambda v: v.set_axis([None, *v.index[1:]])), ["frame 'clinic'"]),
    'ids are other things': (replaced('clinic', lambda v: v.set_axis(range(14))), ["'rna'", "'clinic'", 'share no id']),
    'a column twice': (replaced('rna', lambda v: pd.concat([v, v[['b']]], axis=1)), ["frame 'rna'", "column 'b'"]),
    'infinite': (put('clinic', 'age', [np.inf, *range(13)]), ["frame 'clinic'", "column 'age'", "'p0'"]),
    'minus infinite': (put('clinic', 'age', [-np.inf, *range(13)]), ["frame 'clinic'", "column 'age'", "'p0'"]),
    'infinite, of Python': (put('clinic', 'age', pd.Series([float('inf'), *range(13)], dtype=object).to_numpy()),
                            ["frame 'clinic'", "column 'age'"]),
    'huge': (put('clinic', 'age', [10**17, *range(1, 14)]), ["frame 'clinic'", "column 'age'", '2^53']),
    'numbers and words': (put('clinic', 'site', [1, 2.5, 'x', 'y']*3+[None, 1]), ["frame 'clinic'", "column 'site'"]),
    'objects': (put('clinic', 'site', [Stage(i) for i in range(14)]), ["frame 'clinic'", "column 'site'", 'Stage']),
    'lists': (put('clinic', 'site', [[1, 2], [3]]*7), ["frame 'clinic'", "column 'site'", 'list']),
    'complex': (put('clinic', 'age', np.arange(14)*1j+1), ["frame 'clinic'", "column 'age'"]),
    'days of Python': (put('clinic', 'seen', [DAY.date()]*13+[None]), ["frame 'clinic'", "column 'seen'", 'date']),
    'zones of Python': (put('clinic', 'seen', pd.Series([DAY.tz_localize('UTC'), DAY.tz_localize('Asia/Tokyo')]*7,
                                                        dtype=object).to_numpy()), ["column 'seen'"]),
    'months': (put('clinic', 'seen', pd.period_range('2024-01', periods=14, freq='M')), ["column 'seen'", 'period']),
    'names': (put('clinic', 'site', [f'Mr {i}' for i in range(14)]), ["column 'site'", '14 different words']),
    'numbers as words': (put('clinic', 'site', [f'{i/2}' for i in range(14)]), ["column 'site'", '14 different words']),
    'dates as words': (put('clinic', 'site', [f'{i+1}.7.2024' for i in range(14)]), ["column 'site'", 'if they are dates']),
    'no row': (replaced('rna', lambda v: v[:0]), ["frame 'rna'"]),
    'no column': (replaced('rna', lambda v: v[[]]), ["frame 'rna'"]),
    'no value': (replaced('rna', lambda v: v*np.nan), ["frame 'rna'", 'no column has a value']),
}
LATER = { # The same of new samples
    'unseen category': (put('clinic', 'site', ['Oslo', "L'Aquila"]*7), ["column 'site'", "'Oslo'"]),
    'unseen categories': (put('clinic', 'site', [f'Oslo {i}' for i in range(14)]), ["column 'site'", "'Oslo 0'"]),
    'unseen number': (put('clinic', 'site', [1]*14), ["column 'site'"]),
    'new column': (put('clinic', 'bmi', 20.), ["frame 'clinic'", "column 'bmi'"]),
    'lost column': (replaced('clinic', lambda v: v.drop(columns='age')), ["frame 'clinic'", "column 'age'"]),
    'empty in training': (put('clinic', 'hla', 'A2'), ["frame 'clinic'", "column 'hla'", 'empty in training']),
    'words for numbers': (put('clinic', 'age', ['50', '51']*7), ["column 'age'", 'found words']),
    'dates for numbers': (put('clinic', 'age', pd.date_range('2024', periods=14)), ["column 'age'", 'found dates']),
    'spans for numbers': (put('clinic', 'age', pd.to_timedelta(range(14), unit='D')), ["column 'age'", 'found spans']),
    'words for dates': (put('clinic', 'seen', ['2024-05-01', '2024-05-02']*7), ["column 'seen'", 'found words']),
    'numbers for dates': (put('clinic', 'seen', range(14)), ["column 'seen'", 'found numbers']),
    'dates for words': (put('clinic', 'site', pd.date_range('2024', periods=14)), ["column 'site'"]),
    'infinite': (put('rna', 'a', [np.inf]*14), ["frame 'rna'", "column 'a'"]),
}

def remedy(message):
    "The first line of code in a message"
    return next(part.partition('frames[')[2] for part in message.split('; ') if 'frames[' in part and ' = ' in part)

def check_refused(make, frames, named):
    "Refused in one line that names what it must; accepted after the code that it says"
    with pytest.raises((ValueError, TypeError)) as e: make(frames)
    said = str(e.value)
    assert len(said.splitlines())==1 and len(said)<600, said
    for name in named: assert name in said, said
    if 'leave it out' in said or 'leave the frame out' in said: return frames.pop('rna')
    exec('frames['+remedy(said), {'frames': frames, 'pd': pd, 'np': np})
    make(frames)

@pytest.mark.parametrize('name', REFUSED)
@pytest.mark.filterwarnings('ignore')
def test_refused(name):
    change, named = REFUSED[name]
    frames = two()
    change(frames)
    check_refused(MMData.from_frames, frames, named)

@pytest.mark.parametrize('name', LATER)
@pytest.mark.filterwarnings('ignore')
def test_refused_later(name):
    change, named = LATER[name]
    before = two()
    before['clinic']['hla'] = None
    train = MMData.from_frames(before)
    frames = two()
    frames['clinic']['hla'] = None
    change(frames)
    check_refused(lambda frames: MMData.from_frames(frames, like=train), frames, named)

@pytest.mark.filterwarnings('ignore')
def test_columns_that_never_vary():
    "Learned as what they are, and filled by what they were"
    frames = two()
    ids = frames['clinic'].index
    flat = {'number': 7., 'count': 3, 'truth': True, 'word': 'x', 'day': DAY, 'span': pd.Timedelta('2D'), 'zero': 0.}
    frames['flat'] = pd.DataFrame({k: pd.Series([v]*10, ids[:10]) for k,v in flat.items()})
    data = MMData.from_frames(frames)
    filled = impute(untrained(data), data, n=20, sample=False, quiet=True).frames()['flat']
    assert filled.iloc[:10].equals(frames['flat']) and filled.notna().all(axis=None)
    for k in 'word', 'count': assert filled[k].dtype==frames['flat'][k].dtype

def test_strangers_share_no_id():
    frames = two()
    frames['clinic'].index = [f'q{i}' for i in range(14)]
    with pytest.warns(UserWarning, match="'rna', 'clinic': nobody has more than one modality"): MMData.from_frames(frames)
    with pytest.raises(ValueError, match="on='outer'"): MMData.from_frames(frames, on='inner')

@pytest.mark.parametrize('name', ['t.xlsx', 't.json', 't', 't.csv.zip', 't.rds'])
def test_unknown_files(name, tmp_path):
    (tmp_path/name).write_text('id,a\np,1\n')
    with pytest.raises(ValueError, match='unknown kind of file; known are .csv') as e: read_data(tmp_path/name)
    assert len(str(e.value).splitlines())==1 and name in str(e.value)

@pytest.mark.parametrize('ending, library', [('.parquet', 'pyarrow'), ('.h5ad', 'anndata'), ('.h5mu', 'mudata')])
def test_optional_libraries(ending, library, tmp_path):
    "What is missing is named with the extra that holds it"
    if find_spec(library): pytest.skip(f'{library} is here')
    (tmp_path/f't{ending}').write_text('')
    with pytest.raises(ImportError) as e: read_data(tmp_path/f't{ending}')
    assert f'pip install {library}' in str(e.value) and "'mmvae_nb[frames]'" in str(e.value)
