"""Libraries on their way to devices, and who takes any."""

from tortoise import BaseDBAsyncClient

RUN_IN_TRANSACTION = True


async def upgrade(db: BaseDBAsyncClient) -> str:
    return """
CREATE TABLE "library_installation" (
    "id" UUID NOT NULL PRIMARY KEY,
    "device_id" UUID NOT NULL REFERENCES "device" ("id") ON DELETE CASCADE,
    "library_name" TEXT COLLATE "C" NOT NULL,
    "version" TEXT NOT NULL,
    "request_id" TEXT,
    "size" INT NOT NULL CHECK ("size" BETWEEN 1 AND 524288),
    "chunk_size" INT NOT NULL CHECK ("chunk_size" BETWEEN 1 AND 1024),
    "crc32" BIGINT NOT NULL,
    "status" VARCHAR(16) NOT NULL,
    "chunks_sent" INT NOT NULL,
    "error" TEXT,
    "started_at" TIMESTAMPTZ NOT NULL,
    "completed_at" TIMESTAMPTZ
);
CREATE INDEX "library_installation_of_device" ON "library_installation" ("device_id", "id");

CREATE TABLE "library_receiver" (
    "device_id" UUID NOT NULL PRIMARY KEY REFERENCES "device" ("id") ON DELETE CASCADE,
    "ready_at" TIMESTAMPTZ NOT NULL
);
"""


async def downgrade(db: BaseDBAsyncClient) -> str:
    return """
DROP TABLE "library_installation", "library_receiver";
"""


