"""Rules in their versions, what is remembered of them, and what they did."""

from tortoise import BaseDBAsyncClient

RUN_IN_TRANSACTION = True


async def upgrade(db: BaseDBAsyncClient) -> str:
    return """
CREATE TABLE "rule" (
    "id" UUID NOT NULL PRIMARY KEY,
    "name" TEXT COLLATE "C" NOT NULL,
    "version" INT NOT NULL CHECK ("version" > 0),
    "enabled" BOOL NOT NULL,
    "created_at" TIMESTAMPTZ NOT NULL,
    "updated_at" TIMESTAMPTZ NOT NULL,
    "deleted_at" TIMESTAMPTZ
);
CREATE INDEX "rule_by_name" ON "rule" ("name", "id") WHERE "deleted_at" IS NULL;

CREATE TABLE "rule_version" (
    "rule_id" UUID NOT NULL,
    "version" INT NOT NULL CHECK ("version" > 0),
    "definition" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ NOT NULL,
    "created_by" UUID,
    PRIMARY KEY ("rule_id", "version")
);

CREATE TABLE "rule_state" (
    "rule_id" UUID NOT NULL PRIMARY KEY,
    "state" JSONB NOT NULL,
    "execution_id" UUID
) WITH (fillfactor = 50);

CREATE TABLE "rule_execution" (
    "id" UUID NOT NULL PRIMARY KEY,
    "rule_id" UUID NOT NULL,
    "rule_version" INT NOT NULL,
    "step" VARCHAR(16) NOT NULL,
    "why" TEXT NOT NULL,
    "triggered_at" TIMESTAMPTZ NOT NULL,
    "sensor_id" INT,
    "measured_at" TIMESTAMPTZ,
    "reading_id" BIGINT,
    "explanation" JSONB NOT NULL,
    "outcome" VARCHAR(16) NOT NULL,
    "reason" TEXT,
    "place" INT NOT NULL,
    "resume_at" TIMESTAMPTZ,
    "completed_at" TIMESTAMPTZ
);
CREATE INDEX "idx_rule_execut_rule_id_36361a" ON "rule_execution" ("rule_id", "id");
CREATE INDEX "rule_execution_running" ON "rule_execution" ("id") WHERE "outcome" = 'RUNNING';

ALTER TABLE "command" ADD "override_until" TIMESTAMPTZ, ADD "execution_id" UUID;
CREATE INDEX "command_overriding" ON "command" ("override_until")
    WHERE "override_until" IS NOT NULL;
CREATE INDEX "command_of_execution" ON "command" ("execution_id")
    WHERE "execution_id" IS NOT NULL;
"""


async def downgrade(db: BaseDBAsyncClient) -> str:
    return """
ALTER TABLE "command" DROP "execution_id", DROP "override_until";

DROP TABLE "rule_execution", "rule_state", "rule_version", "rule";
"""


