-- Inequality completed: WHO's measures along income and from a reference unit, and Theil T of counties in three layers. Views
-- keep their identity and gain columns at their end; the function of a moment is made anew, as its rows have the view's shape.

ALTER TABLE core.inequality
    ADD COLUMN mdru DOUBLE PRECISION,
    ADD COLUMN mdrw DOUBLE PRECISION,
    ADD COLUMN aci DOUBLE PRECISION,
    ADD COLUMN rci DOUBLE PRECISION,
    ADD COLUMN sii DOUBLE PRECISION,
    ADD COLUMN rii DOUBLE PRECISION,
    ADD COLUMN theil_t_between_groups DOUBLE PRECISION,
    ADD COLUMN theil_t_between_provinces DOUBLE PRECISION,
    ADD COLUMN theil_t_within_provinces DOUBLE PRECISION,
    ADD COLUMN sii_model TEXT,
    ADD COLUMN ranking_period_key INTEGER,
    ADD COLUMN ranking_status TEXT NOT NULL DEFAULT 'no_ranking_variable';
ALTER TABLE core.inequality ALTER COLUMN ranking_status DROP DEFAULT;
COMMENT ON COLUMN core.inequality.mdru IS 'mean difference from the capital region, units as equals, in the unit (WHO MDRU); null for counties';
COMMENT ON COLUMN core.inequality.mdrw IS 'mean difference from the capital region by weight, in the unit (WHO MDRW); null for counties';
COMMENT ON COLUMN core.inequality.aci IS 'absolute concentration index along income, in the unit (WHO ACI)';
COMMENT ON COLUMN core.inequality.rci IS 'relative concentration index along income (WHO RCI)';
COMMENT ON COLUMN core.inequality.sii IS 'slope index of inequality: richest minus poorest end of the fit, in the unit (WHO SII)';
COMMENT ON COLUMN core.inequality.rii IS 'relative index of inequality: richest over poorest end of the fit (WHO RII)';
COMMENT ON COLUMN core.inequality.theil_t_between_groups IS 'of the nation''s counties: part of Theil T between the groups of provinces';
COMMENT ON COLUMN core.inequality.theil_t_between_provinces IS 'of the nation''s counties: part of Theil T between the provinces of a group';
COMMENT ON COLUMN core.inequality.theil_t_within_provinces IS 'of the nation''s counties: part of Theil T within provinces';
COMMENT ON COLUMN core.inequality.sii_model IS 'fit of SII and RII: logistic (percent) or linear; null where they are';
COMMENT ON COLUMN core.inequality.ranking_period_key IS 'period whose income ranks the units (core.period); null where none does';
COMMENT ON COLUMN core.inequality.ranking_status IS 'ok, or why the measures along income are null';

DROP FUNCTION mart.inequality_as_of;

CREATE OR REPLACE VIEW mart.inequality_history AS
SELECT i.code AS indicator_code, i.name_zh AS indicator_name, i.sector, p.period_code, p.period_start,
       (ARRAY['total', 'urban', 'rural'])[m.area_key + 1] AS area_type, m.scope, m.weighting, m.units, m.units_missing,
       m.units_estimated, m.coverage, m.mean, i.unit, m.cv, m.gini, m.theil_t, m.theil_t_within, m.theil_t_between,
       m.max_min_ratio, m.grade, m.status, m.release_from,
       CASE WHEN m.release_to <= z.release_id THEN m.release_to END AS release_to,
       m.theil_l, m.theil_l_within, m.theil_l_between, m.atkinson_05, m.atkinson_1, m.atkinson_2, m.dagum_within,
       m.dagum_between, m.dagum_transvariation, m.p90_p10_ratio, m.max_min_difference, m.mdmu, m.mdmw, m.mdbu,
       m.mdbw, m.idisu, m.idisw, m.bgv, m.bgsd, m.par, m.paf,
       m.mdru, m.mdrw, m.aci, m.rci, m.sii, m.rii, m.theil_t_between_groups, m.theil_t_between_provinces,
       m.theil_t_within_provinces, m.sii_model, r.period_code AS ranking_period_code, m.ranking_status
FROM mart.release_horizon z
JOIN core.inequality m ON m.release_from <= z.release_id
JOIN core.indicator i ON i.indicator_key = m.indicator_key
JOIN core.period p ON p.period_key = m.period_key
LEFT JOIN core.period r ON r.period_key = m.ranking_period_key;
COMMENT ON VIEW mart.inequality_history IS 'mart.inequality of every release';

CREATE OR REPLACE VIEW mart.inequality AS
SELECT h.indicator_code, h.indicator_name, h.sector, h.period_code, h.period_start, h.area_type, h.scope, h.weighting,
       h.units, h.units_missing, h.units_estimated, h.coverage, h.mean, h.unit, h.cv, h.gini, h.theil_t, h.theil_t_within,
       h.theil_t_between, h.max_min_ratio, h.grade, h.status, h.release_from AS release_id,
       h.theil_l, h.theil_l_within, h.theil_l_between, h.atkinson_05, h.atkinson_1, h.atkinson_2, h.dagum_within,
       h.dagum_between, h.dagum_transvariation, h.p90_p10_ratio, h.max_min_difference, h.mdmu, h.mdmw, h.mdbu,
       h.mdbw, h.idisu, h.idisw, h.bgv, h.bgsd, h.par, h.paf,
       h.mdru, h.mdrw, h.aci, h.rci, h.sii, h.rii, h.theil_t_between_groups, h.theil_t_between_provinces,
       h.theil_t_within_provinces, h.sii_model, h.ranking_period_code, h.ranking_status
FROM mart.inequality_history h
JOIN mart.release_in_force f
  ON h.release_from <= f.release_id AND (h.release_to IS NULL OR h.release_to > f.release_id);
COMMENT ON VIEW mart.inequality IS 'How far apart regions are, over provinces or counties, by units or by people: CV, Gini with Dagum''s parts, Theil T and L with theirs, Atkinson, deciles, and all of WHO''s, those along income of provinces';
