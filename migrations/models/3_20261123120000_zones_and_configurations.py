"""Zones, what devices are set up with, and how they stand to it."""

from tortoise import BaseDBAsyncClient

RUN_IN_TRANSACTION = True


async def upgrade(db: BaseDBAsyncClient) -> str:
    return """
CREATE TABLE "zone" (
    "id" UUID NOT NULL PRIMARY KEY,
    "zone_id" TEXT COLLATE "C" NOT NULL UNIQUE,
    "name" TEXT NOT NULL,
    "parent_zone_id" TEXT COLLATE "C",
    "created_at" TIMESTAMPTZ NOT NULL
);

ALTER TABLE "device" ALTER COLUMN "zone_id" TYPE TEXT COLLATE "C";
ALTER TABLE "device" ADD COLUMN "subzone_id" TEXT;
ALTER TABLE "device" ADD COLUMN "is_zone_master" BOOL NOT NULL DEFAULT false;
ALTER TABLE "device" ADD COLUMN "metadata" JSONB NOT NULL DEFAULT '{}';
ALTER TABLE "sensor" ADD COLUMN "interval" BIGINT;
ALTER TABLE "sensor" ADD COLUMN "processing_mode" VARCHAR(16);
ALTER TABLE "actuator" ADD COLUMN "inverted" BOOL NOT NULL DEFAULT false;
ALTER TABLE "actuator" ADD COLUMN "aux_gpio" SMALLINT CHECK ("aux_gpio" BETWEEN 0 AND 254);
ALTER TABLE "actuator" ADD COLUMN "default_value" DOUBLE PRECISION NOT NULL DEFAULT 0
    CHECK ("default_value" BETWEEN 0 AND 1);

CREATE TABLE "config_sync" (
    "device_id" UUID NOT NULL PRIMARY KEY REFERENCES "device" ("id") ON DELETE CASCADE,
    "state" VARCHAR(16) NOT NULL,
    "config_id" TEXT,
    "sent_at" TIMESTAMPTZ,
    "confirmed_at" TIMESTAMPTZ,
    "attempts" INT NOT NULL,
    "error" TEXT,
    "items" JSONB NOT NULL,
    "generation" BIGINT NOT NULL
);

CREATE TABLE "outbox" (
    "id" BIGSERIAL NOT NULL PRIMARY KEY,
    "device_id" UUID NOT NULL REFERENCES "device" ("id") ON DELETE CASCADE,
    "errand" VARCHAR(16) NOT NULL,
    "body" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ NOT NULL,
    "expires_at" TIMESTAMPTZ NOT NULL
);
CREATE INDEX "outbox_of_device" ON "outbox" ("device_id", "id");
"""


async def downgrade(db: BaseDBAsyncClient) -> str:
    return """
DROP TABLE "outbox", "config_sync", "zone";
ALTER TABLE "actuator" DROP COLUMN "inverted", DROP COLUMN "aux_gpio", DROP COLUMN "default_value";
ALTER TABLE "sensor" DROP COLUMN "interval", DROP COLUMN "processing_mode";
ALTER TABLE "device" DROP COLUMN "subzone_id", DROP COLUMN "is_zone_master", DROP COLUMN "metadata";
"""


