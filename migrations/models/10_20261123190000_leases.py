"""Leases: until when actuators may be on, how long they were, and what limits that."""

from tortoise import BaseDBAsyncClient

RUN_IN_TRANSACTION = True


async def upgrade(db: BaseDBAsyncClient) -> str:
    return """
ALTER TABLE "actuator"
    ADD "max_runtime" BIGINT CHECK ("max_runtime" > 0),
    ADD "min_off_time" BIGINT CHECK ("min_off_time" > 0),
    ADD "max_starts_per_hour" INT CHECK ("max_starts_per_hour" > 0);

CREATE TABLE "lease" (
    "actuator_id" INT NOT NULL PRIMARY KEY REFERENCES "actuator" ("id") ON DELETE CASCADE,
    "id" UUID NOT NULL,
    "command_id" UUID,
    "value" DOUBLE PRECISION NOT NULL CHECK ("value" > 0 AND "value" <= 1),
    "began" TIMESTAMPTZ NOT NULL,
    "until" TIMESTAMPTZ NOT NULL CHECK ("until" >= "began"),
    "on_since" TIMESTAMPTZ NOT NULL,
    "seen_at" TIMESTAMPTZ NOT NULL
);

CREATE TABLE "actuator_run" (
    "actuator_id" INT NOT NULL REFERENCES "actuator" ("id") ON DELETE CASCADE,
    "began" TIMESTAMPTZ NOT NULL,
    "ended" TIMESTAMPTZ NOT NULL CHECK ("ended" >= "began"),
    PRIMARY KEY ("actuator_id", "began")
);
CREATE INDEX "actuator_run_by_end" ON "actuator_run" ("ended");
"""


async def downgrade(db: BaseDBAsyncClient) -> str:
    return """
DROP TABLE "actuator_run", "lease";

ALTER TABLE "actuator"
    DROP "max_runtime",
    DROP "min_off_time",
    DROP "max_starts_per_hour";
"""


