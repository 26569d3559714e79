#!/bin/sh
# Says in one sentence what a deployment would find out after ten minutes.
set -eu
type=${ENVIRONMENT_TYPE:-dev}
case "$type" in
  dev | test | prod) ;;
  *)
    echo "ENVIRONMENT_TYPE is $type; it must be dev, test or prod: azd env set ENVIRONMENT_TYPE dev" >&2
    exit 1
    ;;
esac
if [ "$type" = prod ] && [ -z "${MAINFRAME_HOST:-}" ]; then
  echo "prod has no mock mainframe. Name the real one: azd env set MAINFRAME_HOST <host>" >&2
  exit 1
fi
