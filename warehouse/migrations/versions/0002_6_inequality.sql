-- More measures of the same units: Theil L, Atkinson, Dagum's parts of the Gini, deciles, WHO's. Frozen: later changes are later
-- migrations.

ALTER TABLE core.inequality
    ADD COLUMN theil_l DOUBLE PRECISION,
    ADD COLUMN theil_l_within DOUBLE PRECISION,
    ADD COLUMN theil_l_between DOUBLE PRECISION,
    ADD COLUMN atkinson_05 DOUBLE PRECISION,
    ADD COLUMN atkinson_1 DOUBLE PRECISION,
    ADD COLUMN atkinson_2 DOUBLE PRECISION,
    ADD COLUMN dagum_within DOUBLE PRECISION,
    ADD COLUMN dagum_between DOUBLE PRECISION,
    ADD COLUMN dagum_transvariation DOUBLE PRECISION,
    ADD COLUMN p90_p10_ratio DOUBLE PRECISION,
    ADD COLUMN max_min_difference DOUBLE PRECISION,
    ADD COLUMN mdmu DOUBLE PRECISION,
    ADD COLUMN mdmw DOUBLE PRECISION,
    ADD COLUMN mdbu DOUBLE PRECISION,
    ADD COLUMN mdbw DOUBLE PRECISION,
    ADD COLUMN idisu DOUBLE PRECISION,
    ADD COLUMN idisw DOUBLE PRECISION,
    ADD COLUMN bgv DOUBLE PRECISION,
    ADD COLUMN bgsd DOUBLE PRECISION,
    ADD COLUMN par DOUBLE PRECISION,
    ADD COLUMN paf DOUBLE PRECISION;
COMMENT ON COLUMN core.inequality.theil_l IS 'Theil L, the mean log deviation; null where a value is 0';
COMMENT ON COLUMN core.inequality.theil_l_within IS 'part of Theil L within groups';
COMMENT ON COLUMN core.inequality.theil_l_between IS 'part of Theil L between groups';
COMMENT ON COLUMN core.inequality.atkinson_05 IS 'Atkinson index, aversion 0.5';
COMMENT ON COLUMN core.inequality.atkinson_1 IS 'Atkinson index, aversion 1';
COMMENT ON COLUMN core.inequality.atkinson_2 IS 'Atkinson index, aversion 2';
COMMENT ON COLUMN core.inequality.dagum_within IS 'part of the Gini within groups (Dagum)';
COMMENT ON COLUMN core.inequality.dagum_between IS 'part of the Gini between groups, net of overlap (Dagum)';
COMMENT ON COLUMN core.inequality.dagum_transvariation IS 'part of the Gini where groups overlap (Dagum)';
COMMENT ON COLUMN core.inequality.p90_p10_ratio IS 'ninth decile over first; null where the first is 0';
COMMENT ON COLUMN core.inequality.max_min_difference IS 'largest minus smallest, in the unit (WHO D)';
COMMENT ON COLUMN core.inequality.mdmu IS 'mean difference from the mean, units as equals, in the unit (WHO MDMU)';
COMMENT ON COLUMN core.inequality.mdmw IS 'mean difference from the mean by weight, in the unit (WHO MDMW)';
COMMENT ON COLUMN core.inequality.mdbu IS 'mean difference from the best unit, units as equals (WHO MDBU); null if neutral';
COMMENT ON COLUMN core.inequality.mdbw IS 'mean difference from the best unit by weight (WHO MDBW); null if neutral';
COMMENT ON COLUMN core.inequality.idisu IS 'index of disparity, units as equals, percent of the mean (WHO IDISU)';
COMMENT ON COLUMN core.inequality.idisw IS 'index of disparity by weight, percent of the mean (WHO IDISW)';
COMMENT ON COLUMN core.inequality.bgv IS 'between-group variance, in the square of the unit (WHO BGV)';
COMMENT ON COLUMN core.inequality.bgsd IS 'between-group standard deviation, in the unit (WHO BGSD)';
COMMENT ON COLUMN core.inequality.par IS 'attributable risk: the best unit minus the mean, in the unit (WHO PAR); null if neutral';
COMMENT ON COLUMN core.inequality.paf IS 'attributable fraction: PAR in percent of the mean (WHO PAF); null if neutral';

DROP VIEW mart.inequality, mart.inequality_history;

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
