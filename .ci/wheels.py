"""A folder of wheels for a machine that has torch and nothing of ours: `python .ci/wheels.py FOLDER --have torch,numpy,scipy`.

Names that the other machine has are left out with all that only they need; versions are those of this environment. There:

    pip install --no-index --no-deps FOLDER/*.whl
    python -m mmvae_nb.app.checks --device cuda --out found.json

`--list` names the packages and downloads nothing. More than 50 MB is refused, with the largest files: say with `--have` which of
them are there already.
"""
import argparse, re, subprocess, sys
from configparser import ConfigParser
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from packaging.requirements import Requirement

MOST = 50e6   # bytes
UNUSED = {'spacy', 'tensorboard'}   # fastai and nflows name them, and this package imports nothing that needs them
ROOT = Path(__file__).resolve().parent.parent

def plain(name): return re.sub(r'[-_.]+', '-', name).lower()

def asked():
    "What this package requires"
    cp = ConfigParser(delimiters=['='], interpolation=None)
    cp.read(ROOT/'settings.ini', encoding='utf-8')
    return cp['DEFAULT']['requirements'].split()

def closure(wanted, have):
    "`{name: version}` of what is wanted and what that needs, without what is there"
    found, todo = {}, list(wanted)
    while todo:
        r = Requirement(todo.pop())
        name = plain(r.name)
        if name in have or name in found or r.marker and not r.marker.evaluate({'extra': ''}): continue
        try: d = distribution(r.name)
        except PackageNotFoundError: sys.exit(f'{r.name} is not installed here; pip install it first')
        found[name] = d.version
        todo += d.requires or []
    return dict(sorted(found.items()))

def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('folder', type=Path, nargs='?')
    p.add_argument('--have', default='torch,torchvision', help='names that are there, separated by commas')
    p.add_argument('--list', action='store_true', help='name the packages, download nothing')
    args = p.parse_args()
    have = {plain(k) for k in args.have.split(',')} | {'torch', 'torchvision'} | UNUSED
    packages = closure(asked(), have)
    pins = [f'{name}=={version}' for name,version in packages.items()]
    if args.list: return print('\n'.join(pins))
    if args.folder is None: p.error('which folder?')
    args.folder.mkdir(parents=True, exist_ok=True)
    subprocess.run([sys.executable, '-m', 'pip', 'wheel', '-q', '--no-deps', '-w', args.folder, *pins], check=True)
    files = sorted(args.folder.glob('*.whl'), key=lambda f: -f.stat().st_size)
    total = sum(f.stat().st_size for f in files)
    if total>MOST:
        large = ', '.join(f'{f.name.split("-")[0]} {f.stat().st_size/1e6:.0f} MB' for f in files[:6])
        sys.exit(f'{total/1e6:.0f} MB, at most {MOST/1e6:.0f}: {large}; name with --have those that are there')
    print(f'{len(files)} wheels, {total/1e6:.0f} MB')

if __name__=='__main__': main()
