"""Calibrations, guided ones, parameters of sensors, and which calibration made a value."""

from tortoise import BaseDBAsyncClient

RUN_IN_TRANSACTION = True


async def upgrade(db: BaseDBAsyncClient) -> str:
    return """
ALTER TABLE "sensor"
    ADD "parameters" JSONB NOT NULL DEFAULT '{}',
    ADD "sources" JSONB NOT NULL DEFAULT '{}';

ALTER TABLE "conversion"
    ADD "calibration_id" UUID,
    DROP CONSTRAINT "conversion_meaning",
    ADD CONSTRAINT "conversion_meaning" UNIQUE NULLS NOT DISTINCT
        ("mode", "library", "library_version", "unit", "calibration_id");

CREATE TABLE "calibration" (
    "id" UUID NOT NULL PRIMARY KEY,
    "sensor_id" INT NOT NULL REFERENCES "sensor" ("id") ON DELETE CASCADE,
    "library" TEXT COLLATE "C" NOT NULL,
    "method" VARCHAR(16) NOT NULL,
    "points" JSONB NOT NULL,
    "parameters" JSONB NOT NULL,
    "residuals" JSONB NOT NULL,
    "findings" JSONB NOT NULL,
    "slope_percent" DOUBLE PRECISION,
    "zero_error" DOUBLE PRECISION,
    "calibrated_at" TIMESTAMPTZ NOT NULL,
    "calibrated_by" UUID,
    "expires_at" TIMESTAMPTZ,
    "expiry_told" BOOL NOT NULL DEFAULT FALSE
);
CREATE INDEX "calibration_of_sensor" ON "calibration" ("sensor_id", "id");

CREATE TABLE "calibration_procedure" (
    "id" UUID NOT NULL PRIMARY KEY,
    "sensor_id" INT NOT NULL REFERENCES "sensor" ("id") ON DELETE CASCADE,
    "method" VARCHAR(16) NOT NULL,
    "points" JSONB NOT NULL,
    "state" VARCHAR(16) NOT NULL,
    "started_at" TIMESTAMPTZ NOT NULL,
    "changed_at" TIMESTAMPTZ NOT NULL,
    "started_by" UUID
);
CREATE UNIQUE INDEX "calibration_procedure_open" ON "calibration_procedure" ("sensor_id")
    WHERE "state" = 'OPEN';
"""


async def downgrade(db: BaseDBAsyncClient) -> str:
    return """
DROP TABLE "calibration_procedure", "calibration";
DELETE FROM "conversion" WHERE "calibration_id" IS NOT NULL;
ALTER TABLE "conversion"
    DROP CONSTRAINT "conversion_meaning",
    DROP "calibration_id",
    ADD CONSTRAINT "conversion_meaning" UNIQUE NULLS NOT DISTINCT
        ("mode", "library", "library_version", "unit");
ALTER TABLE "sensor" DROP "sources", DROP "parameters";
"""


