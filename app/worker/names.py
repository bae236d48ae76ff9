"""What pgqueuer's tables are called: pinned, for a migration has made them so."""

from pgqueuer.domain.settings import DBSettings, Durability
from pgqueuer.domain.types import Channel

# Each name is given, else pgqueuer would read it from the environment.
NAMES = DBSettings(
    prefix="",
    db_schema="jobs",
    channel=Channel("zenith_jobs"),
    function="queue_changed",
    trigger="queue_changed",
    queue_table="queue",
    queue_table_log="log",
    queue_status_type="status",
    schedules_table="schedules",
    statistics_table="statistics",
    durability=Durability.durable,
    widen_id=False,
)
