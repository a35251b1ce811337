"""Properties that any frames should have: rows, columns, kinds and values come back, whatever they are.

Each is tried on data sets that hypothesis draws: columns of all kinds with gaps, names and ids of all sorts, rows in
any order, frames that lack rows. Draws are the same in every run, and bounded in number and size.
"""
import datetime as dt, warnings
import numpy as np, pandas as pd, pytest, torch
from importlib.util import find_spec
from hypothesis import HealthCheck, Phase, assume, given, settings, strategies as st
from mmvae_nb.app.estimator import MMEstimator
from mmvae_nb.app.fill import write_filled
from mmvae_nb.core import seeded
from mmvae_nb.data.core import MMData
from mmvae_nb.data.frames import Frames, as_frames, read_data
from mmvae_nb.eval.impute import impute
from mmvae_nb.models.mvae import MVAE
from mmvae_nb.models.mvtcae import MVTCAE
from mmvae_nb.train.io import load_model, save_model

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

INTERVALS = pd.IntervalIndex.from_breaks([0., 1., 2.5, 7.])
KINDS = { # How a cell is drawn, what makes a column of cells (None: missing), and can cells be missing?
    'float64': (FLOATS, lambda c: typed('float64', c), True),
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

@bounded(150)
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
