"""Organizations and what belongs to them, under row-level security.

Revision 0008, after 0007.

A policy looks at settings of the transaction: ``app.organization_id`` opens the rows of
one organization, ``app.user_id`` those of all organizations that are about one user,
``app.superuser_id`` the names of all organizations, to who is a superuser. The system's
own work has a policy that only the owner of the tables falls under, and whoever calls
one of the owner's functions: the role that serves requests can set what it likes.
"""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

LOCK_TIMEOUT = "SET LOCAL lock_timeout = '4s'"

ORGANIZATION = "nullif(current_setting('app.organization_id', true), '')::uuid"
USER = "nullif(current_setting('app.user_id', true), '')::uuid"
SUPERUSER = "nullif(current_setting('app.superuser_id', true), '')::uuid"
SYSTEM = "current_setting('app.system', true) = 'on'"

TABLES = """
CREATE TABLE organizations (
    id uuid NOT NULL,
    name varchar(100) NOT NULL,
    slug varchar(50) NOT NULL,
    search_text text NOT NULL DEFAULT '',
    deleted_at timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    version integer NOT NULL DEFAULT 1,
    CONSTRAINT pk_organizations PRIMARY KEY (id),
    CONSTRAINT uq_organizations_slug UNIQUE (slug)
);
CREATE INDEX ix_organizations_created_at_id ON organizations (created_at, id);
CREATE INDEX ix_organizations_search_text ON organizations
    USING gin (array_to_tsvector(string_to_array(search_text, ' ')));

CREATE TABLE memberships (
    id uuid NOT NULL,
    organization_id uuid NOT NULL,
    user_id uuid NOT NULL,
    role varchar(10) NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    version integer NOT NULL DEFAULT 1,
    CONSTRAINT pk_memberships PRIMARY KEY (id),
    CONSTRAINT fk_memberships_organization_id
        FOREIGN KEY (organization_id) REFERENCES organizations (id),
    CONSTRAINT fk_memberships_user_id FOREIGN KEY (user_id) REFERENCES users (id),
    CONSTRAINT uq_memberships_organization_id_user_id
        UNIQUE (organization_id, user_id),
    CONSTRAINT ck_memberships_role
        CHECK (role IN ('viewer', 'member', 'admin', 'owner'))
);
CREATE INDEX ix_memberships_user_id_created_at_id
    ON memberships (user_id, created_at, id);
CREATE INDEX ix_memberships_organization_id_created_at_id
    ON memberships (organization_id, created_at, id);

CREATE TABLE invitations (
    id uuid NOT NULL,
    organization_id uuid NOT NULL,
    email varchar(254) NOT NULL,
    role varchar(10) NOT NULL,
    status varchar(10) NOT NULL,
    invited_by uuid,
    token_id uuid NOT NULL,
    token_hash bytea NOT NULL,
    expires_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    version integer NOT NULL DEFAULT 1,
    CONSTRAINT pk_invitations PRIMARY KEY (id),
    CONSTRAINT fk_invitations_organization_id
        FOREIGN KEY (organization_id) REFERENCES organizations (id),
    CONSTRAINT fk_invitations_invited_by FOREIGN KEY (invited_by) REFERENCES users (id),
    CONSTRAINT uq_invitations_token_hash UNIQUE (token_hash),
    CONSTRAINT ck_invitations_role
        CHECK (role IN ('viewer', 'member', 'admin', 'owner')),
    CONSTRAINT ck_invitations_status
        CHECK (status IN ('pending', 'accepted', 'declined', 'revoked'))
);
CREATE UNIQUE INDEX uq_invitations_pending ON invitations (organization_id, email)
    WHERE status = 'pending';
CREATE INDEX ix_invitations_organization_id_created_at_id
    ON invitations (organization_id, created_at, id);
CREATE INDEX ix_invitations_email_created_at_id
    ON invitations (email, created_at, id);
CREATE INDEX ix_invitations_expires_at ON invitations (expires_at);

CREATE TABLE api_keys (
    id uuid NOT NULL,
    organization_id uuid NOT NULL,
    created_by uuid NOT NULL,
    name varchar(100) NOT NULL,
    prefix varchar(12) NOT NULL,
    last_four varchar(4) NOT NULL,
    key_hash bytea NOT NULL,
    scopes varchar(40)[] NOT NULL,
    expires_at timestamptz,
    last_used_at timestamptz,
    created_at timestamptz NOT NULL,
    CONSTRAINT pk_api_keys PRIMARY KEY (id),
    CONSTRAINT fk_api_keys_organization_id
        FOREIGN KEY (organization_id) REFERENCES organizations (id),
    CONSTRAINT fk_api_keys_organization_id_created_by
        FOREIGN KEY (organization_id, created_by)
        REFERENCES memberships (organization_id, user_id) ON DELETE CASCADE,
    CONSTRAINT uq_api_keys_key_hash UNIQUE (key_hash)
);
CREATE INDEX ix_api_keys_organization_id_created_at_id
    ON api_keys (organization_id, created_at, id);
CREATE INDEX ix_api_keys_organization_id_created_by
    ON api_keys (organization_id, created_by);
"""

