"""Commands in a real terminal: what a person sees at three widths, Ctrl-C at any time, and going on afterwards.

A command runs in a pseudo-terminal, whose screen is rendered; Ctrl-C is the key, sent to the terminal.
"""
import fcntl, os, pty, re, runpy, select, signal, struct, subprocess, sys, termios, time, traceback
from pathlib import Path
import numpy as np, pyte, pytest, torch
from mmvae_nb.app import cli, fill          # loaded once, for all commands that start in a copy


ROOT = Path(__file__).resolve().parent.parent

class Shell:
    "A command in a terminal of some columns, and what stands on its screen"
    def __init__(self, program, *args, columns=80, term='xterm-256color', rows=40, fresh=False):
        self.screen = pyte.HistoryScreen(columns, rows)
        self.stream = pyte.ByteStream(self.screen)
        self.raw, self.status = b'', None
        self.pid, self.fd = pty.fork()
        if not self.pid: self.child([str(program), *map(str, args)], term, fresh)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack('HHHH', rows, columns, 0, 0))
    def child(self, argv, term, fresh):
        "Become the command: as a process that loads everything, or (much faster) in a copy of this one"
        os.environ.pop('COLUMNS', None)
        os.environ.update(TERM=term, PYTHONWARNINGS='ignore', PYTHONPATH=str(ROOT))
        if fresh: os.execv(sys.executable, [sys.executable, *argv])
        status = 70
        try:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            sys.stdout, sys.stderr = (os.fdopen(i, 'w', buffering=1, encoding='utf-8') for i in (1, 2))
            sys.argv = argv
            runpy.run_path(argv[0], run_name='__main__')
            status = 0
        except SystemExit as e: status = e.code or 0
        except BaseException: traceback.print_exc()
        finally:
            sys.stdout.flush()
            os._exit(status)
    def read(self, seconds=.2):
        "What was written by now; False if the other end is closed"
        if not select.select([self.fd], [], [], seconds)[0]: return True
        try: new = os.read(self.fd, 65536)
        except OSError: return False
        self.raw += new
        self.stream.feed(new)
        return bool(new)
    def text(self): return self.raw.decode(errors='replace')
    def lines(self): return [line.rstrip() for line in self.screen.display if line.strip()]
    def until(self, pattern, seconds=240):
        "Read until something was shown"
        end = time.time()+seconds
        while not re.search(pattern, self.text()):
            alive = self.read()
            assert alive and time.time()<end, f'{pattern!r} was not shown:\n{self.text()[-2000:]}'
    def press(self): os.write(self.fd, b'\x03')
    def worked(self):
        "Seconds of processor time that it has had, however busy the machine is"
        return sum(map(int, Path(f'/proc/{self.pid}/stat').read_text().rpartition(')')[2].split()[11:13]))/os.sysconf('SC_CLK_TCK')
    def finish(self, seconds=240):
        "Read to the end; the exit status"
        end = time.time()+seconds
        while self.read():
            if time.time()<end: continue
            os.kill(self.pid, signal.SIGKILL)
            raise AssertionError(f'still running:\n{self.text()[-2000:]}')
        self.status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.status

@pytest.fixture(scope='module')
def place(tmp_path_factory):
    "A folder with our commands and a small file of data"
    folder = tmp_path_factory.mktemp('terminal')
    for name in ('mmvae_train','mmvae_evaluate','mmvae_generate','mmvae_impute'):
        (folder/name).write_text(f'import sys\nfrom mmvae_nb.app.commands import {name}\nsys.exit({name}())\n')
    (folder/'begun').mkdir()
    (folder/'begun'/'run.json').write_text('{}')
    rng = np.random.default_rng(0)
    z = rng.normal(size=(400,2))
    def show(k): return (z@rng.normal(size=(2,k))+.3*rng.normal(size=(400,k))).astype('float32')
    tables = {'rna': show(6), 'clinic': show(3)}
    np.savez(folder/'cohort.npz', **tables, y=z[:,0]>0)
    tables['rna'][::2] = np.nan
    np.savez(folder/'gaps.npz', **tables)
    return folder

def options(place, out, **more):
    given = {'out': place/out, 'data': place/'cohort.npz', 'model': 'jmvae', 'epochs': 4, 'latent': 4, 'bs': 16, 'judge_steps': 60, **more}
    return [t for k,v in given.items() for t in (f'--{k}', v)]

