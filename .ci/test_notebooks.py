"""Every notebook runs from top to bottom: one item is one notebook, executed by nbdev in a process of its own.

Cells flagged with one of `tst_flags` in settings.ini (slow, cuda, data) are left out.
"""
import subprocess, sys
from pathlib import Path
import pytest
from project import ROOT, notebooks, settings

LIMIT = 600   # seconds; the budget is 60 on two quiet cores

def execute(path):
    "Run one notebook in this process; True if every cell did"
    import nbdev.test
    ok, seconds = nbdev.test.test_nb(Path(path), skip_flags=settings()['tst_flags'].split(), basepath=ROOT)
    return ok

def run(path): return subprocess.run([sys.executable, __file__, str(path)], text=True, capture_output=True, timeout=LIMIT, stdin=subprocess.DEVNULL)

@pytest.mark.parametrize('path', notebooks(), ids=lambda p: p.stem)
def test_notebook(path):
    r = run(path)
    assert r.returncode==0, (r.stderr or r.stdout)[-6000:]

def test_a_broken_notebook_fails(tmp_path):
    from project import read, write
    nb = read(notebooks()[0])
    nb['cells'] = [{**nb['cells'][0], 'cell_type': 'code', 'id': 'broken', 'source': 'assert 1==2, "planted"', 'outputs': [], 'execution_count': None}]
    write(tmp_path/'00_broken.ipynb', nb)
    r = run(tmp_path/'00_broken.ipynb')
    assert r.returncode and 'planted' in r.stderr

if __name__=='__main__': sys.exit(not execute(sys.argv[1]))
