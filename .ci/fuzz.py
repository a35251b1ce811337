#!/usr/bin/env python3
"""Calls that go wrong, by the thousand: one or two arguments of a call that works are replaced by something hostile.

fuzz.py [--cases N] [--seconds S] [--seed N] [--only WORD] [--show N]

Each case ends in one of six ways: `answer`; `refusal`, one line of this package; `obscure`, the words of torch or Python;
`silent`, an answer that is not finite although every argument is; `changed`, a call that left modes, generators, default
types or gradients other than they were; `slow`, above `LIMIT` seconds of CPU. A case is made from the seed and its number
alone, so `--seed 5 --first 812 --cases 1` is case 812 of seed 5 again.
"""
import argparse, inspect, math, random, resource, signal, sys, time, traceback, warnings
from collections import Counter, namedtuple
from contextlib import redirect_stderr, redirect_stdout
from functools import lru_cache, partial
from io import StringIO
import numpy as np, torch
from torch import Tensor, nn
import project

sys.path.insert(0, str(project.ROOT))
LIMIT = 10 # Seconds of CPU of one call
REFUSALS = ValueError, TypeError, KeyError, OSError, FloatingPointError

# ---------------------------------------------------------------- calls that work

Call = namedtuple('Call', 'name make') # `make()` gives the function and its arguments, `{name: value}`

def gaussians(*shape, seed=0):
    from mmvae_nb.dists import normal
    g = torch.Generator().manual_seed(seed)
    return normal(torch.randn(*shape, generator=g), .3+torch.rand(*shape, generator=g))

def tensor(*shape, seed=0): return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))

def data(n=24):
    from mmvae_nb.data.core import MMData
    x = {'rna': tensor(n, 4), 'clinic': tensor(n, 3, seed=1), 'scan': tensor(n, 1, 4, 4, seed=2)}
    return MMData(x, torch.arange(n)%3)

@lru_cache(None)
def trained(kind):
    "A model that has not learnt anything; only what it does with its arguments matters"
    import mmvae_nb.all as mm
    with mm.seeded(0):
        mods = data().modalities()
        cls = getattr(mm, kind)
        return (cls(mods, 2, 1) if kind in PRIVATE else cls(mods, 2)).eval()

PRIVATE = 'MMVAEPlus', 'DMVAE', 'MMJSD'
MODELS = 'JMVAE', 'TELBO', 'MVAE', 'MoPoE', 'MVTCAE', 'MMVAE', 'JNF', *PRIVATE

def constructors():
    "Every model, with every option that has a plain default"
    import mmvae_nb.all as mm
    for kind in MODELS:
        cls = getattr(mm, kind)
        own = {k: p.default for k,p in inspect.signature(cls).parameters.items() if isinstance(p.default, (int, float, str))}
        sizes = dict(d_shared=2, d_private=1) if kind in PRIVATE else dict(d=2)
        def make(cls=cls, own=own, sizes=sizes): return cls, dict(mods={'rna': (4,), 'clinic': (3,)}, **sizes, **own)
        yield Call(f'models.{kind}', make)

def methods():
    "What a model is asked"
    asked = {
        'loss': lambda x: dict(x=x), 'encode': lambda x: dict(x=x), 'generate': lambda x: dict(x=x, given='rna', targets=['clinic'], n=2),
        'decode': lambda x: dict(z=tensor(3, 2)), 'posterior': lambda x: dict(x=x, given=['rna','scan']),
    }
    for kind in MODELS:
        for name,args in asked.items():
            if name=='decode' and kind in PRIVATE: continue
            def make(kind=kind, name=name, args=args):
                model = trained(kind)
                return getattr(model, name), args(data()[:3][0])
            if hasattr(trained(kind), name): yield Call(f'{kind}.{name}', make)

def bowl(z): return -.5*(z**2).sum(-1)

