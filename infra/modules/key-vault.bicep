metadata description = 'Secrets, made once and never seen: the platform\'s key material and the key that the gateway shows to the app.'

param token string
param location string
param tags object
@description('Reached through a private endpoint only, but by trusted services of Azure.')
param privateOnly bool
param lock bool
param softDeleteDays int
param purgeProtection bool
@description('The app\'s identity.')
param principalId string
param workspaceId string

@description('Key material of a first deployment. Drawn anew each time; what the vault already holds is not replaced.')
@secure()
param newPlatformSecret string = '${newGuid()}${newGuid()}'
@secure()
param newGatewayKey string = '${newGuid()}${newGuid()}'

var keyVaultSecretsUser = '4633458b-17de-408a-b874-0445c86b69e6'

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' = {
  name: 'kv-${token}'
  location: location
  tags: tags
  properties: {
    tenantId: tenant().tenantId
    sku: {
      family: 'A'
      name: 'standard'
    }
    enableRbacAuthorization: true
    enableSoftDelete: true
    softDeleteRetentionInDays: softDeleteDays
    // The service takes true or nothing.
    enablePurgeProtection: purgeProtection ? true : null
    publicNetworkAccess: privateOnly ? 'Disabled' : 'Enabled'
    networkAcls: {
      bypass: 'AzureServices'
      defaultAction: privateOnly ? 'Deny' : 'Allow'
    }
  }
}

// Ids and cursors are made with it: a new one would break every idempotency key and cursor that is out there.
@onlyIfNotExists()
resource platformSecret 'Microsoft.KeyVault/vaults/secrets@2024-11-01' = {
  parent: vault
  name: 'platform-secret'
  properties: {
    contentType: 'key material'
    value: newPlatformSecret
  }
}

@onlyIfNotExists()
resource gatewayKey 'Microsoft.KeyVault/vaults/secrets@2024-11-01' = {
  parent: vault
  name: 'gateway-key'
  properties: {
    contentType: 'shared by gateway and app'
    value: newGatewayKey
  }
}

resource reader 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: vault
  name: guid(vault.id, principalId, keyVaultSecretsUser)
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', keyVaultSecretsUser)
  }
}

resource audit 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: vault
  name: 'to-workspace'
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        category: 'AuditEvent'
        enabled: true
      }
    ]
  }
}

resource vaultLock 'Microsoft.Authorization/locks@2020-05-01' = if (lock) {
  scope: vault
  name: 'keep'
  properties: {
    level: 'CanNotDelete'
    notes: 'Without its key material, ids and cursors in circulation are worthless.'
  }
}

output vaultId string = vault.id
output vaultName string = vault.name
output platformSecretUri string = '${vault.properties.vaultUri}secrets/platform-secret'
output gatewayKeyUri string = '${vault.properties.vaultUri}secrets/gateway-key'
