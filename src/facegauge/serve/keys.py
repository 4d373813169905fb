"""The key that a service may ask its clients for: Authorization: Bearer KEY."""

from __future__ import annotations

import hmac
from typing import Annotated, Any

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from facegauge.errors import OptionError
from facegauge.serve.problems import Problem, Refused

_bearer = HTTPBearer(auto_error=False, description="The key that the service was started with.")
Shown = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


def guards(key: str | None) -> list[Any]:
    """What lets in who shows the key: dependencies of FastAPI, none without a key.

    Raises:
        OptionError: a key that is empty or that no header can hold.
    """
    if key is None:
        return []
    if not (key.isascii() and key.isprintable() and key.strip() == key and key):
        raise OptionError("An API key needs printable ASCII characters. Choose another one.")
    expected = key.encode()

    async def shown(credentials: Shown) -> None:
        came = "" if credentials is None else credentials.credentials
        if not hmac.compare_digest(came.encode(), expected):  # no slower the nearer it comes
            raise Refused(
                Problem.UNAUTHORISED,
                "Expected the header Authorization: Bearer KEY with this service's key.",
                {"www-authenticate": "Bearer"},
            )

    return [Depends(shown)]