def library():
    "Functions and modules of the lower rooms"
    import mmvae_nb.all as mm
    qs = [gaussians(5, 2, seed=s) for s in range(3)]
    mask = torch.tensor([[1,1,0,1,1],[1,0,1,1,1],[1,1,1,1,1]], dtype=torch.bool)
    def c(_name, _f, **args): return Call(_name, lambda: (_f, args))
    yield c('core.subsets', mm.subsets, names=['rna','clinic'], min_size=1)
    yield c('core.some_subsets', mm.some_subsets, names=['rna','clinic','scan'], most=4, min_size=1)
    yield c('core.Modality', mm.Modality, name='rna', shape=(4,), likelihood='normal', weight=1.)
    yield c('dists.normal', mm.normal, loc=tensor(3, 2), scale=tensor(3, 2).exp())
    yield c('dists.laplace', mm.laplace, loc=tensor(3, 2), scale=tensor(3, 2).exp())
    yield c('dists.NormalPrior', mm.NormalPrior, d=2)
    yield c('dists.LaplacePrior', mm.LaplacePrior, d=2)
    yield c('dists.NormalHead', mm.NormalHead, nf=3, d=2)
    for k in 'NormalLik', 'LaplaceLik': yield c(f'dists.{k}', getattr(mm, k), scale=.5, learn=False, link='identity')
    yield c('liks.StudentLik', mm.StudentLik)
    yield c('dists.kl', mm.kl, q=gaussians(3, 2), p=gaussians(3, 2, seed=1))
    yield c('dists.Standard', mm.Standard, mean=[0., 1., -1., 2.], sd=[1., 2., .5, 1.])
    yield c('nets.MLP', mm.MLP, nin=4, nout=2, hidden=(8,), dropout=.1)
    yield c('nets.MLPBody', mm.MLPBody, shape=(4,), hidden=(8,), dropout=0.)
    yield c('nets.ConvBody', mm.ConvBody, shape=(1,16,16), channels=(4,8))
    yield c('nets.ConvNet', mm.ConvNet, d=2, shape=(1,16,16), channels=(4,8))
    yield c('nets.MLPNet', mm.MLPNet, d=2, shape=(4,), hidden=(8,), dropout=0.)
    yield c('lingauss', mm.lingauss, dims={'a': 2, 'b': 3}, d=2, noise=.5)
    for name in 'elbo', 'iwae', 'dreg': yield c(f'elbo.{name}', getattr(mm, name), model=trained('MMVAE'), x=data()[:3][0], beta=1., n=2)
    yield c('experts.poe', mm.poe, qs=qs, prior=gaussians(5, 2, seed=9), mask=mask)
    yield c('experts.poe_posteriors', mm.poe_posteriors, qs=qs, prior=mm.normal(torch.zeros(2), torch.full((2,), 3.)), mask=mask)
    yield c('experts.moe', mm.moe, qs=qs, weights=torch.full((3,), 1/3), mask=mask)
    yield c('experts.mopoe', mm.mopoe, qs=qs, prior=gaussians(5, 2, seed=9), mask=mask, convention='ratios')
    yield c('flows.maf', mm.maf, d=2, n_flows=2, hidden=8, depth=2)
    yield c('flows.FlowHead', mm.FlowHead, nf=3, d=2, n_flows=2, hidden=8, depth=2)
    yield c('hmc', mm.hmc, logp=bowl, z0=tensor(4, 2), n_steps=3, n_warmup=3, n_leap=2, eps=.4, jitter=.3, target=.8)
    yield c('cca', mm.cca, x1=tensor(40, 3), x2=tensor(40, 2, seed=1), k=2, ridge=.1)
    yield c('contrastive', mm.infonce, h1=tensor(6, 3), h2=tensor(6, 3, seed=1), tau=.1, negatives='cross')
    yield c('mmd', mm.mmd, x=tensor(8, 2), y=tensor(9, 2, seed=1), bw='median')
    yield c('mmd.rbf', mm.rbf, d2=tensor(4, 2).square(), bw=1.)
    yield c('mcar', mm.mcar, data=data(), eta=.3)
    yield c('MMData', mm.MMData, x={'rna': tensor(6, 4), 'clinic': tensor(6, 3)}, y=torch.arange(6)%2)
    yield c('MMData.subset', data().subset, idx=[0,2,5])
    yield c('MMData.modalities', data().modalities, likelihood='normal', units='auto')
    yield c('one_hot', mm.one_hot, y=torch.arange(6)%3)
    yield c('mm_dls', mm.mm_dls, train=data(), valid=data(), bs=8)

def evaluations():
    "Evaluations, with the arguments that the tests of the doors give"
    import test_doors as doors, tempfile
    from pathlib import Path
    folder = Path(tempfile.mkdtemp())
    for name,f in doors.FUNCTIONS.items():
        if not name.startswith('eval.') or name in doors.SLOW|doors.ELSEWHERE: continue
        def make(name=name, f=f):
            known = {**doors.args_of(doors.MMData(*doors.tables(3)), folder), **doors.SPECIAL.get(name, {})}
            if known.get('features')=='of each class': known['features'] = doors.class_networks()
            special = {k: known[k] for k in doors.SPECIAL.get(name, {})}
            passed_on = any(p.kind is p.VAR_KEYWORD for p in doors.parameters(f).values())
            args = special if passed_on else {}
            for k,p in doors.parameters(f).items():
                if p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD): continue
                if p.default is p.empty or k in doors.SPECIAL.get(name, {}): args[k] = known[k]
                elif k in doors.FEWER: args[k] = doors.FEWER[k]
            return f, args
        yield Call(name, make)

