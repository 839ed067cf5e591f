"""Events that programs tell of, and listeners that hear of them: for dashboards and logs.

A library marks what it does, and whoever runs it may listen; without listeners an event costs next to nothing. There
are four kinds: something happened, something took so long, something began and ended, and a number was measured.

>>> heard = []
>>> def listener(event, **details):
...     heard.append((event, details))
>>> jaxlab.monitoring.register_event_listener(listener)
>>> jaxlab.monitoring.record_event("/my/checkpoint/saved", step=3)
>>> jaxlab.monitoring.unregister_event_listener(listener)
>>> heard
[('/my/checkpoint/saved', {'step': 3})]
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Listener = Callable[..., None]

_events: list[Listener] = []
_durations: list[Listener] = []
_time_spans: list[Listener] = []
_scalars: list[Listener] = []


def _tell(listeners: list[Listener], event: str, *values: Any, **details: Any) -> None:
    for listener in tuple(listeners):  # one may take itself away
        listener(event, *values, **details)


def _remove(listeners: list[Listener], listener: Listener) -> None:
    if listener not in listeners:
        raise ValueError(
            f"monitoring: {listener!r} is not registered as a listener to events of this kind, so it cannot be "
            "unregistered; register it first, with the function for the same kind"
        )
    listeners.remove(listener)


def record_event(event: str, **kwargs: str | int) -> None:
    """Tell the listeners that ``event``, a name such as ``"/my/library/saved"``, happened.

    Args:
      event: its name.
      kwargs: details, handed to every listener by keyword; the same ones each time.
    """
    _tell(_events, event, **kwargs)


def record_event_duration_secs(event: str, duration: float, **kwargs: str | int) -> None:
    """Tell the listeners how many seconds ``event`` took."""
    _tell(_durations, event, duration, **kwargs)


def record_event_time_span(event: str, start_time: float, end_time: float, **kwargs: str | int) -> None:
    """Tell the listeners when ``event`` began and when it ended, in seconds."""
    _tell(_time_spans, event, start_time, end_time, **kwargs)


def record_scalar(event: str, value: float | int, **kwargs: str | int) -> None:
    """Tell the listeners the number that was measured at ``event``."""
    _tell(_scalars, event, value, **kwargs)


def register_event_listener(callback: Listener) -> None:
    """Call ``callback(event, **details)`` at every `record_event`."""
    _events.append(callback)


def register_event_duration_secs_listener(callback: Listener) -> None:
    """Call ``callback(event, duration, **details)`` at every `record_event_duration_secs`."""
    _durations.append(callback)


def register_event_time_span_listener(callback: Listener) -> None:
    """Call ``callback(event, start_time, end_time, **details)`` at every `record_event_time_span`."""
    _time_spans.append(callback)


def register_scalar_listener(callback: Listener) -> None:
    """Call ``callback(event, value, **details)`` at every `record_scalar`."""
    _scalars.append(callback)


def unregister_event_listener(callback: Listener) -> None:
    """Stop what `register_event_listener` began; ValueError if it is not registered."""
    _remove(_events, callback)


def unregister_event_duration_listener(callback: Listener) -> None:
    """Stop what `register_event_duration_secs_listener` began; ValueError if it is not registered."""
    _remove(_durations, callback)


def unregister_event_time_span_listener(callback: Listener) -> None:
    """Stop what `register_event_time_span_listener` began; ValueError if it is not registered."""
    _remove(_time_spans, callback)


def unregister_scalar_listener(callback: Listener) -> None:
    """Stop what `register_scalar_listener` began; ValueError if it is not registered."""
    _remove(_scalars, callback)


def clear_event_listeners() -> None:
    """Take away the listeners of all kinds."""
    for listeners in (_events, _durations, _time_spans, _scalars):
        listeners.clear()
