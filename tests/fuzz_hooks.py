"""What schemathesis loads: how to sign in.

Operations that end the session they are called with get one of their own each time. A
superuser calls what is for superusers only: with an id at hand they would soon switch
themselves off.
"""

import os
from typing import Any

import httpx2
import schemathesis

ENDING = ["/api/v1/auth/logout", "/api/v1/auth/sessions/{session_id}"]
FOR_SUPERUSERS = [
    "/api/v1/users",
    "/api/v1/admin/audit-events",
    "/api/v1/admin/jobs",
    "/api/v1/admin/jobs/{job_id}",
    "/api/v1/admin/jobs/{job_id}/retry",
    "/api/v1/admin/jobs/{job_id}/discard",
]


class _SignIn:
    name: str

    def get(self, _case: Any, _context: Any) -> str:
        form = {
            "grant_type": "password",
            "username": os.environ[self.name],
            "password": os.environ["FUZZ_PASSWORD"],
        }
        url = os.environ["FUZZ_URL"]
        answer = httpx2.post(f"{url}/api/v1/auth/token", data=form)
        token: str = answer.raise_for_status().json()["access_token"]
        return token

    def set(self, case: Any, token: str, _context: Any) -> None:
        case.headers["Authorization"] = f"Bearer {token}"


class User(_SignIn):
    name = "FUZZ_USER"


class Superuser(_SignIn):
    name = "FUZZ_SUPERUSER"


others = schemathesis.auth(refresh_interval=600)
others.skip_for(path=[*ENDING, *FOR_SUPERUSERS])(User)
schemathesis.auth(refresh_interval=None).apply_to(path=ENDING)(User)
schemathesis.auth(refresh_interval=600).apply_to(path=FOR_SUPERUSERS)(Superuser)
