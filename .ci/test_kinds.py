"""One row a kind: containers, labels, units, bodies, batch norm, subsets. Each is tried on inputs that no notebook names."""
import itertools
import numpy as np, pandas as pd, pytest, torch
from torch import nn
from mmvae_nb.core import Modality, register, seeded
from mmvae_nb.data.core import MMData, mm_dls, nan_masks, same_classes
from mmvae_nb.eval.coherence import coherence, train_classifiers
from mmvae_nb.eval.collapse import active_units
from mmvae_nb.eval.latents import kmeans_accuracy, latent_classification
from mmvae_nb.eval.reconstruction import reconstruction
from mmvae_nb.models.mmvae import MMVAE
from mmvae_nb.models.mvae import MVAE
from mmvae_nb.models.mvtcae import MVTCAE
from mmvae_nb.train.io import load_model, save_model
from mmvae_nb.train.learner import mm_learner

def world(n=90, seed=0, M=2, width=3):
    "Modalities that show three classes"
    g = torch.Generator().manual_seed(seed)
    y = torch.arange(n)%3
    z = torch.eye(3)[y]*3+.3*torch.randn(n, 3, generator=g)
    x = {f'm{i}': z@torch.randn(3, width, generator=g)+.2*torch.randn(n, width, generator=g) for i in range(M)}
    return x, y

def fitted(data, cls=MVTCAE, d=3, epochs=20, **kw):
    with seeded(0):
        model = cls(data.modalities(**kw), d)
        learn = mm_learner(mm_dls(data, data, bs=30), model, lr=2e-3)
        with learn.no_bar(), learn.no_logging(): learn.fit(epochs)
    return model.eval()

# ---- containers ----------------------------------------------------------------------------------------------------

def frames():
    x, y = world()
    ids = [f'p{i:03}' for i in range(len(y))]
    return {k: pd.DataFrame(v.numpy(), index=ids, columns=list('abc')) for k,v in x.items()}, pd.Series(y.numpy(), index=ids)

def shuffled(df, seed=0): return df.sample(frac=1, random_state=seed)

def test_rows_follow_their_index():
    "However the rows of a frame, a mask or labels are ordered, the same data come out"
    x, y = frames()
    plain = MMData(x, y)
    mask = pd.Series(np.arange(len(y))%4>0, index=y.index)
    masked = MMData(x, y, {'m1': mask})
    for seed in range(3):
        mixed = MMData({'m0': x['m0'], 'm1': shuffled(x['m1'], seed)}, shuffled(y, seed))
        for k in plain.names: assert torch.equal(mixed.x[k], plain.x[k])
        assert torch.equal(mixed.y, plain.y)
        again = MMData(x, y, {'m1': shuffled(mask, seed)})
        assert torch.equal(again.mask['m1'], masked.mask['m1'])

@pytest.mark.parametrize('wrong', [
    lambda x: {'m0': x['m0'], 'm1': x['m1'].rename(lambda i: i+'x')},
    lambda x: {'m0': x['m0'], 'm1': x['m1'].set_index(np.r_[x['m1'].index[1:], ['other']])},
    lambda x: {'m0': x['m0'], 'm1': shuffled(x['m1']), 'm2': np.zeros((len(x['m0']),2))},
    lambda x: {'m0': x['m0'].set_index(np.repeat('same', len(x['m0']))), 'm1': x['m1']},
    lambda x: {'m0': x['m0'], 'm1': x['m1'].iloc[::-1].reset_index(drop=True)},
])
def test_rows_that_cannot_be_matched_are_refused(wrong):
    x, _ = frames()
    with pytest.raises(ValueError) as e: MMData(wrong(x))
    assert len(str(e.value).splitlines())==1

# ---- labels --------------------------------------------------------------------------------------------------------

NAMES = {
    'from 0': lambda y: y, 'from 1': lambda y: y+1, 'from 40': lambda y: y+40, 'with gaps': lambda y: y**2*7,
    'floats': lambda y: y.astype(float), 'a column': lambda y: y[:,None], 'one-hot': lambda y: np.eye(3, dtype=int)[y],
    'words': lambda y: np.array(['ash','beech','oak'])[y], 'objects': lambda y: np.array(['ash','beech','oak'], object)[y],
    'categories': lambda y: pd.Categorical.from_codes(y, ['ash','beech','oak']), 'nullable': lambda y: pd.Series(y, dtype='Int64'),
    'bytes': lambda y: y.astype('uint8'),
}

def scores(data, model, judges):
    how = dict(n_init=1, generator=torch.Generator().manual_seed(0))
    c = coherence(model, data, judges, generator=torch.Generator().manual_seed(0))
    k = kmeans_accuracy(model, data, data, **how)
    l = latent_classification(model, data, data, n_train=(None,))
    return [df.value.round(6).tolist() for df in (c, k, l)]

def test_scores_do_not_depend_on_the_names_of_classes():
    x, y = world()
    found = {}
    for name,rename in NAMES.items():
        data = MMData(x, rename(y.numpy()))
        with seeded(0): judges = train_classifiers(data, data, epochs=2, quiet=True)
        found[name] = scores(data, fitted(data, epochs=5), judges)
    for name,v in found.items(): assert v==found['from 0'], name

