#!/usr/bin/env python3
"""Did the README's first command do its work? Run where it ran, after it.

The expected scores stand in expected.json, and the README must say the same numbers.
"""
import json, re, sys
from pathlib import Path
import readme

EXPECTED = Path(__file__).with_name('expected.json')
FILES = ('scores.json', 'report.html', 'model.safetensors', 'config.json', 'samplers/gmm/config.json', 'samples.png', 'conditional.png')

def expected():
    "Expected scores by name, and how far from them a run may be"
    e = json.loads(EXPECTED.read_text())
    return e, e.pop('tolerance')

def found(folder):
    "Coherence by number of given views, averaged over all pairs of views, and of all views from each source of codes"
    s = json.loads((folder/'scores.json').read_text())
    scores = {f"coherence, {int(r['n_given'])} given": r['value'] for r in s['by_given']}
    return scores | {f"joint coherence, sampler {r['subset']}": r['value'] for r in s['joint']}

def problems(folder, readme_text):
    "What is wrong with a run in `folder`"
    out = [f'{folder}/{f} is missing or empty' for f in FILES if not (folder/f).exists() or not (folder/f).stat().st_size]
    if out: return out
    wanted, tol = expected()
    have = found(folder)
    for k,want in wanted.items():
        what = f'{k}: {have[k]:.3f}, expected {want:g} +- {tol:g}'
        print(what)
        if abs(have[k]-want)>tol: out.append(what)
        if f'{want:g}' not in readme_text: out.append(f'the README does not say {want:g}')
    return out

def main():
    from mmvae_nb.train.io import load_model
    folder = Path(re.search(r'--out[ =](\S+)', readme.command(1)).group(1))
    bad = problems(folder, (readme.ROOT/'README.md').read_text(encoding='utf-8'))
    if not bad: print('saved model:', type(load_model(folder)).__name__, 'loads')
    sys.exit('\n'.join(bad) or None)

if __name__=='__main__': main()
