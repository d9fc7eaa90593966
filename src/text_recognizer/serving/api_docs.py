"""The interactive description of the HTTP interface: Swagger UI from a package, so that it works offline."""

from pathlib import Path

import fastapi_offline
from fastapi import FastAPI, Request
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles

DOCS, ASSETS = "/docs", "/docs/assets"
# The page runs the scripts of this server, and connects to nothing else.
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self' 'unsafe-inline'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


def add_docs(app: FastAPI) -> None:
    """Add the page at DOCS, and the files that it needs."""
    files = StaticFiles(directory=Path(fastapi_offline.__file__).parent / "static")
    app.mount(ASSETS, files, name="assets")
    app.add_api_route(DOCS, docs, methods=["GET"], include_in_schema=False, response_class=HTMLResponse)


def docs(request: Request) -> HTMLResponse:
    """Return the page that describes the interface of /openapi.json, and tries it."""
    root = str(request.scope.get("root_path", ""))
    page = get_swagger_ui_html(
        openapi_url=f"{root}{request.app.openapi_url}",
        title=request.app.title,
        swagger_js_url=f"{root}{ASSETS}/swagger-ui-bundle.js",
        swagger_css_url=f"{root}{ASSETS}/swagger-ui.css",
        swagger_favicon_url=f"{root}{ASSETS}/favicon.png",
    )
    page.headers.update(HEADERS)
    return page
