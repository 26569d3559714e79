"""The front door: what the Functions host reads to learn of every function. Assembly only."""

import azure.functions as func

from functions.assembly import assemble

app: func.FunctionApp = assemble()
