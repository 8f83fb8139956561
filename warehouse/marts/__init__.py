"""The marts as pure functions: from the frame of figures to the frame of a mart, integer keys throughout.

Here: which figures a metric compares, its coverage, grade and status. Not here: formulas (``warehouse.measures``),
reading figures, writing marts, names for readers. One module a mart, with its function and its columns; ``registry`` lists
them all, ``reach`` says what their rows rest on. What several share: ``scopes`` (units and how they are cut), ``coverage``
(counts, weights, grades), ``floors`` (which standard holds), ``series`` and ``year_figures`` (years), ``ordering`` (income),
``indices`` (what composite indices are fitted on).
"""
