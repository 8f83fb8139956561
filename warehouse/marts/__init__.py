"""The marts as pure functions: from the frame of figures to the frame of a mart, integer keys throughout.

Here: which figures a metric compares, its coverage, grade and status. Not here: formulas (``warehouse.measures``),
reading figures, writing marts, names for readers. One module a mart, with its function and its columns:
``attainment``, ``urban_rural_gap``, ``inequality`` (and ``scopes``, the units it compares), ``observation_harmonised``;
``composite_index``, ``index_weight`` and ``coupling`` (and ``indices``, what they are fitted on), ``resource_agglomeration``,
``peer``.
"""
