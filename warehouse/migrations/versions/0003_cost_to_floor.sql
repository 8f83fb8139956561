-- What lifting an amount a head to its floor would cost, against the place's own budget.

CREATE TABLE core.cost_to_floor (
    indicator_key SMALLINT NOT NULL,
    period_key INTEGER NOT NULL,
    region_key INTEGER NOT NULL,
    area_key SMALLINT NOT NULL,
    floor_kind TEXT NOT NULL,
    release_from INTEGER NOT NULL,
    release_to INTEGER,
    value DOUBLE PRECISION,
    floor_value DOUBLE PRECISION,
    heads DOUBLE PRECISION,
    cost DOUBLE PRECISION,
    revenue DOUBLE PRECISION,
    revenue_region_key INTEGER,
    share_of_revenue DOUBLE PRECISION,
    units INTEGER NOT NULL,
    units_missing INTEGER NOT NULL,
    units_estimated INTEGER NOT NULL,
    coverage DOUBLE PRECISION NOT NULL,
    grade CHAR(1) NOT NULL,
    status TEXT NOT NULL,
    CONSTRAINT cost_to_floor_pkey PRIMARY KEY (indicator_key, period_key, region_key, area_key, floor_kind, release_from)
);
COMMENT ON TABLE core.cost_to_floor IS 'mart.cost_to_floor with its history by release';
COMMENT ON COLUMN core.cost_to_floor.indicator_key IS 'indicator (core.indicator)';
COMMENT ON COLUMN core.cost_to_floor.period_key IS 'period (core.period); sorts by start';
COMMENT ON COLUMN core.cost_to_floor.region_key IS 'region: its code as a number, the nation 0';
COMMENT ON COLUMN core.cost_to_floor.area_key IS 'area type: 0 total, 1 urban, 2 rural';
COMMENT ON COLUMN core.cost_to_floor.floor_kind IS 'floor, target or reference';
COMMENT ON COLUMN core.cost_to_floor.release_from IS 'first release that shows this row';
COMMENT ON COLUMN core.cost_to_floor.release_to IS 'first release that no longer shows it; null: still shown';
COMMENT ON COLUMN core.cost_to_floor.value IS 'amount a head; of the nation its mean, null where there is none';
COMMENT ON COLUMN core.cost_to_floor.floor_value IS 'the floor; of the nation null where its provinces have several';
COMMENT ON COLUMN core.cost_to_floor.heads IS 'people it is paid to; null where nobody counted them';
COMMENT ON COLUMN core.cost_to_floor.cost IS 'CNY a year to lift them to the floor, 0 at or above it; of the nation its provinces'' sum';
COMMENT ON COLUMN core.cost_to_floor.revenue IS 'general public budget revenue it would be paid from, CNY';
COMMENT ON COLUMN core.cost_to_floor.revenue_region_key IS 'region whose revenue that is: its own, else the one above it';
COMMENT ON COLUMN core.cost_to_floor.share_of_revenue IS 'cost / revenue; null where there is no revenue';
COMMENT ON COLUMN core.cost_to_floor.units IS 'regions the cost rests on: 1, of the nation its provinces';
COMMENT ON COLUMN core.cost_to_floor.units_missing IS 'regions that ought to be in it and have no cost';
COMMENT ON COLUMN core.cost_to_floor.units_estimated IS 'regions of them with an estimate among value, heads and revenue';
COMMENT ON COLUMN core.cost_to_floor.coverage IS 'share of those regions that have a cost';
COMMENT ON COLUMN core.cost_to_floor.grade IS 'A all checks passed, B warnings, C estimated or partial coverage';
COMMENT ON COLUMN core.cost_to_floor.status IS 'ok, or why the cost is null';
CREATE INDEX cost_to_floor_release_from_idx ON core.cost_to_floor USING brin (release_from);
CREATE INDEX cost_to_floor_release_to_idx ON core.cost_to_floor (release_to) WHERE release_to IS NOT NULL;

CREATE VIEW mart.cost_to_floor_history AS
SELECT i.code AS indicator_code, i.name_zh AS indicator_name, i.sector, r.region_code, r.name_zh AS region_name,
       r.region_level, r.region_group, p.period_code, p.period_start,
       (ARRAY['total', 'urban', 'rural'])[m.area_key + 1] AS area_type, m.floor_kind, m.value, i.unit, m.floor_value,
       m.heads, m.cost, m.revenue, b.region_code AS revenue_region_code, m.share_of_revenue, m.units, m.units_missing,
       m.units_estimated, m.coverage, m.grade, m.status, m.release_from,
       CASE WHEN m.release_to <= z.release_id THEN m.release_to END AS release_to
FROM mart.release_horizon z
JOIN core.cost_to_floor m ON m.release_from <= z.release_id
JOIN core.indicator i ON i.indicator_key = m.indicator_key
JOIN core.period p ON p.period_key = m.period_key
JOIN core.region r ON r.region_key = m.region_key
LEFT JOIN core.region b ON b.region_key = m.revenue_region_key;
COMMENT ON VIEW mart.cost_to_floor_history IS 'mart.cost_to_floor of every release';

CREATE VIEW mart.cost_to_floor AS
SELECT h.indicator_code, h.indicator_name, h.sector, h.region_code, h.region_name, h.region_level, h.region_group,
       h.period_code, h.period_start, h.area_type, h.floor_kind, h.value, h.unit, h.floor_value, h.heads, h.cost,
       h.revenue, h.revenue_region_code, h.share_of_revenue, h.units, h.units_missing, h.units_estimated, h.coverage,
       h.grade, h.status, h.release_from AS release_id
FROM mart.cost_to_floor_history h
JOIN mart.release_in_force f
  ON h.release_from <= f.release_id AND (h.release_to IS NULL OR h.release_to > f.release_id);
COMMENT ON VIEW mart.cost_to_floor IS 'What lifting an amount a head to the standard in force would cost a year, and its share of the budget revenue: of each region, and of the nation as the sum of its provinces';