def test_two_sets_agree_on_their_classes():
    x, y = world()
    words = np.array(['ash','beech','oak'])[y]
    train = MMData(x, words)
    part = MMData({k: v[y>0] for k,v in x.items()}, words[y>0])              # nobody of the first class
    assert same_classes(part, train).y.tolist()==y[y>0].tolist()
    with pytest.raises(ValueError): same_classes(MMData(x, np.array(['elm','beech','oak'])[y]), train)

# ---- units ---------------------------------------------------------------------------------------------------------

UNITS = {'small': (1e-6, 0.), 'large': (1e6, 0.), 'far': (30., 150.), 'very far': (1., 1e4), 'negative': (.5, -700.),
         'columns apart': (torch.tensor([1e-4, 1., 1e5]), torch.tensor([1., -5., 3e5]))}

def r2(model, data):
    "Share of the variance of m1 that is told by m0"
    x, _ = data[:]
    made = model.generate(x, given='m0', targets='m1', n=20)['m1'].mean(0)
    v = x['m1'].double()
    return (1-((made-v)**2).sum(0)/((v-v.mean(0))**2).sum(0)).mean().item()

@pytest.mark.parametrize('name', UNITS)
def test_measurements_of_any_size_do(name):
    x, _ = world()
    s, m = UNITS[name]
    plain, raw = MMData(x), MMData({k: s*v+m for k,v in x.items()})
    ours, theirs = r2(fitted(raw), raw), r2(fitted(plain), plain)
    assert abs(ours-theirs)<.05 and theirs>.5, (ours, theirs)

# ---- what can be saved, and batch norm -----------------------------------------------------------------------------

@register
class OwnBody(nn.Module):
    "Somebody's own encoder"
    def __init__(self, width:int=8):
        super().__init__()
        self.l = nn.Linear(3, width)
    def forward(self, x): return self.l(x).relu()

BODIES = {
    'layers': lambda: nn.Sequential(nn.Linear(3, 8), nn.ReLU()),
    'nested': lambda: nn.Sequential(nn.Sequential(nn.Linear(3, 8, bias=False), nn.LayerNorm(8)), nn.GELU(), nn.Dropout(.1)),
    'batch norm': lambda: nn.Sequential(nn.Linear(3, 8), nn.BatchNorm1d(8), nn.SiLU()),
    'two norms': lambda: nn.Sequential(nn.BatchNorm1d(3, affine=False), nn.Linear(3, 8), nn.BatchNorm1d(8, momentum=None)),
    'a convolution': lambda: nn.Sequential(nn.Unflatten(1, (1,3)), nn.Conv1d(1, 4, 3, padding=1), nn.LeakyReLU(.1), nn.Flatten()),
    'own class': lambda: OwnBody(5),
}

@pytest.mark.parametrize('name', BODIES)
def test_own_bodies(name, tmp_path):
    "Trained with masks, one sample that has the modality included; saved, and loaded to the same output"
    x, y = world()
    mask = {'m1': torch.arange(len(y))%2>0}
    def mods(): return [Modality('m0', 3, encoder=BODIES[name]()), Modality('m1', 3, encoder=BODIES[name]())]
    for cls in MVAE, MMVAE, MVTCAE:
        after = []
        for hidden in 0., 1e4, float('nan'):
            with seeded(0):
                model = cls(mods(), 2).train()
                filled = {**x, 'm1': torch.where(mask['m1'][:,None], x['m1'], hidden)}
                loss, _ = model.loss(filled, mask)
                loss.backward()
            state = [v.clone() for v in model.state_dict().values()]+[p.grad for p in model.parameters() if p.grad is not None]
            after.append(state)
        for state in after[1:]:
            for a,b in zip(after[0], state): assert torch.equal(a, b)
        once = {'m1': torch.arange(len(y))==5}
        assert model.loss(x, once)[0].isfinite()
        save_model(model, tmp_path/cls.__name__)
        again = load_model(tmp_path/cls.__name__)
        q, p = (m.eval().posterior(x) for m in (model, again))
        assert torch.equal(q.mean, p.mean)

# ---- many modalities -----------------------------------------------------------------------------------------------

@pytest.mark.parametrize('M', [6, 11, 19, 40])
def test_many_modalities(M):
    "Every default answers, and says how many subsets it took"
    x, y = world(n=30, M=M, width=2)
    data = MMData(x, y)
    model = fitted(data, MVTCAE, d=2, epochs=1)
    with seeded(0): judges = train_classifiers(data, data, epochs=1, quiet=True)
    for df in (coherence(model, data, judges), latent_classification(model, data, data, n_train=(None,)),
               active_units(model, data), reconstruction(model, data)):
        names = df['subset'] if 'subset' in df else df['given']
        assert names.nunique()<=max(65, 2*M+2)              # 64 drawn, and all
        assert (M<7) or 'of' in df.attrs['subsets'], df.attrs
        assert {1, M-1}<={len(s.split('+')) for s in names}

# ---- holes ---------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('rows', [[0], [3, 50], range(0, 90, 7)])
def test_rows_of_nan_are_missing(rows):
    x, y = world()
    x['m1'][list(rows)] = float('nan')
    data = MMData(x, y)
    assert (~data.observed('m1')).nonzero()[:,0].tolist()==list(rows)
    assert torch.equal(nan_masks(x)['m1'], data.observed('m1'))
    assert np.isfinite(r2(fitted(data, epochs=2), data.complete()))
