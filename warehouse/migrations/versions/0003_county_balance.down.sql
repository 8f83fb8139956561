DROP FUNCTION mart.school_resource_as_of;
DROP VIEW mart.school_resource, mart.school_resource_history;
DROP TABLE core.school_resource, core.school_balance_line;
DELETE FROM ops.slice_digest WHERE mart IN ('county_balance', 'school_resource');
