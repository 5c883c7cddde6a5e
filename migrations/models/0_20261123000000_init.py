"""The first tables. Written by hand where Tortoise has no words; see storage/tables.py."""

from tortoise import BaseDBAsyncClient

RUN_IN_TRANSACTION = True


async def upgrade(db: BaseDBAsyncClient) -> str:
    return """
CREATE TABLE "device" (
    "id" UUID NOT NULL PRIMARY KEY,
    "esp_id" TEXT COLLATE "C" NOT NULL UNIQUE,
    "kaiser_id" TEXT NOT NULL,
    "name" TEXT,
    "approved" BOOL NOT NULL,
    "online" BOOL NOT NULL,
    "zone_id" TEXT,
    "ip_address" TEXT,
    "firmware_version" TEXT,
    "hardware_type" TEXT,
    "last_seen" TIMESTAMPTZ,
    "created_at" TIMESTAMPTZ NOT NULL,
    "updated_at" TIMESTAMPTZ NOT NULL
);

CREATE TABLE "device_health" (
    "device_id" UUID NOT NULL PRIMARY KEY REFERENCES "device" ("id") ON DELETE CASCADE,
    "reported_at" TIMESTAMPTZ NOT NULL,
    "system_state" TEXT NOT NULL,
    "uptime_seconds" BIGINT,
    "free_heap_bytes" BIGINT,
    "wifi_rssi_dbm" BIGINT,
    "safe_mode" BOOL NOT NULL,
    "sensor_count" BIGINT,
    "actuator_count" BIGINT
);

CREATE TABLE "sensor" (
    "id" SERIAL NOT NULL PRIMARY KEY,
    "device_id" UUID NOT NULL REFERENCES "device" ("id") ON DELETE CASCADE,
    "gpio" SMALLINT NOT NULL CHECK ("gpio" BETWEEN 0 AND 255),
    "sensor_type" TEXT COLLATE "C" NOT NULL,
    "address" TEXT COLLATE "C" NOT NULL,
    "name" TEXT NOT NULL,
    "unit" TEXT,
    "enabled" BOOL NOT NULL,
    "created_at" TIMESTAMPTZ NOT NULL,
    "updated_at" TIMESTAMPTZ NOT NULL,
    CONSTRAINT "sensor_key" UNIQUE ("device_id", "gpio", "sensor_type", "address")
);

CREATE TABLE "actuator" (
    "id" SERIAL NOT NULL PRIMARY KEY,
    "device_id" UUID NOT NULL REFERENCES "device" ("id") ON DELETE CASCADE,
    "gpio" SMALLINT NOT NULL CHECK ("gpio" BETWEEN 0 AND 255),
    "actuator_type" TEXT COLLATE "C" NOT NULL,
    "name" TEXT NOT NULL,
    "enabled" BOOL NOT NULL,
    "critical" BOOL NOT NULL,
    "created_at" TIMESTAMPTZ NOT NULL,
    "updated_at" TIMESTAMPTZ NOT NULL,
    "value" DOUBLE PRECISION NOT NULL CHECK ("value" BETWEEN 0 AND 1),
    "is_active" BOOL NOT NULL,
    "emergency" VARCHAR(16) NOT NULL,
    "runtime_ms" DOUBLE PRECISION,
    "last_command_at" TIMESTAMPTZ,
    "reported_at" TIMESTAMPTZ,
    CONSTRAINT "actuator_pin" UNIQUE ("device_id", "gpio")
);

CREATE TABLE "user_account" (
    "id" UUID NOT NULL PRIMARY KEY,
    "username" TEXT COLLATE "C" NOT NULL UNIQUE,
    "password_hash" TEXT NOT NULL,
    "role" SMALLINT NOT NULL,
    "email" TEXT,
    "active" BOOL NOT NULL,
    "created_at" TIMESTAMPTZ NOT NULL
);

CREATE TABLE "command" (
    "id" UUID NOT NULL PRIMARY KEY,
    "actuator_id" INT NOT NULL REFERENCES "actuator" ("id") ON DELETE CASCADE,
    "action" VARCHAR(16) NOT NULL,
    "value" DOUBLE PRECISION NOT NULL,
    "duration" BIGINT,
    "status" VARCHAR(16) NOT NULL,
    "reason" TEXT,
    "origin" VARCHAR(16) NOT NULL,
    "user_id" UUID REFERENCES "user_account" ("id") ON DELETE SET NULL,
    "idempotency_key" TEXT COLLATE "C" UNIQUE,
    "created_at" TIMESTAMPTZ NOT NULL,
    "sent_at" TIMESTAMPTZ,
    "completed_at" TIMESTAMPTZ
);
CREATE INDEX "command_history" ON "command" ("actuator_id", "created_at", "id");
CREATE INDEX "command_unfinished" ON "command" ("created_at")
    WHERE "status" IN ('PENDING', 'SENT');

CREATE TABLE "conversion" (
    "id" SERIAL NOT NULL PRIMARY KEY,
    "mode" VARCHAR(16) NOT NULL,
    "library" TEXT COLLATE "C",
    "library_version" TEXT COLLATE "C",
    "unit" TEXT COLLATE "C",
    CONSTRAINT "conversion_meaning"
        UNIQUE NULLS NOT DISTINCT ("mode", "library", "library_version", "unit")
);

-- Monthly partitions are made by storage/partitions.py, as readings need them.
CREATE TABLE "reading" (
    "id" BIGINT NOT NULL,
    "measured_at" TIMESTAMPTZ NOT NULL,
    "received_at" TIMESTAMPTZ NOT NULL,
    "raw_value" DOUBLE PRECISION NOT NULL,
    "value" DOUBLE PRECISION,
    "sequence" BIGINT,
    "sensor_id" INT NOT NULL,
    "conversion_id" INT NOT NULL,
    "quality" SMALLINT NOT NULL,
    "metadata" JSONB,
    -- NaN counts as greater than Infinity.
    CONSTRAINT "reading_raw_value_is_finite"
        CHECK ("raw_value" > '-Infinity' AND "raw_value" < 'Infinity'),
    CONSTRAINT "reading_value_is_finite" CHECK ("value" > '-Infinity' AND "value" < 'Infinity'),
    CONSTRAINT "reading_identity" UNIQUE NULLS NOT DISTINCT ("sensor_id", "measured_at", "sequence")
) PARTITION BY RANGE ("measured_at");
-- Not BRIN, which is smaller: it has no order, so a stream that resumes a day back would sort a day
-- of readings for every page. See storage/readings.py.
CREATE INDEX "reading_id" ON "reading" ("id");

CREATE TABLE "clockless_sample" (
    "id" BIGSERIAL NOT NULL PRIMARY KEY,
    "sensor_id" INT NOT NULL,
    "ticks" BIGINT NOT NULL,
    "sequence" BIGINT,
    "raw_value" DOUBLE PRECISION NOT NULL,
    "received_at" TIMESTAMPTZ NOT NULL,
    CONSTRAINT "clockless_sample_identity"
        UNIQUE NULLS NOT DISTINCT ("sensor_id", "ticks", "sequence", "raw_value")
);

CREATE TABLE "dead_letter" (
    "id" BIGSERIAL NOT NULL PRIMARY KEY,
    "topic" TEXT NOT NULL,
    "payload" BYTEA NOT NULL,
    "reason" TEXT NOT NULL,
    "received_at" TIMESTAMPTZ NOT NULL
);

CREATE TABLE IF NOT EXISTS "aerich" (
    "id" SERIAL NOT NULL PRIMARY KEY,
    "version" VARCHAR(255) NOT NULL,
    "app" VARCHAR(100) NOT NULL,
    "content" JSONB NOT NULL
);
"""