def one_line(shell):
    "Interrupted: no traceback, and one last line that says so"
    assert 'Traceback' not in shell.text(), shell.text()[-3000:]
    told = [line for line in shell.text().splitlines() if 'interrupted' in line]
    assert len(told)==1, told

def weights(run): return torch.load(run/'checkpoint.pt', weights_only=True)

@pytest.mark.parametrize('columns', [50,80,120])
def test_widths(place, columns):
    "Interrupted in a later pass and resumed: one line at a time, in any width, and the same model as without"
    out = place/f'run{columns}'
    shell = Shell(place/'mmvae_train', *options(place, out.name), columns=columns)
    shell.until(r'pass [3-4]/4')
    assert sum('pass' in line and 'left' in line for line in shell.lines())<=1, shell.lines()
    assert all(len(line)<=columns for line in shell.lines())
    shell.press()
    assert shell.finish()==130
    one_line(shell)
    assert f'go on with: mmvae_train --out {out} --resume' in re.sub(r'\s*\n\s*', '', shell.text())
    assert (out/'checkpoint.pt').exists()
    done = weights(out)
    again = Shell(place/'mmvae_train', '--out', out, '--resume', '--judge-steps', 60, columns=columns)
    assert again.finish()==0, again.text()[-2000:]
    first = re.search(r'pass (\d)/4', again.text())
    if done.get('epoch'): assert int(first[1])==done['epoch']+1
    assert 'left' in shell.text()+again.text()           # what was quickly done says no time
    assert not any('pass' in line and 'left' in line for line in again.lines())      # the line is gone
    shown = [line for line in again.lines() if re.match(r'(joint|unimodal): \d pass', line)]
    assert len(shown)==2-done['stage']
    assert (out/'report.html').exists()

@pytest.mark.parametrize('name', ['mmvae_train','mmvae_evaluate','mmvae_generate','mmvae_impute'])
def test_first_seconds(place, name):
    "While everything is still being loaded: one line, status 130, and nothing was made"
    target = place/f'never_{name}'
    args = ['--out', target] if name=='mmvae_train' else [place/'begun', '--out', target]
    shell = Shell(place/name, *args, fresh=True)
    while shell.worked()<.8: time.sleep(.05)            # torch is being loaded by now, and for seconds to come
    shell.press()
    assert shell.finish()==130, shell.text()
    one_line(shell)
    assert not target.exists()

@pytest.fixture(scope='module')
def run(place):
    "A finished run"
    shell = Shell(place/'mmvae_train', *options(place, 'done', epochs=1))
    assert shell.finish()==0, shell.text()[-2000:]
    return place/'done'

def test_evaluate(run, place):
    "The line names the metric and what is given; Ctrl-C ends in one line"
    shell = Shell(place/'mmvae_evaluate', run, '--n', 20_000, '--out', place/'ev')
    shell.until(r'evaluate \d/\d.*given')
    shell.press()
    assert shell.finish()==130
    one_line(shell)

@pytest.mark.parametrize('name,args', [
    ('mmvae_generate', ['--given', 'rna', '--n', 40, '--k', 6000, '--out', 'x.npz']),
    ('mmvae_impute', ['--data', 'gaps.npz', '--n', 20_000, '--out', 'filled.npz'])])
def test_others(run, place, name, args):
    "Ctrl-C in a command that writes one file: one line, and no file"
    args = [place/arg if str(arg).endswith('.npz') else arg for arg in args]
    shell = Shell(place/name, run, *args)
    time.sleep(.3)
    shell.press()
    assert shell.finish()==130, shell.text()
    one_line(shell)
    assert not args[-1].exists()

@pytest.mark.parametrize('term,piped', [('dumb', False), ('xterm', True)])
def test_no_line(place, run, term, piped):
    "A dumb terminal and a pipe get one clean line a pass, and no line that moves"
    shell = Shell(place/'mmvae_train', *options(place, f'plain_{term}', epochs=2), term=term) if not piped else None
    if piped:
        argv = [sys.executable, str(place/'mmvae_train'), *map(str, options(place, 'plain', epochs=2))]
        said = subprocess.run(argv, capture_output=True, text=True, env={**os.environ, 'PYTHONPATH': str(ROOT)}, timeout=90)
        assert said.returncode==0, said.stderr
        text = said.stdout
    else:
        assert shell.finish()==0
        text = shell.text().replace('\r\n', '\n')
    assert '\r' not in text and '\x1b' not in text
    passes = [line for line in text.splitlines() if re.match(r'epoch \d  train_loss', line)]
    assert len(passes)==4
    assert ' left' not in text
