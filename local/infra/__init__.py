"""Checks what is deployed without Azure and without the Bicep compiler: `make infra`, or `python -m local.infra`.

Owns: reading Bicep, and holding templates, parameter files, policies, azure.yaml and workflows to their schemas.
Never: talks to Azure, or to any network once its tools are installed. The real compiler runs on pull requests.
"""