POLICIES = f"""
CREATE POLICY organization ON organizations
    USING (id = {ORGANIZATION}) WITH CHECK (id = {ORGANIZATION});
CREATE POLICY member ON organizations FOR SELECT
    USING (id IN (SELECT organization_id FROM memberships WHERE user_id = {USER}));
CREATE POLICY invited ON organizations FOR SELECT
    USING (id IN (SELECT organization_id FROM invitations
                  WHERE email = (SELECT email FROM users WHERE users.id = {USER})));
CREATE POLICY superuser ON organizations FOR SELECT
    USING (EXISTS (SELECT FROM users WHERE users.id = {SUPERUSER}
                   AND users.is_superuser AND users.is_active));

CREATE POLICY member ON memberships FOR SELECT USING (user_id = {USER});
CREATE POLICY invited ON invitations FOR SELECT
    USING (email = (SELECT email FROM users WHERE users.id = {USER}));
"""  # noqa: S608 - the parts are constants of this file

KEY_OF_HASH = """
CREATE FUNCTION api_key_of(hashes bytea[]) RETURNS TABLE (
    id uuid, organization_id uuid, name varchar, scopes varchar[], created_by uuid,
    role varchar, is_use_stale boolean, is_hash_old boolean
) LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    PERFORM set_config('app.system', 'on', true);
    RETURN QUERY
        SELECT k.id, k.organization_id, k.name, k.scopes, k.created_by, m.role,
               coalesce(k.last_used_at < now() - interval '1 minute', true),
               k.key_hash <> hashes[1]
        FROM public.api_keys k
        JOIN public.memberships m
            ON m.organization_id = k.organization_id AND m.user_id = k.created_by
        JOIN public.organizations o
            ON o.id = k.organization_id AND o.deleted_at IS NULL
        JOIN public.users u ON u.id = k.created_by AND u.is_active
        WHERE k.key_hash = ANY (hashes)
            AND (k.expires_at IS NULL OR k.expires_at > now());
    PERFORM set_config('app.system', '', true);
END $$
"""

SWEEP = """
CREATE FUNCTION sweep_invitations(out_of_date timestamptz, most integer)
RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE swept bigint;
BEGIN
    PERFORM set_config('app.system', 'on', true);
    DELETE FROM public.invitations WHERE id IN (
        SELECT id FROM public.invitations
        WHERE expires_at < least(out_of_date, now() - interval '30 days')
        ORDER BY expires_at LIMIT most FOR UPDATE SKIP LOCKED);
    GET DIAGNOSTICS swept = ROW_COUNT;
    PERFORM set_config('app.system', '', true);
    RETURN swept;
END $$
"""

FUNCTIONS = {
    "api_key_of(bytea[])": KEY_OF_HASH,
    "sweep_invitations(timestamptz, integer)": SWEEP,
}


def upgrade() -> None:
    op.execute(LOCK_TIMEOUT)
    _run(TABLES)
    for table in ("organizations", "memberships", "invitations", "api_keys"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY system ON {table} TO CURRENT_USER"
            f" USING ({SYSTEM}) WITH CHECK ({SYSTEM})"
        )
        if table != "organizations":
            op.execute(
                f"CREATE POLICY organization ON {table}"
                f" USING (organization_id = {ORGANIZATION})"
                f" WITH CHECK (organization_id = {ORGANIZATION})"
            )
    _run(POLICIES)
    for name, definition in FUNCTIONS.items():
        op.execute(definition)
        op.execute(f"REVOKE ALL ON FUNCTION {name} FROM PUBLIC")


def _run(script: str) -> None:
    """Run statements one by one: the driver prepares each."""
    for statement in filter(str.strip, script.split(";\n")):
        op.execute(statement)


def downgrade() -> None:
    op.execute(LOCK_TIMEOUT)
    for name in FUNCTIONS:
        op.execute(f"DROP FUNCTION {name}")
    for policy in ("member", "invited"):  # which read the other tables
        op.execute(f"DROP POLICY {policy} ON organizations")
    for table in ("api_keys", "invitations", "memberships", "organizations"):
        op.drop_table(table)
