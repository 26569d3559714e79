"""Bicep's functions and decorators, as far as these templates use them: name to the kind of what comes back.

From https://learn.microsoft.com/azure/azure-resource-manager/bicep/bicep-functions. A function that is not listed is a
finding: add it here with its kind, so that a misspelt one is caught.
"""

from typing import Final

KINDS: Final = {
    "base64": "string",
    "concat": "array",
    "contains": "bool",
    "empty": "bool",
    "environment": "any",
    "first": "any",
    "format": "string",
    "guid": "string",
    "int": "int",
    "json": "any",
    "length": "int",
    "loadJsonContent": "any",
    "loadTextContent": "string",
    "max": "int",
    "min": "int",
    "newGuid": "string",
    "range": "array",
    "replace": "string",
    "resourceGroup": "any",
    "resourceId": "string",
    "split": "array",
    "string": "string",
    "subscription": "any",
    "subscriptionResourceId": "string",
    "take": "any",
    "tenant": "any",
    "toLower": "string",
    "toUpper": "string",
    "union": "object",
    "uniqueString": "string",
    "utcNow": "string",
}
DECORATORS: Final = frozenset(
    {
        "allowed",
        "batchSize",
        "description",
        "maxLength",
        "maxValue",
        "minLength",
        "minValue",
        "onlyIfNotExists",
        "secure",
    }
)
ONLY_IN_DEFAULTS: Final = frozenset({"newGuid", "utcNow"})
# What `environment()` and its siblings hold, as far as these templates look into it.
RESULTS: Final = {
    "environment": {"suffixes": {"storage": None}, "resourceManager": None},
    "resourceGroup": {"id": None, "name": None, "location": None, "tags": None},
    "subscription": {"id": None, "subscriptionId": None, "tenantId": None, "displayName": None},
    "tenant": {"tenantId": None},
}
