#!/usr/bin/env python3
"""Did the README's first command do its work? Run where it ran, after it.

The expected score stands in expected.json, and the README must say the same number.
"""
import json, re, sys
from pathlib import Path
import readme

EXPECTED = Path(__file__).with_name('expected.json')
FILES = ('scores.json', 'model.safetensors', 'config.json', 'samples.png', 'conditional.png')

def expected():
    "Expected conditional coherence from one view, and how far from it a run may be"
    e = json.loads(EXPECTED.read_text())
    return e['coherence, 1 given'], e['tolerance']

def found(folder):
    "Conditional coherence from one view, averaged over all pairs of views"
    rows = json.loads((folder/'scores.json').read_text())['by_given']
    return next(r['value'] for r in rows if r['n_given']==1)

def problems(folder, readme_text):
    "What is wrong with a run in `folder`"
    out = [f'{folder}/{f} is missing or empty' for f in FILES if not (folder/f).exists() or not (folder/f).stat().st_size]
    if out: return out
    (want, tol), have = expected(), found(folder)
    print(f'coherence from one view: {have:.3f}, expected {want:.2f} +- {tol:g}')
    if abs(have-want)>tol: out.append(f'coherence from one view is {have:.3f}, expected {want:.2f} +- {tol:g}')
    if f'{want:.2f}' not in readme_text: out.append(f'the README does not say {want:.2f}')
    return out

def main():
    from mmvae_nb.train.io import load_model
    folder = Path(re.search(r'--out[ =](\S+)', readme.command(1)).group(1))
    bad = problems(folder, (readme.ROOT/'README.md').read_text(encoding='utf-8'))
    if not bad: print('saved model:', type(load_model(folder)).__name__, 'loads')
    sys.exit('\n'.join(bad) or None)

if __name__=='__main__': main()
