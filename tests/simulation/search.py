"""Find the history that notices a mutant: ``python -m tests.simulation.search [word ...]``.

For each mutant whose name holds one of the words: break the rule in a copy of the sources, and look
for the first seed that notices it. With ``--small`` its script is made small and printed: one that
holds without the mutant and breaks with it may be kept in ``scripts/``.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.mutants.catalog import MUTANTS
from tests.mutants.mutant import Mutant

ROOT = Path(__file__).parents[2]
_CODE = """
import resource, sys
resource.setrlimit(resource.RLIMIT_CPU, (150, 150))
from tests.simulation.draw import draw
from tests.simulation.script import dumps
from tests.simulation.shrink import failure, shrink
for seed in range({first}, {first} + {seeds}):
    script = draw(seed)
    wrong = failure(script)
    if wrong is not None:
        print(f"seed {{seed}} breaks: {{wrong}}", file=sys.stderr)
        if {small}:
            print(dumps(shrink(script)))
        break
"""


def main(arguments: list[str], first: int = 0, seeds: int = 1000) -> None:
    """Print one seed, or one script, per mutant."""
    words = [word for word in arguments if word != "--small"]
    code = _CODE.format(first=first, seeds=seeds, small=words != arguments)
    with tempfile.TemporaryDirectory() as folder:
        sources = Path(folder) / "src"
        shutil.copytree(ROOT / "src", sources)
        for mutant in MUTANTS:
            if not words or any(word in mutant.name for word in words):
                _search(mutant, sources, code)


def _search(mutant: Mutant, sources: Path, code: str) -> None:
    path = sources / "twofold" / mutant.file
    text = path.read_text()
    path.write_text(text.replace(mutant.old, mutant.new))
    environment = {**os.environ, "PYTHONPATH": f"{sources}{os.pathsep}{ROOT}"}
    try:
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        path.write_text(text)
    print(f"=== {mutant.name}: {done.stderr.strip() or 'not noticed'}\n{done.stdout}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
