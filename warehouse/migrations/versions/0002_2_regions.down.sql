DELETE FROM ops.slice_digest WHERE mart = 'observation_harmonised';
DROP TABLE core.observation_harmonised, core.region_change;
