"""The files that the live page is made of, read once: nothing a browser asks for becomes a path."""

from __future__ import annotations

import hashlib
import importlib.resources
import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from sensor.errors import BandError

KINDS = {
    ".html": "text/html",
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
}


@dataclass(frozen=True, slots=True)
class Asset:
    """One file: what it holds and what it is."""

    body: bytes
    kind: str

    async def answer(self, _request: web.Request) -> web.StreamResponse:
        """Send the file."""
        return web.Response(body=self.body, content_type=self.kind, charset="utf-8")


def page_assets() -> dict[str, Asset]:
    """The page's files by the path they are served at; the chart library comes from its wheel.

    Raises
    ------
    BandError
        If the installation lacks the chart library.
    """
    spec = importlib.util.find_spec("youplot")
    if spec is None or spec.origin is None:
        raise BandError("the live page needs the package youplot: install forceband again")
    vendor = Path(spec.origin).parent / "vendor"
    assets = {
        "/uplot.js": Asset((vendor / "uplot.iife.min.js").read_bytes(), KINDS[".js"]),
        "/uplot.css": Asset((vendor / "uplot.min.css").read_bytes(), KINDS[".css"]),
    }
    for file in (importlib.resources.files("dashboards") / "live").iterdir():
        kind = KINDS.get(Path(file.name).suffix)
        if kind is not None:
            path = "/" if file.name == "index.html" else f"/{file.name}"
            assets[path] = Asset(file.read_bytes(), kind)
    return assets


def version(assets: Mapping[str, Asset]) -> str:
    """Names this very set of files, so that an old page in a browser notices a new server."""
    digest = hashlib.sha256()
    for path in sorted(assets):
        digest.update(path.encode() + assets[path].body)
    return digest.hexdigest()[:12]
