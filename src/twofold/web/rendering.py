"""Templates: one environment per language, strict about names, escaping everything."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from twofold.web.language import translations

TEMPLATES = Path(__file__).parent / "templates"

POLICY = (
    "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self';"
    " img-src 'self' data:; connect-src 'self'; form-action 'self'; frame-ancestors 'none';"
    " base-uri 'none'; object-src 'none'"
)
"""What a page may load: nothing from elsewhere and nothing inline. Tabler's style has images in
``data:`` addresses."""


@cache
def environment(language: str) -> Environment:
    """The templates in one language."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
    )
    installed: Any = made
    installed.install_gettext_translations(translations(language), newstyle=True)
    return made


def rendered(language: str, template: str, context: dict[str, Any]) -> str:
    """A page or a part of one."""
    return environment(language).get_template(template).render(context)
