-- When a place reaches its standard if it goes on so, and how likely it is short of it next time.

CREATE TABLE core.shortfall_risk (
    indicator_key SMALLINT NOT NULL,
    period_key INTEGER NOT NULL,
    region_key INTEGER NOT NULL,
    area_key SMALLINT NOT NULL,
    floor_kind TEXT NOT NULL,
    release_from INTEGER NOT NULL,
    release_to INTEGER,
    value DOUBLE PRECISION NOT NULL,
    floor_value DOUBLE PRECISION NOT NULL,
    years SMALLINT NOT NULL,
    first_year SMALLINT NOT NULL,
    slope DOUBLE PRECISION,
    attainment_status TEXT NOT NULL,
    attainment_year DOUBLE PRECISION,
    next_value DOUBLE PRECISION,
    next_error DOUBLE PRECISION,
    next_floor_value DOUBLE PRECISION NOT NULL,
    probability DOUBLE PRECISION,
    band TEXT,
    grade CHAR(1) NOT NULL,
    status TEXT NOT NULL,
    CONSTRAINT shortfall_risk_pkey PRIMARY KEY (indicator_key, period_key, region_key, area_key, floor_kind, release_from)
);
COMMENT ON TABLE core.shortfall_risk IS 'mart.shortfall_risk with its history by release';
COMMENT ON COLUMN core.shortfall_risk.indicator_key IS 'indicator (core.indicator)';
COMMENT ON COLUMN core.shortfall_risk.period_key IS 'period (core.period); sorts by start';
COMMENT ON COLUMN core.shortfall_risk.region_key IS 'region: its code as a number, the nation 0';
COMMENT ON COLUMN core.shortfall_risk.area_key IS 'area type: 0 total, 1 urban, 2 rural';
COMMENT ON COLUMN core.shortfall_risk.floor_kind IS 'floor, target or reference';
COMMENT ON COLUMN core.shortfall_risk.release_from IS 'first release that shows this row';
COMMENT ON COLUMN core.shortfall_risk.release_to IS 'first release that no longer shows it; null: still shown';
COMMENT ON COLUMN core.shortfall_risk.value IS 'figure of the period, the last the line goes through';
COMMENT ON COLUMN core.shortfall_risk.floor_value IS 'standard in force at the period';
COMMENT ON COLUMN core.shortfall_risk.years IS 'years the line goes through: the last five observed ones without a break';
COMMENT ON COLUMN core.shortfall_risk.first_year IS 'the oldest of them';
COMMENT ON COLUMN core.shortfall_risk.slope IS 'the line''s change a year, in the indicator''s unit; null under three years';
COMMENT ON COLUMN core.shortfall_risk.attainment_status IS 'insufficient (under three years), attained, not_approaching, beyond_horizon (over 100 years), projected';
COMMENT ON COLUMN core.shortfall_risk.attainment_year IS 'first observed year at the standard, or where the line reaches it';
COMMENT ON COLUMN core.shortfall_risk.next_value IS 'what the line expects a period later';
COMMENT ON COLUMN core.shortfall_risk.next_error IS 'standard error of that expectation';
COMMENT ON COLUMN core.shortfall_risk.next_floor_value IS 'standard already set for that period; where there is none, that of this period';
COMMENT ON COLUMN core.shortfall_risk.probability IS 'that the next figure is short of it';
COMMENT ON COLUMN core.shortfall_risk.band IS 'low (under 0.10), watch (under 0.33), high (under 0.67), severe';
COMMENT ON COLUMN core.shortfall_risk.grade IS 'A all checks passed, B warnings, C provisional figures among them';
COMMENT ON COLUMN core.shortfall_risk.status IS 'ok, or why there is no probability';
CREATE INDEX shortfall_risk_release_from_idx ON core.shortfall_risk USING brin (release_from);
CREATE INDEX shortfall_risk_release_to_idx ON core.shortfall_risk (release_to) WHERE release_to IS NOT NULL;

CREATE VIEW mart.shortfall_risk_history AS
SELECT i.code AS indicator_code, i.name_zh AS indicator_name, i.sector, r.region_code, r.name_zh AS region_name,
       r.region_level, r.region_group, p.period_code, p.period_start,
       (ARRAY['total', 'urban', 'rural'])[m.area_key + 1] AS area_type, m.floor_kind, m.value, i.unit, m.floor_value,
       m.years, m.first_year, m.slope, m.attainment_status, m.attainment_year, m.next_value, m.next_error,
       m.next_floor_value, m.probability, m.band, m.grade, m.status, m.release_from,
       CASE WHEN m.release_to <= z.release_id THEN m.release_to END AS release_to
FROM mart.release_horizon z
JOIN core.shortfall_risk m ON m.release_from <= z.release_id
JOIN core.indicator i ON i.indicator_key = m.indicator_key
JOIN core.period p ON p.period_key = m.period_key
JOIN core.region r ON r.region_key = m.region_key;
COMMENT ON VIEW mart.shortfall_risk_history IS 'mart.shortfall_risk of every release';

CREATE VIEW mart.shortfall_risk AS
SELECT h.indicator_code, h.indicator_name, h.sector, h.region_code, h.region_name, h.region_level, h.region_group,
       h.period_code, h.period_start, h.area_type, h.floor_kind, h.value, h.unit, h.floor_value, h.years, h.first_year,
       h.slope, h.attainment_status, h.attainment_year, h.next_value, h.next_error, h.next_floor_value, h.probability,
       h.band, h.grade, h.status, h.release_from AS release_id
FROM mart.shortfall_risk_history h
JOIN mart.release_in_force f
  ON h.release_from <= f.release_id AND (h.release_to IS NULL OR h.release_to > f.release_id);
COMMENT ON VIEW mart.shortfall_risk IS 'When each place reaches its standard if it goes on as in its last observed years, and how likely its next figure is short of it: an early warning, extrapolated';
