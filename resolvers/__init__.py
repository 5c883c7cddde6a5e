"""How each root field is answered: one module per noun, joined in `root`.

Resolvers reach the world only through the services and ports in their context.
"""
