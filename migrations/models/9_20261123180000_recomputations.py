"""Recomputations, and what readings said before them."""

from tortoise import BaseDBAsyncClient

RUN_IN_TRANSACTION = True


async def upgrade(db: BaseDBAsyncClient) -> str:
    return """
CREATE TABLE "recomputation" (
    "id" UUID NOT NULL PRIMARY KEY,
    "sensor_id" INT NOT NULL REFERENCES "sensor" ("id") ON DELETE CASCADE,
    "start_at" TIMESTAMPTZ NOT NULL,
    "end_at" TIMESTAMPTZ NOT NULL,
    "last_id" BIGINT NOT NULL,
    "calibration_id" UUID,
    "total" BIGINT NOT NULL,
    "state" VARCHAR(16) NOT NULL,
    "library_version" TEXT COLLATE "C",
    "place_at" TIMESTAMPTZ,
    "place_id" BIGINT,
    "track" JSONB,
    "summary" JSONB NOT NULL,
    "undone" BIGINT NOT NULL,
    "seconds" DOUBLE PRECISION NOT NULL,
    "outcome" VARCHAR(16),
    "reason" TEXT,
    "requested_by" UUID,
    "requested_at" TIMESTAMPTZ NOT NULL,
    "ended_at" TIMESTAMPTZ
);
CREATE INDEX "recomputation_of_sensor" ON "recomputation" ("sensor_id", "id");
CREATE UNIQUE INDEX "recomputation_unfinished" ON "recomputation" ("sensor_id")
    WHERE "state" IN ('PLANNED', 'RUNNING', 'TAKING_BACK');

CREATE TABLE "recomputed_reading" (
    "recomputation_id" UUID NOT NULL REFERENCES "recomputation" ("id") ON DELETE CASCADE,
    "measured_at" TIMESTAMPTZ NOT NULL,
    "reading_id" BIGINT NOT NULL,
    "value" DOUBLE PRECISION,
    "conversion_id" INT NOT NULL,
    "quality" SMALLINT NOT NULL,
    "metadata" JSONB,
    PRIMARY KEY ("recomputation_id", "measured_at", "reading_id")
);
"""


async def downgrade(db: BaseDBAsyncClient) -> str:
    return """
DROP TABLE "recomputed_reading", "recomputation";
"""


