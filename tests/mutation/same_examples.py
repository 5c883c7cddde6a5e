"""A plugin of pytest: property tests draw the same examples each time, and do not simplify them.

Whether a change is noticed must not depend on luck, and nobody reads the examples.
"""

from hypothesis import Phase, settings

settings.register_profile(
    "same examples",
    phases=[Phase.explicit, Phase.generate],
    derandomize=True,
    database=None,
    deadline=None,
)
settings.load_profile("same examples")
