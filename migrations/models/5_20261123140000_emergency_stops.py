"""Emergency stops, and what each device confirmed of them."""

from tortoise import BaseDBAsyncClient

RUN_IN_TRANSACTION = True


async def upgrade(db: BaseDBAsyncClient) -> str:
    return """
CREATE TABLE "emergency_stop" (
    "id" UUID NOT NULL PRIMARY KEY,
    "reason" TEXT NOT NULL,
    "esp_id" TEXT COLLATE "C",
    "gpio" SMALLINT CHECK ("gpio" BETWEEN 0 AND 254),
    "triggered_by_id" UUID REFERENCES "user_account" ("id") ON DELETE SET NULL,
    "triggered_at" TIMESTAMPTZ NOT NULL,
    "cleared_by_id" UUID REFERENCES "user_account" ("id") ON DELETE SET NULL,
    "cleared_at" TIMESTAMPTZ,
    "resume" BOOL NOT NULL,
    CHECK ("gpio" IS NULL OR "esp_id" IS NOT NULL)
);
CREATE INDEX "emergency_stop_by_time" ON "emergency_stop" ("triggered_at", "id");

CREATE TABLE "emergency_stop_device" (
    "stop_id" UUID NOT NULL REFERENCES "emergency_stop" ("id") ON DELETE CASCADE,
    "device_id" UUID NOT NULL REFERENCES "device" ("id") ON DELETE CASCADE,
    "confirmed_at" TIMESTAMPTZ,
    "released_at" TIMESTAMPTZ,
    "resumed_at" TIMESTAMPTZ,
    PRIMARY KEY ("stop_id", "device_id")
);
"""


async def downgrade(db: BaseDBAsyncClient) -> str:
    return """
DROP TABLE "emergency_stop_device", "emergency_stop";
"""


