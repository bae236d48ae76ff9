"""What is written down of changes: the audit trail, and the outbox of events.

Revision 0009, after 0008.

No policy lets anybody change or delete an audit event, the owner of the table included.
"""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

LOCK_TIMEOUT = "SET LOCAL lock_timeout = '4s'"

ORGANIZATION = "nullif(current_setting('app.organization_id', true), '')::uuid"
SUPERUSER = "nullif(current_setting('app.superuser_id', true), '')::uuid"
SYSTEM = "current_setting('app.system', true) = 'on'"

STATEMENTS = f"""
CREATE TABLE audit_events (
    id uuid NOT NULL,
    organization_id uuid,
    action varchar(60) NOT NULL,
    actor_type varchar(10) NOT NULL,
    actor_id uuid,
    actor_label varchar(200),
    impersonator_id uuid,
    target_type varchar(30) NOT NULL,
    target_id uuid NOT NULL,
    target_label varchar(200),
    changes jsonb NOT NULL,
    request_id varchar(128),
    ip varchar(45),
    created_at timestamptz NOT NULL,
    CONSTRAINT pk_audit_events PRIMARY KEY (id)
);
CREATE INDEX ix_audit_events_organization_id_created_at_id
    ON audit_events (organization_id, created_at, id);
CREATE INDEX ix_audit_events_organization_id_actor_id_created_at_id
    ON audit_events (organization_id, actor_id, created_at, id);
CREATE INDEX ix_audit_events_organization_id_target_id_created_at_id
    ON audit_events (organization_id, target_id, created_at, id);
CREATE INDEX ix_audit_events_system ON audit_events (created_at, id)
    WHERE organization_id IS NULL;

ALTER TABLE audit_events ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_events FORCE ROW LEVEL SECURITY;
CREATE POLICY organization ON audit_events FOR SELECT
    USING (organization_id = {ORGANIZATION});
CREATE POLICY written ON audit_events FOR INSERT
    WITH CHECK (organization_id IS NULL OR organization_id = {ORGANIZATION});
CREATE POLICY superuser ON audit_events FOR SELECT
    USING (organization_id IS NULL AND EXISTS (
        SELECT FROM users WHERE users.id = {SUPERUSER}
        AND users.is_superuser AND users.is_active));
CREATE POLICY system ON audit_events FOR SELECT TO CURRENT_USER USING ({SYSTEM});

CREATE TABLE outbox (
    id uuid NOT NULL,
    position bigint GENERATED ALWAYS AS IDENTITY,
    transaction_id bigint NOT NULL DEFAULT (pg_current_xact_id()::text)::bigint,
    organization_id uuid NOT NULL,
    type varchar(60) NOT NULL,
    subject uuid NOT NULL,
    data jsonb NOT NULL,
    request_id varchar(128),
    created_at timestamptz NOT NULL,
    CONSTRAINT pk_outbox PRIMARY KEY (id)
);
CREATE UNIQUE INDEX ix_outbox_position ON outbox (position);

ALTER TABLE outbox ENABLE ROW LEVEL SECURITY;
ALTER TABLE outbox FORCE ROW LEVEL SECURITY;
CREATE POLICY organization ON outbox
    USING (organization_id = {ORGANIZATION})
    WITH CHECK (organization_id = {ORGANIZATION});
CREATE POLICY system ON outbox TO CURRENT_USER
    USING ({SYSTEM}) WITH CHECK ({SYSTEM});
"""  # noqa: S608 - the parts are constants of this file


def upgrade() -> None:
    op.execute(LOCK_TIMEOUT)
    # One by one: the driver prepares each.
    for statement in filter(str.strip, STATEMENTS.split(";\n")):
        op.execute(statement)


def downgrade() -> None:
    op.execute(LOCK_TIMEOUT)
    op.drop_table("outbox")
    op.drop_table("audit_events")
