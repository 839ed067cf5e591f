"""The anywidget behind `jaxlab.widgets.widget`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anywidget
import traitlets

from jaxlab.inspection.html import html
from jaxlab.inspection.line import figures
from jaxlab.inspection.record import Record

_MODULE = Path(__file__).parent / "static" / "widget.js"


class RecordWidget(anywidget.AnyWidget):
    """Shows a record. Assign another record's ``to_json()`` to ``record`` and it is redrawn in place.

    Raises ``FileNotFoundError`` where the front end was not built.
    """

    # A text and not a path: anywidget would watch the file of an editable install from a thread.
    _esm = _MODULE.read_text(encoding="utf-8") if _MODULE.exists() else ""

    record = traitlets.Dict().tag(sync=True)

    def __init__(self, record: Record) -> None:
        if not self._esm:
            raise FileNotFoundError(
                f"widget: {_MODULE} is missing, but the live widget is drawn by it; build the front end "
                "(make setup in a checkout), or show the record itself"
            )
        super().__init__(record=record.to_json())

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]] | None:
        # A widget's model is gone when a saved notebook is opened elsewhere; these two forms are not.
        shown = super()._repr_mimebundle_(**kwargs)
        if shown is None:
            return None
        data, metadata = shown
        record = Record.from_json(self.record)
        return {**data, "text/plain": figures(record), "text/html": html(record)}, metadata
