"""Valid requests about the audit trail."""

from tests.contract.scenes import Sample, Samples, Scene
from tests.factories.audit_events import account_changed, changed
from tests.factories.users import account


async def within_a_trail(scene: Scene) -> Sample:
    await changed(await scene.tenant(), "One name", "Another name")
    return Sample(path=await scene.within())


async def get_system_audit_events(scene: Scene) -> Sample:
    await account_changed(scene.caller, await account(scene.app))
    return Sample()


SAMPLES: Samples = {
    "get_audit_events": within_a_trail,
    "export_audit_events": within_a_trail,
    "get_system_audit_events": get_system_audit_events,
}
