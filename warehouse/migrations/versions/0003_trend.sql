-- Trend: its table with its history by release, and what readers see of it.

CREATE TABLE core.trend (
    indicator_key SMALLINT NOT NULL,
    period_key INTEGER NOT NULL,
    region_key INTEGER NOT NULL,
    area_key SMALLINT NOT NULL,
    release_from INTEGER NOT NULL,
    release_to INTEGER,
    first_period_key INTEGER NOT NULL,
    years INTEGER NOT NULL,
    value DOUBLE PRECISION NOT NULL,
    s DOUBLE PRECISION,
    probability DOUBLE PRECISION,
    slope DOUBLE PRECISION,
    slope_low DOUBLE PRECISION,
    slope_high DOUBLE PRECISION,
    trend TEXT,
    nation_value DOUBLE PRECISION,
    against_nation TEXT,
    floor_value DOUBLE PRECISION,
    against_floor TEXT,
    finding TEXT,
    grade CHAR(1) NOT NULL,
    status TEXT NOT NULL,
    CONSTRAINT trend_pkey PRIMARY KEY (indicator_key, period_key, region_key, area_key, release_from)
);
CREATE INDEX trend_release_from_idx ON core.trend USING brin (release_from);
CREATE INDEX trend_release_to_idx ON core.trend (release_to) WHERE release_to IS NOT NULL;
COMMENT ON TABLE core.trend IS 'mart.trend with its history by release';
COMMENT ON COLUMN core.trend.indicator_key IS 'indicator (core.indicator)';
COMMENT ON COLUMN core.trend.period_key IS 'period (core.period); sorts by start';
COMMENT ON COLUMN core.trend.region_key IS 'region: its code as a number, the nation 0';
COMMENT ON COLUMN core.trend.area_key IS 'area type: 0 total, 1 urban, 2 rural';
COMMENT ON COLUMN core.trend.release_from IS 'first release that shows this row';
COMMENT ON COLUMN core.trend.release_to IS 'first release that no longer shows it; null: still shown';
COMMENT ON COLUMN core.trend.first_period_key IS 'first period that counts (core.period)';
COMMENT ON COLUMN core.trend.years IS 'periods with a usable figure since then, this one among them';
COMMENT ON COLUMN core.trend.value IS 'figure of this period';
COMMENT ON COLUMN core.trend.s IS 'Mann-Kendall S: pairs of years that rise minus pairs that fall';
COMMENT ON COLUMN core.trend.probability IS 'two-sided probability of such an S without a trend';
COMMENT ON COLUMN core.trend.slope IS 'Theil-Sen slope: change a year, in the unit';
COMMENT ON COLUMN core.trend.slope_low IS 'lower end of its 95-percent interval';
COMMENT ON COLUMN core.trend.slope_high IS 'upper end of its 95-percent interval';
COMMENT ON COLUMN core.trend.trend IS 'improving, steady, worsening; of a neutral indicator rising, steady, falling';
COMMENT ON COLUMN core.trend.nation_value IS 'the nation''s figure of this period; null for the nation';
COMMENT ON COLUMN core.trend.against_nation IS 'better, near (within 5 percent), worse; of a neutral indicator above, near, below';
COMMENT ON COLUMN core.trend.floor_value IS 'floor in force, the strictest; null: none';
COMMENT ON COLUMN core.trend.against_floor IS 'under or met; null: no floor in force';
COMMENT ON COLUMN core.trend.finding IS 'against_nation and trend in one word, e.g. worse_and_worsening';
COMMENT ON COLUMN core.trend.grade IS 'A, B (a check warned) or C (a provisional figure)';
COMMENT ON COLUMN core.trend.status IS 'ok, or why the trend is null';

CREATE VIEW mart.trend_history AS
SELECT i.code AS indicator_code, i.name_zh AS indicator_name, i.sector, r.region_code, r.name_zh AS region_name,
       r.region_level, r.region_group, p.period_code, p.period_start,
       (ARRAY['total', 'urban', 'rural'])[m.area_key + 1] AS area_type, f.period_code AS first_period_code, m.years, m.value,
       i.unit, m.s, m.probability, m.slope, m.slope_low, m.slope_high, m.trend, m.nation_value, m.against_nation, m.floor_value,
       m.against_floor, m.finding, m.grade, m.status, m.release_from,
       CASE WHEN m.release_to <= z.release_id THEN m.release_to END AS release_to
FROM mart.release_horizon z
JOIN core.trend m ON m.release_from <= z.release_id
JOIN core.indicator i ON i.indicator_key = m.indicator_key
JOIN core.region r ON r.region_key = m.region_key
JOIN core.period p ON p.period_key = m.period_key
JOIN core.period f ON f.period_key = m.first_period_key;
COMMENT ON VIEW mart.trend_history IS 'mart.trend of every release';

CREATE VIEW mart.trend AS
SELECT h.indicator_code, h.indicator_name, h.sector, h.region_code, h.region_name, h.region_level, h.region_group,
       h.period_code, h.period_start, h.area_type, h.first_period_code, h.years, h.value, h.unit, h.s, h.probability, h.slope,
       h.slope_low, h.slope_high, h.trend, h.nation_value, h.against_nation, h.floor_value, h.against_floor, h.finding, h.grade,
       h.status, h.release_from AS release_id
FROM mart.trend_history h
JOIN mart.release_in_force f
  ON h.release_from <= f.release_id AND (h.release_to IS NULL OR h.release_to > f.release_id);
COMMENT ON VIEW mart.trend IS 'Which way each place goes since the last break (Mann-Kendall, Theil-Sen), where it stands against the nation and the floor, and both in one word; of reported figures only';