def words_and_batches():
    "Core, and the methods that it gives to all"
    import mmvae_nb.all as mm
    from mmvae_nb import core
    def c(_name, _f, **args): return Call(_name, lambda: (_f, args))
    x, mask = data()[:3][0], {'rna': torch.tensor([True,False,True])}
    mods = core.as_modalities({'rna': (4,), 'clinic': (3,), 'scan': (1,4,4)})
    yield c('core.as_names', core.as_names, names=['rna','scan'], default=('rna',))
    yield c('core.choose', core.choose, key='rna', options=['rna','scan'], what='modality')
    yield c('core.as_modalities', core.as_modalities, mods={'rna': (4,), 'clinic': (3,)})
    yield c('core.per_modality', core.per_modality, mods=['rna','scan'], value={'rna': 1., 'scan': 2.}, what='weight', default=1.)
    yield c('core.nonnegative', core.nonnegative, beta=1., alpha=.5)
    yield c('core.observed', core.observed, x=x, names=['rna','scan'], mask=mask)
    yield c('core.seen', core.seen, x=x, mask=mask)
    yield c('core.hide', core.hide, x=x, mask=mask)
    yield c('core.without_empty', core.without_empty, mods=mods, x=x, mask=mask)
    yield c('core.check_batch', core.check_batch, mods=mods, x=x, mask=mask)
    yield c('core.part_of', core.part_of, obs=torch.ones(3, 5, dtype=torch.bool), size=torch.tensor([1,2,3,1,2]))
    yield c('core.Modality.of', core.Modality, name='scan', shape=(1,4,4), likelihood='bernoulli', weight=.5, holes=False)
    for k in 'can', 'subset', 'has_density': yield c(f'core.Answers.{k}', getattr(core.Answers(('rna','scan')), k), given=['rna'])
    yield c('core.Answers.subsets', core.Answers(('rna','scan')).subsets, min_size=1, max_size=2)
    for kind in 'MVAE', 'JMVAE', 'MMVAEPlus':
        model = trained(kind)
        if kind!='JMVAE': yield c(f'{kind}.loss masked', model.loss, x=x, mask=mask)
        yield c(f'{kind}.posterior masked', model.posterior, x=x, given=['rna','scan'], mask=mask)
        yield c(f'{kind}.prepare', model.prepare, x=x, mask=mask)
        yield c(f'{kind}.codes', model.codes, x=x, given=('rna',), n=2)
        yield c(f'{kind}.draw_codes', model.draw_codes, n=3, sampler='prior')
        yield c(f'{kind}.generate prior', model.generate, targets='scan', n=2, sample=True)

def densities():
    "Distributions, likelihoods and units"
    import mmvae_nb.all as mm
    from mmvae_nb import dists
    def c(_name, _f, **args): return Call(_name, lambda: (_f, args))
    several = mm.normal(tensor(3, 5, 2), tensor(3, 5, 2, seed=1).exp())
    which = torch.tensor([True,False,True,True,False])
    yield c('dists.pick', dists.pick, q=several, i=torch.tensor([0,2,1,0,1]))
    yield c('dists.either', dists.either, which=which, p=gaussians(5, 2), q=gaussians(5, 2, seed=1))
    yield c('dists.params', lambda q: dists.params(q), q=gaussians(5, 2))
    yield c('dists.kl of draws', dists.kl, q=gaussians(5, 2), p=mm.laplace(torch.zeros(2), torch.ones(2)), z=tensor(4, 5, 2))
    yield c('dists.as_likelihood', dists.as_likelihood, lik='normal', shape=(4,))
    yield c('dists.Log1p', dists.Log1p, size=1., mean=0., sd=1., shape=(4,))
    yield c('dists.SizeFactors', dists.SizeFactors, typical=[3.,1.,2.,5.], mean=0., sd=1.)
    yield c('dists.Encoder', dists.Encoder, body=mm.MLPBody((4,), (8,)), head=mm.NormalHead(8, 2))
    yield c('dists.Decoder', dists.Decoder, net=mm.MLPNet(2, (4,), (8,)), lik=mm.NormalLik(), shape=(4,), chunk=16, holes=False)
    yield c('dists.LaplaceHead', mm.LaplaceHead, nf=3, d=2, tied=True)
    counts = tensor(6, 4).abs().mul(5).round()
    inside = tensor(6, 4).sigmoid().clamp(.01, .99)
    fits = {'PoissonLik': counts, 'NegBinLik': counts, 'ZIPoissonLik': counts, 'ZINegBinLik': counts, 'LogNormalLik': counts+1, 'GammaLik': counts+1,
            'BetaLik': inside, 'StudentLik': tensor(6, 4), 'NormalLik': tensor(6, 4), 'LaplaceLik': tensor(6, 4), 'PredictedNormalLik': tensor(6, 4)}
    for kind,x in fits.items():
        cls = getattr(mm, kind)
        own = {k: p.default for k,p in inspect.signature(cls).parameters.items() if isinstance(p.default, (int, float, str))}
        def scored(_cls=cls, _x=x, **own):
            lik = _cls(**own)
            h = tensor(6, 4, seed=3)
            if hasattr(lik, 'outputs') and kind=='PredictedNormalLik': h = tensor(6, *lik.outputs((4,)), seed=3)
            return lik(h).log_prob(_x)
        if own and kind!='PredictedNormalLik': yield Call(f'liks.{kind} scored', lambda f=scored, own=own: (f, dict(own)))

