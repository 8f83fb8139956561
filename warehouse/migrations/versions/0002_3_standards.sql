-- Standards: the items of the national standard, local standards beside national ones, breaks of definition, reported
-- rates beside recomputed ones. Frozen: later changes are later migrations.

CREATE TABLE core.standard (
    item_number SMALLINT NOT NULL,
    item TEXT NOT NULL,
    category_number SMALLINT NOT NULL,
    category TEXT NOT NULL,
    area_number SMALLINT NOT NULL,
    area TEXT NOT NULL,
    area_en TEXT NOT NULL,
    edition SMALLINT NOT NULL,
    indicator_codes TEXT NOT NULL,
    is_verified BOOLEAN NOT NULL,
    CONSTRAINT standard_pkey PRIMARY KEY (item_number)
);
COMMENT ON TABLE core.standard IS 'Items of the national basic public service standard, by category and area';
COMMENT ON COLUMN core.standard.item_number IS 'number of the item in the edition';
COMMENT ON COLUMN core.standard.item IS 'name of the service';
COMMENT ON COLUMN core.standard.category_number IS 'number of its category';
COMMENT ON COLUMN core.standard.category IS 'name of the category';
COMMENT ON COLUMN core.standard.area_number IS 'number of its area of life';
COMMENT ON COLUMN core.standard.area IS 'name of the area';
COMMENT ON COLUMN core.standard.area_en IS 'English name of the area';
COMMENT ON COLUMN core.standard.edition IS 'year of the edition of the standard';
COMMENT ON COLUMN core.standard.indicator_codes IS 'indicators that observe the item, separated by ;';
COMMENT ON COLUMN core.standard.is_verified IS 'whether the name was compared with the published text; false: from memory';

-- Local standards have numbers of their own, and there may be more of them than a smallint counts.
DROP VIEW mart.attainment, mart.attainment_history;
ALTER TABLE core.attainment ALTER COLUMN standard_key TYPE INTEGER;
ALTER TABLE core.standard_value
    ALTER COLUMN standard_key TYPE INTEGER,
    ADD COLUMN area_type TEXT,
    ADD COLUMN item_number SMALLINT,
    ADD COLUMN is_binding BOOLEAN,
    ADD COLUMN region_code TEXT,
    ADD COLUMN is_withdrawn BOOLEAN DEFAULT false NOT NULL;
UPDATE core.standard_value SET is_binding = kind = 'floor';
ALTER TABLE core.standard_value ALTER COLUMN is_binding SET NOT NULL;
COMMENT ON TABLE core.standard_value IS 'Floors, targets and reference values, one step a row; national ones and those that places set themselves';
COMMENT ON COLUMN core.standard_value.area_type IS 'area type it is for, null: all';
COMMENT ON COLUMN core.standard_value.item_number IS 'item it belongs to (core.standard), null: none';
COMMENT ON COLUMN core.standard_value.is_binding IS 'whether it must be met';
COMMENT ON COLUMN core.standard_value.region_code IS 'place that set it, for itself and all within it; 000000: for the nation alone; null: national';
COMMENT ON COLUMN core.standard_value.is_withdrawn IS 'whether the catalogue no longer has it; the row stays for the releases that rest on it';

CREATE TABLE core.indicator_break (
    break_number SMALLINT NOT NULL,
    indicator_key SMALLINT NOT NULL,
    region_code TEXT,
    area_type TEXT,
    first_year SMALLINT NOT NULL,
    what_changed TEXT NOT NULL,
    part_code TEXT,
    CONSTRAINT indicator_break_pkey PRIMARY KEY (break_number)
);
COMMENT ON TABLE core.indicator_break IS 'Breaks of definition, those of derived indicators through their parts included';
COMMENT ON COLUMN core.indicator_break.break_number IS 'running number';
COMMENT ON COLUMN core.indicator_break.indicator_key IS 'indicator';
COMMENT ON COLUMN core.indicator_break.region_code IS 'region whose figures break, null: all';
COMMENT ON COLUMN core.indicator_break.area_type IS 'area type whose figures break, null: all';
COMMENT ON COLUMN core.indicator_break.first_year IS 'first year of the new definition; figures before it mean something else';
COMMENT ON COLUMN core.indicator_break.what_changed IS 'what changed';
COMMENT ON COLUMN core.indicator_break.part_code IS 'part of a derived indicator whose definition changed, null: its own';

CREATE TABLE core.recomputed_rate (
    reported_key SMALLINT NOT NULL,
    recomputed_key SMALLINT NOT NULL,
    factor DOUBLE PRECISION NOT NULL,
    CONSTRAINT recomputed_rate_pkey PRIMARY KEY (reported_key)
);
COMMENT ON TABLE core.recomputed_rate IS 'Which computed rate stands beside which reported one';
COMMENT ON COLUMN core.recomputed_rate.reported_key IS 'rate that returns carry';
COMMENT ON COLUMN core.recomputed_rate.recomputed_key IS 'derived indicator it stands beside';
COMMENT ON COLUMN core.recomputed_rate.factor IS 'what the derived indicator is multiplied by to have the unit of the reported rate';

