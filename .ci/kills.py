#!/usr/bin/env python3
"""Runs that are killed at any moment and go on: is what they leave the same, byte for byte, as without a kill?

kills.py [KILLS] [--seed N] [--model NAME]

A run is killed (SIGKILL, nothing can be caught) at a random time between its first file and its end, up to three times,
and then resumed to its end. Every file that is no clock (weights, settings, scores) must be as in the run that nobody
killed. No part of CI: thirty kills take ten minutes.
"""
import argparse, hashlib, json, os, random, signal, sys, tempfile, time
from pathlib import Path
import project

sys.path.insert(0, str(project.ROOT))
CLOCKS = 'seconds', 'date', 'started', 'ended', 'hours', 'minutes', 'command', 'argv', 'out', 'folder', 'resumed'

def tables(folder):
    "A small cohort of two tables"
    import numpy as np
    rng = np.random.default_rng(0)
    z = rng.normal(size=(400, 2))
    def show(k): return (z@rng.normal(size=(2, k))+.3*rng.normal(size=(400, k))).astype('float32')
    np.savez(folder/'cohort.npz', rna=show(6), clinic=show(3), y=z[:,0]>0)
    return folder/'cohort.npz'

def start(argv):
    "`mmvae_train` in a fork of this process, quiet; its process id"
    pid = os.fork()
    if pid: return pid
    try:
        null = os.open(os.devnull, os.O_RDWR)
        for fd in 0, 1, 2: os.dup2(null, fd)
        from mmvae_nb.app.commands import answer
        os._exit(answer('train', [str(t) for t in argv]) or 0)
    except SystemExit as e: os._exit(e.code or 0)
    except BaseException: os._exit(70)

def finish(argv):
    status = os.waitstatus_to_exitcode(os.waitpid(start(argv), 0)[1])
    if status: raise RuntimeError(f'status {status} of mmvae_train '+' '.join(map(str, argv)))

def killed(argv, out, after):
    "Start, wait until there is a file and then some seconds, kill; False if it had ended before"
    pid = start(argv)
    while not any(out.glob('*')) and os.waitpid(pid, os.WNOHANG)==(0, 0): time.sleep(.005)
    end = time.time()+after
    while time.time()<end:
        if os.waitpid(pid, os.WNOHANG)!=(0, 0): return False
        time.sleep(.002)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return True

def timeless(v):
    "A JSON value without what clocks and folders say"
    if isinstance(v, dict): return {k: timeless(x) for k,x in v.items() if not any(c in k for c in CLOCKS)}
    return [timeless(x) for x in v] if isinstance(v, list) else v

def fingerprint(out):
    "What every file of a run holds, but clocks; pages and pictures show clocks and are left out"
    found = {}
    for p in sorted(out.rglob('*')):
        name = p.relative_to(out).as_posix()
        if p.suffix=='.safetensors': found[name] = hashlib.sha256(p.read_bytes()).hexdigest()
        elif p.suffix=='.json': found[name] = json.dumps(timeless(json.loads(p.read_text())), sort_keys=True)
    return found

def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('kills', type=int, nargs='?', default=30)
    p.add_argument('--seed', type=int, default=0)
    p.add_argument('--model', default='jmvae')
    a = p.parse_args()
    import torch
    torch.set_num_threads(1)
    import mmvae_nb.app.cli
    rng = random.Random(a.seed)
    with tempfile.TemporaryDirectory(prefix='kills-') as d:
        d = Path(d)
        given = ['--data', tables(d), '--model', a.model, '--epochs', 3, '--latent', 2, '--bs', 16]
        began = time.time()
        finish(['--out', d/'whole', *given])
        took = time.time()-began
        want = fingerprint(d/'whole')
        if not want: sys.exit('the run left nothing to compare')
        print(f'a run takes {took:.1f} s and leaves {", ".join(want)}', flush=True)
        done, wrong = 0, 0
        while done<a.kills:
            out = d/f'run{done}'
            here = 0
            for _ in range(rng.choice((1,2,3))):
                argv = ['--out', out, '--resume'] if (out/'run.json').exists() else ['--out', out, *given]
                if not killed(argv, out, rng.uniform(0, took)): break
                here += 1
            done += max(here, 1)
            finish(['--out', out, '--resume'] if (out/'run.json').exists() else ['--out', out, '--force', *given])
            have = fingerprint(out)
            differs = [k for k in want.keys()|have.keys() if want.get(k)!=have.get(k)]
            wrong += bool(differs)
            print(f'{here} kills: '+('the same' if not differs else 'differs in '+', '.join(sorted(differs))), flush=True)
    print(f'{done} kills, {wrong} runs that differ')
    return bool(wrong)

if __name__=='__main__': sys.exit(main())
