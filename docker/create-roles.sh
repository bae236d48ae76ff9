#!/usr/bin/env bash
# Runs once, when the database of docker-compose.yml is made: the role that owns the
# schema and the role that serves, each with its password.
set -euo pipefail

psql --no-psqlrc --set ON_ERROR_STOP=1 \
  --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" \
  --set owner_password="$OWNER_PASSWORD" --set app_password="$APP_PASSWORD" <<'SQL'
CREATE ROLE zenith_owner LOGIN PASSWORD :'owner_password';
CREATE ROLE zenith_app LOGIN PASSWORD :'app_password';
CREATE DATABASE zenith OWNER zenith_owner;
REVOKE ALL ON DATABASE zenith FROM PUBLIC;
GRANT CONNECT ON DATABASE zenith TO zenith_app;
SQL