def theory():
    "More of the lower rooms"
    import mmvae_nb.all as mm
    from mmvae_nb.theory import cca, contrastive, coupling, elbo, experts, flows, hmc, lingauss, mmd
    qs = [gaussians(5, 2, seed=s) for s in range(3)]
    wide = mm.normal(torch.zeros(2), torch.full((2,), 3.))
    mask = torch.tensor([[1,1,0,1,1],[1,0,1,1,1],[1,1,1,1,1]], dtype=torch.bool)
    def c(_name, _f, **args): return Call(_name, lambda: (_f, args))
    yield c('experts.poe_logp', lambda qs, prior, mask: experts.poe_logp(qs, prior, mask)(tensor(2, 5, 2)), qs=qs, prior=wide, mask=mask)
    yield c('experts.stack', experts.stack, qs=qs)
    yield c('experts.Mixture', experts.Mixture, comps=experts.stack(qs), weights=torch.full((3,), 1/3))
    yield c('experts.membership', experts.membership, M=3)
    yield c('experts.is_strict', experts.is_strict, wide='clip')
    yield c('coupling.l_jm', coupling.l_jm, q=gaussians(5, 2, seed=7), qs=qs, mask=mask)
    yield c('coupling.l_uni', coupling.l_uni, z=tensor(1, 5, 2), qs=qs, mask=mask)
    x = data()[:3][0]
    yield c('elbo.rec_terms', elbo.rec_terms, model=trained('MVAE'), x=x, z=tensor(2, 3, 2))
    yield c('elbo.log_weights', elbo.log_weights, model=trained('MVAE'), x=x, q=gaussians(3, 2), z=tensor(2, 3, 2), beta=1., exact=False)
    yield c('flows.MADE', flows.MADE, d=2, hidden=8, depth=2, reverse=False, direct=True)
    yield c('flows.shift_scale', flows.shift_scale, out=tensor(3, 4), bound=3.)
    yield c('flows.experts_logp', lambda qs, z: flows.experts_logp(qs)(z), qs=qs, z=tensor(2, 5, 2))
    yield c('flows.rows', flows.rows, q=gaussians(5, 2), i=torch.tensor([0,2]))
    state = hmc.hmc_state(bowl, tensor(4, 2))
    yield c('hmc.hmc_state', hmc.hmc_state, logp=bowl, z=tensor(4, 2))
    yield c('hmc.leapfrog', hmc.leapfrog, logp=bowl, s=state, v=tensor(4, 2, seed=1), eps=.1, n=3)
    yield c('hmc.hmc_step', hmc.hmc_step, logp=bowl, s=state, eps=.1, n_leap=3)
    yield c('hmc.split_rhat', hmc.split_rhat, z=tensor(20, 3, 2))
    yield c('hmc.effective', hmc.effective, z=tensor(20, 3, 2))
    yield c('hmc.rhat_limit', hmc.rhat_limit, T=20, n=3)
    yield c('hmc.slow_direction', hmc.slow_direction, logp=bowl, z=tensor(4, 2), steps=2, r=8.)
    yield c('hmc.sampler_options', hmc.sampler_options, options={'n_steps': 20, 'eps': .3, 'wide': 'clip'})
    yield c('hmc.ProductPosterior', lambda **kw: hmc.ProductPosterior(**kw).draw(2), qs=qs, prior=wide, mask=mask, chains=2, n_steps=3, n_warmup=2)
    yield c('lingauss.lingauss_data', mm.lingauss_data, world=mm.lingauss({'a': 2, 'b': 3}, 2), n=5, seed=0)
    yield c('mmd.sqdist', mmd.sqdist, x=tensor(4, 2), y=tensor(5, 2, seed=1))
    yield c('mmd.bandwidth', mmd.bandwidth, d2=tensor(4, 5).square(), d=2, bw='median')
    yield c('mmd.imq', mmd.imq, d2=tensor(4, 4).square(), bw=1., power=.5)
    yield c('mmd.expect_k', mmd.expect_k, p=gaussians(5, 2), q=gaussians(5, 2, seed=1), bw=1.)
    yield c('mmd.gauss_mmd', mmd.gauss_mmd, ps=gaussians(5, 2), qs=gaussians(5, 2, seed=1), bw=1.)
    yield c('mmd.witness', mmd.witness, t=tensor(3, 2), x=tensor(8, 2), y=tensor(9, 2, seed=1), bw='median')
    yield c('mmd.mmd_test', mmd.mmd_test, x=tensor(8, 2), y=tensor(9, 2, seed=1), bw='median', n=20)
    yield c('mmd.paired_mmd', mmd.paired_mmd, z=tensor(8, 2), u=tensor(8, 2, seed=1), bw='median', unbiased=True)
    yield c('cca.covariances', cca.covariances, h1=tensor(40, 3), h2=tensor(40, 2, seed=1))
    yield c('cca.spectrum', cca.spectrum, hs={'a': tensor(40, 3), 'b': tensor(40, 2, seed=1)}, ridge=.1)
    yield c('cca.dcca', cca.dcca, hs={'a': tensor(40, 3), 'b': tensor(40, 2, seed=1)}, k=2, ridge=.1)
    yield c('cca.noise_edge', cca.noise_edge, n=100, g1=3, g2=2)
    yield c('cca.probe', cca.probe, h=tensor(40, 3), y=torch.arange(40)%2)
    yield c('cca.DCCA', cca.DCCA, mods={'rna': (4,), 'clinic': (3,)}, size=4, k=2, ridge=.1)
    yield c('contrastive.nce', contrastive.nce, scores=tensor(5, 5))
    yield c('contrastive.mi_bound', contrastive.mi_bound, scores=tensor(5, 5))
    yield c('contrastive.Contrastive', contrastive.Contrastive, mods={'rna': (4,), 'clinic': (3,)}, size=4, tau=.1, negatives='cross')