MODELS_STATE = (
    "eJztXe1z4ja3/1c0fLntTG5nN9vutvTOnSHESXjKQgbIptuHjh8FK+CJkahtwtLe/d+vJN"
    "v4BcnYhrDC0Rfwi44wvyNL503n/NOYEws53g+tib+EPnEHZNVogn8aGM4RPRDdPgMNuFjE"
    "N9kFHz44vD0MG/JWD57v0gv0+iN0PEQvWcibuPbCtwlmrVsYRARnAGILrGbQB7bvAQs92x"
    "MEHOj5wIO2Bcgjvf4D69YiE9qvjaeVe1hi+68lMn0yRf4MubSff/+7EbQ3bYu1mC5s0vjz"
    "T3pkYwt9QR5rw04XT+ajjRwrBVJAw6+b/nrBr3Wwf8Ubsid+MCfEWc5x3Hix9mcEb1rb2O"
    "c/izByoY9Y9767ZIjhpeOE4EYgBo8fNwkeMUFjoUe4dBjujDp4gPhawzR7/ZE5NEam2dji"
    "SUSRADm8NCGY8ZM+qsf//ZQ9wn+fv/3xw48/v3v/48+0CX/MzZUPX4OfjoEJCDk8vVHjK7"
    "8PfRi04BjHoHIWbME6nEPHkWIb0exGN8IyD97oQoxvPIyPB/C78w/vN9iykzxYhx9b3W6E"
    "bYxl9IoEiGyB+htai/HcossASx/3BIHNwW9k/D4C7X632xoZYNxojxsZJPn3FoAj9EUyIq"
    "P2rwE41vPc8/5y2IXep9agfdMafPex9fv3/M46vNPt966j5oSuD8HC0Wt3+xcZsBFmQAgm"
    "1wtCHASxGPIEVQb1B0pWL9gv+v1uCvaLThbXu48XxuC7t5wHtJHto+T8G4NNn8y3J9ApiX"
    "aSTMNdHG4bPyPXLz24k2Qa7uJww+UXs4pEkaSrJFWEIpkqaB9QqAifzXyGzlKwJl45BEpA"
    "3aLMIPvISOs1lC/7dxddA9wOjHZn2On3UiticDM9hAdGq7s1QyOGhRlgk0b7kt7x7TmSTd"
    "JJygzaVkj6Q3RQL+RHnY/GcNT6eJuaSS6pgMfunKcZEV797v336Xlm0wm474xuADsFf/R7"
    "nGcL4vlTl/9i3G70R4M9E1z6xMRkZUIriUl0ObqUYvNyYVVkc5pSs1lpNpefNvV0WWq6tD"
    "2T6q/2swDkfBErSadlrOIyFpojlwIzWW8D3p5B18DLOUe8Q58N4gna1tySHaisMTd6/QEV"
    "ipog+B7jVnvU+WQ0QfA9xu2u0Rp0etdNEB2N8cAY3n3k16KjrDVTIrLN4RfTQXjqz+jp2/"
    "c5zIx07rfZiS3Sxs/5rTTb3CVmy4E590rNRmmyilOSYtLxC89IzBZNEZzPIa6yvAvID7DG"
    "nw4LTm6Jd9GCuNVEuQyp5rPKfE65jtJcvrvrXMqU4ARRhr/LpW39wEjVWfIOwVi+Nr0LOJ"
    "XkAf+nX78y/9rjk9AZFIAlWJ+Ii+wpjhwYSckiA2noyLzkHYVuzNNENr4av9UuXG38kumR"
    "RSGgfxwFa1K7NWy3Lo0Gh/oBTp5W0LVMCebhSiOQCi5CyqvfBsiB/G9IAW8HvdQLcY4fOS"
    "cJ3FKIbt+an8+zVyCGU/6X2G+zX4oQc8jkyUGeN4TzhYMkHnlBq7M8x/wkam96nIC33umg"
    "v+fedAtRUY8+vQcgCKjBakY8FPnYZ9ADmAD+E2fgkbiAXnAInrJv2wdzuAYPCLiIPhXVq+"
    "j3tiP/RX9J4PDfx7d/YU9fi3v/l/Pzd+8+nL959/7nn3788OGnn99szMbbt/KMyBeda6Yx"
    "ptbo3UEAHsIecYUrq5QDKZo6RQLsGWoRo+rbkyfRtJ4zrDckdQL0KIM7OZjpn8ciMSYP+S"
    "RVjTxQR8aeCUjlLa4pKm11LWLjcNEE0ZW3ms6bItX+C+WU3i0NTa5HvKiEHOsUIsk4pXHk"
    "SMRBu2KCcAuEzXmQ6YysaEOXSZxMIqW3kCA0tRDJbtH0n0YMSxyRF4g3accuvcZo0ZcF5b"
    "NHn3wDZQhROCqjV6rBG9N/zk++lpKB5YaNw1s0dgvCjf95XOIJYxbgv8Q+fvzfxvFf4x0m"
    "jjxZF04iTbqK7ySmVtpx0u81Qb83xv2rK3pwdTXGt/cfm4B+jPGof33dNZog+FbDOaK9tC"
    "8sL1hLF4rH/Yiu8ZfI8aHEfpoglIkK7MNiXZyemFxS4o2ctL9kBzCdLvylQNkrNqvE1ErP"
    "KrdG75J7VsODMR4avVETsE/mnP2t17/vGpfXxiVz0cZnzCn7L6M9YtejozG+anW67ErwTe"
    "clKi1dmv072uHmcIyN3287A9YsPKC/eXdrDIbGJbsYH6sxj1E5wRO+ZNLI9ZiiEutP53V6"
    "kdB14tpTu/JiHlMr/drdDY1BE7BP+pLddszfjM/0/QoOeLzDiMc60JdlcMcWdvZJF3z6sn"
    "Taow4TBeJj+vq0rowR7SD4VuO1sS00XxCfxaSYT0gQ2CLdOiOgPMh79E2NwvvsnNHRq5Vg"
    "PQWzQNrIif0KPE6Q6VgHlfk7IcwrV/FFztBqTqvM6YypqaD3LUNVJ3fRwfxvSw+JUZUb1R"
    "Ike1jWTudtqR4qlMxAsGewUCbrwYmN2qLhQpk3VhwwlB2+B0D3jnZTDFk1h+1OYBPvbApU"
    "+vugd9ft5oVhvaz7BD/a0+EaT6QelGSDs3wnCmtqerRtMUfKDVkBGIXzsCFiecAnUdoO4M"
    "3I0rHADD6jXwHBCLi0/QK5IcW2l+UA/e0RHaRW5KequuEeThFmgBTY34tbL5XPvkDlA3P4"
    "uddugvBgjLfNmSIzpdgs2TM+GQMzMH/Gx2pYU8LJQvS2yO2QKSJtiixvitQaeTkenJqexl"
    "8Qd15RI0/Tak6rzGno+2i+8AXePLk6niDRurho06rrinRF+Xq0IdBrUfm1yKajUTB8/zXs"
    "9yRulIggOzPZEx/8H3Bs7xQHcQ7sDIp82LMIZyYa1kEW9hAeYZhFXuxxmq5O88cRwo/3Cp"
    "bcvfWtj9GI0I9jbHxTQbE8+La3fW0oz8hlMZZyG0qiwdkOG0rYtJgJ5X5GwBxaCPBQMw+Q"
    "pc+Sm1IwwitBJlQbg9XMnswAZaPfDHOg0jFyBjDx2V1Ef3UNXAQtCr9oR9ZL/cyBt2O9lr"
    "1YL5ZqlY3JqjaWiFZpE8ttxzR6N61em1lQEidj3O23WR4P/jXGg9Z9E9APNcwljv3gQrdM"
    "0EmC4hVIp7nhJiEUZmJmLQdikvK1g8mm9hIIRs1fO2wTyMcS+8mSLoJtSu313VOiPpzsd0"
    "lFmS7yfSTLlp9ukCv7WbQpXUNY22LCXwvMkefRBwM+c3FNuHuLSVp82zsU7KwvRKF3yCus"
    "SebJbj5Z2JMy9qsNgcoSm7IGrAVcOwQKRzymQoMY8gRRNp/g2kdevWC/CG1SG9gp6hedXm"
    "vwWYz7hcCGdfF5ZLS+9Q6GE8L8RYa63sldY7eSMqIUs9ndIOj4sxvb84m7lspUwpY7hCtu"
    "EZxxInMWUBW1sVFRKYor+i8PBH2AFfQAveGROZWmbNGu76KEYzzGoxkCT2gNbA98FxCc8Z"
    "sgyv73fROM6AGxvU3qoxVxLS/IfMRpySPwVwQE75732uKZ6rDvW6kskXqefcGtMWvPR3NT"
    "EtIml2OydFqaqSDNLBc8W7GH6HMIcxrmaKzbtDoRUzn9NebDo4v4irwwN7pPcUYIiDUnqn"
    "JibmNzL25IOtAcqcoRjuOjC6dzhP3A+LtA7gRhgWCQX7Yov6cacegQhYxW9qNtup5nm9bD"
    "vNwrsEVaI2iPnR0RPiJT7InOLdeRotPlOoqX6wjzpE7IUjS/5KekTFPqQV910G/23lXgwj"
    "at5kNVPvCg3ipMyBBqDhwtQvJljJAFrI/lzI7FzI3MEojRCnl+ZDAkjxsrYrGNkNW6eEW2"
    "QiVDGs60YVAbBrVhUBsGFeKANgy+bk5ow6BqHNGGQW0YVAdabRhUUDbShsFaDXptGFSDD9"
    "ow+K05QKdq34yKYJXMHSSifQWbkg6uI7vIQ75ZJQI7TaexL4a9Th1Q49QBMZxSR0NBF0Mx"
    "30JL6jJoHcgToOtDHcMdgLyFcPmTbsONCQ5jGFbhVZZNu7n7cJ+gLcu4LF+7UkTasl5Bau"
    "DfJRCP2mspoTzWdKlwyTMSbUzMs5EkybSJpLiJhGDHxmUNUjGRhro41H8TLFb7pOteguIV"
    "TCW5K5+3fJDil+NXTlG9AgwPPh3bnskRnEPPFyXLz50nton1fFF8vpgjHzIZeht0eZbJJI"
    "1ONLlHokl7weJeWPXhMvNNmkrPN+XnG5bEeQVdJE93JUdfRKt5UJ4HM+haHEeOWgkGbBFq"
    "9Muj79DF0vQQEgz9/FDJFKHOf65ynCRnFffplI+IzdJqTqvM6RnEFqHrkYkWZDLb5rU8vm"
    "mLsEae14Mlvd8s+XmJwYvlf5V0pbLBtHHXYyXAe00QHoxxr//JYPqFef7m/KcmSJ2O8aXR"
    "Tt5NnY7xlXExuGsNPrPT902QOmV1kQedbngrPs66YiRsf+l6PLok72uYTJcLqyKb05Sazc"
    "qxuUSgwHZsmSiqOyS9+m2AHNlkXuvqmGmBM0wFbbPVzwkA2RO1btBlJ9FjjQEkS/+BfNkP"
    "sT7vo8YgBVGze46rIe+kZiiV2vW7VWcwKkoqBjUKgtoN7VY51NNSHgqNwXiz8r5oCbZK1x"
    "CvaGUIM52KXDylkQuXhkHYZb3AKxkkZ8yRS//5ZD30ySI3Yk7S8iwvfA5FNKZHicwy0XSS"
    "esMQg02ngHVauFLxNmU2NSi7eBYSHj0jKAeoXIBfgkRH+ZWN8lMrq4Ias0kliHWB1NehAq"
    "f3KTgIehUzZqRINZ/V5rO3rPY+pyk1l1XjsiIpoVJCZRHBs6TIWUzWbGVFw1+B7XuRCDmH"
    "a1bCZ8oyOz2sqSS4Cgoy0mtUm3Mtnv9pSkeGYOPHATveLVv+04hRb9BnmE6Ru3kFqczCmq"
    "MvCxb/w+1rYQ8h3OE4j97RBm9MgeMnX/WelG8qreqiLDnz7UuEuRx7E9AJLW+7YqGnC5ts"
    "A5efLiWiqVEQwSESo2Qn8TISWJZWexWVE8JSyjNVi6oxOk2pRW2VuRyoRQIjdt4+hZhI70"
    "8ovj8hei0e1mVrwmYJdUlY2apUGlsBqUZXkIdCDPY20lfERfYUR1Lp7hwTd17NHF5nmRQT"
    "ghGWSjRBnwP07rrdhmSy0BjvxnhrhpQg/G1sSpLIH4FlSR4jJLcviUKVClqZQEgLCOZmoB"
    "Vcc8fkJne4P0PAtsDUJSt61/ZnktqHe/VU0o6UcnlpI9IpG5GioSvOFyG1bGTJXoM9KdfA"
    "UWHv375b/k4MvoOb41yWW87zS+6vT1O9ArvcwXH37L8FU4U8L2nYvJIZT7UxfujNQJPZEj"
    "+ZJRFNE2lcRbi6k3fnApNKTtLQDUmdAD12umgf+ktBMHWx7WwxtcrrYePW6F12etdNEB6M"
    "8X2rM+JXwoMxHkZthlGbT8agc/WZX9scjnGnNxy1ul3jsgk2h2N81erwS8H3GLcu+oMRux"
    "AejLHx+21nwK6EB1l1QDIoXnpPG5uYPNMT5sbPn85iqjq9fgebz3hG4zJizoZASzgVJBwf"
    "Vqz9lKbU7jWlHS8TMl8wA1W12NQ0rXaxqcxpHdj90i4JWbrr0obyvRJeq4HswVNeH9tMnt"
    "wFJTeRZ/ZK7TaPJ/drFU+dDfwZ9IEPn5AXmrht5Mnzacub63Kb6pqhXQStdaWQ8phOS1vK"
    "rcF7RZTrWgpq11KIcwMI1ohU4gD50hDnKNi9IAzJnE7cFKZgip8vPR9A16UrCqCnUFppoQ"
    "TdqfhB8+yYwvVGYEUJx4+yY/6YFsycwg+uC7GAA8UsmjG10hbNdr931bluguB7jK/6g2tj"
    "1ATB9xizJaHJF4YxHt5dBKfhQdTa3NxIn49xt3MxaA0+N0F4oIat8oFYgrgeeZriqL1OUb"
    "xHimKd9Ky2ol7KWv1lYdPuKrA5TanZrDSb1dKK1WWstqopqfwczao2QNCif1CiKSXunuWp"
    "Sm7QrqjxLGxOH4bqOmwXsY3BnGB/5qzBArq+zfPpnfFAUKqFsRw2bEixLDb0Ksto88zeWW"
    "Gk6cH6Ztl22kGunCArD+uJuBZyeSadGbJd2onlz86ARwL1DbOd0bZHf8eykPUD+I9t/Yed"
    "Q6pzTTGy2K5pFum6cm0fuWPMOg1CXmnX7Mam+wmZz23fiwJjEabPHSb94fncznh8LJgj6C"
    "1dZNFHCIuZfv8SNfsOodIpb8dQQ6eLOFpBPsmQagFFaQEldDhUy1WSItWMVpvRVA54hs5S"
    "JCo5BMpCgZNUGQ4/MrJ6cfWyf3fRNcDtwGh3hp1Qu9+wkd9kl+L9kwOj1c2GuZcGeV+ATy"
    "cq4hD4RiJGOfkgSVWjbAnHDl7lUp9Qnc1BPkGjIxdFkdgEhxtdyiG7RafRFaD71xLS2URg"
    "yM5PrZIgqxOsh0iv8k1LGCo2Dx/DPbBXiMDhbDRxCneBiSaV311uoQkWg6IGmqC1yLySuC"
    "MwMmTczlGWpHAl4uOOPUFY0/HPfWwSr8XHvOd0LLc0HD3tVY0n5swAT0Mq3aicoVLZDX+o"
    "7RC5+5SlFWKlCO5bHbZO6Il3yct34bym7fH50kCFXTj0fwvMdnKwo/Z6x1OF1JaY4SByS+"
    "QlIUtQ6SxkxbOQ0V9D7jN0BIPbnqNL5PhQInYlCGUWafZhsS5qNehFFpwI71+yoV0Ll0xY"
    "CCaemkxK34a5WPCeoBuFp5bGbcc0ejetXpttC06cjHG33251m4B/jfGgdd8E9COreHybMD"
    "x/RoWLGWGS8xab5Ap3mkqr3NUj8hyb+cDLYB9TaNyr4/43wZUnpohW5dmo1x98ZJNO8M1S"
    "JAx6nd612e3fszQJm5MxbnVbg4/B9c1h3P6mc30TE7CziCK4Ex+rMZ8toEuP6DJd6p1KUx"
    "0/xLjxz9dGTV4sjyxdumyXQT9BoqHX0d062EKXtNZs1tHdOrq7NtHdiTUK8qQA7ClNruBb"
    "S1ckLZQp/9yO+7yNuqwXM9LLfPx3DwdczfB6UVf12vPR3HhG2Jf5q9MtznKd1rytiZ7D9G"
    "ul92HPaN+Ua5YswXRQv4zdk5Y427ln+1C/ceCYfZ2O+tB5QJ5s0WZruc8naq8dbFXS3NGX"
    "3hVGjxXM15mgV5kBjU7vqs8SbF71N4aljU1pjI3BoD9oAv41xu1BZ9Th9vLoSA3D0hx5Hl"
    "0PyrwcCRKV2aPs+yGr95eTdfM1Ffw7ON4W8qHtlDLdJUh0YoY9THdkMlm61bbEZUi1VUdp"
    "q07ILSw0kUtjEjNUdQpN3Cv2U5Hg5ai4lEAVTNSdkuuAS9rIhJMJWRbVAVsYhO1/Bf9h5M"
    "EebEBHKnKfkQVWxLWEta8LkmlNTXFNjXGvZNGgJMlhBFIVkvJVCiRdQM9jY92cQW9WRsLc"
    "ItSSfZXSQcQRF1zZrfRGpCqvgY1PHePeoDrt2zHu3xqD1ogpuOdj3Lr82Ok1wbuCKu3hgv"
    "fRnIrppTSpiEArUuWHN1267eeyFYVjIh3LW6KisI55qKvaVEK4T9WUoGK6KJq1lGMs6KVW"
    "BWPTr01YLdbzyWJPrIw5cilCk/WQ9lVfxOIaxhqzb+V5/YNgJNGzo1tneXp2FLhbZHswa/"
    "tr6M70APu1IB+aF/g6PQIswuv8soRrwnoIFXrQWrfiWjfjqdAnIVW6ExSvXOfWmzePqILQ"
    "OQVh3yw/XrcJX4EGmDtutYpRCdaaqRgvKdfIAhgFck5OrKNc7hEGXRYVhKZ0mUYWSPQhEn"
    "YkrbRAo7hAw8L8SOX6GjG1yot0o391NWT1NMjjo4d8VhGjZ7QGTeDYmKrBY3x7Y57f9js9"
    "2mQxM88XhGLOr76Lr74LrxrtTVs02bS9HHw279lPWO7aXLHf+MMY9Jvgb+QSVk+4zS3Aj/"
    "RVCxIUfft4Jv7g5TbJbSh0qMc+G+R8ik3VF25DrPb7dmv0moB90rHf6XWGN7yadng0xm22"
    "MT6our05VOOt0JWHayvrpQulQzytJtKnKDWblWZz9E4+CEKs5aJkmmoPkfJ0dOCdAqTO0n"
    "uE4LUsyNsIl96ZmMqceWIYF92ZmBpdKtWdyWyvy9fmyyjxRVX3BAkruALDzKbBLi6MVsjz"
    "WfyfjVlNGFHpzmpdlKzimeLfMat4amvCoa0JYaXxEubmBIXKKs1RDM3aFqNtMdoWc0xbzG"
    "lmi6oRA+gt21rCcpvOUkQa/j3gf6T/kz5PKfSTNBr8fQzBDlkgc4Go2IwFdqicmk5blLq2"
    "U4HaTmz9N5HrChVrOdhpMo10AaQjpbGahTVLrI2sShtZE/wqZ2fdItSm1symHXXKuJ8Ovi"
    "f3/nBerU2fOKXT/6cpj7htaHPlZPcNaTdGQ7sxtBujiBujhVx7MmsI3BfhnbM8twWM2+zy"
    "WMghPXAYoa6rtmddtbAyqNhULYY2QaKyfbo4xCmb8PlPPxUwCtNWUqswv5fZRkxfqhIIh8"
    "1riO7bN2+KmNzfvJHb3Nm9rcK4vtDwIjd9JUi05euU6ox+/X+9xyi1"
)
