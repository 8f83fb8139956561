DROP TABLE core.observation_harmonised, core.region_change;