def data_and_more():
    "Data sets, samplers, and models that the first list leaves out"
    import mmvae_nb.all as mm
    from mmvae_nb.data import core as dc
    from mmvae_nb.models import base, samplers
    def c(_name, _f, **args): return Call(_name, lambda: (_f, args))
    d = data()
    yield c('MMData.options', mm.MMData, x={'rna': tensor(6, 4), 'clinic': tensor(6, 3)}, y=torch.arange(6)%2, mask={'rna': torch.tensor([1,1,0,1,1,1]).bool()},
            scale={'rna': 2.}, check=True, empty='refuse')
    yield c('MMData.of arrays', mm.MMData, x={'rna': tensor(6, 4).numpy(), 'clinic': tensor(6, 3).numpy()}, y=np.arange(6)%2)
    yield c('MMData.split', lambda a, b, seed: d.split(a, b, seed=seed), a=.5, b=.5, seed=0)
    yield c('MMData.having', d.having, names=['rna'])
    yield c('MMData.observed', d.observed, name='rna')
    yield c('MMData.raw', d.raw, idx=[0,1], names=['rna'])
    yield c('MMData.part', d.part, idx=[0,1], names=['rna'])
    yield c('MMData.numbered', d.numbered, classes=(0,1,2))
    yield c('MMData.labels_for', d.labels_for, k=3)
    yield c('MMData.map', d.map, fn=lambda x, mask: {'sum': x['rna'].sum(1)}, bs=8)
    yield c('MMData.to', d.to, device='cpu')
    yield c('MMData.standard', d.standard, k='rna')
    yield c('data.nan_masks', dc.nan_masks, x={'rna': tensor(6, 4), 'clinic': tensor(6, 3)}, how='all')
    yield c('data.with_labels', dc.with_labels, data=d, k=3, name='y')
    yield c('data.same_classes', dc.same_classes, test=d, train=d)
    yield c('data.missing_by_label', dc.missing_by_label, data=d, rates={'rna': (.1,.5,.2)}, seed=0)
    yield c('data.MMLoader', lambda **kw: next(iter(dc.MMLoader(**kw))), dataset=d, bs=8, shuffle=True, drop_last=False)
    yield c('samplers.latent_codes', samplers.latent_codes, model=trained('MVAE'), data=d, sample=True, bs=16)
    yield c('samplers.score_components', samplers.score_components, z=tensor(60, 2), ks=(1,2), by='held', n=60, reg=1e-3)
    yield c('samplers.GMMSampler', samplers.GMMSampler, d=2, k=3)
    yield c('samplers.GMMSampler.fit', lambda **kw: samplers.GMMSampler(2, 2).fit(**kw), z=tensor(60, 2), ks=(1,2), by='held', reg=1e-3)
    yield c('samplers.MAFSampler', samplers.MAFSampler, d=2, n_flows=1, hidden=8, depth=2)
    yield c('samplers.MAFSampler.fit', lambda **kw: samplers.MAFSampler(2, 1, 8, 2).fit(**kw), z=tensor(60, 2), epochs=1, bs=32, lr=1e-3, quiet=True)
    yield c('samplers.sampler_gain', samplers.sampler_gain, sampler=samplers.GMMSampler(2, 2).fit(tensor(60, 2)), prior=mm.normal(torch.zeros(2), torch.ones(2)), z=tensor(30, 2))
    yield c('base.private_weights', base.private_weights, beta=1., beta_private={'rna': 1., 'scan': 2.}, mods=['rna','scan'])
    more = {'Nexus': {}, 'VCCA': {}, 'MaskedJMVAE': {}, 'MaskedJNF': {}, 'CMMD': dict(observed='rna')}
    for kind,own in more.items():
        cls = getattr(mm, kind)
        plain = {k: p.default for k,p in inspect.signature(cls).parameters.items() if isinstance(p.default, (int, float, str))}
        yield c(f'models.{kind}', cls, mods={'rna': (4,), 'clinic': (3,)}, d=2, **{**plain, **own})
    for kind in 'MVAE', 'JMVAE', 'MoPoE', 'MMVAE':
        cls = getattr(mm, kind)
        plain = {k: p.default for k,p in inspect.signature(cls).parameters.items() if isinstance(p.default, (int, float, str))}
        def scored(_cls=cls, **kw): return _cls({'rna': (4,), 'clinic': (3,), 'scan': (1,4,4)}, **kw).loss(data()[:3][0])[0]
        yield c(f'models.{kind} scored', scored, d=2, **plain)
    def weighted(weight, likelihood): return mm.MVAE([mm.Modality('rna', 4, likelihood, weight), mm.Modality('scan', (1,4,4))], 2).loss({'rna': tensor(3, 4)})[0]
    yield c('core.Modality scored', weighted, weight=1., likelihood='normal')

