metadata description = 'The app on Flex Consumption, and every setting it reads.'

param token string
param location string
param tags object
param identityId string
param identityClientId string
param subnetId string
param hostAccountName string
param packageContainerUri string
param dataTableUri string
param dataQueueUri string
param dataBlobUri string
param platformSecretUri string
param gatewayKeyUri string
param insightsConnectionString string
param mainframeHost string
param mainframePort string
@description('Settings of the app that environments/*.json choose.')
param chosenSettings object
@allowed([512, 2048, 4096])
param instanceMemoryMB int
@minValue(40)
@maxValue(1000)
param maximumInstanceCount int
@description('Instances that stand ready for requests; with zone redundancy at least 2 or none.')
param alwaysReadyHttp int
@description('Instances that stand ready for the relay, and as many for the delivery.')
param alwaysReadyDelivery int
@description('Requests that one instance takes at a time. The operations are async; the platform\'s own number for Python is 1.')
@minValue(1)
param httpConcurrency int
param zoneRedundant bool
@allowed(['Recreate', 'RollingUpdate'])
param siteUpdateStrategy string
param lock bool

// tests/fleet/test_settings.py holds these names, together with those of chosenSettings, to lib/settings.py.
var fixedSettings = {
  DataStorage__tableServiceUri: dataTableUri
  DataStorage__queueServiceUri: dataQueueUri
  DataStorage__blobServiceUri: dataBlobUri
  DataStorage__clientId: identityClientId
  PLATFORM_SECRET: '@Microsoft.KeyVault(SecretUri=${platformSecretUri})'
  GATEWAY_KEY: '@Microsoft.KeyVault(SecretUri=${gatewayKeyUri})'
  MAINFRAME_HOST: mainframeHost
  MAINFRAME_PORT: mainframePort
}
// What the Functions host reads, and the code does not.
var hostSettings = {
  AzureWebJobsStorage__accountName: hostAccountName
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: identityClientId
  DataStorage__credential: 'managedidentity'
  APPLICATIONINSIGHTS_CONNECTION_STRING: insightsConnectionString
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
}
var readyForRequests = alwaysReadyHttp > 0 ? [{ name: 'http', instanceCount: alwaysReadyHttp }] : []
var deliveries = [
  { name: 'function:relay_changes', instanceCount: alwaysReadyDelivery }
  { name: 'function:deliver_to_mainframe', instanceCount: alwaysReadyDelivery }
]
var readyForDeliveries = alwaysReadyDelivery > 0 ? deliveries : []

resource plan 'Microsoft.Web/serverfarms@2024-11-01' = {
  name: 'plan-${token}'
  location: location
  tags: tags
  kind: 'functionapp'
  sku: {
    name: 'FC1'
    tier: 'FlexConsumption'
  }
  properties: {
    reserved: true
    zoneRedundant: zoneRedundant
  }
}

resource app 'Microsoft.Web/sites@2024-11-01' = {
  name: 'func-${token}'
  location: location
  tags: union(tags, { 'azd-service-name': 'api' })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identityId}': {}
    }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    // The gateway's Consumption tier cannot reach a private app, so the door stays public and GATEWAY_KEY guards it.
    publicNetworkAccess: 'Enabled'
    virtualNetworkSubnetId: subnetId
    keyVaultReferenceIdentity: identityId
    siteConfig: {
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      ftpsState: 'Disabled'
      http20Enabled: true
    }
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: packageContainerUri
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      runtime: {
        name: 'python'
        version: '3.12'
      }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstanceCount
        alwaysReady: concat(readyForRequests, readyForDeliveries)
        triggers: {
          http: {
            perInstanceConcurrency: httpConcurrency
          }
        }
      }
      // The service takes it at this version; the compiler's types do not know it yet.
      #disable-next-line BCP037
      siteUpdateStrategy: {
        type: siteUpdateStrategy
      }
    }
  }
}

resource settings 'Microsoft.Web/sites/config@2024-11-01' = {
  parent: app
  name: 'appsettings'
  properties: union(hostSettings, fixedSettings, chosenSettings)
}

resource noFtpPassword 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-11-01' = {
  parent: app
  name: 'ftp'
  properties: {
    allow: false
  }
}

resource noScmPassword 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-11-01' = {
  parent: app
  name: 'scm'
  properties: {
    allow: false
  }
}

resource appLock 'Microsoft.Authorization/locks@2020-05-01' = if (lock) {
  scope: app
  name: 'keep'
  properties: {
    level: 'CanNotDelete'
    notes: 'Its function keys are in the hands of callers of the private API.'
  }
}

output name string = app.name
output hostName string = app.properties.defaultHostName
