"""Calls that go wrong, a fixed sample of them: no wrong answer, nothing left changed, and hardly ever torch's own words.

`python .ci/fuzz.py --seconds 600 --seed 7` does the same for longer, and shows what it finds.
"""
from collections import Counter
import pytest, torch
import fuzz

SEED, CASES, SECONDS, MOST = 20261127, 900, 60, .02 # of what is asked for, at most this share may be answered in other people's words

@pytest.fixture(scope='module')
def found():
    torch.set_num_threads(1)
    return list(fuzz.trial(SEED, CASES, SECONDS))

def told(found, *kinds):
    "The cases of some kinds, to be read"
    return '\n'.join(f'{i} {r.kind} {r.name} {r.changed}: {r.said}' for i,r in found if r.kind in kinds)

def test_no_wrong_answer(found):
    "Nothing that is not finite, nothing left changed, nothing that hangs"
    assert len(found)>=100, f'only {len(found)} cases in {SECONDS} s'
    bad = told(found, 'silent', 'changed', 'slow')
    assert not bad, bad

def test_own_words(found):
    "Refusals are this package's own"
    count = Counter(r.kind for _,r in found)
    print(', '.join(f'{k} {n}' for k,n in count.most_common()))
    share = count['obscure']/len(found)
    assert share<=MOST, f'{share:.1%} of {len(found)}:\n{told(found, "obscure")}'

def test_a_hole_is_found(monkeypatch):
    "A function without a door is noticed, and so is an answer that is not finite"
    bare = fuzz.Call('bare', lambda: (lambda n: torch.zeros(n), {'n': 3}))
    hollow = fuzz.Call('hollow', lambda: (lambda n: torch.tensor(float('inf') if n!=3 else 0.), {'n': 3}))
    monkeypatch.setattr(fuzz, 'ROOMS', [lambda: [bare, hollow]])
    count = Counter(r.kind for _,r in fuzz.trial(0, 60))
    assert count['obscure']>5 and count['silent']>5, count
