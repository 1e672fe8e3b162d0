"""The one table from errors to HTTP statuses, and what a client is told of an error.

What went wrong with a request is told in the words of the error. What went wrong with the server is logged, and the
client is told the kind alone, since messages of that kind name paths.
"""

from __future__ import annotations

from twofold import errors
from twofold.errors import TwofoldError

STATUS: dict[type[TwofoldError], int] = {
    errors.LimitError: 413,
    errors.NotServedError: 404,
    errors.NoDocumentError: 404,
    errors.InputError: 400,
    errors.UnknownKeyError: 401,
    errors.AccessError: 403,
    errors.BusyError: 429,
    errors.LateError: 504,
    errors.ServiceError: 502,
    errors.MissingExtraError: 501,
    errors.LockedError: 503,
    errors.MovedError: 503,
    errors.NotACollectionError: 503,
    errors.StorageError: 507,
    errors.TwofoldError: 500,
}
"""Error → status; the nearest class above an error that is here decides."""

TOLD: dict[int, str] = {
    500: "the server failed; its log says how",
    501: "the server lacks an optional library for this; its log says which",
    502: "a service that the server asks failed; its log says how",
    503: "the collection cannot be used now: it is being written by another process, or was moved; try again",
    507: "the server's disk is full or cannot be written; nothing of this request is stored",
}
"""Status → what a client is told in place of the error's own words."""


def status_of(error: BaseException) -> int:
    """The HTTP status of an error; 500 for one that is not ours."""
    return next((STATUS[each] for each in type(error).__mro__ if each in STATUS), 500)


def message_of(error: BaseException) -> str:
    """What a client is told of it."""
    return TOLD.get(status_of(error)) or str(error)


def error_named(code: str, message: str, retry_after: float = 1.0) -> TwofoldError:
    """The error that a server's `code` names, with its message; a ServiceError where the name is not known."""
    found = getattr(errors, code, None)
    if found is errors.BusyError:
        return errors.BusyError(message, retry_after)
    error: TwofoldError = errors.ServiceError(message)
    if isinstance(found, type) and issubclass(found, TwofoldError):
        error = found.__new__(found)
        TwofoldError.__init__(error, message)
    return error
