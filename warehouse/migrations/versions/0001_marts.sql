-- The first marts: views that show the release in force, and what BI may do. Frozen: later changes are later migrations.

CREATE VIEW mart.release AS
SELECT r.release_id, r.published_at, r.refresh_id,
       CASE WHEN r.release_id = (SELECT release_id FROM ops.release_in_force) THEN 'in_force' ELSE r.status END AS status,
       r.observations, r.revisions, r.checks_passed, r.checks_warned, r.checks_failed, r.marts_sha256,
       r.catalogue_sha256, r.recorded_at
FROM ops.release r;
COMMENT ON VIEW mart.release IS 'Published states of the marts; status in_force is the one that every other mart shows';

CREATE VIEW mart.indicator AS
SELECT code AS indicator_code, name_zh AS indicator_name, name_en AS indicator_name_en, sector, kind, unit, numerator,
       denominator, multiplier, frequency, area_types, area_definition, finest_level, direction, aggregation,
       is_cumulative, is_comparable, weight_indicator, plausible_min, plausible_max, decimals
FROM core.indicator;
COMMENT ON VIEW mart.indicator IS 'The catalogue''s indicators: what each figure means, its unit and formula';

CREATE VIEW mart.region AS
SELECT region_code, name_zh AS region_name, name_en AS region_name_en, region_level, parent_code, region_group,
       is_county_unit, valid_from, valid_to
FROM core.region;
COMMENT ON VIEW mart.region IS 'Regions by code of GB/T 2260, historical codes included; the nation is 000000';

CREATE VIEW mart.standard AS
SELECT i.code AS indicator_code, i.name_zh AS indicator_name, s.kind AS floor_kind, s.op, s.value AS floor_value, i.unit,
       s.valid_from, s.valid_to, s.target_year, s.region_group, s.document, s.certainty
FROM core.standard_value s
JOIN core.indicator i USING (indicator_key);
COMMENT ON VIEW mart.standard IS 'Floors (binding), targets (planned for a year) and references, one step a row, with document';

CREATE VIEW mart.observation AS
SELECT i.code AS indicator_code, i.name_zh AS indicator_name, i.sector, r.region_code, r.name_zh AS region_name,
       r.region_level, r.region_group, p.period_code, p.period_start, p.period_end,
       (ARRAY['total', 'urban', 'rural'])[o.area_key + 1] AS area_type,
       o.value, i.unit, o.obs_status, i.kind = 'derived' OR o.receipt_id IS NULL AS is_computed,
       f.release_id, o.recorded_at, o.receipt_id, o.address AS source_cell
FROM ops.release_in_force pointer
JOIN core.observation o ON o.recorded_at <= pointer.recorded_at AND o.superseded_at > pointer.recorded_at
JOIN core.indicator i ON i.indicator_key = o.indicator_key
JOIN core.region r ON r.region_key = o.region_key
JOIN core.period p ON p.period_key = o.period_key
LEFT JOIN ops.refresh f ON f.recorded_at = o.recorded_at;
COMMENT ON VIEW mart.observation IS 'Every figure of the release in force: reported, derived and national, with the return and cell it comes from';

CREATE VIEW mart.attainment AS
SELECT i.code AS indicator_code, i.name_zh AS indicator_name, i.sector, r.region_code, r.name_zh AS region_name,
       r.region_level, r.region_group, p.period_code, p.period_start,
       (ARRAY['total', 'urban', 'rural'])[m.area_key + 1] AS area_type,
       m.value, i.unit, m.obs_status, m.floor_value, m.floor_kind, m.margin, m.attained, s.document, m.release_from AS release_id
FROM ops.release_in_force pointer
JOIN core.attainment m
  ON m.release_from <= pointer.release_id AND (m.release_to IS NULL OR m.release_to > pointer.release_id)
JOIN core.indicator i ON i.indicator_key = m.indicator_key
JOIN core.region r ON r.region_key = m.region_key
JOIN core.period p ON p.period_key = m.period_key
JOIN core.standard_value s ON s.standard_key = m.standard_key;
COMMENT ON VIEW mart.attainment IS 'Each figure against the standards in force on the period''s last day: margin >= 0 is attained';

CREATE VIEW mart.urban_rural_gap AS
SELECT i.code AS indicator_code, i.name_zh AS indicator_name, i.sector, r.region_code, r.name_zh AS region_name,
       r.region_level, r.region_group, p.period_code, p.period_start,
       m.urban_value, m.rural_value, m.ratio, m.difference, m.disadvantaged, i.unit, m.obs_status, m.status,
       m.release_from AS release_id
FROM ops.release_in_force pointer
JOIN core.urban_rural_gap m
  ON m.release_from <= pointer.release_id AND (m.release_to IS NULL OR m.release_to > pointer.release_id)
JOIN core.indicator i ON i.indicator_key = m.indicator_key
JOIN core.region r ON r.region_key = m.region_key
JOIN core.period p ON p.period_key = m.period_key;
COMMENT ON VIEW mart.urban_rural_gap IS 'Town against country: urban / rural and urban - rural, and which side is worse off';

CREATE VIEW mart.inequality AS
SELECT i.code AS indicator_code, i.name_zh AS indicator_name, i.sector, p.period_code, p.period_start,
       (ARRAY['total', 'urban', 'rural'])[m.area_key + 1] AS area_type, m.scope, m.weighting, m.units, m.units_missing,
       m.units_estimated, m.coverage, m.mean, i.unit, m.cv, m.gini, m.theil_t, m.theil_t_within, m.theil_t_between,
       m.max_min_ratio, m.grade, m.status, m.release_from AS release_id
FROM ops.release_in_force pointer
JOIN core.inequality m
  ON m.release_from <= pointer.release_id AND (m.release_to IS NULL OR m.release_to > pointer.release_id)
JOIN core.indicator i ON i.indicator_key = m.indicator_key
JOIN core.period p ON p.period_key = m.period_key;
COMMENT ON VIEW mart.inequality IS 'How far apart regions are: CV, Gini and Theil T with its parts, over provinces or counties, by units or by people';

CREATE VIEW mart.reporting AS
SELECT receipt_id, platform, sector, form, region_code, period_code, sequence, due_on, state, fetched_at, modified_at,
       CASE sequence WHEN 0 THEN state = 'missing'
            WHEN 1 THEN (least(modified_at, fetched_at) AT TIME ZONE 'Asia/Shanghai')::date > due_on END AS is_late,
       cells, loaded, unchanged, quarantined, sha256, file_name, message
FROM ops.return_receipt;
COMMENT ON VIEW mart.reporting IS 'What platforms delivered and owe: one row a delivery; sequence 0 is a return that is missing or failed';

GRANT USAGE ON SCHEMA mart TO bi_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA mart TO bi_reader;
ALTER DEFAULT PRIVILEGES IN SCHEMA mart GRANT SELECT ON TABLES TO bi_reader;
