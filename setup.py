"Package metadata lives in `settings.ini`; this file only hands it to setuptools"
from configparser import ConfigParser
from pathlib import Path
from setuptools import find_packages, setup
from setuptools.command.sdist import sdist

class SDist(sdist):
    "A source archive needs `settings.ini` too, or it cannot be built"
    def make_distribution(self):
        self.filelist.append('settings.ini')
        super().make_distribution()

here = Path(__file__).parent
cp = ConfigParser(delimiters=['='], interpolation=None)
cp.read(here/'settings.ini', encoding='utf-8')
cfg = cp['DEFAULT']
url = cfg['git_url'].replace('%(user)s', cfg['user']).replace('%(repo)s', cfg['repo'])
readme = here/'README.md'

setup(
    name=cfg['lib_name'], version=cfg['version'], description=cfg['description'], keywords=cfg['keywords'],
    author=cfg['author'], author_email=cfg['author_email'], url=url, license='Apache-2.0',
    long_description=readme.read_text(encoding='utf-8') if readme.exists() else '', long_description_content_type='text/markdown',
    packages=find_packages(include=['mmvae_nb', 'mmvae_nb.*']), include_package_data=True, zip_safe=False,
    python_requires=f">={cfg['min_python']}", install_requires=cfg['requirements'].split(),
    extras_require={'dev': cfg['dev_requirements'].split(), 'explore': cfg['explore_requirements'].split()},
    cmdclass={'sdist': SDist},
    entry_points={'console_scripts': cfg['console_scripts'].split(), 'nbdev': ['mmvae_nb = mmvae_nb._modidx:d']},
    classifiers=['Development Status :: 3 - Alpha', 'Intended Audience :: Science/Research', 'Programming Language :: Python :: 3'],
)
