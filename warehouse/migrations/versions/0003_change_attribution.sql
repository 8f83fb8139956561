-- What a year's change of inequality between provinces is made of. Frozen once released: later changes are later migrations.

CREATE TABLE core.change_attribution (
    indicator_key SMALLINT NOT NULL,
    period_key INTEGER NOT NULL,
    area_key SMALLINT NOT NULL,
    weighting TEXT NOT NULL,
    measure TEXT NOT NULL,
    region_key INTEGER NOT NULL,
    part TEXT NOT NULL,
    release_from INTEGER NOT NULL,
    release_to INTEGER,
    base_period_key INTEGER,
    contribution DOUBLE PRECISION,
    change DOUBLE PRECISION,
    index_before DOUBLE PRECISION,
    index_after DOUBLE PRECISION,
    units INTEGER NOT NULL,
    units_missing INTEGER NOT NULL,
    units_estimated INTEGER NOT NULL,
    coverage DOUBLE PRECISION NOT NULL,
    grade CHAR(1) NOT NULL,
    status TEXT NOT NULL,
    CONSTRAINT change_attribution_pkey PRIMARY KEY (indicator_key, period_key, area_key, weighting, measure, region_key, part, release_from)
);
COMMENT ON TABLE core.change_attribution IS 'mart.change_attribution with its history by release';
COMMENT ON COLUMN core.change_attribution.indicator_key IS 'indicator (core.indicator)';
COMMENT ON COLUMN core.change_attribution.period_key IS 'period (core.period); sorts by start';
COMMENT ON COLUMN core.change_attribution.area_key IS 'area type: 0 total, 1 urban, 2 rural';
COMMENT ON COLUMN core.change_attribution.weighting IS 'none (provinces as equals) or population (people)';
COMMENT ON COLUMN core.change_attribution.measure IS 'index that changed: cv_squared or theil_t, over provinces';
COMMENT ON COLUMN core.change_attribution.region_key IS 'province whose line it is; the nation 0 where nothing is compared';
COMMENT ON COLUMN core.change_attribution.part IS 'numerator, denominator, value (of an indicator that is no rate), weight, entered, left, revision; none where nothing is compared';
COMMENT ON COLUMN core.change_attribution.release_from IS 'first release that shows this row';
COMMENT ON COLUMN core.change_attribution.release_to IS 'first release that no longer shows it; null: still shown';
COMMENT ON COLUMN core.change_attribution.base_period_key IS 'earlier period (core.period); null: nothing is compared';
COMMENT ON COLUMN core.change_attribution.contribution IS 'what this part of this province adds to the change';
COMMENT ON COLUMN core.change_attribution.change IS 'index_after - index_before, the sum of all contributions';
COMMENT ON COLUMN core.change_attribution.index_before IS 'index of the earlier period, of its figures as first published';
COMMENT ON COLUMN core.change_attribution.index_after IS 'index of the period, of its figures as known';
COMMENT ON COLUMN core.change_attribution.units IS 'provinces with published figures in both periods';
COMMENT ON COLUMN core.change_attribution.units_missing IS 'provinces whose figures can exist and are not published in one of them';
COMMENT ON COLUMN core.change_attribution.units_estimated IS 'provinces left out since a figure of theirs is estimated or weaker';
COMMENT ON COLUMN core.change_attribution.coverage IS 'lesser share of provinces (of weight, where weighted) of the two periods';
COMMENT ON COLUMN core.change_attribution.grade IS 'A all checks passed, B warnings, C provisional or partial coverage';
COMMENT ON COLUMN core.change_attribution.status IS 'ok, or why nothing is compared';
CREATE INDEX change_attribution_release_from_idx ON core.change_attribution USING brin (release_from);
CREATE INDEX change_attribution_release_to_idx ON core.change_attribution (release_to) WHERE release_to IS NOT NULL;

CREATE VIEW mart.change_attribution_history AS
SELECT i.code AS indicator_code, i.name_zh AS indicator_name, i.sector, p.period_code, p.period_start,
       b.period_code AS base_period_code, (ARRAY['total', 'urban', 'rural'])[m.area_key + 1] AS area_type,
       'nation:province' AS scope, m.weighting, m.measure, r.region_code, r.name_zh AS region_name, r.region_level, m.part,
       m.contribution, m.change, m.index_before, m.index_after, m.units, m.units_missing, m.units_estimated, m.coverage,
       m.grade, m.status, m.release_from, CASE WHEN m.release_to <= z.release_id THEN m.release_to END AS release_to
FROM mart.release_horizon z
JOIN core.change_attribution m ON m.release_from <= z.release_id
JOIN core.indicator i ON i.indicator_key = m.indicator_key
JOIN core.period p ON p.period_key = m.period_key
JOIN core.region r ON r.region_key = m.region_key
LEFT JOIN core.period b ON b.period_key = m.base_period_key;
COMMENT ON VIEW mart.change_attribution_history IS 'mart.change_attribution of every release';

CREATE VIEW mart.change_attribution AS
SELECT h.indicator_code, h.indicator_name, h.sector, h.period_code, h.period_start, h.base_period_code, h.area_type, h.scope,
       h.weighting, h.measure, h.region_code, h.region_name, h.region_level, h.part, h.contribution, h.change,
       h.index_before, h.index_after, h.units, h.units_missing, h.units_estimated, h.coverage, h.grade, h.status,
       h.release_from AS release_id
FROM mart.change_attribution_history h
JOIN mart.release_in_force f
  ON h.release_from <= f.release_id AND (h.release_to IS NULL OR h.release_to > f.release_id);
COMMENT ON VIEW mart.change_attribution IS 'What a year''s change of CV² or Theil T between provinces is made of: by province, and by numerator, denominator, weight, who entered and left, and revision; contributions sum to the change';
