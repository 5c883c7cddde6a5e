"""How much one operation may ask for, judged before it runs.

Every fragment is measured once, however often it is spread: a document of a few lines can spread
fragments within fragments into more fields than could ever be counted one by one.
"""

from dataclasses import dataclass
from typing import Any

from graphql import (
    FieldNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValidationContext,
    ValidationRule,
)

LONGEST_QUERY = 32_000
"""Characters of a document."""

MOST_TOKENS = 4000
"""Words and brackets of a document; GraphiQL's introspection query has about 300."""

DEEPEST = 12
"""Levels of fields; introspection has a limit of its own."""

MOST_FIELDS = 1000
"""Fields of an operation, with every fragment counted where it is spread."""

MOST_ALIASES = 50
"""Fields under another name: each may be the same costly field once more."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much a selection asks for."""

    depth: int = 0
    fields: int = 0
    aliases: int = 0

    def beside(self, other: "Size") -> "Size":
        """Return the size of two selections side by side."""
        return Size(
            max(self.depth, other.depth),
            self.fields + other.fields,
            self.aliases + other.aliases,
        )


class SizeRule(ValidationRule):
    """Refuses operations that ask for too much."""

    def __init__(self, context: ValidationContext) -> None:
        super().__init__(context)
        self._fragments: dict[str, Size] = {}

    def enter_operation_definition(self, node: OperationDefinitionNode, *_: Any) -> None:  # noqa: ANN401 - the visitor's other arguments
        """Measure an operation."""
        size = self._measure(node.selection_set)
        for what, found, most in (
            ("levels deep", size.depth, DEEPEST),
            ("fields", size.fields, MOST_FIELDS),
            ("aliases", size.aliases, MOST_ALIASES),
        ):
            if found > most:
                self.report_error(
                    GraphQLError(f"the operation is too large: more than {most} {what}", node)
                )

    def _measure(self, selections: SelectionSetNode | None) -> Size:
        size = Size()
        for selection in selections.selections if selections else ():
            if isinstance(selection, FieldNode):
                size = size.beside(self._measure_field(selection))
            elif isinstance(selection, InlineFragmentNode):
                size = size.beside(self._measure(selection.selection_set))
            elif isinstance(selection, FragmentSpreadNode):
                size = size.beside(self._measure_fragment(selection.name.value))
        return size

    def _measure_field(self, node: FieldNode) -> Size:
        inner = self._measure(node.selection_set)
        introspection = node.name.value.startswith("__")
        return Size(
            0 if introspection else inner.depth + 1,
            inner.fields + 1,
            inner.aliases + (node.alias is not None),
        )

    def _measure_fragment(self, name: str) -> Size:
        if name not in self._fragments:
            # Until it is known it counts nothing, which ends cycles; another rule reports them.
            self._fragments[name] = Size()
            fragment = self.context.get_fragment(name)
            if fragment is not None:
                self._fragments[name] = self._measure(fragment.selection_set)
        return self._fragments[name]