def judged():
    "Evaluations of tensors and tables"
    import mmvae_nb.all as mm
    from mmvae_nb.eval import coherence, collapse, fidelity, impute, latents, likelihood, reconstruction, report
    def c(_name, _f, **args): return Call(_name, lambda: (_f, args))
    model = trained('MVAE')
    yield c('coherence.mean_se', coherence.mean_se, h=torch.arange(9)%3==0, y=torch.arange(9)%3, average='micro')
    yield c('collapse.dim_kl', collapse.dim_kl, q=gaussians(5, 2), p=mm.normal(torch.zeros(2), torch.ones(2)), draws=8)
    yield c('collapse.collapse_edges', collapse.collapse_edges, kls=tensor(4, 5).abs(), delta=.01)
    yield c('fidelity.frechet', fidelity.frechet, f1=tensor(30, 3), f2=tensor(30, 3, seed=1), few=False)
    yield c('fidelity.frechet_jackknife', fidelity.frechet_jackknife, f1=tensor(40, 3), f2=tensor(40, 3, seed=1), groups=3)
    yield c('fidelity.frechet_distance', fidelity.frechet_distance, mu1=torch.zeros(2), cov1=torch.eye(2), mu2=torch.ones(2), cov2=torch.eye(2))
    yield c('fidelity.trace_sqrt', fidelity.trace_sqrt, A=torch.eye(2), B=2*torch.eye(2))
    yield c('fidelity.precision_recall', fidelity.precision_recall, real=tensor(20, 3), gen=tensor(20, 3, seed=1), k=3)
    yield c('impute.bounds', impute.bounds, n=100, level=.9)
    yield c('impute.crps', impute.crps, x=tensor(5, 2), draws=tensor(20, 5, 2))
    yield c('impute.covered', impute.covered, x=tensor(5, 2), draws=tensor(20, 5, 2), level=.9)
    yield c('impute.small_epochs', impute.small_epochs, n=100, bs=32)
    yield c('latents.linear_reader', latents.linear_reader, z=tensor(30, 2), y=torch.arange(30)%3, C=1.)
    yield c('latents.match_clusters', latents.match_clusters, c=torch.arange(30)%3, y=(torch.arange(30)+1)%3, how='hungarian')
    yield c('latents.to_plane', latents.to_plane, z=tensor(30, 3), how='pca')
    yield c('latents.traverse', latents.traverse, model=model, dim=0, values=torch.linspace(-2, 2, 3))
    yield c('likelihood.pareto_k', likelihood.pareto_k, lw=tensor(50, 4))
    yield c('likelihood.log_density', likelihood.log_density, q=gaussians(5, 2), z=tensor(3, 5, 2))
    yield c('likelihood.fitted', likelihood.fitted, q=gaussians(5, 2), n=16, wide=1.1)
    yield c('likelihood.normal_range', likelihood.normal_range, shape=(4,), scale=1., width=1.)
    yield c('reconstruction.mse', reconstruction.mse, x=tensor(5, 2), y=tensor(5, 2, seed=1))
    yield c('reconstruction.ssim', reconstruction.ssim, x=tensor(3, 1, 16, 16).sigmoid(), y=tensor(3, 1, 16, 16, seed=1).sigmoid())
    yield c('report.ends', report.ends, names=['rna','scan'])
    yield c('report.evaluate', report.evaluate, model=model, test=data(), only=['reconstruction'])

