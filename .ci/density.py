#!/usr/bin/env python3
"""How dense a line of code is: syntax nodes (every node of ast.walk) of each simple statement but docstrings.

density.py [FOLDER] [N]   the numbers of a folder (default: the package), and its N densest statements
"""
import ast, sys
from pathlib import Path
from project import ROOT

SIMPLE = ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Return, ast.Expr, ast.Raise, ast.Assert

def modules(folder): return [p for p in sorted(Path(folder).rglob('*.py')) if p.name != '_modidx.py']

def statements(path):
    "`(nodes, line number, text)` of every simple statement of a file that is no docstring"
    for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
        docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if isinstance(node, SIMPLE) and not docstring:
            yield sum(1 for _ in ast.walk(node)), node.lineno, ast.unparse(node)

def quantile(counts, q): return sorted(counts)[int(q*len(counts))]

def main(folder=ROOT/'mmvae_nb', worst=0):
    found = [(*row, path) for path in modules(folder) for row in statements(path)]
    counts = [n for n,*_ in found]
    print(f'{len(counts)} statements: median {quantile(counts, .5)}, 90th percentile {quantile(counts, .9)}, longest {max(counts)}')
    for n,line,text,path in sorted(found, key=lambda row: -row[0])[:int(worst)]: print(f'{n:4} {path}:{line}  {text[:90]}')

if __name__ == '__main__': main(*sys.argv[1:])
