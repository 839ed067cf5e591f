"""A record as the mime bundle that a notebook keeps: for each reader the richest form that it can show."""

from __future__ import annotations

from typing import Any

from jaxlab.inspection.html import html
from jaxlab.inspection.line import figures
from jaxlab.inspection.record import Record

MIME_TYPE = "application/vnd.jaxlab.record.v1+json"


def mime_bundle(record: Record) -> dict[str, Any]:
    """The record as the line of figures, as static HTML, and as the data that the front end draws.

    The HTML needs no script, no kernel and no trust, so that a saved notebook reads anywhere.

    >>> sorted(mime_bundle(Record("f")))
    ['application/vnd.jaxlab.record.v1+json', 'text/html', 'text/plain']
    """
    return {"text/plain": figures(record), "text/html": html(record), MIME_TYPE: record.to_json()}
