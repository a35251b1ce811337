"One thread per process: two processes share two cores, and most notebooks are faster so"
import os, sys
from pathlib import Path

for k in 'OMP_NUM_THREADS', 'MKL_NUM_THREADS': os.environ.setdefault(k, '1')
os.environ['PYTHONWARNINGS'] = 'ignore'
os.environ['PYTHONDONTWRITEBYTECODE'] = '1'
sys.path.insert(0, str(Path(__file__).parent))
sys.dont_write_bytecode = True

def pytest_terminal_summary(terminalreporter):
    "The table of budgets is shown even when all is well"
    for reports in terminalreporter.stats.values():
        for r in reports:
            if getattr(r, 'nodeid', '').endswith('[budgets]') and getattr(r, 'when', '')=='call':
                terminalreporter.section('budgets')
                terminalreporter.write_line('notebook'+r.capstdout.split('\nnotebook')[-1].removeprefix('notebook'))