MODELS_STATE = (
    "eJztXe2T2ra6/1c0fLntzN5OsmmTlp45MyzrTTghsANs0vTQcbVYC561JWqb3dDe/O9Xkm"
    "38gmRsw26E0RewZT3C/B69PG969E/LJRZy/B86s2AFA+KNyGOrDf5pYegieiF6fAZacLlM"
    "HrKCAN46vD6MKvJat37g0QJafgcdH9EiC/kzz14GNsGsdgeDmOAMQGyBxwUMgB34wEIP9g"
    "wBB/oB8KFtAXJHy39gzVpkRtu18bx2Cyts/7VCZkDmKFggj7bz3/+2wvqmbbEa86VNWn/8"
    "Qa9sbKEvyGd12O3y3ryzkWNlQAppeLkZrJe8rIeDK16RvfGtOSPOysVJ5eU6WBC8qW3jgP"
    "8swsiDAWLNB96KIYZXjhOBG4MYvn5SJXzFFI2F7uDKYbgz6vAFkrKWaQ6GE3NsTEyztcWT"
    "mCIFclQ0I5jxk76qz//9nL3C/56//PHNjz+/ev3jz7QKf81NyZuv4U8nwISEHJ7BpPWVP4"
    "cBDGtwjBNQOQu2YB270HGk2MY0u9GNsSyCNy5I8E268fMB/Or8zesNtuymCNbxh06/H2Ob"
    "YBkPkRCRLVDfo7UYzy26HLD0dY8Q2AL8JsZvE9Ad9vudiQGmre60lUOSf28BOEFfJD0yrn"
    "8KwLGWXd//y2EFg4+dUfddZ/Tdh85v3/Mn6+hJfzh4G1cndH0IF45Btz+8yIGNMANCMLle"
    "EOIgiMWQp6hyqN9SsmbBfjEc9jOwX/TyuN58uDBG373kPKCV7ACl598EbPpmgT2DTkW002"
    "Qa7vJw2/gBeUHlzp0m03CXhxuuvph1JIo0XS2pIhLJVEH7gEJF9G7mA3RWgjXxyiFQAuoW"
    "ZQ7ZO0barK58Oby56BvgemR0e+PecJBZEcOH2S48Mjr9rRkaMSzMEJss2pf0SWC7SDZJpy"
    "lzaFsR6Q/xRbOQn/Q+GONJ58N1Zia5pAIee3KeZURU+t3r77PzzKYR8Kk3eQfYLfh9OOA8"
    "WxI/mHv8F5N6k99b7J3gKiAmJo8mtNKYxMVxUYbNq6VVk81ZSs1mpdlcfdrU02Wl6dL2Ta"
    "q/2g8CkItFrDSdlrHKy1jIRR4FZrbeBry7gJ6BVy5HvEffDeIZ2tbc0g2orDG3BsMRFYra"
    "IPye4k530vtotEH4PcXdvtEZ9QZv2yC+muKRMb75wMviq7w1UyKyufCL6SA8Dxb09uXrAm"
    "bGOvfL/MQWa+Pn/FGWbd4Ks+XAdP1Ks1GWrOaUpJh0/MQzErNFUwRdF+I6y7uA/ABr/PGw"
    "4OiWeA8tiVdPlMuRaj6rzOeM6yjL5Zub3qVMCU4R5fi7WtnWD4xUnSXvEIzla9OrkFNpHv"
    "B/+vUr86/d3QudQSFYgvWJeMie49iBkZYscpBGjsxL3lDkxjxOZJPSZFR78HHjl8z2LAoB"
    "/eMoXJO6nXG3c2m0ONS3cHb/CD3LlGAerTQCqeAiorx6P0IO5H9DCng3bKVZiHP8yDlJ4Z"
    "ZBdPuRe+7mSyCGc/6X2G+zX4oRc8js3kG+P4bu0kESj7yg1lmRY34W1zd9TsBr73TQf+Le"
    "dAtRUY++vQ8gCKnB44L4KPaxL6APMAH8J87AHfEALXAInrNvOwAuXINbBDxE34rqVfR725"
    "H/pL8kcPjv49u/sOen4t7/5fz81as35y9evf75px/fvPnp5xcbs/H2oyIj8kXvLdMYM2v0"
    "7iAAH2GfeMKVVcqBDE2TIgH2DLVIUA3s2b1oWi/o1huSJgH6LJ073Znpn8ciMaYI+TRVgz"
    "xQz4w9E5CqW1wzVNrqWsbG4aEZoitvPZ03Q6r9F8opvVsamlyPeFIJOdEpRJJxRuMokIjD"
    "euUE4Q6IqvMg0wV5pBU9JnEyiZQ+QoLQ1FIku0XTf1oJLElEXijeZB27tIzRoi9Lymefvv"
    "kGygiiqFfGQ6rFK9N/zm++VpKB5YaNw1s0dgvCrX/drfCMMQvwX2IfP/679fzDeIeJo0jW"
    "hbNYk67jO0molXacDAdtMBxM8fDqil5cXU3x9acPbUA/pngyfPu2b7RB+K2Gc0R7aZ9YXr"
    "BWHhT3+wld4y+RE0CJ/TRFKBMV2IfFmjg+MbmixBs7aX/Jd2A6XQQrgbJXblZJqJWeVa6N"
    "wSX3rEYXUzw2BpM2YJ/MOft+MPzUNy7fGpfMRZvcMafsf4zuhJXHV1N81en1WUn4TeclKi"
    "1dmsMb2uDmcoqN3657I1YtuqC/eXNtjMbGJStMrtWYx6ic4AsHmTRyPaGoxfrjGU5PErpO"
    "PHtu117ME2qlh93N2Bi1Afukg+y6Z743PtPxFV7weIcJj3Wgg2V0wxZ29kkXfDpYet1Jj4"
    "kCyTUdPp0rY0IbCL/VGDa2hdwlCVhMinmPBIEt0q0zAsqDjKNvahTeZ+eMjl6tBesxmAWy"
    "Rk4c1OBxikzHOqjM3xlhXrmaAzlHqzmtMqdzpqaS3rccVZPcRQfzv618JEZVblRLkexhWT"
    "ue0VI/VCidgWDPYKFc1oMj67Vlw4VyI1YcMJTvvgdA94Y2Uw5ZNbvtTmBTYzYDKv19MLjp"
    "94vCsJ7WfYLv7Pl4jWdSD0q6wlmxE4VVNX1at5wj5R15BDAO52FdxPJBQOK0HcBfkJVjgQ"
    "V8QL8CghHwaP0l8iKKbS/LAdrbIzpIrchPVXXDPZwizAApsL+Xt14qn32Bygfm+POg2wbR"
    "xRRvmzNFZkqxWXJgfDRGZmj+TK7VsKZEk4VotMjtkBkibYqsborUGnk1HhybnsYHiOfW1M"
    "iztJrTKnMaBgFyl4HAmydXx1MkWhcXbVr1PJGuKF+PNgR6Laq+Ftm0Nwq673/Gw4HEjRIT"
    "5GcmexaA/wOO7R9jJy6AnUFRDHse4dxEwxrIwx7BIwyzKIo9ztI1af54hvDjvYIld299G2"
    "I0IfTjOTa+qaBYHnzb2742lAfksRhLuQ0lVeFshw0lqlrOhPJpQYALLQR4qJkPyCpgyU0p"
    "GFFJmAnVxuBxYc8WgLIxaEc5UGkfOQOYBOwpor+6Bh6CFoVftCPrqX7mwNuxTmUv1pOlWm"
    "V9sq6NJaZV2sRy3TONwbvOoMssKKmbKe4PuyyPB/+a4lHnUxvQDzXMJY5960GvStBJiuIE"
    "pNPCcJMICjM1s1YDMU156mCyqb0CgnH1U4RNkS0yl3S57SOq/MsyumcrFMonFq1K5zlWt5"
    "yA0gEu8n36YiBgbpgZd8EwaYBvzYaC3d+lKPQuboW1nSL5IiBLe1bFxrIhUFmqUNbIsoRr"
    "h0Bhj8d0YRNDniLK57xbB8hvFuwXkd1kAztF/aI36Iw+i3G/ENhZLj5PjM63jrI/IsyfpK"
    "vr3cYNdn0oI0oxu9I7BJ1g8c72A+KtpTKVsOYO4YpbrRacyFyEVGXtQFRUimNf/scHYRvg"
    "EfqAPvCJS6UpW7QzuSzhFE/xZIHAPVoD2wffhQRn/CGIM9R93wYTekFsf5Oe55F4lh9m5+"
    "G05A4EjwSEY88/tZibJuxNViqToZ5nn3D7xtoPkGtKwq7kckyeTkszNaSZ1ZJn1PURfQ9h"
    "3r0CjXWbVicLqqa/Jny48xBfkZfmRvcpzwgBseZEXU64Njb34oakAc2RuhzhON55cO4iHP"
    "DQAHOJvBnCAsGg+Gid4pYaxKFDHLbzaN/Zpuf7tmndutWGwBZpg6B97gx+8A6ZYm9p4ZES"
    "GTp9pET5IyWiXJ4zshLNL8VpE7OUutPX7fSb/WE1uLBNq/lQlw888LQOE3KEmgPPFsX3NE"
    "bIEtbHambHcuZGZgnE6BH5QWwwJHcbK2K5zXr1mjghW+G3WbC1YVAbBs+0YVAbBrUAoA2D"
    "x8EJbRhUjSPaMKgNg+pAqw2DCspG2jDYqE6vDYNq8EEbBr81B+hUHZjxQU0V89uIaE9g48"
    "zBdWQP+Sgw60RgZ+k09uWw19vbG7y9PYFT6mgo6WIo51voSF0GnQN5AvQZRs/hDkD+Urj8"
    "SbeKJgSHMQyrMJRl027hFtt7aMuyAsvXrgyRtqzXkBr4dwXE4/paSqiONV0qPPKARBsTi2"
    "wkaTJtIilvIiHYsXFVg1RCpKEuD/XfBIvVPum6l6I4gamkcOXzV7dS/Ar8yhmqE8Dw4NOx"
    "7ZscQRf6gSihe+E8sU2s54vy84WLAshk6G3Q5ZkQ0zQ6GeIeyRDtJYt7YSfkVplvslR6vq"
    "k+37BEw4/QQ/KUTHL0RbSaB9V5sICexXHkqFVgwBahRr86+g5dLE0fIUHXLw6VzBDqHN0q"
    "x0lyVnGfTvWI2Dyt5rTKnF5AbBG6HploSWaLbV7L45u2CBvkeT1YYvbNkl+UvLpcjlJJUy"
    "obTFs3A3ZM9aANoospHgw/Gky/MM9fnP/UBpnbKb40uumnmdspvjIuRjed0Wd2+7oNMrfs"
    "7N5Rrx89Sq7zrhgJ25/6zBh9bOwpTKarpVWTzVlKzWbl2FwhUGA7tkwU1R2RXr0fIUc2mT"
    "f6BMeswBmlK7bZ6ueEgOyJWj9sspdqscEAklVwS77sh9iQt9FgkMKo2T371Zg30jCUKu36"
    "3ToLLz44UwxqHAS1G9qtIzuPS3ko1QeTzcr7oiXYKt1AvOKVIcp0KnLxVEYuWhpGUZPNAq"
    "9ikJzhIo/+89l6HJBlYcScpOZZUfgcimlMnxKZVaLpJGfiQgw2jQLWaOnTdLcp86lBWeFZ"
    "RPjsGUE5QNUC/FIkOsqvapSfWlkV1JhNakGsD/E8DRU4u0/BQdCvmTEjQ6r5rDaf/VW98Z"
    "yl1FxWjcuKpITKCJVlBM+KImc5WbOTFw1/BXbgxyKkC9fsCJ85y+x0u6aS4GN4aCAto9qc"
    "Z/H8T3PaMwQbPw7Y8G7Z8p9WgnqLvsN8jrzNEKQyC6uOvixZ/A+3r0UtRHBH/Tweoy1emQ"
    "LHb77qPSnfVFrVh7IUzLdPEeby3JuAjmh52xULPV/aZBu44nQpMU2DgggOkRglP4lXkcDy"
    "tNqrqJwQllGeqVpUj9FZSi1qq8zlUC0SGLGL9ikkRHp/Qvn9CfGwuF1XNPJtEe4hrh7PUK"
    "pg50tWlsrYCkg1uoI8FGKwt5G+Ih6y5ziWSnfnmLjxG+bwOsulmBD0sEyiCfoeYHDT77ck"
    "k4XGeDfGWzOkBOFvY1OSRP4ILEvyGCG5fUkUqlTSygQiWkAwNwM9wjV3TG5yhwcLBGwLzD"
    "3ySJ/awUJy9uFeLVW0I2VcXtqIdMxGpLjrivNFSC0bebJTsCcVGjhq7P3bd8vfkcF3cHOc"
    "x3LL+UHF/fVZqhOwyx0cd9/+WzBVyPOSRtVrmfFU6+OH3gw0W6zwvVkR0SyRxlWEqzd7dS"
    "4wqRQkDd2QNAnQ504XHcBgJQimLredLaFWeT1sXRuDy97gbRtEF1P8qdOb8JLoYorHcZ1x"
    "XOejMepdfeZlm8sp7g3Gk06/b1y2weZyiq86PV4Ufk9x52I4mrCC6GKKjd+ueyNWEl3k1Q"
    "FJp3jqPW1sYvJNX5gbv3g6S6iaNPwONp/xjMZVxJwNgZZwakg4Aax59lOWUrvXlHa8zIi7"
    "ZAaqerGpWVrtYlOZ0zqw+6ldErJ015UN5XslvFYD2YOnvH5uM3l6F5TcRJ7bK7XbPJ7er1"
    "U+dTYIFjAAAbxHfmTitpEvz6ctr66P21TXDO0haK1rhZQndFraUm4N3iuiXJ+loPZZCklu"
    "AMEakUkcIF8akhwFuxeEMXHpxE1hCqd4d+UHAHoeXVEAvYXSkxYq0B2LH7TIjilcbwRWlK"
    "j/KNvnn9OCWXDwg+dBLOBAOYtmQq20RbM7HFz13rZB+D3FV8PRW2PSBuH3FLMloc0Xhike"
    "31yEt9FFXNvcPMjeT3G/dzHqjD63QXShhq3ylliCuB55muK4vk5RvEeKYp30rLGiXsZa/W"
    "Vp0+ZqsDlLqdmsNJvV0orVZay2qimp/DybVW2EoEX/oERTSj09K1KVvLBeWeNZVJ2+DNV1"
    "2C5iGwOX4GDhrMESeoHN8+md8UBQqoWxHDasS7EsNrSUZbR5YGNWGGl6sLZZtp1umCsnzM"
    "rDWiKehTyeSWeBbI82YgWLM+CTUH3DbGe07dPfsSxk/QD+tK0/2T2kOtccI4vtmmaRro+e"
    "HSBvilmjYcgrbZo92DQ/I65rB34cGIswfe8o6Q/P53bG42OBi6C/8pBFXyE6zPT7pziz7x"
    "AqnfJ2DDV0upijNeSTHKkWUJQWUCKHQ71cJRlSzWi1GU3lgAforESikkOgLBQ4TZXj8B0j"
    "axZXL4c3F30DXI+Mbm/ci7T7DRv5Q1aU7J8cGZ1+Psy9Msj7Anw8URGHwDcWMarJB2mqBm"
    "VLeO7gVS71CdXZAuRTNDpyURSJTXC00aUaslt0Gl0Bun+tIJ1NBIbs4tQqKbImwXqI9Crf"
    "9AhDxebh53AP7BUicDgbTZLCXWCiyeR3l1towsWgrIEmrC0yr6SeCIwMObdznCUpWol4v2"
    "NvEJ3p+Mc+NolT8THvOR3LLQ3PnvaqwRNzroNnIZVuVM5RqeyGP9R2iMJ9ytITYqUI7ns6"
    "bJPQE++Sl+/COaXt8cXSQI1dOPR/C8x2crDj+nrHU43UlpjhIHJLFCUhS1HpLGTls5DRX0"
    "PeA3QEndt20SVyAigRu1KEMos0+7BYE43q9CILToz3L/nQrqVHZiwEE89NJqVvw1wueE/Q"
    "jMJTS+u6ZxqDd51Bl20LTt1McX/Y7fTbgH9N8ajzqQ3oR17x+DZheDoirNYacGwOGn0M5k"
    "mwWUeE6YgwHRFWwtq49gPkGg8IBzKTY7bGWaHdkdc10UOUQaPyVpoFbZv2AEuWIzA8goI9"
    "k55SsXPbzaF+48BhVzqj4KG3ct7bov0ycrU9rq9tJHUyldBB7wkdgCVTLqXoVWYA1aKvhi"
    "xH0tWQpVsaDaJ0S/xiio3RaDhqA/41xd1Rb9LjKk98pYau41Jtkq4HVQZHikRl9ig7PmRH"
    "thQkTjqlM1sOjreFAmg7AveC3HmeItF76/bYW0dms5VXL6o5R6qVbKWV7IhbdDkXjDOpWz"
    "lH1STv8l7ue0XiT+LzAQSqYOroALkOuKKVTDibkVVZHbCDQVT/V/AnIw+30QDaU5H3gCx+"
    "trXw+MKSZFpTU1xTY9yrmPc9TXIYgVSFvCq1YgGW0PdZXzcX0F9UkTC3CLVkXyf7O3HEOb"
    "N3K70xqcprYOtjz/hkUJ325RQPr41RZ8IU3PMp7lx+6A3a4FVJlfZw8VfIpWJ6JU0qJtCK"
    "VPXuTZdu+6HqoXAJkQ7HqHAonHZBN1VtqiDcZ9ICUzHdEihXFxHl1fsRSk55EvvXumErjT"
    "rzKztsogO/2BHme2IlOs29gYglx9BpzIowe0o9+3eCkUTPjh+dFenZf9NKJfVrwOr+Grkz"
    "fcB+LUxp4Ye+Tp8Ai/Cj2ljODGFK2xotaK1bca2b8bTaMfIpihPXuXX8/TOqIHROQTgwq/"
    "fXbcIT0AAL+61WMWrB2jAV4ynlmg7y7NlCJNZETwqlGpjU2SXXyBl7YMlDbz7dc/Op9EhS"
    "FhokhrZpR5JmI3rOf/qpREgPrSWN6eHPcoY6OqgqIBxVbyC6L1+8KBMw9eKFPGKKPdvKHh"
    "IIT5OTx5OkSHQ8yTElY/j6/1rMYYg="
)
