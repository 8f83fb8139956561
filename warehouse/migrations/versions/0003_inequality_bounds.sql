-- Bounds of inequality under missing units: their table with its history by release, and what readers see of it.

CREATE TABLE core.inequality_bounds (
    indicator_key SMALLINT NOT NULL,
    period_key INTEGER NOT NULL,
    area_key SMALLINT NOT NULL,
    scope TEXT NOT NULL,
    weighting TEXT NOT NULL,
    release_from INTEGER NOT NULL,
    release_to INTEGER,
    units INTEGER NOT NULL,
    units_missing INTEGER NOT NULL,
    coverage DOUBLE PRECISION NOT NULL,
    plausible_low DOUBLE PRECISION NOT NULL,
    plausible_high DOUBLE PRECISION NOT NULL,
    cv_low DOUBLE PRECISION,
    cv_high DOUBLE PRECISION,
    gini_low DOUBLE PRECISION,
    gini_high DOUBLE PRECISION,
    theil_t_low DOUBLE PRECISION,
    theil_t_high DOUBLE PRECISION,
    cv_low_recent DOUBLE PRECISION,
    cv_high_recent DOUBLE PRECISION,
    gini_low_recent DOUBLE PRECISION,
    gini_high_recent DOUBLE PRECISION,
    theil_t_low_recent DOUBLE PRECISION,
    theil_t_high_recent DOUBLE PRECISION,
    is_exact BOOLEAN NOT NULL,
    status TEXT NOT NULL,
    status_recent TEXT NOT NULL,
    CONSTRAINT inequality_bounds_pkey PRIMARY KEY (indicator_key, period_key, area_key, scope, weighting, release_from)
);
CREATE INDEX inequality_bounds_release_from_idx ON core.inequality_bounds USING brin (release_from);
CREATE INDEX inequality_bounds_release_to_idx ON core.inequality_bounds (release_to) WHERE release_to IS NOT NULL;
COMMENT ON TABLE core.inequality_bounds IS 'mart.inequality_bounds with its history by release';
COMMENT ON COLUMN core.inequality_bounds.indicator_key IS 'indicator (core.indicator)';
COMMENT ON COLUMN core.inequality_bounds.period_key IS 'period (core.period); sorts by start';
COMMENT ON COLUMN core.inequality_bounds.area_key IS 'area type: 0 total, 1 urban, 2 rural';
COMMENT ON COLUMN core.inequality_bounds.scope IS 'units compared: nation:province, nation:county, 510000:county';
COMMENT ON COLUMN core.inequality_bounds.weighting IS 'none (regions as equals) or population (people)';
COMMENT ON COLUMN core.inequality_bounds.release_from IS 'first release that shows this row';
COMMENT ON COLUMN core.inequality_bounds.release_to IS 'first release that no longer shows it; null: still shown';
COMMENT ON COLUMN core.inequality_bounds.units IS 'units that have a value (and a weight)';
COMMENT ON COLUMN core.inequality_bounds.units_missing IS 'units that exist and have none';
COMMENT ON COLUMN core.inequality_bounds.coverage IS 'share of units (of weight, where weighted) that have a value';
COMMENT ON COLUMN core.inequality_bounds.plausible_low IS 'least a missing figure is taken to be, in the unit';
COMMENT ON COLUMN core.inequality_bounds.plausible_high IS 'most a missing figure is taken to be, in the unit';
COMMENT ON COLUMN core.inequality_bounds.cv_low IS 'least CV that all units can have';
COMMENT ON COLUMN core.inequality_bounds.cv_high IS 'greatest CV that all units can have';
COMMENT ON COLUMN core.inequality_bounds.gini_low IS 'least Gini that all units can have';
COMMENT ON COLUMN core.inequality_bounds.gini_high IS 'greatest Gini that all units can have';
COMMENT ON COLUMN core.inequality_bounds.theil_t_low IS 'least Theil T that all units can have';
COMMENT ON COLUMN core.inequality_bounds.theil_t_high IS 'greatest Theil T that all units can have';
COMMENT ON COLUMN core.inequality_bounds.cv_low_recent IS 'least CV that there can be, missing units near their last year';
COMMENT ON COLUMN core.inequality_bounds.cv_high_recent IS 'greatest CV that there can be, missing units near their last year';
COMMENT ON COLUMN core.inequality_bounds.gini_low_recent IS 'least Gini that there can be, missing units near their last year';
COMMENT ON COLUMN core.inequality_bounds.gini_high_recent IS 'greatest Gini that there can be, missing units near their last year';
COMMENT ON COLUMN core.inequality_bounds.theil_t_low_recent IS 'least Theil T that there can be, missing units near their last year';
COMMENT ON COLUMN core.inequality_bounds.theil_t_high_recent IS 'greatest Theil T that there can be, missing units near their last year';
COMMENT ON COLUMN core.inequality_bounds.is_exact IS 'whether the greatest values are proved, and not only found by search';
COMMENT ON COLUMN core.inequality_bounds.status IS 'ok, or why there is no interval';
COMMENT ON COLUMN core.inequality_bounds.status_recent IS 'ok, or why there is none by last year''s figures';

CREATE VIEW mart.inequality_bounds_history AS
SELECT i.code AS indicator_code, i.name_zh AS indicator_name, i.sector, p.period_code, p.period_start,
       (ARRAY['total', 'urban', 'rural'])[m.area_key + 1] AS area_type, m.scope, m.weighting, m.units, m.units_missing,
       m.coverage, m.plausible_low, m.plausible_high, i.unit, m.cv_low, m.cv_high, m.gini_low, m.gini_high, m.theil_t_low,
       m.theil_t_high, m.cv_low_recent, m.cv_high_recent, m.gini_low_recent, m.gini_high_recent, m.theil_t_low_recent,
       m.theil_t_high_recent, m.is_exact, m.status, m.status_recent, m.release_from,
       CASE WHEN m.release_to <= z.release_id THEN m.release_to END AS release_to
FROM mart.release_horizon z
JOIN core.inequality_bounds m ON m.release_from <= z.release_id
JOIN core.indicator i ON i.indicator_key = m.indicator_key
JOIN core.period p ON p.period_key = m.period_key;
COMMENT ON VIEW mart.inequality_bounds_history IS 'mart.inequality_bounds of every release';

CREATE VIEW mart.inequality_bounds AS
SELECT h.indicator_code, h.indicator_name, h.sector, h.period_code, h.period_start, h.area_type, h.scope, h.weighting,
       h.units, h.units_missing, h.coverage, h.plausible_low, h.plausible_high, h.unit, h.cv_low, h.cv_high, h.gini_low,
       h.gini_high, h.theil_t_low, h.theil_t_high, h.cv_low_recent, h.cv_high_recent, h.gini_low_recent, h.gini_high_recent,
       h.theil_t_low_recent, h.theil_t_high_recent, h.is_exact, h.status, h.status_recent, h.release_from AS release_id
FROM mart.inequality_bounds_history h
JOIN mart.release_in_force f
  ON h.release_from <= f.release_id AND (h.release_to IS NULL OR h.release_to > f.release_id);
COMMENT ON VIEW mart.inequality_bounds IS 'Between which values CV, Gini and Theil T of all units lie where some are missing: a row beside each row of mart.inequality in which some lack the figure that others have, also where that shows no value';
