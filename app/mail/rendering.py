"""Words of a mail: its template, once as text and once as HTML."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, get_args

from app.mail.messages import AnyMail, Mail

if TYPE_CHECKING:
    from jinja2 import Environment

KINDS = [kind.model_fields["kind"].default for kind in get_args(get_args(AnyMail)[0])]

MJML = "layout.mjml.j2"
LAYOUTS = ("layout.txt.j2", MJML)


@dataclass(frozen=True, slots=True)
class Rendered:
    text: str
    html: str


def load() -> None:
    """Read and compile every template, so that rendering reads no file."""
    _to_html()
    for layout in LAYOUTS:
        for name in (layout, *(f"{kind}.j2" for kind in KINDS)):
            _environment(layout).get_template(name)


def render(
    mail: Mail, *, subject: str, project: str, name: str | None, link: str | None
) -> Rendered:
    """Fill both layouts; every value is escaped before MJML becomes HTML."""
    words = {"mail": mail, "subject": subject, "project": project}
    text, mjml = (
        _environment(layout)
        .get_template(f"{mail.kind}.j2")
        .render(**words, name=name, link=link)
        for layout in LAYOUTS
    )
    return Rendered(text=text, html=_to_html()(mjml))


@cache
def _environment(layout: str) -> "Environment":
    """Make the environment in which the templates of mails extend this layout."""
    from jinja2 import (  # noqa: PLC0415 - slow to import, and few processes write mails
        Environment,
        PackageLoader,
        StrictUndefined,
    )

    environment = Environment(
        loader=PackageLoader("app.mail"),
        autoescape=layout == MJML,  # noqa: S701 - the other one is plain text
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["layout"] = layout
    environment.filters.update(moment=_moment, hours=_hours)
    return environment


@cache
def _to_html() -> Callable[[str], str]:
    import mrml  # noqa: PLC0415 - slow to import, and few processes write mails

    # Without its list of fonts, a mail would ask Google for them and tell who reads it.
    options = mrml.RenderOptions(disable_comments=True, fonts={})
    return lambda mjml: mrml.to_html(mjml, render_options=options).content


def _moment(at: datetime) -> str:
    at = at.astimezone(UTC)
    return f"{at.day} {at:%B %Y at %H:%M} UTC"


def _hours(duration: timedelta) -> str:
    hours = duration // timedelta(hours=1)
    return "1 hour" if hours == 1 else f"{hours} hours"
