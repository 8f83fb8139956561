-- Shortfall against the standards: how many places are under theirs, how far, and how many people live there.

CREATE TABLE core.shortfall (
    indicator_key SMALLINT NOT NULL,
    period_key INTEGER NOT NULL,
    area_key SMALLINT NOT NULL,
    floor_kind TEXT NOT NULL,
    scope TEXT NOT NULL,
    weighting TEXT NOT NULL,
    release_from INTEGER NOT NULL,
    release_to INTEGER,
    floor_value DOUBLE PRECISION,
    p0 DOUBLE PRECISION,
    p1 DOUBLE PRECISION,
    p2 DOUBLE PRECISION,
    population_below DOUBLE PRECISION,
    units_below INTEGER,
    units INTEGER NOT NULL,
    units_missing INTEGER NOT NULL,
    units_estimated INTEGER NOT NULL,
    coverage DOUBLE PRECISION NOT NULL,
    grade CHAR(1) NOT NULL,
    status TEXT NOT NULL,
    CONSTRAINT shortfall_pkey PRIMARY KEY (indicator_key, period_key, area_key, floor_kind, scope, weighting, release_from)
);
COMMENT ON TABLE core.shortfall IS 'mart.shortfall with its history by release';
COMMENT ON COLUMN core.shortfall.indicator_key IS 'indicator (core.indicator)';
COMMENT ON COLUMN core.shortfall.period_key IS 'period (core.period); sorts by start';
COMMENT ON COLUMN core.shortfall.area_key IS 'area type: 0 total, 1 urban, 2 rural';
COMMENT ON COLUMN core.shortfall.floor_kind IS 'floor, target or reference';
COMMENT ON COLUMN core.shortfall.scope IS 'units judged: nation:province, nation:county, 510000:county';
COMMENT ON COLUMN core.shortfall.weighting IS 'none (regions as equals) or population (people)';
COMMENT ON COLUMN core.shortfall.release_from IS 'first release that shows this row';
COMMENT ON COLUMN core.shortfall.release_to IS 'first release that no longer shows it; null: still shown';
COMMENT ON COLUMN core.shortfall.floor_value IS 'the floor where one holds for all units; null: each has its own';
COMMENT ON COLUMN core.shortfall.p0 IS 'share of units (of people, where weighted) below their floor';
COMMENT ON COLUMN core.shortfall.p1 IS 'mean gap below the floor, as a share of it; 0 where not below';
COMMENT ON COLUMN core.shortfall.p2 IS 'mean squared gap: the worst count more';
COMMENT ON COLUMN core.shortfall.population_below IS 'people who belong to the units below; null where not weighted';
COMMENT ON COLUMN core.shortfall.units_below IS 'units below their floor';
COMMENT ON COLUMN core.shortfall.units IS 'units the measures rest on';
COMMENT ON COLUMN core.shortfall.units_missing IS 'units that have a floor and no value (or weight)';
COMMENT ON COLUMN core.shortfall.units_estimated IS 'units whose figure is estimated';
COMMENT ON COLUMN core.shortfall.coverage IS 'share of units (of weight, where weighted) that have a value';
COMMENT ON COLUMN core.shortfall.grade IS 'A all checks passed, B warnings, C estimated or partial coverage';
COMMENT ON COLUMN core.shortfall.status IS 'ok, or why the measures are null';
CREATE INDEX shortfall_release_from_idx ON core.shortfall USING brin (release_from);
CREATE INDEX shortfall_release_to_idx ON core.shortfall (release_to) WHERE release_to IS NOT NULL;

CREATE VIEW mart.shortfall_history AS
SELECT i.code AS indicator_code, i.name_zh AS indicator_name, i.sector, p.period_code, p.period_start,
       (ARRAY['total', 'urban', 'rural'])[m.area_key + 1] AS area_type, m.floor_kind, m.scope, m.weighting,
       m.floor_value, i.unit, m.p0, m.p1, m.p2, m.population_below, m.units_below, m.units, m.units_missing,
       m.units_estimated, m.coverage, m.grade, m.status, m.release_from,
       CASE WHEN m.release_to <= z.release_id THEN m.release_to END AS release_to
FROM mart.release_horizon z
JOIN core.shortfall m ON m.release_from <= z.release_id
JOIN core.indicator i ON i.indicator_key = m.indicator_key
JOIN core.period p ON p.period_key = m.period_key;
COMMENT ON VIEW mart.shortfall_history IS 'mart.shortfall of every release';

CREATE VIEW mart.shortfall AS
SELECT h.indicator_code, h.indicator_name, h.sector, h.period_code, h.period_start, h.area_type, h.floor_kind, h.scope,
       h.weighting, h.floor_value, h.unit, h.p0, h.p1, h.p2, h.population_below, h.units_below, h.units,
       h.units_missing, h.units_estimated, h.coverage, h.grade, h.status, h.release_from AS release_id
FROM mart.shortfall_history h
JOIN mart.release_in_force f
  ON h.release_from <= f.release_id AND (h.release_to IS NULL OR h.release_to > f.release_id);
COMMENT ON VIEW mart.shortfall IS 'How many places are under the standard in force, how far (P0, P1, P2), and how many people belong to them: over provinces or counties, by units or by people';
