"""The OpenAPI documents and the pages that show them, without anything from outside.

The documents are made by `make openapi`, committed under `docs/openapi`, and compared with the code by the tests.
"""
