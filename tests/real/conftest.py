"""Where the data is absent, these tests do not exist, and the run says so."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.real import data


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Take out what needs the data, visibly."""
    if data.folder() is not None:
        return
    here = Path(__file__).parent
    kept = [item for item in items if here not in item.path.parents]
    missing = len(items) - len(kept)
    items[:] = kept
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if missing and reporter is not None:
        reporter.write_line(
            f"shared/data not found: {missing} tests over it were not generated", yellow=True
        )
