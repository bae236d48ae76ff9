"""Scripts and styles of the documentation, out of a package that bundles them."""

import importlib.util
import mimetypes
from pathlib import Path
from typing import Any

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from typing_extensions import override

ASSETS_PATH = "/docs/assets"
MAX_AGE_SECONDS = 24 * 3600


class Assets(StaticFiles):
    """Files that never hold anything private, so that browsers may keep them."""

    @override
    def file_response(self, *arguments: Any, **options: Any) -> Response:
        response = super().file_response(*arguments, **options)
        response.headers["Cache-Control"] = f"public, max-age={MAX_AGE_SECONDS}"
        return response


def swagger_assets() -> Assets:
    mimetypes.init()  # reads files, which the first request would wait for
    # Found, not imported: the package would load a second application class.
    package = importlib.util.find_spec("fastapi_offline")
    assert package is not None
    assert package.origin is not None
    return Assets(directory=Path(package.origin).parent / "static")
