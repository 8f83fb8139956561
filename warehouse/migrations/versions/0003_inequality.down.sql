DROP FUNCTION mart.inequality_as_of;
DROP VIEW mart.inequality, mart.inequality_history;

ALTER TABLE core.inequality
    DROP COLUMN mdru,
    DROP COLUMN mdrw,
    DROP COLUMN aci,
    DROP COLUMN rci,
    DROP COLUMN sii,
    DROP COLUMN rii,
    DROP COLUMN theil_t_between_groups,
    DROP COLUMN theil_t_between_provinces,
    DROP COLUMN theil_t_within_provinces,
    DROP COLUMN sii_model,
    DROP COLUMN ranking_period_key,
    DROP COLUMN ranking_status;

CREATE VIEW mart.inequality_history AS
SELECT i.code AS indicator_code, i.name_zh AS indicator_name, i.sector, p.period_code, p.period_start,
       (ARRAY['total', 'urban', 'rural'])[m.area_key + 1] AS area_type, m.scope, m.weighting, m.units, m.units_missing,
       m.units_estimated, m.coverage, m.mean, i.unit, m.cv, m.gini, m.theil_t, m.theil_t_within, m.theil_t_between,
       m.max_min_ratio, m.grade, m.status, m.release_from,
       CASE WHEN m.release_to <= z.release_id THEN m.release_to END AS release_to,
       m.theil_l, m.theil_l_within, m.theil_l_between, m.atkinson_05, m.atkinson_1, m.atkinson_2, m.dagum_within,
       m.dagum_between, m.dagum_transvariation, m.p90_p10_ratio, m.max_min_difference, m.mdmu, m.mdmw, m.mdbu,
       m.mdbw, m.idisu, m.idisw, m.bgv, m.bgsd, m.par, m.paf
FROM mart.release_horizon z
JOIN core.inequality m ON m.release_from <= z.release_id
JOIN core.indicator i ON i.indicator_key = m.indicator_key
JOIN core.period p ON p.period_key = m.period_key;
COMMENT ON VIEW mart.inequality_history IS 'mart.inequality of every release';

CREATE VIEW mart.inequality AS
SELECT h.indicator_code, h.indicator_name, h.sector, h.period_code, h.period_start, h.area_type, h.scope, h.weighting,
       h.units, h.units_missing, h.units_estimated, h.coverage, h.mean, h.unit, h.cv, h.gini, h.theil_t, h.theil_t_within,
       h.theil_t_between, h.max_min_ratio, h.grade, h.status, h.release_from AS release_id,
       h.theil_l, h.theil_l_within, h.theil_l_between, h.atkinson_05, h.atkinson_1, h.atkinson_2, h.dagum_within,
       h.dagum_between, h.dagum_transvariation, h.p90_p10_ratio, h.max_min_difference, h.mdmu, h.mdmw, h.mdbu,
       h.mdbw, h.idisu, h.idisw, h.bgv, h.bgsd, h.par, h.paf
FROM mart.inequality_history h
JOIN mart.release_in_force f
  ON h.release_from <= f.release_id AND (h.release_to IS NULL OR h.release_to > f.release_id);
COMMENT ON VIEW mart.inequality IS 'How far apart regions are, over provinces or counties, by units or by people: CV, Gini with Dagum''s parts, Theil T and L with theirs, Atkinson, deciles, and WHO''s measures without an order';