ROOMS = constructors, methods, library, evaluations, words_and_batches, densities, theory, data_and_more, judged

def calls(): return [c for room in ROOMS for c in room()]

# ---------------------------------------------------------------- hostile arguments

def numbers(v): return [0, -1, 1, 2, 2.5, float('nan'), float('inf'), -float('inf'), 1e-30, 1e30, True, None, '3', [1], 10**6 if isinstance(v, float) else 7]

def words(v): return ['', 'unknown', v[:-1], v+v[-1:], v.upper(), 3, None, [v], [v, v], (), b'x']

def tensors(v):
    "Wrong in kind, shape, size or content"
    yield from (v.double(), v.half(), v.long() if v.dtype.is_floating_point else v.float(), v.tolist(), v.numpy(), None, 'x', 3.)
    yield from (v[:0], v[:1], v[..., :0], v[..., :-1], v[None], v.squeeze(), v.flatten(), torch.zeros(()))
    if v.dtype.is_floating_point:
        yield from (torch.full_like(v, float('nan')), torch.full_like(v, float('inf')), 1e20*v, 0*v, v.to_sparse() if v.dim()==2 else v.clone())
        one = v.clone()
        one.view(-1)[:1] = float('nan')
        yield one
    yield v.to('meta')

def mappings(v, rng):
    "Something lacks, is too much, or is hostile itself"
    first = next(iter(v), None)
    yield from ({}, None, list(v.items()), {**v, 'more': v.get(first)}, {k: x for k,x in v.items() if k!=first}, {1: x for x in v.values()})
    if first is not None:
        for _ in range(8): yield {**v, first: hostile(v[first], rng)}
        yield {k: hostile(x, rng) for k,x in v.items()}

def lists(v, rng):
    yield from ([], None, [None], list(v)*2, list(v)[:1], 'ab', dict.fromkeys(range(len(v))))
    for _ in range(4):
        if len(v): yield type(v)([hostile(v[0], rng), *v[1:]]) if type(v) in (list, tuple) else [hostile(v[0], rng)]

def others(): return [None, 'x', 3, {}, [], object(), tensor(2, 2)]

def hostile(v, rng):
    "Something in the place of a value, of a kind that people confuse with it"
    if isinstance(v, bool) or isinstance(v, (int, float)): pool = numbers(v)
    elif isinstance(v, str): pool = words(v)
    elif isinstance(v, Tensor): pool = list(tensors(v))
    elif isinstance(v, dict): pool = list(mappings(v, rng))
    elif isinstance(v, (list, tuple)): pool = list(lists(v, rng))
    elif type(v).__name__=='MMData': pool = awkward(v)+others()
    else: pool = others()
    return rng.choice(pool)

def awkward(v):
    import test_doors as doors
    return [make() for k,make in doors.AWKWARD.items()]

# ---------------------------------------------------------------- one case

def is_ours(e):
    "Was an error written by this package, in one line or a few, for people?"
    last = traceback.extract_tb(e.__traceback__)[-1]
    return isinstance(e, REFUSALS) and 'mmvae_nb' in last.filename and (last.line or '').lstrip().startswith(('raise','if','else','case')) and 'raise' in (last.line or '')

def finite(v):
    "Is a result, whatever it is, finite wherever it is a number? Tables mark what could not be measured"
    if isinstance(v, Tensor): return not v.dtype.is_floating_point or v.device.type=='meta' or v.layout!=torch.strided or bool(torch.isfinite(v).all())
    if isinstance(v, float): return math.isfinite(v)
    if isinstance(v, dict): return all(map(finite, v.values()))
    if isinstance(v, (list, tuple)): return all(map(finite, v))
    if isinstance(v, torch.distributions.Distribution): return all(finite(x) for x in vars(v).values())
    if isinstance(v, nn.Module): return all(map(finite, v.state_dict().values()))
    return True