MODELS_STATE = (
    "eJztXW1z4riy/isqvpydqtyt2WRnZpe9dasIcWY4w0AKyM7OHra8ClbAFZBYv4Rh98x/v5"
    "Js4xckYxtChKMvwdh6jPO0LHW3ulv/NBbEQnP3+9bE86FHnAFZNZrgnwaGC0QPRJfPQAMu"
    "l/FFdsKDd3PeHoYNeas713PoCXr+Hs5dRE9ZyJ049tKzCWatWxhEgDMAsQVWM+gB23OBhR"
    "7tCQJz6HrAhbYFyD09/z27rUUm9L42nla+g4/tv3xkemSKvBly6H3+859G0N60LdZiurRJ"
    "448/6JGNLfQVuawN+7p8MO9tNLdSJAUYft701kt+roO9a96QPfGdOSFzf4Hjxsu1NyN409"
    "rGHv9ZhJEDPcRu7zk+Ywz783lIbkRi8Phxk+ARExgL3UN/znhn6OAB4nMN0+z1R+bQGJlm"
    "Y0smESJBcnhqQjCTJ31Ul//3U/YI/3P+w4/vfvzp4u2PP9Em/DE3Z959C346JiYAcnp6o8"
    "Y3fh16MGjBOY5J5SLYonW4gPO5lNsIs5vdiMs8eqMTMb9xNz4ewRfn795uuGVf8mgdfmp1"
    "uxG3MZfRKxIwskXqR7QW87mFyxBLH/cEic3hb2T8NgLtfrfbGhlg3GiPGxkm+ecWgSP0Vd"
    "Ijo/YvgTh254Xr/jVnJ3q/tgbtD63Bd59av73iV9bhlW6/9z5qTuj8EEwcvXa3f5khG2FG"
    "hGBwvSRkjiAWU55AZVi/o7B60X7Z73dTtF92srzefro0Bt/9wGVAG9keSo6/Mdn0yTx7Au"
    "cl2U7CNN3F6bbxI3K80p07CdN0F6cb+l/NKhpFEldJqwhVMlXYPqBSET6b+QjnvmBOvJ4T"
    "KCF1C5lh9p5B69WVr/q3l10D3AyMdmfY6fdSM2JwMd2FB0armyF8Ab+ajo89W6iC0LNXaO"
    "5BMeUZbIZwqoQjdul79sdidzm9np03jnTes+4rHDl+fpVl2cYmub83q9GcAWue5TzTHul6"
    "0PFcc4kcc0Z8p4QVLUHXaIje07BOKnaI/e9mMKSm+b0KO6RMt0siZX05OqjXgD3qfDKGo9"
    "anm5QCckXtQnblPD1+h2e/e/sq3fk3NwGfO6MPgH0Fv/d7fKhfEtebOvwX43aj3xvsmaDv"
    "EROTlQmtJCfR6ehUSsz+0qoo5jRSi1lpMZfXtrSWVUrLsl0TTjz7UUByvmWWxGnTrLhphh"
    "bIocRM1tuEt2fQMbC/4Ix36LNBPEHbDp/kDVR2tDV6/QG1pZog+BzjVnvU+dVoguBzjNtd"
    "ozXo9N43QXQ0xgNjePuJn4uOsosgEjWCqUhzhKfejH794W2OMCNX3Q/ZgS1y4p3zS2mxhd"
    "aEuXBLjUZpWMUhSTGN7YlHJLaERRlcLCCuMr0L4AeY409HBCc3xTtoSZxqqlwGquWsspxT"
    "K85pKd/edq5kvrMEKCNf37et7xlUnSnvEILlc9NFIKmkDPh/+u0bW5a/fxCuIQdkCeYn4i"
    "B7iqN1z6RmkaE0jH+44jcKox9Ok9n4bPxWO3C1CWdI9yxKAf3HUTAntVvDduvKaHCq7+Dk"
    "YQUdy5RwHs40Aq3gMkRefxygOeT/hpTwdnCXejHO+SPnJMFbitH0pYQCgKArMkdCXB+jEa"
    "F/drPaZTcqxqma476Y0sX5IkMp7Ttwyp+S3Y6Bo341J5OHOXLdIVws50gS7iRodZYX9TSJ"
    "2psuB/DWO6OfPvNQJQtRhZg+vQsgCNBgNSMuigKYZtAFmAD+E2fgnjiAnpgTPGWftgcWcA"
    "3uEHCYP5lan/RzO0rqSX9JEE21T+DUpT19KbFTP5+fX1y8O3998fanNz++e/fmp9cbX+/2"
    "pTynr8jxvjvCykXYJY5Q/5BKIIWpU5jVwdztnj15EE1+Od16A6kToUfp3MnOTP95LFL28p"
    "hPomq0dnRk7pkaWd4vnUJp33QRT5CDJojOvNU8AymoXuVRzjWwZcfKra1SdkRZDTm2vESa"
    "ccouy9GIg3bFFOEWCJvzCP4ZWdGGDtM4mUZKLyFB3H8hyG7V9J9GTEsc7hyoN+nlb3qOYd"
    "HXJZWzS598Q2VIUdgro1eqwRvT/5x/+VZKB5a7fw7v99mtCDf+997HEyYswH+J/fnx/xrH"
    "f413OILydF04iSzjKitMMVrp5aV+rwn6vTHuX1/Tg+vrMb75/KkJ6J8xHvXfv+8aTRB8qr"
    "GEpNeyn1hfsHwHivv9jji2JFDHsElj2Ohw4fkCY6/YqBKjlR5VbozeFV9/Dg/GeGj0Rk3A"
    "/rIl7I+9/ueucfXeuGIL2fE3tnT9b6M9YuejozG+bnW67EzwScclqi1dmf1besPN4Rgbv9"
    "10BqxZeEB/8/bGGAyNK3YyPlZjHKN6git8yaRpQTGikuhP53V6krwg4thTu/JkHqOVfu1u"
    "h8agCdhf+pLddMyPxhf6fgUHPCpkxCNC6MsyuGUTO/tLJ3z6snTaow5TBeJj+vq0ro0RvU"
    "HwqcZrY1tosSQei9wxH5Ag/EealyhAHuQ9elan8D5piTrGtxKtp+AWSDs5sVdBxgmYjghR"
    "Wb4TwlblKr7IGayWtMqSzriaCq6+ZVB1Wi462Pqb7yIxq3KnWgKyh2ftdN6W6gFVyfIue4"
    "ZUZUrKnFivLRpUlXljxWFV2e57AHZv6W1qFeiTJTbxzqZIpb8Perfdbl6w2tMun+B7ezpc"
    "44l0BSXZ4Cx/EYU1NV3atthCygeyAjAK52FdxHKBR6KaSMCdEX9ugRl8RL8AghFwaPslck"
    "LE9irLAe63R3SQWvGxqtqGeyyKMAekwP9e3HupfGkbqh+Ywy+9dhOEB2O87c4UuSnFbsme"
    "8asxMAP3Z3yshjclHCxEb4vcD5kCaVdkeVektsjLyeDU7DT+gjiLihZ5GqslrbKkoeehxd"
    "ITrObJzfEERNviotRexxHZivL5aAPQc1H5ucimvVHQff897PckyygRIDsy2RMP/BfMbfcU"
    "O3EO7YyKfNqzDGcGGnaDLO0hPcIwi7zY4zSuTuPHEcKP9wqW3J0gGKVUHSM9UAXD8uDJgf"
    "v6UB6Rw2Is5T6URIOzHT6UsGkxF8rnGQELaCHAQ81cQHyPVY6mZIRngjLTNgarmT2ZASpG"
    "rxkWmKZ95Axg4rGriP7qGjgIWpR+UUbWU/3MgdOxXkou1pPVsWZ9sqqPJcIq7WK56ZhG70"
    "Or12YelMSXMe7226zaCf8Y40HrcxPQP2q4S+b2nQOdMkEnCcQL0E5zw01CKszEyFqOxCTy"
    "pZPJhvYSDEbNXzptE8j7EvvJkksE20i96runRn043e+KqjJd5HlIthVJukGu7mfRpnQOYW"
    "2LKX8tsECuSx8MeGyJa8KXt5imxdPeoSCzvhBCZ8grbEnm6W4eWdqTMv6rDUBljU1ZB9YS"
    "rucECns8pkqDmPIEKFt1ce0ht160X4Y+qQ3tlPXLTq81+CLm/VLgw7r8MjJaz53BcEKcP0"
    "lX15ncNV5WUkaVYj67DwjOvdkH2/WIs5bqVMKWO5Qr7hGccZA5C1BFfWxUVYriiv7lguAe"
    "YAVdQC+4ZEG1KVuU9V0UOMZjPJoh8IDWwHbBdwHgjF8EUY3EV00wogfEdjelj1bEsdyg8h"
    "HHknvgrQgI3j33pcUz1SHvW6lamnqcfcLUmLXroYUpCWmT6zFZnNZmKmgz/pLXdHYRfQ5h"
    "5ccci3UbqwsxlbNfYzncO4jPyEtzY/sUF4QArCVRVRJsI6C9pCG5gZZIVYlwHu8dOF0g7A"
    "XO3yVyJggLFIP8PeHy71QjCR1il7iVfW+bjuvapnW3KPcKbEFrRO2xqyPCe2SKV6JzNzVJ"
    "4fSmJsU3NQnrpE6ILxpf8ktSppG601ft9JvcuwpS2MZqOVSVAw/qrSKEDFBL4GgRkk/jhC"
    "zgfSzndizmbmSeQIxWyPUihyG533gRiyVCVrvFC/IVKhnScKYdg9oxqB2D2jGokAS0Y/Bl"
    "S0I7BlWTiHYMasegOtRqx6CCupF2DNaq02vHoBpy0I7B55YAHao9M9oEq2TtIBH2BSQlHd"
    "xGdpCLPLNKBHYap7kvxr0uHVDj0gExndKFhoJLDMXWFlrSJYPWgVYC9P5Qx1gOQO5SOP1J"
    "03BjwGEcwyq8yrJhNzcP9wHasorL8rkrBdKe9QpaA/8swXjUXmsJ5bmmU4VDHpEoMTHPR5"
    "KEaRdJcRcJwXMbl3VIxSBNdXGq/yZYbPZJ570E4gUMJbkzn+vfSfnLWVdOoV4Ahwcfjm3X"
    "5AwuoOuJiuXnjhPbYD1eFB8vFsiDTIfeJl1eZTKJ0YUm9yg0aS9Z3AvbfbjMeJNG6fGm/H"
    "jDijivoIPk5a7k7IuwWgblZTCDjsV55KyVEMAWULNfnv05nSxNFyFB188PlUwBdf1zleMk"
    "uaj4mk75iNgsVktaZUnPILYInY9MtCST2bas5fFNW8AarbwerOj9ZsrPKwxerP6r5FYqO0"
    "wbtz22BXivCcKDMe71fzWYfWGevz5/0wSpr2N8ZbSTV1Nfx/jauBzctgZf2Ne3TZD6yvZF"
    "HnS64aX4OLsUIxH7U+/Ho7fkfQmDqb+0Koo5jdRiVk7MJQIFtmPLRFHdIfT64wDNZYN5rX"
    "fHTCucYSlom81+84CQPVnrBrfsJO5YYwKJ792Rr/sx1uf3qDFJQdTsnv1qyG9SM5ZKZf1u"
    "7TMYbUoqJjUKgtpN7dZ2qKdlPBTqg3Gy8r5sCVKla8hXNDOElU5FSzylmQunhkF4y3qRVz"
    "JIzlggh/7nk/XQI8vciDlJy7O88DkUYUyXgswy0XSS/YYhBpubAnbTwjsVbyOzpUHZybMQ"
    "ePSKoJygcgF+CYiO8isb5adWVQU1RpNKFOsNUl+GCZzOU5gj6FasmJGCajmrLWfXr/Y+p5"
    "FayqpJWZGSUCmlsojiWVLlLKZrtrKq4S/A9txIhVzANdvCZ8oqO92tqSa4CjZkpOeoNedY"
    "vP7TlPYMQeLHAW+8W7f8pxGz3qDPMJ0iZ/MKUp2FNUdflyz+h/vXwjuEdIf9PHpHG7wxJY"
    "5/+aZzUp5VW9WbsuSMt08R5nLsJKATmt52xUJPlzbZJi6/XEqEqVEQwSEKo2QH8TIaWBar"
    "VxWVU8JSxjM1i6oJOo3UqrbKUg7MIoETOy9PIQbp/ITi+QnRa3G3LrsnbBaot4SVzUqluR"
    "VANbuCOhRisreZviYOsqc40kp315i4dWu24HWWKTEh6GGpQhP0OUDvttttSAYLzfFujrdG"
    "SAnDz+NTkkT+CDxL8hghuX9JFKpU0MsEQiwgmLuBVnDNFyY3tcO9GQK2BaYOWdGrtjeT7H"
    "24151K+pFSS17aiXTKTqSo64rrRUg9G1nYS/An5To4KuT+7Zvyd2L0Hdwd57Dacq5XMr8+"
    "jXoBfrmD8+7afwuGCnld0rB5JTeean380MlAk5mPH8ySjKZBmlcRr87k4lzgUskpGrqB1I"
    "nQY5eL9qDnC4Kpi6WzxWiV58PGjdG76vTeN0F4MMafW50RPxMejPEwajOM2vxqDDrXX/i5"
    "zeEYd3rDUavbNa6aYHM4xtetDj8VfI5x67I/GLET4cEYG7/ddAbsTHiQNQckneKpc9rYwO"
    "SarrA2fv5wFqPq9PodbDzjFY3LqDkbgNZwKmg4Hqy491MaqZfXlF54mZDFkjmoqsWmprF6"
    "iU1lSevA7qdekpCVuy7tKN+r4LUazB685PWx3eTJLCi5izyTK7XbPZ7M1ypeOht4M+gBDz"
    "4gN3Rx28iV19OWN9fbbarrhnYQtNaVQspjnNa2lJuD94oo13spqL2XQlwbQDBHpAoHyKeG"
    "uEbB7glhSBZ04KY0BUP8wnc9AB2HziiAfoXSnRZK4E5lHTTPjymcbwRelLD/KNvnj+nBzN"
    "n4wXEgFkigmEczRivt0Wz3e9ed900QfI7xdX/w3hg1QfA5xmxKaPKJYYyHt5fB1/Agam1u"
    "LqS/j3G3czloDb40QXighq/yjliCuB55meKovS5RvEeJYl30rLaqXspb/XVp09tVEHMaqc"
    "WstJjVsorVFaz2qilp/BzNqzZA0KL/oMRSSlw9yzOVnKBdUedZ2Jw+DLV1WBaxjcGCYG82"
    "X4MldDyb19M744Gg1ApjNWxYl2JVbOhZVtHmkb2zwkjTg92bVdtpB7Vygqo87E7EsZDDK+"
    "nMkO3Qm1je7Ay4JDDfMMuMtl36O5aFrO/Bn7b1J/sOqc01xchiWdMs0nXl2B5yxpjdNAh5"
    "pbdmFza3n5DFwvbcKDAWYfrcYdEfXs/tjMfHggWCru8giz5CuJnpq6fYs+8QJp3yfgw1bL"
    "pIohX0kwxUKyhKKyjhgkO1WiUpqBa02oKmesAjnPsiVWlOoCwUOInKSPieweol1av+7WXX"
    "ADcDo90ZdkLrfiNGfpGdivMnB0armw1zL03yvgSfTlTEIfiNVIxy+kESVaNqCccOXuVan9"
    "CczWE+gdGRi6JIbILDRJdyzG7hNLsCdv/yIR1NBI7s/NIqCVidaD1EeZVn3cJQsXH4GMsD"
    "e4UIHM5HE5dwF7hoUvXd5R6aYDIo6qAJWovcK4krAidDZtk5qpIUzkS837EnCPd0/GMfn8"
    "RLWWPecziWexqOXvaqxgNzpoOnKZUmKmdQKi/DHyodIjdPWbpDrJTBfXeHrRN74ix5eRbO"
    "S0qPz9cGKmTh0P9b4LaTkx211xlPFUpbYsaDaFkirwhZAqWrkBWvQkZ/DTmPcC7o3PYCXa"
    "G5ByVqVwIo80izPxa7Ra06vciDE/H9cza0a+mQCQvBxFOTaenbNBcL3hPcRuGhpXHTMY3e"
    "h1avzdKCE1/GuNtvt7pNwD/GeND63AT0T9bweJ4wPG9GlYsZYZrzlpjkBncapU3u6hF5c5"
    "utgZfhPkZo3qvz/jfBlQemCKvyaNTrDz6xQSf4ZCUSBr1O773Z7X9mZRI2X8a41W0NPgXn"
    "N4dx+w+d9x9iAPsWIYIr8bEa49kSOvSITtOl3qk06vghxo1/vjVq8mK5xHfotF2G/QREU6"
    "+ju3Wwhd7SWotZR3fr6O7aRHcn5ijIiwKwpzS5gW/5jkhbKLP9czu+5010y3oJIz3Nx//u"
    "4YirMV8OYsWCfO8QjA2S96oZZ0+6vL92PbQwHhH2ZGv86RZnuQv9vK2JHsOSdaVz12f03l"
    "Rqlqwod7DnG7sm3RZuZ577oX7jwHkOuoT3oWunPNiiBHX5OlnUXi9KVikNSF96RxhxV7DG"
    "aQKvsgAand51nxUlve5vnHEbP9wYG4NBf9AE/GOM24POqMPXGKIjNZxxC+S6dD4o83IkIC"
    "qLR9n3Q7ZHYk6l0pe0SeLB+baQB+15KXdnAqKLWezh7iSTie9USyPMQLUnTGlPWCgtLFxW"
    "kMZxZlB1CufcK15WkYDvaEMugSmY2KtLbgP6tJEJJxPiF7UBWxiE7X8BfzJ4kLcOaE9Fzi"
    "OywIo4lnC/8IIwbakpbqkx6ZXcaCkJOYxCqkIhw0rBt0vouqyvmzPozspomFtArdlX2W6J"
    "zMWb1Ow2eiOoynNg49eO8dmgNu0PY9y/MQatETNwz8e4dfWp02uCi4Im7eESHtCCqumlLK"
    "kIoA2p8t2bTt32Y9ldmGOQjn8usQuzjhOpq9lUQrlP7cNB1XRRBHCpxcTgLrXaZDf92oQ7"
    "7LoeWe7JlbFADmVosh7Se9WXsXjfZ83Zc628/k4wktjZ0aWzPDs7CnYuklLN2v4SLme6gP"
    "1aUEPODdY6XQIswvdGZkXqhHtIVLiDtroVt7qZTIVrElKjO4F44Ta3Tng9oglCxxSEPbN8"
    "f90GvgALMLffahOjEq01MzGeUq+RBX0K9Jyc+FC53iMMVC2qCE3pNI0skLiHSNmRtNIKje"
    "IKDQvzI5X3JInRKk/Sjf719ZDtQULu713ksV1EekZr0ARzG1MzeIxvPpjnN/1OjzZZzszz"
    "JaGc87MX8dmL8KzR3rRFk03bq8EX8zP7CctZmyv2G78bg34T/I0cwvZgbnMP8D191YKiTs"
    "8fz8QfvFxi4QahQz32SSr0KDdVX7gNWO337cboNQH7S/t+p9cZfuA7kIdHY9xmxQSCnco3"
    "h2q8FXq35trqeunN5SGeVlPpU0gtZqXFHL2Td4IQa7kqmUbtoVKejg28U4HUlY2PELyWJX"
    "mb4dLZnKlqoyfGcdFszlTvUmmvnkxKYr41X8aIL2q6JyBskxoYVoMNsrgwWiHXY/F/Nmb7"
    "6Ii2O612i5I7n6bkd8ydT7U34dDehHB39hLu5gRCZZPmKI5m7YvRvhjtizmmL+Y0K2zVSA"
    "D0km35sFzSWQqk6d+D/nv6f9LnKcV+EqPJ38cRPCdLZC4RVZuxwA+Vsw/WFlLvh1VgPyw2"
    "/5vIcYSGtZzsNEwzXYDpyGis5mHNgrWTVWkna0Je5fysW0Dtas0k7aQ2sC/zDqWRB3iBTo"
    "ffk3t/uKzWpkfmpbdMSCOPmDa0OXOyeUN6GaOhlzH0MkaRZYzWxPOhR+n3ZcsYmRZnecsY"
    "MGxrOn7hdQw2SQHLZzSD1cyezABkhQyCG4EVdIE4KLEQbozHeDRD4AGt2UrGd9H1swBue+"
    "AOTSF+1QQj4njEdhGYUSQmvFiCy9Y9AORocg+8FQHBgFE0oSO1FILo+SdaANnwXmrIy6AO"
    "M+jVeps+3lnK6msbkLZ11NbV+PtZVhmPQFq4yglXkQSALoKuLOJ/cy13Wp2zVsXm01vs2X"
    "M6HyKcmg7Dkq0E/wJY1VaHrMASOfF1XgjWFk+1h7nlHskCenY7zuz23GEU6g53Jfw6YY2C"
    "ktshpFHaV5bm9BHOfdH2B3K//gZR0aV/Qn3zED59rdfWTPVJb4/ricpD7diBJwJp4SotXC"
    "oa18aizWF2FJZN4LSIlRaxixCukrMUw7SAlRPwXrbptmm03Tn6GI0I/VPQCb/x8lZzw6tQ"
    "t2SnEz5jERZww+9l929twSOw/0Xb9Mj9AKkNgor611Mg5sZm1nqwHvEvF8xslzKyFjnYiw"
    "N1IQAlDCa5Zc+z3qrmvepJRNVJJOO9rhJLgnUg1kmIdw5dT+hTurSnUhdoAlSniIafz88v"
    "Lt6dv754+9ObH9+9e/PT640ndPtSnkv0svOeeUVTQhVUoU0U2Cnp1dtCas9emluPeFDgm8"
    "jr1BuI7tKVu/QLKFNy0231eqwISXgwxoPbXrA5WXgwxld0sG4C9neMR62P9Jx52Wp/bILE"
    "F37F6MUXwmNxoROWgtbhp4LPrFr9PCloYR6m+YgcN7QcymVwJpEvvWLgcg4nqIKqlcTpoF"
    "2Vda1AUmWVrSSq0tSkmESfZ2Zi7oyHbeLlGWsbwF7paopxf/RsNX+xEKb2y3lPQHSi4B7U"
    "+9gKC5cXH2pijNaBq+vAiD6GaC+JvNzMGKMDC4oEFhDfmxBRZXBmakhWJmNIHVTNp9btHQ"
    "RdkUovL70eI+rA7w5VPn+8rrK7GaL/tls+ITKL054gGa/lTassVvuylbaveMx8tcWKQ4r4"
    "dF6jk5OwTsBM6LU6AVOB2I+9EjBjzh/QUjBsldkdLIr4QNYAQVZrp168P+kWYULucqJqsh"
    "zvjqyh84sTQHj7neE1n1mSC9tim2OAC20L3KF7+gb+wnf/ivJOU7E0YfLpgurhvoOsswj+"
    "ajsK5wnuv0ewTnif0q7RNK4+mThH8Vjkbe8RCLiCKpWBaoVZaXXq+Pkvp6MbH6SkFcHhAm"
    "c5lXULp9VWgaP1Lx9S7gXOkuECzudSchOwOtF6iA3fF8iDbFYos16TxOilsn2KmiY0rZLx"
    "YCKsTqDNt3K3Yt73NHZFEfenyfNOm1fU3ZSqPYQcezJriGoOBVfOcmsNxW12mWlyZg+cuS"
    "CdzIqqB6EYVTd8nqwEgTRCTb5euG9ommpvd3rB8PzNmwIrhrSVdMmQX0vPYeylKsFw2LyG"
    "7P7w+nWR9djXr+ULsuzaljXhCYs+y5WzBEQH05RUzp61ys+3/wea+YKh"
)
