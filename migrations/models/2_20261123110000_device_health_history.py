"""What devices report of themselves in more detail, and what they reported before."""

from tortoise import BaseDBAsyncClient

RUN_IN_TRANSACTION = True


async def upgrade(db: BaseDBAsyncClient) -> str:
    return """
ALTER TABLE "device" ADD "last_boot_at" TIMESTAMPTZ, ADD "handover_epoch" INT;

ALTER TABLE "device_health"
    ADD "min_free_heap_bytes" BIGINT,
    ADD "heap_fragmentation_percent" SMALLINT,
    ADD "error_count" BIGINT,
    ADD "boot_sequence_id" TEXT,
    ADD "reset_reason" TEXT;

CREATE TABLE "device_health_history" (
    "device_id" UUID NOT NULL REFERENCES "device" ("id") ON DELETE CASCADE,
    "reported_at" TIMESTAMPTZ NOT NULL,
    "uptime_seconds" BIGINT,
    "free_heap_bytes" BIGINT,
    "min_free_heap_bytes" BIGINT,
    "wifi_rssi_dbm" BIGINT,
    "sensor_count" BIGINT,
    "actuator_count" BIGINT,
    "error_count" BIGINT,
    "heap_fragmentation_percent" SMALLINT,
    "safe_mode" BOOL NOT NULL,
    "system_state" TEXT NOT NULL,
    PRIMARY KEY ("device_id", "reported_at")
);
"""


async def downgrade(db: BaseDBAsyncClient) -> str:
    return """
DROP TABLE "device_health_history";
ALTER TABLE "device_health"
    DROP "min_free_heap_bytes", DROP "heap_fragmentation_percent", DROP "error_count",
    DROP "boot_sequence_id", DROP "reset_reason";
ALTER TABLE "device" DROP "last_boot_at", DROP "handover_epoch";
"""


