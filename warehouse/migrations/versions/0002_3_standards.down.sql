DROP TABLE core.recomputed_rate, core.indicator_break;
-- The first schema knows no local standards, and none for one area type or for the nation alone; all of it is computed
-- anew, since the catalogue of that code has another hash.
DELETE FROM core.attainment a USING core.standard_value s
WHERE s.standard_key = a.standard_key AND (s.region_code IS NOT NULL OR s.area_type IS NOT NULL);
DELETE FROM core.standard_value WHERE region_code IS NOT NULL OR area_type IS NOT NULL;
ALTER TABLE core.attainment ALTER COLUMN standard_key TYPE SMALLINT;
ALTER TABLE core.standard_value
    ALTER COLUMN standard_key TYPE SMALLINT,
    DROP COLUMN area_type,
    DROP COLUMN item_number,
    DROP COLUMN is_binding,
    DROP COLUMN region_code,
    DROP COLUMN is_withdrawn;
COMMENT ON TABLE core.standard_value IS 'Floors, targets and reference values, one step a row';
DROP TABLE core.standard;
