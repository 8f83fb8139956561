-- Convergence: its table with its history by release, and what readers see of it.

CREATE TABLE core.convergence (
    indicator_key SMALLINT NOT NULL,
    period_key INTEGER NOT NULL,
    area_key SMALLINT NOT NULL,
    scope TEXT NOT NULL,
    release_from INTEGER NOT NULL,
    release_to INTEGER,
    first_period_key INTEGER NOT NULL,
    years INTEGER NOT NULL,
    units INTEGER NOT NULL,
    units_missing INTEGER NOT NULL,
    coverage DOUBLE PRECISION NOT NULL,
    cv_first DOUBLE PRECISION,
    cv_last DOUBLE PRECISION,
    cv_slope DOUBLE PRECISION,
    sd_log_slope DOUBLE PRECISION,
    beta DOUBLE PRECISION,
    speed DOUBLE PRECISION,
    half_life DOUBLE PRECISION,
    convergence TEXT,
    grade CHAR(1) NOT NULL,
    status TEXT NOT NULL,
    CONSTRAINT convergence_pkey PRIMARY KEY (indicator_key, period_key, area_key, scope, release_from)
);
CREATE INDEX convergence_release_from_idx ON core.convergence USING brin (release_from);
CREATE INDEX convergence_release_to_idx ON core.convergence (release_to) WHERE release_to IS NOT NULL;
COMMENT ON TABLE core.convergence IS 'mart.convergence with its history by release';
COMMENT ON COLUMN core.convergence.indicator_key IS 'indicator (core.indicator)';
COMMENT ON COLUMN core.convergence.period_key IS 'period (core.period); sorts by start';
COMMENT ON COLUMN core.convergence.area_key IS 'area type: 0 total, 1 urban, 2 rural';
COMMENT ON COLUMN core.convergence.scope IS 'units compared: nation:province, nation:county, 510000:county';
COMMENT ON COLUMN core.convergence.release_from IS 'first release that shows this row';
COMMENT ON COLUMN core.convergence.release_to IS 'first release that no longer shows it; null: still shown';
COMMENT ON COLUMN core.convergence.first_period_key IS 'first period that counts (core.period)';
COMMENT ON COLUMN core.convergence.years IS 'periods that count, this one among them';
COMMENT ON COLUMN core.convergence.units IS 'units with a usable figure in all of these periods';
COMMENT ON COLUMN core.convergence.units_missing IS 'units that exist and have none in some of them';
COMMENT ON COLUMN core.convergence.coverage IS 'share of the units that exist';
COMMENT ON COLUMN core.convergence.cv_first IS 'coefficient of variation in the first period';
COMMENT ON COLUMN core.convergence.cv_last IS 'coefficient of variation in this period';
COMMENT ON COLUMN core.convergence.cv_slope IS 'sigma: change of the CV a year, by least squares; negative: converging';
COMMENT ON COLUMN core.convergence.sd_log_slope IS 'sigma: change of the SD of logarithms a year; null where a value is 0';
COMMENT ON COLUMN core.convergence.beta IS 'beta: slope of growth a year on the logarithm of the start';
COMMENT ON COLUMN core.convergence.speed IS 'speed of beta-convergence a year';
COMMENT ON COLUMN core.convergence.half_life IS 'years until half of a distance is gone at that speed';
COMMENT ON COLUMN core.convergence.convergence IS 'converging, diverging or none';
COMMENT ON COLUMN core.convergence.grade IS 'A, B (a check warned) or C (provisional figures, or units missing)';
COMMENT ON COLUMN core.convergence.status IS 'ok, or why the measures are null';

CREATE VIEW mart.convergence_history AS
SELECT i.code AS indicator_code, i.name_zh AS indicator_name, i.sector, p.period_code, p.period_start,
       (ARRAY['total', 'urban', 'rural'])[m.area_key + 1] AS area_type, m.scope, f.period_code AS first_period_code, m.years,
       m.units, m.units_missing, m.coverage, m.cv_first, m.cv_last, m.cv_slope, m.sd_log_slope, m.beta, m.speed, m.half_life,
       m.convergence, m.grade, m.status, m.release_from,
       CASE WHEN m.release_to <= z.release_id THEN m.release_to END AS release_to
FROM mart.release_horizon z
JOIN core.convergence m ON m.release_from <= z.release_id
JOIN core.indicator i ON i.indicator_key = m.indicator_key
JOIN core.period p ON p.period_key = m.period_key
JOIN core.period f ON f.period_key = m.first_period_key;
COMMENT ON VIEW mart.convergence_history IS 'mart.convergence of every release';

CREATE VIEW mart.convergence AS
SELECT h.indicator_code, h.indicator_name, h.sector, h.period_code, h.period_start, h.area_type, h.scope, h.first_period_code,
       h.years, h.units, h.units_missing, h.coverage, h.cv_first, h.cv_last, h.cv_slope, h.sd_log_slope, h.beta, h.speed,
       h.half_life, h.convergence, h.grade, h.status, h.release_from AS release_id
FROM mart.convergence_history h
JOIN mart.release_in_force f
  ON h.release_from <= f.release_id AND (h.release_to IS NULL OR h.release_to > f.release_id);
COMMENT ON VIEW mart.convergence IS 'Whether places draw together over the years since the last break: sigma (their spread) and beta (do the low ones grow faster), over provinces or counties as equals, of reported figures only';
