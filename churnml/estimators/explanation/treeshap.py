"""Exact path-dependent TreeSHAP for bags of shallow trees, by tables of decisions.

The contributions of one tree depend on a row only through the yes or no at each of its
nodes. Leaves of a shallow tree are put together in packs that see at most eight nodes; for
each pack a table holds the contributions for all answers, so a row costs one look-up a pack
and column. Everything is double precision and done row by row: a row has the same bytes
alone and in company. LightGBM's own ``pred_contrib`` gives the same numbers, slower.

References
----------
Lundberg, Erion, Lee (2018), "Consistent individualized feature attribution for tree
ensembles"; a path's Shapley sum is written here as the integral over the share of known
columns, which Gauss-Legendre nodes give exactly.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from churnml.errors import ModelError
from churnml.estimators.explanation.lightgbm_text import Tree, read_trees

PACK_NODES = 8
_CHUNK = 8192
_LEAVES_AT_ONCE = 2000


@dataclass(frozen=True, kw_only=True)
class _Path:
    """What leads to a leaf: nodes and sides, and by column the share that goes that way."""

    value: float
    nodes: list[int]
    goes_left: list[bool]
    of_node: list[int]
    columns: list[int]
    shares: list[float]


@dataclass(frozen=True)
class _Bundle:
    """Neighbouring leaves of a tree that together see few nodes."""

    paths: list[_Path]
    nodes: list[int]
    columns: list[int]


@dataclass(frozen=True)
class _Pack:
    """Which decisions to look at, and by column the contributions for all answers."""

    decisions: list[int]
    columns: list[int]
    table: NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class ContributionTables:
    """Contribution tables of a bag.

    Attributes
    ----------
    base : float
        The mean raw score that the contributions are told from.
    columns : int
        Matrix columns.
    """

    base: float
    columns: int
    feature: NDArray[np.int64]
    threshold: NDArray[np.float64]
    lost_left: NDArray[np.bool_]
    packs: list[_Pack]

    def contributions(self, matrix: NDArray[np.float32]) -> NDArray[np.float64]:
        """Contributions by matrix column, shape (n, columns).

        With ``base`` a row's add up to its raw score.
        """
        out = np.zeros((matrix.shape[0], self.columns), order="F")
        for start in range(0, matrix.shape[0], _CHUNK):
            chunk = slice(start, start + _CHUNK)
            self._add(matrix[chunk], out[chunk])
        return out

    def _add(self, matrix: NDArray[np.float32], out: NDArray[np.float64]) -> None:
        answers = self._answers(matrix)
        total = np.empty(matrix.shape[0])
        bits = np.empty(matrix.shape[0], np.uint8)
        for pack in self.packs:
            code = np.zeros(matrix.shape[0], np.uint8)
            for bit, decision in enumerate(pack.decisions):
                np.left_shift(answers[decision], bit, out=bits)
                np.bitwise_or(code, bits, out=code)
            at = code.astype(np.intp)
            for column, table in zip(pack.columns, pack.table, strict=True):
                np.take(table, at, out=total, mode="clip")
                out[:, column] += total

    def _answers(self, matrix: NDArray[np.float32]) -> NDArray[np.uint8]:
        """Whether each row goes left at each distinct decision, shape (decisions, n)."""
        out = np.empty((self.feature.size, matrix.shape[0]), np.uint8)
        for at, (column, threshold) in enumerate(zip(self.feature, self.threshold, strict=True)):
            # A missing value fails every comparison, which is "right".
            out[at] = matrix[:, column] <= threshold
            if self.lost_left[at]:
                out[at] |= np.isnan(matrix[:, column])
        return out


def build_tables(texts: Sequence[str], columns: int) -> ContributionTables:
    """Contribution tables of the mean of boosters.

    Parameters
    ----------
    texts : sequence of str
        LightGBM model texts.
    columns : int
        Matrix columns.
    """
    place: dict[tuple[int, float, bool], int] = {}
    bundles: list[_Bundle] = []
    decisions: list[list[int]] = []
    base = 0.0
    for text in texts:
        for tree in read_trees(text):
            paths = list(_paths(tree))
            base += sum(path.value * float(np.prod(path.shares)) for path in paths)
            asked = [
                place.setdefault(key, len(place))
                for key in zip(
                    tree.feature.tolist(),
                    tree.threshold.tolist(),
                    tree.lost_left.tolist(),
                    strict=True,
                )
            ]
            for bundle in _bundles(paths):
                bundles.append(bundle)
                decisions.append([asked[node] for node in bundle.nodes])
    packs = [
        _Pack(asked, bundle.columns, table)
        for asked, bundle, table in zip(
            decisions, bundles, _fill_tables(bundles, max(len(texts), 1)), strict=True
        )
        if bundle.columns
    ]
    return ContributionTables(
        base=base / max(len(texts), 1),
        columns=columns,
        feature=np.array([key[0] for key in place], np.int64),
        threshold=np.array([key[1] for key in place], np.float64),
        lost_left=np.array([key[2] for key in place], np.bool_),
        packs=packs,
    )


def _paths(tree: Tree) -> Iterator[_Path]:
    """The leaves of a tree from left to right. A tree without a split has one, of no node."""
    if tree.feature.size == 0:
        yield _Path(
            value=float(tree.leaf_value[0]),
            nodes=[],
            goes_left=[],
            of_node=[],
            columns=[],
            shares=[],
        )
        return
    # Each entry: node, nodes so far, sides so far, share by column so far.
    stack: list[tuple[int, list[int], list[bool], dict[int, float]]] = [(0, [], [], {})]
    while stack:
        node, nodes, sides, shares = stack.pop()
        if node < 0:
            value = float(tree.leaf_value[~node])
            of_node = [int(tree.feature[at]) for at in nodes]
            yield _Path(
                value=value,
                nodes=nodes,
                goes_left=sides,
                of_node=of_node,
                columns=list(shares),
                shares=list(shares.values()),
            )
            continue
        column = int(tree.feature[node])
        for child, left in ((int(tree.right[node]), False), (int(tree.left[node]), True)):
            count = tree.node_count[child] if child >= 0 else tree.leaf_count[~child]
            share = shares.get(column, 1.0) * float(count / tree.node_count[node])
            stack.append((child, [*nodes, node], [*sides, left], {**shares, column: share}))


def _bundles(paths: Sequence[_Path]) -> Iterator[_Bundle]:
    """Neighbouring leaves, as many as see at most ``PACK_NODES`` nodes together."""
    some: list[_Path] = []
    seen: set[int] = set()
    for path in paths:
        if some and len(seen | set(path.nodes)) > PACK_NODES:
            yield _bundle(some, seen)
            some, seen = [], set()
        some.append(path)
        seen |= set(path.nodes)
    yield _bundle(some, seen)


def _bundle(paths: list[_Path], nodes: set[int]) -> _Bundle:
    if len(nodes) > PACK_NODES:
        raise ModelError(f"a tree is deeper than {PACK_NODES}; contributions need shallower ones.")
    return _Bundle(paths, sorted(nodes), sorted({at for path in paths for at in path.columns}))


def _fill_tables(bundles: Sequence[_Bundle], members: int) -> list[NDArray[np.float64]]:
    """The tables of all bundles, each of shape (its columns, answers)."""
    tables = [np.zeros((len(one.columns), 1 << len(one.nodes))) for one in bundles]
    alike: dict[tuple[int, int], list[tuple[int, _Path]]] = {}
    for at, bundle in enumerate(bundles):
        for path in bundle.paths:
            alike.setdefault((len(bundle.nodes), len(path.columns)), []).append((at, path))
    for (nodes, _), some in alike.items():
        for start in range(0, len(some), _LEAVES_AT_ONCE):
            batch = some[start : start + _LEAVES_AT_ONCE]
            found = _leaf_tables([(bundles[at], path) for at, path in batch], nodes)
            for (at, path), shapley in zip(batch, found, strict=True):
                for column, row in zip(path.columns, shapley, strict=True):
                    tables[at][bundles[at].columns.index(column)] += path.value / members * row
    return tables


def _leaf_tables(leaves: Sequence[tuple[_Bundle, _Path]], nodes: int) -> NDArray[np.float64]:
    """Shapley values of leaves alike in nodes and columns, shape (leaves, columns, answers)."""
    columns = len(leaves[0][1].columns)
    asked = np.zeros((2, len(leaves), columns), np.int64)
    for at, (bundle, path) in enumerate(leaves):
        for node, left, column in zip(path.nodes, path.goes_left, path.of_node, strict=True):
            asked[int(left), at, path.columns.index(column)] |= 1 << bundle.nodes.index(node)
    codes = np.arange(1 << nodes)
    no, yes = asked[0, ..., None], asked[1, ..., None]
    met = ((codes & yes) == yes) & ((codes & no) == 0)
    shares = np.array([path.shares for _, path in leaves]).reshape(len(leaves), columns, 1)
    return _shapley(met.astype(np.float64), shares)


def _shapley(met: NDArray[np.float64], shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Shapley values of the game ``prod(met[i] if i is known else shares[i])``.

    Parameters
    ----------
    met : array, shape (leaves, d, answers)
        1 where the row meets the path's conditions on a column.
    shares : array, shape (leaves, d, 1)

    Returns
    -------
    array, shape (leaves, d, answers)
    """
    columns = met.shape[1]
    points, weights = np.polynomial.legendre.leggauss(columns // 2 + 1)
    out = np.zeros_like(met)
    for point, weight in zip((points + 1) / 2, weights / 2, strict=True):
        mixed = point * met + (1 - point) * shares
        for at in range(columns):
            others = [mixed[:, other] for other in range(columns) if other != at]
            product = math.prod(others[1:], start=others[0]) if others else 1.0
            out[:, at] += weight * product
    return out * (met - shares)
