"""The API page, with its scripts from here: it works on a machine without the internet."""

from importlib.resources import files

from fastapi import FastAPI, Request
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles

_STATIC = "/docs/static"


def install(api: FastAPI, prefix: str = "") -> None:
    """Serve /docs for an app that was made with `docs_url=None`; one that is mounted at `prefix`
    has the scripts from where it is mounted."""
    api.state.docs_page = get_swagger_ui_html(
        openapi_url=f"{prefix}/openapi.json",
        title=api.title,
        swagger_js_url=f"{_STATIC}/swagger-ui-bundle.js",
        swagger_css_url=f"{_STATIC}/swagger-ui.css",
        swagger_favicon_url=f"{_STATIC}/favicon.png",
        swagger_ui_parameters={"persistAuthorization": True, "tryItOutEnabled": True},
    )
    api.add_api_route("/docs", docs, include_in_schema=False)
    if not prefix:
        api.mount(_STATIC, StaticFiles(directory=str(files("fastapi_offline") / "static")))


async def docs(request: Request) -> HTMLResponse:
    page: HTMLResponse = request.app.state.docs_page
    return page
