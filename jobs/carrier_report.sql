-- carrier_report: how punctual each carrier is, over all flights stored so far; a batch, it ends.
--
-- Input   dfs:///flights/carrier=XX/, as flights_by_carrier writes it.
-- Output  dfs:///reports/carriers/: one JSON line for each carrier. Averages are in minutes and over
--         positive values only; score = (2 * avg_dep_delay + avg_arr_delay) / avg_air_time, so lower is
--         better, and NULL where one of the three is.

SET 'execution.runtime-mode' = 'batch';

CREATE TABLE flights_by_carrier (
  dep_delay INT,
  arr_delay INT,
  air_time INT,
  carrier STRING
) PARTITIONED BY (carrier) WITH (
  'connector' = 'filesystem',
  'path' = 'dfs:///flights/',
  'format' = 'json'
);

CREATE TABLE carrier_report (
  carrier STRING,
  flights BIGINT,
  avg_dep_delay DOUBLE,
  avg_arr_delay DOUBLE,
  avg_air_time DOUBLE,
  score DOUBLE
) WITH (
  'connector' = 'filesystem',
  'path' = 'dfs:///reports/carriers/',
  'format' = 'json'
);

CREATE VIEW carrier_averages AS
SELECT
  carrier,
  COUNT(*) AS flights,
  AVG(CAST(dep_delay AS DOUBLE)) FILTER (WHERE dep_delay > 0) AS avg_dep_delay,
  AVG(CAST(arr_delay AS DOUBLE)) FILTER (WHERE arr_delay > 0) AS avg_arr_delay,
  AVG(CAST(air_time AS DOUBLE)) FILTER (WHERE air_time > 0) AS avg_air_time
FROM flights_by_carrier
GROUP BY carrier;

INSERT INTO carrier_report
SELECT
  carrier,
  flights,
  avg_dep_delay,
  avg_arr_delay,
  avg_air_time,
  (2 * avg_dep_delay + avg_arr_delay) / avg_air_time
FROM carrier_averages
ORDER BY carrier;