async def downgrade(db: BaseDBAsyncClient) -> str:
    return """
DROP TABLE "command", "actuator", "sensor", "device_health", "device", "user_account";
DROP TABLE "reading", "conversion", "clockless_sample", "dead_letter";
"""


MODELS_STATE = (
    "eJztXetz2rgW/1c0fOrOcDtt0jbd7J07Y8Bp2RLIANnsgx2vghXwxJapJYdy9/Z/v5Js4w"
    "eyYxvIGvAXbMvnyOZ39Dg6D/nvhmXryCSvlSl1IbWdob1sXIK/GxhaiJ3IbjdBAy4W4U1e"
    "QOG9KeihTyio7gl1WAErf4AmQaxIR2TqGAtq2JhTKxgEDE0AsQ6Wc0iBQQnQ0ZMxRcCEhA"
    "ICDR3YD6z8Na9Wt6esXgPPStfgYuOrizRqzxCdI4fV88cfDY9eM3ROMVsYduPPP9mZgXX0"
    "DRFOwy8Xj9qDgUw9BpLHI8o1ulqIsi6mV4KQv/G9NrVN18Ih8WJF5zZeUxuYiscijBxIEa"
    "+eOi5HDLum6YMbgOi9fkjivWKER0cP0DU57pzbe4GwrKFp/cFYG6ljTWtsyCTgiIDsF01t"
    "zOXJXpWIfz/jr/Cvs7fvLt59PP/w7iMjEa+5Lrn47j06BMZjFPD0x43v4j6k0KMQGIegCh"
    "FswDqyoGmmYhvwPI9ugGUWvEFBiG/YjF8O4POziw9rbPlFFqyja6XXC7ANsQy6iIfIBqhf"
    "0EqO5wZfAlj2ugcIbAZ+Y/XXMWgPej1lrIJJoz1pJJAUxw0Ax+hbSosM6E8BOF6zRchXkx"
    "f0f1GG7c/K8NW18usP4s7Kv9Mb9D8F5DabH7yJo9/uDVoJsBHmQEgG15ZtmwhiOeQRrgTq"
    "94ztuGBvDQa9GOytbhLX2+uWOnz1VsiAERkURcffEGz2ZtSYQrMg2lG2Gu4icCMOiQbpJu"
    "AddocaFkpDPMqZwFz3WV8HJ8clgHH3Wh2NleubmBQ6bLTmd85i40xQ+urDD3EZrSsBd93x"
    "Z8Avwe+DvirgtAmdOeKJId349wZ/J+hSW8P2UoN6FJOgOCiKidld6CXFHOesxVxpMT9B05"
    "XoBVemDVMUgzVHQrIPnOW4pNkZ3LZ6KrgZqu3uqDvox8UnbsZHy6Gq9BLDpUE0powaTxKQ"
    "M6enGF89P+Wfn5CFHAbMdLUJeHsOHRW7lkC8y94N4inaVMOiFVRZ/W30B0O2bLoE3nGClf"
    "a4+4t6CbzjBLd7qjLs9j9dguBsgofq6PZalAVnSdNEyqLOgt80E+EZnbPLtx8yhBko0G+T"
    "A1ugWp+JW3GxOS7m04FmkUKjUZyt5JDkWx8OoJ/sYkTihiWGoGVBXGZ6l7DvYI4/HBEc3B"
    "TvoIXtlFPlEqy1nKss55gdOC7l29tuRy7hGFNCvq5r6K85a3WmvF0IVsxN556kojIQ//T7"
    "d24sf3iUWnY9sCTzk+0gY4YDa2RUs0hA6nslOqIi3ydxmMiGpWGvduBy7WSItywGAfvjyJ"
    "uT2sqorXTUhoD6Hk4fl9DRtRTM/ZlGohW0fM6rL0NkQvE3UgFve7UcF+ICP/vMjuAWQ3Tz"
    "lnVmJUsghjPxl/iz+ZMCxEx7+mgiQkbQWpgoxb0moWpmedmmAb1GBEM+b9udcI3piKl67O"
    "0JgMDjBsu5TVDgMJtDArANxCOa4MF2ACswbTzjR4MCC67APQIOYm/F1lXsuOmV2+uTJN67"
    "bRx1LWN2Kr66H8/Ozs8vzt6cf/j4/t3FxfuPb9aOpc1bWW6mVvcTXzHG5ujnPXoEYWI70p"
    "k1VQIxnmNy623pNw1Rpcb0UTasZzTrNcsxAfoijTvamNmfxzI1Jgv5KFcp8Cum+P8z2HMF"
    "qbjFNcZVW13z2DgcNEVs5i235o2x1v6Lyi16N1Zo6euIvWrI4ZpCphnHVhwZGrFHl08RVo"
    "BPLiLG5vaSETpc4+QaKbuFJHFmuVieV03/boSwhOE1nnoTd+yyMs6Lvi2YnAl78zWUPkR+"
    "qwy6VEMQs38uLr4X0oHTDRu7t2g8rwg3/v3g4ikXFhBP4j/v/tN4+W78jIkjS9eF02AlXc"
    "Z3EnJX2nEy6F+CQX+CB1dX7OTqaoJv7q4vAfuZ4PHg06eeegm8YzWcI7WXds/6gu46UN7u"
    "x2yO7yCTwhT7aYQxTVXgPzqv4vDU5IIab+Ck/THZgNlwQV3JYi/fqBJyV3pUuVH7HeFZ9U"
    "8meKT2x5eA/3Ln7Jf+4K6ndj6pHe6iDa+4U/ZntT3m5cHZBF8p3R4v8Y5sXGLaUkcb3LIK"
    "16cTrP560x1yMv+EPfP2Rh2O1A4vDM+rMY4xPYFIO1lqGGrIUUr0h9Od9hKHajvGzCg9mY"
    "fcle52tyN1eAn4L+tkN13ti/ob61/eiYh3GItYB9ZZhrd8Yue/bMJnnaXbHne5KhCes+6j"
    "XKljVoF3rEa3MXRkLWzKY1K0RyQJbEmNg5dw7qQf/aNG4W3C4Ovo1VKwHoJZIG7kxLSEjC"
    "NsdaxDleU7tblXrmRHTvDWkq6ypBOmppzetwTXMbmLduZ/cwmSo5puVIuwbGFZO5zeUj5U"
    "KJpOvGWwUCKF+cBabd5woUSPlQcMJZvvDtC9ZdXkQ7aazfZZYCN9NgYqez7o3/Z6WWFY+3"
    "Wf4CfkcP9AqgclStDMdqIEpPn8KHdzG1hQR0CYSQmwXcqz7BlufomXkm9gsJwb0zlgMqeX"
    "fjI+a01NgG3K7yL21BVgCwOdSUoWTbSvx+w4lOhU4oj2lvPP22RZM0vAW2kjy01XU/uflX"
    "6bmxUjFxPcG7R5Doo4TPBQubsE7KcahhPTuHegU8RgEuE4AYNjpqnEh0KLjKzFQIxynjqY"
    "fGgvgGBAfoqwVSS8o8Om2x6iFKVtLRQnyNRPdEbKxjlOm09BUYCFCGEvBiiPSJ7arqkLbU"
    "CEFUNJ5HIujjoCudKBgun6BbUXxrSI32zNUGWtorJ+swVcmTaUtnjMJjY55BGmZL72iiJy"
    "XLC3OGhR2BnqrW5fGf4mxz2gj1pRWr+NVeWf9hAfEOZ7aep1pOwRG9Iro0rxtKnPCJp0nq"
    "pMxUmeUadEauFcUOdTqMZzBDBaIkKBl9TMDTHQT+j6CdiYaUn2EiyQ45dtaljlqthC5apW"
    "Qm9VXf5bxLpWKjO+Hvv2GA6wIhRZGo8jLLQJYpKv1jBKaBjuQuzQQhB7D2ked8YqcpO3Tj"
    "4rm3z24CAxZy609XokvyAkzLUkykpiaTwYmkOIoen3VjE5bLDWUigrBQIfkCZ33GTuzBbj"
    "q3dmy78zm58SP7VdLNG3srOP45x1oy/b6NdhFiWksMlby6GIHLZajT+/C9EAo7HNfnIGvm"
    "y1B1EVFoM734FoBzaOTOtGTrtGXg9Rmp1C2ZH5oc63fQkbBCILqYUn1TUcMuxmNVqFrlzK"
    "pf4IjbQI1vQVfYypXs6XWM6/6IckKqYrvDTWbKpw7KfCH5KIstULlPwLFBubBi66HAyZaq"
    "jzQ/1fG8s9G+kDSYSlHkuKjyXGglvM+ZYsRUCPc9W4F8f9wXAstrxA6XGU6ejLeGsZFJfB"
    "nC3vBI4CtQIC2GCs0S+OvtgxniAkafo5tpoPGOs0zSp7WOu8+pMQc/1VqKMVcwHr9KY7Yc"
    "vt2Y8zxVXi/NoSp5Go5MhQKhR5GNHp1tF/cjwDd8jzqEpiDw9SkZBDW8CHMfQyTFOcGJG7"
    "zSwvhp+nmteN4ZOzl4GOYy+bPOHVsjGdmyuwgA41OClpgqXBZOdSvt0+z/AGj2hFvM33n/"
    "gkI3WE7KzuCZ7gtpjLCOCONZG0azs6cngQKJ0jw2GV6HTeBMT2MnAwDwg1CHuOriP9NfjL"
    "0P/i15AQ9gikg/sVZwRLx6DImWBe6Yy9JOFV8xvr6vkGrgYlP4lS7+MEdMWreuUNKk3Ap0"
    "xgIUhcB+nsFfzNun+oatJP5f0S1cj6CSRaQt1KsNb6VuX0rToJ4xQFXX8A4GU29H35HZOr"
    "qRPuC9/6KyIvrSbUnyPa73Zo4R5CxZDd4KvRlaD71YVsNJHsxDKyoGmmghthOyZYz88uPq"
    "wR5RdZYI6ulV5vE1ELUchXDpuQ/jwa9NNWBSFPUlM0phT8D5gGOcBxOAM9Dka2RyvpvEqo"
    "fbyCVnW2JQlNgBITTcw+mG6h8SaDvAYaj1pmXonckRgZ/ogH4M4Whi3UCm8mChyqQXTBn9"
    "vYJE5lF5K97V8WCKfI2Bzw1AOzVD2ThxqkhvUmuE4hNDUzujc1VikVwW3jlI4JvRcN0j0w"
    "4LK1gTIJztK93dLBPqHN3XaONcIch6IB0RGuOkg3f5BuHdRTqt0fmlG6Duo5CTFXazuh6g"
    "q2/Kb/aZm5hTel3yo3txrI7jw798UsLMEXAST2lcjHAtKtK2LDfThdJ8nnsLFg4NP/BP7i"
    "7F6gCGANDzlPSAdL25Ft+Zqbrc4CrsDA0cywv3Dpydds6VtER1hOPBN4AQnhbV2bQyKJCE"
    "xfiW0w1uvfMluIspWX1Cb7/LcPAtYq2xAbv3TVO/6JybcTPLhRh8p4wC7OJljpXHf7l+A8"
    "OTDv3cKILGiYRdr5mqE2OZRIwmZzy1PRrOCQqTY41AaHeiVaLr2ERz5D+aaRBbIm2l4txx"
    "fav68VkIIcYzpvSBZA/p1m1voHhjTPrXzSYag/cFUtB3Fq8jr/xlVKQOWWOetVG4HjH6s6"
    "e/8+A9BA7WBUqZ+rEvc29nspgrBPfoTovn3zJge6jCr9Y2D83kaEH0WyTQ/TA6YiLFvFS1"
    "UN7aMPmPr+f83D7wk="
)
