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
    "eJztXW9z4ra6/yoa3px2Jrezzbbdlt65M4Q4u5xlIQOk6fZwxkfBAnxjZGrZYWnvfvcryT"
    "b+g2RsQ4ggegPG1s/A75Gl558e/d1YuBZyyHetiR9A3/UG7qrRBH83MFwgeiC6fAEacLlM"
    "LrITPnxweHsYNeStHojv0RP0/BQ6BNFTFiITz176totZ6xYGMeACQGyB1Rz6wPYJsNCTPU"
    "HAgcQHBNoWcKf0/HfstpY7ofe18az2HQJs/xkg03dnyJ8jj97nX/9qhO1N22ItZkvbbfz7"
    "3/TIxhb6gghrwz4uH82pjRwrQ1KI4edNf73k5zrYv+EN2S9+MCeuEyxw0ni59ucu3rS2sc"
    "+/FmHkQR+x2/tewBjDgeNE5MYkhj8/aRL+xBTGQlMYOIx3hg5/QHKuYZq9/sgcGiPTbGzJ"
    "JEakSI5OTVzM5El/KuH/fsZ+wn9dfv/Dux9+fvvTDz/TJvxnbs68+xp+dUJMCOT09EaNr/"
    "w69GHYgnOckMpFsEXrcAEdR8ptjNnNbsxlEb3xiYTfpBsfj+C3l+9+2nDLPhTROvzU6nZj"
    "bhMu40ckZGSL1I9oLeZzC5cjlv7cEyS2gL+R8fsItPvdbmtkgHGjPW7kmOTvWwSO0BdJj4"
    "zbvwbi2J0XhPzpsBO931qD9ofW4JtPrd+/5VfW0ZVuv/c+bu7S+SGcOHrtbv8qRzbCjAjB"
    "4Hrlug6CWEx5CpVj/YHCzov2q36/m6H9qpPn9e7TlTH45nsuA9rI9lF6/E3Ipr/MtyfQqc"
    "h2GqbpLk+3jZ+Q51fu3GmYprs83TD4YtbRKNK4WlpFpJKpwvYBlYrot5lP0AkEc+KN40IJ"
    "qVvIHLNTBj2vrnzdv7vqGuB2YLQ7w06/l5kRw4vZLjwwWt0c4Qv4xfQC7NtCFYSevUaOD8"
    "WU57A5wqkSjtil79iLxe5yej27aBzpvGfdVzhy/PJtnmUbm+50atajOQfWPMt5pj2S+NDz"
    "iblEnjl3A6+CFS1Bn9EQvadhnVbsEPvvZjikZvm9jjqkTLdLI2V9OT44rwF71PlkDEetT7"
    "cZBeSa2oXsymV2/I7OfvPTt9nOv7kJuO+MPgD2EfzR7/GhfukSf+bxb0zajf5osN8EA981"
    "sbsyoZXmJD4dn8qIOVhaNcWcRWoxKy3m6tqW1rIqaVk2MeHEt58EJBdbZmmcNs3Km2ZogT"
    "xKzGS9TXh7Dj0DBwvOeIf+NognaNvhk76Byo62Rq8/oLZUE4TvY9xqjzq/GU0Qvo9xu2u0"
    "Bp3e+yaIj8Z4YAzvPvFz8VE+CCJRI5iK5CA88+f04/c/FQgzdtV9nx/YYifeJb+UFVtkTZ"
    "gLUmk0ysJqDkmKaWzPPCKxEBZlcLGAuM70LoAfYI4/HRGc3BTvoaXr1VPlclAtZ5XlnIk4"
    "Z6V8d9e5lvnOUqCcfIPAtr5jUHWmvEMIls9Nb0NJpWXA/+nXrywsP30UxpBDsgTzk+she4"
    "bjuGdas8hRGuU/XPMbRdkPp8lscjZ5qj242qQzZHsWpYD+cRTOSe3WsN26Nhqc6gc4eVxB"
    "zzIlnEczjUAruIqQNx8HyIH8b0gJb4d3OS/GOX/upZviLcNo9lJCKYFTNAtoiwJS+xiNXP"
    "qym9rh5m7l2FVzBtgmN6MyIUhEBlxlsrrsRufFE+tyi8tFrhPSpw3O+K9kt2Pg+El03Mmj"
    "gwgZwsXSQZIEMUGri6I8sUnc3iQcwFvvzBe758ldFqImBP31BEAQosFq7hIUp3zNIQHYBf"
    "wrLsDU9QA94bh4xt5tHyzgGjwg4DEPPLXX6ft2XtmzfpMg/2yfVLMre/Zass1+ubx8+/bd"
    "5Zu3P/384w/v3v3485uNd3z7UpGbXBSq2J2TRhAmrifU2KQSyGDOKTHtYAEK3548ima2gm"
    "69gZwToUfp3OnOTP88FqnHRcynUWcUbTsy90zxru7Jz6C0N7+M78xDE0Rn3nq+lAxUx8WU"
    "c6ZsWf5y+7SS5VVVQ05sVZFmnLFkCzTisF05RbgFouZ8zcPcXdGGHtM4mUZKLyHBSolSkN"
    "2q6d+NhJYkQTxUb7IJA/Qcw6IvSypnQn/5hsqIoqhXxo9Ugzem/5x/+FpJB5Y7zA7vKdut"
    "CDf+exrgCRMW4N/EXn74n8bxH+MdrrMiXRdOYsu4TkwuQSsdkOv3mqDfG+P+zQ09uLkZ49"
    "v7T01AX8Z41H//vms0QfiuRtBNR/+fWV+wAg+K+/2OzL80UGf9SbP+6HDhBwJjr9yokqCV"
    "HlVujd41j9hHB2M8NHqjJmCvLOj/sde/7xrX741rFvpPPrFg/z+N9oidj4/G+KbV6bIz4T"
    "sdl6i2dG327+gNN4djbPx+2xmwZtEB/c67W2MwNK7ZyeRYjXGM6glE+JBJF1IliFqiP53H"
    "6VlWUrmePbNrT+YJWunH7m5oDJqAvdKH7LZjfjQ+0+crPOB5NCOeQ0MflsEdm9jZK53w6c"
    "PSaY86TBVIjunj07oxRvQG4bsaj41tocXS9Vmuk/mIBAlT0pWcAuRBnqMXdQrvs5BTZ0XX"
    "ovUU3AJZJyf2a8g4BdM5NCrLd+KyqFzNBzmH1ZJWWdLuE/I8Oo2ZLIFUsEq5WNbbaC1tla"
    "VN+ZsEjICK6XF53B5+v9OR7k4vn6ASSKUYdg51TkHXg0WxA4LErMo7awqi+2lhIme6rNSe"
    "qZy5UlYn1mvLJnPmnlhxOme++x6A3Tt6m7NKl8sTm3pmM6TS7we9u263KEn2eYOQeGrPhm"
    "s8kcYh0w0uikORrKlJaNty4cgP7grAOCmOdRGLAN+Na7EBMncDxwJz+IR+BS5GwKPtl8iL"
    "ENuxygPcb48cO7Xy8lX1sOwRWmRufEEUq3wMQPmSWlQ/MIefe+0miA7GeDsoIHL2i537Pe"
    "M3Y2CGQYTkWA2fZDRYiJ4WuTc/A9IO/eoOfe3XqiaDU7N/+QPiLWr6tbJYLWmVJQ19Hy2W"
    "viAmLjfHUxBti4tKCnieyFaUz0cbgJ6Lqs9FNu2Ngu77z2G/JwlGxoD8yGRPfPB/wLHJKX"
    "biAtoZFcW05xnODTTsBnnaI3qEyUpFGfxZ3DmNH0dI4t8r5Xj3wuR4YeIxliWrYFgefFHy"
    "vj6UJ+SxTGW5DyXV4GKHDyVqWs6Fcj93wQJaCPCETQLcwGcV6ykZ0ZmwvL2NwWpuT+aAit"
    "FvRoXtaR+5ANj12VVEv3UNPAQtSr9oXeNzfc2BFzW+lhWNz1Y/n/XJuj6WGKu0i+W2Yxq9"
    "D61em3lQUh/GuNtvsypL/G2MB637JqAvarhLHPvBg16V1K0U4hVop4VJWxEVZmpkrUZiGv"
    "nayWRDewUG4+avnbYJ5H2pRm7CNlJHfffUqA+n+11TVaaLfB/JtkDKNijU/SzalM4hrG05"
    "5a8FFogQ+sOAz0JcEx7eYpoWLx4BBfUpSiF0nQmFLcki3c13l/akiv9qA1BZY1PWgbWEa8"
    "eFwh6PqdIgpjwFyld7XfuInBftV5FPakM7Zf2q02sNPot5vxL4sK4+j4zWS68DOiHOn6Wr"
    "63oIZxxWUkaVYj67Dwg6/vyDTXzXW0t1KmHLHcoV9wjOOcich6iyPjaqKsV5Rf8gILwHWE"
    "EC6AXiLqg2ZYtqJ5QFjvEYj+YIPKI1sAn4JgRc8Isgrs36bROM6IFrk00BsZXrWSSsH8ax"
    "7hT4KxeEzx55bflM51A9QakavnqcfcYFZmvio4UpSWmT6zF5nNZmamgzwZLXkieI/g5hcd"
    "QCi3Ubq8uZVbNfEzlMPcRn5KW5sX3KC0IA1pKoKwm2Adle0pDcQEukrkQ4j1MPzhYI+6Hz"
    "d4m8CcICxaB4L8riO52RhA6xO+XKntqmR4htWg+Lao/AFvSMqD12jVE4RaY4El24mVIGpz"
    "dTKr+ZUlRteOIGovGluLBrFqk7fd1Ov1l7V0MK21gth7py4Em9dYSQA2oJHC1D8nmckCW8"
    "j9XcjuXcjcwTiNEKET92GLrTjRex3ELIerd4Rb5CJVMaLrRjUDsGtWNQOwYVkoB2DL5uSW"
    "jHoGoS0Y5B7RhUh1rtGFRQN9KOwbPq9NoxqIYctGPwpSVAh2rfjLeSq1g7SIR9BYuSDm4j"
    "e4gg36yTgZ3Fae7Lca9LB5xx6YCETmmgoWSIoVxsoSUNGbQOFAnQu6wdIxyAyFI4/UmX4S"
    "aAwziGVXiUZcNu4TrcR2jLKi7L564MSHvWa2gN/L0C43F7rSVU55pOFZ77hEQLE4t8JGmY"
    "dpGUd5G42LFxVYdUAtJUl6f6LxeLzT7pvJdCvIKhpHDmI8GDlL+CuHIG9Qo4PPhwbBOTM7"
    "iAxBcVyy8cJ7bBerwoP14skA+ZDr1NurzKZBqjC03uUWjSXrK8F7aHd5XxJovS40318WYB"
    "J3WIz8E089WZZ+WzV9BD8kJjcvpFWC2D6jKYQ8/iPHLWKghgC6jZr86+Q9UUkyAk6PrFSa"
    "oZoK48r3KGKhcVj6ZVz0XOY7WkVZb0HGKL7YBpoqU7mW/LWp5ZtgU8o5j3wbYb2Ez5RSXZ"
    "y1XeldxKZVd14673sde/7zVBdDDGvf5vBrPszMs3lz82QebjGF8b7fTVzMcxvjGuBnetwW"
    "f28acmyHxk+7oPOt3oUnLcKCf2594JSW8p/hoG02Bp1RRzFqnFrJyYK6RobGf1ifLpI+jN"
    "xwFyZIP5We9LmlU4oyLcNpv9nJCQPVnrhrfspO54xgS6gf/gftmPsT6/xxmTFOYr79mvhv"
    "wmZ8ZSpfXWWzs8xtvBikmN0892U7u1Ee1pGQ+l+mCyTHxftgSL1M+Qr3hmiGrMioJrlZmL"
    "poZBdMvzIq9ieqKxQB7955P10HeXhbmKkpYXRYmLKMaYhILMKnmMkp2eIQabmwJ209J7RG"
    "8j80VZ2cmLCHj0WqycoGqplSmIzq+sml+pVj0LNUaTWhTrrWlfhwmcXSHiIEhq1irJQLWc"
    "1ZYzCeo9z1mklrJqUlakGFdGqSyjeFZUOcvpmq28avgrsH0Sq5ALuGabJ81YTa2HNdUEV+"
    "FWmPQcteY8i1femtGeIVhyc8Ab79Yt/24krDfob5jNkLd5BKnOwpqjL0uW/8P9a9EdIrqj"
    "fh4/ow3emBLHP3zVq4FeVFvV2+EUjLfPkeZy7OVXJzS97cpCny1td5u44kI1MeaMkggOUZ"
    "ImP4hX0cDyWB1VVE4JyxjP1CyqJ+gsUqvaKks5NIsETuyiFSIJSK8MKb8yJH4sHtZVd+PN"
    "A/VmvLJZqTK3AqhmV1ABREz2NtM3rofsGY610t3VPe7ImQW8LnLFPQQ9LFPig/4O0Lvrdh"
    "uSwUJzvJvjrRFSwvDL+JQkmT8Cz5I8R0juXxKlKpX0MoEIC1zM3UAruOaByU3Vdn+OgG2B"
    "meeu6FXbn0t2ndzrThX9SJmQl3YinbITKe664kodUs9GHvYa/EmFDo4aa//2XfJ3YvQd3B"
    "3nsap+xK9Y2SCLegV+uYPzTuy/BEOFvCJs1LyWG0+1Pn7oxUCTeYAfzYqMZkGaVxGv3uTt"
    "pcClUlCudQM5J0KPXajbh34gSKYut5wtQas8HzZujd51p/e+CaKDMb5vdUb8THQwxsO4zT"
    "Bu85sx6Nx85uc2h2Pc6Q1HrW7XuG6CzeEY37Q6/FT4Psatq/5gxE5EB2Ns/H7bGbAz0UHe"
    "HJB0iude08YGJmIS4a4ExcNZgjqnx+9g4xmvJV1FzdkAtIZTQ8PxYc1dt7JIHV5TOvAycR"
    "dL5qCql5uaxeoQm8qS1ondzx2SkBUar+wo36vUuBrMHrzY+LHd5OlVUHIXeW6t1G73eHq9"
    "Vvmi5cCfQx/48BGRyMVtIyKvZC5vrjc6VdcN7SForWullCc4rW0pNwfvlVGud7FQexeLpD"
    "aAYI7IFA6QTw1JjYLdE8LQXdCBm9IUDvGLgPgAeh6dUQD9CKV7XFTAnUoctMiPKZxvBF6U"
    "qP8o2+eP6cEs2HLD8yAWSKCcRzNBK+3RbPd7N533TRC+j/FNf/DeGDVB+D7GbEpo8olhjI"
    "d3V+HH6CBubW4uZD+PcbdzNWgNPjdBdKCGr/LBtQR5PfIC0XF7XRx6j+LQuujZ2ap6GW/1"
    "l6VNb1dDzFmkFrPSYlbLKlZXsNqrpqTxczSv2gBBi/5BiaWUunpRZCp5YbuyzrOoOf0x1N"
    "Zhq4htDBYu9ufOGiyh59u8nt4FTwSlVhirYcO6FKtiQ8+yijZP7JkVZpoe7N6s2k47rJUT"
    "VuVhd3I9C3m8ks4c2R69ieXPLwBxQ/MNs5XRNqHfY1nI+g78x7b+wz5DanPNMLLYqmmW6b"
    "rybB95Y8xuGqa80luzC5vbT9zFwvZJnBiLMP3dUdEfXs/tgufHggWCJPCQRX9CtI3st8+x"
    "W+IhTDrl/Rhq2HSxRGvoJzmoVlCUVlCigEO9WiUZqBa02oKmesATdAKRquS4UJYKnEblJD"
    "xlsPOS6nX/7qprgNuB0e4MO5F1vxEjv8hOJesnB0arm09zr0zyvgSfTlbEIfiNVYxq+kEa"
    "dUbVEo6dvMq1PqE5W8B8CqMzF0WZ2C6OFrpUY3YLp9kVsPtnAOloInBkF5dWScHOidZDlF"
    "d50c0jFRuHjxEe2CtF4JA+GgeupR6a6NpFsX+GtirvnaGNw8puK+bVsH3ANskCBNq8xJvt"
    "E+RMxb6X0sg9PBSP0CZIPBdK14RmMIeJd6qQdFFhOajc5SBeXitP399rXe3pjCLPkr2vd2"
    "Y/Wj0dZTZ+PCH6T865ItueQq4PJQidLaGzJfTzpWyp5SGcollAb0Mkqm+2QaH+G+9sZpIN"
    "ppw2fM/VWFYBeeKwEkKsas0jQku2O0d8UzD13AWwXJbFOYfeYlszrn2XPbTkzV+u5NnIoc"
    "4nrLenV0OuPdPvQZ7jTh4FS8vls1AWpWeiPWYiNJ2iiWAWkpOfILRDpD7vlDdqUrMtlR2X"
    "1K6rsH0XpbORP/S712bXaA2NJkiOx7h/c9ME9CU/9L9M/nDYwc3/DaxZLRVNhNeLiM9KT9"
    "tWFLY7ScUlTHvu+6qCP21nHl9OP3ruZUzJ5p0i/Te9s6dc9w3DgGWdv2FrkXM3dUWgluYW"
    "HMX18aMYJO8p7BdYFluA1Pj3Ptlor2V10bOprEff8EA1FfWAIblcBy8ZjsihVFZ5njEkkZ"
    "qDonGhPIMpxKtn76gBnBMj7uARHPq/Bfq0nOy4vY6W1djUCDMeRAnpReGyFErHy8rHy7hL"
    "6gk6gs5Nzbtr5PiwwJcVAWVWInux2C3OqtOLcvdivn/JG+VLz52wxfd4ZjItva7DRHAbhY"
    "eWxm3HNHofWr02KwiZ+jDG3X671W0C/jbGg9Z9E9AXNRwo/pwqF3PXsSo5dbMo7Vus71t0"
    "bLb6qQr3CULzXp/3v1xRckq5gSnGqjwa9fqDT2zQCd9ZcdxBr9N7b3b796xA7ubDGLe6rc"
    "Gn8PzmMGn/ofP+QwJgn2JEeCU5VmM8W0KPHtFputIzlUUdP0jV+Ptr40weLOIGHp22q7Cf"
    "gmjqdaaKjoAUZ4IFS6ummLNILWalxazreui6HgrFA/eq65GaoyAvB8t+pckNfCvwRNrCVX"
    "Sfm49s3Ue8lZuY/nZyz9v4lucljOw0n/zdwxF3xnx5iJWJD/xDMDZI3+vMOHvWFNc18dHC"
    "eELYl8X4sy0uCgP9vK2JnqLNSipXLZ3Te1OpWbLtGMOVXexaVM56AdfgAYEZK3vzsAZ0zt"
    "5Z4fRQ33HgCjd688ZDV81+tEWlSeVxsri9DkrW2RSGPvSecK11yd2tUniVBdDo9G76bDuq"
    "m/7GGbfxw42xMRj0B03A38a4PeiMOjzGEB+p4YxbIELofFDl4UhBVBaPss8HIsuKW3EmCI"
    "X92crybSEf2k4ld2cKopdD7JOWP5kEXr0Ccjmo9oQp7QmLpIWFYQVpHmcOdU7pnHvlyyqy"
    "6PGOSHc2ii9dFNmAAatyAScTNyhrA7bYEkTe/lfwHwYPK5YC2lPZuhwLrFzPEuSDl4ZpS0"
    "1xS41JT5xCKs2+TUNeZTWVdGidENbXzTkkgkIEcg1zC6g1+xqapuc64u3Jdxu9MVTlObDx"
    "W8e4N6hN+/0Y92+NQWvEDNzLMW5df+r0muBtSZP2cAse0IKq6ZUsqRigDanq3ZtO3fZT1X"
    "pBCUjnP5fPf9Z5IrV6/SmYTRWU+8wOzFRNF2UAVwomhncpFxRTc7DbEXel4xDzGRDfXe7J"
    "lbFAHmVosh7Se50vY/QWsxnSnL1k5PUPFyOJnR1fuiiys+Nk5zJLqlnbX6NwJgHs28LdQ0"
    "gY6yQusFxWGpNvTyLcPbjGHbTVrbjVzWRarYZpCvHKbW694PWIJggdUxD2zer9dRv4CizA"
    "wn6rTYxatJ6ZifGceo0s6VOg5xTkh8r1HmGiallFaEanaWSB1D1Eyo6klVZoFFdoWJqfW3"
    "s36gSt8iTd6N/cDNnu0+50SpDP9o/uGa1BE7AC3dAb49sP5uVtv9OjTZZz83LpUs752bfJ"
    "2bfRWaO9aYsmm7bXg8/mPfsKy1ubK/YdfxiDfhP8hTx3jG9abe4BntJHLSzq9PL5TPyHV1"
    "tYuEHoVI99FhX6lJu6D9wGrPbzdmv0moC90r7f6XWGH1gdgfhojNusmEC3y05uDtV4Kii/"
    "Xj1dL4vUup5yul5GpZ9DXK/IZhapxay0mONn8kGQYi1XJbOoPVTK07GBdyqQek+7IySv5U"
    "neZrjyas5MtdET47jsas5M71Jpl/bcksRia76KEV/WdE9B2EZeMKoGG67iwmiFCN/gwMZs"
    "B/WJcGP2OrfYbfT/3UgozMqPvrK26MuSFYrkixwjeERd1Ffift7gjSkT/MNX7U14UW8C7y"
    "ueYLaVuptTCJVNmqM4mrUvRvtitC/mmL6Y06ywdUYCoJdsK4DVFp1lQJr+Peif0v9Jf08l"
    "9tMYTf4+jmDHXSJziajajAV+qBvHhTJ7Oo/MyWHKoGfloLju3111DXA7MNqdYScSxsbXxC"
    "+yU0mm8MBodfNlMun8byLPExrWcrKzMM10CaZjo7GehzUP1k5WpZ2sKXlV87NuAbWrNbdo"
    "58vSplfrbAWWQepNwFR+fris1qbvOpW3TMgij7hsaHPmZNcN6TBGQ4cxdBijTBhjs0NgIA"
    "tj5FpclNrU2QtKxzHYJAWsgNEMVnN7Ms9swbyCBIiTEkvhxniMR3MEHtGaRTK+ia9fhHDb"
    "Bw9oBvG3TTByPd+1CQJzisQuL5ZAWNwDQI52p8BfuSAcMMou6MiEQhA9/0wBEL2z9HG26e"
    "Odpaq+tgFpW0dtXY0/n1WV8RikhauccBVZANBFkMgy/jfXCqdVh7UqN5/eYd926HyIcGY6"
    "jEq2uvhXwKq2eu4KLJGXXOeFYG3xVHuYW+6xWEDPbseZ3V46jULd4a6CXyeqUVBxO4QsSv"
    "vKspw+QScQbX8g9+tvEDVd+ifUNw/h09d67ZmpPtntcX1ReagdO/DEIC1cpYVLRUNsLNoc"
    "Zkdh2RROi1hpEROEcJ01SwlMC1g5Ae9lm26bRtudo4/RyKUvJZ3wGy9vPTe8CnVLdjrhcx"
    "ZhCTf8Xnb/1hY8AvtftE2P3A+Q2SCorH89A2JubGath/GIfxAwtwllZC1ysJcH6kIAShhM"
    "csuer3qru+5VTyKqTiI573WdXBKsE7FOQrwOJL7Qp3Rlz6Qu0BTonDIafrm8fPv23eWbtz"
    "/9/OMP7979+PObjSd0+1KRS/Sq8555RTNCFVShTRXYqejV20Jqz16WW9/1ocA3UdSpNxDd"
    "pWt36VdQpuS22+r1WBGS6GCMB3e9cHOy6GCMr+lg3QTsdYxHrY/0nHnVan9sgtQHfsXoJR"
    "eiY3GhE7YErcNPhe95tfpllqBF6zDNJ+SRyHKotoIzjXztFQOXDpygGqpWGqeTdlXWtUJJ"
    "VVW20qhaU5NiEn2ZmYm5Mx63iZevWNsA9lquphj3R1+tFiwWwqX9ct5TEL1QcA/qA2xFhc"
    "vLDzUJRuvA9XVgRH+GaC+JorWZCUYnFpRJLHADf+KKKoMzU0MSmUwg56BqPrdu7yFIRCq9"
    "vPR6gjgHfneo8sXjdZ3dzRD926T6gsg8TnuCZLxWN63yWO3LVtq+4jnz9YIVhxTx6TxGJy"
    "dhvQAzpdfqBZgK5H7stQAz4fwRLQXDVpXdweKMD2QNEGS1ds6L92fdIkzIXUFWTZ7j3Zk1"
    "dH7xQghvvzO95p4tcmFbbHMMINC2wAOa0ifwV777V7zuNJNLEy0+XVA9PPCQdRHDv93Own"
    "mG+++RrBPdp7JrNIs7n5U4R/FYFG3vEQq4hiqVg2qFWWl16vjrX05HNz5ISSsXRwHOairr"
    "Fk6rrQJH658BpNwLnCXDBXQcKbkp2DnReogN3xfIh2xWqBKvSWN0qGyfoqYpTatiPpgIqx"
    "fQFlu5Wznvexq7ooz70+R5p80r6m4q1R4aBA4yvqBJULRAIt/motCMo61NFDcvZ8INXVZc"
    "nVlXfmRs0ZsAy7bCbRCowTXz3BUBK9ufc8Nq20qrd4uK5YP4f9P7KJz+YoyUIEtPHAlEzx"
    "f5CZlxI81slPskcrBz0jEPproTHy23OS2bJhxilc4SvukMDLZ54cAY4w/97rV5Zbzv9IZN"
    "kPoQXRkYPeM+vhJ+iK4Yvev4PDscY/qNH3imcXSQnzBeJlNgNRfYYPI0gai5yuJTNkmA/p"
    "rZDNVzzeWx2jentG/uZUKdihnhh553lPJsK8b1OT08LxhQUkyqL5MDSy1Ih1rnYteK3JeY"
    "g+n87z38iYUZsru17H2zZY+laG8vvhvetduGcc3Wym0Ox/i2NRh1PzdB+J5fTkdRHzu3tx"
    "wTHqihWusk3OPq13ytVQWFa9NeW/mCWYCOTsGizpLGDFBrWiprWiwSwNz+tTZtymG1pFWT"
    "9F7VxA4b0CmI45QK35QL2rR4iOVXsOJFpn1A4JoApiJZfLtqlhoX7V8duXiFBa5q3EKXul"
    "LC/S+PrvD3LZ6lBQ7i5iorz4dSwwrLGlSPoOjgSbFahTD7o5X3/UpQR9zz62U65QG3/JpQ"
    "g6qmdpNBam+7cspNZrX80qop5ixSi1lpMYcpSnXEnEVqS0U1KStkqQxZHbMCc2Vz/WJnyt"
    "mmJFrJFUM2AR5aoMUDi/Oy0rphyphk/U9R631W8yiTh/Q6LBNJ0b2CEjuSQns6wNKsEGDZ"
    "pINW7Ot5nC7YIMjTfrnR+7fQ+iwYv1Mtdo/gKWO2/KpPluXLl2TamBdHp0MzcxtF9yLy5Z"
    "y7gPltSxngIr78XJuV6olCkYlCu2IO7YqhP9DGdtU0hyxKT8J7TMLaPVNHFCdh0YnEXK00"
    "Vhal9Sxl9KwW8uzJXKRfRVcK9SqYtNmlUckpPXC8TTqDls0kjLrYfkqK8jNnDd1EXtBx39"
    "rhqg3Y2WSyyx9/LJFNRltJ08n4tex0yR6qCgxHzc+Q3e/fvCmTq/fmjTxZj13bKvfgIyzQ"
    "ROSqYAqi9cCKeuCLTmZf/x+IBpzZ"
)
