"""What a failed check says: one class for each category of checks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from jaxlab import tree


class JaxRuntimeError(ValueError):
    """A check failed: raised by `check`, `check_error` and ``Error.throw``, from the error of its category."""


class JaxException(Exception):
    """The base of the categories.

    Attributes:
      place: the user's line whose check failed.
    """

    _where = "at"

    def __init__(self, message: str, place: str) -> None:
        super().__init__(f"{message} ({self._where} {place})" if place else message)
        self.place = place

    @classmethod
    def of(cls, report: Report, payload: Sequence[Any]) -> JaxException:
        """The error of a report and the values that belong to it."""
        raise NotImplementedError


class NaNError(JaxException):
    """A floating-point operation gave a NaN."""

    @classmethod
    def of(cls, report: Report, payload: Sequence[Any]) -> NaNError:
        return cls(f"{report.primitive}: a nan was computed", report.place)


class DivisionByZeroError(JaxException):
    """A divisor was zero."""

    @classmethod
    def of(cls, report: Report, payload: Sequence[Any]) -> DivisionByZeroError:
        return cls(f"{report.primitive}: division by zero", report.place)


class OOBError(JaxException):
    """An index was out of bounds."""

    @classmethod
    def of(cls, report: Report, payload: Sequence[Any]) -> OOBError:
        index, axis, size = map(int, np.asarray(payload[0]))
        return cls(
            f"{report.primitive}: index {index} is out of bounds for axis {axis}, of size {size}, of an array "
            f"of shape {report.shape}",
            report.place,
        )


class FailedCheckError(JaxException):
    """A `check` of the user's was false."""

    _where = "check failed at"

    @classmethod
    def of(cls, report: Report, payload: Sequence[Any]) -> FailedCheckError:
        args, kwargs = tree.unflatten(report.in_tree, payload)
        return cls(report.format.format(*args, **kwargs), report.place)


class BatchedError(JaxException):
    """Checks of several slices failed.

    Attributes:
      error_mapping: the error of each slice in which one failed, by its index.
    """

    def __init__(self, error_mapping: dict[tuple[int, ...], JaxException]) -> None:
        lines = [
            f"at mapped index {', '.join(map(str, index))}: {error}" for index, error in error_mapping.items()
        ]
        super().__init__("\n".join(lines), "")
        self.error_mapping = error_mapping


ErrorCategory = type[JaxException]


@dataclass(frozen=True, slots=True)
class Report:
    """What is known of a check before it fails.

    Attributes:
      category: the class of its error.
      place: the user's line.
      primitive: the operation that is checked.
      shape: the shape of the array that is indexed.
      format, in_tree: the text of a user's check, and the structure of the values that it shows.
    """

    category: ErrorCategory
    place: str
    primitive: str = ""
    shape: tuple[int, ...] = ()
    format: str = ""
    in_tree: Any = None