MODELS_STATE = (
    "eJztXW1z4riy/isqvpydqtyt2czOzi5z61YR4sxwhoEUkMnOHk75KFgBV4zM+iUMu2f++5"
    "VkG78gGds4RDj6AsbWY+BpWepudbf+bi1tA1nuj52Z50PPdkb2utUGf7cwXCJywLt8Blpw"
    "tYov0hMevLNYexg2ZK3uXM8hJ8j5e2i5iJwykDtzzJVn2pi27mAQAc4AxAZYL6AHTM8FBn"
    "o0ZwhY0PWAC00D2Pfk/I/0toY9I/c18bzyHXxs/ukj3bPnyFsgh9znX/9qBe1106At5ivT"
    "bv373+TIxAb6hlzahn5cPej3JrKMFEkBhp3Xvc2Kneth74o1pL/4Tp/Zlr/EcePVxlvYeN"
    "vaxB77WoSRAz1Eb+85PmUM+5YVkhuRGPz8uEnwExMYA91D36K8U3TwA+JzLV0fDCf6WJvo"
    "emtHJhEiQXJ4amZjKk/yU1327+f0J/zP+U8/v/v51ze//PwracJ+5vbMu+/BV8fEBEBGz2"
    "DS+s6uQw8GLRjHMalMBDu0jpfQsoTcRpj97EZc5tEbnYj5jbvx8Qh+c/7uly239EMerePP"
    "nX4/4jbmMnpEAkZ2SP2ENnw+d3AZYsnPPUFic/ibaL9PQHfY73cmGpi2utNWhkn2vkPgBH"
    "0T9Mio/Usgjt556bp/WvTE4Etn1P3YGf3wufP7K3ZlE17pDwcfouY2mR+CiWPQ7Q8vMmQj"
    "TIngDK4Xtm0hiPmUJ1AZ1u8IrFm0XwyH/RTtF70srzefL7TRDz8xGZBGpoeS429MNvllnj"
    "mDVkm2kzBFd3G6TfyIHK90507CFN3F6Yb+N72KRpHEVdIqQpVMFrZrVCrC36Y/QsvnzIlX"
    "lg0FpO4gM8zeU2izuvLl8Oair4HrkdbtjXvDQWpGDC6mu/BI6/QzhC/hN93xsWdyVRBy9h"
    "JZHuRTnsFmCCdKOKKXfqQvBr3L6fXsvHGk94F2X+7I8durLMsm1u37e70azRmw4lnMM+mR"
    "rgcdz9VXyNEXtu+UsKIF6AYN0Qca1knFDtH/rgdDaprfy7BDinS7JFLUl6ODZg3Yk95nbT"
    "zpfL5OKSCXxC6kV87T43d49odfXqU7//Ym4LY3+QjoR/DHcMCG+pXtenOHfWPcbvJHi/4m"
    "6Hu2ju21Do0kJ9Hp6FRKzP7KqCjmNFKJWWoxl9e2lJZVSssyXR3OPPORQ3K+ZZbEKdOsuG"
    "mGlsghxMw2u4R3F9DRsL9kjPfIb4N4hnYdPskbyOxoaw2GI2JLtUHwPsWd7qT3RWuD4H2K"
    "u32tM+oNPrRBdDTFI21885mdi46yiyACNYKqSBbCc29BPv70S44wI1fdT9mBLXLinbNLab"
    "GF1oS+dEuNRmlYxSFJMo3tiUckuoRFGFwuIa4yvXPgNczxpyOCk5viHbSynWqqXAaq5Cyz"
    "nFMrzmkp39z0LkW+swQoI1/fN40fKVSeKa8OwbK56U0gqaQM2D/9/p0uy98/cNeQA7I485"
    "PtIHOOo3XPpGaRoTSMf7hkNwqjH06T2fhs/FQ7cL0NZ0j3LEIB+eMomJO6nXG3c6m1GNV3"
    "cPawho6hCzgPZxqOVnARIq8+jZAF2d8QEt4N7tIsxhl/9rmd4C3FaPpSQgFA0OWZIyFuiN"
    "HEJi/7We3TGxXjVM5xn0/p8nyZoZT0HThnv5LejoKjfmXZswcLue4YLlcWEoQ7cVqd5UU9"
    "zaL2ussArPXe6KdbFqpkIKIQk1/vAggCNFgvbBdFAUwL6AJsA/YVZ+DedgA5Ydl4Tt9NDy"
    "zhBtwh4FB/MrE+yftulNSTfhMnmuqQwKkLc/5SYqd+Oz9/8+bd+es3v/z69ud3797++nrr"
    "6929lOf05Tne90dYuQi7tsPVP4QSSGGaFGZVm7vdM2cPvMkvp1tvIU0i9CidO9mZyZ/HPG"
    "Uvj/kkqkFrR0fmnqqR5f3SKZTyTRfxBDlohsjMW80zkIKqVR7pXAM7dqzY2iplR5TVkGPL"
    "i6cZp+yyHI04aFdMEe6AsDmL4F/Ya9LQoRon1UjJJcSJ+y8E2a+a/t2KaYnDnQP1Jr38Tc"
    "5RLPq2InJ2yS/fUhlSFPbK6JFqscbkn7MP30vpwGL3T/1+n/2KcOt/7308o8IC7Jvoy8//"
    "1zr+Y7zHEZSn68JZZBlXWWGK0VIvLw0HbTAcTPHw6oocXF1N8fXt5zYgL1M8GX740NfaIH"
    "iXYwlJrWU/sb5g+A7k9/s9cWxJoIphE8awkeHC8znGXrFRJUZLPapca4NLtv4cHkzxWBtM"
    "2oC+0iXsT4PhbV+7/KBd0oXs+BNduv6n1p3Q89HRFF91en16Jngn4xLRli714Q254fZwir"
    "Xfr3sj2iw8IN95c62NxtolPRkfyzGOET3B5T5kwrSgGFFJ9KfzOD1JXpDtmHOz8mQeo6V+"
    "7G7G2qgN6Ct5yK57+iftK3m+ggMWFTJhESHkYRnd0ImdvpIJnzwsve6kR1WB+Jg8Pp0rbU"
    "JuELzL8diYBlqubI9G7ugPiBP+I8xL5CBreY6e1Sl8SFqiivGtROspuAXSTk7sVZBxAqYi"
    "QmSW78ymq3IVH+QMVklaZknbj8hxyDSm03BITs5tvqx30UraMkub8DfzKQElg72yuAP8fq"
    "cj3b1ePk5di1Jr2BlUkxZda1vF9l3EZ1XcWRMQ1U9zwxKTRZIODEzMFGY6sV5bNDQx88Ty"
    "gxOz3bcGdm/IbRoVLpclNvHMpkgl3w8GN/1+Xsjn0y5C4ntzPt7gmXAdMtngLH8pkjbVXd"
    "K22HLkR3sNYBQUR7uI4QLPjiqLAXdh+5YBFvARvQc2RsAh7VfICRG7a5U13O+AGDu5osxl"
    "9bAcsLRI3ficVaziawDSF4gi+oE+/jrotkF4MMW7iwI8Zz/fuT/QvmgjPVhEiI/l8EmGgw"
    "XvaRF781Mg5dAv79BXfq1yMjg1+5c9IM6yol8rjVWSllnS0PPQcuVx1sTF5ngComxxXoK8"
    "4/BsRfF8tAWouaj8XGSS3sjpvv8cDweCxcgIkB2ZzJkH/gss0z3FTpxDO6Uin/Ysw5mBht"
    "4gS3tIDzdYKS+CP41r0vhxhCD+g0KO96fZRomJx0iylcGwrD3F9lAfyiNyaKSy2IeSaHC2"
    "x4cSNi3mQrld2GAJDQRYwKYLbN+j9dcJGeGZoFi7icF6Yc4WgIjRa4dl2kkfOQPY9uhVRL"
    "51AxwEDUI/L6/xqb6m5qTGl5LR+GTV4GmfrOpjibBSu1iue7o2+NgZdKkHJfFhivvDLq0Z"
    "xN6meNS5bQPyIoe7xDLvHOiUCd1KIF6AdpobtBVSoSdG1nIkJpEvnUw6tJdgMGr+0mmbQd"
    "aXKsQm7CLVqu+BGnV9ut8lUWX6yPOQaEOfdINc3c8gTckcQtsWU/46YIlcl/ww4NElrhlb"
    "3qKaFiseATn1KQohVJ0JiS3JPN3Ns1fmrIz/aguQWWOT1oG1ghvLhtwej4nSwKc8AcrWLt"
    "14yG0W7RehT2pLO2H9ojfojL7yeb/g+LAuvk60znPnAZ0Q50/S1VU9hAYvK0mjSlGf3UcE"
    "LW/x0XQ929kIdSpuyz3KFfMILhhIXwSooj42oipFcUX/cEFwD7CGLiAXXHtJtCmTVzuhKH"
    "CKp3iyQOABbYDpgh8CwBm7CKJKo6/aYEIObNPdFhBb247hBvXDGNa+B97aBsGz5760eKYm"
    "VE+QqiKtGmefMMFs43poqQtC2sR6TBantJkK2oy/YpXRXUR+B7d+ao7FuotV5czK2a+xHO"
    "4dxGbklb61fYoLggNWkqgqCbqd1kHSENxASaSqRBiP9w6cLxH2AufvCjkzhDmKQf7Oivl3"
    "apCE6thrcW3em7rjuqZu3C3LPQI70AZRe+wao/Ae6fyV6NytgVI4tTVQ8a2BwmrDM9vnjS"
    "/5hV3TSNXpq3b6be5dBSnsYpUcqsqBBfVWEUIGqCRwtAjJp3FCFvA+lnM7FnM3Uk8gRmvk"
    "epHD0L7fehGLJUJWu8UL8hVKGdJwphyDyjGoHIPKMSiRBJRj8GVLQjkGZZOIcgwqx6A81C"
    "rHoIS6kXIMNqrTK8egHHJQjsHnlgAZqj092kquZO0gHvYFJCXVbiM7yEWeXiUCO41T3Bfj"
    "XpUOaHDpgJhO4UJDwSWGYmsLHeGSQaemlQC1y9oxlgOQu+JOf8I03BhQj2NYhkdZNOzm5u"
    "E+QFNUcVk8d6VAyrNeQWtg7yUYj9orLaE812SqcOxHxEtMzPORJGHKRVLcRWJjy8RlHVIx"
    "SFFdnOq/bMw3+4TzXgLxAoaS3JnP9e+E/OWsK6dQL4DD2odj09UZg0voerxi+bnjxC5YjR"
    "fFx4sl8iDVoXdJF1eZTGJUockDCk2aKxr3QvfwLjPepFFqvCk/3izhrArxGZhivjzztHz2"
    "GjpIXGhMTD8Pq2RQXgYL6BiMR8ZaCQHsABX75dm3iJqiuwhxun5+kGoKqCrPyxyhykTFVt"
    "PKxyJnsUrSMkt6AbFBd8DU0cqeLXZlLY4s2wE2aM27tu0GtlN+Xkn2YpV3BbeS2VXduhl8"
    "GgxvB20QHkzxYPhFo5adfv76/G0bpD5O8aXWTV5NfZziK+1idNMZfaUff2mD1Ee6r/uo1w"
    "8vxcetYmJ/6p2Q1JbiL2Ew9VdGRTGnkUrM0om5RIjGblQfL54+hF59GiFLNJg3el/StMIZ"
    "FuE26exnBYQcyFo/uGUvcccGE2j73p397TDGhuweDSYpiFc+sF+N2U0axlKpfOudHR6j7W"
    "D5pEbhZ/up3dmI9rSMh0J9ME4TP5QtTpJ6A/mKZoawxixvca00c+HUMApv2SzySoYnakvk"
    "kH8+24w9e5UbqyhoeZYXuIgijO4SkF4mjlGw0zPEYHtTQG9aeI/oXWS2KCs9eRYCj16LlR"
    "FULrQyAVHxlWXjK+WqZyHHaFKJYrU17cswgdMZIhaCbsVaJSmokrPccnb9as9zGqmkLJuU"
    "JSnGlVIqiyieJVXOYrpmJ6savgem50Yq5BJu6OZJc1pT625DNMF1sBUmOUesOcdglbfmpG"
    "dwUm5qvPF+3fLvVsx6i/yG+Rw520eQ6Cy0Ofq2ovE/zL8W3iGkO+zn0TPaYo0JcezDd5UN"
    "9KzaqtoOJ2e8fYowl2OnX53Q9LYvCn2+Mu1d4vIL1USYBgUR1FGSJjuIl9HAsli1qiidEp"
    "YynolZVE3QaaRStWWWcmAWcZzYeRkiMUhlhhTPDIkei7tN2d14s0C1Ga9oVirNLQeq2OVU"
    "AOGTvcv0le0gc44jrXR/dY8bt2ELXmeZ4h6cHpYq8UF+Bxjc9PstwWChON7P8c4IKWD4eX"
    "xKgsgfjmdJHCMk9i/xQpUKeplAiAU2Zm6gNdywhclt1XZvgYBpgLljr8lV01sIdp086E4l"
    "/UipJS/lRDplJ1LUdfmVOoSejSzsJfiTch0cFXL/Dk35OzH6anfHObSqn+uVrGyQRr0Av1"
    "ztvLvmX5yhQlwRNmxeyY0nWx+vOxlotvDxg16S0TRI8crj1Zm9Oee4VHLKtW4hTSL02IW6"
    "Pej5nGDqYulsMVrm+bB1rQ0ue4MPbRAeTPFtpzdhZ8KDKR5HbcZRmy/aqHf1lZ3bHk5xbz"
    "CedPp97bINtodTfNXpsVPB+xR3LoajCT0RHkyx9vt1b0TPhAdZc0DQKZ46p40OTK7ucncl"
    "yB/OYlSTHr/axjNWS7qMmrMFKA2ngobjwYq7bqWRanlN6oWXmb1cUQdVtdjUNFYtscksaR"
    "XY/dRLEqJC46Ud5QeVGpeD2dqLjR/bTZ7MghK7yDO5Uvvd48l8reJFy4G3gB7w4ANyQxe3"
    "iVxxJXNxc7XRqbxuaAdBY1MppDzGKW1Lujn4oIhytYuF3LtYxLUBOHNEqnCAeGqIaxTsnx"
    "DG9pIM3ISmYIhf+q4HoOOQGQWQj1C4x0UJ3Kmsg+b5MbnzDceLEvYfafv8MT2YOVtuOA7E"
    "HAkU82jGaKk9mt3h4Kr3oQ2C9ym+Go4+aJM2CN6nmE4JbTYxTPH45iL4GB5ErfXthfTnKe"
    "73Lkad0dc2CA/k8FXe2QYnrkdcIDpqr4pDH1AcWhU9a6yql/JWf1uZ5HYVxJxGKjFLLWa5"
    "rGJ5Bau8alIaP0fzqo0QNMgfFFhKiatneaaSE7Qr6jwLm5MfQ2wdmkVsYrC0sbewNmAFHc"
    "9k9fTOWCAoscJoDRvapWgVG3KWVrR5pM8sN9K0tnvTajvdoFZOUJWH3sl2DOSwSjoLZDrk"
    "Joa3OAOuHZhvmGZGmy75HsNAxo/gP6bxH/oZEptrjpFBs6ZppOvaMT3kTDG9aRDySm5NL2"
    "xvP7OXS9Nzo8BYhMnvDov+sHpuZyw+FiwRdH0HGeQnhNvIvnqK3RLrMOmk92PIYdNFEq2g"
    "n2SgSkGRWkEJFxyq1SpJQZWg5RY00QMeoeXzVCXLhqJQ4CQqI+F7CmuWVC+HNxd9DVyPtG"
    "5v3Aut+60Y2UV6Ks6fHGmdfjbMvTTJhxJ8OlERdfAbqRjl9IMkqkHVEo4dvMq0Pq45m8N8"
    "AqMiF3mR2DYOE13KMbuDU+xy2P3Th2Q04Tiy80urJGBNorWO8irPunmkZOPwMZYHDgoRqN"
    "NHY8GN0EMTXjvL98+QVsW9M6RxUNltTb0apgfoJlnAhSYr8WZ6LrLu+b6XwsgDPBQP0HQR"
    "fy4U5oSmMPWsd8oQdFEiHVTscuCn14rD9w/Kqz2dUeRJovfVzuxHq6cjzcaPJ0T/yTlXRN"
    "tTiPWhGKGiJVS0hHq+pC21HG9cxFF7U7saifXewAVSVPENWvMU28QVjuKaCbaMaoOG/hfW"
    "tekvCHcy//chK3EvJbLyQCeEWNk9erFX2UanGt0RmQ5e0BTLoGQOPn1Ccyyx62I4LhRnMI"
    "F48ewd1Xg9MeJqt17J/+aoe2Kyo/bKU1ChoDumPPCCcfJcBQmU8hUU9xWQb0POI7Q4nZvY"
    "IJfI8qBA7UoARaYMfTHoLRrV6XnrlhHfv2UTGlaOPaOJR3iuUy19l+ZiKSuc20g8tLSue7"
    "o2+NgZdGkxnMSHKe4Pu51+G7C3KR51btuAvGQNj+dJPvEWRLlY2FRz3hGT2K2SRqmFpuqe"
    "FcukkZ9luI8RivfqvP9l8xzzxQamCCvzaDQYjj7TQSd4p4XBRoPe4IPeH97S4mDbD1Pc6X"
    "dGn4Pz28O4/cfeh48xgH6KEMGV+FiO8WwFHXJEpulSz1QadXxXcevv762GPFiu7Ttk2i7D"
    "fgKiqFdeeuWlz18F81dGRTGnkUrMUotZ5TSqnMam5DQm5ijISmHRX6kzA9/wHZ62cBHe5+"
    "oTjXmLtrHg09+N73kd3bJZwkhP8/HfrY+4BvPlIFoi0/fqYGyUvFfDOHvS5f2N66Gl9oiw"
    "J1rjT7c4y13oZ2119BgWai5dsWlB7k2kZoi2ogmiWuk14WbIe6s71fUdNWf3qo1r6q4Y+G"
    "DyyjKJ18mi9mpRskpBbPLQO9w8k4KV/RN4mQXQ6g2uhrQU/9Vw64zb+uGmWBuNhqM2YG9T"
    "3B31Jj22xhAdyeGMWyLXJfNBmYcjAZFZPNI+H6KdwXPq87+krcFr59tAHjStUu7OBEQFJR"
    "/g7rRnM9+pVjwjA1WeMKk9YaG0MHdZQRjHmUE1KZzzoHhZSQK+o21oOaZgYodasQ3o0ww/"
    "OJvZflEbsINB2P49+A+FB9WaAOmpyHlEBljbjsGJBy8MU5aa5JYalV7J7UWTkBeZSZpcWn"
    "dd2tf1BXQ5SVhiDXMHqDT7KpuM2hZ/a8b9Rm8ElXkObH3pabcasWl/muLhtTbqTKiBez7F"
    "ncvPvUEbvClo0taX8ICWRE0vZUlFAGVIle/eZOo2H8vmSscgFf9cPP5ZxYlU6vWnYDaVUO"
    "5Tu88RNZ0XAVxqMTG4S7FFMTkHuz3rrmQcoj4D17NXB3KlLZFDGJptxuRezWWM3GI+R4qz"
    "51x5/cPGSGBnR5fO8uzsKNi5SEo1bfs+XM50Af22oHKyG6x1ujYwbFoWiJVm5u6cVuEOyu"
    "qW3OqmMi1XvymBeOE2t0p4PaIJQsYUhD29fH/dBb4ACzC33yoToxKtDTMxnlKvEQV9cvSc"
    "nPhQsd7DDVQtqgjNyTSNDJC4B0/ZEbRSCo3kCg0N87Mr78QXo2WepFvDq6sx3XnPvr93kU"
    "f3zhtonVEb0OKE0Jni64/6+fWwNyBNVgv9fGUTztnZN/HZN+FZrbtti2bbtpejr/ot/QrD"
    "2ehr+h1/aKNhG/yFHHuKrzpd5gG+J49aUNTp+eOZ2A8vl1i4RahQj0OSCj3CTdUHbguW+3"
    "m71gZtQF9J3+8NeuOPtI5AdDTFXVpMoN+nJ7eHcjwVhF+nmq6XRipdTzpdL6XSLyCeV1Pp"
    "U0glZqnFHD2Td5wQa7EqmUYdoFKejg28V4FU+3kcIXgtS/Iuw6WzOVPVRk+M46LZnKneJd"
    "MOlZmUxHxrvowRX9R0T0DoJgYwrAYbZHFhtEauR+P/TEx3j5xxN6Wscov9Rv/frZjCtPzI"
    "K22Lvq1ooUiW5BjCQ+rCvhL18xZrTJhgH74rb8KzehNYX3E4s63Q3ZxAyGzSHMXRrHwxyh"
    "ejfDHH9MWcZoWtBgmAXDINH5ZLOkuBFP0H0H9P/if5PaXYT2IU+Yc4gi17hfQVImoz5vih"
    "cnZ/3UGqXWAL7AJL538dOQ7XsBaTnYYppgswHRmN1TysWbByskrtZE3Iq5yfdQeoXK2ZpJ"
    "1vK5NcrfAMpZE1PECnw+/JPT9MVhvds63SWyakkUdMG9qeOdm8IbWM0VLLGGoZo8gyRmfm"
    "+dAj9PuiZYxMi7O8ZQwYttUdv/A6Bp2kgOFTmsF6Yc4WANJCBsGNwBq6gB+UWAg3xVM8WS"
    "DwgDZ0JeOH6PpZADc9cIfmEL9qg4nteLbpIrAgSGyzYgkuXfcAkKHte+CtbRAMGEUTOlJL"
    "IYicf6IFkC3vpYa8DKqeQa/R2/SxzlJWX9uClK0jt67Gns+yyngEUsKVTriSJAD0EXRFEf"
    "/ba7nTqkVbFZtPb7BnWmQ+RDg1HYYlW238HtCqrY69BivkxNdZIViTP9XWc8sDkgXU7Hac"
    "2e25wyjkHe5K+HXCGgUlt0NIo5SvLM3pI7R83vYHYr/+FlHRpX9CfbMOn77Saxum+qS3x/"
    "V45aH27MATgZRwpRYuEY1rYt7mMHsKyyZwSsRSi9hFCFfJWYphSsDSCfgg23TXNNrtHEOM"
    "JjZ5KeiE33p5q7nhZahbstcJn7EIC7jhD7L7d7bg4dj/vG16xH6A1AZBRf3rKRB1Y1NrPV"
    "iP+IcLFqZLGNnwHOzFgaoQgBQGk9iyZ1lvVfNe1SQi6ySS8V5XiSXBKhDrJMRrQdfj+pQu"
    "zLnQBZoANSmi4bfz8zdv3p2/fvPLr29/fvfu7a+vt57Q3Ut5LtGL3gfqFU0JlVOFNlFgp6"
    "RXbwepPHtpbj3bgxzfRF6n3kJUl67cpV9AmZLrfmcwoEVIwoMpHt0Mgs3JwoMpviSDdRvQ"
    "1ymedD6Rc/pFp/upDRIf2BVtEF8Ij/mFTmgKWo+dCt6zavXzpKCFeZj6I3Lc0HIol8GZRL"
    "70ioErC85QBVUriVNBuzLrWoGkyipbSVSlqUkyiT7PzETdGQ+7xIsz1raAg9LVJOP+6Nlq"
    "/nLJTe0X856AqETBA6j3sREWLi8+1MQYpQNX14ER+Rm8vSTycjNjjAosKBJYYPvezOZVBq"
    "emhmBlMoY0QdV8at3eQdDlqfTi0usxogn87lHl88frKrubIfK33fIJkVmc8gSJeC1vWmWx"
    "ypcttX3FYuarLVbUKeLTeYxOTsIqATOh16oETAliPw5KwIw5f0ArzrBVZnewKOIDGSMEaa"
    "2dZvH+pFuEcbnLiarJcrw/sobML04AYe33htfc0iQXusU2wwAXmga4Q/fkCXzPdv+K8k5T"
    "sTRh8umS6OG+g4yzCP5qNwrnCe5/QLBOeJ/SrtE0rjmZOEfxWORt7xEIuIIqlYEqhVlqde"
    "r4+S+noxvXUtLKxuECZzmVdQen1FaOo/VPHxLuOc6S8RJalpDcBKxJtNax4fsSeZDOCmXW"
    "a5IYtVR2SFHThKZVMh6Mh1UJtPlW7k7M+4HGLi/i/jR53mvz8rqbTLWHRr6FtG9o5uclSG"
    "TbnOWacaS1jqLmxUy4sU2Lq1PryguNLXITYJhGsA0CMbjmjr12wdr0Fsyw2rXSqt2iZPkg"
    "9t/UPgqnn4yREGThiSOGqPkiOyFTboSRjWKfRAbWJB2zNtXd9dBql9OiYcIBVuoo4aveSK"
    "ObF460Kf447F/qF9qH3mDcBokP4ZWRNtBuoyvBh/CKNriMztPDKSbf+JFFGocH2QnjeSIF"
    "1guODSYOEwibyyw+aYMEyK+Zz1E111wWq3xzUvvmnmepUzIjvO55RyrPtmRcN+nhecYFJc"
    "mk+jwxsMSCtIh1znetiH2JGZiK/z7An5gbIbtfyz40WvZYivZu8t34ptvVtEuaK7c9nOLr"
    "zmjS/9oGwXs2nY6gPvWurxkmOJBDtVZBuMfVr1muVQmFa9teWfmcWYCMTv6ySkpjCqg0LZ"
    "k1LboSQN3+lTZtymCVpGWT9EHVxOpd0MlZxym0fFNs0abDlljegzUrMu0BF25cQFUkg21X"
    "TUPjwv2rQxcvt8BVhVuoUldSuP/FqyvsfYdnYYGDqLnMynNdalhuWYPyKyhq8SRfrUKY/t"
    "HS+37FqCPu+fU8nbLGLb9mxKCqqN2kkMrbLp1yk8qWXxkVxZxGKjFLLeYgRKmKmNNIZanI"
    "JmWJLJUxrWOWY65sr5/tDTnblkQrmDFkusBBS7S8o+u8tLRuEDImyP/Ja31INo80cUgvwz"
    "IRFN3LKbEjKLSnFljaJRZYtuGgJft6FqcKNnDitJ9v9P4SWJ8543eixf4RPGHMFs/6pFG+"
    "LCXTxKw4OhmaqdsovJcrTufcB8xuW0oBZ9Hlp9qsVE0UkkwUyhVTtyuG/EATm2XDHNIoNQ"
    "kfMAkr90wVUZyERccTc7nSWGmU0rOk0bM6yDFnC55+FV7J1atg3GafRiWmtOb1NuEMWjSS"
    "MOxihykp0s+cFXQTcUHHQ2uHyzZgp4PJzt++LRBNRloJw8nYtfR0SR+qEgyHzRvI7k+vXx"
    "eJ1Xv9WhysR6/tlHvwEOZoImJVMAFRemBJPfBZJ7Pv/w8AUaag"
)