def tame(v):
    "Is an argument finite, of a size that single precision bears?"
    if isinstance(v, Tensor): return v.layout==torch.strided and v.device.type!='meta' and (not v.dtype.is_floating_point or bool((v.abs()<1e6).all()))
    if isinstance(v, float): return math.isfinite(v) and abs(v)<1e6
    if isinstance(v, dict): return all(map(tame, v.values()))
    if isinstance(v, (list, tuple)): return all(map(tame, v))
    if type(v).__name__=='MMData': return all(map(tame, v.x.values()))
    return True

def modules_of(f, args):
    found = [v for v in args.values() if isinstance(v, nn.Module)]
    return found+[f.__self__] if isinstance(getattr(f, '__self__', None), nn.Module) else found

def state(f, args):
    "What no call may leave changed"
    modes = [m.training for top in modules_of(f, args) for m in top.modules()]
    grads = [p.requires_grad for top in modules_of(f, args) for p in top.parameters()]
    return torch.get_default_dtype(), torch.is_grad_enabled(), modes, grads, str(np.geterr()), torch.are_deterministic_algorithms_enabled()

Result = namedtuple('Result', 'kind name changed said')

class TooLong(BaseException): pass

def too_long(*_): raise TooLong()

def named(v): return ' '.join(repr(v).split())[:120]

def case(number, seed, have):
    "Make a case from its number, and see how it ends"
    rng = random.Random(f'{seed} {number}')
    call = rng.choice(have)
    f, args = call.make()
    keys = rng.sample(list(args), min(len(args), rng.choice((1,1,1,2)))) if args else []
    changed = {k: hostile(args[k], rng) for k in keys}
    given = {**args, **changed}
    before = state(f, given)
    torch.manual_seed(0)
    said = {k: named(v) for k,v in changed.items()}
    try: kind, text = run(f, given)
    except TooLong: kind, text = 'slow', f'above {LIMIT} s'
    if kind in ('answer','refusal','silent') and state(f, given)!=before: kind, text = 'changed', 'modes, gradients or defaults'
    return Result(kind, call.name, said, text)

def run(f, given):
    signal.setitimer(signal.ITIMER_VIRTUAL, LIMIT)
    try:
        with warnings.catch_warnings(), redirect_stdout(StringIO()), redirect_stderr(StringIO()):
            warnings.simplefilter('ignore')
            out = f(**given)
            if inspect.isgenerator(out): out = list(out)
    except Exception as e: return ('refusal' if is_ours(e) else 'obscure'), f'{type(e).__name__}: {e}'
    finally: signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    if all(map(tame, given.values())) and not finite(out): return 'silent', named(out)
    return 'answer', ''

def trial(seed=0, cases=1500, seconds=math.inf, first=0, only=''):
    "So many cases, or so many seconds"
    signal.signal(signal.SIGVTALRM, too_long)
    have, lost = [c for c in calls() if only in c.name], []
    marks = {'likelihood.pareto_k', 'hmc.split_rhat'} # NaN for fewer than 25 draws, inf for chains that stand still
    for c in have: # what is changed must work as it is
        f, args = c.make()
        kind, text = run(f, args)
        if kind=='silent': marks.add(c.name) # NaN says there that something could not be measured
        elif kind!='answer': lost.append(f'{c.name}: {kind}, {text}')
    if lost: raise AssertionError('calls that fail without anything hostile: '+'; '.join(lost))
    end = time.time()+seconds
    for i in range(first, first+cases):
        if time.time()>end: return
        found = case(i, seed, have)
        yield i, found._replace(kind='answer') if found.kind=='silent' and found.name in marks else found

def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--cases', type=int, default=10**9)
    p.add_argument('--seconds', type=float, default=60.)
    p.add_argument('--seed', type=int, default=0)
    p.add_argument('--first', type=int, default=0)
    p.add_argument('--only', default='', help='a part of the names of the calls')
    p.add_argument('--show', type=int, default=40, help='how many to show')
    a = p.parse_args()
    torch.set_num_threads(1)
    found = list(trial(a.seed, a.cases, a.seconds, a.first, a.only))
    count = Counter(r.kind for _,r in found)
    bad = [(i, r) for i,r in found if r.kind not in ('answer','refusal')]
    for i,r in bad[:a.show]: print(f'{i:6} {r.kind:8} {r.name}  {r.changed}\n       {r.said[:200]}')
    per = Counter(r.name for _,r in bad)
    print('\nmost often:', ', '.join(f'{k} {n}' for k,n in per.most_common(12)))
    print(', '.join(f'{k} {n}' for k,n in count.most_common()), f'of {len(found)}; obscure {count["obscure"]/max(1, len(found)):.1%}')

if __name__=='__main__': main()
