"""JupyterLab with an explorer in it, driven by hand: `python .ci/lab.py FOLDER`; CI does not run it.

Needs Debian's `chromium`, and `pip install jupyterlab` beside this package. A notebook is opened, all of it is run, a slider
is dragged; screenshots before and after are written to FOLDER, to be looked at. A picture that does not change is reported.
"""
import base64, json, os, shutil, socket, subprocess, sys, tempfile, time, urllib.request
from pathlib import Path

CELLS = [
    'import torch\nfrom mmvae_nb.all import *',
    "torch.manual_seed(0)\ntest = shapes(100, seed=1)\nmodel = MMVAEPlus(test.modalities('bernoulli'), 1, 1, family='normal').eval()",
    'model',
    'explore(model, test)',
]
HANDLES = '''[...document.querySelectorAll('.jp-OutputArea .noUi-handle')].filter(h => h.offsetParent).map(h => {
  const b = h.getBoundingClientRect(), t = h.closest('.noUi-target').getBoundingClientRect()
  return {x: b.x+b.width/2, y: b.y+b.height/2, left: t.x, right: t.right}})'''
PICTURES = "[...document.querySelectorAll('.jp-OutputArea img')].filter(i => i.offsetParent).map(i => i.src)"

def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]

def notebook(path):
    "A notebook that shows an explorer"
    def cell(source): return {'cell_type': 'code', 'source': source, 'metadata': {}, 'outputs': [], 'execution_count': None}
    kernel = {'name': 'python3', 'display_name': 'Python 3'}
    nb = {'cells': [cell(source) for source in CELLS], 'metadata': {'kernelspec': kernel}, 'nbformat': 4, 'nbformat_minor': 4}
    path.write_text(json.dumps(nb), encoding='utf-8')

def until(f, what, seconds=600):
    "The first thing that is true of what a function gives"
    end = time.time()+seconds
    while time.time()<end:
        try: found = f()
        except OSError: found = None
        if found: return found
        time.sleep(.5)
    raise TimeoutError(f'{what}: not within {seconds} s')

class Browser:
    "A headless Chromium that is told what to do over its debugging port"
    def __init__(self, profile, url):
        import websocket                        # which JupyterLab brings
        port = free_port()
        command = ['chromium', '--headless', '--no-sandbox', '--disable-gpu', '--window-size=1400,1300', f'--user-data-dir={profile}',
                   f'--remote-debugging-port={port}', '--remote-allow-origins=*', url]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        def pages():
            with urllib.request.urlopen(f'http://127.0.0.1:{port}/json') as f: found = json.load(f)
            return [p['webSocketDebuggerUrl'] for p in found if p['type']=='page']
        self.socket = websocket.create_connection(until(pages, 'Chromium')[0], timeout=120)
        self.n = 0
    def send(self, method, **params):
        self.n += 1
        self.socket.send(json.dumps({'id': self.n, 'method': method, 'params': params}))
        while True:
            answer = json.loads(self.socket.recv())
            if answer.get('id')==self.n: return answer.get('result', {})
    def js(self, code): return self.send('Runtime.evaluate', expression=code, returnByValue=True, awaitPromise=True).get('result', {}).get('value')
    def mouse(self, kind, x, y): self.send('Input.dispatchMouseEvent', type=kind, x=x, y=y, button='left', buttons=1, clickCount=1)
    def shot(self, file): Path(file).write_bytes(base64.b64decode(self.send('Page.captureScreenshot')['data']))

def drive(browser, folder):
    "Run all, drag a slider, take pictures; what is wrong"
    until(lambda: browser.js("!!window.jupyterapp && !!document.querySelector('.jp-Notebook .jp-Cell')"), 'a notebook in JupyterLab')
    time.sleep(5)                               # its kernel starts
    browser.js("void window.jupyterapp.commands.execute('notebook:run-all-cells')")
    until(lambda: browser.js(HANDLES) and browser.js(PICTURES), 'an explorer with a slider and a picture')
    browser.js("document.querySelector('.jp-OutputArea .noUi-handle').scrollIntoView({block: 'center'})")
    time.sleep(2)
    before, handle = browser.js(PICTURES), browser.js(HANDLES)[0]
    browser.shot(folder/'before.png')
    browser.mouse('mousePressed', handle['x'], handle['y'])
    for i in range(1, 9): browser.mouse('mouseMoved', handle['x']+i/8*(handle['right']-handle['x'])*.6, handle['y'])
    browser.mouse('mouseReleased', handle['x']+.6*(handle['right']-handle['x']), handle['y'])
    until(lambda: browser.js(PICTURES)!=before, 'another picture')
    time.sleep(2)
    browser.shot(folder/'after.png')
    errors = browser.js("[...document.querySelectorAll('.jp-RenderedText[data-mime-type*=stderr]')].map(e => e.textContent)")
    return [f'on stderr: {e[:300]}' for e in errors]

def look(folder):
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    with tempfile.TemporaryDirectory() as home, tempfile.TemporaryDirectory() as profile:
        notebook(Path(home)/'look.ipynb')
        options = ['--no-browser', f'--port={port}', '--IdentityProvider.token=', '--ServerApp.allow_root=True', '--expose-app-in-browser']
        lab = subprocess.Popen([sys.executable, '-m', 'jupyterlab', *options], cwd=home, env={**os.environ, 'JUPYTER_CONFIG_DIR': profile},
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        browser = None
        try:
            until(lambda: urllib.request.urlopen(f'http://127.0.0.1:{port}/api'), 'JupyterLab')
            browser = Browser(profile, f'http://127.0.0.1:{port}/lab/tree/look.ipynb')
            return drive(browser, folder)
        except TimeoutError as e:
            if browser: browser.shot(folder/'stopped.png')
            return [str(e)]
        finally:
            for p in filter(None, [browser and browser.process, lab]):
                p.terminate()
                p.wait(30)

if __name__=='__main__':
    if not shutil.which('chromium'): sys.exit('chromium is not installed')
    wrong = look(sys.argv[1])
    print('\n'.join(wrong) or 'nothing wrong; now look at the pictures')
    sys.exit(bool(wrong))
