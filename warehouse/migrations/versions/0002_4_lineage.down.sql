DROP VIEW IF EXISTS core.lineage;
DROP TABLE core.lineage_part;