MODELS_STATE = (
    "eJztXW1z4jgS/isqvtxMFTc1ybwue3VVhDgz7BBIEbLZF7a8Chbgii2xlh2G3Zv/fpJs4x"
    "dkxzYkY0BfwNh6ZPO0JbW6W61/GjYxkEVftSeuB13iDMmy0QL/NDC0ETuQXW6CBlwsoov8"
    "hAvvLFEeBgVFqTvqOuwEOz+FFkXslIHoxDEXrkkwL93GIAQ0AcQGWM6hC0yXAgM9mBMELE"
    "hdQKFpADJl51/xag0yYfWaeFa5Bg+bf3lId8kMuXPksHp+/73hl9dNg5eYLUzS+OMPdmRi"
    "A31FlJfhPxf3+tRElpEgyceI87q7WohzXexeiIL8ie/0CbE8G0eFFyt3TvC6tIldcVuEkQ"
    "NdxKt3HY8zhj3LCsgNSfQfPyriP2IMY6Ap9CzOO0f7DxCda+h6fzDSr7WRrjc2ZBIiYiQH"
    "pyYEc3myR6Xi38/4I/z79OTth7cf37x/+5EVEY+5PvPhm3/riBgfKOjpjxrfxHXoQr+E4D"
    "giVYhgg9ZrG1pWJrch5nF2Qy7z6A1PRPxGr/HzEfzm9MP7Nbf8Rx6t15ftXi/kNuIybCI+"
    "IxukfkErOZ8buBSx7HH3kNgc/kbaLyPQGfR67ZEGxo3OuJFiUnxvEDhCXzPeyLD8MRDHa7"
    "Yp/cviJ/o/t4edz+3hi8v2Ly/FlVVwpTfofwqLEzY++ANHv9MbnKXIRpgTIelczwixEMRy"
    "ymOoFOt3DHZYtJ8NBr0E7WfdNK83l2fa8MWJkAErZLoo3v9GZLMnc80JtEqyHYcpusvQjT"
    "glOnQ3CT9nV1zTRlmMx5Epzo0A+io8OCwBjLqX2vWofXmVkMI56635ldNEPxOeffH+ZVJG"
    "60rAbXf0GfCf4LdBXxN0EurOHHHHqNzotwZ/Jui5RMdkqUMjzkl4OjyVELO3MCqKOYlUYq"
    "61mB+g5Un0gguLwAzFYI1ISXbKIYclzfPBzVlPA1dDrdO97g76SfGJi8necqi1e6nu0qQ6"
    "U0bNBwnJucNTAqfGp+LjE7KRw4iZrDYJ78yho2HPFox32bNBPEGbali8gjqrv43+YMimTS"
    "3gf49xuzPq/qy1gP89xp2e1h52+59aIDwa46F2fXMpzoVHadNExqTOhl91C+GZO2c/T97n"
    "CDNUoE/SHVuoWp+KS0mxOR7mw4Fu01K9URJWsUsKrA970E520SNxwxJj0LYhrjK8S+A7GO"
    "P3RwR7N8Q7aEGcaqpcCqrkXGc5J+zASSnf3HTP5RJOgFLy9TzTeMWh9RnydiFYMTa98SUV"
    "l4H4p9++cWP59F5q2fXJkoxPxEHmDIfWyLhmkaI08Eqci4oCn8R+MhudjVq1A5drJ0PyzW"
    "IUsD+O/DGp077utM+1hqD6Dk7ul9Ax9AzOg5FGohWcBciLL0NkQfE3Mgnv+LUcFuOCP3JK"
    "YrwlGN28ZJ/a6TMQw5n4S/ze/E4hYxaZ3FuI0mtoLyyU4V6TlGrmedkmYXmdCkAxb9utcI"
    "0ZiKl67OkpgMBHg+WcUBQ6zOaQAkyAuEUTTIkD2AmL4Bn/Nl1gwxW4Q8BB7KnYvIp9b3rl"
    "nvROEu/dNo66M3N2LL66H05P37z5cPr6zfuP795++PDu4+u1Y2nzUp6b6az7ic8YE2P04x"
    "49ijAljnRkzZRAAnNIbr0t/aYRq645uZd16zmv9RpySIQ+y8sdf5nZn8cyNSaP+TiqEvk1"
    "U/y/D/dcQSpvcU2glNW1iI3DQRPERt5qc94EVPkvajfp3ZihZc8jnlRDjuYUMs04MePI0Y"
    "j9csUU4TYIiouIsTlZsoIO1zi5RsouIUmcWSHI46rpP42Ilii8xldvko5ddo5j0dcFkzNl"
    "T76mMqAoeCvDJtUQhdk/Fz++ldKBsw0bu7doPK4IN/4z9fCECwuIO/GPt/9tPH8zfsTEka"
    "frwkk4k67iO4nQtXacDPotMOiP8eDigh1cXIzx1e1lC7CPMR4NPn3qaS3gf9fDOaK8tE+s"
    "LxieA+Xv/YiN8efIcmGG/TQGzFIV+IfBq9g/Nbmkxhs6aX9Iv8Csu3A9yWSvWK8SoWvdq1"
    "xp/XPhWQ0Oxvha649agH9y5+yX/uC2p51/0s65izb6xZ2yP2mdET8fHo3xRbvb42f8b9Yv"
    "MW3pXB/csArXh2Os/XLVHfJiwQG7582VNrzWzvnJ6Lge/RjTE6i0kWWGoUaISqLfn+b0JH"
    "GoxDFnZuXBPELXutndXGvDFuCfrJFddfUv2q+sffkHIt5hJGIdWGMZ3vCBnX+yAZ81lm5n"
    "1OWqQHTMmk/7QhuxCvzvejQb00D2grg8JkW/R5LAlsw4eAlyJ+3ouxqFtwmDV9GrlWjdB7"
    "NA0siJ3QoyjsFUrEOd5Tsh3CtXsSGnsErSdZZ0ytRU0PuWQh2Su2hn/jePIjmr2Ua1GGQL"
    "y9r+tJbqoULx5cRbBgulljDv2VtbNFwo1WLlAUPp13cH7N6waooxW8/X9lFiY202QSq7P+"
    "jf9Hp5YVhP6z7BD8jh/oFMD0q8QDPfiRIWLeZHuZ0TYEMDAWEmpYB4Ll9lz3gLzvhL8k0M"
    "lnNzMgdM5m4rWIzP3qYmwMTlVxG76wqwiYHBJCWLJnqq2+w4lOhY4oiebM0/fyermllCbK"
    "2NLFddXet/bvc73KwY+zHGvUGHr0ERX2M8bN+2APuoh+HEMu8c6JQxmMQQR2BwzDWVBFTo"
    "sZ61HIlx5LGTybv2EgyGxY+RtpqEd5yz4baHXBdlpRZKFsjVTwxWlPVzvGwxBaUNbEQpez"
    "Dg8ojkCfEsQ2gDIqwYSiKXCyFUBHKtAwWz9QuXLMxJGb/ZGlBnraK2frMFXFkESt94zAY2"
    "OeUxUHq99spF9LBoP+OkxWlnrJ91++3hr3Lew/JxK8rZryOt/b09xHvE+ZO86ipS9oAN6b"
    "VRpfiyqc8IWu78s0ld4qwydSppyUeUK7HQcC5A+txHFbUDMVUJBsu6/kWBXwdYQgrYBUps"
    "pk2ZsqjaosAxHuPRHIF7tAImBS98QFNcBOHq6pctMGIHxKTrpWVL4hjUX1kmsGQK3CUBft"
    "uj2+py9VopfBxxtbVaha/62ScMPVhRF9k6j1kslXAxjVPaTAVtxluIbDAUseeQrhnPmbFu"
    "YtVCt6oL3aYOEiPyQl/PfYoLQgJWkqgqCdvE+lbSyKhASaSqRASPUwfObIRdsXhAXyBngr"
    "BEMcjPGp1f0wFJaBeppJfm1NQdSk3duLPLNYEN6AFR+9yrz+EU6XJvaW46xAROpUMsng4x"
    "yEMxIZ6sf8lf8p9Eqpe+6ku/jm2qIIVNrJJDVTkgx6kmhBRQSaCMBGpohCxgfSxndixmbu"
    "SWQIyWiLqhwZBM11bEHwHBCDhkCZgOF5zbNDxWq+KIbIW1DBRuKsOgMgwqw6AyDNZIAsow"
    "eNySUIbBuklEGQaVYbA+1CrDYA11I2UYPKiXXhkG6yEHZRj83hJgXbWrh0mGpdam7AmyDH"
    "sEC2d2Pkd2EEWuXiUCO4lT3BfjfivD+OO7kgwwGhH2IYT2xHuS1MEuu/MdSXbgbsh1NBR0"
    "MRTzLbQzXQbtHXkCVP7d53AHILqQDn+ZS0UjwG4Mw3Voylndbu4S23toZmW0yR67EiBlWa"
    "+gNTzrxvJHqCUk5ouLhUMeUNmN5eMwZSIpbiIh2DJxWYNUBFJUF6f6b4LLTvtiENWXlO9L"
    "zAV3XvMtGsqQnkQp3svzPjUdm00vUHZelWz2ZVglg/IymLPpneBRsFZCABtAxX559sUO0h"
    "QhyatfYOvpEKjSttY52EmIShhmK+4wHsMqSddZ0nOIDTa5cHS0IJP5pqyzgxQ2gAfkPtlZ"
    "ll6VsP4oWpG3MCqKOYlUYq6dmEu4eTYjA7bc9/wwc0dL4li25OlaVHJgLJVaTZMIQwxWtM"
    "j5DP2Kj7MqWU+zX4N5LrUlnIFDP3VzhjcwdrWZ5w4MEkCLQgX8gUFx9jDQcciyyTNJ2wS7"
    "c2sFFtBxTV6UNsHSZLLzXJ5tiKdO5/mGqL+r/QMfZKQexZ3VzRMkdfysRoB7qEU2bOIYyB"
    "E5j+bIdFglhjtvAkr81JaYL3IyKbuPYSDjFfjTNP7kvyGl7BbIAHcrDgRLx3SRM8a80hl7"
    "SMqr5hfW1fOdUU2X/ijOmgbC7Ln9PE1+pxLkabIRpJ6DDPYIQZDJy7pm06y9g68e6TRDiV"
    "ZQt1JQpW/VTt9S2Q2PUdBwqZffJTeBUjvlFtkp9/m3Iq6nTvhU/IYqRjn9II46ICvac69B"
    "8Rc2lNohJYFR+4zJLJjrzXnKMbuBU+xK2P3Lg6w3kWxxkr9CMAY7JFp3sR7QRi7kM4dNSn"
    "+6HvSzZgURJq0pmhMX/A9YJt3DfjiHPU5Gvms47QVOqX28gq3D4HcXsB2ZACUmmoR9MNtC"
    "4w8GRQ00fmmZeSV2RWJk+D0ZyT5bmESoFf5IFEYmhGE6f2xjkziW7T2ebGOwUDhl+uYQoz"
    "pmqXomj9nJjI9PoY4hxjs3TD4z6C+TwW0D/g6JvWeNdt8z4vK1gSpJe6SbpmWTfUS7pu2c"
    "a4Q5D2VXFsRQKtq9eLS7Cuqp9N7vm1FaBfUchZjrlSKzvoJ9ZFXshh3g8SXupXd732qRez"
    "2Y3fky9+ezsIhEltoDwm6WmSVZoplra/HTYqKHIKvZ4xaXa2Ijd84o9uNI5qxu9gYYYfhH"
    "ECTCQ1ZE3Ie/OTu/5jMKbLjiu6nOePzJ3Qqw7mDTdvNE91DL9mvQQTVz7Dz37P+VmaqE5d"
    "W8sMJchbJG70idHp05dDTs2RvDQcokFOHrLAA2c7gYtAD/HOPb9rDf7X9qgeBgjLXhcDBs"
    "AfE1xp1hd9TttHstEB6lO6cMA50Nv+oWwjN3zn6evM8RZii6k7S2FQr1VFxKu1PEttRlGk"
    "cMUmfx1LZ9ZOUQyWZ8yyQiR247MZALTUtiUs12GMYgW/kL9+hV35nDMJGiYTLxnGqRnCmo"
    "mmTXepIdSIsN55J2lulKS6EOyaO2lcuyJj73G4qyPO7hpWbeHNDjuZvgZJ1/s4DXHYOg/I"
    "/gTw73lw4AnsPQeUCG2HlZ4pIvDFMztZrP1Lj05F68TAdoHHLkSdYWkFL+rutzSCVrxLI1"
    "zA2g0uyrpGglluTFZcPf45PeEFrnMbDxc1e71dic9mSMB1fasD3iE9zTMW6fX3b7LfCm4J"
    "R2dzEnyGZqeqmZVAhQE6kK+e3Y2PJQNuFaBFIuaOWCVtOmagkH+FpYKN8aq8Q6+o5fy+Et"
    "9n6qGVAbOeZk3pBMgIIrzbz5D4zKPDbzyaZhxzMWFTK8ZchwZl5A7tzIWGK3ZTrAuvXASZ"
    "/E6bt3BZwSrFSmV0Jc20ilW4bhoPgBsnvy+nURl8/r19k+H35tY82XK923LNsiHoMoi/g+"
    "LaH59n8leWKU"
)
