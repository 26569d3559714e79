metadata description = 'Private endpoints and name resolution for both storage accounts and the vault.'

param token string
param location string
param tags object
param networkId string
param subnetId string
param hostStorageId string
param dataStorageId string
param vaultId string

var blobZone = 'privatelink.blob.${environment().suffixes.storage}'
var queueZone = 'privatelink.queue.${environment().suffixes.storage}'
var tableZone = 'privatelink.table.${environment().suffixes.storage}'
var vaultZone = 'privatelink.vaultcore.azure.net'
var zoneNames = [blobZone, queueZone, tableZone, vaultZone]
var endpoints = [
  { name: 'host-blob', resourceId: hostStorageId, part: 'blob', zone: 0 }
  { name: 'host-queue', resourceId: hostStorageId, part: 'queue', zone: 1 }
  { name: 'host-table', resourceId: hostStorageId, part: 'table', zone: 2 }
  { name: 'data-blob', resourceId: dataStorageId, part: 'blob', zone: 0 }
  { name: 'data-queue', resourceId: dataStorageId, part: 'queue', zone: 1 }
  { name: 'data-table', resourceId: dataStorageId, part: 'table', zone: 2 }
  { name: 'vault', resourceId: vaultId, part: 'vault', zone: 3 }
]

resource zones 'Microsoft.Network/privateDnsZones@2024-06-01' = [
  for zone in zoneNames: {
    name: zone
    location: 'global'
    tags: tags
  }
]

resource links 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [
  for (zone, index) in zoneNames: {
    parent: zones[index]
    name: 'to-network'
    location: 'global'
    tags: tags
    properties: {
      registrationEnabled: false
      virtualNetwork: {
        id: networkId
      }
    }
  }
]

resource privateEndpoints 'Microsoft.Network/privateEndpoints@2024-07-01' = [
  for endpoint in endpoints: {
    name: 'pe-${endpoint.name}-${token}'
    location: location
    tags: tags
    properties: {
      subnet: {
        id: subnetId
      }
      privateLinkServiceConnections: [
        {
          name: endpoint.name
          properties: {
            privateLinkServiceId: endpoint.resourceId
            groupIds: [endpoint.part]
          }
        }
      ]
    }
  }
]

resource records 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2024-07-01' = [
  for (endpoint, index) in endpoints: {
    parent: privateEndpoints[index]
    name: 'default'
    properties: {
      privateDnsZoneConfigs: [
        {
          name: endpoint.part
          properties: {
            privateDnsZoneId: zones[endpoint.zone].id
          }
        }
      ]
    }
    dependsOn: [links]
  }
]