CREATE VIEW mart.attainment_history AS
SELECT i.code AS indicator_code, i.name_zh AS indicator_name, i.sector, r.region_code, r.name_zh AS region_name,
       r.region_level, r.region_group, p.period_code, p.period_start,
       (ARRAY['total', 'urban', 'rural'])[m.area_key + 1] AS area_type,
       m.value, i.unit, m.obs_status, m.floor_value, m.floor_kind, m.margin, m.attained, s.document,
       m.release_from, CASE WHEN m.release_to <= z.release_id THEN m.release_to END AS release_to,
       s.region_code AS floor_region_code, s.is_binding, s.item_number
FROM mart.release_horizon z
JOIN core.attainment m ON m.release_from <= z.release_id
JOIN core.indicator i ON i.indicator_key = m.indicator_key
JOIN core.region r ON r.region_key = m.region_key
JOIN core.period p ON p.period_key = m.period_key
JOIN core.standard_value s ON s.standard_key = m.standard_key;
COMMENT ON VIEW mart.attainment_history IS 'mart.attainment of every release';

CREATE VIEW mart.attainment AS
SELECT h.indicator_code, h.indicator_name, h.sector, h.region_code, h.region_name, h.region_level, h.region_group,
       h.period_code, h.period_start, h.area_type, h.value, h.unit, h.obs_status, h.floor_value, h.floor_kind, h.margin,
       h.attained, h.document, h.release_from AS release_id, h.floor_region_code, h.is_binding, h.item_number
FROM mart.attainment_history h
JOIN mart.release_in_force f
  ON h.release_from <= f.release_id AND (h.release_to IS NULL OR h.release_to > f.release_id);
COMMENT ON VIEW mart.attainment IS 'Each figure against the strictest standard in force for its place on the period''s last day: margin >= 0 is attained';

DROP VIEW mart.standard;
CREATE VIEW mart.standard AS
SELECT i.code AS indicator_code, i.name_zh AS indicator_name, s.kind AS floor_kind, s.op, s.value AS floor_value, i.unit,
       s.valid_from, s.valid_to, s.target_year, s.region_group, s.document, s.certainty, s.area_type, s.is_binding,
       s.region_code, r.name_zh AS region_name, t.area, t.category, s.item_number, t.item, t.is_verified
FROM core.standard_value s
JOIN core.indicator i ON i.indicator_key = s.indicator_key
LEFT JOIN core.region r ON r.region_code = s.region_code
LEFT JOIN core.standard t ON t.item_number = s.item_number
WHERE NOT s.is_withdrawn;
COMMENT ON VIEW mart.standard IS 'Floors (binding), targets (planned for a year) and references, national and local, one step a row, with document and item';

CREATE VIEW mart.standard_item AS
SELECT t.item_number, t.item, t.category_number, t.category, t.area_number, t.area, t.area_en, t.edition,
       t.indicator_codes, t.is_verified
FROM core.standard t;
COMMENT ON VIEW mart.standard_item IS 'The 81 items of the national basic public service standard (2023) by category and area, and what observes each here';

CREATE VIEW mart.indicator_break AS
SELECT i.code AS indicator_code, i.name_zh AS indicator_name, b.region_code, r.name_zh AS region_name, b.area_type,
       b.first_year, b.what_changed, b.part_code
FROM core.indicator_break b
JOIN core.indicator i ON i.indicator_key = b.indicator_key
LEFT JOIN core.region r ON r.region_code = b.region_code;
COMMENT ON VIEW mart.indicator_break IS 'Breaks of definition: a comparison of a year before first_year with one from it on crosses the break and says nothing';

CREATE VIEW mart.rate_comparison AS
SELECT i.code AS indicator_code, i.name_zh AS indicator_name, i.sector, r.region_code, r.name_zh AS region_name,
       r.region_level, p.period_code, p.period_start, (ARRAY['total', 'urban', 'rural'])[o.area_key + 1] AS area_type,
       o.value, c.code AS recomputed_code, n.value * x.factor AS recomputed_value, i.unit,
       o.value - n.value * x.factor AS difference,
       (o.value - n.value * x.factor) / nullif(abs(n.value * x.factor), 0) AS relative_difference,
       o.obs_status, n.obs_status AS recomputed_status, o.receipt_id, o.address AS source_cell
FROM core.recomputed_rate x
JOIN mart.release_in_force f ON true
JOIN core.observation o
  ON o.indicator_key = x.reported_key AND o.recorded_at <= f.recorded_at AND o.superseded_at > f.recorded_at
JOIN core.observation n
  ON n.indicator_key = x.recomputed_key AND n.period_key = o.period_key AND n.region_key = o.region_key
 AND n.area_key = o.area_key AND n.recorded_at <= f.recorded_at AND n.superseded_at > f.recorded_at
JOIN core.indicator i ON i.indicator_key = o.indicator_key
JOIN core.indicator c ON c.indicator_key = n.indicator_key
JOIN core.region r ON r.region_key = o.region_key
JOIN core.period p ON p.period_key = o.period_key
WHERE o.value IS NOT NULL AND n.value IS NOT NULL;
COMMENT ON VIEW mart.rate_comparison IS 'Rates as reported beside the same rates computed from reported numbers; they differ where denominators do';
