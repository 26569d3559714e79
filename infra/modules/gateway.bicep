metadata description = 'API Management before the public API: subscriptions, limits, correlation, and the key that the app demands.'

param token string
param location string
param tags object
param skuName string
param capacity int
param publisherEmail string
param appHostName string
param vaultName string
param gatewayKeyUri string
param insightsName string

var keyVaultSecretsUser = '4633458b-17de-408a-b874-0445c86b69e6'
var monitoringMetricsPublisher = '3913510d-42f4-4e42-8a64-420c390055eb'

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' existing = {
  name: vaultName
}

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: insightsName
}

resource service 'Microsoft.ApiManagement/service@2024-05-01' = {
  name: 'apim-${token}'
  location: location
  tags: tags
  sku: {
    name: skuName
    capacity: capacity
  }
  identity: {
    type: 'SystemAssigned'
  }
  properties: {
    publisherEmail: publisherEmail
    publisherName: 'Customer platform'
    customProperties: {
      'Microsoft.WindowsAzure.ApiManagement.Gateway.Security.Protocols.Tls10': 'false'
      'Microsoft.WindowsAzure.ApiManagement.Gateway.Security.Protocols.Tls11': 'false'
      'Microsoft.WindowsAzure.ApiManagement.Gateway.Security.Backend.Protocols.Tls10': 'false'
      'Microsoft.WindowsAzure.ApiManagement.Gateway.Security.Backend.Protocols.Tls11': 'false'
      'Microsoft.WindowsAzure.ApiManagement.Gateway.Security.Backend.Protocols.Ssl30': 'false'
    }
  }
}

resource readsSecrets 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: vault
  name: guid(vault.id, service.id, keyVaultSecretsUser)
  properties: {
    principalId: service.identity.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', keyVaultSecretsUser)
  }
}

resource sendsTelemetry 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: insights
  name: guid(insights.id, service.id, monitoringMetricsPublisher)
  properties: {
    principalId: service.identity.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', monitoringMetricsPublisher)
  }
}

resource gatewayKey 'Microsoft.ApiManagement/service/namedValues@2024-05-01' = {
  parent: service
  name: 'gateway-key'
  properties: {
    displayName: 'gateway-key'
    secret: true
    keyVault: {
      secretIdentifier: gatewayKeyUri
    }
  }
  dependsOn: [readsSecrets]
}

resource logger 'Microsoft.ApiManagement/service/loggers@2024-05-01' = {
  parent: service
  name: 'insights'
  properties: {
    loggerType: 'applicationInsights'
    resourceId: insights.id
    credentials: {
      connectionString: insights.properties.ConnectionString
      identityClientId: 'SystemAssigned'
    }
  }
  dependsOn: [sendsTelemetry]
}

resource telemetry 'Microsoft.ApiManagement/service/diagnostics@2024-05-01' = {
  parent: service
  name: 'applicationinsights'
  properties: {
    loggerId: logger.id
    alwaysLog: 'allErrors'
    // Joins the caller's trace, or starts one, with the header traceparent.
    httpCorrelationProtocol: 'W3C'
    operationNameFormat: 'Name'
    logClientIp: false
    sampling: {
      samplingType: 'fixed'
      percentage: 100
    }
  }
}

resource api 'Microsoft.ApiManagement/service/apis@2024-05-01' = {
  parent: service
  name: 'public'
  properties: {
    displayName: 'Customer platform: public API'
    path: ''
    protocols: ['https']
    serviceUrl: 'https://${appHostName}'
    subscriptionRequired: true
    format: 'openapi+json'
    // Read as JSON and written again: that takes the spaces out, and a document may be 1 MiB where text may be 128 KiB.
    value: string(loadJsonContent('../../docs/openapi/public.json'))
  }
}

resource apiPolicy 'Microsoft.ApiManagement/service/apis/policies@2024-05-01' = {
  parent: api
  name: 'policy'
  properties: {
    format: 'xml'
    value: loadTextContent('../policies/public-api.xml')
  }
  dependsOn: [gatewayKey]
}

resource product 'Microsoft.ApiManagement/service/products@2024-05-01' = {
  parent: service
  name: 'channels'
  properties: {
    displayName: 'Channels'
    description: 'For channels and partners. One subscription each, so that limits and blame have a name.'
    subscriptionRequired: true
    approvalRequired: true
    state: 'published'
  }
}

resource productApi 'Microsoft.ApiManagement/service/products/apis@2024-05-01' = {
  parent: product
  name: api.name
}

resource smokeSubscription 'Microsoft.ApiManagement/service/subscriptions@2024-05-01' = {
  parent: service
  name: 'smoke-test'
  properties: {
    displayName: 'Smoke test'
    scope: product.id
    state: 'active'
  }
}

output hostName string = replace(service.properties.gatewayUrl, 'https://', '')