MODELS_STATE = (
    "eJztXe2T2ra6/1c0fDntDCeTbNKkpXfuDAveDQ2BHWC7bQ8dV4u14FlbopZZwunN/34l2c"
    "ZvsrENbAyrL2BkPbL5PXp53vTon4ZNDGTRV+2Zu4IucUZk3WiBfxoY2ohdyG43QQMul+FN"
    "XuDCe0vUh35FUeueug4rYOUP0KKIFRmIzhxz6ZoE89ptDAKCJoDYAOsFdIHpUmCgJ3OGgA"
    "WpCyg0DUAeWPkr3qxBZqxdE88rt7DC5t8rpLtkjtwFclg7//lPw6uvmwavMV+apPHnn+zK"
    "xAb6giivw38uH/UHE1lGDCSPRpTr7mYpynrYvRIV+Rvf6zNirWwcVl5u3AXB29omdsVjEU"
    "YOdBFv3nVWHDG8siwf3ABE7/XDKt4rRmgM9ABXFsedU3svEJY1dH0wnOhjbaLrjRRPAooI"
    "yH7RjGDOT/aqVPz7OX+Ff1+8effh3Y9v37/7kVURr7kt+fDVe3QIjEco4BlMGl/FfehCr4"
    "bAOARVsCAF69iGlpWJbUCzG90Ayzx4g4IQ37AbPx/Aby8+vN9iy3/kwTr+3O73A2xDLIMh"
    "4iGSAvUT2sjxTNElgGWve4LA5uA30X6bgM6w329PNDBtdKaNBJLiOwXgBH3J6JFB/ZcAHG"
    "/ZpvRvixcMfm2POh/bo+8+t3/7XtzZ+Hf6w8F1UJ2w9cFbOAad/vAyATbCHAjJ5HpJiIUg"
    "lkMeoUqgfs/Izgv2y+GwH4P9spfE9fbzpTb67o3gAatkuig6/4ZgszdzzRm0SqIdJVNwF4"
    "fbxE/IcUt37iiZgrs43HD1Ra8iUUTpKkkVvkhWF7QPKFT476Y/QWslWROvLAIzQE1RJpB9"
    "4KTn1ZW7w9vLvgZuRlqnN+4NB7EV0bsZ78Ijrd1PzdCIY6F72MTR7rI7rmmjrEk6SplA2/"
    "BJXwUX54X8pPdZG0/an29iM0mXCXj8zkWcEX7pd++/j88z20bAXW/yEfCf4I/hQPBsSag7"
    "d8QTw3qTPxr8neDKJTomax0aUUyC4qAoxubV0qjI5jilYnOt2Vx+2lTTZanp0qQ601/NJw"
    "nI+SJWlE7JWMVlLGQjhwEz26QB7yygo+GVLRDvsXeDeIbSmlu0gTprzI3BcMSEohbwvqe4"
    "3Zn0ftVawPue4k5fa496g+sWCK6meKSNbz+LsuAqac3MENls+EW3EJ67C/bzzfscZgY695"
    "vkxBZo4xfiVpxtzgrz5UC3aanZKE5WcUqqmXR85BmJ26IZgrYNcZXlXUJ+gDX+dFhwcku8"
    "g5bEqSbKJUgVn+vM55jrKM7l29teN0sJjhAl+LtamcYrTlqfJe8QjBVr01uPU1EeiH/69S"
    "v3rz08Sp1BHliS9Yk4yJzjwIERlSwSkPqOzK5oyHdjniayYWk4qh243vol4z2LQcD+OPLW"
    "pE573Gl3tYaA+h7OHtfQMfQMzP2VRiIVXPqUV59GyILib2QC3vFaOS/EBX7kgkRwiyGavm"
    "Vf2MkSiOFc/CX+bP6kADGLzB4tROkY2ksLZXjkJbWaeY75WVBfp4JA1N7poL8T3nQDMVGP"
    "vT0FEHjUYL0gFAU+9gWkABMgHtEED8QBrMAieM6/TRfYcAPuEXAQeyumV7HvtCP/qE+SOP"
    "z38e1fmvOX4t7/6eLi7dsPF6/fvv/xh3cfPvzw4+ut2Th9K8+IfNm75hpjbI3eHQRAEabE"
    "ka6smRyI0ZxTJMCeoRYhqq45e5RN6zndektyToA+S+eOdmb257FMjMlDPkp1Rh6oZ8aeC0"
    "jlLa4xKmV1LWLjcNAMsZW3ms4bI1X+i9opvSkNLVuPOKqEHOoUMsk4pnHkSMRevWKCcBv4"
    "1UWQ6YKsWUWHS5xcImW3kCQ0tRDJbtH0n0YISxiR54k3cccuK+O06MuS8ZmyN99C6UPk98"
    "pgSDVEZfbPxY+vpWTgbMPG4S0auwXhxv88rPCMMwuIJ/GPd//beP5hvMPEkSfrwlmgSVfx"
    "nYTUtXacDActMBxM8fDqil1cXU3xzd3nFmAfUzwZXl/3tRbwvuvhHFFe2iPLC8bKgfJ+P2"
    "FrfBdZLsywn0YIs0QF/mHwJk5PTC4p8QZO2p+SHZhNF+5KouwVm1VC6lrPKjfaoCs8q/7F"
    "FI+1waQF+Cd3zn4aDO/6Wvda63IXbfiLO2V/0ToTXh5cTfFVu9fnJd43m5eYtNTVh7eswe"
    "3lFGu/3fRGvJp/wZ55e6ONxlqXF4bX9ZjHmJxApYMsM3I9pKjE+tMZTkcJXSeOOTcrL+Yh"
    "da2H3e1YG7UA/2SD7Kanf9J+Z+PLuxDxDhMR68AGy+iWL+z8ky34bLD0OpMeFwXCazZ82l"
    "fahDXgfddj2JgGspfE5TEp+iOSBLZkbp2RUB5kHH1To/A+O2dU9GolWE/BLBA3cmK3Ao8j"
    "ZCrWoc78nRHulas4kBO0itN15nTC1FTQ+5agOid30cH8byuK5KhmG9UiJHtY1k5ntFQPFY"
    "pmINgzWCiR9eDEem3RcKHEiJUHDCW77wHQvWXNFEO2nt12J7CRMRsDlT0fDG77/bwwrOO6"
    "T/CDOR9v8CzTgxKt0Mx3ovCqOmV1izlSPpI1gEE4D+8iBgUuCdJ2ALogK8sAC/iEfgYEI+"
    "Cw+kvk+BRpL8sB2tsjOqhekZ911Q33cIpwA6TE/l7celn77AtMPtDHvw86LeBfTHHanCkz"
    "U8rNkgPtV22ke+bP8Loe1hR/spCNlmw7ZIxImSLLmyKVRl6OB6emp4kB4tgVNfI4reJ0nT"
    "kNXRfZS1fizctWxyMkSheXbVp1HJmumL0ebQnUWlR+LTJZb5R031/Gw0GGGyUgSM5M5swF"
    "/wcsk55iJ86BnUORD3sS4cREwxtIwu7DIw2zyIs9jtOd0/zxDOHHewVL7t76NsRoQtjHc2"
    "x8q4NiefBtb/vaUJ6Qw2Mss20okQrNHTYUv2oxE8rdggAbGgiIUDMKyMrlyU0ZGH6JlwnV"
    "xGC9MGcLwNjotvwcqKyPNAEmLr+L2FM3wEHQYPDLdmQd6zEH3o71UvZiHS3VKu+TVW0sAW"
    "2tTSw3PV0bfGwPOtyCEvkxxf1hh+fxEF9TPGrftQD7qIe5xDLvHeiUCTqJULwA6TQ33MSH"
    "Qo/MrOVAjFK+dDD51F4CwaD6S4StJltkumy57SOm/GdldI9XyJVPDFaVzXO8bjEBpQ1sRC"
    "l7MeByN8xMuGC4NCC2ZkPJ7u9CFGoXd421nTz5wiVLc1bGxrIlqLNUUVsjyxJuLAKlPR6z"
    "hU0OeYQomfNu4yJ6XrBf+naTLewM9cveoD36XY77pcTOcvn7RGt/6yj7E8L8KF1d7TY+Y9"
    "dHbUQpblf6iKDlLj6a1CXOJlOmktbcIVwJq9VCEOkLj6qoHYiJSkHsy78o8NoAa0gBu0GJ"
    "zaQpU7YzuSjhFE/xZIHAI9oAk4LvPIKmuAmCDHXft8CEXRCTbtPzrIljUC87j6AlD8BdE+"
    "CNPfrSYm7OYW9yrTIZqnn2iNs3NtRFtp4RdpUtxyTplDRTQZpZLUVGXYrYe0jz7uVorGla"
    "lSyonP4a8uHBQWJFXupb3ac4IyTEihNVOWGbWN+LGxkNKI5U5YjA8cGBcxthV4QG6EvkzB"
    "CWCAb5R+vkt3RGHDrEYTtr88HUHUpN3bi3yw2BFOkZQfvcGfzgA9Ll3tLcIyVidOpIieJH"
    "Svi5PGdkJZtf8tMmxilVp6/a6bf7wypwIU2r+FCVDyLwtAoTEoSKA88WxXccI2QB62M5s2"
    "MxcyO3BGK0RtQNDIbkYWtFLLZZr1oTL8hW+G0WbGUYVIbBpjIMKsOgEgCUYfA0OKEMg3Xj"
    "iDIMKsNgfaBVhsEaykbKMHhWnV4ZBuvBB2UY/NYcYFO1qwcHNZXMbyOjfQEbZw6uIzuIIl"
    "evEoEdp1PYF8NebW8/4+3tIZyZjoaCLoZivoV2psugfSBPgDrD6DncAYgupctf5lbRkOAw"
    "huE6DOWsaTd3i+0jNLOyAmevXTEiZVmvIDWI7xKIB/WVlFAea7ZUOOQJyTYm5tlIomTKRF"
    "LcREKwZeKyBqmQSEFdHOr/EixX+zLXvQjFC5hKclc+urrPxC/HrxyjegEYHnw6NqkuELQh"
    "dWUJ3XPniTSxmi+Kzxc2ciGXodOgZ2dCjNKoZIh7JEM0lzzuhZ+QW2a+iVOp+ab8fMMTDa"
    "+hg7JTMmWjL6NVPCjPgwV0DIGjQK0EA1KECv3y6FtssdQpQpKunx8qGSNUObrrHCcpWCV8"
    "OuUjYpO0itN15vQCYoOw9UhHSzJbpHmdHd+UIjwjz+vBErOr80JfxChaLY2KbI5TKjbXjs"
    "0lPMTpoCJZOK9PevVphKysrPRnfXRf3L67cu/Jl/1gGoo2zhgkL9pvz840Fo2cGUqldium"
    "zvAKDvyTgxoEb+yGNnXU4GkJPYX6YLjJcl+0JFs8zwSvkvEp4bwliU+JTWrZ8Snh/Lk7Pm"
    "VMbOQu2D/z8hPbK+oC6DjmEwKRVHrp6JUSdLtjW/5phOjEw4HYJ6+Lviy5gZK98xZBHxqf"
    "G0F3aojK7D+LH19LBc2otMn83nOkTUaOwzTFNAeKHcwQUtc5MKTRGQ6uetct4H1P8dVwdK"
    "1NWsD7nmIukLaEWDrF49tL76d/EdTWtzfiv5PDMYPZRz7G4Z4YkjMcsh09QX3l5NnDyaOs"
    "B1VYcRJqZWzrw5elyZqrwOY4pWJzrdlcrzQe9WXsjsjdlEFmdxj+FXGQOcdBHNORA/Hrge"
    "zBQ/GfLUvQyDtkLUMvitxt5ilG/lFtxTSjdnCyG3sZptmQdZOf+WYT7C6sDVhCxzV5VdoE"
    "a5P1l5XL84LzLsUzg7NSniX8iY9Zaez/wdrmqcw7Xv5xwLuwOLeOOAZyRHbyBTId1ojhLp"
    "qAEk9ZwzwdkUnZcwwDGa/AX6bxF/8NmYY1x8gA9xtOCNaO6SJninmjc/aSlDfNb2ybnxHb"
    "Nl36syg1DYTZe3sZ1T3zlJ9R3UaQrhxksFfwt4N9X9dzb2ofil8PDS7gaAX5JEGqBJRaCy"
    "jqHJKXwmgmB4jTTyWikkVg1h7TKFWCww+c7Ly42h3eXvY1cDPSOr1xz9fut2wUN3lRGCE7"
    "0tr9hAJfHuR9Aa6nqfxY+AYiRjn5IEp1RkErz50txktBUuos4xjNOZ3EfriAoe0x2uWQTd"
    "EpdCXo/r2CbDaRGLLzc3lFyM4J1kNk7vqmm0BqNg8/h3tgr4QVh7PRhMEkEhNNLNIk20Lj"
    "LQZFDTRebZl5JXJHYmRIOJnnS5MIscJbiYKNAMGumD/3sUm8FI/yntNxtqUhYE6ZuTmgUR"
    "OzVDyTb5HJ3NGboKqz0/1QG2Ryt/Vm7rHLRHDf/XXnhN6z5qU4MeDypYEq6bWxKTHbZYMd"
    "1Fd74MpjjTDHoWwOkAiV2mdefJ85expynqAl6dymjbrIcmGG2BUhzLJI8w+DN3FWnV5mwQ"
    "nw/ikZ2rV0yIwHXOJ5RvLfYqF6kmZqPLU0bnq6NvjYHnS0bgtEfkxxf9hp91tAfE3xqH3X"
    "AuwjqXh8mzA8FRFWaQ04NQeN2k/2ItisIsJURJiKCCtgbRTHL2lPCLtZJsd4jWau3dE7zA"
    "k9+WdxlN44s2Btsx5gBKFQfsAUD98SMVBNwKOo+D0PUWDDDbhHYM5jse43gE0HOzfZHOoZ"
    "KtlsDSaoZo7N89GU7Y7JyZZq1n8/TG31dsoGvSN1ABbTcaL0dWYA06Kvhi3AP6f4rj0a9A"
    "bXLeBfTLE2Gg1HLSC+prgz6k16QuUJruqh69hMm2TrQZnBESGpM3tqOz6yMl9nI75n6uvT"
    "MakcBW8DudC0JO6FbOd5hETtrdtjbx2ZzVZOtajmBKlSsmutZPvcYsu5ZJxlupUTVOfkXd"
    "7LfV+T+JNbirKiT4JbzTwdcMVPHICz7alRBSJQMPDr/wz+4uTeNhrAT95xnpAB1sQxJOEp"
    "hcmUplZzTY1zT+7RzgwGiJK88KNBlpBS3tf1BaSSNDLZEmaKUEn2VQ4WI5ak47Llb7fSG5"
    "DWeQ1s/NrT7jSm076Z4uGNNmpPuIJ7McXt7ufeoAXeFlRpDxd/hWwmppfSpAICpUhVOJWF"
    "rS1PZY8JCYlUOEbxcAzlgq7U609BbSoh3Ed3rNhMTDf2zE7Y8Vo5v3xwx9KA/iA462jD4F"
    "YzTwPiB58U1HwAr/uz72iigD/NSzZAPS8UJcAgwHSpyGZAZTH6FVpQ+lDN9aHnPy/qfLQh"
    "FRn9jMIhm1MQdvXy/TVN+AJk89x+q4Q/Jfwd17LbRo45W8jEGv9OrlQDwzq75Jpsxh5Y8l"
    "DbAvfcFph51BYP2pBDu+8JW3WbXOKxFhc//FAg2ILVyoy2EPdSB9uWQdivfobovnn9ukgo"
    "y+vX2bEs/F4qr4PrxxsW9fRHSJSn/5S2yX/9f0iTXuI="
)
