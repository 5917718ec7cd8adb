"""All mutants."""

from __future__ import annotations

from tests.mutants.by_promise import PROMISES
from tests.mutants.deleting import DELETING
from tests.mutants.effects import READING, WRITING
from tests.mutants.limiting import LIMITING
from tests.mutants.rules import CORE
from tests.mutants.storing import STORING

MUTANTS = (*PROMISES, *CORE, *WRITING, *READING, *STORING, *LIMITING, *DELETING)
