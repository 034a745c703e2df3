"""boto3's client and its errors, as the other modules see them."""

from __future__ import annotations

from typing import Any, TypeAlias

from partsum._core import _meanings

Client: TypeAlias = Any  # boto3 makes its classes at run time: there is no name for them
Argument: TypeAlias = Any
Response: TypeAlias = dict[str, Any]


def error_code(error: BaseException) -> str:
    """Return the code of botocore's ClientError; "" for anything else, as a lost connection."""
    response = getattr(error, "response", None)
    if not isinstance(response, dict):
        return ""
    return str(response.get("Error", {}).get("Code", ""))


def means(error: BaseException, meaning: str) -> bool:
    """Tell whether S3 answered an error of this meaning, such as "NO_SUCH_UPLOAD"."""
    return meaning in _meanings(error_code(error))


def http_status(error: BaseException) -> int:
    """Return the HTTP status of botocore's ClientError, 0 where no answer came."""
    response = getattr(error, "response", None)
    if not isinstance(response, dict):
        return 0
    return int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def add_note(error: BaseException, note: str | None) -> None:
    """Do what BaseException.add_note does from Python 3.11 on; nothing without a note."""
    if note:
        notes = [*getattr(error, "__notes__", ()), note]
        error.__notes__ = notes  # type: ignore[attr-defined]