MODELS_STATE = (
    "eJztXVtz4ri2/isqXs5MVU5Xd/o2Q586VYQ4aaZpSAHpTM9myqNgBVxtS4xtQrNn93/fkm"
    "zjm2RsQ4gBveCblmy+pcu6aemfhk0MZLkvWhNvAT3iDMiy0QT/NDC0ET0RPT4DDTifRw/Z"
    "DQ/eW7w8DAryUveu59Ab9P4DtFxEbxnInTjm3DMJZqVbGIQEZwBiAyxn0AOm5wIDPZoTBC"
    "zoesCFpgHIA73/glVrkAmt18TTyjUssPn3AukemSJvhhxaz7/+1fDL66bBSkznJmn8+Sc9"
    "M7GBviOXlWGX82/6g4ksIwGST8Pv695qzu91sHfFC7IvvtcnxFrYOCo8X3kzgtelTezx1y"
    "KMHOghVr3nLBhieGFZAbghiP7nR0X8T4zRGOgBLiyGO6P2PyC619D1Xn+kD7WRrjcyPAkp"
    "YiAHtyYEM37ST3X5v5+yT/jf81dv3r/55fW7N7/QIvwz13fe//BfHQHjE3J4eqPGD/4cet"
    "AvwTGOQOUsyMA6tKFlSbENaTajG2KZB294I8I3asb7A/j1+ft3a2zZRR6sw8+tbjfENsIy"
    "7CI+IhlQP6GVGM8MXQpY+rkHCGwOfiPt9xFo97vd1kgD40Z73EghyY8ZAEfou6RFhuVPAT"
    "hWs+26f1vsRu9La9D+2Br89Ln1+8/8ySp40u33rsPihM4P/sTRa3f7FymwEWZACAbXC0Is"
    "BLEY8hhVCvV7SnZcsF/0+90E7BedNK63ny+0wU+vOA9oIdND8fE3Apt+mWdOoFUS7TiZgr"
    "s43CZ+RI5XunHHyRTcxeGGi+96FYkiTldJqghEsrqgvUOhIvg2/RFaC8GceGURKAE1Q5lC"
    "9oGRHldTvuzfXnQ1cDPQ2p1hp99LzIj+w2QTHmitbmaERgwL3ccmifYlfeKZNpIN0nHKFN"
    "pGQPoiPDku5Eedz9pw1Pp8kxhJLqmAx56cJxkR3P3p3c/JcWZdCbjrjD4Cdgn+6Pc4z+bE"
    "9aYOf2NUbvRHg30TXHhEx2SpQyOOSXg7vJVg82JuVGRzklKxudZsLj9squGy1HBpujrVX8"
    "1HAcj5IlacTslYxWUsZCOHAjNZZQFvz6Cj4YXNEe/Qb4N4grKaW7yCOmvMjV5/QIWiJvCP"
    "Y9xqjzpftCbwj2Pc7mqtQad33QTh2RgPtOHtZ34vPEtbMyUimw2/6xbCU29GL1+9y2FmqH"
    "O/Sg9soTZ+zh8l2eYsMJsOdNstNRolySoOSTWTjp94RGK2aIqgbUNcZXoXkO9gjj8cFhzc"
    "FO+gOXGqiXIpUsXnOvM54TpKcvn2tnMpU4JjRCn+Lham8YKR1mfK2wVj+dz02udUnAf8n/"
    "74wfxrD9+EziAfLMH8RBxkTnHowIhLFilIA0fmJa8ocGMeJrLR3ahXO3C59ksmWxaFgP5x"
    "5M9J7daw3brUGhzqezj5toSOoUswD2YagVRwEVBefRogC/K/IQW87ddyXIhz/Mg5ieGWQD"
    "T7yD6303cghlP+l9i72ZtCxCwy+WYh1x1Ce24hiUdeUOoszzE/CcvrLifgpTc66O+4N91A"
    "VNSjX+8CCHxqsJwRF4U+9hl0ASaAv+IMPBAH0BsWwVN2ND1gwxW4R8BB9KuoXkWPWUf+k7"
    "5J4PDfxrd/YU5Pxb3/6/n569fvz1++fvfL2zfv37/95eXabJx9lGdEvuhcM40xMUdvDgJw"
    "EXaJI5xZpRxI0BxTJMCWoRYRqp45+SYa1nOa9ZrkmADdS+OON2b657FIjMlDPk51RB6oPW"
    "PPBKTyFtcElbK6FrFxOGiC6MxbTedNkCr/Re2U3oyGJtcjnlRCjnQKkWSc0DhyJGK/XDFB"
    "uAWC4jzIdEaWtKDDJE4mkdJHSBCaWohks2j6TyOCJYrI88WbpGOX3mO06Puc8tmlX76GMo"
    "AoaJVhl2rwwvSf84sfpWRguWFj9xaNzYJw4/8eFnjCmAX4m9jPm/9v7L8bbzBx5Mm6cBJq"
    "0lV8JxF1rR0n/V4T9Htj3L+6oidXV2N8c/e5CejPGI/619ddrQn8Yz2cI8pL+8TygrFwoL"
    "jdj+gcf4ksD0rspzFCmajAfgxWxeGJySUl3tBJ+2u6AdPhwlsIlL1io0pEXetR5UbrXXLP"
    "anAyxkOtN2oC9sucs596/buudnmtXTIXbXTFnLK/ae0Rux+ejfFVq9Nld/wjHZeotHSp92"
    "9phevTMdZ+v+kMWLHghL7z9kYbDLVLdjM6r8c4RuUEV9jJpJHrEUUl1h9Od3qS0HXimFOz"
    "8mQeUde6290OtUETsF/ayW46+iftK+1f/gmPdxjxWAfaWQa3bGJnv3TCp52l0x51mCgQnd"
    "Pu07rSRrQC/1iPbmMayJ4Tj8Wk6N+QILBFunRGQLmTfvSsRuFtVs6o6NVKsB6CWSBp5MRe"
    "BR7HyFSsQ535OyHMK1exI6doFafrzOmUqamg9y1FdUzuop353xYuEqMqN6rFSLawrB1Ob6"
    "keKhTPQLBlsFAq68GBtdqi4UKpHisOGEo33x2ge0urKYZsPZvtRmBjfTYBKn0/6N12u3lh"
    "WE/rPsEP5nS4whOpByVe4CzficKK6i4tW8yR8pEsAQzDeVgTMVzgkTBtB3BnZGEZYAYf0Q"
    "dAMAIOLT9HTkCR9bLsoL4tooPqFflZV91wC6cIM0AK7O/FrZe1z75A5QN9+LXXboLgZIyz"
    "5kyRmVJsluxpX7SB7ps/o/N6WFOCwULUW+R2yASRMkWWN0UqjbwcDw5NT+MdxLErauRJWs"
    "XpOnMaeh6y557AmydXx2MkShcXLVp1HJGuKJ+P1gRqLio/F5m0NQqa72/Dfk/iRgkJ0iOT"
    "OfHAf4BluofYiHNgZ1Dkw55GODXQsArSsAfwCMMs8mKPk3THNH7sIfx4q2DJzUvf+hiNCP"
    "3Zx8K3OiiWO1/2tq0N5RE5LMZSbkOJFTjbYEMJihYzodzNCLChgQAPNXMBWXgsuSkFI7jj"
    "Z0I1MVjOzMkMUDZ6zSAHKm0jZwATjz1F9K0r4CBoUPhFK7Ke6jU7Xo51KmuxnizVKmuTVW"
    "0sIW2tTSw3HV3rfWz12syCErsY426/zfJ48MMYD1p3TUB/6mEuscx7Bzplgk5iFCcgneaG"
    "mwRQ6LGRtRyIccpTB5MN7SUQDIufImw1WSJzSafbLqLKvyyje7JArnxi0KJ0nGNliwkoLW"
    "Aj16UfBjzmhplwFwyTBvjSbChY/V2IQq3irrG2kydfeGRuTsrYWNYEdZYqamtkmcOVRaCw"
    "xWM6sYkhjxGlc96tPOQeF+wXgd1kDTtF/aLTaw2+inG/ENhZLr6OtNZzR9kfEOZP0tTVau"
    "Mjdn3URpRidqWPCFre7KPpesRZSWUqYckNwhW3Ws04kT7zqYragaioFMa+/I8L/DrAErqA"
    "PnCJTaUpU7QyuSjhGI/xaIbAN7QCpgt+8gnO+EMQZqj7uQlG9ISY7jo9z5I4hutn5+G05A"
    "F4SwL8vueeWszNMaxNrlUmQzXOPuHyjZXrIVuXhF3J5Zg0nZJmKkgziznPqOsi+h3CvHs5"
    "GmuWViULKqe/Rnx4cBCfkef6WvcpzggBseJEVU7YJta34oakAsWRqhzhOD44cGoj7PHQAH"
    "2OnAnCAsEgf2ud/JqOiEO72GxnaT6YuuO6pm7c2+W6QIb0iKDddwY/+IB0sbc0d0uJBJ3a"
    "UqL4lhJBLs8JWYjGl/y0iUlK1eirNvr1+rAKXMjSKj5U5QMPPK3ChBSh4sDeoviexghZwP"
    "pYzuxYzNzILIEYLZHrhQZD8rC2IhZbrFetihOyFT7PhK0Mg8oweKYMg8owqAQAZRg8DE4o"
    "w2DdOKIMg8owWB9olWGwhrKRMgweVaNXhsF68EEZBp+bA3So9vRwo6aS+W1EtCewcGbnOr"
    "KDXOTpVSKwk3QK+2LYq+XtR7y8PYJT6mgo6GIo5ltoSV0GrR15AtQeRvtwByB3Lpz+pEtF"
    "I4LdGIbr0JVlw27uEttv0JRlBZbPXQkiZVmvIDXwYwnEw/JKSiiPNZ0qHPKIRAsT82wkcT"
    "JlIiluIiHYMnFZg1REpKAuDvW/CRarfdJ5L0ZxAkNJ7sznLu6l+OX4lRNUJ4Dhzodj09U5"
    "gjZ0PVFC99xxIkusxovi44WNPMhk6Czo8kyIcRqVDHGLZIjmnMW9sB1yy4w3SSo13pQfb1"
    "ii4SV0kDwlkxx9Ea3iQXkezKBjcBw5aiUYkCFU6JdH36KTpe4iJGj6+aGSCUKVo7vOcZKc"
    "VdynUz4iNk2rOF1nTs8gNgidj3Q0J5NZltfy+KYM4RF5XneWmH095eclry6Wo1RSVZ0Npo"
    "3bHtumutcEwckY9/pfNKZf6Ocvz982QeJyjC+1dvxp4nKMr7SLwW1r8JVdvmuCxCXbu3fQ"
    "6QaPovO0K0bC9qfeM0ZtG3sKg+liblRkc5JSsbl2bC4RKJCNLRNFdQekV58GyJIN5ke9g2"
    "PSzL/w7sn37WDq8zqOGCQ/6HPLxjTklRwZSqUWrWa2cgv3fRSDGsbwbIY2s+PkYcm+hdpg"
    "tNZ2W7QEK32PBK+SYUqajRz6zyeroUfmuTFLkpJneQFMKKTRXUqkl4lnkuxKCjFYVwpYpY"
    "X3M81SppMzsptnAeHeczJygMqFWMVIVJxV2Tireq1rr8doUglitY3iaSghyUhxC0G3Ys6C"
    "BKnic7357C6q9eckpeJy3bhck6Q8CaGyiOBZUuQsJmu20qLhB2B6bihC2nDFNlGZstw69y"
    "sqCS79bdvoPaqQOAbPwDOlLUMQer/DijfLlv80ItQb9BumU+SsuyCVWVhx9H3OIjDoH18z"
    "J4A7aOdhH23wwhQ4fvFDrQp4VmlVbYuRM94+RaDBvpdhHND0tikadTo3SRa4/IQVIc0RuX"
    "F3kZoiPYiXkcDStMqvUzshLKE8U7WoGqOTlErUrjOXfbVIYMHOixSPiFSEePEI8bBb3K9K"
    "GvkyhFuIq4fTlUrY+aKZpTS2AlKFriATgBjsLNJXxEHmFIdS6eZV/rcuKuh/rSe4Gxf5C1"
    "pYYqk//Q7Qu+12G5LBQmG8GePMCClB+HlsSlEohsCYlIjTkFuRopCQzdajIbGRN6O4+jvv"
    "2gvXA9BxzEcEYpvEZY1DJehK2n4Sbqp9Gn7UhsDs2T42BEaOA7GAA8XCeSPqOhuHGu1+76"
    "pz3QT+cYyv+oNrbdQE/nGMmZTe5LL6GA9vL/zL4CQsra8fJK/HuNu5GLQGX5sgOEl30OeJ"
    "1r0nhmAOki9qDMurBY1bLGhUIdJVWHFw2jedA01aXQU2JykVm2vNZhXa89RKqSzlXGlVaa"
    "ukc/VAdudp5/amKA0QNOgflGhKsadneaqS45crpiu1QFCcfgzVdZjH28TAJtibWSswh45n"
    "sqLuGViatL0sPBZvyZoUi7ikd1n05SPrs8I8dzurm0WGtv24Tj+ClNVEHAM5POpzhkyHVm"
    "J4szPgEl99w8yLb7r0PYaBjBfgL9P4i11DqnNNMTKYh58SgqVjesgZY1bplH6ky6pmD9bV"
    "T4htm577gd81DYTpdwcBqjx8Ptg93EbQXVAtnH5CkPr056fI8LcLlW43fvyj1+lCjlaQT1"
    "KkSkCptYDioAkyHyvG1SVIFaPrzWgqBzxCayESlSwCZaE7caoUhx8Y2XFx9bJ/e9HVwM1A"
    "a3eGnUC7X7ORP0z6+gZaq5tS4MuDvC3A9TTdPxW+oYhRTj6IUx1RZM++d0bxt9sQCWebtu"
    "jYpYBWD+x3lhyDVh9kwiqHbIZOoStA9+8FpKOJwJCdHwYYIzsmWHcRCvisCQ9rNg7vwz1Q"
    "kwUS0Yp5gYkmsZxebqHxJ4OiBhq/tMi8EnsiMDKk3M5hRG8wE/F2x74gyAD55zY2iVPxMW"
    "85HMstDXsP0T7igTnVwAsuF0hR1dkNv5dFA9J8slIEt80le0zo7XUPhgMDLl8aqLKVNDYF"
    "Zjs52GH5E1gXtHOsEWY4lN3vIkalIuaLR8zTtyHnEVqCxm3a6BJZHpSIXTFCmUWa/Risiq"
    "Nq9CILToj3r+nQrrlDJiwEE08lG90WC94TVFPjoaVx09G13sdWr61dNkHsYoy7/Xar2wT8"
    "MMaD1l0T0J+04vE8YXgqIqzSHHBoDhqVNPMk2KwiwlREmIoIK2BtXLkesrVHhD2ZyTFZ4i"
    "zX7sjL6ogVLmZ9TC2JmdG6aQswwlCoIGCKhW/xGCg/XQp7Js2osnHZza7eoTZWrcEAdZZj"
    "8/xmitbL5OwMatZ/hUxt9XaXdnpH6AAspuPE6evMAKpFX/WbgP2O8V1r0Ov0rpsgOBljbT"
    "DoD5qAH8a4PeiMOlzlCc/qoevYVJuk80GZzhEjqTN7ats/ZOmF5IifVH6hneNtIA+alsC9"
    "IHeex0jU2rot1taRyWThVItqTpEqJbvWSnbALTqdC/qZ1K2cojom7/JW7vuaxJ+EuSwEqm"
    "AszYVcB1zQQjqcTMiiqA7YwiAo/wH8xcj9ZTSAtlTkPCKD52EXptosSKY0tZpraox7Yo+2"
    "NBggTrIbgfRZ43+2iQWYQ9dlbV2fQVewV4ZcwswQKsm+gqTpEEvQcOn0t1npDUnrPAc2vn"
    "S0O43qtK/GuH+jDVojpuCej3Hr8nOn1wSvC6q0u4u/QjYV00tpUiGBUqTKN286dZuPZRMY"
    "RkQqHKNEAkPlgj5WtamEcB9fsWLbbDMjQecrsQVb26/lqPLTJbtNkJyOpdvfEivRzgNHiF"
    "iUMlFhlofZU+rZfxAs23gtfHSWp2f/mxYqqF8DVvZD4M50AXubn9LC9X2dLgEG4ftUsJwZ"
    "rmglSIUalNZdc62b8bTclgcxihPXuVX8/R5VEDqmIOzp5dtrlvAENMDcdqtUjEqwHpmK8Z"
    "RyTQs55mQmEmuCJ7lSDYzKbJJr5IzdseShFp9uufg0SJ+QRZaFBomhjZEcxZSZjOg5f/u2"
    "QEgPLSWN6eHPUoa6+bwMwkHxI0T31cuXRQKmXr6UR0yxZ5nsIV4Q1Vo0niRGouJJDikZw4"
    "//AiwkJSA="
)
