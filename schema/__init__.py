"""The GraphQL contract: types, inputs, scalars, pages and the context, as clients see them.

`schema.graphql` is this contract printed; a test refuses drift between the two.
"""