MODELS_STATE = (
    "eJztXe1z4rbW/1c0fLntTJ7Obrbdbekzzwwhzi53WcgA2XR76bgKVsATW6a2SZb27v/+SL"
    "KN3yRjG0KE0ZdgbB3h/I5ezpvO+adlOwayvB86M38FfccdOU+tNvinhaGNyAXv8RloweUy"
    "fkhv+PDOYu1h2JC1uvN8l9wg9++h5SFyy0DezDWXvulg2rqDQURwBiA2wNMC+sD0PWCgR3"
    "OGgAU9H3jQNIBzT+7/QLs1nBnp18Tz2j2ssPnXCum+M0f+Armkn//8pxW0102DtpgvTaf1"
    "xx/kysQG+oo82oZ+XT7o9yayjBRIAQ27r/vrJbvXw/4Va0jf+E6fOdbKxnHj5dpfOHjT2s"
    "Q++1mEkQt9RLv33RVFDK8sKwQ3AjF4/bhJ8IoJGgPdw5VFcafUwQvE91q6PhhO9LE20fVW"
    "jicRRQLk8NbMwZSf5FU99t/P6Sv8z/nrH9/9+PObtz/+TJqw19zcefct+OkYmICQwTOYtL"
    "6x59CHQQuGcQwqY0EO1rENLUuIbUSzHd0IyyJ4oxsxvvEwPhzAb87fvd1gS78UwTr+1On3"
    "I2xjLKMpEiCSA/UjWvPxzNFlgCWve4TAFuA30X6bgO6w3+9MNDBtdaetDJLsMwfgBH0VjM"
    "io/SkAR3u2Pe8vi94YfO6Muh86o+8+dX77nj1Zh0/6w8H7qLlD9odg4xh0+8OLDNgIUyA4"
    "i+uF41gIYj7kCaoM6neErFmwXwyH/RTsF70srjefLrTRd68ZD0gj00fJ9TcGm7yZb86gVR"
    "HtJJmCuzzcJn5Erl95cCfJFNzl4Yarr3odiSJJV0uqCEUyWdDeo1ARvpv+CK0VZ0+8shwo"
    "ADVHmUH2npI2ayhfDm8u+hq4Hmnd3rg3HKR2xOBhegiPtE4/t0IjioUeYJNG+5I88U0biR"
    "bpJGUGbSMk/SG6aBbyk94nbTzpfLpOrSSXRMCjT87TjAjvfvf2+/Q6s+kE3PYmHwD9Cn4f"
    "DhjPlo7nz132i3G7ye8t+k5w5Ts6dp50aCQxiW5Ht1JsXi2NmmxOUyo2S83m6sumWi4rLZ"
    "empxP91XzkgFwsYiXplIxVXsZCNnIJMLN1HvDuAroaXtkM8R55N4hnKK+5JTuQWWNuDYYj"
    "IhS1QfA5xZ3upPdZa4Pgc4q7fa0z6g3et0F0NcUjbXzzid2LrrLWTIHIZsOvuoXw3F+Qr6"
    "/fFjAz0rlfZxe2SBs/Z4/SbHNXmG4Huu1VWo3SZDWXJMmk42dekagtmiBo2xDX2d455HvY"
    "44+HBUe3xbto6bj1RLkMqeKzzHxOuY7SXL656V2KlOAEUYa/q5Vp/EBJ5dny9sFYtje9CT"
    "iV5AH7T799o/61+weuMygAi7M/OS4y5zhyYCQliwykoSPzknUUujGPE9n4bjyrXfi08Uum"
    "RxaBgPzjKNiTup1xt3OptRjUd3D28ARdQxdgHu40HKngIqS8+jhCFmT/hhDwbtBLsxBn+D"
    "nnTgK3FKL5R/a5nb0DMZyzf4n+Nv2lCDHLmT1YyPPG0F5aSOCR57Q6K3LMz6L2uscIWOut"
    "Dvpb5k03EBH1yNt7AIKAGjwtHA9FPvYF9AB2APuJM3DvuIDcsBw8p5+mD2y4BncIuIi8Fd"
    "GryGfekf+sv8Rx+O/i278w56fi3v/l/PzNm3fnr968/fmnH9+9++nnVxuzcf5RkRH5ovee"
    "aoypPXp7EICHsOe43J1VyIEUTZMiAXYMtYhR9c3ZA29ZLxjWG5ImAXqQwZ0czOSfxzwxpg"
    "j5JFWDPFAHxp4KSNUtrikqZXUtY+Nw0QyRnbeezpsiVf4L6ZTenIYm1iOeVUKOdQqeZJzS"
    "OAok4qBdOUG4A8LmLMh04TyRhi6VOKlESh4hTmhqKZLtouk/rRiWOCIvEG/Sjl1yj9Kir0"
    "vCZ4+8+QbKEKJwVEZTqsUak/+cfflWSQYWGzb2b9HYLgi3/vd+hWeUWYD9Ev3z4/+1Dj+N"
    "t5g4imRdOIs06Tq+k5haasfJcNAGw8EUD6+uyMXV1RRf335qA/JniifD9+/7WhsEn3I4R5"
    "SX9pnlBWPlQv64n5A9/hJZPhTYTxOEIlGB/jFoF8cnJleUeCMn7S/ZAUyWC3/FUfbKrSox"
    "tdSryrU2uGSe1fBiisfaYNIG9C91zn4cDG/72uV77ZK6aONv1Cn7b607ofejqym+6vT69E"
    "7wSdYlIi1d6sMb0uHmcoq13657I9osvCC/eXOtjcbaJb0ZX8uxjhE5weNOMmHkekxRi/XH"
    "M52eJXTdcc25WXszj6mlnnY3Y23UBvQvmWTXPf2j9oXMr+CCxTtMWKwDmSyjG7qx079kwy"
    "eTpded9KgoEF+T6dO50iakg+BTjmljGsheOj6NSdEfECewRXh0hkO5l3n0okbhXU7OqOjV"
    "WrAeg1kgbeTEfg0eJ8hUrIPM/J051CtXcyJnaBWnZeZ0xtRU0vuWoWqSu2hv/reVh/ioio"
    "1qCZIdLGvHM1vqhwolMxDsGCyUyXpwZKO2bLhQZsbyA4ayw3cP6N6QbsohK+ew3QpsYs6m"
    "QCW/DwY3/X5RGNbzuk/wvTkfr/FM6EFJNjgrdqLQprpH2pZzpHxwngCMwnnoEDE84DtR2g"
    "7gLZyVZYAFfES/Agcj4JL2S+SGFHkvyx762yE6SK7IT1l1wx2cItQAybG/l7deSp99gcgH"
    "+vjLoNsG4cUU582ZPDMl3yw50D5rIz0wf8bXclhTwsWCN1vEdsgUkTJFVjdFKo28Gg+OTU"
    "9jE8S1a2rkaVrFaZk5DX0f2Uuf480Tq+MJEqWL8w6tui5PVxTvRxsCtRdV34tMMho5w/ff"
    "4+FA4EaJCLIrkznzwX+BZXrHOIgLYKdQFMOeRTiz0NAOsrCH8HDDLIpij9N0TVo/DhB+vF"
    "Ow5Pajb0OMJg75c4iDbzIolns/9rarDeURuTTGUmxDSTQ422JDCZuWM6HcLhxgQwMBFmrm"
    "AWfl0+SmBIzwTpAJ1cTgaWHOFoCw0W+HOVDJGDkD2PHpU0R+dQ1cBA0CP+9E1nP9zJ6PY5"
    "3KWaxnS7VKx2RdG0tEK7WJ5bqna4MPnUGXWlASX6a4P+zSPB7sY4pHnds2IH/kMJdY5p0L"
    "3SpBJwmKE5BOC8NNQij0xMpaDcQk5amDSZf2CghGzU8dthlkY4n+ZEUXQZ5SeX13lKj3J/"
    "tdElGmj3wfibLlpxsUyn4GaUr2ENq2nPDXATbyPPJiwKcurhlzb1FJix17h5yT9aUo1Al5"
    "iTXJItnNd5bmrIr9akMgs8QmrQFrCdeWA7kjHhOhgQ95giibT3DtI69ZsF+ENqkN7AT1i9"
    "6gM/rCx/2CY8O6+DLROi99guGIMH+Woa5OcjfYrSSNKEVtdh8QtPzFB9PzHXctlKm4LbcI"
    "V8wiuGBE+iKgKmtjI6JSFFf0Lw8EfYAn6AHywHNsIk2ZvFPfZQmneIonCwQe0BqYHvguID"
    "hjD0GU/e/7NpiQC8f0NqmPnhzX8ILMR4zWuQf+kwOCueedWjxTE859S5UlUq2zz3g0Zu35"
    "yNYFIW1iOSZLp6SZGtLMasmyFXuIvAc3p2GBxpqnVYmYqumvMR/uXcR25KW+0X3KM4JDrD"
    "hRlxO2ifWduCHoQHGkLkcYjvcunNsI+4Hxd4ncGcIcwaC4bFFxTw3i0D4KGT2Z96buep6p"
    "G3d2tSmQI20QtIfOjgjvkc73RBeW60jRqXId5ct1hHlSZ86Kt74Up6RMU6pBX3fQb87e1e"
    "BCnlbxoS4fWFBvHSZkCBUHDhYh+TxGyBLWx2pmx3LmRmoJxOgJeX5kMHTuN1bEcgch63Vx"
    "QrZCKUMazpRhUBkGlWFQGQYl4oAyDJ42J5RhUDaOKMOgMgzKA60yDEooGynDYKMGvTIMys"
    "EHZRh8aQ6QpdrXoyJYFXMH8WhP4FDS3nVkF3nI1+tEYKfpFPblsFepAxqcOiCGU+hoKOli"
    "KOdb6AhdBp09eQJUfahDuAOQt+Ruf8JjuDHBfgzDMkxl0bJbeA73AZqijMvivStFpCzrNa"
    "QG9lkB8ai9khKqY022Ctd5RLyDiUU2kiSZMpGUN5E42DJxVYNUTKSgLg/13w7mq33CfS9B"
    "cQJLSeHO563uhPgV+JVTVCeA4d6XY9PTGYI29HxesvzCdSJPrNaL8uuFjXxIZeg86OIsk0"
    "kalWhyh0ST5pLGvdDqw1XWmzSVWm+qrzc0ifMTdJE43ZUYfR6t4kF1HiygazAcGWoVGJAj"
    "VOhXR98im6XuIcQZ+sWhkilClf9c5jhJxirm06keEZulVZyWmdMLiA2H7Ec6WjqzRZ7X4v"
    "imHGGDPK97S3q/2fKLEoOXy/8q6Epmg2nrZkBLgA/aILyY4sHws0b1C/381flPbZD6OsWX"
    "Wjf5NPV1iq+0i9FNZ/SFfn3bBqmvtC7yqNcPH8XXWVeMgO3PXY9HleQ9hcV0tTRqsjlNqd"
    "gsHZsrBArkY8t4Ud0h6dXHEbJEi3mjq2OmBc4wFbRJdz8rAGRH1PpBl71Ejw0G0Fn5d87X"
    "3RAbsj4aDFIQNbvjuBqzThqGUqVTv7k6g1FRUj6oURDUdmhz5VCPS3koNQbjw8q7osU5Kt"
    "1AvKKdIcx0ynPxVEYu3BpGYZfNAq9ikJxmI5f857P12HeWhRFzgpZnReFzKKLRPUKkV4mm"
    "E9QbhhhsOgW009KVivOU2dSg9OZZSHjwjKAMoGoBfgkSFeVXNcpPrqwKcqwmtSBWBVJPQw"
    "VOn1OwEPRqZsxIkSo+y81nb1VvPqcpFZdl47IkKaFSQmUZwbOiyFlO1uxkRcNfgel7kQhp"
    "wzUt4TOnmZ3u1kQSfAoKMpJ7RJtzDZb/aU5GBufgxx473i5b/tOKUW+Rd5jPkbuZgkRmoc"
    "3R1yWN/2H2tbCHEO5wnEdztMUaE+DYl2/qTMqLSquqKEvBevscYS6HPgR0RNvbtljo+dJ0"
    "8sAVp0uJaBoURLCPxCjZRbyKBJalVV5F6YSwlPJM1KJ6jE5TKlFbZi4HahHHiF10TiEmUu"
    "cTyp9PiKbF3bpqTdgsoSoJK9qVKmPLIVXocvJQ8MHOI33luMic40gq3Z5j4sZrmMPrLJNi"
    "gjPCUokmyHuAwU2/3xIsFgrj7RjnVkgBwi9jUxJE/nAsS+IYIbF9iReqVNLKBEJa4GBmBn"
    "qCa+aY3OQO9xcImAaYu84TeWr6C0Htw516qmhHSrm8lBHpmI1I0dDl54sQWjayZKdgTyo0"
    "cNQ4+7frkb8jg2/v5jiX5pbz/Irn69NUJ2CX2zvunvk3Z6kQ5yUNm9cy48k2xvd9GGi2WO"
    "EHvSKiaSKFKw9Xd/bmnGNSKUgauiFpEqCHThftQ3/FCaYud5wtppZ5P2xda4PL3uB9G4QX"
    "U3zb6U3YnfBiisdRm3HU5rM26l19Yfc2l1PcG4wnnX5fu2yDzeUUX3V67FbwOcWdi+FoQm"
    "+EF1Os/XbdG9E74UVWHRAMiuc+00YXJk/3uLnxi5ezmKpJ029v6xnLaFxFzNkQKAmnhoTj"
    "w5q1n9KUyr0mteNl5thLaqCqF5uaplUuNpk5rQK7n9slIUp3XdlQvlPCazmQ3XvK60ObyZ"
    "OnoMQm8sxZqe3m8eR5rfKps4G/gD7w4QPyQhO3iTxxPm1xc1VuU14ztIugsa4VUh7TKWlL"
    "uj14p4hyVUtB7loKcW4Azh6RShwg3hriHAXbN4SxY5OFm8AULPH2yvMBdF2yowDyFQorLV"
    "SgOxY/aJEdk7vfcKwo4fiRdswf0oJZUPjBdSHmcKCcRTOmltqi2R0Ornrv2yD4nOKr4ei9"
    "NmmD4HOK6ZbQZhvDFI9vLoKv4UXUWt88SH+f4n7vYtQZfWmD8EIOW+WdY3DiesRpiqP2Kk"
    "XxDimKVdKzxop6KWv116VJuqvB5jSlYrPUbJZLK5aXscqqJqXyczCr2ghBg/yDAk0p8fSs"
    "SFVyg3ZljWdhc/IyRNehp4hNDGwH+wtrDZbQ9U2WT++MBYISLYzmsKFDimaxIXdpRptHOm"
    "e5kaZ765tm2+kGuXKCrDy0J8c1kMsy6SyQ6ZJODH9xBjwnUN8wPRlteuR3DAMZP4A/TeNP"
    "+h0SnWuOkUFPTdNI1yfX9JE7xbTTIOSVdE0fbLqfObZt+l4UGIswee8w6Q/L53bG4mOBja"
    "C3cpFBXiEsZvr9c9Ts24dKJ70dQw6dLuJoDfkkQ6oEFKkFlNDhUC9XSYpUMVpuRhM54BFa"
    "K56oZDlQFAqcpMpw+J6SNYurl8Obi74Grkdatzfuhdr9ho3sIb0Vn58caZ1+Nsy9Msi7An"
    "w8URH7wDcSMarJB0mqBmVLOHTwKpP6uOpsAfIJGhW5yIvEdnB40KUasjk6hS4H3b9WkKwm"
    "HEN2cWqVBFmTYN1HepUXLWEo2Tp8CPfATiEC+7PRxCncOSaaVH53sYUm2AzKGmiC1jzzSu"
    "IJx8iQcTtHWZLCnYiNO/oGYU3HP3axSZyKj3nH5VhsaTh42qsGL8yZAZ6GVHhQOUMlsxt+"
    "X8chCs8pCyvEChHctTpsk9Djn5IXn8I5pePxxdJAjVM45P/mmO3EYEft1YmnGqktMcWB55"
    "YoSkKWoFJZyMpnISO/htxHaHEGt2mjS2T5UCB2JQhFFmn6x6BdNGrQ8yw4Ed6/ZEO7lq4z"
    "oyGYeK5TKT0Pc7ngPU43Ei8treuerg0+dAZdeiw48WWK+8Nup98G7GOKR53bNiB/sorHy4"
    "Th+QsiXCwcKjnn2CRWuNNUSuWuH5FnmdQHXgX7mELhXh/3vx1ce2GKaGVejQbD0Se66ASf"
    "NEXCaNAbvNf7w1uaJmHzZYo7/c7oU3B/cxm3/9B7/yEmoN8iiuBJfC3HeraELrki23SlOZ"
    "WmOnyIceufb62GTCzPWblk266CfoJEQa+iu1WwhSpprdisortVdHdjorsTexRkSQHoW+pM"
    "wTdWLk9aqFL+uRv3eR112SxmpLf5+N/dH3ANxstFNFnQyt8HYqNkXw3D7Fnd+2vPR7b2iL"
    "Av8vGnW5wVOvpZWx09hinrKp9dX5C+CdcMUVLuoOYbfSYsC7f1nPu+fmPP5xxUCu995055"
    "MHkH1MV+sqi9ckrWSQ1IJr3LjbgrmeM0QS8zA1q9wdWQJiW9Gm6McRs73BRro9Fw1AbsY4"
    "q7o96kx3wM0ZUcxjgbeR7ZD6pMjgSJzOyRdn6IaiQWZCo9pSKJe8fbQD40rUrmzgSJSmax"
    "g7nTmc1Wbr1jhBlSZQmT2hIWcgtz3QrCOM4MVZPCOXeKl5Uk4DsqyMVRBRO1usQ64Io00u"
    "Fs5qzK6oAdDML2v4I/KXlwbh2QkYrcR2SAJ8c1uPXCS5IpTU1yTY1yr2KhpSTJfgRSGRIZ"
    "1gq+XULPo2NdX0BvUUXCzBEqyb5OuSXH4hep2a70RqQy74Gtzz3tViM67espHl5ro86EKr"
    "jnU9y5/NQbtMGbkirt/g48IJuI6ZU0qYhAKVLVhzfZus3HqlWYYyIV/1yhCrOKE2mq2lRB"
    "uE/V4SBiOi8CuJIzMeilUUV209MmrLDr+c5yR6w0G7kEodl6TPpqLmJx3WeF2Ut5Xn93MB"
    "Lo2dGjsyI9Owp2LnOkmrb9NXRneoD+WpBDzgt8nZ4DDIfVRqZJ6rg1JGr0oLRuybVuylOu"
    "T0KodCcoTlznVgdeD6iCkDUFYV+vPl7zhCegARaOW6Vi1IK1YSrGc8o1oqBPjpxTEB8qln"
    "u4gaplBaE52aaRARJ98IQdQSsl0Egu0NAwP6d2TZKYWuZNujW8uhrTGiTO/b2HfFpFZKB1"
    "Rm1gmZiowVN8/UE/vx72BqTJcqGfLx2CObv7Jr77JryrdTdt0WzT9nL0Rb+lP2G4a/2J/s"
    "bv2mjYBn8j16E1mLvMAnxPplqQ1Onl45nYi1c7WLihUKEeuxwq9Ak2dSfchlju+XatDdqA"
    "/iVjvzfojT+wCuTh1RR3aTKBoFL55lKOWaGqNTdW1ksXl4d4Xk+kT1EqNkvN5mhO3nFCrM"
    "WiZJpqB5HyeHTgrQKkymx8gOC1LMh5hCuf5kxlGz0yjMue5kyNLplq9WSOJBZr81WU+LKq"
    "e4KEFqmBYTbY4BQXRk/I82n8n4lpHR1eudN6XVSsfJri3yErnyprwr6tCWF19grm5gSFzC"
    "rNQQzNyhajbDHKFnNIW8xxZthqEAPII9NYwWqHzlJECv4d4L8n/yd5n0roJ2kU+LsYgi1n"
    "ifQlImIz5tihCupg5ShVPawS9bDo/q8j1+Uq1mKw02QK6RJIR0pjPQtrllgZWaU2sib4Vc"
    "3OmiNUptbMoZ1UAfsqcyhNuYcJdDz4Ht38Ybxa675jVS6ZkKY84LGhzZ2jPTek3Bgt5cZQ"
    "bowyboxcnkCOI4OXS1DsykhlMSzrzEgRUV8EzS0XgPYvDyyIzum4a54LozyhilaUQgIS+x"
    "eYa75ucI5SJ45CHMJ1lMaYSrFXavZa0PO5UldRTfIEUZPErgPXJE+eAqi2XeUplaqeKT3l"
    "+LwabEWDekOihnTtIX0CsdTX/c5gwMqwBRdTPLoZBBlUw4spviSLdRvQv1M86Xyk1Y0uOt"
    "2PbZD4wp5og/hBeM2PxqZ+8h67FXxmxeqX8ZOHwSL6I3K9UHOoFmaSpDz1Y41LC85QDVEr"
    "SacsizLLWgGnqgpbSapaW5NkHH2ZnYmaMx7ywBeUoYwIVCXEHVzqK9vmxh8WFGyLSVQ0ww"
    "7Qr7DBLUNZtNTENEoGri8DI/IavIRXRQEkMU3NgAbZsH/miAZn5c8cXvoSqmrwMU6QNEHU"
    "fG7Z3kXQ44n04vwwMUUT8D10ghgXkX/bqx61kaVTliARrtVVqyytsmVLrV8hAmFNZ8U+WX"
    "w80+joOKyiRBJyrYoSOfYokUSdN7TkLFt1qkciY4QgPRDQLNyfNY8pF7uCqJosxtsja8j+"
    "4gYkrP3W8JpbWuWR1gFhNMCDpgHu0D2Zgb+yFKUPaE2P+X6XiqU5Y7UfgU3k8JWLjLOI/P"
    "t8FM4z9L9DsE7YT2XTaJpuP2v7i6bzPKTFoigHWcDgGqJUhlQJzFKLU4/QWvFqlIsNVRsK"
    "de6mzLkbB4cOzmoia45Oia0cQ+tfK2hxq7WObWhZQnATZE2CdR9VaWzkQ7orVPHXJGmUq2"
    "yXk9cJSatiPBiPdp/BzPKyYoshsEDLzcW876js8iLujxPnrTovb7jJdECig1xztmhxFLjw"
    "yVmRygbjNtvUNDGyez65INzMyooHIRtlV3x2lA3EKo0wQk3sL9w1NE222Z12GJ7/9FMJjy"
    "FpJXQZsmeZOmtkUlVAOGzeQHRfv3pVxh/76pXYIUuf5bQJn5uZQiycJUhUME1F4SwnOxxy"
    "M/v2/zUvQ3Y="
)
