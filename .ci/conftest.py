"One thread per process: two processes share two cores, and most notebooks are faster so"
import os, signal, sys
from pathlib import Path

for k in 'OMP_NUM_THREADS', 'MKL_NUM_THREADS': os.environ.setdefault(k, '1')
os.environ['PYTHONWARNINGS'] = 'ignore'
os.environ['PYTHONDONTWRITEBYTECODE'] = '1'
sys.path.insert(0, str(Path(__file__).parent))
sys.dont_write_bytecode = True
if signal.getsignal(signal.SIGINT)==signal.SIG_IGN: signal.signal(signal.SIGINT, signal.default_int_handler)   # as in the background of a shell

TABLES = {'budgets': 'notebook ', 'density': ''}   # checks whose numbers are shown even when all is well, and how a table begins

def pytest_terminal_summary(terminalreporter):
    "Show the numbers that a check printed last, which are those of the tree itself"
    calls = [r for reports in terminalreporter.stats.values() for r in reports if getattr(r, 'when', '') == 'call']
    for report in calls:
        name = report.nodeid.rpartition('[')[2].rstrip(']')
        if name not in TABLES or not report.capstdout: continue
        head, lines = TABLES[name], report.capstdout.splitlines()
        begins = [i for i,line in enumerate(lines) if line.startswith(head)]
        terminalreporter.section(name)
        for line in lines[begins[-1]:]: terminalreporter.write_line(line)
