"""PostgreSQL behind the domain's ports; the only home of Tortoise, aerich and asyncpg."""
