-- The weights behind the composite indices.

CREATE TABLE core.index_weight (
    indicator_key SMALLINT NOT NULL,
    period_key INTEGER NOT NULL,
    member_key SMALLINT NOT NULL,
    area_key SMALLINT NOT NULL,
    release_from INTEGER NOT NULL,
    release_to INTEGER,
    weight_entropy DOUBLE PRECISION,
    weight_critic DOUBLE PRECISION,
    weight_equal DOUBLE PRECISION,
    low DOUBLE PRECISION,
    high DOUBLE PRECISION,
    first_year SMALLINT,
    last_year SMALLINT,
    pooled_units INTEGER NOT NULL,
    units INTEGER NOT NULL,
    units_missing INTEGER NOT NULL,
    units_estimated INTEGER NOT NULL,
    grade CHAR(1) NOT NULL,
    status TEXT NOT NULL,
    CONSTRAINT index_weight_pkey PRIMARY KEY (indicator_key, period_key, member_key, area_key, release_from)
);
COMMENT ON TABLE core.index_weight IS 'mart.index_weight with its history by release';
COMMENT ON COLUMN core.index_weight.indicator_key IS 'index (core.indicator, kind index)';
COMMENT ON COLUMN core.index_weight.period_key IS 'year (core.period), with the school year that begins in it';
COMMENT ON COLUMN core.index_weight.member_key IS 'member: an indicator (core.indicator)';
COMMENT ON COLUMN core.index_weight.area_key IS 'area type of the member: 0 total, 1 urban, 2 rural';
COMMENT ON COLUMN core.index_weight.release_from IS 'first release that shows this row';
COMMENT ON COLUMN core.index_weight.release_to IS 'first release that no longer shows it; null: still shown';
COMMENT ON COLUMN core.index_weight.weight_entropy IS 'weight of the member by entropy';
COMMENT ON COLUMN core.index_weight.weight_critic IS 'weight by CRITIC; null where all members are perfectly correlated';
COMMENT ON COLUMN core.index_weight.weight_equal IS 'weight where all that vary weigh the same';
COMMENT ON COLUMN core.index_weight.low IS 'smallest pooled figure, in the member''s unit';
COMMENT ON COLUMN core.index_weight.high IS 'largest pooled figure, in the member''s unit';
COMMENT ON COLUMN core.index_weight.first_year IS 'first year the weights are fitted on';
COMMENT ON COLUMN core.index_weight.last_year IS 'last year the weights are fitted on';
COMMENT ON COLUMN core.index_weight.pooled_units IS 'provinces and years the weights are fitted on';
COMMENT ON COLUMN core.index_weight.units IS 'provinces in which the member has a figure that year';
COMMENT ON COLUMN core.index_weight.units_missing IS 'provinces in which it has none';
COMMENT ON COLUMN core.index_weight.units_estimated IS 'provinces in which it is estimated';
COMMENT ON COLUMN core.index_weight.grade IS 'of the year: A all checks passed, B warnings, C estimated or partial coverage';
COMMENT ON COLUMN core.index_weight.status IS 'ok, or why the year has no part in the weights';
CREATE INDEX index_weight_release_from_idx ON core.index_weight USING brin (release_from);
CREATE INDEX index_weight_release_to_idx ON core.index_weight (release_to) WHERE release_to IS NOT NULL;

CREATE VIEW mart.index_weight_history AS
SELECT i.code AS indicator_code, i.name_zh AS indicator_name, i.sector, p.period_code, p.period_start,
       n.code AS member_code, n.name_zh AS member_name,
       (ARRAY['total', 'urban', 'rural'])[m.area_key + 1] AS area_type, n.direction, n.unit, m.weight_entropy,
       m.weight_critic, m.weight_equal, m.low, m.high, m.first_year, m.last_year, m.pooled_units, m.units,
       m.units_missing, m.units_estimated, m.grade, m.status, m.release_from,
       CASE WHEN m.release_to <= z.release_id THEN m.release_to END AS release_to
FROM mart.release_horizon z
JOIN core.index_weight m ON m.release_from <= z.release_id
JOIN core.indicator i ON i.indicator_key = m.indicator_key
JOIN core.indicator n ON n.indicator_key = m.member_key
JOIN core.period p ON p.period_key = m.period_key;
COMMENT ON VIEW mart.index_weight_history IS 'mart.index_weight of every release';

CREATE VIEW mart.index_weight AS
SELECT h.indicator_code, h.indicator_name, h.sector, h.period_code, h.period_start, h.member_code, h.member_name,
       h.area_type, h.direction, h.unit, h.weight_entropy, h.weight_critic, h.weight_equal, h.low, h.high,
       h.first_year, h.last_year, h.pooled_units, h.units, h.units_missing, h.units_estimated, h.grade, h.status,
       h.release_from AS release_id
FROM mart.index_weight_history h
JOIN mart.release_in_force f
  ON h.release_from <= f.release_id AND (h.release_to IS NULL OR h.release_to > f.release_id);
COMMENT ON VIEW mart.index_weight IS 'Weights of the members of each composite index, what their figures are scaled between, and how many provinces have them';
