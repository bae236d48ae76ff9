"""``zenith mail``."""

from html import escape
from pathlib import Path
from typing import Annotated

import typer

from app.config import load_settings

mail = typer.Typer(help="Look at mails.", no_args_is_help=True)

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Mails of {project}</title>
<style>
  :root {{ color-scheme: light dark }}
  body {{ font: 16px/1.5 system-ui, sans-serif; margin: 2rem }}
  iframe {{ width: 100%; max-width: 700px; height: 640px; border: 1px solid #8888 }}
</style>
<h1>Mails of {project}</h1>
{mails}
</html>
"""
_MAIL = """<h2>{subject}</h2>
<p><a href="{kind}.html">HTML</a>, <a href="{kind}.txt">text</a></p>
<iframe src="{kind}.html" title="{subject}" loading="lazy"></iframe>"""


@mail.callback()
def _group() -> None:
    """Keep ``preview`` a word of the command, though it is the only one so far."""


@mail.command()
def preview(
    *,
    to: Annotated[
        Path | None,
        typer.Option(file_okay=False, help="[default: ZENITH_HOME/mail/preview]"),
    ] = None,
) -> None:
    """Write every mail with sample values, and a page that shows them all."""
    from app.mail.composer import Composer
    from app.mail.samples import SAMPLES, TOKEN

    settings = load_settings()
    composer = Composer(
        project_name=settings.PROJECT_NAME,
        public_url=settings.PUBLIC_URL,
        sender=settings.MAIL_FROM,
    )
    folder = to or settings.ZENITH_HOME / "mail" / "preview"
    folder.mkdir(parents=True, exist_ok=True)
    shown = []
    for sample in SAMPLES:
        message = composer.compose(sample, token=TOKEN, reference=sample.kind)
        for subtype, suffix in (("html", "html"), ("plain", "txt")):
            part = message.get_body((subtype,))
            assert part is not None
            path = folder / f"{sample.kind}.{suffix}"
            path.write_text(part.get_content(), encoding="utf-8")
        subject = escape(message["Subject"])
        shown.append(_MAIL.format(subject=subject, kind=sample.kind))
    page = _PAGE.format(project=escape(settings.PROJECT_NAME), mails="\n".join(shown))
    index = folder / "index.html"
    index.write_text(page, encoding="utf-8")
    typer.echo(index)
