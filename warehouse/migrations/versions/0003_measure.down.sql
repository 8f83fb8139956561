DROP VIEW mart.measure;
DROP TABLE core.measure;
