"""A folder of wheels for a machine that has torch and nothing of ours: `python .ci/wheels.py FOLDER --have torch,numpy,scipy`.

Names that the other machine has are left out with all that only they need; versions are those of this environment. There:

    pip install --no-index --no-deps FOLDER/*/*.whl
    python -m mmvae_nb.app.checks --device cuda --out found.json

The wheels lie in FOLDER/1, FOLDER/2 and so on, each at most 50 MB, so that they can be carried one by one.
`--list` names the packages and downloads nothing.
"""
import argparse, re, subprocess, sys, tempfile
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

def shared_out(sizes, most):
    "`[names]` of folders that hold at most so much: the largest first, each into the first that has room"
    parts = []
    for name,size in sorted(sizes.items(), key=lambda item: (-item[1], item[0])):
        if size>most: raise ValueError(f'{name} has {size/1e6:.0f} MB, and a folder at most {most/1e6:.0f}; name it with --have')
        room = [part for part in parts if sum(sizes[k] for k in part)+size<=most]
        if not room: parts.append([])
        (room or parts[-1:])[0].append(name)
    return parts

def fetch(pins, folder):
    "Wheels in numbered folders"
    with tempfile.TemporaryDirectory(dir=folder) as d:
        subprocess.run([sys.executable, '-m', 'pip', 'wheel', '-q', '--no-deps', '-w', d, *pins], check=True)
        parts = shared_out({f.name: f.stat().st_size for f in Path(d).glob('*.whl')}, MOST)
        for i,names in enumerate(parts):
            part = folder/str(i+1)
            part.mkdir()
            for name in names: (Path(d)/name).rename(part/name)
            size = sum(f.stat().st_size for f in part.iterdir())
            print(f'{part}: {len(names)} wheels, {size/1e6:.0f} MB')

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
    if args.folder.exists() and any(args.folder.iterdir()): p.error(f'{args.folder} is not empty; name a new folder')
    args.folder.mkdir(parents=True, exist_ok=True)
    fetch(pins, args.folder)

if __name__=='__main__': main()
