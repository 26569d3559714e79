#!/usr/bin/env bash
# Smoke test of a deployed environment, or with `load` the load check: through the gateway, with its own subscription.
# Keys are asked for here and handed on in the environment of one process; none is written anywhere.
set -euo pipefail
service=$(az apim list --resource-group "$AZURE_RESOURCE_GROUP" --query '[0].id' --output tsv)
subscription_key=$(az rest --method post --query primaryKey --output tsv \
  --url "https://management.azure.com$service/subscriptions/smoke-test/listSecrets?api-version=2024-05-01")
function_key=$(az functionapp keys list --resource-group "$AZURE_RESOURCE_GROUP" --name "$SERVICE_API_NAME" \
  --query functionKeys.default --output tsv)
echo "::add-mask::$subscription_key"
echo "::add-mask::$function_key"
export SMOKE_URL=$GATEWAY_URI SMOKE_APP_URL=$SERVICE_API_URI
export SMOKE_SUBSCRIPTION_KEY=$subscription_key SMOKE_FUNCTION_KEY=$function_key
# A deployment that has just ended may take a minute until its first instance answers.
curl --fail --silent --show-error --retry 20 --retry-delay 6 --retry-all-errors "$SERVICE_API_URI/api/health"
if [ "${1:-}" = load ]; then
  make load
else
  make smoke
fi
