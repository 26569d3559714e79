targetScope = 'subscription'

metadata description = 'The customer management platform in one resource group. Environments differ in environments/*.json only.'

@description('Name of the azd environment; part of every resource name.')
@minLength(1)
@maxLength(20)
param environmentName string

@description('Which file of environments/ holds this environment\'s sizes and switches.')
@allowed(['dev', 'test', 'prod'])
param environmentType string = 'dev'

@description('Azure region of everything.')
@minLength(1)
param location string

@description('Who is written to when an alert fires. Empty: alerts show in the portal only.')
param alertEmail string = ''

@description('Host name or address of the real mainframe\'s listener. Used where there is no mock.')
param mainframeHost string = ''

@description('TCP port of the mainframe\'s listener.')
param mainframePort string = '7080'

@description('Image of the mock mainframe. azd fills it in after its first deployment.')
param mainframeImage string = ''

@description('Resource id of the network from which the real mainframe is reached. Empty: no peering.')
param hubNetworkId string = ''

var environments = {
  dev: loadJsonContent('environments/dev.json')
  test: loadJsonContent('environments/test.json')
  prod: loadJsonContent('environments/prod.json')
}
var chosen = environments[environmentType]

var token = toLower(uniqueString(subscription().id, environmentName, location))
var tags = {
  'azd-env-name': environmentName
  application: 'customer-platform'
  'environment-type': environmentType
  'managed-by': 'bicep'
}

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: 'rg-customers-${environmentName}'
  location: location
  tags: tags
}

module identity 'modules/identity.bicep' = {
  scope: group
  params: {
    name: 'id-api-${token}'
    location: location
    tags: tags
  }
}

module monitoring 'modules/monitoring.bicep' = {
  scope: group
  params: {
    token: token
    location: location
    tags: tags
    retentionDays: chosen.logRetentionDays
    dailyCapGb: chosen.logDailyCapGb
    publisherPrincipalId: identity.outputs.principalId
  }
}

module network 'modules/network.bicep' = {
  scope: group
  params: {
    token: token
    location: location
    tags: tags
    hubNetworkId: hubNetworkId
  }
}

module hostStorage 'modules/host-storage.bicep' = {
  scope: group
  params: {
    token: token
    location: location
    tags: tags
    skuName: chosen.hostStorageSku
    privateOnly: chosen.privateEndpoints
    principalId: identity.outputs.principalId
    workspaceId: monitoring.outputs.workspaceId
  }
}

module dataStorage 'modules/data-storage.bicep' = {
  scope: group
  params: {
    token: token
    location: location
    tags: tags
    skuName: chosen.dataStorageSku
    privateOnly: chosen.privateEndpoints
    lock: chosen.locks
    softDeleteDays: chosen.softDeleteDays
    pointInTimeRestoreDays: chosen.pointInTimeRestoreDays
    principalId: identity.outputs.principalId
    workspaceId: monitoring.outputs.workspaceId
  }
}

module vault 'modules/key-vault.bicep' = {
  scope: group
  params: {
    token: token
    location: location
    tags: tags
    privateOnly: chosen.privateEndpoints
    lock: chosen.locks
    softDeleteDays: chosen.softDeleteDays
    purgeProtection: chosen.purgeProtection
    principalId: identity.outputs.principalId
    workspaceId: monitoring.outputs.workspaceId
  }
}

module privateEndpoints 'modules/private-endpoints.bicep' = if (chosen.privateEndpoints) {
  scope: group
  params: {
    token: token
    location: location
    tags: tags
    networkId: network.outputs.networkId
    subnetId: network.outputs.endpointsSubnetId
    hostStorageId: hostStorage.outputs.accountId
    dataStorageId: dataStorage.outputs.accountId
    vaultId: vault.outputs.vaultId
  }
}

module mainframe 'modules/mock-mainframe.bicep' = if (chosen.mockMainframe) {
  scope: group
  params: {
    token: token
    location: location
    tags: tags
    subnetId: network.outputs.mainframeSubnetId
    image: mainframeImage
    port: int(mainframePort)
    workspaceId: monitoring.outputs.workspaceId
  }
}

module app 'modules/function-app.bicep' = {
  scope: group
  params: {
    token: token
    location: location
    tags: tags
    identityId: identity.outputs.identityId
    identityClientId: identity.outputs.clientId
    subnetId: network.outputs.appSubnetId
    hostAccountName: hostStorage.outputs.accountName
    packageContainerUri: hostStorage.outputs.packageContainerUri
    dataTableUri: dataStorage.outputs.tableUri
    dataQueueUri: dataStorage.outputs.queueUri
    dataBlobUri: dataStorage.outputs.blobUri
    platformSecretUri: vault.outputs.platformSecretUri
    gatewayKeyUri: vault.outputs.gatewayKeyUri
    insightsConnectionString: monitoring.outputs.insightsConnectionString
    mainframeHost: chosen.mockMainframe ? mainframe!.outputs.host : mainframeHost
    mainframePort: mainframePort
    chosenSettings: chosen.settings
    instanceMemoryMB: chosen.instanceMemoryMB
    maximumInstanceCount: chosen.maximumInstanceCount
    alwaysReadyHttp: chosen.alwaysReadyHttp
    alwaysReadyDelivery: chosen.alwaysReadyDelivery
    httpConcurrency: chosen.httpConcurrency
    zoneRedundant: chosen.zoneRedundant
    siteUpdateStrategy: chosen.siteUpdateStrategy
    lock: chosen.locks
  }
  // A private account resolves to nothing useful until its endpoint stands.
  dependsOn: [privateEndpoints]
}

module gateway 'modules/gateway.bicep' = {
  scope: group
  params: {
    token: token
    location: location
    tags: tags
    skuName: chosen.gatewaySku
    capacity: chosen.gatewayCapacity
    publisherEmail: empty(alertEmail) ? 'nobody@example.com' : alertEmail
    appHostName: app.outputs.hostName
    vaultName: vault.outputs.vaultName
    gatewayKeyUri: vault.outputs.gatewayKeyUri
    insightsName: monitoring.outputs.insightsName
  }
}

module alerts 'modules/alerts.bicep' = {
  scope: group
  params: {
    token: token
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
    insightsId: monitoring.outputs.insightsId
    appHostName: app.outputs.hostName
    gatewayHostName: gateway.outputs.hostName
    alertEmail: alertEmail
  }
}

output AZURE_LOCATION string = location
output AZURE_RESOURCE_GROUP string = group.name
output SERVICE_API_NAME string = app.outputs.name
output SERVICE_API_URI string = 'https://${app.outputs.hostName}'
output GATEWAY_URI string = 'https://${gateway.outputs.hostName}'
output AZURE_CONTAINER_REGISTRY_ENDPOINT string = chosen.mockMainframe ? mainframe!.outputs.registryEndpoint : ''
