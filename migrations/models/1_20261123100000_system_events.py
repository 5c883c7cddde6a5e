"""What happened that a grower should know of."""

from tortoise import BaseDBAsyncClient

RUN_IN_TRANSACTION = True


async def upgrade(db: BaseDBAsyncClient) -> str:
    return """
CREATE TABLE "system_event" (
    "id" UUID NOT NULL PRIMARY KEY,
    "kind" TEXT NOT NULL,
    "severity" VARCHAR(16) NOT NULL,
    "message" TEXT NOT NULL,
    "esp_id" TEXT,
    "details" JSONB NOT NULL,
    "occurred_at" TIMESTAMPTZ NOT NULL,
    "occurrences" INT NOT NULL CHECK ("occurrences" > 0)
);
"""


async def downgrade(db: BaseDBAsyncClient) -> str:
    return """
DROP TABLE "system_event";
"""


MODELS_STATE = (
    "eJztXWtz2rga/isaPnVnOJ02aZsue+bMOOC0bAlkgGz2wo5XwQp4YkvUlkM5e/rfjyTb+I"
    "Ls2AayBvwFjKxXNs8rS+/dfzcsoiPTea1MqQspsYdk2WiBvxsYWogdyE43QQMuFuFJ3kDh"
    "vSn6Q7+j6HXvUJs1sPYHaDqINenImdrGghoE894KBgFBE0Csg+UcUmBQB+joyZgiYEKHAg"
    "caOiAPrP01H1YnUzaugWelR3Cx8dVFGiUzROfIZuP88UfD668ZOu8xWxik8eef7MjAOvqG"
    "HN6H/1w8ag8GMvUYSB6NaNfoaiHaupheiY78ju+1KTFdC4edFys6J3jd28BUXBZhZEOK+P"
    "DUdjli2DVNH9wARO/2wy7eLUZodPQAXZPjzqm9GwjbGprWH4y1kTrWtMYGTwKKCMh+05Rg"
    "zk92q4749zN+C/86e/vu4t3H8w/vPrIu4jbXLRffvUuHwHiEAp7+uPFdnIcUej0ExiGogg"
    "UbsI4saJqp2AY0z6MbYJkFb9AQ4htO45cD+Pzs4sMaW/4jC9bRtdLrBdiGWAaPiIfIBqhf"
    "0EqO5wZdAlh2uwcIbAZ+Y/XXMWgPej1lrIJJoz1pJJAU3xsAjtG3lBkZ9D8F4PjIluN8NX"
    "lD/xdl2P6sDF9dK7/+IM6s/DO9Qf9T0J2w/cHbOPrt3uAyATbCHAjJ4npJiIkglkMeoUqg"
    "fs/Ijgv2y8GgF4P9spvE9fb6Uh2+eit4wDoZFEXX3xBsdmfUmEKzINpRshruInAjDokG6S"
    "bgHXaGGhZKQzxKmcBc90lfBwfHxYBx91odjZXrmxgXOmy15mfOYutM0Prqww9xHq0HAXfd"
    "8WfAf4LfB31VwEkcOrPFFcN+498b/J6gS4mGyVKDehSToDloirHZXegl2RynrNlcaTY/Qd"
    "OVyAVXJoEpgsGaIsHZB05yXNzsDG4veyq4Gart7qg76MfZJ07GV8uhqvQSy6XhaEwYNZ4k"
    "IGduTzG6en/Kvz8hC9kMmOlqE/D2HNoqdi2BeJfdG8RTtCmGRQeosvjb6A+GTG1qAe97gp"
    "X2uPuL2gLe9wS3e6oy7PY/tUBwNMFDdXR7LdqCo6RpIkWps+A3zUR4Rufs59sPGcwMBOi3"
    "yYUtEK3PxKk422wX8+1As5xCq1GcrOSS5FsfDuA52cWKxA1LDEHLgrjM9i4h38EefzgsOL"
    "gt3kYLYpcT5RKkNZ+rzOeYHTjO5dvbbkfO4RhRgr+ua+ivOWl1trxdMFbsTecep6I8EP/0"
    "+3duLH94lFp2PbAk+xOxkTHDgTUyKlkkIPW9Eh0xkO+TOExkw9bwqbbhcu1kiM8sBgH748"
    "jbk9rKqK101IaA+h5OH5fQ1rUUzP2dRiIVXPqUV1+GyITib6QC3vZGOS7EBX7kjERwiyG6"
    "eco6s5ItEMOZ+Ev82vxKAWImmT6ayHFG0FqYKMW9JunVzPKyTYP+miMI8nnb7oRrTEdM1G"
    "N37wAIPGqwnBMHBQ6zOXQAJkBcogkeiA1Yg0nwjH8bFFhwBe4RsBG7K6ZXse9Nr9xeryTx"
    "3m3jqLs0Zqfiq/vx7Oz8/OLszfmHj+/fXVy8//hm7VjaPJXlZrrsfuIaY2yPft6j5yDsEF"
    "u6s6ZyIEZzTG69Lf2mIarUmD7KlvWMab0mOSZAX2RyRycz+/NYJsZkIR+lKgV+xQT/fwZ7"
    "LiAVt7jGqGqrax4bh42miO285XTeGGntv6ic0ruhoaXrEXuVkEOdQiYZxzSODInY65dPEF"
    "aA311EjM3JknW0ucTJJVJ2CknizHKRPC+a/t0IYQnDazzxJu7YZW2cFn1bMD477M7XUPoQ"
    "+bMyeKQaojP75+LH90IycLphY/cWjecF4ca/H1w85cwC4kr8491/Gi//GD9j4siSdeE00K"
    "TL+E5C6ko7Tgb9Fhj0J3hwdcUOrq4m+ObuugXYxwSPB58+9dQW8L6r4RypvbR7lhd014by"
    "eT9me3wHmRSm2E8jhGmiAv/Q+RCHJyYXlHgDJ+2PyQnMlgvqSpS9fKtKSF3pVeVG7XeEZ9"
    "U/mOCR2h+3AP/kztkv/cFdT+18UjvcRRv+4k7Zn9X2mLcHRxN8pXR7vMX7ZusSk5Y62uCW"
    "Dbg+nGD115vukHfzD9g1b2/U4Ujt8MbwuBrrGJMTHOlDlhqGGlKUYv3hPE57iUMltjEzSm"
    "/mIXWlH7vbkTpsAf7JHrKbrvZF/Y09X96BiHcYi1gH9rAMb/nGzj/Zhs8elm573OWiQHjM"
    "Hh/lSh2zAbzvajw2ho6sBaE8JkV7RJLAltQ4eAnlTp6jf9QovE0YfB29WgrWQzALxI2cmJ"
    "bgcYSsjnWoMn+nhHvlSj7ICdqa01XmdMLUlNP7lqA6JnfRzvxvroPkqKYb1SIkW1jWDudp"
    "KR8qFE0n3jJYKJHCfGCzNm+4UOKJlQcMJafvDtC9ZcPkQ7aa0/ZZYCPPbAxUdn3Qv+31ss"
    "Kw9us+wU/I5v6BVA9KtEMz24kSdM3nR7mbE2BBHQFhJnUAcSnPsme4+S1eSr6BwXJuTOeA"
    "8Zy2/GR8NpuaABPKzyJ21RVgioHOOCWLJtrXZXYcSnQqcUR7y/nnc7KsmSWgrbSR5aarqf"
    "3PSr/NzYqRHxPcG7R5Dor4muChctcC7KMahhPTuLehXcRgEqE4AYNjpqnEh0KLrKzFQIxS"
    "njqYfGkvgGDQ/RRhq0h4R4dttz1EKUorLRTvkCmf6KwrW+d433wCigIs5DjsxgDlEclT4p"
    "q6kAZEWDGURC7noqgjkCsdKJguX1CyMKZF/GZrgipLFZX1my3gyiRQOuMx29jkkEeIkvna"
    "K4qc44L9koMWhZ2hftntK8Pf5LgH/aNWlMvfxqryT3uIDwjzvUz1OlL2iA3plRGleNrUZw"
    "RNOk8VpuJdnhGnRGrhXPTOJ1CN5whgtEQOBV5SMzfEQD+h6ydAMJOSyBIskO23bUpY5YbY"
    "QuSqVkJvVV3+W8S6Viozvl779hgOsHIosjQeR1ioCGKSrpYwSkgY7kJUaHEQuw9pHneGFr"
    "lJWyeflU0+e7CR2DMX2lofyc8ICXHNibKcWBoPhmY7jqHp91YxPmyQ1lwoywUHPiBN7rjJ"
    "rMwWo6srs+WvzOanxE+JiyXyVnb2cZyynvRlJ/06zKIEFzZpaz4U4cNW2vjzVYgGGI0J+8"
    "gZ+LJVDaIqKIM7r0C0AxtHpnUjp10jr4cozU6h7Mj8UOfbvoQNAjkLqYUn1TUcEuxGG63C"
    "o1zKpf4IjbQI1nSNPkZUq/Ml1PkXfZFExWSFl8aabRU2eSr8IokoWa2g5FdQCDYNXFQdDI"
    "lqqPND/V+C5Z6N9IUkQlKvJcXXEmPBLea8JEsR0ONUNe7FcX8wbIupFyg9jjIdfRltzYPi"
    "PJgz9U7gKFArwIANwhr94uiLivEOQpKpn6PUfEBYp2lW2cNa59WfBJvrt0IdLZsLWKc33Q"
    "lblmc/zhRXifNrS5xGYpAjQ6lQ5GFEpltH/8nxDNwhz6MqiT08SEFCDm0BH8bQyzBNcWJE"
    "zjazvBh+nmpeN4bfnd0MtG2ybPKEV4tgOjdXYAFtavCuThMsDcY7l/Jy+zzDGzyileMV33"
    "/im4zUEbKzsSd4gttiL3MAd6yJpF1i68jmQaB0jgybDaLTeRM4xMvAwTwg1HDYdXQd6a/B"
    "X4b+F/8NHYddAungfsUJwdI2KLInmA86Yzfp8KH5ifXwvICrQZ2fRKv3cgK64kO98haVJu"
    "BbJrAQdFwb6ewW/GLdP1Q16afyfolqZP0EHC0hbiVIa3mrcvJWnYRxioyuXwDwMgV9X75i"
    "cjVlwn3hW79F5KXFhPp1RPsthxbWECqG7AZdja4E3a8uZKuJpBLLyIKmmQpuhOyYYD0/u/"
    "iwRpT/yAJzdK30epuIWohCrjlsQvrzaNBP0wpCmqSkaEwp+B8wDecA1+EM9DgY2R6tpPMq"
    "IfbxAS6rU5YkNAFKTDQx+2C6hcbbDPIaaLzeMvNK5IzEyPBHPAB3tjCIECu8nShwqAbRBX"
    "9uY5M4lSoke6tfFjCnyNoc0NQLs1Q8k4capIb1JqhOITQ1M7o3NVYpFcFt45SOCb0XDdI9"
    "MOCypYEyCc7S2m7pYJ9QcbedY40wx6FoQHSEqg7SzR+kWwf1lJr3h2aUroN6ToLN1SonVF"
    "3Gli/6n5aZW7go/Va5udVAdufZuS9nYRFFf9QnhGmamSXeo5lpa/FKCCHeOZ/FZUQsROcM"
    "Yi+OZM7GZjNAD8I//CARHrIi4j68GvL8nIcosOCKF32d8fiT+xVgy8Gm7WZP16izjSuwQD"
    "Uz7DyPBi6WLuv3r/XCErqKw9/bIHV65HztaYS+ygxgmsPVoAX45wTfKcO+eAmqfzDB6nA4"
    "GLaA+Jrg9rA77oo3BgRHycUpxUC351cF+NWzizwcEZIqs6eyz0da6YN0xLesfXDithMdUW"
    "iYEpNqusMwQrKVv/CApvrOHIaxzPLp1LXLRXImSGslu9JKts8ttp1LnrNUV1qC6pg8alu5"
    "LCvicw/eESdRBSOvj0vXAcUr2OB0XTYth9cdA7//T+AvTu6lDgA2U5H9hHSwJLbsJSC5yW"
    "pNreKaGuee3IuX/tKgCMmJ14ZaQMfhc12bQ0eSI5YuYW4Q1pJ9mZdKEFMycdn297zSG5BW"
    "eQ9s/NJV71Sm076d4MGNOlTGXME9m2Clc93tt8B5TpV2dzEnyGJieiFNKiCoFakSZbnY3v"
    "JUtE5USFS7oGsXdK02lSs4wHNhofw1AgXy6NveKMeX7L0vDUhBtjGdNyQKkH+mmaX/wLDP"
    "c5pPOgz1K4+rFTKcWs6MOzdSUuy2rGJWtRU47pM4e/8+h1OC9Ur1SohzGxVAiyDsdz9CdN"
    "++eZPH5fPmTbrPh5/byPmiSFYGP90iHiGpLeKHlELz/f8rYW20"
)
