metadata description = 'The network through which the app reaches the mainframe and, where asked, its storage and vault.'

param token string
param location string
param tags object
@description('Network from which the real mainframe is reached; empty for none.')
param hubNetworkId string

resource appRules 'Microsoft.Network/networkSecurityGroups@2024-07-01' = {
  name: 'nsg-app-${token}'
  location: location
  tags: tags
  properties: {
    securityRules: []
  }
}

resource mainframeRules 'Microsoft.Network/networkSecurityGroups@2024-07-01' = {
  name: 'nsg-mainframe-${token}'
  location: location
  tags: tags
  properties: {
    securityRules: []
  }
}

resource endpointsRules 'Microsoft.Network/networkSecurityGroups@2024-07-01' = {
  name: 'nsg-endpoints-${token}'
  location: location
  tags: tags
  properties: {
    securityRules: [
      {
        name: 'only-tls-from-this-network'
        properties: {
          priority: 100
          direction: 'Inbound'
          access: 'Allow'
          protocol: 'Tcp'
          sourceAddressPrefix: 'VirtualNetwork'
          sourcePortRange: '*'
          destinationAddressPrefix: 'VirtualNetwork'
          destinationPortRange: '443'
        }
      }
      {
        name: 'nothing-else'
        properties: {
          priority: 4000
          direction: 'Inbound'
          access: 'Deny'
          protocol: '*'
          sourceAddressPrefix: '*'
          sourcePortRange: '*'
          destinationAddressPrefix: '*'
          destinationPortRange: '*'
        }
      }
    ]
  }
}

resource network 'Microsoft.Network/virtualNetworks@2024-07-01' = {
  name: 'vnet-${token}'
  location: location
  tags: tags
  properties: {
    addressSpace: {
      addressPrefixes: ['10.40.0.0/16']
    }
    subnets: [
      {
        // Flex Consumption wants this delegation, and no underscore in the name.
        name: 'app'
        properties: {
          addressPrefix: '10.40.0.0/24'
          networkSecurityGroup: {
            id: appRules.id
          }
          delegations: [
            {
              name: 'app'
              properties: {
                serviceName: 'Microsoft.App/environments'
              }
            }
          ]
        }
      }
      {
        name: 'mainframe'
        properties: {
          addressPrefix: '10.40.1.0/24'
          networkSecurityGroup: {
            id: mainframeRules.id
          }
          delegations: [
            {
              name: 'mainframe'
              properties: {
                serviceName: 'Microsoft.App/environments'
              }
            }
          ]
        }
      }
      {
        name: 'endpoints'
        properties: {
          addressPrefix: '10.40.2.0/24'
          privateEndpointNetworkPolicies: 'Enabled'
          networkSecurityGroup: {
            id: endpointsRules.id
          }
        }
      }
    ]
  }
}

resource peering 'Microsoft.Network/virtualNetworks/virtualNetworkPeerings@2024-07-01' = if (!empty(hubNetworkId)) {
  parent: network
  name: 'to-mainframe'
  properties: {
    allowVirtualNetworkAccess: true
    allowForwardedTraffic: true
    useRemoteGateways: true
    remoteVirtualNetwork: {
      id: hubNetworkId
    }
  }
}

output networkId string = network.id
output appSubnetId string = '${network.id}/subnets/app'
output mainframeSubnetId string = '${network.id}/subnets/mainframe'
output endpointsSubnetId string = '${network.id}/subnets/endpoints'
