"""Every operation, asked by a superuser who acts as a user.

A new operation that changes something belongs into one of the two sets.
"""

import pytest
from fastapi import FastAPI

from tests.contract.answers import complaints
from tests.contract.conftest import every, send
from tests.contract.operations import OPERATIONS, Operation
from tests.contract.samples import sample_of
from tests.contract.scenes import FOR_SUPERUSERS, Scene, scene_of
from tests.factories.support import acting_as
from tests.factories.users import Account, account

SECURED = [one for one in OPERATIONS if one.is_secured and one.id != "probe"]
IN_PERSON = {
    "resend_verification",
    "change_email",
    "change_password",
    "delete_account",
    "end_session",
    "end_other_sessions",
    "delete_organization",
    "transfer_organization",
}
"""What only the user may do: credentials, and what cannot be taken back."""
READ_IN_PERSON = {"get_export"}
AS_SUPPORT = {
    "log_out",
    "update_own_user",
    "update_user",
    "update_profile",
    "put_avatar",
    "delete_avatar",
    "create_organization",
    "update_organization",
    "update_member",
    "remove_member",
}


@pytest.fixture(scope="module")
async def root(probed: FastAPI) -> Account:
    return await account(probed, is_superuser=True)


class TestImpersonation:
    def test_each_change_is_decided_on(self) -> None:
        changes = {one.id for one in SECURED if one.method != "GET"}
        assert changes - FOR_SUPERUSERS == IN_PERSON | AS_SUPPORT

    @every(SECURED)
    async def test_is_refused_where_it_takes_the_user(
        self, probed: FastAPI, operation: Operation, root: Account
    ) -> None:
        own = await scene_of(probed)
        scene = Scene(probed, await acting_as(probed, own.caller, root=root))
        answer = await send(scene, operation, await sample_of(operation, scene))
        if operation.id in IN_PERSON | READ_IN_PERSON | FOR_SUPERUSERS:
            others = operation.id == "delete_user"
            assert complaints(answer, status=404 if others else 403) == []
        else:
            assert answer.is_success, answer.text
