metadata description = 'The mock mainframe as a container in the network. For environments that have no real one.'

param token string
param location string
param tags object
param subnetId string
@description('Empty before its first deployment: a placeholder then stands in.')
param image string
param port int
param workspaceId string

var acrPull = '7f951dda-4ed3-4680-a7ca-43fe172d538d'
var placeholder = 'mcr.microsoft.com/azuredocs/containerapps-helloworld:latest'

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: 'id-mainframe-${token}'
  location: location
  tags: tags
}

resource registry 'Microsoft.ContainerRegistry/registries@2025-04-01' = {
  name: 'cr${token}'
  location: location
  tags: tags
  sku: {
    name: 'Basic'
  }
  properties: {
    adminUserEnabled: false
    anonymousPullEnabled: false
  }
}

resource pulls 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: registry
  name: guid(registry.id, identity.id, acrPull)
  properties: {
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', acrPull)
  }
}

resource environment 'Microsoft.App/managedEnvironments@2025-01-01' = {
  name: 'cae-${token}'
  location: location
  tags: tags
  properties: {
    appLogsConfiguration: {
      destination: 'azure-monitor'
    }
    vnetConfiguration: {
      infrastructureSubnetId: subnetId
      internal: true
    }
    workloadProfiles: [
      {
        name: 'Consumption'
        workloadProfileType: 'Consumption'
      }
    ]
  }
}

resource environmentLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: environment
  name: 'to-workspace'
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        category: 'ContainerAppConsoleLogs'
        enabled: true
      }
    ]
  }
}

resource app 'Microsoft.App/containerApps@2025-01-01' = {
  name: 'ca-mainframe-${token}'
  location: location
  tags: union(tags, { 'azd-service-name': 'mainframe' })
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identity.id}': {}
    }
  }
  properties: {
    environmentId: environment.id
    workloadProfileName: 'Consumption'
    configuration: {
      activeRevisionsMode: 'Single'
      ingress: {
        // Outside the container environment, but inside the network: the environment is internal.
        external: true
        transport: 'tcp'
        targetPort: port
        exposedPort: port
      }
      registries: [
        {
          server: registry.properties.loginServer
          identity: identity.id
        }
      ]
    }
    template: {
      containers: [
        {
          name: 'mainframe'
          image: empty(image) ? placeholder : image
          resources: {
            // Bicep has no fractions.
            cpu: json('0.5')
            memory: '1Gi'
          }
        }
      ]
      scale: {
        // It holds one master file: never two of it.
        minReplicas: 1
        maxReplicas: 1
      }
    }
  }
  dependsOn: [pulls]
}

output host string = environment.properties.staticIp
output registryEndpoint string = registry.properties.loginServer
