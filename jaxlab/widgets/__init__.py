"""The live widget of a record, for front ends that have no mime renderer of ours: VS Code, Colab, marimo."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jaxlab.inspection.record import Record

if TYPE_CHECKING:
    from jaxlab.widgets.live import RecordWidget


def widget(record: Record) -> RecordWidget:
    """A widget that shows ``record``, with the same view as the notebook's outputs.

    Raises ``FileNotFoundError`` where the front end was never built (a checkout before ``make setup``).

    >>> from jaxlab.inspection.record import Record
    >>> widget(Record("f")).record["name"]  # doctest: +SKIP
    'f'
    """
    # Imported here, because ipywidgets and anywidget take 0.2 s and most notebooks never ask for a widget.
    from jaxlab.widgets.live import RecordWidget

    return RecordWidget(record)
