# Says in one sentence what a deployment would find out after ten minutes.
$type = if ($env:ENVIRONMENT_TYPE) { $env:ENVIRONMENT_TYPE } else { 'dev' }
if ($type -notin 'dev', 'test', 'prod') {
    throw "ENVIRONMENT_TYPE is $type; it must be dev, test or prod: azd env set ENVIRONMENT_TYPE dev"
}
if ($type -eq 'prod' -and -not $env:MAINFRAME_HOST) {
    throw 'prod has no mock mainframe. Name the real one: azd env set MAINFRAME_HOST <host>'
}
