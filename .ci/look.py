"""Look at a page that carries everything with it: `python .ci/look.py PAGE.html FOLDER`, by hand; CI does not run it.

Needs Debian's `chromium`. Screenshots at 1280 and 390 pixels, by day and by night, are written to FOLDER; a page that scrolls
sideways, or whose menus change nothing, is reported.
"""
import html, re, shutil, subprocess, sys, tempfile
from pathlib import Path

PROBE = '''<!doctype html><title>not loaded</title><iframe id="page" style="width:%dpx;height:1700px;border:0" srcdoc="%s"></iframe><script>
addEventListener('load', () => {
  const doc = document.querySelector('#page').contentDocument
  const dead = [...doc.querySelectorAll('section')].flatMap(s => [...s.querySelectorAll('select')].filter(m => {
    const said = () => s.querySelector('figcaption').textContent+s.querySelector('img').src
    if(m.options.length<2) return false
    const old = said(); m.selectedIndex = 1; m.dispatchEvent(new Event('change'))
    const same = said()==old; m.selectedIndex = 0; m.dispatchEvent(new Event('change'))
    return same}).map(m => m.parentNode.firstChild.textContent))
  document.title = `wide ${doc.documentElement.scrollWidth}; dead ${dead.join()}`
})</script>'''   # in a frame, since a window of chromium is never narrower than 500 pixels

def chromium(page, width, *args):
    with tempfile.TemporaryDirectory() as profile:
        command = ['chromium', '--headless', '--no-sandbox', '--disable-gpu', '--hide-scrollbars', f'--user-data-dir={profile}',
                   '--virtual-time-budget=4000', f'--window-size={width},1700', *args, Path(page).resolve().as_uri()]
        return subprocess.run(command, capture_output=True, text=True, timeout=120).stdout

def look(page, folder):
    "Screenshots, and what is wrong"
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    wrong = []
    for width in (1280, 390):
        for name,theme in (('day', 1), ('night', 0)):
            chromium(page, width, f'--blink-settings=preferredColorScheme={theme}', f'--screenshot={folder.resolve()}/{width}-{name}.png')
        probed = folder/'probed.html'
        inside = html.escape(Path(page).read_text(encoding='utf-8'))
        probed.write_text(PROBE%(width, inside), encoding='utf-8')
        title = re.search('<title>(.*?)</title>', chromium(probed, 1400, '--dump-dom'))[1]
        probed.unlink()
        found = re.fullmatch(r'wide (\d+); dead (.*)', title)
        if found is None: wrong.append(f'{width}: the page did not load ({title})')
        elif int(found[1])>width: wrong.append(f'{width}: {found[1]} pixels wide, it scrolls sideways')
        elif found[2]: wrong.append(f'{width}: menus that change nothing: {found[2]}')
    return wrong

if __name__=='__main__':
    if not shutil.which('chromium'): sys.exit('chromium is not installed')
    wrong = look(*sys.argv[1:3])
    print('\n'.join(wrong) or 'nothing wrong; now look at the pictures')
    sys.exit(bool(wrong))
