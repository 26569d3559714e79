metadata description = 'What wakes somebody: each promise that is about to break, told before its customers tell.'

param token string
param location string
param tags object
param workspaceId string
param insightsId string
param appHostName string
param gatewayHostName string
@description('Empty: alerts show in the portal only.')
param alertEmail string

// Events that the code writes with lib/telemetry.py; tests/fleet/test_alerts.py holds the queries to them.
var observed = 'AppTraces | extend entry = parse_json(Message) | where tostring(entry.event) == "platform.observed"'
var requests = 'AppRequests | where isnotempty(tostring(Properties["API Name"]))'
var rules = [
  {
    name: 'oldest-undelivered'
    severity: 1
    minutes: 5
    description: 'A change has waited over 15 minutes for the mainframe. docs/operations.md, "Changes are not arriving".'
    query: '${observed} | summarize Value = max(todouble(entry.oldestUndeliveredSeconds))'
    threshold: 900
  }
  {
    name: 'failures'
    severity: 2
    minutes: 15
    description: 'Deliveries were rejected for good. Look at the failure list.'
    query: 'AppTraces | extend entry = parse_json(Message) | where tostring(entry.event) == "delivery.rejected" | summarize Value = count()'
    threshold: 0
  }
  {
    name: 'poison-depth'
    severity: 1
    minutes: 5
    description: 'A poison queue holds messages that nobody has taken in.'
    query: '${observed} | summarize Value = max(todouble(entry.poison))'
    threshold: 0
  }
  {
    name: 'server-errors'
    severity: 1
    minutes: 5
    description: 'Over 1 % of requests were answered 5xx.'
    query: '${requests} | summarize Failed = countif(toint(ResultCode) >= 500), All = count() | where All >= 20 | extend Value = 100.0 * Failed / All'
    threshold: 1
  }
  {
    name: 'read-latency'
    severity: 2
    minutes: 5
    description: 'The p98 of reads is over 700 ms.'
    query: '${requests} | where Name startswith "GET" | summarize Value = percentile(DurationMs, 98), All = count() | where All >= 20'
    threshold: 700
  }
  {
    name: 'write-latency'
    severity: 2
    minutes: 5
    description: 'The p98 of writes is over 1.2 s.'
    query: '${requests} | where not(Name startswith "GET") | summarize Value = percentile(DurationMs, 98), All = count() | where All >= 20'
    threshold: 1200
  }
]
var probes = [
  { name: 'app', url: 'https://${appHostName}/api/health' }
  // The gateway's own probe, which needs no subscription and asks no backend.
  { name: 'gateway', url: 'https://${gatewayHostName}/internal-status-0123456789abcdef' }
]
var receivers = [
  {
    name: 'on-call'
    emailAddress: alertEmail
    useCommonAlertSchema: true
  }
]

resource people 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: 'ag-${token}'
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: 'customers'
    emailReceivers: empty(alertEmail) ? [] : receivers
  }
}

resource queryAlerts 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [
  for rule in rules: {
    name: 'alert-${rule.name}-${token}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: rule.name
      description: rule.description
      enabled: true
      severity: rule.severity
      scopes: [workspaceId]
      evaluationFrequency: 'PT5M'
      windowSize: 'PT${rule.minutes}M'
      autoMitigate: true
      criteria: {
        allOf: [
          {
            query: rule.query
            metricMeasureColumn: 'Value'
            timeAggregation: 'Maximum'
            operator: 'GreaterThan'
            threshold: rule.threshold
            failingPeriods: {
              numberOfEvaluationPeriods: 1
              minFailingPeriodsToAlert: 1
            }
          }
        ]
      }
      actions: {
        actionGroups: [people.id]
      }
    }
  }
]

resource probeTests 'Microsoft.Insights/webtests@2022-06-15' = [
  for probe in probes: {
    name: 'probe-${probe.name}-${token}'
    location: location
    tags: union(tags, { 'hidden-link:${insightsId}': 'Resource' })
    kind: 'standard'
    properties: {
      SyntheticMonitorId: 'probe-${probe.name}-${token}'
      Name: probe.name
      Enabled: true
      Kind: 'standard'
      Frequency: 300
      Timeout: 30
      RetryEnabled: true
      Locations: [
        { Id: 'emea-nl-ams-azr' }
        { Id: 'emea-gb-db3-azr' }
        { Id: 'us-va-ash-azr' }
        { Id: 'apac-sg-sin-azr' }
        { Id: 'latam-br-gru-edge' }
      ]
      Request: {
        RequestUrl: probe.url
        HttpVerb: 'GET'
      }
      ValidationRules: {
        ExpectedHttpStatusCode: 200
        SSLCheck: true
        SSLCertRemainingLifetimeCheck: 7
      }
    }
  }
]

resource availability 'Microsoft.Insights/metricAlerts@2018-03-01' = [
  for (probe, index) in probes: {
    name: 'alert-availability-${probe.name}-${token}'
    location: 'global'
    tags: tags
    properties: {
      description: 'Two places of the world or more cannot reach it.'
      enabled: true
      severity: 0
      scopes: [insightsId, probeTests[index].id]
      evaluationFrequency: 'PT1M'
      windowSize: 'PT5M'
      criteria: {
        'odata.type': 'Microsoft.Azure.Monitor.WebtestLocationAvailabilityCriteria'
        componentId: insightsId
        webTestId: probeTests[index].id
        failedLocationCount: 2
      }
      actions: [
        {
          actionGroupId: people.id
        }
      ]
    }
  }
]
