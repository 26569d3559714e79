metadata description = 'Storage for data: every table, queue and container of storage-names.json, and the app\'s roles on them.'

param token string
param location string
param tags object
param skuName string
@description('Reached through private endpoints only.')
param privateOnly bool
@description('Put a delete lock on the account.')
param lock bool
param softDeleteDays int
@description('How far back blobs can be restored; 0 for not at all. Tables and queues have no such thing.')
param pointInTimeRestoreDays int
@description('The app\'s identity.')
param principalId string
param workspaceId string

// The code's lists, held to it by tests/fleet/test_storage_names.py. A new name is one line there.
var names = loadJsonContent('../storage-names.json')

var storageQueueDataContributor = '974c5e8b-45b9-4653-ba55-5f855dd0fb88'
var storageTableDataContributor = '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3'
var storageBlobDataContributor = 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'
var rolesAlways = [storageTableDataContributor, storageQueueDataContributor]
var roles = empty(names.containers) ? rolesAlways : concat(rolesAlways, [storageBlobDataContributor])
var restorable = pointInTimeRestoreDays > 0

resource account 'Microsoft.Storage/storageAccounts@2025-01-01' = {
  name: 'stdata${token}'
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: {
    name: skuName
  }
  properties: {
    allowBlobPublicAccess: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: privateOnly ? 'Disabled' : 'Enabled'
    networkAcls: {
      bypass: 'AzureServices'
      defaultAction: privateOnly ? 'Deny' : 'Allow'
    }
  }
}

resource tableService 'Microsoft.Storage/storageAccounts/tableServices@2025-01-01' = {
  parent: account
  name: 'default'
}

resource tables 'Microsoft.Storage/storageAccounts/tableServices/tables@2025-01-01' = [
  for table in names.tables: {
    parent: tableService
    name: table
  }
]

resource queueService 'Microsoft.Storage/storageAccounts/queueServices@2025-01-01' = {
  parent: account
  name: 'default'
}

resource queues 'Microsoft.Storage/storageAccounts/queueServices/queues@2025-01-01' = [
  for queue in names.queues: {
    parent: queueService
    name: queue
  }
]

resource blobService 'Microsoft.Storage/storageAccounts/blobServices@2025-01-01' = {
  parent: account
  name: 'default'
  properties: {
    isVersioningEnabled: restorable
    changeFeed: {
      enabled: restorable
    }
    deleteRetentionPolicy: {
      enabled: true
      // A restore needs what was deleted since, so it is kept a day longer.
      days: max(softDeleteDays, pointInTimeRestoreDays + 1)
    }
    containerDeleteRetentionPolicy: {
      enabled: true
      days: max(softDeleteDays, pointInTimeRestoreDays + 1)
    }
    restorePolicy: restorable ? { enabled: true, days: pointInTimeRestoreDays } : { enabled: false }
  }
}

resource containers 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-01-01' = [
  for container in names.containers: {
    parent: blobService
    name: container
    properties: {
      publicAccess: 'None'
    }
  }
]

// What became of each row of an import can be downloaded for so long; so can the rows of one that never ended.
resource retention 'Microsoft.Storage/storageAccounts/managementPolicies@2025-01-01' = {
  parent: account
  name: 'default'
  properties: {
    policy: {
      rules: [
        {
          name: 'imports'
          type: 'Lifecycle'
          enabled: true
          definition: {
            filters: {
              blobTypes: ['blockBlob', 'appendBlob']
              prefixMatch: ['imports/']
            }
            actions: {
              baseBlob: {
                delete: {
                  daysAfterModificationGreaterThan: 30
                }
              }
              // Where versions are kept, what is deleted or written over becomes one, and would stay for ever.
              version: {
                delete: {
                  daysAfterCreationGreaterThan: 30
                }
              }
            }
          }
        }
      ]
    }
  }
  dependsOn: [blobService]
}

resource assignments 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for role in roles: {
    scope: account
    name: guid(account.id, principalId, role)
    properties: {
      principalId: principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role)
    }
  }
]

resource tableLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: tableService
  name: 'to-workspace'
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        category: 'StorageDelete'
        enabled: true
      }
    ]
    metrics: [
      {
        category: 'Transaction'
        enabled: true
      }
    ]
  }
}

resource queueLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: queueService
  name: 'to-workspace'
  properties: {
    workspaceId: workspaceId
    // No logs: every message handled is a delete, so only the numbers are kept.
    metrics: [
      {
        category: 'Transaction'
        enabled: true
      }
    ]
  }
}

resource accountLock 'Microsoft.Authorization/locks@2020-05-01' = if (lock) {
  scope: account
  name: 'keep'
  properties: {
    level: 'CanNotDelete'
    notes: 'Customer data. docs/deployment.md says how to remove an environment.'
  }
}

output accountId string = account.id
output tableUri string = account.properties.primaryEndpoints.table
output queueUri string = account.properties.primaryEndpoints.queue
output blobUri string = account.properties.primaryEndpoints.blob
