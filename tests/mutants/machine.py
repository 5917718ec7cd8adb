"""Machine-made mutants of the rules: ``python -m tests.mutants.machine [core/merge.py ...]``.

Each small change of a module must make a quick test fail. What survives is listed with its reason
in ``survivors.toml``; any other survivor fails this command, and so does an entry that died.
Each mutant runs in a fork of a process that has loaded everything else, which is what makes a
thousand of them bearable; see docs/decisions.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.abc
import importlib.machinery
import importlib.util
import io
import os
import resource
import sys
import time
import tomllib
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import pytest
from tests.mutants.operators import Change, changes

ROOT = Path(__file__).parents[2]
SURVIVORS = Path(__file__).with_name("survivors.toml")
TESTS: dict[str, tuple[str, ...]] = {
    "core/merge.py": (
        "tests/core/test_choices.py",
        "tests/core/test_plan.py",
        "tests/engine/test_run.py",
        "tests/core/test_merge.py",
    ),
    "core/links.py": ("tests/core/test_seen.py", "tests/core/test_forms.py", "tests/engine"),
    "core/forms.py": ("tests/core/test_forms.py",),
    "core/plan.py": ("tests/core/test_plan.py", "tests/engine"),
    "core/matching.py": ("tests/core/test_matching.py", "tests/core/test_match_rules.py"),
    "engine/apply.py": ("tests/engine", "tests/simulation/test_simulation.py"),
}
"""By module: the tests that must notice, the quickest first."""
MOST_SECONDS = 120
"""Of processor time; a mutant that never ends is noticed."""


class _Changed(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Loads one module from other source text."""

    def __init__(self, module: str, source: str) -> None:
        self._module = module
        self._source = source

    def find_spec(
        self, fullname: str, path: object = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self._module:
            return None
        return importlib.util.spec_from_loader(fullname, self)

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self._source, self._module, "exec"), module.__dict__)


def main() -> int:
    """Print each survivor; 1 where one is not listed, or a listed one is dead."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("modules", nargs="*", default=list(TESTS))
    parser.add_argument("--every", type=int, default=1, help="only every n-th mutant")
    parser.add_argument("--seconds", type=float, help="begin no mutant after so many seconds")
    options = parser.parse_args()
    known = tomllib.loads(SURVIVORS.read_text()) if SURVIVORS.exists() else {}
    wrong = 0
    until = time.monotonic() + (options.seconds or 1e9)
    for module in options.modules:
        listed = known.get(module, {})
        if not _passes(module, None):
            wrong += 1
            print(f"{module}: its tests fail without any mutant", flush=True)
            continue
        found = list(changes((ROOT / "src/twofold" / module).read_text()))[:: options.every]
        tried = died = 0
        for change in found:
            if time.monotonic() > until:
                break
            tried += 1
            if not _passes(module, change):
                died += 1
                if change.name in listed:
                    wrong += 1
                    print(f"  dead, but listed: {module} {change.name}", flush=True)
            elif change.name not in listed:
                wrong += 1
                print(f"  SURVIVED {module} {change.name}", flush=True)
        print(f"{module}: {tried} of {len(found)} mutants, {died} noticed", flush=True)
    return 1 if wrong else 0


def _passes(module: str, change: Change | None) -> bool:
    """Whether the tests pass with that change, in a fork."""
    child = os.fork()
    if child == 0:
        os._exit(_tested(module, change))
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) == 0


def _tested(module: str, change: Change | None) -> int:
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
    if change is not None:
        name = "twofold." + module.removesuffix(".py").replace("/", ".")
        sys.meta_path.insert(0, _Changed(name, change.source))
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            return _pytest(TESTS[module])
    except BaseException:  # noqa: BLE001 - it does not even load
        return 1


def _pytest(tests: Sequence[str]) -> int:
    quick = ["-q", "-x", "-p", "no:cacheprovider", "--hypothesis-profile=mutants"]
    there = [test for test in tests if (ROOT / test).exists()]
    return int(pytest.main([*quick, *there]))


if __name__ == "__main__":
    import hypothesis  # noqa: F401 - loaded once, for all forks
    import phonenumbers  # noqa: F401

    raise SystemExit(main())
