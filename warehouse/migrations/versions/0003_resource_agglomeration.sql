-- Agglomeration: resources against land and people.

CREATE TABLE core.resource_agglomeration (
    indicator_key SMALLINT NOT NULL,
    period_key INTEGER NOT NULL,
    region_key INTEGER NOT NULL,
    release_from INTEGER NOT NULL,
    release_to INTEGER,
    value DOUBLE PRECISION,
    population DOUBLE PRECISION,
    area_km2 DOUBLE PRECISION NOT NULL,
    hrad DOUBLE PRECISION,
    pad DOUBLE PRECISION,
    hrad_pad DOUBLE PRECISION,
    obs_status CHAR(1),
    units INTEGER NOT NULL,
    units_missing INTEGER NOT NULL,
    units_estimated INTEGER NOT NULL,
    coverage DOUBLE PRECISION NOT NULL,
    grade CHAR(1) NOT NULL,
    status TEXT NOT NULL,
    CONSTRAINT resource_agglomeration_pkey PRIMARY KEY (indicator_key, period_key, region_key, release_from)
);
COMMENT ON TABLE core.resource_agglomeration IS 'mart.resource_agglomeration with its history by release';
COMMENT ON COLUMN core.resource_agglomeration.indicator_key IS 'indicator (core.indicator)';
COMMENT ON COLUMN core.resource_agglomeration.period_key IS 'period (core.period); sorts by start';
COMMENT ON COLUMN core.resource_agglomeration.region_key IS 'province: its code as a number';
COMMENT ON COLUMN core.resource_agglomeration.release_from IS 'first release that shows this row';
COMMENT ON COLUMN core.resource_agglomeration.release_to IS 'first release that no longer shows it; null: still shown';
COMMENT ON COLUMN core.resource_agglomeration.value IS 'amount of the resource, in the indicator''s unit';
COMMENT ON COLUMN core.resource_agglomeration.population IS 'residents, the latest at most two years old';
COMMENT ON COLUMN core.resource_agglomeration.area_km2 IS 'land in km2, the catalogue''s rounded figure';
COMMENT ON COLUMN core.resource_agglomeration.hrad IS 'share of the resource over share of the land: 1 is parity by land';
COMMENT ON COLUMN core.resource_agglomeration.pad IS 'share of the residents over share of the land';
COMMENT ON COLUMN core.resource_agglomeration.hrad_pad IS 'hrad over pad: above 1 more than its residents would call for';
COMMENT ON COLUMN core.resource_agglomeration.obs_status IS 'weaker status of resource and population; null where both lack';
COMMENT ON COLUMN core.resource_agglomeration.units IS 'provinces that have both, of which the shares are';
COMMENT ON COLUMN core.resource_agglomeration.units_missing IS 'provinces that can have both and lack one';
COMMENT ON COLUMN core.resource_agglomeration.units_estimated IS 'provinces of which either is estimated';
COMMENT ON COLUMN core.resource_agglomeration.coverage IS 'share of the provinces that can have both that do';
COMMENT ON COLUMN core.resource_agglomeration.grade IS 'of the slice: A all checks passed, B warnings, C estimated or partial coverage';
COMMENT ON COLUMN core.resource_agglomeration.status IS 'ok, or why the measures are null';
CREATE INDEX resource_agglomeration_release_from_idx ON core.resource_agglomeration USING brin (release_from);
CREATE INDEX resource_agglomeration_release_to_idx ON core.resource_agglomeration (release_to) WHERE release_to IS NOT NULL;

CREATE VIEW mart.resource_agglomeration_history AS
SELECT i.code AS indicator_code, i.name_zh AS indicator_name, i.sector, r.region_code, r.name_zh AS region_name,
       r.region_level, r.region_group, p.period_code, p.period_start, m.value, i.unit, m.population, m.area_km2,
       m.hrad, m.pad, m.hrad_pad, m.obs_status, m.units, m.units_missing, m.units_estimated, m.coverage, m.grade,
       m.status, m.release_from, CASE WHEN m.release_to <= z.release_id THEN m.release_to END AS release_to
FROM mart.release_horizon z
JOIN core.resource_agglomeration m ON m.release_from <= z.release_id
JOIN core.indicator i ON i.indicator_key = m.indicator_key
JOIN core.region r ON r.region_key = m.region_key
JOIN core.period p ON p.period_key = m.period_key;
COMMENT ON VIEW mart.resource_agglomeration_history IS 'mart.resource_agglomeration of every release';

CREATE VIEW mart.resource_agglomeration AS
SELECT h.indicator_code, h.indicator_name, h.sector, h.region_code, h.region_name, h.region_level, h.region_group,
       h.period_code, h.period_start, h.value, h.unit, h.population, h.area_km2, h.hrad, h.pad, h.hrad_pad,
       h.obs_status, h.units, h.units_missing, h.units_estimated, h.coverage, h.grade, h.status,
       h.release_from AS release_id
FROM mart.resource_agglomeration_history h
JOIN mart.release_in_force f
  ON h.release_from <= f.release_id AND (h.release_to IS NULL OR h.release_to > f.release_id);
COMMENT ON VIEW mart.resource_agglomeration IS 'Resources of provinces against their land and people: HRAD, PAD and their quotient';
